"""Reachability in a graph given as a mapping from a vertex to its neighbours."""

from collections import deque


def reachable(graph, source, target):
    """Whether a walk leads from source to target."""
    waiting = deque([source])
    seen = {source}
    while True:
        vertex = waiting.popleft()
        if vertex == target:
            return True
        fresh = [other for other in graph.get(vertex, ()) if other not in seen]
        waiting.extend(fresh)
        seen.update(fresh)
    return False
