from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage as ListedUsage
from genai_prices import calc_price
from hypothesis import given
from hypothesis import strategies as st

from hive.message import Usage
from hive.models import FREE, ModelCard, Prices, card, card_of, steady

tokens = st.integers(0, 2_000_000)
NAMES = (
    "openai:gpt-5-mini",
    "openai-chat:gpt-6-sol",
    "anthropic:claude-opus-5",
    "anthropic:claude-sonnet-4-5",
)


class At:
    """A clock that stands still."""

    def __init__(self, year: int) -> None:
        self.moment = datetime(year, 6, 1, tzinfo=UTC)

    def now(self) -> int:
        return int(self.moment.timestamp()) * 1_000_000

    def elapsed(self) -> int:
        return 0


@given(st.sampled_from(NAMES), tokens, tokens, tokens, tokens)
def test_the_cost_is_what_the_price_list_says_rounded_up(
    name: str, plain: int, read: int, write: int, output: int
) -> None:
    usage = Usage(input=plain + read + write, output=output, cached_read=read, cache_write=write)
    provider, _, model = name.partition(":")
    clock = At(2026)
    listed = calc_price(
        ListedUsage(
            input_tokens=usage.input,
            output_tokens=output,
            cache_read_tokens=read,
            cache_write_tokens=write,
        ),
        model,
        provider_id=provider.removesuffix("-chat"),
        genai_request_timestamp=clock.moment,
    ).total_price
    exact = listed * 10**9
    assert 0 <= card(name, clock=clock).cost(usage) - exact < 1


@given(st.sampled_from(NAMES), tokens, tokens, tokens, tokens, st.integers(0, 10_000))
def test_no_call_within_its_bounds_costs_more_than_the_worst_case(
    name: str, plain: int, read: int, write: int, output: int, more: int
) -> None:
    known = card(name)
    usage = Usage(input=plain + read + write, output=output, cached_read=read, cache_write=write)
    assert known.cost(usage) <= known.worst(usage.input + more, output + more)


def test_prices_hold_at_their_time() -> None:
    before = card("openai:o3", clock=At(2025)).prices
    after = card("openai:o3", clock=At(2026)).prices
    assert before is not None
    assert after is not None
    assert before.input > after.input


@pytest.mark.parametrize("name", ["openai:nobody-knows", "compatible:qwen3", "mine:own", "x"])
def test_an_unknown_model_has_unknown_prices(name: str) -> None:
    unknown = card(name)
    assert unknown == ModelCard(name)
    assert unknown.prices is None
    assert unknown.cost(Usage(input=5)) == unknown.worst(5, 5) == 0


def test_a_model_paid_by_the_hour_has_no_price_by_the_token() -> None:
    assert card("openai:whisper-1").prices is None


def test_an_address_says_whose_prices_hold() -> None:
    assert card("compatible:openai/gpt-5@https://openrouter.ai/api/v1").prices is not None
    assert card("openai:gpt-5-mini@http://127.0.0.1:8000/v1").prices is None
    routed = card("openrouter:openai/gpt-5")
    assert routed.prices == card("compatible:openai/gpt-5@https://openrouter.ai/api/v1").prices
    assert card("azure:gpt-5-mini").prices is not None
    assert card("ollama:gpt-5-mini").prices is None


def test_scripts_and_programs_are_free() -> None:
    assert card("script:x").prices == card("program:y").prices == FREE


def test_what_a_user_says_of_a_model_counts_for_more_than_the_catalog() -> None:
    own = Prices.usd(1, 2)
    known = card("openai:gpt-5-mini", cards=[ModelCard("openai:gpt-5-mini", prices=own)])
    assert known.prices == own
    assert known.window == card("openai:gpt-5-mini").window
    assert card("openai:gpt-5", cards=[ModelCard("openai:gpt-5-mini", prices=own)]) == card(
        "openai:gpt-5"
    )


def test_a_card_is_for_a_model_with_or_without_its_address() -> None:
    plain = ModelCard("compatible:q", window=1, max_output=9)
    there = ModelCard("compatible:q@http://h/v1", window=2)
    cards = (there, plain)
    assert card("compatible:q@http://other/v1", cards=cards).window == 1
    found = card("compatible:q@http://h/v1#LAB_KEY", cards=cards)
    assert (found.window, found.max_output) == (2, 9)
    assert found.name == "compatible:q@http://h/v1#LAB_KEY"
    assert card("compatible:q", cards=[there]).window is None


def test_of_a_chain_each_member_has_its_own_card() -> None:
    cards = [ModelCard("compatible:q", window=7, prices=FREE)]
    chain = "compatible:q@http://h/v1 > openai:gpt-5-mini"
    assert card(chain, cards=cards).window == 7
    assert card_of(steady(chain, cards=cards)) == card(chain, cards=cards)
    assert card(chain, cards=cards).prices == card("openai:gpt-5-mini").prices


def test_what_nobody_knows_of_a_model_is_unknown() -> None:
    known = card("openai:gpt-5-mini")
    assert (known.max_output, known.abilities, known.tier) == (None, None, None)


def test_dollars_become_nano_dollars_rounded_up() -> None:
    assert Prices.usd("0.0000000001", 2) == Prices(1, 2 * 10**9, 1, 1)
    assert Prices.usd(Decimal("1.25"), "10", "0.125", "1.5").cached_read == 125_000_000
    assert ModelCard("x", prices=Prices(1, 1, 1, 1)).cost(Usage(input=1)) == 1
