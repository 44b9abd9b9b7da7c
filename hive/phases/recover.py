"""What becomes of failed tasks (floor 5): the graph's rule for them, before a turn is closed."""

from collections.abc import Sequence

from hive.board.board import COORDINATOR, Board
from hive.board.contributions import TaskChange
from hive.board.entry import Address
from hive.board.tasks import ends_of
from hive.control.patterns.planrule import PlanRule, rulings
from hive.phases.strand import Desk

__all__ = ["recover"]

RULED = 6
"""Where in the coordinator's own strand the changes stand."""


def recover(desk: Desk, rule: PlanRule, turn: int, strands: Sequence[str]) -> None:
    """Post what the rule makes of the tasks that have failed by the end of a turn, whose strands
    are in the order of their decision."""
    board = desk.writer.board
    if not may_have_failed(board, rule, turn, strands):
        return
    # Without what stands there already: a run that is taken up again rules as it did before.
    state = board.foreseen(strands, RULED)
    for number, ruling in enumerate(rulings(rule, state, board)):
        address = Address(turn, "", (RULED, number))
        entry = desk.writer.post(
            address, COORDINATOR, ruling.change, COORDINATOR, (ruling.because,), ruling.label
        )
        if ruling.task is not None:
            below = address._replace(place=(RULED, number, 2))
            desk.writer.post(
                below, COORDINATOR, ruling.task, COORDINATOR, (str(entry.address),), ruling.label
            )


def may_have_failed(board: Board, rule: PlanRule, turn: int, strands: Sequence[str]) -> bool:
    """Whether it is worth the while to look: not where all that was taken up went well."""
    if board.state.tasks and any(rule.concerns(known) for known in board.state.plan.values()):
        return True
    changes = board.of_kind(TaskChange)
    if changes and changes[-1].turn == turn:
        return True
    taken = [strand for strand in strands if "@" in strand]
    ends = ends_of(board.open_turn, taken).values() if taken else ()
    return any(end.fault or not end.said for end in ends)
