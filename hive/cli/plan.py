"""`hive plan`: what a team would do with a goal, and what that costs, before a cent is spent."""

import json
import sys
from typing import Any

import click

from hive.audit.experience import Experience, experience, past_runs
from hive.cli import options
from hive.cli.check import at_most, at_most_json, refused, section
from hive.cli.exits import FAILED, OK
from hive.cli.journals import is_there, opened
from hive.cli.loading import BadTeam, load
from hive.cli.overrides import Settled, asked
from hive.cli.seats import reason
from hive.cli.words import counted, duration, money
from hive.control.allocating.allocation import Allocation
from hive.control.allocating.complexity import LEVELS
from hive.control.allocating.escalation import Escalation
from hive.errors import DeclarationError
from hive.prospect import Prospect, Seated, prospect
from hive.team import program_name

__all__ = ["plan"]

DEPTHS = {
    "none": "none",
    "single": "one, where the graph offers it",
    "panel": "three, blind to each other, where the graph offers it",
    "adversarial": "three, blind to each other, and a devil's advocate, where the graph offers it",
    "exhaustive": "by everybody until nothing new is found, where the graph offers it",
}
UNKNOWN = "not known: no finished run of it with these models is on record"


@click.command()
@click.argument("workflow")
@click.argument("goal")
@options.models
@options.prefer
@options.caps
@options.journal
@options.as_json
def plan(
    workflow: str,
    goal: str,
    models: tuple[str, ...],
    prefer: str | None,
    budget: str | None,
    seconds: float | None,
    turns: int | None,
    journal: str,
    as_json: bool,
) -> int:
    """Say what the team WORKFLOW would do with a GOAL, and what that costs. Nothing is run.

    How hard the work is judged to be, and by what; what such work is given; who can act, with which
    model; what runs of the team have cost before; and the most that this one can cost. Ends with 1
    for a team that could not work, and for a goal that no move is allowed for.

    \b
    --json prints one object with the keys
      ok, goal, complexity (level, score, probabilities, signals, uncertainty),
      assessor (who is asked first how hard the work is, or null),
      allotted (strands, review, checkpoint), first (move, edge, probability),
      lacking (why no move is allowed, or null),
      roles (role, turn: the first in which it can act,
             models: key, model, tier, probability (null of a rung to climb to), why,
             source),
      unreached (roles that cannot act from here), way (a shortest one to a finish),
      expected (by: runs, figures or null; usd, spread, least, most, turns, seconds,
                runs, level; null where that is not known),
      at_most (turns, usd, usd_uncapped, unbounded)
    """
    caps = {"usd": budget, "seconds": seconds, "turns": turns}
    overrides = asked(models, prefer=prefer, **caps)
    try:
        settled = overrides.settled(load(workflow), workflow)
        found = prospect(settled.workflow, goal)
    except BadTeam as error:
        if not isinstance(error.cause, DeclarationError):
            raise
        return refused(workflow, error.cause, error.message, as_json)
    except DeclarationError as error:
        return refused(workflow, error, str(error), as_json)
    before = known(settled, workflow, journal, found)
    if as_json:
        json.dump(planned_json(settled, goal, found, before), sys.stdout)
        print()
    else:
        tell(settled, found, before)
    return OK if found.first else FAILED


def known(settled: Settled, written: str, journal: str, found: Prospect) -> Experience | None:
    """What runs of the team have come to before, where a journal holds some."""
    if not is_there(journal):
        return None
    team = settled.workflow
    programs = [program_name(role) for role in team.roles.values() if not role.asks_model]
    names = {written} | ({team.name} - {"workflow"})
    with opened(journal) as kept:
        past = past_runs(kept, names)
    return experience(past, found.complexity.level, {*found.takes, *programs})


def planned_json(
    settled: Settled, goal: str, found: Prospect, before: Experience | None
) -> dict[str, Any]:
    """The documented JSON."""
    judged = found.complexity
    return {
        "ok": bool(found.first),
        "goal": goal,
        "complexity": {
            **judged.model_dump(mode="json"),
            "probabilities": dict(zip(LEVELS, judged.probabilities, strict=False)),
        },
        "assessor": found.assessor,
        "allotted": {
            "strands": found.strands,
            "review": found.allotted.review,
            "checkpoint": found.allotted.checkpoint,
        },
        "first": [
            {"move": one.move.name, "edge": one.move.edge, "probability": one.probability}
            for one in found.first
        ],
        "lacking": found.lacking or None,
        "roles": [
            {"role": one.role.name, "turn": one.turn, "models": seats(settled, found, one)}
            for one in found.seated
        ],
        "unreached": list(found.unreached),
        "way": list(found.way),
        "expected": expected_json(found, before),
        "at_most": at_most_json(found.at_most),
    }


def expected_json(found: Prospect, before: Experience | None) -> dict[str, Any]:
    """What a run is expected to come to, and by what."""
    said: dict[str, Any] = dict.fromkeys(
        ("by", "usd", "spread", "least", "most", "turns", "seconds", "runs", "level")
    )
    if before is not None:
        costs = {"usd": before.cost, "spread": before.spread}
        costs |= {"least": before.least, "most": before.most}
        return {
            **said,
            "by": "runs",
            **{key: None if cost is None else cost / 10**9 for key, cost in costs.items()},
            "turns": before.turns,
            "seconds": before.elapsed / 10**6,
            "runs": before.runs,
            "level": before.level,
        }
    if found.by_figures is not None:
        return {**said, "by": "figures", "usd": found.by_figures / 10**9, "turns": len(found.way)}
    return said


def seats(settled: Settled, found: Prospect, one: Seated) -> list[dict[str, Any]]:
    """What a role may get, and who says so."""
    if not one.role.asks_model:
        said = {"key": None, "model": program_name(one.role), "tier": None, "probability": 1}
        why = "a person acts" if one.role.person else "the role is a program"
        return [{**said, "why": why, "source": "the workflow"}]
    begun = [
        (each.model, each.tier, each.probability, why_of(settled, found, one, each))
        for each in one.models
    ]
    climbed = [
        (key, key, None, f"{rung(settled, key)}where there is doubt in its work")
        for key in one.higher
    ]
    return [
        {
            "key": key,
            "model": found.names[key],
            "tier": tier,
            "probability": probability,
            "why": why,
            "source": settled.sources.get(key, "the workflow"),
        }
        for key, tier, probability, why in (*begun, *climbed)
    ]


def why_of(settled: Settled, found: Prospect, one: Seated, allocation: Allocation) -> str:
    """Why a role gets a model."""
    level, allocator = found.complexity.level, settled.workflow.allocator
    begins = isinstance(allocator, Escalation) and allocator.within is None
    why = allocation.because or reason(one.role, allocation, [level])
    if one.higher and begins:
        why = "it begins here"
    elif allocation.options and not allocation.because:
        why = f"the preference for {level} work"
    return (rung(settled, allocation.model) if one.higher else "") + why


def rung(settled: Settled, key: str) -> str:
    """Which rung of the ladder a model is."""
    rungs: tuple[str, ...] = getattr(settled.workflow.allocator, "rungs", ())
    return f"rung {rungs.index(key) + 1} of {len(rungs)}: " if key in rungs else ""


def tell(settled: Settled, found: Prospect, before: Experience | None) -> None:
    """Print what would be done, in the order in which one asks."""
    from hive.cli.printing import console_for, said, table

    console = console_for()
    judged = found.complexity
    said(console, f"{judged.level} work{likely(found)}", style="bold")
    rows = [
        (name, off(judged.signals.get(name), judged.uncertainty.get(name)))
        for name in dict.fromkeys((*judged.signals, *judged.uncertainty))
    ]
    section(console, f"judged by (score {judged.score:g})", rows)
    if found.assessor is not None:
        text = f"{found.assessor} is asked first how hard the work is, and may say otherwise"
        said(console, text, indent=2)
    section(console, "given", given(found))
    if found.lacking:
        section(console, "who may act", [(found.lacking, "")])
    else:
        section(console, "first", [(one.move.edge, chance(one.probability)) for one in found.first])
        if found.way:
            said(console, f"the shortest way: {' → '.join(found.way)} → finish", indent=2)
        console.print()
        said(console, "who may act from here", style="bold")
        table(
            console, ("role", "from turn", "model", "why, and who says so"), rows_of(settled, found)
        )
    if found.unreached:
        said(console, f"not from here: {', '.join(found.unreached)}", indent=2)
    section(console, "cost", costs(found, before))


def likely(found: Prospect) -> str:
    """The chances of the classes, but for those that have none to speak of."""
    chances = zip(LEVELS, found.complexity.probabilities, strict=False)
    told = [f"{level} {value:.0%}" for level, value in chances if value >= 0.005]
    return f" ({', '.join(told)})" if told else ""


def off(signal: float | None, spread: float | None) -> str:
    value = "not known yet" if signal is None else f"{signal:+g}"
    return value if spread is None else f"{value} ± {spread:g}"


def given(found: Prospect) -> list[tuple[str, str]]:
    """What such work is allotted."""
    row = found.allotted
    ask = "asked before anything outside the board is touched" if row.checkpoint else "not asked"
    side = counted(found.strands, "strand") + (" beside each other" if row.parallel else "")
    return [
        ("entries that wait", f"at most {side} in a turn"),
        ("review", DEPTHS[row.review]),
        ("a person", ask),
    ]


def chance(probability: float | None) -> str:
    if probability is None:
        return "an advisor is asked"
    return "" if probability == 1 else f"p={probability:.3g}"


def rows_of(settled: Settled, found: Prospect) -> list[tuple[str, str, str, str]]:
    """Who may act, with each model that they may get."""
    rows = []
    for one in found.seated:
        for seat in seats(settled, found, one):
            drawn = "" if seat["probability"] in (1, None) else f", p={seat['probability']:.3g}"
            why = f"{seat['why']}{drawn}; {seat['source']}"
            rows.append((one.role.name, str(one.turn), seat["model"], why))
    return rows


def costs(found: Prospect, before: Experience | None) -> list[tuple[str, str]]:
    """What is expected, by what, and the most that it can be."""
    bounds = at_most(found.at_most)
    most = [(what if what == "unbounded by" else f"at most, {what}", said) for what, said in bounds]
    return [("expected", expected(found, before)), *most]


def expected(found: Prospect, before: Experience | None) -> str:
    """What a run is expected to come to, and by what."""
    if before is not None:
        spread = "" if before.spread is None else f" ± {money(before.spread)}"
        kind = "" if before.level is None else f" on {before.level} work"
        runs = f"mean of {counted(before.runs, 'finished run')} of it{kind} on record"
        ends = f"{money(before.least)} to {money(before.most)}"
        took = f"{before.turns:.3g} turns, {duration(before.elapsed)}"
        return f"{money(before.cost)}{spread}: {runs}, {ends}; {took}{beyond(found, before.cost)}"
    if found.by_figures is not None:
        way, cost = " → ".join(found.way), found.by_figures
        return f"{money(cost)} by the figures, if it goes {way} and no further{beyond(found, cost)}"
    return UNKNOWN


def beyond(found: Prospect, cost: int) -> str:
    """That a run may not cost what is expected of it, where that is so."""
    most = found.at_most.cost
    return "; more than it may cost" if most is not None and cost > most else ""
