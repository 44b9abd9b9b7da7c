"""A run on its way: shown while it goes on, paused by Ctrl-C, asked about by a person."""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

import anyio

from hive.cli.approving import AtTerminal, Yes
from hive.cli.faces import Face, PlainFace, Silent
from hive.cli.interrupts import interruptible
from hive.cli.speaker import speaker
from hive.errors import HiveError
from hive.models.model import check
from hive.models.wrappers.steady import steady
from hive.run import Run
from hive.tools.approval import Approver
from hive.workflow import Workflow

__all__ = ["Showing", "check_models", "drive"]

Begin = Callable[[Approver], Run]
"""Makes the run, under the approver it is given."""


@dataclass(frozen=True)
class Showing:
    """How a run is shown, under which title, and whether what needs a yes is simply allowed."""

    title: str
    as_json: bool = False
    plain: bool = False
    yes: bool = False

    @property
    def live(self) -> bool:
        """Whether there is a terminal to draw in."""
        if self.as_json or self.plain:
            return False
        return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def check_models(workflow: Workflow) -> None:
    """Raise what would keep the models of a workflow from being used, a missing key above all."""
    for given in dict.fromkeys(workflow.needed.values()):
        check(steady(given) if isinstance(given, str) else given)


def drive(workflow: Workflow, goal: str, showing: Showing, begin: Begin) -> None:
    """Take a run to its end, or to where it waits, or to the first Ctrl-C."""
    face = face_for(workflow, goal, showing)
    approver = Yes(workflow.approvals) if showing.yes else workflow.approvals
    try:
        anyio.run(go, begin, approver, face, showing.live)
    except BaseExceptionGroup as group:
        raise first_of(group) from None


async def go(begin: Begin, approver: Approver, face: Face, live: bool) -> None:
    loop = asyncio.get_running_loop()
    with anyio.CancelScope() as scope:

        def pause() -> None:
            loop.call_soon_threadsafe(scope.cancel)

        with interruptible(pause, live):
            run = begin(approver)
            if sys.stdin is not None and sys.stdin.isatty():
                run.attend(AtTerminal(face.asking, speaker()))
            hear = getattr(face, "hear", None)
            if hear is not None:
                run.listen(hear)
            past = len(run.board.entries)
            with face:
                for entry in run.board.entries[:past]:
                    face.take(entry, past=True)
                async with run:
                    async for entry in run.follow(past):
                        face.take(entry)


def face_for(workflow: Workflow, goal: str, showing: Showing) -> Face:
    if showing.as_json:
        return Silent()
    if not showing.live:
        return PlainFace(goal)
    from hive.cli.live import LiveFace
    from hive.cli.scene import Scene

    return LiveFace(Scene(goal), tuple(workflow.roles), workflow.budget, showing.title)


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one error that a person is told of: Hive's own before any other."""
    leaves: list[BaseException] = []
    waiting: list[BaseException] = [group]
    while waiting:
        error = waiting.pop()
        if isinstance(error, BaseExceptionGroup):
            waiting.extend(error.exceptions)
        else:
            leaves.append(error)
    return next((error for error in leaves if isinstance(error, HiveError)), leaves[0])
