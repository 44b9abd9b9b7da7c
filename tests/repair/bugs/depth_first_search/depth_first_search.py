"""Depth-first search over nodes that know their successors."""


class Node:
    """A named vertex."""

    def __init__(self, name, successors=()):
        self.name = name
        self.successors = list(successors)


def connected(origin, goal):
    """Whether goal can be reached from origin."""
    visited = set()

    def explore(node):
        if node in visited:
            return False
        if node is goal:
            return True
        return any(explore(successor) for successor in node.successors)

    return explore(origin)
