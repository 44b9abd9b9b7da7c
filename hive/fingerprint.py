"""What a workflow is, part by part (floor 6): no journal is resumed under another one unseen."""

import re
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from typing import TYPE_CHECKING

import orjson
from pydantic import JsonValue

from hive.board.payload import Payload, schema_of
from hive.control.graphs.graph import Graph
from hive.role import Role
from hive.tools.tool import Tool

if TYPE_CHECKING:
    from hive.workflow import Workflow

__all__ = ["LASTING", "differences", "manifest", "part_of"]

LASTING = frozenset({"budget", "in_doubt", "synthesis"})
"""Parts that may change in the middle of a turn: no request and no decision depends on them."""
NOTHING: tuple[JsonValue, ...] = (None, "", [], {})
SHORT = 100
"""Characters of a text that is shown in one line."""


def manifest(workflow: "Workflow") -> dict[str, JsonValue]:
    """Part to what it is, in words that a person can compare.

    Who approves of calls is no part of it: that may change while a run waits.
    """
    parts: dict[str, JsonValue] = {
        "graph": ruled(workflow.graph),
        "policy": workflow.policy.name,
        "allocator": spoken(workflow.allocator),
        "estimator": spoken(workflow.estimator),
        "synthesis": type(workflow.synthesis).__qualname__,
        "budget": repr(workflow.budget),
        "limits": repr(workflow.limits),
        "in_doubt": workflow.in_doubt,
    }
    if workflow.watches:
        parts["watches"] = [str(watch) for watch in workflow.watches]
    for key, model in sorted(workflow.assigned.items()):
        parts[f"model {key}"] = model if isinstance(model, str) else model.name
    for name, role in sorted(workflow.roles.items()):
        parts[f"role {name}"] = described(role)
        for tool in role.tools:
            parts[f"tool {tool.name}"] = formed(tool)
    for kind, cls in sorted(workflow.vocabulary.items()):
        parts[f"kind {kind}"] = cls.version if cls.level == "control" else shaped(cls)
    return parts


def ruled(graph: Graph) -> list[JsonValue]:
    """What a graph's runs go by: its edges, and what becomes of tasks that fail. What it promises
    beside changes no run."""
    rule = [] if graph.plan_rule is None else [str(graph.plan_rule)]
    return [*map(str, graph.edges), *rule]


def spoken(part: object) -> str:
    """A value as it reads, without the place in memory, which is another in every process."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(part))


def described(role: Role) -> dict[str, JsonValue]:
    program = role.program
    return {
        "instructions": role.instructions,
        "reads": None if role.reads is None else [*sorted(cls.kind for cls in role.reads)],
        "writes": [*sorted(cls.kind for cls in role.writes)],
        "tools": [tool.name for tool in role.tools],
        "tier": role.tier,
        **({"work": role.work} if role.work else {}),
        **({"person": True} if role.person else {}),
        "per": None if role.per is None else role.per.kind,
        "output": None if role.output is None else role.output.kind,
        "program": None if program is None else named(program),
        "corrections": role.corrections,
        "settings": role.settings.model_dump(mode="json"),
    }


def named(program: object) -> str:
    return str(getattr(program, "__qualname__", type(program).__qualname__))


def formed(tool: Tool) -> dict[str, JsonValue]:
    return {
        "description": tool.description,
        "arguments": tool.schema,
        "effect": tool.effect,
        "repeat": tool.repeat,
        "version": tool.version,
    }


def shaped(cls: type[Payload]) -> dict[str, JsonValue]:
    """A contribution's kind: its version and what it is made of."""
    schema = schema_of(cls)
    fields = schema.get("properties", {}) if isinstance(schema, dict) else {}
    return {"version": cls.version, "fields": fields}


def differences(recorded: Mapping[str, JsonValue], current: Mapping[str, JsonValue]) -> list[str]:
    """What changed between two manifests: what each difference is about, then the two sides; a
    unified diff, in lines of its own, where a text has several."""
    return [
        told
        for part in sorted({*recorded, *current})
        for told in compared(part, recorded.get(part), current.get(part))
    ]


def part_of(difference: str) -> str:
    """The part that a difference is about, as `manifest` names it."""
    return difference.partition(": ")[0]


def compared(what: str, before: JsonValue, now: JsonValue) -> Iterator[str]:
    """The differences of one thing, going into what is made of parts itself."""
    if before == now:
        return
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            yield from compared(f"{what}: {key}", before.get(key), now.get(key))
    elif before in NOTHING or now in NOTHING:
        side, how = (now, "new") if before in NOTHING else (before, "gone")
        shown = "" if isinstance(side, dict) else f": {short(side)}"
        yield f"{what}: {how}{shown}"
    elif (old := lines_of(before)) is not None and (new := lines_of(now)) is not None:
        diff = list(unified_diff(old, new, n=1, lineterm=""))[2:]
        gone, more = (sum(line[0] == sign for line in diff) for sign in "-+")
        yield "\n".join([f"{what}: {gone} lines gone, {more} new", *(f"  {each}" for each in diff)])
    else:
        yield f"{what}: {short(before)} -> {short(now)}"


def lines_of(value: JsonValue) -> list[str] | None:
    """A list of texts, or a text too long for one line, line by line; None for anything else."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return [str(each) for each in value]
    if isinstance(value, str) and ("\n" in value or len(value) > SHORT):
        return value.splitlines()
    return None


def short(value: JsonValue) -> str:
    """A value in one line."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    text = " ".join(text.split())
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"
