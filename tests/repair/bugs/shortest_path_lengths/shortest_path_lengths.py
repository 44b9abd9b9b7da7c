"""All pairs of shortest paths, after Floyd and Warshall."""

import math
from collections import defaultdict


def shortest_path_lengths(size, lengths):
    """Distances between the vertices 0 .. size-1; lengths maps (from, to) to a number."""
    distance = defaultdict(lambda: math.inf)
    distance.update({(vertex, vertex): 0 for vertex in range(size)})
    distance.update(lengths)
    for via in range(size):
        for start in range(size):
            for end in range(size):
                distance[start, end] = min(
                    distance[start, end],
                    distance[start, via] + distance[end, via],
                )
    return distance
