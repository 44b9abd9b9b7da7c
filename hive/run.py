"""A run (floor 6): one goal on its way through a workflow, to be driven, followed and stopped."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, cast

import anyio
import anyio.abc

from hive.board.board import USER
from hive.board.contributions import Attachment
from hive.board.entry import Entry
from hive.board.records import Outcome, Reason, Resumed, RunStarted
from hive.board.state import State
from hive.control.budgets.budget import usd
from hive.control.graphs.graph import Ending
from hive.coordinator import Coordinator
from hive.errors import HiveError, JournalError
from hive.journal.inbox import inbox_for, send
from hive.journal.journal import InboxKind, Journal
from hive.journal.writer import committer_for
from hive.message import Media
from hive.models.model import close as close_model
from hive.outside import attached
from hive.phases.strand import Desk
from hive.phases.waiting import spoken
from hive.tools.person import Decided, Person, Respondent

if TYPE_CHECKING:
    from hive.workflow import Workflow

__all__ = ["Result", "Run"]

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Result:
    """How a run ended, or what it waits for.

    `outcome` is "waiting" when the run is suspended; `waits_for` then says on what. Time in
    seconds, money in US dollars; of a fork, `paid_usd` is what it cost anew.
    """

    run: str
    outcome: Outcome | Literal["waiting"]
    reason: Reason | None
    message: str
    text: str
    turns: int
    tokens: int
    units: int
    cost_usd: Decimal
    paid_usd: Decimal
    seconds: float
    state: State
    entries: tuple[Entry, ...]
    waits_for: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether the goal was reached."""
        return self.outcome == "finished"


class Run:
    """One run. Use it as `async with workflow.start(goal) as run`, or `await run.result()`.

    Leaving the `async with` waits for the run to end; an exception inside it cancels the run, which
    stays resumable.
    """

    def __init__(
        self,
        workflow: "Workflow",
        first: RunStarted,
        goal: str,
        desk: Desk,
        journal: Journal,
        owns_journal: bool,
        resumed: Resumed | None = None,
        attachments: tuple[Attachment, ...] = (),
    ) -> None:
        self.workflow = workflow
        self.id = first.run
        self.goal = goal
        self.journal = journal
        self.board = desk.writer.board
        self._first = first
        self._desk = desk
        self._owns_journal = owns_journal
        team = workflow.team(first.pool)
        self._minds = team.own
        self._coordinator = Coordinator(team, desk, goal, first.seed, resumed, attachments)
        self._listeners: list[Callable[[str, str], None]] = []
        self._group: anyio.abc.TaskGroup | None = None
        self._done = False
        self._ended = anyio.Event()
        self._result: Result | None = None
        self._error: BaseException | None = None

    @property
    def workspace(self) -> Path | None:
        """The folder that its tools work on."""
        place = self._desk.workspace
        return None if place is None else place.root

    async def result(self) -> Result:
        """Drive the run to its end, or wait for it where `async with` drives it already."""
        if self._group is not None:
            await self._ended.wait()
        elif not self._done:
            await self._drive()
        if self._result is None:
            if isinstance(self._error, Exception):
                raise self._error
            raise HiveError(f"run {self.id} was interrupted before its end; it can be resumed")
        return self._result

    async def follow(self, cursor: int = 0) -> AsyncIterator[Entry]:
        """The entries of the run from a position on, as they come, until it ends or is suspended.

        Any number of followers may read, each at its own speed; none can hold the run up.
        """
        entries = self.board.entries
        while True:
            while cursor < len(entries):
                yield entries[cursor]
                cursor += 1
            if self._done:
                return
            await self._desk.writer.news()

    def listen(self, listener: Callable[[str, str], None]) -> None:
        """Have (strand, piece of text) called while models answer; pieces are never entries."""
        self._listeners.append(listener)
        desk = self._desk
        self._coordinator.desk = replace(desk, listener=self._say)

    def attend(self, person: Person | Respondent) -> None:
        """Have somebody asked about calls that need a yes, if they `decide`, and have the turns of
        people put to them, if they `answer`. Others may answer too; what is asked waits only once
        they have put it off."""
        room = self._desk.room
        if hasattr(person, "decide"):
            room.person = cast("Person", person)
        if hasattr(person, "answer"):
            room.respondent = cast("Respondent", person)

    def stop(self, reason: str = "stopped by the user") -> None:
        """End the run now: what is open is cancelled and closed on the board."""
        self._coordinator.stop(reason)

    def say(
        self, text: str, *, attachments: Iterable[str | Path | Media] = (), by: str = USER
    ) -> None:
        """Tell the run something: every role sees it from the next decision on, as a UserMessage,
        and `attachments`, images and files, where it reads Attachment.

        Like the three below it goes through the run's inbox, which any process may fill (`hive
        say`); `by` is who speaks. Raises HiveError when the run is not under way any more, and
        DeclarationError for an attachment that cannot be read.
        """
        # Before the words, so that these never speak of what is not there.
        for attachment in attached(attachments):
            self._send("attach", attachment.body().decode(), by)
        self._send("say", text, by)

    def pause(self, reason: str = "", *, by: str = USER) -> None:
        """Have the run decide nothing more after the turn under way, until `go` or `stop`; time
        spent so does not count. Raises what `say` raises."""
        self._send("pause", reason, by)

    def go(self, *, by: str = USER) -> None:
        """Let a paused run go on. Raises what `say` raises."""
        self._send("go", "", by)

    def answer(self, call: str, decided: Decided, text: str = "", *, by: str = USER) -> None:
        """Say of what waits for a person, by its address, what is to become of it.

        A call that needs a yes: "allow" or "deny", `text` being the reason. One in doubt: it was
        "done", and `text` is what came of it; it is to be made "again"; or nobody can find out, and
        it is "lost". The turn of a person's role: "says", and `text` is what they say. While other
        strands of the turn work, it goes on at once. Raises what `say` raises.
        """
        self._send("answer", spoken(decided, text), by, call)

    async def __aenter__(self) -> Self:
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._group.start_soon(self._drive)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        assert self._group is not None
        if error is not None:
            self._group.cancel_scope.cancel()
            self._coordinator.maybe_cancelled = True
        try:
            return await self._group.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:
            if error is not None and group.exceptions == (error,):
                return False
            if len(group.exceptions) == 1:
                raise group.exceptions[0] from None
            raise

    def _send(self, kind: InboxKind, text: str, by: str, subject: str = "") -> None:
        if self._done:
            raise HiveError(f"run {self.id} is not under way here any more; nobody would hear it")
        send(self.journal, self.id, kind, by=by, subject=subject, text=text)

    def _say(self, strand: str, text: str) -> None:
        for listener in self._listeners:
            listener(strand, text)

    async def _drive(self) -> None:
        self._desk.writer.opened()
        inbox, outside = inbox_for(self.journal), self._coordinator.outside
        try:
            self._desk.room.look, outside.look = inbox.look, inbox.glance
            outside.take_up(inbox.join(self.id, outside.take), self._coordinator.pauses.resumed)
            ending = await self._coordinator.run(self._first)
            self._result = self._made(ending)
        except BaseException as error:
            self._error = simplest(error)
            if self._error is error:
                raise
            raise self._error from None
        finally:
            self._done = True
            inbox.leave(self.id)
            if self._minds:
                with anyio.CancelScope(shield=True):
                    for mind in self._minds:
                        await close_model(mind)
            self._desk.close()
            self._desk.writer.closed()
            self._ended.set()
            self.journal.release(self.id)
            if self._owns_journal:
                committer_for(self.journal).close()
                self.journal.close()

    def _made(self, ending: Ending | None) -> Result:
        state = self.board.state
        suspended = self._coordinator.suspended
        waits = tuple(f"{e.payload.waits_for}: {e.payload.text}" for e in suspended)  # type: ignore[attr-defined]
        return Result(
            run=self.id,
            outcome="waiting" if ending is None else ending.outcome,
            reason=None if ending is None else ending.reason,
            message="; ".join(waits) if ending is None else ending.message,
            text=self._coordinator.answer,
            turns=state.turn,
            tokens=state.tokens,
            units=state.units,
            cost_usd=usd(state.spent),
            paid_usd=usd(state.paid),
            seconds=state.elapsed / 1_000_000,
            state=state,
            entries=tuple(self.board.entries),
            waits_for=waits,
        )


def simplest(error: BaseException) -> BaseException:
    """The one error that a group comes down to: a journal fails for all its writers at once."""
    leaves = list(flat(error))
    failed = [leaf for leaf in leaves if isinstance(leaf, JournalError)]
    if failed or len(leaves) == 1:
        return (failed or leaves)[0]
    return error


def flat(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from flat(part)
    else:
        yield error
