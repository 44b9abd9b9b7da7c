"""What hive.toml and the environment gave a run, as it stands in the run's first entry."""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue, TypeAdapter

from hive.models.catalog import ModelCard
from hive.models.naming.configured import Configured, Given

__all__ = ["configuration_json", "recorded"]

CARD = TypeAdapter(ModelCard)


def configuration_json(found: Configured) -> dict[str, JsonValue] | None:
    """What is recorded of a configuration, None of an empty one; names are written out, so that the
    file is needed no more."""
    if not found.models and not found.cards:
        return None
    return {
        "models": [given._asdict() for given in found.models],
        "cards": [card_json(card) for card in found.cards],
    }


def card_json(card: ModelCard) -> dict[str, JsonValue]:
    said: dict[str, JsonValue] = CARD.dump_python(card, mode="json", exclude_none=True)
    if card.abilities is not None:
        said["abilities"] = [*sorted(card.abilities)]
    return said


def recorded(data: Mapping[str, Any]) -> Configured:
    """Read what `configuration_json` wrote."""
    return Configured(
        models=tuple(Given(**given) for given in data.get("models", ())),
        cards=tuple(CARD.validate_python(card) for card in data.get("cards", ())),
    )
