"""The strands of a turn beside each other (floor 6), until they end, or time is up, or a stop."""

import asyncio
import contextlib
from collections.abc import Awaitable

import anyio
import anyio.lowlevel

from hive.board.tape import BreaksOff, Tape
from hive.phases.strand import Strand
from hive.phases.turn import StrandEnd, run_strand

__all__ = ["Ends", "OneByOne", "Strands"]


Ends = list[StrandEnd] | None
"""How strands ended; None when they were cut off."""


class Strands:
    """Runs strands beside each other; one that fails never takes its siblings along."""

    def __init__(self) -> None:
        self._scope: anyio.CancelScope | None = None
        self._lone: asyncio.Task[object] | None = None

    def beside(self, strands: list[Strand], seconds: float | None) -> Awaitable[Ends]:
        """Run strands within so many seconds; None when they were cut off."""
        if len(strands) == 1 and seconds is None:
            return self._alone(strands[0])
        return self._within(strands, seconds)

    async def _within(self, strands: list[Strand], seconds: float | None) -> Ends:
        ends: list[StrandEnd] = []

        async def one(strand: Strand) -> None:
            ends.append(await run_strand(strand))
            strand.desk.room.leave()

        with anyio.CancelScope() as scope:
            self._scope = scope
            if seconds is not None:
                scope.deadline = anyio.current_time() + seconds
            if len(strands) == 1:
                await one(strands[0])
            else:
                async with anyio.create_task_group() as group:
                    for strand in strands:
                        group.start_soon(one, strand)
        self._scope = None
        return None if scope.cancelled_caught else ends

    def cut_off(self) -> None:
        """Cancel the strands under way, whose open calls are closed on the board."""
        if self._scope is not None:
            self._scope.cancel()
        elif self._lone is not None and self._lone is not asyncio.current_task():
            lone, self._lone = self._lone, None  # which says that it is cut off, once
            lone.cancel()

    async def _alone(self, strand: Strand) -> Ends:
        """Run the one strand of a turn. Without a scope of its own, which would cost as much as its
        entries do."""
        task = self._lone = asyncio.current_task()
        assert task is not None
        before = task.cancelling()
        try:
            return [await run_strand(strand)]
        except asyncio.CancelledError:
            if self._lone is None and task.uncancel() <= before:
                return None
            raise
        finally:
            self._lone = None


class OneByOne:
    """Runs the strands of a replay one after the other, in the order of their decision, so that the
    first difference found is the first there is. No time and no stop binds them: where strands were
    cut off, the tape says so.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    async def beside(self, strands: list[Strand], seconds: float | None) -> list[StrandEnd] | None:
        """Run strands; None when they were cut off, which is on record."""
        ends: list[StrandEnd] = []
        for strand in strands:
            await anyio.lowlevel.checkpoint()
            with contextlib.suppress(BreaksOff):
                ends.append(await run_strand(strand))
                self._tape.closed(strand.turn, strand.name)
        ended = self._tape.cut_short(strands[0].turn + 1)
        if len(ends) < len(strands) or ("suspended" in ends and ended is not None):
            return None
        return ends

    def cut_off(self) -> None:
        """Nothing is under way for long."""
