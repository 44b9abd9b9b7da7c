"""What a strand works with (floor 5): the run's shared things, and its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from hive.board.entry import Address, Entry, Label
from hive.board.parent import Parent
from hive.board.payload import Payload
from hive.board.records import StrandPlan
from hive.board.tape import Tape
from hive.board.view import View
from hive.control.budgets.books import Books
from hive.control.budgets.pool import Share
from hive.control.budgets.scope import Scope
from hive.errors import DeclarationError
from hive.journal.writer import Writer
from hive.models.catalog import ModelCard
from hive.models.model import Model
from hive.phases.brief import Briefing
from hive.phases.deadline import Deadline
from hive.phases.waiting import WaitingRoom
from hive.role import Role
from hive.tools.approval import Approver

if TYPE_CHECKING:
    from hive.tools.undo import CallLog
    from hive.tools.workspace import Workspace

__all__ = ["Desk", "InDoubt", "Limits", "Strand"]

InDoubt = Literal["ask", "repeat", "lost"]
"""What becomes of a call that must not be made twice when nobody knows whether it was made."""


@dataclass(frozen=True)
class Limits:
    """The bounds without which no worst case exists; every Workflow has them.

    `call_seconds` is wall time for one model call, `observation_chars` is how much of one tool
    result goes into a conversation; the rest are counts of tokens, strands and steps.
    """

    strands: int = 16
    steps: int = 24
    output_tokens: int = 4096
    view_tokens: int = 16_000
    call_seconds: float = 300.0
    observation_chars: int = 20_000

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0 or not (isinstance(value, int) or name == "call_seconds"):
                wanted = "seconds above 0" if name == "call_seconds" else "a whole number from 1 on"
                raise DeclarationError(f"Limits({name}={value!r}): give {wanted}")


@dataclass(frozen=True, slots=True)
class Desk:
    """What all strands of a run share."""

    writer: Writer
    tape: Tape
    limits: Limits
    approver: Approver
    books: Books
    deadline: Deadline
    """The limit that every model call stands under."""
    workspace: "Workspace | None" = None
    listener: Callable[[str, str], None] | None = None
    """Receives (strand, piece of text) while a model answers, if anybody listens."""
    in_doubt: InDoubt = "ask"
    room: WaitingRoom = field(default_factory=WaitingRoom)
    """Where calls wait for a person's word."""
    parent: Parent | None = None
    """What a fork may be served; None for a run that is no fork."""
    share: Share | None = None
    """What the run draws from a pool, where it does."""
    unsettled: "list[CallLog]" = field(default_factory=list)
    """What it takes to undo the calls whose results may not be durable yet."""
    cancelled: "list[CallLog]" = field(default_factory=list)
    """What it takes to undo the calls that were cancelled while they were made."""

    def logged(self, call: str) -> "Workspace | None":
        """The workspace for one call, by its address: what the call changes can be undone."""
        return None if self.workspace is None else self.workspace.under(self.writer.run, call)

    def settle(self, workspace: "Workspace | None") -> None:
        """Note that the result of a call is on the board, with the workspace as the call had it."""
        if workspace is not None and workspace.log is not None and workspace.log.used:
            self.unsettled.append(workspace.log)

    def cancel(self, workspace: "Workspace | None") -> None:
        """Note that a call was cancelled while it was made."""
        if workspace is not None and workspace.log is not None and workspace.log.used:
            self.cancelled.append(workspace.log)

    async def durable(self) -> None:
        """Wait until everything posted so far is as durable as the journal promises; after that
        no call that was observed needs undoing. What cancelled calls changed is undone first."""
        if self.cancelled and self.workspace is not None:
            self.workspace.undo(self.writer.run, [log.call for log in self.cancelled])
            self.cancelled.clear()
        observed = tuple(self.unsettled)
        await self.writer.durable()
        for log in observed:
            log.drop()
        if observed:
            self.unsettled[:] = [log for log in self.unsettled if log not in observed]

    def close(self) -> None:
        """The run is over, or goes on in another process."""
        self.deadline.close()
        if self.workspace is not None:
            self.workspace.tidy(self.writer.run)

    def latest(self, kind: str) -> Payload | None:
        """The newest payload of a kind in the closed turns."""
        payload: Payload | None = self.writer.board.state.latest(kind)
        return payload


class Strand(NamedTuple):
    """One of a turn's parallel lines: a role at work on what it sees."""

    desk: Desk
    turn: int
    plan: StrandPlan
    role: Role
    mind: Model | None
    """The model; None for a role that is a program."""
    card: ModelCard
    scope: Scope
    view: View
    label: Label
    """How far what the strand sees can be trusted."""
    targets: tuple[str, ...]
    """The roles it may hand on to."""
    briefing: Briefing
    decision: str
    """Address of the decision that opened it."""
    name: str
    """The strand's own name, as in addresses."""
    origin: str
    """Who speaks: "program:…" for programs, "model:provider:name" for everything else."""
    task: str = ""
    """What it is asked beyond its view, for a role that advises."""

    def address(self, *place: int) -> Address:
        """The address of a place in this strand."""
        return Address(self.turn, self.name, place)

    def post(
        self,
        place: tuple[int, ...],
        payload: Payload,
        *,
        causes: tuple[str, ...] = (),
        origin: str | None = None,
        label: Label | None = None,
        attempt: int = 0,
    ) -> Entry:
        """Post as this strand's role. Raises what `Writer.post` raises."""
        return self.desk.writer.post(
            Address(self.turn, self.name, place),
            self.role.name,
            payload,
            origin or self.origin,
            causes,
            label or self.label,
            attempt,
        )
