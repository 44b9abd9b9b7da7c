"""How a run begins (floor 6): what its strands share, who may extend it, its first entry."""

import functools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from hive.board.board import Board
from hive.board.parent import Parent
from hive.board.records import RunStarted
from hive.board.tape import Tape
from hive.clock import Clock
from hive.control.budgets.books import Books
from hive.control.budgets.pool import Pool
from hive.errors import DeclarationError
from hive.journal.journal import Journal, new_run_id, own_name
from hive.journal.opening import open_journal
from hive.journal.writer import Writer, committer_for, salts
from hive.message import Media
from hive.outside import attached
from hive.phases.deadline import Deadline
from hive.phases.strand import Desk
from hive.run import Run
from hive.tools.approval import Approver
from hive.tools.snapshot import snapshot
from hive.tools.workspace import Workspace

if TYPE_CHECKING:
    from hive.workflow import Workflow

__all__ = [
    "SCHEMA_VERSION",
    "begin",
    "board_for",
    "claimed",
    "desk_for",
    "drawing",
    "own_version",
]

SCHEMA_VERSION = 1


def begin(
    workflow: "Workflow",
    goal: str,
    *,
    attachments: Iterable[str | Path | Media],
    journal: "str | Path | Journal | None",
    workspace: str | Path | None,
    seed: int | None,
    tags: tuple[str, ...],
    session: str | None,
    overrides: dict[str, JsonValue],
    reference: str,
    approvals: Approver | None,
    clock: Clock,
    pool: Pool | None,
) -> Run:
    """A new run; `Workflow.start` is its door."""
    handed = attached(attachments)
    place = None if workspace is None else Workspace(Path(workspace))
    opened = open_journal(journal)
    run = new_run_id()
    desk = desk_for(workflow, run, opened, clock, Tape(), place, approvals, pool=pool)
    keep = desk.writer.keep
    first = RunStarted(
        run=run,
        hive=own_version(),
        schema_version=SCHEMA_VERSION,
        workflow=reference,
        overrides=overrides,
        fingerprint=keep(workflow.manifest_bytes),
        vocabulary=keep(workflow.vocabulary_bytes),
        session=session,
        tags=tags,
        workspace=None if place is None else str(place.root),
        snapshot=None if place is None else keep(snapshot(place, keep).to_bytes()),
        seed=int.from_bytes(salts(6)) if seed is None else seed,
        pool=None if pool is None else pool.drawn,
    )
    owned = opened is not journal
    with claimed(opened, run, owned) as lease:
        desk.writer.board.lease = lease
        begun = Run(workflow, first, goal, desk, opened, owned, attachments=handed)
        drawing(desk, opened, new=journal is None)
        return begun


@contextmanager
def claimed(journal: Journal, run: str, owned: bool) -> Iterator[int]:
    """Hold a run, with the token that its entries carry from now on, and give everything up again
    if what follows fails. Raises RunHeld when somebody else holds it."""
    try:
        lease = journal.hold(run, own_name())
        try:
            yield lease
        except BaseException:
            journal.release(run)
            raise
    except BaseException:
        if owned:
            journal.close()
        raise


@functools.cache
def own_version() -> str:
    """The version of Hive that is at work."""
    return version("hive-blackboard")


def desk_for(
    workflow: "Workflow",
    run: str,
    journal: Journal,
    clock: Clock,
    tape: Tape,
    workspace: Workspace | None,
    approvals: Approver | None,
    board: Board | None = None,
    parent: Parent | None = None,
    pool: Pool | None = None,
) -> Desk:
    """What a run's strands share. Raises DeclarationError for what is no Pool."""
    if not isinstance(pool, Pool | None):
        raise DeclarationError(
            f"pool={pool!r}: give a Pool, such as Pool('nightly', Budget(usd=5))"
        )
    board = board or board_for(workflow)
    share = None if pool is None else pool.share(run)
    return Desk(
        writer=Writer(run, board, committer_for(journal), clock),
        tape=tape,
        limits=workflow.limits,
        approver=approvals or workflow.approvals,
        books=Books(workflow.budget, None if share is None else share.scope),
        deadline=Deadline(workflow.limits.call_seconds),
        workspace=workspace,
        in_doubt=workflow.in_doubt,
        parent=parent,
        share=share,
    )


def drawing(desk: Desk, journal: Journal, *, new: bool) -> None:
    """Have a run count in its pool, where it draws on one. `new` says that its journal holds
    nothing else. Raises PoolHeld when another process draws on the pool."""
    share = desk.share
    if share is None:
        return
    if not new:
        share.pool.read(journal)
    share.draw(desk.books, desk.writer, journal)


def board_for(workflow: "Workflow") -> Board:
    """An empty board that speaks a workflow's words."""
    return Board(
        workflow.vocabulary,
        salts=salts,
        writers=workflow.writers,
        readable=workflow.readable,
        folding=workflow.folding,
    )
