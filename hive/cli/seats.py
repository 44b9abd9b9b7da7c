"""Which model each role of a workflow gets, and why, as far as that can be told beforehand."""

from dataclasses import dataclass

from hive.control.allocation import ANYONE, Allocation, ByComplexity, OneModel
from hive.control.complexity import LEVELS
from hive.models.catalog import ModelCard, card, card_of
from hive.role import Role
from hive.workflow import Workflow, program_name

__all__ = ["Seat", "card_for", "seats"]


@dataclass(frozen=True)
class Seat:
    """A role with one of the models it may get."""

    role: str
    model: str
    why: str

    def as_json(self) -> dict[str, str]:
        """The documented keys."""
        return {"role": self.role, "model": self.model, "why": self.why}


def seats(workflow: Workflow) -> list[Seat]:
    """Every role with every model it may get."""
    return [seat for role in workflow.roles.values() for seat in seats_of(workflow, role)]


def seats_of(workflow: Workflow, role: Role) -> list[Seat]:
    if role.program is not None:
        return [Seat(role.name, program_name(role), "the role is a program")]
    allocator = workflow.allocator
    if isinstance(allocator, ByComplexity):
        return by_complexity(workflow, role, allocator)
    if isinstance(allocator, OneModel):
        return [Seat(role.name, name_of(workflow, allocator.key), "everybody gets the one model")]
    own = type(allocator).__name__
    names = " or ".join(dict.fromkeys(name_of(workflow, key) for key in workflow.assigned))
    return [Seat(role.name, names, f"{own} decides in every turn")]


def by_complexity(workflow: Workflow, role: Role, allocator: ByComplexity) -> list[Seat]:
    """The models for each class of work, those of one key together."""
    found: dict[str, tuple[Allocation, list[str]]] = {}
    for level in LEVELS:
        allocation = allocator.pick(role, level, tuple(workflow.assigned))
        found.setdefault(allocation.model, (allocation, []))[1].append(level)
    return [
        Seat(role.name, name_of(workflow, key), reason(role, allocation, levels))
        for key, (allocation, levels) in found.items()
    ]


def reason(role: Role, allocation: Allocation, levels: list[str]) -> str:
    key = allocation.model
    work = "" if len(levels) == len(LEVELS) else f" for {' and '.join(levels)} work"
    if key == role.name:
        return f"models names the role{work}"
    if key in ANYONE:
        return f"the model for everyone{work}"
    if key == role.tier:
        return f"the role's own tier, {key!r}{work}"
    return f"tier {key!r}{work}"


def name_of(workflow: Workflow, key: str) -> str:
    given = workflow.assigned.get(key, key)
    return given if isinstance(given, str) else given.name


def card_for(workflow: Workflow, name: str) -> ModelCard:
    """What is known of a model of a workflow: its own card where it has one."""
    for given in workflow.assigned.values():
        if not isinstance(given, str) and given.name == name:
            return card_of(given)
    return card(name)
