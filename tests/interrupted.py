"""Runs that are broken off at a gate, to be taken up again."""

from __future__ import annotations

from typing import Any

import anyio

from hive import (
    Role,
    Workflow,
    elapsed,
)
from hive.audit import Record
from hive.journal.memory import MemoryJournal
from hive.message import Request as Asked
from hive.run import Result
from hive.testing import FunctionModel, Gate, GatedModel

a, b, c = Role("a"), Role("b"), Role("c")
MANY = elapsed(minutes=9)
TALK = FunctionModel(lambda request: f"{role_of(request)} said", "talk")


def role_of(request: Asked) -> str:
    return request.system.split("'")[1]


def gated(gate: Gate, graph: Any = a >> b, **options: Any) -> Workflow:
    return Workflow(graph, model=GatedModel(TALK, gate, role_of), **options)


async def paused(team: Workflow, gate: Gate, *waiting: str, **options: Any) -> MemoryJournal:
    """A run that was cancelled once these waited at the gate."""
    journal = MemoryJournal()
    with anyio.CancelScope() as scope:
        async with team.start("g", journal=journal, seed=1, **options):
            await gate.arrived(*waiting)
            scope.cancel()
    return journal


def only(journal: MemoryJournal) -> Record:
    return Record(journal, journal.runs()[0])


def last(result: Result, kind: type[Any]) -> Any:
    return [entry.payload for entry in result.entries if entry.kind == kind.kind][-1]
