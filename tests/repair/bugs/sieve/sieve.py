"""Primes by trial against the primes found so far."""


def primes_up_to(limit):
    """All primes that are at most limit, ascending."""
    primes = []
    for number in range(2, limit + 1):
        if any(number % prime > 0 for prime in primes):
            primes.append(number)
    return primes
