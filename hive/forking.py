"""How a fork begins (floor 6): another course from a cut of a recorded run."""

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import JsonValue

from hive.beginning import SCHEMA_VERSION, board_for, claimed, desk_for, own_version
from hive.board.board import COORDINATOR, Board
from hive.board.canonical import decode
from hive.board.entry import Address, Entry
from hive.board.parent import Parent
from hive.board.records import Overrun, Request, Resumed, RunStarted, Termination
from hive.board.tape import Tape
from hive.clock import Clock
from hive.errors import DeclarationError, JournalError, PayloadError
from hive.journal.journal import Journal, Stored, new_run_id
from hive.journal.lineage import content_of, read_whole
from hive.journal.opening import find_run, open_journal
from hive.journal.reading import close_before
from hive.run import Run
from hive.tools.approval import Approver, Judgement, ProposedCall
from hive.tools.manifest import recorded_state
from hive.tools.snapshot import rebuild
from hive.tools.workspace import Workspace

if TYPE_CHECKING:
    from hive.workflow import Workflow

__all__ = ["FRESH", "LIVE_EFFECTS", "Changes", "fork", "guarded", "parent_of"]

FRESH = "fresh"
"""The override under which a fork asks anew whatever it can."""

LIVE_EFFECTS = "live_effects"
"""The override under which a fork's calls may leave the machine, and do what cannot be undone."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a fork has of its own beside its workflow: the arguments of `Record.fork`."""

    at: int | str
    workspace: str | Path | None = None
    sample: int = 0
    tags: tuple[str, ...] = ()
    overrides: dict[str, JsonValue]
    reference: str
    approvals: Approver | None = None
    clock: Clock


class Cut(NamedTuple):
    """Where a fork leaves its parent: at the beginning of a turn, before the parent's entry of that
    number. `stored` is all that the parent has recorded."""

    turn: int
    number: int
    stored: Sequence[tuple[Stored, Entry]]

    @property
    def before(self) -> Sequence[tuple[Stored, Entry]]:
        """What the fork shares, and the parent's first entry."""
        return self.stored[: self.number]

    @property
    def started(self) -> RunStarted:
        """The parent's first entry."""
        first = self.stored[0][1].payload
        if not isinstance(first, RunStarted):
            raise JournalError("the run does not begin with RunStarted; nothing is known of it")
        return first


def fork(
    workflow: "Workflow", parent: str, *, journal: "str | Path | Journal", changes: Changes
) -> Run:
    """A run that shares its parent's entries up to a cut; `Record.fork` is its door."""
    opened = open_journal(journal, create=False)
    owned = opened is not journal
    run = new_run_id()
    try:
        parent = find_run(opened, parent)
        stored = [
            (each, Entry.stored(each.row, each.body, workflow.vocabulary))
            for each in read_whole(opened, parent)
        ]
        cut = cut_at(changes.at, stored, parent)
    except (JournalError, DeclarationError):
        if owned:
            opened.close()
        raise
    with claimed(opened, run, owned) as lease:
        board = board_for(workflow)
        board.lease = lease
        place = rebuilt(changes.workspace, opened, run, parent, cut)
        first = begun(board, workflow, opened, run, parent, cut, place, changes)
        desk = desk_for(
            workflow, run, opened, changes.clock, Tape(), place,
            guarded(changes.approvals or workflow.approvals, first), board,
            parent_of(workflow, opened, first, [entry for _, entry in stored]),
        )  # fmt: skip
        desk.books.book(board.state, board.entries)
        desk.books.close(board.of_kind(Overrun))
        goal = board.of_kind("Goal")
        text = getattr(goal[0].payload, "text", "") if goal else ""
        return Run(workflow, first, text, desk, opened, owned)


def cut_at(at: int | str, stored: Sequence[tuple[Stored, Entry]], run: str) -> Cut:
    """The cut at the beginning of the turn that an entry belongs to: given by its number, by its
    address, or the turn as `turn:5`. Raises DeclarationError for what is not there."""
    entries = [entry for _, entry in stored]
    turn = turn_of(at, entries, run)
    ending = next((e.address.turn for e in entries if e.kind == Termination.kind), None)
    last = max(entry.address.turn for entry in entries)
    if turn < 1:
        raise DeclarationError(
            "turn 0 holds the goal, which a fork has in common with its parent; cut at turn:1 or"
            " later, or begin another run"
        )
    if ending is None and turn > last:
        raise DeclarationError(
            f"run {run} has come to turn {last}, which may still be open; cut at turn:{last} or"
            " earlier"
        )
    turn = turn if ending is None else min(turn, ending)
    number = next(place for place, entry in enumerate(entries) if entry.address.turn >= turn)
    return Cut(turn, number, stored)


def turn_of(at: int | str, entries: Sequence[Entry], run: str) -> int:
    """The turn that somebody means."""
    text = str(at)
    if text.isdecimal():
        if int(text) >= len(entries):
            raise DeclarationError(
                f"run {run} has no entry {text}; its entries are 0 to {len(entries) - 1}"
            )
        return entries[int(text)].address.turn
    word, colon, number = text.partition(":")
    if word == "turn" and colon and number.isdecimal():
        return int(number)
    try:
        address = Address.parse(text)
    except PayloadError:
        raise DeclarationError(
            f"{text!r} is no place to cut at; give the number of an entry, its address as in"
            " 5/coder/0.1, or turn:5"
        ) from None
    if all(entry.address != address for entry in entries):
        raise DeclarationError(f"run {run} has no entry at {text}")
    return address.turn


def begun(
    board: Board,
    workflow: "Workflow",
    journal: Journal,
    run: str,
    parent: str,
    cut: Cut,
    place: Workspace | None,
    changes: Changes,
) -> RunStarted:
    """Put the fork's first entry on its board, and then what it shares, with its turns closed."""
    shared = board_for(workflow)
    share(shared, cut.before)
    theirs = cut.started
    remember(board, journal, parent, [entry for _, entry in cut.stored])
    first = RunStarted(
        run=run,
        hive=own_version(),
        schema_version=SCHEMA_VERSION,
        workflow=changes.reference,
        overrides=changes.overrides,
        fingerprint=board.store(workflow.manifest_bytes),
        vocabulary=board.store(workflow.vocabulary_bytes),
        session=theirs.session,
        parent=parent,
        cut=cut.number,
        cut_digest=cut.before[-1][1].digest.hex(),
        elapsed=shared.state.elapsed,
        tags=changes.tags,
        workspace=None if place is None else str(place.root),
        snapshot=theirs.snapshot,
        seed=seed_for(theirs.seed, changes.sample),
    )
    board.post(Address(0, "", (0,)), COORDINATOR, first, changes.clock.now(), COORDINATOR)
    share(board, cut.before[1:], shared=True)
    return first


def share(board: Board, before: Sequence[tuple[Stored, Entry]], *, shared: bool = False) -> None:
    """Load entries onto a board and close all their turns."""
    opened: list[Entry] = list(board.entries)
    for each, _ in before:
        close = partial(close_before, board, opened)
        opened.append(board.load(each.row, each.body, after=close, shared=shared))
    close_before(board, opened, opened[-1].address.turn + 1)


def remember(board: Board, journal: Journal, run: str, entries: Sequence[Entry]) -> None:
    """Have what a fork says as its parent did keep the parent's commitments."""
    commitments: set[str | None] = set()
    for entry in entries:
        payload = entry.payload
        if isinstance(payload, RunStarted):
            commitments |= {payload.fingerprint, payload.vocabulary}
        elif isinstance(payload, Request):
            commitments |= {payload.system, payload.tools, payload.output}
    for commitment in commitments:
        body = None if commitment is None else bytes_of(journal, run, commitment)
        if commitment is not None and body is not None:
            board.remember(commitment, body)


def bytes_of(journal: Journal, run: str, commitment: str) -> bytes | None:
    """What a run or its ancestors keep under a commitment; None when unknown or erased."""
    content = content_of(journal, run, commitment)
    return None if content is None else content.body


def seed_for(seed: int, sample: int) -> int:
    """The seed of the nth fork of a run: the run's own for the first, else one drawn from both."""
    if not sample:
        return seed
    return int.from_bytes(hashlib.sha256(f"{seed}/{sample}".encode()).digest()[:6])


def rebuilt(
    folder: str | Path | None, journal: Journal, run: str, parent: str, cut: Cut
) -> Workspace | None:
    """The parent's workspace as it was at the cut, in a folder of the fork's own; None where the
    parent had none."""
    theirs = cut.started
    if theirs.workspace is None:
        if folder is not None:
            raise DeclarationError(f"run {parent} had no workspace, so that none can be rebuilt")
        return None
    content = partial(bytes_of, journal, parent)
    state = recorded_state((entry.payload for _, entry in cut.before), content)
    if state is None:
        raise JournalError(f"run {parent} does not hold how its workspace was when it began")
    source = Path(theirs.workspace)
    return rebuild(
        state,
        home_of(journal, run) if folder is None else Path(folder),
        content,
        Workspace(source) if source.is_dir() else None,
    )


def home_of(journal: Journal, run: str) -> Path:
    """Where the workspace of a fork is put: beside the journal, or in the temporary folder."""
    path: Path | None = getattr(journal, "path", None)
    if path is None:
        return Path(tempfile.mkdtemp(prefix="hive-fork-"))
    beside = path.resolve().parent
    return (beside if beside.name == ".hive" else beside / ".hive") / "forks" / run


def parent_of(
    workflow: "Workflow", journal: Journal, first: RunStarted, known: Sequence[Entry] = ()
) -> Parent | None:
    """What may be served to a run that begins so; None when it is no fork. `known` are the entries
    of its parent, where they have been read."""
    if first.parent is None or first.cut is None:
        return None
    entries = known or [
        Entry.stored(each.row, each.body, workflow.vocabulary)
        for each in read_whole(journal, first.parent)
    ]
    fingerprint = ""
    for entry in entries:
        if entry.kind in (RunStarted.kind, Resumed.kind):
            fingerprint = getattr(entry.payload, "fingerprint", None) or fingerprint
    manifest = bytes_of(journal, first.parent, fingerprint)
    budget = decode(workflow.manifest_bytes)["budget"]
    begun = entries[0].payload
    pooled = isinstance(begun, RunStarted) and begun.pool is not None  # a fork is in no pool
    return Parent(
        entries[first.cut :],
        partial(bytes_of, journal, first.parent),
        same_budget=not pooled
        and manifest is not None
        and decode(manifest).get("budget") == budget,
        fresh=bool(first.overrides.get(FRESH)),
    )


def guarded(approver: Approver, first: RunStarted) -> Approver:
    """The approver of a run that begins so: in a fork nothing leaves the machine, and nothing is
    done that cannot be undone, unless it was begun with live effects."""
    live = first.parent is None or first.overrides.get(LIVE_EFFECTS)
    return approver if live else Confined(approver)


@dataclass(frozen=True, slots=True)
class Confined:
    """An approver that keeps a fork's own calls from the world outside its workspace."""

    approver: Approver

    async def judge(self, call: ProposedCall) -> Judgement:
        """Deny what leaves the machine or cannot be undone; leave the rest to the approver."""
        if call.effect in ("egress", "irreversible") and not call.is_checkpoint:
            reason = (
                f"{call.tool} has effect {call.effect}, and the run that this one was forked from"
                " made no such call here; in a fork such calls are served from there, or not made"
            )
            return Judgement("deny", reason, "fork")
        return await self.approver.judge(call)
