"""A process that dies at a boundary of its work, played within this one.

Boundaries are before and after every append to the journal, and before and after every effect: a
model's answer, a tool's work. At the one that was picked `Death` is raised, which nobody catches,
and the world is frozen: what the rest of the program still does on its way out, a dead process
would not have done, so none of it lasts.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hive import Workflow
from hive.board.records import Suspension
from hive.errors import JournalError
from hive.journal.journal import Batch, Commit, Journal
from hive.journal.memory import MemoryJournal
from hive.message import Reply, Request
from hive.models import FunctionModel
from hive.phases.waiting import spoken
from hive.run import Result, Run
from hive.tools import Call, Tool
from hive.tools.approval import Approver


class Death(BaseException):
    """The process is gone."""


@dataclass
class Fate:
    """At which boundary the process dies, counted from 1; 0 lets it live. Counts all it passes."""

    at: int = 0
    folder: Path | None = None
    """What is frozen in the moment of death: the workspace, undo logs included."""
    passed: list[str] = field(default_factory=list)
    dead: bool = False

    def pass_by(self, boundary: str) -> None:
        """Come by a boundary, or die at it."""
        if self.dead:
            raise Death(boundary)
        self.passed.append(boundary)
        if len(self.passed) == self.at:
            self.dead = True
            if self.folder is not None:
                shutil.copytree(self.folder, self.frozen, symlinks=True)
            raise Death(boundary)

    @property
    def frozen(self) -> Path:
        assert self.folder is not None
        return self.folder.with_name(f"{self.folder.name}-frozen")

    def bury(self) -> None:
        """Leave the world as it was in the moment of death."""
        if self.folder is not None and self.dead:
            shutil.rmtree(self.folder)
            self.frozen.rename(self.folder)


class DyingJournal(MemoryJournal):
    """A journal whose process dies before an append, or after it and before anybody hears of it."""

    commit: Commit = "inline"

    def __init__(self) -> None:
        super().__init__()
        self.fate = Fate()
        self.acknowledged: dict[str, int] = {}
        """How many entries of each run were said to be durable."""

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        told = ", ".join(f"{len(batch.sealed.headers)} entries" for batch in batches)
        self.fate.pass_by(f"before an append of {told}")
        super().append(batches, wait=wait)
        self.fate.pass_by(f"after an append of {told}")
        for batch in batches:
            self.acknowledged[batch.run] = batch.expected + len(batch.sealed.headers)


@dataclass
class World:
    """What lies outside the run, and stays: whom effects reached, and how often."""

    fate: Fate = field(default_factory=Fate)
    launched: list[str] = field(default_factory=list)
    """Addresses of the calls that did what must not be done twice."""
    paid: dict[str, str] = field(default_factory=dict)
    """Key to address, as a service keeps them that knows a call by its key."""
    asked: list[str] = field(default_factory=list)

    def tool(self, made: Tool) -> Tool:
        """A tool in whose process death may come before or after what it does."""

        async def run(arguments: Mapping[str, Any], call: Call) -> object:
            self.fate.pass_by(f"before {made.name}")
            try:
                return await made.run(arguments, call)
            finally:
                self.fate.pass_by(f"after {made.name}")

        return replace(made, run=run)

    def model(self, answer: Any, name: str) -> FunctionModel:
        """A model in whose process death may come before or after its answer."""

        async def answered(request: Request) -> Reply | Any:
            self.fate.pass_by(f"before {name} answers")
            self.asked.append(request.digest)
            try:
                return answer(request)
            finally:
                self.fate.pass_by(f"after {name} answers")

        return FunctionModel(answered, name)


async def driven(run: Run, fate: Fate) -> Result | None:
    """Drive a run to its end; None when its process died, and the world is as it was then."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, told: None)  # the dead are not to be heard
    try:
        return await run.result()
    except BaseException as error:
        if not fate.dead or not died(error):
            raise
        fate.bury()
        return None
    finally:
        loop.set_exception_handler(None)


def died(error: BaseException) -> bool:
    """Whether an error is death, or what follows from it."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(died, error.exceptions))
    return isinstance(error, Death | JournalError)


async def taken_up(
    team: Workflow, journal: DyingJournal, world: World, fate: Fate, approvals: Approver | None
) -> Result | None:
    """Resume the journal's run under a fate."""
    world.fate = journal.fate = fate
    return await driven(team.resume(journal.runs()[0], journal=journal, approvals=approvals), fate)


def settle(journal: Journal, run: str, world: World, result: Result) -> list[str]:
    """Say yes to what needs a yes, and of each call in doubt what a person finds who looks; gives
    the addresses of those in doubt."""
    waits = {
        entry.payload.subject: entry.payload.waits_for
        for entry in result.entries
        if isinstance(entry.payload, Suspension)
    }
    for subject, waits_for in waits.items():
        if waits_for == "approval":
            text = spoken("allow", "go ahead")
        else:
            text = spoken("done", "launched") if subject in world.launched else spoken("again")
        journal.send(run, 0, "somebody", "answer", subject, text)
    return [subject for subject, waits_for in waits.items() if waits_for == "in_doubt"]
