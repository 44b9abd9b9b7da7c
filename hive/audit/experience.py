"""What runs of a workflow have come to before (floor 7), read from a journal: what `hive plan`
expects a run to cost."""

from collections.abc import Collection, Sequence
from itertools import islice
from math import sqrt
from typing import NamedTuple

from hive.audit.course import Summary, summaries
from hive.board.canonical import decode
from hive.board.records import Decision, Level5
from hive.errors import JournalError, PayloadError
from hive.journal.journal import Journal
from hive.journal.lineage import read_whole

__all__ = ["NEWEST", "Experience", "Past", "experience", "past_runs"]

NEWEST = 50
"""How many runs are looked at, the newest."""


class Past(NamedTuple):
    """A run that finished: what it came to, the class of its goal, and who was in its chairs."""

    summary: Summary
    level: Level5
    models: frozenset[str]


class Experience(NamedTuple):
    """What some runs came to: nano-dollars, turns and microseconds."""

    runs: int
    level: Level5 | None
    """The class of the goals of all of them; None where they are of several."""
    cost: int
    """On average."""
    spread: int | None
    """The standard deviation of the costs; None of one run."""
    least: int
    most: int
    turns: float
    elapsed: int


def experience(past: Sequence[Past], level: Level5, minds: Collection[str]) -> Experience | None:
    """What is to be expected of a run on work of a class, in whose chairs none but some minds sit.

    By runs in which nobody else sat; by those on work of the class where there are some, else by
    all. None where there is no such run.
    """
    same = [run for run in past if run.models <= set(minds)]
    alike = [run for run in same if run.level == level]
    counted = alike or same
    if not counted:
        return None
    number = len(counted)
    costs = [run.summary.spent for run in counted]
    mean = sum(costs) / number
    spread = None
    if number > 1:
        spread = round(sqrt(sum((cost - mean) ** 2 for cost in costs) / (number - 1)))
    return Experience(
        runs=number,
        level=level if alike else None,
        cost=round(mean),
        spread=spread,
        least=min(costs),
        most=max(costs),
        turns=sum(run.summary.turns for run in counted) / number,
        elapsed=round(sum(run.summary.elapsed for run in counted) / number),
    )


def past_runs(journal: Journal, names: Collection[str], newest: int = NEWEST) -> list[Past]:
    """The finished runs of a workflow, by the names it was run under, the newest first. Forks are
    left out, since they share what another run has cost; so is what cannot be read."""
    finished = (
        summary
        for summary in summaries(journal, states=("finished",))
        if summary.workflow in names and summary.parent is None
    )
    found = (past for summary in finished if (past := taken(journal, summary)) is not None)
    return list(islice(found, newest))


def taken(journal: Journal, summary: Summary) -> Past | None:
    level: Level5 | None = None
    models: set[str] = set()
    try:
        for stored in read_whole(journal, summary.id):
            if stored.body is None or decode(stored.row.header)["kind"] != Decision.kind:
                continue
            said = decode(stored.body)
            models |= {plan["model"] for plan in said["strands"]}
            if said["strands"] and level is None:
                level = said["complexity"]["level"]
    except (JournalError, PayloadError, LookupError, TypeError):
        return None
    return None if level is None else Past(summary, level, frozenset(models))
