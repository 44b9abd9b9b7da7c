"""Who gets which model: the documented rule, and what a run remembers of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive import Role, Workflow
from hive.cli.overrides import Overrides
from hive.cli.precedence import Staff, chosen
from hive.control.allocating.allocation import ByComplexity, OneModel
from hive.control.allocating.complexity import LEVELS
from hive.errors import DeclarationError
from hive.models import Configured, ModelCard, Prices
from hive.models.naming.configured import Given, variable_of
from hive.testing.loopback import loopback
from tests.cli.conftest import Here

ROLES = {
    "reader": Role("reader"),
    "code-reviewer": Role("code-reviewer", tier="large"),
    "scribe": Role("scribe", tier="own"),
}
KEYS = ("*", "small", "large", "own", *ROLES)
says = st.dictionaries(st.sampled_from(KEYS), st.sampled_from("abcdef").map("ollama:{}".format))


def found(file: dict[str, str], environment: dict[str, str]) -> Configured:
    """What `configured` makes of a file and an environment that say this."""
    variables = [
        Given("*" if key == "*" else key.replace("-", "_"), name, variable_of(key))
        for key, name in environment.items()
    ]
    return Configured((*(Given(k, name, "hive.toml") for k, name in file.items()), *variables))


def by_the_rule(role: Role, level: str, sources: list[dict[str, str]]) -> str | None:
    """As it is documented: the first source that names the role, else the first that says something
    of its tier or of everyone."""
    tier = ByComplexity().tier(role, level)  # type: ignore[arg-type]  # a level
    for source in sources:
        if role.name in source:
            return source[role.name]
    for source in sources:
        for key in (tier, "*"):
            if key in source:
                return source[key]
    return None


@given(says, says, says, says)
def test_who_gets_what_is_what_the_rule_says(
    command: dict[str, str], own: dict[str, str], file: dict[str, str], env: dict[str, str]
) -> None:
    staff = Staff(ROLES, ByComplexity())
    models, unused = chosen(own, command, found(file, env), staff)
    sources = [command, own, file, env]
    if "*" in command:
        keyed = {key: name for key, name in command.items() if key != "*"}
        sources = [keyed, dict.fromkeys(own or ("*",), command["*"])]
    for role in ROLES.values():
        for level in LEVELS:
            try:
                key = ByComplexity().pick(role, level, models).model
            except DeclarationError:
                assert by_the_rule(role, level, sources) is None
            else:
                assert models[key].model == by_the_rule(role, level, sources)
    taken = [choice.source for choice in models.values()]
    configured = sum(source == "hive.toml" or source.startswith("HIVE_") for source in taken)
    assert configured + len(unused) == len(file) + len(env)


@given(says, says)
def test_the_configuration_adds_no_model_that_nobody_could_get(
    file: dict[str, str], env: dict[str, str]
) -> None:
    own = dict.fromkeys(ROLES, "ollama:own")
    models, unused = chosen(own, {}, found(file, env), Staff(ROLES, ByComplexity()))
    assert {key: choice.model for key, choice in models.items()} == own
    assert len(unused) == len(file) + len(env)


def test_an_allocator_that_looks_at_one_key_is_given_that_one() -> None:
    staff = Staff(ROLES, OneModel("small"))
    models, unused = chosen({}, {}, found({"small": "ollama:a", "*": "ollama:b"}, {}), staff)
    assert {key: choice.model for key, choice in models.items()} == {"small": "ollama:a"}
    assert [each.given.key for each in unused] == ["*"]


def test_the_word_default_is_another_for_everyone() -> None:
    staff = Staff(ROLES, ByComplexity())
    models, unused = chosen({"default": "ollama:a"}, {}, found({"*": "ollama:b"}, {}), staff)
    assert set(models) == {"default"}
    assert unused[0].why == "the workflow says another"


def test_the_workflows_own_cards_count_for_more_than_the_files() -> None:
    name = "ollama:q"
    file = ModelCard(name, window=1, prices=Prices.usd(1, 1))
    team = Workflow(Role("reader"), model=name, cards=[ModelCard(name, window=2)])
    overrides = Overrides(configured=Configured(cards=(file,)))
    card = overrides.apply(team, "team").silent_team().minds["*"].card
    assert (card.window, card.prices) == (2, Prices.usd(1, 1))


def test_what_is_recorded_reads_back_the_same() -> None:
    card = ModelCard("ollama:q", window=7, prices=Prices.usd("0.1", 2), tier="small")
    able = ModelCard("ollama:r", abilities=frozenset({"tools", "images"}))
    configured = Configured((Given("*", "ollama:q", "HIVE_MODEL"),), (card, able))
    overrides = Overrides({"small": "ollama:s"}, usd="1", configured=configured)
    written = json.loads(json.dumps(overrides.as_json()))
    assert Overrides.from_json(written) == overrides
    assert Overrides.from_json({"models": {"small": "ollama:s"}, "usd": "1"}) == Overrides(
        {"small": "ollama:s"}, usd="1"
    )


async def really(here: Here, *arguments: str) -> Any:
    answer = await anyio.to_thread.run_sync(lambda: here.really(*arguments))
    assert answer.code == 0, answer.err
    return answer.json


@pytest.mark.asyncio
async def test_a_run_remembers_what_it_was_configured_with(here: Here) -> None:
    file = here.folder / "hive.toml"
    async with loopback(lambda received: "Said.") as server:  # 20 tokens in, 5 out
        lab = f'[providers.lab]\nbase_url = "{server.base_url}"'
        card = '[cards."lab:q"]\ninput_usd = 100_000\noutput_usd = 0'
        write(file, f'[models]\n"*" = "lab:q"\n{lab}\n{card}\n')
        ran = await really(here, "run", "team:chain", "Say it.", "--budget", "500", "--json")
        assert ran["cost_usd"] == 4
        assert len(server.requests) == 2
        write(file, '[models]\n"*" = "ollama:nobody"\n')
        replayed = await really(here, "replay", "last", "--json")
        assert replayed["identical"] is True
        forked = await really(here, "fork", "last", "--at", "turn:1", "--fresh", "--json")
        assert forked["paid_usd"] == 4
        assert [request["model"] for request in server.requests] == ["q"] * 4


def write(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")
