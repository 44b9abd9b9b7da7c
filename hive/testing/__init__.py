"""What users test their teams with (rim): doubles, a clock and a gate worked by hand, one role
alone, and boards compared by address.

    gate = Gate()
    model = GatedModel(ScriptedModel(["slow"]), gate)
    async with workflow.with_models(writer=model).start("A haiku.") as run:
        await gate.arrived("script:replies")     # the call is on record and waits
        gate.release("script:replies")
"""

from hive.audit.comparison import Comparable, comparable
from hive.models import FunctionModel, ScriptedModel
from hive.testing.clock import ManualClock
from hive.testing.gate import Gate, GatedModel
from hive.testing.play import play

__all__ = [
    "Comparable",
    "FunctionModel",
    "Gate",
    "GatedModel",
    "ManualClock",
    "ScriptedModel",
    "comparable",
    "play",
]
