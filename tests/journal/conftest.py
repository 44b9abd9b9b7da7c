"""What the conformance suite runs on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hive.journal.journal import Journal
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from tests.journal.stores import Store

KINDS = ("memory", "sqlite", "sqlite full")


def store_of(kind: str, folder: Path) -> Store:
    if kind == "memory":
        memory = MemoryJournal()
        return Store(lambda: memory)
    path = folder / "journal.db"

    def lose(journal: Journal, run: str) -> None:
        """Without its lock file the operating system knows of no holder any more."""
        path.with_name("journal.db-lock").unlink()

    return Store(
        lambda: SQLiteJournal(path, synchronous="full" if kind == "sqlite full" else "normal"),
        where=str(path),
        files=lambda: sorted(path.parent.glob("journal.db*")),
        lose=lose,
    )


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Every kind of journal."""
    made = store_of(request.param, tmp_path)
    yield made
    made.close()


@pytest.fixture(params=[kind for kind in KINDS if kind != "memory"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Every kind of journal that several processes can use."""
    made = store_of(request.param, tmp_path)
    yield made
    made.close()
