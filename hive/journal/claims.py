"""Names of pools that one process has to itself in some journals (floor 2)."""

import weakref
from pathlib import Path

from hive.errors import JournalError, PoolHeld, RunHeld
from hive.journal.journal import Journal, own_name
from hive.journal.sqlite import SQLiteJournal

__all__ = ["Claims", "place_of"]


class Claims:
    """The journals in which nobody else may use a name.

    A name is held as a run is, by locks that a dead process cannot keep. A file is held through a
    journal of its own, which lasts as long as the claim, whoever closes theirs.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._files: dict[Path, SQLiteJournal] = {}
        self._others: weakref.WeakSet[Journal] = weakref.WeakSet()
        self.close = weakref.finalize(self, give_up, name, self._files, self._others)
        """Give the name up everywhere."""

    def take(self, journal: Journal) -> bool:
        """Have the name in a journal; False where it is had already. Raises PoolHeld when
        somebody else has it."""
        place = place_of(journal)
        if place in self._files or place in self._others:
            return False
        if not isinstance(place, Path):
            hold(place, self.name)
            self._others.add(place)
            return True
        own = SQLiteJournal(place, create=False)
        try:
            hold(own, self.name)
        except JournalError:
            own.close()
            raise
        self._files[place] = own
        return True


def place_of(journal: Journal) -> Path | Journal:
    """What is the same of all journals that hold the same runs."""
    return journal.path.resolve() if isinstance(journal, SQLiteJournal) else journal


def hold(journal: Journal, name: str) -> None:
    try:
        journal.hold(name, own_name())
    except RunHeld as error:
        raise PoolHeld(
            f"the {name} is in use by {error.holder.name}; one at a time has it, with as many runs"
            " as it likes, until it is closed or the process ends",
            error.holder,
        ) from error


def give_up(
    name: str, files: dict[Path, SQLiteJournal], others: "weakref.WeakSet[Journal]"
) -> None:
    for each in others:
        each.release(name)
    for own in files.values():
        own.close()
