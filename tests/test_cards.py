"""Cards of the user's own: what they change in a run, and what they leave alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hive import Budget, Role, Workflow
from hive.audit import Record
from hive.errors import DeclarationError
from hive.models import ModelCard, Prices
from hive.testing.loopback import loopback

CARD = ModelCard("compatible:q", prices=Prices.usd(100, 1000))
TEAM = Role("reader") >> Role("scribe")


def test_a_cap_on_money_wants_a_price_and_a_card_gives_it() -> None:
    name = "compatible:q@http://127.0.0.1:9/v1"
    team = Workflow(TEAM, model=name, budget=Budget(usd=1))
    with pytest.raises(DeclarationError, match=r'\[cards."compatible:q@.*"\] in hive.toml'):
        team.team()
    assert team.with_(cards=[CARD]).team().minds["*"].card.prices == CARD.prices


def test_what_is_no_card_is_refused_where_it_is_written() -> None:
    wrong: Any = {CARD.name: CARD}
    with pytest.raises(DeclarationError, match="cards holds 'compatible:q', which is no ModelCard"):
        Workflow(TEAM, model="ollama:q", cards=wrong)


def test_a_card_reaches_each_member_of_a_chain() -> None:
    dear = replace(CARD, name="compatible:r", prices=Prices.usd(7, 9000))
    chain = "compatible:q@http://127.0.0.1:9/v1 > compatible:r@http://127.0.0.1:9/v1"
    team = Workflow(TEAM, model=chain, cards=[CARD, dear])
    for made in (team.team(), team.silent_team()):
        assert made.minds["*"].card.prices == Prices.usd(100, 9000)


@pytest.mark.asyncio
async def test_a_call_costs_what_the_card_says() -> None:
    async with loopback(lambda received: "Said.") as server:  # 20 tokens in, 5 out
        team = Workflow(TEAM, model=f"compatible:q@{server.base_url}", cards=[CARD])
        result = await team.run("Say it.")
    assert result.cost_usd == Decimal(2 * (20 * 100 + 5 * 1000)) / 10**6


@pytest.mark.asyncio
async def test_another_price_makes_no_other_workflow(tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    async with loopback(lambda received: "Said.") as server:
        team = Workflow(
            TEAM, model=f"compatible:q@{server.base_url}", cards=[CARD], budget=Budget(usd=5)
        )
        result = await team.run("Say it.", journal=journal)
    dearer = team.with_(cards=[replace(CARD, prices=Prices.usd(10**6, 10**6))])
    assert dearer.manifest_bytes == team.manifest_bytes
    replayed = await Record.open(journal, result.run).replay(dearer)
    assert replayed.identical
