"""`hive check`: verify a team before anything is spent."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from hive.cli import options
from hive.cli.exits import FAILED, OK
from hive.cli.loading import BadTeam, load
from hive.cli.overrides import Settled, asked
from hive.cli.seats import seats
from hive.cli.words import counted, money
from hive.control.budgets.budget import MEASURES, Budget
from hive.control.guards.watch import Watch
from hive.errors import DeclarationError, GraphError, HiveError
from hive.forecast import Forecast, forecast
from hive.models.model import check as check_model
from hive.models.wrappers.steady import steady
from hive.workflow import Workflow

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["check"]


@click.command()
@click.argument("workflow")
@options.models
@options.prefer
@options.as_json
def check(workflow: str, models: tuple[str, ...], prefer: str | None, as_json: bool) -> int:
    """Verify the team WORKFLOW: roles, handoffs, bounds, models and limits. Nothing is run.

    Ends with 1 and the path of roles that proves it when the team could not work.

    \b
    --json prints one object with the keys
      ok, problem (null when ok), path (roles that prove the problem),
      flaws (all that is wrong with a graph: code, message, path),
      name, roles (name, reads, writes, tools, per, tier), edges,
      plan_rule (what becomes of tasks that fail, or null), bounds (added to a chain),
      watches (what is tried with a run that gets no further),
      at_most (turns, usd, usd_uncapped, unbounded: why one of them is null),
      seats (role, model, why, source), budget, limits, policy, allocator,
      missing (what models lack)
    """
    overrides = asked(models, prefer=prefer)
    try:
        settled = overrides.settled(load(workflow), workflow)
    except BadTeam as error:
        if not isinstance(error.cause, DeclarationError):
            raise
        return refused(workflow, error.cause, error.message, as_json)
    except DeclarationError as error:
        return refused(workflow, error, str(error), as_json)
    if as_json:
        json.dump(checked_json(settled), sys.stdout)
        print()
    else:
        tell(workflow, settled)
    return OK


def refused(workflow: str, error: DeclarationError, message: str, as_json: bool) -> int:
    """Say what keeps a team from working: of a graph, all that is wrong with it."""
    flaws = error.flaws if isinstance(error, GraphError) else ()
    if as_json:
        path = list(flaws[0].path) if flaws else []
        found = [flaw._asdict() for flaw in flaws]
        json.dump({"ok": False, "problem": message, "path": path, "flaws": found}, sys.stdout)
        print()
        return FAILED
    click.echo(f"✗ {workflow} cannot work: {message}")
    for number, flaw in enumerate(flaws):
        if number:
            click.echo(f"✗ {flaw.message}")
        if flaw.path:
            click.echo(f"  the path that proves it: {' → '.join(flaw.path)}")
    if any(flaw.path for flaw in flaws):
        click.echo(f"  hive graph {workflow} draws it")
    return FAILED


def missing(team: Workflow) -> list[str]:
    """What would keep its models from being asked, a missing key above all."""
    found = []
    for given in dict.fromkeys(team.needed.values()):
        try:
            check_model(steady(given) if isinstance(given, str) else given)
        except HiveError as error:
            found.append(str(error))
    return found


def checked_json(settled: Settled) -> dict[str, Any]:
    """The documented JSON of a team that can work."""
    team = settled.workflow
    return {
        "ok": True,
        "problem": None,
        "path": [],
        "flaws": [],
        "name": team.name,
        "roles": [
            {
                "name": role.name,
                "reads": None if role.reads is None else [cls.kind for cls in role.reads],
                "writes": [cls.kind for cls in role.writes],
                "tools": [tool.name for tool in role.tools],
                "per": None if role.per is None else role.per.kind,
                "tier": role.tier,
            }
            for role in team.roles.values()
        ],
        "edges": [str(edge) for edge in team.graph.edges],
        "plan_rule": None if team.graph.plan_rule is None else str(team.graph.plan_rule),
        "bounds": list(team.bounds),
        "watches": [str(watch) for watch in team.watches],
        "at_most": at_most_json(forecast(team)),
        "seats": [seat.as_json() for seat in seats(settled)],
        "budget": caps_json(team.budget),
        "limits": asdict(team.limits),
        "policy": team.policy.name,
        "allocator": type(team.allocator).__name__,
        "missing": missing(team),
    }


def caps_json(budget: Budget) -> dict[str, Any]:
    """The caps of a budget; those of `call`, `strand` and `roles` only where there are some."""
    caps = {name: as_number(getattr(budget, name)) for name in MEASURES}
    within = {"call": budget.call, "strand": budget.strand}
    caps |= {name: caps_json(inner) for name, inner in within.items() if inner is not None}
    if budget.roles:
        caps["roles"] = {role: caps_json(own) for role, own in budget.roles.items()}
    return caps


def as_number(cap: Any) -> Any:
    return cap if cap is None or isinstance(cap, int) else float(cap)


def caps_in_words(budget: Budget, where: str = "") -> list[str]:
    """The caps of a budget, each with what it holds for where that is not the run."""
    caps = {name: getattr(budget, name) for name in MEASURES}
    said = [f"{where}{name} {cap}" for name, cap in caps.items() if cap is not None]
    within = {"a call: ": budget.call, "a strand: ": budget.strand}
    within |= {f"{role}: ": own for role, own in budget.roles.items()}
    for level, inner in within.items():
        said += caps_in_words(inner, f"{where}{level}") if inner is not None else []
    return said


def tell(written: str, settled: Settled) -> None:
    """Print what a team is, in the order in which one asks."""
    from hive.cli.printing import console_for, said, table

    team = settled.workflow
    console = console_for()
    verified = "every role is reached and can reach an end, and every cycle is bounded"
    said(console, f"✓ {written} can work: {verified}.")
    section(console, "roles", [(role.name, in_words(role)) for role in team.roles.values()])
    section(console, "handoffs", [(edge.text, "") for edge in team.graph.edges])
    rule = team.graph.plan_rule
    if rule is not None:
        section(console, "tasks that fail", [(rule.text, "")])
    if team.bounds:
        added = "; a chain has no bounds of its own, so these stops were added"
        section(console, "bounds", [(" | ".join(team.bounds), added.removeprefix("; "))])
    if team.watches:
        section(console, "watches", [(watch.guard.name, in_turns(watch)) for watch in team.watches])
    console.print()
    said(console, "models", style="bold")
    rows = [(seat.role, seat.model, f"{seat.why}; {seat.source}") for seat in seats(settled)]
    table(console, ("role", "model", "why, and who says so"), rows)
    section(console, "limits", limits(team))
    section(console, "at most", at_most(forecast(team)))
    lacking = missing(team)
    if lacking:
        section(console, "not yet", [(text, "") for text in lacking])


def in_turns(watch: Watch) -> str:
    """What is done where a watch's guard holds."""
    after = counted(watch.patience, "turn")
    return f"a nudge; {after} later another way; {after} after that the run is stopped"


def at_most(worst: Forecast) -> list[tuple[str, str]]:
    """What a run can come to."""
    turns = "unbounded" if worst.turns is None else str(worst.turns)
    cost = "unbounded" if worst.cost is None else money(worst.cost)
    if worst.uncapped is not None and worst.uncapped != worst.cost:
        cost += f", its budget; {money(worst.uncapped)} without that"
    rows = [("turns", turns), ("cost", cost)]
    return rows + [("unbounded by", f"{why}") for why in worst.unbounded]


def at_most_json(worst: Forecast) -> dict[str, Any]:
    usd = {"usd": worst.cost, "usd_uncapped": worst.uncapped}
    return {
        "turns": worst.turns,
        **{key: None if nano is None else nano / 10**9 for key, nano in usd.items()},
        "unbounded": list(worst.unbounded),
    }


def section(console: "Console", name: str, rows: list[tuple[str, str]]) -> None:
    from hive.cli.printing import pairs, said

    console.print()
    said(console, name, style="bold")
    pairs(console, rows)


def in_words(role: Any) -> str:
    """What a role may do."""
    reads = "reads everything"
    if role.reads is not None:
        reads = f"reads {', '.join(cls.kind for cls in role.reads) or 'the goal'}"
    parts = [reads, f"writes {', '.join(cls.kind for cls in role.writes)}"]
    if role.tools:
        parts.append(f"may call {', '.join(f'{t.name} ({t.effect})' for t in role.tools)}")
    if role.per is not None:
        parts.append(f"one strand per {role.per.kind}")
    if role.person:
        parts.append("is a person")
    return "; ".join(parts)


def limits(team: Workflow) -> list[tuple[str, str]]:
    """Caps of the run and bounds of a turn."""
    budget = ", ".join(caps_in_words(team.budget)) or "none"
    bounds = ", ".join(
        f"{value:g} {key.replace('_', ' ')}" for key, value in asdict(team.limits).items()
    )
    return [
        ("budget", budget),
        ("a turn", bounds),
        ("who acts", team.policy.name),
        ("with what", type(team.allocator).__name__),
    ]
