"""`hive models`: which providers there are, what is known of models, and what each role gets."""

import importlib.util
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import fields
from functools import partial

import anyio
import click

from hive.cli import options
from hive.cli.exits import FAILED, OK
from hive.cli.loading import load
from hive.cli.models_known import AT_HAND, SDKS, Known, ProviderRow, Shown
from hive.cli.overrides import Overrides, Settled, asked
from hive.cli.progress import counting
from hive.cli.seats import seats
from hive.cli.trying import Made, try_all
from hive.models.catalog import ModelCard, card, card_of, own_card
from hive.models.model import Model
from hive.models.naming.chain import is_chain, members
from hive.models.naming.configured import Configured
from hive.models.naming.names import place_of, resolve
from hive.models.naming.providers import PROVIDERS, parted
from hive.models.wrappers.around import Around
from hive.models.wrappers.failover import Failover

__all__ = ["models"]


@click.command()
@click.argument("what", nargs=-1, metavar="[WORKFLOW | PROVIDER:MODEL]...")
@click.option(
    "--check", "calling", is_flag=True, help="Make one tiny call to each, and say what it shows."
)
@options.models
@options.as_json
def models(what: tuple[str, ...], calling: bool, models: tuple[str, ...], as_json: bool) -> int:
    """Say which model each role of a WORKFLOW gets and why, what is known of models, and which
    providers there are. What hive.toml and the environment say is counted in; with no argument, it
    is these models that are told of.

    Keys are looked for in the environment; only whether they are set is said. With --check each
    model is called once, all at the same time: it is asked for a short sentence and for a call of a
    tool, in at most 256 tokens. The exit code is 1 if one of them does not answer.

    \b
    --json prints one object with the keys
      file:      the hive.toml that is read, or null
      providers: name, says, key (the variable), set, installed, address, keyless, yours
      models:    name, window, max_output (tokens), input_usd, output_usd, cached_read_usd,
                 cache_write_usd (per million tokens), abilities, tier, known,
                 yours (the fields that your own cards say); null is unknown
      configured: key, model, source (what hive.toml and the environment say)
      seats:     role, model, why, source (of the WORKFLOW, if one was named)
      unused:    key, model, source, why (what is configured and nobody here goes by)
      checked:   null without --check; model, ok, problem, asked, tools (it called the tool),
                 pieces, first_seconds, seconds, stop, input_tokens, output_tokens,
                 estimated (the server reported no use), cost_usd, served_as
    """
    overrides = asked(models)
    found = overrides.configured
    names, settled = told_apart(what or [*dict.fromkeys(g.model for g in found.models)], overrides)
    cards = [known_of(member, found.cards) for name in names for member in members(name)]
    cards += [known for each in settled for known in cards_of(each)]
    trials = None
    if calling:
        distinct = called(names, settled, found)
        with counting("asking", f"of {len(distinct)} have answered or failed") as beat:
            trials = anyio.run(try_all, distinct, beat)
    shown = Shown(
        found,
        [*provider_rows(found)],
        [*dict.fromkeys(cards)],
        [seat for each in settled for seat in seats(each)],
        [unused for each in settled for unused in each.unused],
        trials,
    )
    if as_json:
        json.dump(shown.as_json(), sys.stdout)
        print()
    else:
        from hive.cli.models_told import tell

        tell(shown)
    return FAILED if trials and any(trial.problem is not None for trial in trials) else OK


def told_apart(what: Iterable[str], overrides: Overrides) -> tuple[list[str], list[Settled]]:
    """The names of models, written out, and the workflows. Raises UnknownModel and Mistake."""
    names, settled = [], []
    for each in what:
        first = each.partition(":")[0]
        if first in PROVIDERS or first in overrides.configured.providers or is_chain(each):
            name = overrides.configured.named(each)
            for member in members(name):
                place_of(member)
            names.append(name)
        else:
            settled.append(overrides.settled(load(each), each))
    return names, settled


def known_of(name: str, cards: tuple[ModelCard, ...]) -> Known:
    """What is known of a model, and what of it the user says."""
    own = own_card(name, cards)
    said = () if own is None else tuple(f.name for f in fields(own) if getattr(own, f.name))
    return Known(card(name, cards=cards), said[1:])


def cards_of(settled: Settled) -> list[Known]:
    """What is known of the models of a workflow, those of a chain one by one."""
    team = settled.workflow
    known = [Known(card(s.model)) for s in seats(settled) if s.model.startswith(AT_HAND)]
    for given in team.needed.values():
        if isinstance(given, str):
            known += [known_of(member, team.cards) for member in members(given)]
        else:
            known.append(Known(card_of(given)))
    return known


def called(names: Iterable[str], settled: Iterable[Settled], found: Configured) -> dict[str, Made]:
    """The distinct models to call, by name: those of chains and within wrappers by themselves, and
    none that runs in this process."""
    models: dict[str, Made] = {}
    for name in names:
        models |= {each: partial(made, each, found.cards) for each in members(name)}
    for each in settled:
        for given in each.workflow.needed.values():
            if isinstance(given, str):
                models |= {m: partial(made, m, each.workflow.cards) for m in members(given)}
            else:
                models |= {inner.name: partial(as_it_is, inner) for inner in within(given)}
    return {name: model for name, model in models.items() if not name.startswith(AT_HAND)}


def made(name: str, cards: tuple[ModelCard, ...]) -> Model:
    return resolve(name, card=card(name, cards=cards))


def as_it_is(model: Model) -> Model:
    return model


def within(model: Model) -> list[Model]:
    """The models inside a wrapper, which is not to count, keep or repeat a trial."""
    if isinstance(model, Failover):
        return [inner for each in model.models for inner in within(each)]
    return within(model.model) if isinstance(model, Around) else [model]


def provider_rows(found: Configured) -> Iterable[ProviderRow]:
    """The providers, the user's own first; of a key no more than whether it is set."""
    for name, form in found.providers.items():
        named = parted(form)
        says = f"your own, over {PROVIDERS[named.provider].says}"
        key = named.key or "HIVE_API_KEY"
        yield ProviderRow(
            name, says, key, is_set(key), installed(named.provider), named.address,
            keyless=named.key is None, yours=True,
        )  # fmt: skip
    for provider in PROVIDERS.values():
        yield ProviderRow(
            provider.name, provider.says, provider.key, is_set(provider.key),
            installed(provider.name), provider.found_at(), provider.keyless, yours=False,
        )  # fmt: skip


def is_set(variable: str) -> bool:
    """Whether there is a key; its value is looked at no further."""
    return bool(os.environ.get(variable, "").strip())


def installed(provider: str) -> bool:
    """Whether the provider's SDK is there."""
    return importlib.util.find_spec(SDKS.get(provider, "openai")) is not None
