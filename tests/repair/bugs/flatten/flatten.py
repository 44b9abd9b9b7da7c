"""Nested lists made flat, lazily."""


def flatten(nested):
    """Yield the leaves of a nested list, left to right."""
    for item in nested:
        if isinstance(item, list):
            yield from flatten(item)
        else:
            yield flatten(item)
