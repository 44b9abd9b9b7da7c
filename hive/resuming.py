"""How a recorded run is taken up again (floor 6): read back, compared, and put on its tape."""

from pathlib import Path
from typing import TYPE_CHECKING

from hive.beginning import board_for, claimed, desk_for
from hive.board.records import Paused, Resumed, RunStarted, Termination
from hive.board.tape import Tape
from hive.clock import Clock
from hive.errors import JournalError
from hive.fingerprint import check_fingerprint
from hive.journal.journal import Journal
from hive.journal.opening import find_run, open_journal
from hive.journal.reading import remember, restore
from hive.run import Run
from hive.tools.approval import Approver
from hive.tools.workspace import Workspace

if TYPE_CHECKING:
    from hive.workflow import Workflow

__all__ = ["resume"]


def resume(
    workflow: "Workflow",
    run: str,
    *,
    journal: "str | Path | Journal",
    approvals: Approver | None,
    clock: Clock,
) -> Run:
    """A run read back from its journal; `Workflow.resume` is its door."""
    opened = open_journal(journal, create=False)
    owned = opened is not journal
    try:
        run = find_run(opened, run)
    except JournalError:
        if owned:
            opened.close()
        raise
    with claimed(opened, run, owned) as lease:
        again = taken_up(workflow, run, opened, owned, approvals, clock)
        again.board.lease = lease
        return again


def taken_up(
    workflow: "Workflow",
    run: str,
    opened: Journal,
    owned: bool,
    approvals: Approver | None,
    clock: Clock,
) -> Run:
    """The run as its journal tells it. Raises JournalError when it cannot go on."""
    board = board_for(workflow)
    open_turn = restore(board, opened, run)
    remember(board, opened, run)
    first, goal = board.entries[0].payload, board.of_kind("Goal")
    assert isinstance(first, RunStarted)
    if board.of_kind(Termination):
        raise JournalError(f"run {run} has ended; there is nothing to resume")
    check_fingerprint(workflow, first, opened, run)
    desk = desk_for(
        workflow, run, opened, clock, Tape(open_turn),
        None if first.workspace is None else Workspace(Path(first.workspace)),
        approvals, board,
    )  # fmt: skip
    desk.writer.recorded = {
        (entry.address, entry.attempt): entry
        for entry in open_turn
        if not isinstance(entry.payload, Paused | Resumed)
    }
    desk.scope.book(board.state.spent, board.state.tokens, board.state.calls)
    text = getattr(goal[0].payload, "text", "") if goal else ""
    return Run(workflow, first, text, desk, opened, owned)
