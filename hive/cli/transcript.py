"""A run as a readable text: the goal, then turn by turn who acted, why, and what came of it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from hive.audit.efficiency import factors
from hive.audit.prompts import prompt
from hive.audit.record import Record
from hive.board.board import USER
from hive.board.contributions import Attachment, Goal, UserMessage
from hive.board.entry import Entry
from hive.board.media import without_bytes
from hive.board.records import (
    Decision,
    Inference,
    Option,
    Request,
    RunStarted,
    Synthesis,
    ToolCall,
)
from hive.cli.answers import tell_attempts, tell_inference
from hive.cli.ending import readable, used, verdict, ways_on
from hive.cli.printing import console_for, rule, said, steps
from hive.cli.telling import Told, tell
from hive.cli.words import clean, gist, number, shortened
from hive.message import Media, Part, ToolResult, ToolUse

__all__ = ["tell_entries", "tell_run"]

USERS = {UserMessage.kind: "says", Attachment.kind: "hands over"}
"""What the user does by entries of a kind."""

TONES = {"good": "green", "bad": "red", "open": "yellow", "quiet": "", "plain": ""}


def tell_run(record: Record, turn: int | None, prompts: bool, journal: str) -> None:
    """Print the whole transcript, or that of one turn."""
    console = console_for()
    if turn is None:
        tell_heading(record, console)
    for number_, entries in turns_of(record):
        if turn is None or number_ == turn:
            tell_turn(record, entries, console, prompts)
    if turn is None:
        console.print()
        tell_end(record, console, journal)


def tell_heading(record: Record, console: Console) -> None:
    summary, started = record.summary, record.started
    console.print(Text.assemble((f"run {record.id}  ", "bold"), verdict(record)))
    began = datetime.fromtimestamp(summary.started / 1_000_000, UTC).astimezone()
    facts = [summary.workflow, f"began {began:%Y-%m-%d %H:%M:%S}", f"Hive {started.hive}"]
    if summary.workspace:
        facts.append(f"workspace {summary.workspace}")
    if summary.tags:
        facts.append(f"tags {', '.join(summary.tags)}")
    if started.parent is not None:
        facts.append(f"forked from run {started.parent} at entry {started.cut}")
    given = started.overrides.items()
    facts += [f"{key} {in_words(value)}" for key, value in given if key != "directory"]
    said(console, " · ".join(facts), style="dim")
    console.print()
    console.print(Text.assemble(("goal  ", "bold"), clean(goal_of(record))))


def in_words(value: Any) -> str:
    """What was given for a run: by role or tier, as a list, or as it is."""
    if isinstance(value, Mapping):
        pairs = [f"{key}={in_words(each)}" for key, each in value.items() if each]
        return ", ".join(pairs)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(in_words, value))
    return shortened(str(value), 80)


def goal_of(record: Record) -> str:
    """The goal's text, or what stands for it."""
    goals = record.board.of_kind(Goal)
    return record.redaction(goals[0]) if goals and goals[0].erased else record.summary.goal


def tell_end(record: Record, console: Console, journal: str) -> None:
    if record.answer:
        console.print(Text("answer", style="bold"))
        said(console, readable(record, record.answer), 2)
    rule(console)
    console.print(verdict(record))
    said(console, record.summary.message or "; ".join(record.summary.waits_for), 2)
    console.print(used(record), style="dim", soft_wrap=True)
    found = factors(record.entries)
    if found:
        said(console, f"factors: {', '.join(map(str, found))}", style="dim")
    if not record.summary.ended and record.journal.holder(record.id) is None:
        console.print()
        steps(console, ways_on(record, journal))


def turns_of(record: Record) -> Iterator[tuple[int, list[Entry]]]:
    """Each turn with its entries, strand by strand."""
    turns: dict[int, list[Entry]] = {}
    for entry in record.entries:
        turns.setdefault(entry.address.turn, []).append(entry)
    for turn, entries in turns.items():
        strands: dict[str, None] = dict.fromkeys(entry.address.strand for entry in entries)
        order = {strand: place for place, strand in enumerate(strands)}
        yield turn, sorted(entries, key=lambda entry: (order[entry.address.strand], entry.seq))


def tell_turn(record: Record, entries: list[Entry], console: Console, prompts: bool) -> None:
    calls: dict[str, Told] = {}
    strands = {entry.address.strand for entry in entries} - {""}
    strand = strands.pop() if len(strands) == 1 else ""  # one line is enough for one strand
    for entry in entries:
        if entry.address.strand not in ("", strand):
            strand = entry.address.strand
            console.print(Text(f"  {strand}", style="bold cyan"))
        tell_entry(record, entry, calls, console, prompts)


def tell_entry(
    record: Record, entry: Entry, calls: dict[str, Told], console: Console, prompts: bool
) -> None:
    """Print what one entry says, where that is worth a line."""
    payload = entry.payload
    if entry.erased:
        if entry.kind != Goal.kind:  # that one stands in the heading
            said(console, f"{entry.kind} {record.redaction(entry)}", 4, "magenta")
    elif isinstance(payload, Decision):
        tell_decision(record, entry, payload, console)
    elif isinstance(payload, Request):
        if prompts:
            tell_prompt(record, entry, console)
    elif isinstance(payload, Inference):
        tell_inference(payload, console)
    elif payload.level == "domain" and entry.kind != Goal.kind:
        tell_contribution(entry, console)
    elif not isinstance(payload, RunStarted | Synthesis):
        told = tell(entry, calls)
        if told is not None and not isinstance(payload, ToolCall):
            tell_line(told, console)
            tell_attempts(getattr(payload, "attempts", ()), console)


def tell_decision(record: Record, entry: Entry, decision: Decision, console: Console) -> None:
    """The turn's heading: the move, why, and what else was possible."""
    console.print()
    moves = Text(f"turn {entry.address.turn}  ", style="bold")
    acting = ", ".join(plan.strand for plan in decision.strands)
    moves.append(acting or f"{', '.join(decision.advisors)} alone")
    console.print(moves)
    level = decision.complexity
    signals = ", ".join(f"{name} {value:g}" for name, value in level.signals.items())
    why = chosen_by(decision)
    said(console, why, 2, "dim")
    said(console, f"{level.level} work ({signals or 'no signals'})", 2, "dim")
    if decision.nudge:
        said(console, f"told: {decision.nudge}", 2)
    for plan in decision.strands:
        got = f"{plan.strand} gets {plan.model}"
        if plan.key is not None:
            got += f", found under {plan.key!r}" + (f" for tier {plan.tier}" if plan.tier else "")
        if plan.probability < 1:
            got += f", p={plan.probability:.3g}"
        said(console, got, 2, "dim")
        cause = None if plan.cause is None else record.board.at(plan.cause)
        if cause is not None and not cause.erased:
            data = orjson.loads(cause.body)
            said(console, f"takes up {cause.kind} {gist(cause.kind, data)}", 4, "dim")
        if plan.because:
            said(console, plan.because, 4, "dim")
        for option in plan.options:
            said(console, weighed(option, option.key == plan.key), 4, "dim")
    if len(decision.candidates) > 1:
        for place, candidate in enumerate(decision.candidates):
            mark = "*" if place == decision.chosen else " "
            line = f"{mark} {' + '.join(candidate.strands)}  p={candidate.probability:.3g}"
            said(console, f"{line}  score={candidate.score:.3g}", 4, "dim")


def chosen_by(decision: Decision) -> str:
    """Why a move was made, and by which policy."""
    policy = decision.policy
    return f"{decision.reason}; {'' if policy.startswith('chosen by ') else 'by '}{policy}"


def weighed(option: Option, taken: bool) -> str:
    """A model that was weighed: its figures, and how it was judged."""
    figures = {
        "accuracy": option.accuracy,
        "$": None if option.cost is None else option.cost / 10**9,
        "seconds": None if option.latency is None else option.latency / 10**6,
    }
    known = ", ".join(f"{name} {value:g}" for name, value in figures.items() if value is not None)
    score = "" if option.score is None else f"  score={option.score:.3g}"
    judged = option.ruled_out or f"p={option.probability:.3g}{score}"
    mark = "*" if taken else " "
    return f"{mark} {option.key}: {option.model} ({known or 'no figures'})  {judged}"


def tell_contribution(entry: Entry, console: Console) -> None:
    """A contribution in full, its kind first."""
    data = orjson.loads(entry.body)
    doing = USERS.get(entry.kind) if entry.author == USER else None
    text = Text(f"{entry.origin} {doing} " if doing else f"{entry.kind} ", style="bold")
    text.append(
        gist(entry.kind, data, 10_000) if not is_text(data) else clean(str(data["text"])), "none"
    )
    said(console, text, 4)


def is_text(data: Any) -> bool:
    return isinstance(data, dict) and set(data) == {"text"}


def tell_line(told: Told, console: Console) -> None:
    text = Text(told.what, style=TONES[told.tone])
    if told.result:
        text.append(f"  {told.result}", style="dim")
    said(console, text, 4 if told.who not in ("coordinator", "user") else 2)


def tell_entries(record: Record, entries: list[Entry], prompts: bool) -> None:
    """Print entries in full, one after the other."""
    console = console_for()
    for entry in entries:
        head = Text(f"[{entry.address}] ", style="dim")
        head.append(f"{entry.kind}", style="bold").append(f" by {entry.author} ({entry.label})")
        console.print(head)
        if prompts and isinstance(entry.payload, Request):
            tell_prompt(record, entry, console)
            continue
        told = without_bytes(orjson.loads(entry.body))
        data = orjson.dumps(told, option=orjson.OPT_INDENT_2).decode()
        said(console, record.redaction(entry) if entry.erased else data, 2)


def tell_prompt(record: Record, entry: Entry, console: Console) -> None:
    """Everything that a model was asked, in a frame of its own."""
    asked = prompt(record, entry)
    edge(console, f"asked of {asked.model}, at most {number(asked.max_output)} tokens out", "bold")
    edge(console, asked.system, "")
    if asked.tools:
        edge(console, f"tools: {', '.join(tool.name for tool in asked.tools)}", "dim")
    if asked.output is not None:
        edge(console, f"answers with the JSON of {asked.output.name}", "dim")
    for message in asked.messages:
        edge(console, message.role, "bold")
        for part in message.parts:
            edge(console, part_text(part), "")


def part_text(part: Part) -> str:
    if isinstance(part, Media):
        return f"[{part.description}]"
    if isinstance(part, ToolUse):
        return f"calls {part.name} {orjson.dumps(part.arguments).decode()}"
    if isinstance(part, ToolResult):
        shown = "".join(f"\n[{media.description}]" for media in part.media)
        return f"{part.name} {'failed' if part.error else 'gave'}: {part.text}{shown}"
    return part.text


def edge(console: Console, text: str, style: str) -> None:
    for line in clean(text).splitlines() or [""]:
        console.print(Text.assemble(("    │ ", "dim"), (line, style or "none")), soft_wrap=True)
