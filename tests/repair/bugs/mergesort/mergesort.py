"""Merge sort."""


def merge(left, right):
    """One ascending list from two."""
    merged = []
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            merged.append(left[i])
            i += 1
        else:
            merged.append(right[j])
            j += 1
    return merged + left[i:] + right[j:]


def mergesort(values):
    """The values in ascending order, in a new list."""
    if len(values) == 0:
        return values
    middle = len(values) // 2
    return merge(mergesort(values[:middle]), mergesort(values[middle:]))
