"""What users test with (rim): doubles, a clock and a gate worked by hand, one role alone, boards
compared by address; a model server that does what a script says, faults too; and the tests that
every model backend should pass.

    gate = Gate()
    model = GatedModel(ScriptedModel(["slow"]), gate)
    async with workflow.with_models(writer=model).start("A haiku.") as run:
        await gate.arrived("script:replies")     # the call is on record and waits
        gate.release("script:replies")
"""

import sys
from typing import TYPE_CHECKING, Any

from hive.audit.comparison import Comparable, comparable
from hive.models import FunctionModel, ScriptedModel
from hive.testing import faults
from hive.testing.clock import ManualClock
from hive.testing.gate import Gate, GatedModel
from hive.testing.loopback import loopback
from hive.testing.person import ScriptedPerson
from hive.testing.play import play
from hive.testing.received import Received

if TYPE_CHECKING:
    from hive.testing.conformance import ModelConformance

__all__ = [
    "Comparable",
    "FunctionModel",
    "Gate",
    "GatedModel",
    "ManualClock",
    "ModelConformance",
    "Received",
    "ScriptedModel",
    "ScriptedPerson",
    "comparable",
    "faults",
    "loopback",
    "play",
]


def __getattr__(name: str) -> Any:
    """The conformance suite, which needs pytest, once it is asked for."""
    if name != "ModelConformance":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pytest

    if "hive.testing.conformance" not in sys.modules:  # so that failed asserts show their values
        pytest.register_assert_rewrite("hive.testing.conformance")
    from hive.testing.conformance import ModelConformance

    return ModelConformance


def __dir__() -> list[str]:
    return sorted(__all__)
