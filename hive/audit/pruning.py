"""Removing whole runs that nobody needs any more (floor 7).

What is under way, waits for somebody or is shared by a fork that stays is never removed by a rule.
"""

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from hive.audit.archive import ancestry, unknown_beginnings
from hive.audit.course import Summary, summaries
from hive.journal.journal import Journal
from hive.tools.undo import forget

__all__ = ["Choice", "Stays", "choose", "perhaps_sharing", "sweep"]


class Choice(NamedTuple):
    """Which runs are to go: all conditions that are given must hold.

    `ids` are runs that are named, and go in whatever state they are but under way; `before` is a
    time (microseconds) since which nothing has happened in them; `keep` is how many of those that
    fit stay, the newest. A run that cannot be read goes only where it is named, and stays where a
    condition cannot be told to hold.
    """

    ids: Collection[str] = ()
    before: int | None = None
    keep: int = 0
    states: Collection[str] = ()
    tags: Collection[str] = ()

    def fits(self, run: Summary) -> bool:
        """Whether a run is one of those meant."""
        if run.state == "unreadable" and self.before is not None:
            return False
        last = run.started + run.elapsed
        return (
            (not self.ids or run.id in self.ids)
            and (self.before is None or last < self.before)
            and (not self.states or run.state in self.states)
            and set(self.tags) <= set(run.tags)
        )


class Stays(NamedTuple):
    """A run that fits and stays all the same, and why."""

    run: Summary
    why: str


def choose(journal: Journal, choice: Choice) -> tuple[list[Summary], list[Stays]]:
    """The runs of a journal that a choice lets go, newest first, and those that must stay."""
    fit = [run for run in summaries(journal) if choice.fits(run)]
    newest = {run.id for run in [run for run in fit if run.state != "unreadable"][: choice.keep]}
    fit = [run for run in fit if run.id not in newest]
    stays = [Stays(run, why) for run in fit if (why := needed(journal, run, choice))]
    going = {run.id for run in fit} - {each.run.id for each in stays}
    children = forks(journal)
    while shared := {run: kept[0] for run in going if (kept := staying(children, run, going))}:
        going -= shared.keys()
        stays += [
            Stays(run, f"run {shared[run.id]}, a fork that stays, shares its entries")
            for run in fit
            if run.id in shared
        ]
    return [run for run in fit if run.id in going], stays


def needed(journal: Journal, run: Summary, choice: Choice) -> str:
    """Why a run may not go though it fits; "" when it may."""
    holder = journal.holder(run.id)
    if holder is not None:
        return f"{holder.name} holds it"
    if run.state == "unreadable" and run.id not in choice.ids:
        return "it cannot be read; name it by its id to remove it"
    if not run.ended and run.id not in choice.ids:
        return f"it is {run.state} and can still go on; name it by its id to remove it"
    return ""


def perhaps_sharing(journal: Journal, going: Collection[str]) -> list[str]:
    """The runs that stay and of which nobody can tell whether they share entries of those that go,
    for where they came from cannot be read."""
    return [run for run in unknown_beginnings(journal) if going and run not in going]


def sweep(journal: Journal, gone: Sequence[Summary]) -> None:
    """Remove what runs that are gone have left in folders: what it takes to undo their calls, and
    the workspace that was made for a fork, unless another run works there."""
    used = {run.workspace for run in summaries(journal)} if gone else set()
    for run in gone:
        if run.workspace is None:
            continue
        place = Path(run.workspace)
        forget(place, run.id)
        made = place.parts[-3:] == (".hive", "forks", run.id)
        if made and run.parent is not None and run.workspace not in used:
            shutil.rmtree(place, ignore_errors=True)


def forks(journal: Journal) -> dict[str, list[str]]:
    """Every run that others were forked from, with all that share entries of it."""
    found: dict[str, list[str]] = {}
    for run in journal.runs():
        for ancestor in ancestry(journal, run)[:-1]:
            found.setdefault(ancestor, []).append(run)
    return found


def staying(children: dict[str, list[str]], run: str, going: Collection[str]) -> Sequence[str]:
    """The forks of a run that stay."""
    return [fork for fork in children.get(run, ()) if fork not in going]
