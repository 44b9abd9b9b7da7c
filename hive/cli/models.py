"""`hive models`: which providers there are, what is known of models, and what each role gets."""

import importlib.util
import json
import os
import sys
from typing import Any

import click

from hive.cli import options
from hive.cli.exits import OK
from hive.cli.loading import load
from hive.cli.overrides import asked
from hive.cli.seats import Seat, card_for, seats
from hive.cli.words import number
from hive.models.catalog import ModelCard, Prices, card
from hive.models.providers import PROVIDERS, Provider
from hive.models.steady import steady
from hive.workflow import Workflow

__all__ = ["models"]

SDKS = {"anthropic": "anthropic"}
"""Providers whose SDK comes with an extra."""


@click.command()
@click.argument("what", nargs=-1, metavar="[WORKFLOW | PROVIDER:MODEL]...")
@options.models
@options.as_json
def models(what: tuple[str, ...], models: tuple[str, ...], as_json: bool) -> int:
    """List the providers, and say what is known of the models named, or of those of a WORKFLOW.

    Keys are looked for in the environment; only whether they are set is said.

    \b
    --json prints one object with the keys
      providers: name, says, key (the variable), set, installed
      models:    name, window (tokens), max_output, input_usd, output_usd (per million tokens),
                 known
      seats:     role, model, why (of the WORKFLOW, if one was named)
    """
    named = [name for name in what if name.partition(":")[0] in PROVIDERS]
    for name in named:
        steady(name)
    cards = [card(name) for name in named]
    taken: list[Seat] = []
    for reference in what:
        if reference not in named:
            team = asked(models).apply(load(reference), reference)
            taken += seats(team)
            cards += cards_of(team)
    if as_json:
        json.dump(known_json(cards, taken), sys.stdout)
        print()
    else:
        tell(cards, taken)
    return OK


def cards_of(team: Workflow) -> list[ModelCard]:
    names = dict.fromkeys(seat.model for seat in seats(team))
    given = [model if isinstance(model, str) else model.name for model in team.assigned.values()]
    return [card_for(team, name) for name in dict.fromkeys((*names, *given)) if " or " not in name]


def known_json(cards: list[ModelCard], taken: list[Seat]) -> dict[str, Any]:
    """The documented JSON."""
    return {
        "providers": [
            {
                "name": provider.name,
                "says": provider.says,
                "key": provider.key,
                "set": is_set(provider),
                "installed": installed(provider),
            }
            for provider in PROVIDERS.values()
        ],
        "models": [
            {
                "name": known.name,
                "window": known.window,
                "max_output": known.max_output,
                "input_usd": None if known.prices is None else known.prices.input / 1e9,
                "output_usd": None if known.prices is None else known.prices.output / 1e9,
                "known": known.prices is not None or known.window is not None,
            }
            for known in cards
        ],
        "seats": [seat.as_json() for seat in taken],
    }


def is_set(provider: Provider) -> bool:
    """Whether there is a key; its value is looked at no further."""
    return bool(os.environ.get(provider.key))


def installed(provider: Provider) -> bool:
    """Whether the provider's SDK is there."""
    needed = SDKS.get(provider.name, "openai")
    return importlib.util.find_spec(needed) is not None


def tell(cards: list[ModelCard], taken: list[Seat]) -> None:
    """Print what is known."""
    from hive.cli.printing import console_for, pairs, said

    console = console_for()
    sections = {
        "providers": [provider_row(provider) for provider in PROVIDERS.values()],
        "models": [card_row(known) for known in cards],
        "roles": [(f"{seat.role}: {seat.model}", seat.why) for seat in taken],
    }
    for name, rows in sections.items():
        if rows:
            said(console, name, style="bold")
            pairs(console, rows)
    if not cards:
        console.print()
        said(console, "hive models openai:gpt-5-mini   says what is known of a model", style="dim")


def provider_row(provider: Provider) -> tuple[str, str]:
    key = f"{provider.key} is {'set' if is_set(provider) else 'not set'}"
    if provider.keyless:
        key += ", if its server wants one"
    if not installed(provider):
        key += f"; pip install 'hive-blackboard[{SDKS[provider.name]}]'"
    return f"{provider.name}:MODEL", f"{key}; {provider.says}"


def card_row(known: ModelCard) -> tuple[str, str]:
    if known.name.startswith(("program:", "script:")):
        return known.name, "costs nothing; runs in this process, asks no server"
    window = "window unknown" if known.window is None else f"{number(known.window)} tokens window"
    return known.name, f"{price(known.prices)}; {window}"


def price(prices: Prices | None) -> str:
    if prices is None:
        return "price unknown, so that a budget in dollars refuses it"
    return f"${prices.input / 1e9:g} in, ${prices.output / 1e9:g} out per million tokens"
