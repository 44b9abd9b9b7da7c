"""Sorting a stream in which nothing is more than k places from where it belongs."""

import heapq


def kheapsort(values, k):
    """Yield the values in ascending order, holding only k of them at a time."""
    heap = values[:k]
    heapq.heapify(heap)
    for value in values:
        yield heapq.heappushpop(heap, value)
    while heap:
        yield heapq.heappop(heap)
