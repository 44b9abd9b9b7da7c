"""Kruskal's algorithm."""


def minimum_spanning_tree(weights):
    """The cheapest edges that connect everything; weights maps (a, b) to a number."""
    chosen = set()
    group = {}
    for edge in sorted(weights, key=weights.get):
        a, b = edge
        if group.setdefault(a, {a}) != group.setdefault(b, {b}):
            chosen.add(edge)
            group[a].update(group[b])
            for node in group[b]:
                group[node].update(group[a])
    return chosen
