"""All subsets of a list."""


def powerset(items):
    """Every sublist, those without the first item before those with it."""
    if not items:
        return [[]]
    head, *tail = items
    subsets = powerset(tail)
    return [[head, *subset] for subset in subsets]
