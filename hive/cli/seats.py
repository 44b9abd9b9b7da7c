"""Which model each role of a workflow gets, and why, as far as that can be told beforehand."""

from dataclasses import asdict, dataclass

from hive.cli.overrides import Settled
from hive.cli.precedence import WORKFLOW
from hive.control.allocating.allocation import ANYONE, Allocation, ByComplexity, OneModel
from hive.control.allocating.complexity import LEVELS
from hive.control.allocating.escalation import Escalation
from hive.control.allocating.preferring import NAMED, ByPreference
from hive.control.allocating.within import is_pinned
from hive.role import Role
from hive.team import program_name
from hive.workflow import Workflow

__all__ = ["Seat", "seats"]


@dataclass(frozen=True)
class Seat:
    """A role with one of the models it may get, why, and who says so: "the workflow", "--model",
    "hive.toml" or an environment variable."""

    role: str
    model: str
    why: str
    source: str

    def as_json(self) -> dict[str, str]:
        """The documented keys."""
        return asdict(self)


def seats(settled: Settled) -> list[Seat]:
    """Every role with every model it may get."""
    roles = settled.workflow.roles.values()
    return [seat for role in roles for seat in seats_of(settled, role)]


def seats_of(settled: Settled, role: Role) -> list[Seat]:
    workflow, sources = settled.workflow, settled.sources
    if not role.asks_model:
        what = "person" if role.person else "program"
        return [Seat(role.name, program_name(role), f"the role is a {what}", WORKFLOW)]
    allocator = workflow.allocator
    if isinstance(allocator, ByComplexity):
        return by_complexity(settled, role, allocator)
    if isinstance(allocator, OneModel):
        key, why = allocator.key, "everybody gets the one model"
        return [Seat(role.name, name_of(workflow, key), why, sources[key])]
    if isinstance(allocator, ByPreference):
        return by_preference(settled, role, allocator)
    if isinstance(allocator, Escalation):
        return on_ladder(settled, role, allocator)
    own = type(allocator).__name__
    names = " or ".join(dict.fromkeys(name_of(workflow, key) for key in workflow.assigned))
    said = ", ".join(dict.fromkeys(sources.values()))
    return [Seat(role.name, names, f"{own} decides in every turn", said)]


def by_complexity(settled: Settled, role: Role, allocator: ByComplexity) -> list[Seat]:
    """The models for each class of work, those of one key together."""
    workflow = settled.workflow
    found: dict[str, tuple[Allocation, list[str]]] = {}
    for level in LEVELS:
        allocation = allocator.pick(role, level, tuple(workflow.assigned))
        found.setdefault(allocation.model, (allocation, []))[1].append(level)
    return [
        Seat(
            role.name,
            name_of(workflow, key),
            reason(role, allocation, levels),
            settled.sources[key],
        )
        for key, (allocation, levels) in found.items()
    ]


def by_preference(settled: Settled, role: Role, allocator: ByPreference) -> list[Seat]:
    """The models that the preference takes for each class of work, those of one key together."""
    workflow = settled.workflow
    names = {key: name_of(workflow, key) for key in workflow.assigned}
    found: dict[str, list[tuple[str, Allocation]]] = {}
    for level in LEVELS:
        for allocation in allocator.choices(role, level, names, workflow.roles):
            found.setdefault(allocation.model, []).append((level, allocation))
    return [
        Seat(role.name, names[key], preferred(role, given), settled.sources[key])
        for key, given in found.items()
    ]


def on_ladder(settled: Settled, role: Role, ladder: Escalation) -> list[Seat]:
    """The rungs that a role may come to, the lowest first."""
    workflow, rungs = settled.workflow, ladder.rungs
    if is_pinned(role, workflow.assigned):
        return by_complexity(settled, role, NAMED)
    began = "it begins here"
    if ladder.within is not None:
        began = f"{type(ladder.within).__name__} says where it begins"
    why = [began, *["where there is doubt in its work"] * (len(rungs) - 1)]
    return [
        Seat(
            role.name,
            name_of(workflow, key),
            f"rung {rung} of {len(rungs)}: {why[rung - 1]}",
            settled.sources[key],
        )
        for rung, key in enumerate(rungs, 1)
    ]


def preferred(role: Role, given: list[tuple[str, Allocation]]) -> str:
    levels = [level for level, _ in given]
    first = given[0][1]
    if not first.options:
        return reason(role, first, levels)
    shares = [allocation.probability for _, allocation in given]
    low, high = f"{min(shares):.2g}", f"{max(shares):.2g}"
    drawn = low if low == high else f"{low} to {high}"
    return f"the preference{for_work(levels)}" + ("" if low == "1" else f", p={drawn}")


def reason(role: Role, allocation: Allocation, levels: list[str]) -> str:
    key, work = allocation.model, for_work(levels)
    if key == role.name:
        return f"models names the role{work}"
    if key in ANYONE:
        return f"the model for everyone{work}"
    if key == role.tier:
        return f"the role's own tier, {key!r}{work}"
    return f"tier {key!r}{work}"


def for_work(levels: list[str]) -> str:
    """The classes of work in words; nothing for all of them."""
    *others, last = levels
    classes = f"{', '.join(others)} and {last}" if others else last
    return "" if len(levels) == len(LEVELS) else f" for {classes} work"


def name_of(workflow: Workflow, key: str) -> str:
    given = workflow.assigned.get(key, key)
    return given if isinstance(given, str) else given.name
