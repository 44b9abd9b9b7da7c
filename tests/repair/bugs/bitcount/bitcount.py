"""Population count by clearing the lowest set bit."""


def bitcount(number):
    """How many bits of a non-negative integer are one."""
    ones = 0
    while number:
        number ^= number - 1
        ones += 1
    return ones
