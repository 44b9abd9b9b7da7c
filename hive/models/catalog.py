"""What models cost and how much they hold (models floor).

Prices come from the data that the genai-prices package brings along; nothing is asked of the
network. Money is Decimal dollars at this edge and integer nano-dollars (1e-9 USD) inside.
"""

import dataclasses
import functools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, get_args

from hive.clock import Clock, SystemClock
from hive.message import Usage
from hive.models.model import Model
from hive.models.naming.chain import is_chain, members
from hive.models.naming.providers import parted

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

    Column = Decimal | TieredPrices | None
    Columns = tuple[Column, Column, Column, Column]

__all__ = [
    "ABILITIES",
    "FREE",
    "Ability",
    "ModelCard",
    "Prices",
    "card",
    "card_of",
    "common_card",
    "own_card",
]

Ability = Literal["tools", "output", "stream", "thinking", "images", "files"]
"""Tool calls; answers bound to a JSON schema; text in pieces; reasoning that is sent back; images
and files that are shown to it."""

NANO = 10**9
MILLION = 10**6
HOUR = 3600 * MILLION
ABILITIES: frozenset[Ability] = frozenset(get_args(Ability))
VENDORS = {
    "openai": "openai",
    "openai-chat": "openai",
    "anthropic": "anthropic",
    "azure": "azure",
    "openrouter": "openrouter",
}
"""Provider to the one that the price data knows; those of other servers go by their address."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in nano-dollars per million tokens.

    `beyond` holds what applies to a whole call once its input is longer than so many tokens:
    pairs of that number and the Prices, ascending.
    """

    input: int
    output: int
    cached_read: int
    cache_write: int
    beyond: tuple[tuple[int, "Prices"], ...] = ()

    @classmethod
    def usd(
        cls,
        input: Decimal | str | int,
        output: Decimal | str | int,
        cached_read: Decimal | str | int | None = None,
        cache_write: Decimal | str | int | None = None,
    ) -> "Prices":
        """Prices in US dollars per million tokens; cached input costs like input if not said."""
        plain = nano(input)
        return cls(
            input=plain,
            output=nano(output),
            cached_read=plain if cached_read is None else nano(cached_read),
            cache_write=plain if cache_write is None else nano(cache_write),
        )

    def at(self, input_tokens: int) -> "Prices":
        """The prices that hold for a call with so much input."""
        held = self
        for start, prices in self.beyond:
            if input_tokens > start:
                held = prices
        return held


def nano(usd: Decimal | str | int) -> int:
    return math.ceil(Decimal(usd) * NANO)


FREE = Prices(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a model.

    `window` and `max_output` are in tokens, None where unknown, as are the `abilities`. `prices`
    are None where unknown; `cost` and `worst` are then 0, and whoever holds a cap in money must
    refuse such a model. `tier` is the rung on which allocation finds it.
    """

    name: str
    window: int | None = None
    max_output: int | None = None
    prices: Prices | None = None
    abilities: frozenset[Ability] | None = None
    tier: str | None = None

    def over(self, known: "ModelCard") -> "ModelCard":
        """The other card with what this one says, and that one's name."""
        said = {
            field.name: value
            for field in dataclasses.fields(self)
            if field.name != "name" and (value := getattr(self, field.name)) is not None
        }
        return dataclasses.replace(known, **said)

    def cost(self, usage: Usage) -> int:
        """What a call cost, in nano-dollars, rounded up."""
        if self.prices is None:
            return 0
        prices = self.prices.at(usage.input)
        plain = max(0, usage.input - usage.cached_read - usage.cache_write)
        return per_million(
            plain * prices.input
            + usage.cached_read * prices.cached_read
            + usage.cache_write * prices.cache_write
            + usage.output * prices.output
        )

    def worst(self, input_tokens: int, max_output: int) -> int:
        """The most that a call of up to so many tokens can cost, in nano-dollars, rounded up.

        Every input token counts at the dearest of the input prices.
        """
        if self.prices is None:
            return 0
        reached = [self.prices, *(p for start, p in self.prices.beyond if input_tokens > start)]
        return max(
            per_million(
                input_tokens * max(p.input, p.cached_read, p.cache_write) + max_output * p.output
            )
            for p in reached
        )


def per_million(amount: int) -> int:
    return -(-amount // MILLION)


def card_of(model: Model, *, clock: Clock | None = None) -> ModelCard:
    """The model's own `card` where it has one, else the catalog's."""
    own: ModelCard | None = getattr(model, "card", None)
    return own if own is not None else card(model.name, clock=clock)


def card(name: str, *, cards: Collection[ModelCard] = (), clock: Clock | None = None) -> ModelCard:
    """What is known of the model `name` ("provider:name"): what the user's `cards` say of it, and
    else the catalog, at the clock's time.

    One of the `cards` is for a model if it has its name, or its name without the address; the
    whole name counts for more. A name that nobody has heard of gets a card on which everything is
    unknown. That of a chain says what holds for all its members.
    """
    if is_chain(name):
        each = [card(member, cards=cards, clock=clock) for member in members(name)]
        return common_card(name, each)
    provider = name.partition(":")[0]
    if provider in ("script", "program"):
        return ModelCard(name, prices=FREE, abilities=ABILITIES)
    known = listed(name, (clock or SystemClock()).now() // HOUR)
    own = own_card(name, cards)
    return known if own is None else own.over(known)


def own_card(name: str, cards: Collection[ModelCard]) -> ModelCard | None:
    """What a user's cards say of a model, what counts for more over what counts for less; None
    where none is for it."""
    named = parted(name)
    plain = f"{named.provider}:{named.model}"
    fitting = dict.fromkeys((plain, name.partition("#")[0], name))
    found = [own for wanted in fitting for own in cards if own.name == wanted]
    return functools.reduce(lambda less, more: more.over(less), found) if found else None


@functools.lru_cache(maxsize=512)
def listed(name: str, hour: int) -> ModelCard:
    """The card of a provider's model; prices may change by the day and by the hour (UTC)."""
    named = parted(name)
    found = find(named.provider, named.model, named.address)
    if found is None:
        return ModelCard(name)
    at = datetime.fromtimestamp(hour * 3600, UTC)
    return ModelCard(
        name,
        window=found.context_window,
        prices=convert(found.get_prices(at)),
    )


def find(provider: str, model: str, address: str | None) -> "ModelInfo | None":
    """The model's entry in the price data: by the server's address where the name has one."""
    from genai_prices.data_snapshot import get_snapshot

    vendor = VENDORS.get(provider)
    if vendor is None and address is None:
        return None
    try:
        _, found = get_snapshot().find_provider_model(
            model, None, vendor if address is None else None, address
        )
    except LookupError:
        return None
    return found


def convert(given: "ModelPrice") -> Prices | None:
    """Our Prices for a listed model; None when it is not paid by the token."""
    if given.input_mtok is None or given.output_mtok is None:
        return None
    columns = (given.input_mtok, given.output_mtok, given.cache_read_mtok, given.cache_write_mtok)
    starts = {step.start for column in columns for step in getattr(column, "tiers", ())}
    beyond = tuple((start, row(columns, start + 1)) for start in sorted(starts))
    return dataclasses.replace(row(columns, 0), beyond=beyond)


def row(columns: "Columns", input_tokens: int) -> Prices:
    """The four prices for a call with so much input."""
    input, output, read, write = (price_at(column, input_tokens) for column in columns)
    if input is None or output is None:
        raise ValueError("a model paid by the token has prices of input and output")
    return Prices.usd(input, output, read, write)


def price_at(column: "Column", input_tokens: int) -> Decimal | None:
    """A price in dollars per million tokens; crossing a step's start prices all tokens anew."""
    if column is None or isinstance(column, Decimal):
        return column
    price = column.base
    for step in column.tiers:
        if input_tokens > step.start:
            price = step.price
    return price


def common_card(name: str, cards: Sequence[ModelCard]) -> ModelCard:
    """What holds whoever of a chain answers: the dearest prices, the smallest window, the abilities
    that all have; unknown is what is unknown of one."""
    windows = [card.window for card in cards if card.window is not None]
    limits = [card.max_output for card in cards if card.max_output is not None]
    prices = [card.prices for card in cards if card.prices is not None]
    known = [card.abilities for card in cards if card.abilities is not None]
    return dataclasses.replace(
        cards[0],
        name=name,
        window=min(windows, default=None),
        max_output=min(limits, default=None),
        prices=dearest(prices) if len(prices) == len(cards) else None,
        abilities=frozenset.intersection(*known) if len(known) == len(cards) else None,
    )


def dearest(several: Sequence[Prices]) -> Prices:
    """The highest of each price, at every length of input."""
    starts = sorted({start for prices in several for start, _ in prices.beyond})
    first, *beyond = (
        dataclasses.replace(
            held[0],
            input=max(p.input for p in held),
            output=max(p.output for p in held),
            cached_read=max(p.cached_read for p in held),
            cache_write=max(p.cache_write for p in held),
            beyond=(),
        )
        for held in ([p.at(reached) for p in several] for reached in (0, *(s + 1 for s in starts)))
    )
    return dataclasses.replace(first, beyond=tuple(zip(starts, beyond, strict=True)))
