"""What a run changed in its workspace (floor 7), from the first state of each file to its last."""

from collections.abc import Iterable

from hive.board.entry import Entry
from hive.board.records import Change, Observation

__all__ = ["net_changes"]


def net_changes(entries: Iterable[Entry]) -> tuple[Change, ...]:
    """One Change for each file that is now other than it was, ordered by path.

    Entries come in the order of arrival. A file that was changed and put back is left out.
    """
    net: dict[str, Change] = {}
    for entry in entries:
        if isinstance(entry.payload, Observation):
            for change in entry.payload.changes:
                known = net.get(change.path)
                net[change.path] = change if known is None else joined(known, change)
    return tuple(net[path] for path in sorted(net) if net[path].before != net[path].after)


def joined(first: Change, later: Change) -> Change:
    """Two changes of one file as one."""
    return later.model_copy(update={"before": first.before, "before_content": first.before_content})
