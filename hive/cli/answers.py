"""What a model's answer used and cost, and the attempts before it, as lines of a transcript."""

from collections.abc import Sequence

from rich.console import Console

from hive.board.records import Inference
from hive.cli.printing import said
from hive.cli.words import counted, duration, money, number
from hive.message import Attempt, Media, Text, Usage

__all__ = ["cached", "tell_attempts", "tell_inference"]


def tell_inference(inference: Inference, console: Console) -> None:
    """What an answer used; what it asked for follows by itself."""
    did = "served" if inference.served else "asked"
    said(console, f"{did} {' · '.join(facts(inference))}", 4, "dim")
    tell_attempts(inference.attempts, console)
    for what in inference.left_out:
        said(console, f"not shown to it: {what}", 6, "yellow")
    for part in inference.parts:
        if isinstance(part, Media):
            said(console, f"[{part.description}]", 4, "italic")
    if inference.stop == "tools":
        spoken = [part.text for part in inference.parts if isinstance(part, Text)]
        if any(spoken):
            said(console, "\n".join(spoken), 4, "italic")


def facts(inference: Inference) -> list[str]:
    """Who answered, what that used and cost, how long it took, and how it ended."""
    usage = inference.usage
    asked = usage.input or usage.output
    found = [
        inference.model,
        f"{number(usage.input)} tokens in{cached(usage)}, {number(usage.output)} out"
        if asked
        else "",
        f"{number(usage.units)} units" if usage.units else "",
        money(inference.cost) if inference.cost or asked else "",
        duration(inference.latency),
        f"{duration(inference.waited)} of that waited" if inference.waited else "",
        f"after {counted(len(inference.attempts), 'failed attempt')}" if inference.attempts else "",
        f"ended by {inference.stop}" if inference.stop not in ("end", "tools") else "",
    ]
    return [fact for fact in found if fact]


def cached(usage: Usage) -> str:
    """How much of the input came from a cache, and how much was written to one: ` (3,840 from a
    cache)`; nothing where none did."""
    counts = ((usage.cached_read, "from a cache"), (usage.cache_write, "written to a cache"))
    told = ", ".join(f"{number(count)} {how}" for count, how in counts if count)
    return f" ({told})" if told else ""


def tell_attempts(attempts: Sequence[Attempt], console: Console) -> None:
    """The attempts that gave nothing: why, what was waited after each, what it is settled at."""
    for attempt in attempts:
        found = (
            attempt.reason,
            "" if attempt.status is None else f"status {attempt.status}",
            "" if attempt.model is None else f"by {attempt.model}",
            f"{number(attempt.tokens)} tokens" if attempt.tokens else "",
            money(attempt.cost),
            f"then waited {duration(attempt.wait)}" if attempt.wait else "",
        )
        said(console, f"failed attempt: {' · '.join(filter(None, found))}", 6, "dim")
