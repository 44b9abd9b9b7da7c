"""Longest common substring, bottom up."""

from collections import Counter


def lcs_length(left, right):
    """The length of the longest run of characters found in both texts."""
    ending = Counter()
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            if a == b:
                ending[i, j] = ending[i - 1, j] + 1
    return max(ending.values(), default=0)
