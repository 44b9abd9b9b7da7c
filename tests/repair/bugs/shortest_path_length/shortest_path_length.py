"""Dijkstra's algorithm with a heap of tentative distances."""

import heapq
import math


def shortest_path_length(lengths, source, target):
    """The length of the shortest walk; lengths maps (from, to) to a positive number."""
    neighbours = {}
    for start, end in lengths:
        neighbours.setdefault(start, []).append(end)
    tentative = {source: 0}
    frontier = [(0, source)]
    done = set()
    while frontier:
        distance, node = heapq.heappop(frontier)
        if node == target:
            return distance
        if node in done:
            continue
        done.add(node)
        for following in neighbours.get(node, ()):
            if following in done:
                continue
            candidate = tentative.get(following, 0) + lengths[node, following]
            if candidate < tentative.get(following, math.inf):
                tentative[following] = candidate
                heapq.heappush(frontier, (candidate, following))
    return math.inf
