"""Quicksort on lists."""


def quicksort(values):
    """The values in ascending order, in a new list."""
    if not values:
        return []
    pivot, *others = values
    smaller = quicksort([value for value in others if value < pivot])
    larger = quicksort([value for value in others if value > pivot])
    return [*smaller, pivot, *larger]
