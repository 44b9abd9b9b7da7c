"""What a workflow is, part by part (floor 6): no journal is resumed under another one unseen."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import orjson
from pydantic import JsonValue

from hive.role import Role

if TYPE_CHECKING:
    from hive.workflow import Workflow

__all__ = ["differences", "manifest"]


def manifest(workflow: "Workflow") -> dict[str, JsonValue]:
    """Part to what it is: text where a person can compare, a digest where it is long."""
    parts: dict[str, JsonValue] = {
        "graph": [str(edge) for edge in workflow.graph.edges],
        "policy": workflow.policy.name,
        "allocator": repr(workflow.allocator),
        "estimator": digest_of(repr(workflow.estimator)),
        "synthesis": type(workflow.synthesis).__qualname__,
        "budget": repr(workflow.budget),
        "limits": repr(workflow.limits),
    }
    for key, model in sorted(workflow.assigned.items()):
        parts[f"model {key}"] = model if isinstance(model, str) else model.name
    for name, role in sorted(workflow.roles.items()):
        parts[f"role {name}"] = digest_of(describe(role))
        for tool in role.tools:
            parts[f"tool {tool.name}"] = digest_of(
                [tool.description, tool.schema, tool.effect, tool.repeat, tool.version]
            )
    for kind, cls in sorted(workflow.vocabulary.items()):
        parts[f"kind {kind}"] = cls.version
    return parts


def describe(role: Role) -> list[object]:
    program = role.program
    return [
        role.name,
        role.instructions,
        None if role.reads is None else sorted(cls.kind for cls in role.reads),
        sorted(cls.kind for cls in role.writes),
        [tool.name for tool in role.tools],
        role.tier,
        None if role.per is None else role.per.kind,
        None if role.output is None else role.output.kind,
        None if program is None else getattr(program, "__qualname__", type(program).__qualname__),
        role.corrections,
        role.settings.model_dump(mode="json"),
    ]


def digest_of(value: object) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def differences(recorded: Mapping[str, JsonValue], current: Mapping[str, JsonValue]) -> list[str]:
    """What changed between two manifests, a line for each part."""
    lines = []
    for part in sorted({*recorded, *current}):
        before, now = recorded.get(part), current.get(part)
        if before != now:
            lines.append(
                f"{part}: {before if before is not None else 'not there'} -> "
                f"{now if now is not None else 'not there'}"
            )
    return lines
