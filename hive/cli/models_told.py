"""What `hive models` prints for people."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from hive.cli.models_known import AT_HAND, SDKS, Known, ProviderRow, Shown
from hive.cli.precedence import Unused
from hive.cli.printing import console_for, said, table
from hive.cli.trying import Trial
from hive.cli.words import clean, counted, number

__all__ = ["tell"]

UNKNOWN = "–"


def tell(shown: Shown) -> None:
    """Print what is known: who gets what first, the providers last."""
    console = console_for()
    if shown.trials is not None:
        tell_trials(console, shown.trials)
    if shown.seats:
        head(console, "roles")
        rows = [(seat.role, seat.model, f"{seat.why}; {seat.source}") for seat in shown.seats]
        table(console, ("role", "model", "why, and who says so"), rows)
    elif shown.found.models:
        head(console, "configured")
        table(console, ("for", "model", "who says so"), shown.found.models)
    if shown.unused:
        head(console, "configured, and not used here")
        tell_unused(console, shown.unused)
    if shown.models:
        head(console, "models")
        tell_models(console, shown.models)
    if shown.trials is None:
        head(console, "providers")
        tell_providers(console, shown.providers)
    if not shown.models:
        console.print()
        said(console, "hive models openai:gpt-5-mini   says what is known of a model", 0, "dim")
        said(console, "hive models team.py:team        says what each role gets", 0, "dim")
    if shown.found.path is not None:
        console.print()
        said(console, f"Read: {shown.found.path}", 0, "dim")


def head(console: Console, text: str) -> None:
    console.print()
    said(console, text, style="bold")


def tell_unused(console: Console, unused: Sequence[Unused]) -> None:
    """What the configuration says for nothing, and why."""
    for given, why in unused:
        said(console, f"{given.source}: {given.key} = {given.model}", 2)
        said(console, why, 4, "dim")


def tell_models(console: Console, models: Sequence[Known]) -> None:
    """What each model holds, costs and can do, in two lines."""
    for known in models:
        card, prices = known.card, known.card.prices
        said(console, card.name, 2)
        if card.name.startswith(AT_HAND):
            said(console, "costs nothing; runs in this process, asks no server", 4, "dim")
            continue
        window = "window unknown" if card.window is None else f"window {number(card.window)}"
        most = "" if card.max_output is None else f", output {number(card.max_output)}"
        cost = "price unknown, so that a budget in dollars refuses it"
        if prices is not None:
            cached = prices.cached_read / 1e9
            cost = (
                f"${prices.input / 1e9:g} in, ${prices.output / 1e9:g} out, ${cached:g} cached"
                " per million tokens"
            )
        can = UNKNOWN if card.abilities is None else ", ".join(sorted(card.abilities))
        said(
            console, f"{cost}; {window}{most} tokens".replace("unknown tokens", "unknown"), 4, "dim"
        )
        if card.abilities is not None or known.yours:
            yours = f"; yours: {', '.join(known.yours)}" if known.yours else ""
            said(console, f"abilities {can}{yours}".replace(UNKNOWN, "unknown"), 4, "dim")


def tell_providers(console: Console, providers: Sequence[ProviderRow]) -> None:
    """Where each provider is found, and whether its key is there."""
    rows = []
    for provider in providers:
        key = f"{provider.key} is {'set' if provider.set else 'not set'}"
        if provider.keyless and not provider.set:
            key = f"none needed ({provider.key})"
        if not provider.installed:
            key += f"; pip install 'hive-blackboard[{SDKS.get(provider.name, 'anthropic')}]'"
        where = provider.address or "MODEL@ADDRESS says it"
        rows.append((f"{provider.name}:", where, key))
    table(console, ("provider", "where", "key"), rows)


def tell_trials(console: Console, trials: Sequence[Trial]) -> None:
    """What the calls showed, one by one."""
    head(console, "asked")
    for trial in trials:
        tell_trial(console, trial)
    if not trials:
        said(console, "nobody: what was named runs in this process, if anything was", 2, "dim")


def tell_trial(console: Console, trial: Trial) -> None:
    """What one call showed."""
    good = trial.problem is None
    mark = Text("✓ " if good else "✗ ", style="green" if good else "red")
    said(console, mark.append(clean(trial.model), style="default"), 2)
    if trial.problem is not None:
        words = trial.problem if trial.asked else f"not asked: {trial.problem}"
        said(console, words, 4, "red")
        return
    said(console, "; ".join((speed(trial), streaming(trial), calling(trial))), 4)
    said(console, price(trial), 4, "dim")


def speed(trial: Trial) -> str:
    whole = f"{trial.seconds:.2f} s"
    return f"{whole}, the first text after {trial.first:.2f} s" if trial.first else whole


def streaming(trial: Trial) -> str:
    if not trial.pieces:
        return "no text, so whether it streams is not seen"
    return (
        f"streams ({counted(trial.pieces, 'piece')})" if trial.pieces > 1 else "text in one piece"
    )


def calling(trial: Trial) -> str:
    if trial.tools:
        return "called the tool"
    if trial.stop == "length":
        return "came to the limit of its answer before it called the tool"
    return "answered in text, did not call the tool"


def price(trial: Trial) -> str:
    used = f"{trial.usage.input} tokens in, {trial.usage.output} out"
    if trial.estimated:
        used = "reports no use of tokens"
    cost = "price unknown" if trial.cost is None else f"${trial.cost / 1e9:.6f}"
    return f"{used}; {cost}; calls itself {trial.served_as or 'nothing'}"
