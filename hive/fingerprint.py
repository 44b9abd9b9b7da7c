"""What a workflow is, part by part (floor 6): no journal is resumed under another one unseen."""

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import orjson
from pydantic import JsonValue

from hive.board.canonical import decode
from hive.board.records import RunStarted
from hive.errors import JournalError
from hive.journal.journal import Journal
from hive.role import Role

if TYPE_CHECKING:
    from hive.workflow import Workflow

__all__ = ["check_fingerprint", "differences", "manifest"]


def manifest(workflow: "Workflow") -> dict[str, JsonValue]:
    """Part to what it is: text where a person can compare, a digest where it is long."""
    parts: dict[str, JsonValue] = {
        "graph": [str(edge) for edge in workflow.graph.edges],
        "policy": workflow.policy.name,
        "allocator": spoken(workflow.allocator),
        "estimator": digest_of(spoken(workflow.estimator)),
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


def spoken(part: object) -> str:
    """A value as it reads, without the place in memory, which is another in every process."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(part))


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


def check_fingerprint(workflow: "Workflow", first: RunStarted, journal: Journal, run: str) -> None:
    """Refuse to go on under a workflow that differs from the recorded one."""
    kept = journal.content(run, first.fingerprint)
    body = None if kept is None else kept.body
    recorded: Mapping[str, JsonValue] = {} if body is None else decode(body)
    changed = differences(recorded, decode(workflow.manifest_bytes))
    if changed:
        raise JournalError(
            f"run {run} was made by another workflow; it differs in:\n  " + "\n  ".join(changed)
        )
