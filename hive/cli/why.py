"""`hive why`: what a decision was made of, in numbers."""

import json
import sys
from collections.abc import Iterable, Mapping

import click
from rich.console import Console
from rich.text import Text

from hive.audit.reasons import Call, Otherwise, Seat, Why, deciding_turns
from hive.audit.reasons import why as explain
from hive.audit.record import Record
from hive.board.records import Allotted, Complexity, Decision
from hive.cli import options
from hive.cli.exits import OK, Mistake
from hive.cli.journals import opened, record_of
from hive.cli.printing import console_for, said
from hive.cli.transcript import chosen_by, weighed
from hive.cli.words import counted, money, number

__all__ = ["why"]

NEWEST = "last"
UNWEIGHED = "no models were weighed: what another preference would take is not on record"
LADDER = "an escalation ladder gave it, and no preference: another one would take the same"


@click.command()
@click.argument("run", default=NEWEST)
@click.argument("turn", default=NEWEST)
@click.option(
    "--prefer",
    "preferences",
    multiple=True,
    metavar="HOW",
    help="A further preference to compare with: cost=3,accuracy=1; may be repeated.",
)
@options.journal
@options.as_json
def why(run: str, turn: str, preferences: tuple[str, ...], journal: str, as_json: bool) -> int:
    """Say why turn TURN of RUN was as it was: a number, or "last" for the last decision.

    It tells the moves that were allowed with their scores, what went into these, and their
    probabilities; how hard the work was judged to be and by which signals; the model of each
    strand, among which it was weighed, what was reserved for its calls and what they came to; and
    which of these models another preference would have taken.

    \b
    --json prints one object: run, turn, address, policy, reason, deterministic, features,
    complexity, allotted, ending, candidates (strands, score, probability, parts, chosen), nudge,
    advisors, advice, consulted (strand, calls), shortage, overruns, and strands, a list of objects
    with the keys
      strand, role, cause, sample, model, key, tier, probability, because,
      reserved_usd, reserved_tokens (kept back for its first call), refused,
      options (key, model, probability, score, ruled_out, accuracy, usd, seconds),
      calls (address, model, granted_usd, granted_tokens, cost_usd, tokens, fault),
      otherwise (preference, taken: key, model, probability; note)
    """
    with opened(journal) as kept:
        record = record_of(kept, run)
        found = explained(record, turn, preferences)
        if as_json:
            json.dump(found.as_json(), sys.stdout)
            print()
        else:
            tell(found, console_for())
    return OK


def explained(record: Record, turn: str, preferences: tuple[str, ...]) -> Why:
    """The decision of a turn. Raises Mistake, with what there is, where there is none."""
    turns = deciding_turns(record.entries)
    if not turns:
        raise Mistake(f"nothing was decided in run {record.id}: {record.summary.message}")
    if turn != NEWEST and not turn.isdecimal():
        raise Mistake(f"TURN is {turn!r}: give a number from {turns[0]} to {turns[-1]}, or last")
    asked = turns[-1] if turn == NEWEST else int(turn)
    if asked not in turns:
        raise Mistake(
            f"nothing was decided in turn {asked} of run {record.id};"
            f" its decisions are in turns {turns[0]} to {turns[-1]}"
        )
    found = explain(record.id, record.entries, asked, preferences)
    if found is None:
        erased = [each for each in record.turn(asked) if each.kind == Decision.kind]
        told = record.redaction(erased[-1])
        raise Mistake(f"the decision of turn {asked} cannot be told any more: {told}")
    return found


def tell(found: Why, console: Console) -> None:
    """Print it for people."""
    made = found.decision
    strands = ", ".join(plan.strand for plan in made.strands)
    if not strands:
        strands = f"{', '.join(made.advisors)} alone" if made.advisors else "nobody"
    console.print(Text.assemble((f"turn {found.turn}  ", "bold"), (strands, "bold")))
    said(console, chosen_by(made), 2)
    if made.ending is not None:
        said(console, f"the run was about to end: {made.ending.message}", 2)
    if found.advice or made.advisors:
        advice = ", ".join(f"[{each}]" for each in found.advice) or "they said nothing"
        said(console, f"advised by {', '.join(made.advisors)}: {advice}", 2)
    for each in found.consulted:
        models = " and ".join(dict.fromkeys([call.model for call in each.calls]))
        said(console, f"{each.strand} asked {models or 'nobody'}", 2)
        tell_calls(each.calls, console)
    tell_moves(made, console)
    tell_work(made.complexity, made.allotted, console)
    if made.nudge:
        heading(console, "told beside what they see")
        said(console, made.nudge, 4)
    tell_budget(found, console)
    for seat in found.seats:
        tell_seat(seat, console)


def heading(console: Console, text: str) -> None:
    console.print(Text(f"\n  {text}", style="bold"))


def tell_moves(made: Decision, console: Console) -> None:
    """The moves that were allowed, what each was judged by, and what was known."""
    how = "" if made.deterministic else ", drawn by these probabilities"
    heading(console, f"{counted(len(made.candidates), 'move')} allowed{how}")
    for place, move in enumerate(made.candidates):
        mark = "*" if place == made.chosen else " "
        line = f"{mark} {' + '.join(move.strands)}  p={move.probability:.3g}"
        said(console, f"{line}  score={move.score:.3g}", 4)
        if move.parts:
            said(console, f"of {numbers(move.parts)}", 8, "dim")
    if made.features:
        told = [f"{name} {known(name, value)}" for name, value in made.features.items()]
        said(console, f"known then: {', '.join(told)}", 4, "dim")


def known(name: str, value: object) -> object:
    """A feature as people read it: money as such, and something where there is nothing."""
    if name == "spent" and isinstance(value, int):
        return money(value)
    return "none" if value == "" else value


def numbers(parts: Mapping[str, float]) -> str:
    """Named numbers in a row."""
    return ", ".join(f"{name} {value:.3g}" for name, value in parts.items())


def tell_work(work: Complexity, allotted: Allotted | None, console: Console) -> None:
    """How hard the work was judged to be, and what that gave it."""
    heading(console, f"{work.level} work, score {work.score:.3g}")
    for name in {**work.signals, **work.uncertainty}:
        value, spread = work.signals.get(name), work.uncertainty.get(name)
        adds = "" if value is None else f" {value:+.3g}"
        said(console, f"{name}{adds}" + (f" ± {spread:.3g}" if spread else ""), 4)
    if not work.signals:
        said(console, "no signal was seen", 4)
    if work.probabilities:
        shares = ", ".join(f"{each:.0%}" for each in work.probabilities)
        said(console, f"from trivial to critical: {shares}", 4, "dim")
    if allotted is not None:
        most = "as many strands as the limits allow"
        if allotted.strands is not None:
            most = f"at most {counted(allotted.strands, 'strand')}"
        asks = ", a person is asked first" if allotted.checkpoint else ""
        said(console, f"allotted: {most}, review {allotted.review}{asks}", 4)


def tell_budget(found: Why, console: Console) -> None:
    """For what the budget had no room, and what went beyond it."""
    if found.short is not None:
        heading(console, "no room in the budget")
        for who, models in {**found.short.roles, **found.short.strands}.items():
            for key, message in models.items():
                said(console, f"{who} with {key}: {message}", 4)
        if found.short.left_out:
            said(console, f"no candidates: {', '.join(found.short.left_out)}", 4)
    for over in found.overruns:
        said(console, f"overrun of {over.scope}: {money(over.granted)} granted,"
             f" {money(over.used)} used", 2, "red")  # fmt: skip


def tell_seat(seat: Seat, console: Console) -> None:
    """A strand: its model and why, its calls, and what else it could have been given."""
    plan = seat.plan
    got = f"{plan.strand} gets {plan.model}"
    if plan.key is not None:
        got += f", found under {plan.key!r}" + (f" for tier {plan.tier}" if plan.tier else "")
    heading(console, f"{got}, p={plan.probability:.3g}")
    if plan.because:
        said(console, plan.because, 4)
    for option in plan.options:
        said(console, weighed(option, option.key == plan.key), 4)
    if plan.reserved or plan.reserved_tokens:
        kept = f"{money(plan.reserved)}, {counted(plan.reserved_tokens, 'token')}"
        said(console, f"kept back for its first call: {kept}", 4)
    tell_calls(seat.calls, console)
    for message in seat.refused:
        said(console, f"not called: {message}", 4, "red")
    if plan.key is not None:
        tell_otherwise(seat, console)


def tell_calls(calls: Iterable[Call], console: Console) -> None:
    """What was reserved for each call, and what it came to."""
    for call in calls:
        granted = f"{money(call.granted)} and {number(call.granted_tokens)} tokens reserved"
        came = "nobody has answered"
        if call.cost is not None and call.tokens is not None:
            came = f"settled at {money(call.cost)} and {number(call.tokens)} tokens"
        fault = f", {call.fault}" if call.fault else ""
        said(console, f"[{call.address}] {granted}, {came}{fault}", 4)


def tell_otherwise(seat: Seat, console: Console) -> None:
    """What other preferences would have taken."""
    if not seat.otherwise:
        said(console, LADDER if seat.plan.options else UNWEIGHED, 4)
        return
    said(console, "by another preference", 4)
    for each in seat.otherwise:
        said(console, f"{each.preference}: {chosen(each)}", 6)


def chosen(each: Otherwise) -> str:
    """What a preference takes, in words."""
    if each.note:
        return f"cannot be told: {each.note}"
    several = len(each.taken) > 1
    return ", ".join(
        f"{one.key}, {one.model}" + (f", p={one.probability:.3g}" if several else "")
        for one in each.taken
    )
