"""How a recorded run is taken up again (floor 6): read back, compared, and put on its tape."""

import os
from collections import Counter
from collections.abc import Collection, Sequence
from copy import copy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hive.beginning import board_for, claimed, desk_for, drawing
from hive.board.board import Board
from hive.board.canonical import decode
from hive.board.entry import Address, Entry
from hive.board.records import Decision, Overrun, Paused, Resumed, RunStarted, Termination
from hive.board.state import begun_anew
from hive.board.tape import Tape
from hive.clock import Clock
from hive.control.budgets.pool import Pool
from hive.errors import DeclarationError, JournalError, WorkflowChanged, WorkspaceDrift
from hive.fingerprint import LASTING, differences, part_of
from hive.forking import guarded, parent_of
from hive.journal.journal import Journal
from hive.journal.lineage import content_of
from hive.journal.opening import find_run, open_journal
from hive.journal.reading import remember, restore
from hive.phases.anew import calls_made, put_aside
from hive.phases.strand import Desk
from hive.run import Run
from hive.tools.approval import Approver
from hive.tools.recorded import described, observed_calls, put_back, state_after
from hive.tools.snapshot import Contents, drift, rebuild, snapshot
from hive.tools.undo import undo_unfinished
from hive.tools.workspace import Workspace

if TYPE_CHECKING:
    from hive.workflow import Workflow

__all__ = ["ACCEPTED", "Terms", "resume"]

ACCEPTED = ("workflow", "calls", "workspace")
"""What can be accepted as other than it was: see `Workflow.resume`."""


def resume(
    workflow: "Workflow",
    run: str,
    *,
    journal: "str | Path | Journal",
    approvals: Approver | None,
    accept: str | Collection[str],
    restore: bool,
    clock: Clock,
    pool: Pool | None = None,
) -> Run:
    """A run read back from its journal; `Workflow.resume` is its door."""
    accept = {accept} if isinstance(accept, str) else set(accept)
    unknown = accept - set(ACCEPTED)
    if unknown:
        raise DeclarationError(
            f"accept={sorted(unknown)[0]!r}: there are {', '.join(map(repr, ACCEPTED))}"
        )
    opened = open_journal(journal, create=False)
    owned = opened is not journal
    try:
        run = find_run(opened, run)
    except JournalError:
        if owned:
            opened.close()
        raise
    terms = Terms(frozenset(accept), restore)
    with claimed(opened, run, owned) as lease:
        return taken_up(workflow, run, opened, owned, lease, approvals, terms, clock, pool)


class Terms(NamedTuple):
    """What may be other than on record, and whether files are put back."""

    accept: frozenset[str]
    restore: bool


def taken_up(
    workflow: "Workflow",
    run: str,
    opened: Journal,
    owned: bool,
    lease: int,
    approvals: Approver | None,
    terms: Terms,
    clock: Clock,
    pool: Pool | None,
) -> Run:
    """The run as its journal tells it. Raises JournalError when it cannot go on."""
    board = board_for(workflow)
    open_turn = restore(board, opened, run)
    remember(board, opened, run)
    board.lease = lease
    first, goal = board.entries[0].payload, board.of_kind("Goal")
    assert isinstance(first, RunStarted)
    if board.of_kind(Termination):
        raise JournalError(f"run {run} has ended; there is nothing to resume")
    check_pool(first, pool)
    turn = parted(open_turn)
    resumed = changed(workflow, board, opened, run, turn.counts, terms.accept)
    place, found = looked_at(first, board, partial(kept, opened, run), turn, terms)
    resumed = resumed.model_copy(update=found | {"accepted": resumed.accepted + found["accepted"]})
    parent = parent_of(workflow, opened, first)
    if parent is not None:
        parent.own(board.entries[board.shared + 1 :])
    desk = desk_for(
        workflow, run, opened, clock, Tape() if resumed.anew else Tape(numbered(turn)), place,
        guarded(approvals or workflow.approvals, first), board, parent, pool,
    )  # fmt: skip
    account(desk, turn, resumed.anew)
    text = getattr(goal[0].payload, "text", "") if goal else ""
    run_again = Run(workflow, first, text, desk, opened, owned, resumed)
    drawing(desk, opened, new=False)
    return run_again


def check_pool(first: RunStarted, pool: Pool | None) -> None:
    """Raise DeclarationError where a run would go on outside its pool, or in another."""
    if pool is not None:
        pool.check(first.run, first.pool)
    elif first.pool is not None:
        raise DeclarationError(
            f"run {first.run} draws on the pool {first.pool.name!r}; resume it with that (pool=…)"
        )


class OpenTurn(NamedTuple):
    """The entries of the open turn: those from before it was begun anew, and those that count."""

    gone: list[Entry]
    counts: list[Entry]


def parted(entries: list[Entry]) -> OpenTurn:
    began = begun_anew(entries)
    gone = [entry for entry in entries if entry.seq < began]
    return OpenTurn(gone, entries[len(gone) :])


def numbered(turn: OpenTurn) -> list[Entry]:
    """What counts in the open turn, its attempts numbered from where it was begun."""
    before = Counter(
        entry.address for entry in turn.gone if not isinstance(entry.payload, Paused | Resumed)
    )
    return [since(entry, before) for entry in turn.counts]


def account(desk: Desk, turn: OpenTurn, anew: bool) -> None:
    """Put on the books what was spent and granted so far, and have ready what is on record of the
    open turn, to be posted again."""
    board = desk.writer.board
    desk.books.book(board.state, board.entries)
    put_aside(desk, turn.gone)
    desk.books.close(board.of_kind(Overrun))
    if anew:  # decided anew too, with other things kept back
        desk.books.reopen(each for each in turn.counts if not isinstance(each.payload, Decision))
        return
    desk.books.reopen(turn.counts)
    desk.writer.recorded = {
        (entry.address, entry.attempt): entry
        for entry in turn.counts
        if not isinstance(entry.payload, Paused | Resumed)
    }


def changed(
    workflow: "Workflow",
    board: Board,
    journal: Journal,
    run: str,
    turn: Sequence[Entry],
    accept: Collection[str],
) -> Resumed:
    """Compare the workflow with the one on record; gives what is to be recorded on resuming, with
    what was accepted. Raises WorkflowChanged."""
    changes = changes_of(workflow, board, journal, run)
    if not changes:
        return Resumed()
    anew = any(part_of(change) not in LASTING for change in changes) and any(
        not isinstance(entry.payload, Paused | Resumed) for entry in turn
    )
    calls = calls_made(turn) if anew else ()
    said = f"run {run} was made by another workflow; it differs in:\n" + "\n".join(
        f"  {line}" for change in changes for line in change.split("\n")
    )
    if "workflow" not in accept:
        raise WorkflowChanged(said, changes, calls)
    if calls and "calls" not in accept:
        number = turn[0].address.turn
        raise WorkflowChanged(
            f"turn {number} of run {run} would be begun anew under the changed workflow, and has"
            f" made calls that may not simply be made again: {', '.join(calls)}",
            changes,
            calls,
        )
    return Resumed(
        accepted=tuple(f"workflow: {change.splitlines()[0]}" for change in changes),
        fingerprint=board.store(workflow.manifest_bytes),
        vocabulary=board.store(workflow.vocabulary_bytes),
        anew=anew,
    )


def looked_at(
    first: RunStarted, board: Board, content: Contents, turn: OpenTurn, terms: Terms
) -> tuple[Workspace | None, dict[str, Any]]:
    """The workspace, with what no result tells of undone, and what is to be recorded of it on
    resuming. Raises WorkspaceDrift when it is not as the record has it."""
    found: dict[str, Any] = {"accepted": ()}
    if first.workspace is None:
        return None, found
    root, state = Path(first.workspace), state_after(board.entries, content)
    if terms.restore and state is not None and not root.exists():
        built = rebuild(state, root, content)
        return built, {"accepted": restored(sorted(state.files, key=os.fsencode))}
    place = Workspace(root)
    gone = {entry.seq for entry in turn.gone}
    observed = observed_calls(entry for entry in board.entries if entry.seq not in gone)
    undo_unfinished(place.root, first.run, observed)
    drifts = [] if state is None else drift(state, place)
    if not drifts or state is None:
        return place, found
    if terms.restore:
        put_back(drifts, state, place, content)
        return place, {"accepted": restored([each.path for each in drifts])}
    if "workspace" not in terms.accept:
        raise WorkspaceDrift(
            f"the workspace {place.root} is not as run {first.run} left it:\n{described(drifts)}",
            drifts,
        )
    now = snapshot(place, board.store)
    return place, {
        "accepted": tuple(f"workspace: {each.path} was {each.how}" for each in drifts),
        "changes": state.changes_to(now),
        "snapshot": board.store(now.to_bytes()),
        "workspace": now.digest,
    }


def restored(paths: Sequence[str]) -> tuple[str, ...]:
    """What is recorded of paths that were put back."""
    return tuple(f"workspace: {path} was put back" for path in paths)


def kept(journal: Journal, run: str, commitment: str) -> bytes | None:
    """What a journal keeps for a run under a commitment."""
    content = content_of(journal, run, commitment)
    return None if content is None else content.body


def changes_of(workflow: "Workflow", board: Board, journal: Journal, run: str) -> list[str]:
    """In what a workflow differs from the one that the run was last under."""
    commitment = ""
    own = [entry for entry in board.of_kind(Resumed) if entry.seq > board.shared]
    for entry in (board.entries[0], *own):
        commitment = getattr(entry.payload, "fingerprint", None) or commitment
    recorded = kept(journal, run, commitment)
    if recorded is None:
        return ["manifest: it was erased, so that nothing can be compared"]
    if recorded == workflow.manifest_bytes:
        return []
    return differences(decode(recorded), decode(workflow.manifest_bytes))


def since(entry: Entry, aside: Counter[Address]) -> Entry:
    """An entry with its attempts counted from where its turn was begun anew."""
    if not aside[entry.address]:
        return entry
    again = copy(entry)
    again.attempt -= aside[entry.address]
    return again
