"""Models (floor 2): minds behind one method. No provider's SDK is imported here."""

from hive.models.bound import input_bound
from hive.models.catalog import FREE, ModelCard, Prices, card, card_of
from hive.models.model import Model, check, close
from hive.models.names import resolve
from hive.models.scripted import FunctionModel, ScriptedModel

__all__ = [
    "FREE",
    "FunctionModel",
    "Model",
    "ModelCard",
    "Prices",
    "ScriptedModel",
    "card",
    "card_of",
    "check",
    "close",
    "input_bound",
    "resolve",
]
