"""The model for a name, as workflows use it (models floor): steady where servers are not."""

from collections.abc import Collection

from hive.models.catalog import ModelCard, card, own_card
from hive.models.model import Model
from hive.models.naming.chain import members
from hive.models.naming.names import resolve
from hive.models.wrappers.failover import Failover
from hive.models.wrappers.limited import Limited
from hive.models.wrappers.retrying import Retrying

__all__ = ["steady"]

IMPATIENT = 10.0
"""Seconds that one of a chain is waited for while another could be asked."""


def steady(
    name: str,
    *,
    base_url: str | None = None,
    key: str | None = None,
    cards: Collection[ModelCard] = (),
) -> Model:
    """The model that answers to `name`, with what keeps a run going when its server falters.

    A plain name, "provider:model", keeps within the limits of its server, and is asked again after
    a failure that may pass: `Retrying(Limited(model))`. A chain,
    "anthropic:claude-opus-5 > openai:gpt-5", asks the next model when one fails; whoever is not the
    last of it is tried twice and waited for no longer than ten seconds.

    `base_url` and `key` are those of `hive.models.resolve`, which gives the bare model; they hold
    for every member of a chain. `cards` are for those members that they name. No connection is
    made, so this also checks a name. Close the model with `hive.models.close` when it is done with.

    Raises: `UnknownModel`, with what there is and what may have been meant.
    """
    models = [
        resolve(member, base_url=base_url, key=key, card=better_card(member, cards))
        for member in members(name)
    ]
    last = Retrying(Limited(models[-1]))
    if len(models) == 1:
        return last
    first = (
        Retrying(Limited(model, patience=IMPATIENT), attempts=2, patience=IMPATIENT)
        for model in models[:-1]
    )
    return Failover(*first, last)


def better_card(name: str, cards: Collection[ModelCard]) -> ModelCard | None:
    """The card to hand to a model of whom the user knows better than the catalog."""
    return None if own_card(name, cards) is None else card(name, cards=cards)
