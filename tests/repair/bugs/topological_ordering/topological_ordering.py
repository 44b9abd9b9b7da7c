"""Ordering tasks so that each comes after all it depends on."""


class Task:
    """A vertex with arrows in and out."""

    def __init__(self, name):
        self.name = name
        self.incoming = []
        self.outgoing = []

    def before(self, other):
        """Draw an arrow from this task to another."""
        self.outgoing.append(other)
        other.incoming.append(self)


def topological_ordering(tasks):
    """All tasks, none before one that points at it."""
    ordered = [task for task in tasks if not task.incoming]
    for task in ordered:
        for following in task.outgoing:
            if set(ordered).issuperset(following.outgoing) and following not in ordered:
                ordered.append(following)
    return ordered
