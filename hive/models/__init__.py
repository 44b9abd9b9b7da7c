"""Models (floor 2): minds behind one method. No provider's SDK is imported here."""

from hive.models.bound import input_bound
from hive.models.catalog import FREE, ModelCard, Prices, card, card_of
from hive.models.events import events
from hive.models.model import Model, check, close
from hive.models.naming.configured import Configured, configured
from hive.models.naming.names import resolve
from hive.models.naming.providers import PROVIDERS, Provider
from hive.models.scripted import FunctionModel, ScriptedModel
from hive.models.wrappers.cached import Cached
from hive.models.wrappers.cassette import Cassette
from hive.models.wrappers.counting import Count, Counting
from hive.models.wrappers.failover import Failover
from hive.models.wrappers.limited import Limited
from hive.models.wrappers.retrying import Retrying
from hive.models.wrappers.steady import steady

__all__ = [
    "FREE",
    "PROVIDERS",
    "Cached",
    "Cassette",
    "Configured",
    "Count",
    "Counting",
    "Failover",
    "FunctionModel",
    "Limited",
    "Model",
    "ModelCard",
    "Prices",
    "Provider",
    "Retrying",
    "ScriptedModel",
    "card",
    "card_of",
    "check",
    "close",
    "configured",
    "events",
    "input_bound",
    "resolve",
    "steady",
]
