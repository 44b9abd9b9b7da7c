"""Prime factors by trial division."""


def get_factors(number):
    """The prime factors of a positive integer, ascending, with multiplicity."""
    if number == 1:
        return []
    divisor = 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            return [divisor] + get_factors(number // divisor)
        divisor += 1
    return []
