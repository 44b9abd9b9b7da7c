"""What `hive models` knows, as programs are told it."""

from dataclasses import dataclass, fields
from typing import Any

from hive.cli.precedence import Unused
from hive.cli.seats import Seat
from hive.cli.trying import Trial
from hive.models.catalog import ModelCard
from hive.models.naming.configured import Configured

__all__ = ["AT_HAND", "SDKS", "Known", "ProviderRow", "Shown"]

SDKS = {"anthropic": "anthropic"}
"""Providers whose SDK comes with an extra."""
AT_HAND = ("program:", "script:")
"""How the names of models begin that run in this process and ask nobody."""


@dataclass(frozen=True)
class ProviderRow:
    """A provider: `set` says whether its key is, `address` where its server is (None where a name
    must say it), `yours` that hive.toml has it."""

    name: str
    says: str
    key: str
    set: bool
    installed: bool
    address: str | None
    keyless: bool
    yours: bool

    def as_json(self) -> dict[str, Any]:
        """The documented keys."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class Known:
    """A model's card, and which of its fields the user's own cards say."""

    card: ModelCard
    yours: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The documented keys."""
        prices = self.card.prices
        usd = {
            f"{name}_usd": None if prices is None else getattr(prices, name) / 1e9
            for name in ("input", "output", "cached_read", "cache_write")
        }
        abilities = self.card.abilities
        return {
            "name": self.card.name,
            "window": self.card.window,
            "max_output": self.card.max_output,
            **usd,
            "abilities": None if abilities is None else sorted(abilities),
            "tier": self.card.tier,
            "known": prices is not None or self.card.window is not None,
            "yours": list(self.yours),
        }


@dataclass(frozen=True)
class Shown:
    """All that `hive models` tells."""

    found: Configured
    providers: list[ProviderRow]
    models: list[Known]
    seats: list[Seat]
    unused: list[Unused]
    trials: list[Trial] | None

    def as_json(self) -> dict[str, Any]:
        """The documented JSON."""
        path, trials = self.found.path, self.trials
        return {
            "file": None if path is None else str(path),
            "providers": [provider.as_json() for provider in self.providers],
            "models": [known.as_json() for known in self.models],
            "configured": [given._asdict() for given in self.found.models],
            "seats": [seat.as_json() for seat in self.seats],
            "unused": [unused.as_json() for unused in self.unused],
            "checked": None if trials is None else [trial.as_json() for trial in trials],
        }
