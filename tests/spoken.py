"""What tests of runs that are spoken to share: teams at a gate, and journals that can be cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anyio

from hive import (
    Finding,
    Note,
    Role,
    Run,
    Workflow,
)
from hive.audit import Record
from hive.board.entry import Entry
from hive.journal.journal import Batch
from hive.journal.memory import MemoryJournal
from hive.message import Request as Asked
from hive.run import Result
from hive.testing import FunctionModel, Gate, GatedModel

a, b, c = Role("a"), Role("b", reads=(Finding,)), Role("c")


def role_of(request: Asked) -> str:
    return request.system.split("'")[1]


def heard(request: Asked) -> str:
    """A mind that repeats what the user has told it."""
    said = str(request.messages[0].text).count("UserMessage by user")
    return f"{role_of(request)} heard {said}"


def gated(gate: Gate, graph: Any = a >> b >> c, **options: Any) -> Workflow:
    return Workflow(graph, model=GatedModel(FunctionModel(heard), gate, role_of), **options)


def of(entries: Sequence[Entry], kind: type) -> list[Any]:
    return [entry.payload for entry in entries if isinstance(entry.payload, kind)]


def places(entries: Sequence[Entry], kind: str) -> list[str]:
    return [str(entry.address) for entry in entries if entry.kind == kind]


def texts(result: Result) -> list[str]:
    return [note.text for note in of(result.entries, Note)]


async def until(run: Run, fits: Callable[[Entry], bool]) -> Entry:
    """The first entry that fits, as soon as it is there."""
    with anyio.fail_after(10):
        async for entry in run.follow():
            if fits(entry):
                return entry
    raise AssertionError("it never came")


def is_a(kind: type) -> Callable[[Entry], bool]:
    return lambda entry: isinstance(entry.payload, kind)


async def replayed(run: Run) -> None:
    """A run that was spoken to replays like any other."""
    assert (await Record(run.journal, run.id).replay(run.workflow)).identical


class Tracing(MemoryJournal):
    """A journal that remembers what was done to it, step by step."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Callable[[MemoryJournal], object]] = []

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        super().append(batches, wait=wait)
        kept = [batch._replace(lease=1) for batch in batches]
        self.steps.append(lambda journal: journal.append(kept, wait=True))

    def send(self, *arguments: Any, **named: Any) -> int:
        item = super().send(*arguments, **named)
        self.steps.append(lambda journal: journal.send(*arguments, **named))
        return item

    def first(self, number: int) -> MemoryJournal:
        """What a process left behind that died after so many steps."""
        journal = MemoryJournal()
        for step in self.steps[:number]:
            step(journal)
        return journal
