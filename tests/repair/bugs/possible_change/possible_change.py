"""Ways to make change."""


def possible_change(coins, total):
    """In how many ways the coins, each as often as liked, add up to total."""
    if total == 0:
        return 1
    if total < 0:
        return 0
    first, *rest = coins
    return possible_change(coins, total - first) + possible_change(rest, total)
