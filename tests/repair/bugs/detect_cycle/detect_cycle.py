"""Floyd's tortoise and hare on singly linked cells."""


class Cell:
    """One element of a linked list."""

    def __init__(self, value, following=None):
        self.value = value
        self.following = following


def has_cycle(head):
    """Whether following the links from head never ends."""
    slow = fast = head
    while True:
        if fast.following is None:
            return False
        slow = slow.following
        fast = fast.following.following
        if slow is fast:
            return True
