"""Guards on how hard the work is judged to be, and how thoroughly it is to be reviewed (control
floor).

start(solo, when=level("trivial"))
handoff(author, critics, when=review_depth(at_least="panel"))
"""

from typing import Any, cast, get_args

from pydantic import JsonValue

from hive.board.contributions import Goal
from hive.board.records import Level5, ReviewDepth
from hive.board.state import State, Tally
from hive.control.allocating.allotment import TABLE, AllocationTable
from hive.control.allocating.complexity import Estimator, RuleEstimator, judged
from hive.control.graphs.algebra import Guard
from hive.errors import DeclarationError

__all__ = ["JUDGED", "judging", "level", "review_depth"]


def judging(estimator: Estimator, table: AllocationTable) -> Tally:
    """What these guards read: the class of the work after each turn, and what a table allots it."""

    def judge(value: JsonValue, state: State) -> JsonValue:
        goal = state.latest(Goal)
        if not isinstance(goal, Goal):  # erased since; what was judged while it stood there holds
            return value
        found = judged(estimator, goal.text, state).level
        row = table[found]
        return {"level": found, "review": row.review, "checkpoint": row.checkpoint}

    return Tally("complexity", {}, lambda value, entry: value, frozenset({Goal.kind}), judge)


JUDGED = judging(RuleEstimator(), TABLE)
"""Stands in the guards; a workflow folds its own estimator and table in the place of this one."""


def level(*levels: Level5, at_least: Level5 | None = None) -> Guard:
    """Whether the work is of one of some classes as it stands, or of one from a class on.

    It is judged anew after every turn, the goal alone first, so that it can open a start. Bounds
    nothing.

    >>> print(level("trivial"), "or", ~level(at_least="complex"))
    level(trivial) or ~level(at_least=complex)
    """
    return among("level", "level", get_args(Level5), levels, at_least)


def review_depth(*depths: ReviewDepth, at_least: ReviewDepth | None = None) -> Guard:
    """Whether the work as it stands is allotted one of some depths of review, or more than one.

    The workflow's allocation table says which class of work gets which. Bounds nothing.

    >>> print(review_depth("panel", "adversarial"))
    review_depth(panel, adversarial)
    """
    return among("review_depth", "review", get_args(ReviewDepth), depths, at_least)


def among(
    what: str, key: str, known: tuple[str, ...], wanted: tuple[str, ...], least: str | None
) -> Guard:
    """A guard on a word of the judgement."""
    asked = wanted if least is None else (*wanted, least)
    if not asked or (wanted and least is not None):
        raise DeclarationError(
            f'{what}(): name what it holds for, as in {what}("{known[0]}"), or from where on, as in'
            f' {what}(at_least="{known[-2]}")'
        )
    for word in asked:
        if word not in known:
            raise DeclarationError(f"{what}({word!r}): say {', '.join(map(repr, known))}")
    holds = frozenset(wanted if least is None else known[known.index(least) :])

    def word_in(state: State) -> str | None:
        judged = cast("dict[str, Any]", state.tallies.get(JUDGED.name, JUDGED.init))
        found: str | None = judged.get(key)
        return found

    return Guard(
        f"{what}({', '.join(wanted) if least is None else f'at_least={least}'})",
        lambda state: word_in(state) in holds,
        tallies=(JUDGED,),
        loose="the work may never be judged so",
        measure=word_in,
    )
