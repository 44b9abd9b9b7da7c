"""JSON Schemas in the narrower dialect that providers can hold a model to (models floor)."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import JsonValue

__all__ = ["form_name", "tighten"]

SCALARS = {"string", "number", "integer", "boolean", "null"}
KEPT = ("description", "title", "enum", "const")
UNDERSTOOD = {
    *KEPT,
    *("type", "properties", "required", "additionalProperties", "items", "$defs", "$ref"),
    *("anyOf", "oneOf", "allOf", "default", "discriminator"),
}


class Inexpressible(Exception):
    """A part of the schema has no equal in the narrower dialect."""


def tighten(
    schema: Mapping[str, JsonValue], *, recursive: bool = True
) -> dict[str, JsonValue] | None:
    """A schema whose every object is closed and has all its properties required.

    What satisfies it satisfies `schema` too, but for limits on values (lengths, patterns, ranges),
    which the dialect lacks: they are told to the model in the descriptions, and whoever reads the
    answer checks them. None when there is no such schema: for objects without named properties such
    as `dict[str, int]`, tuples, values of any type, and, unless `recursive`, types that hold
    themselves.
    """
    definitions = schema.get("$defs", {})
    if not isinstance(definitions, dict) or (not recursive and circular(definitions)):
        return None
    try:
        tight = tightened(schema)
        if definitions:
            tight["$defs"] = {name: tightened(inner) for name, inner in definitions.items()}
    except Inexpressible:
        return None
    return tight if tight.get("type") == "object" else None


def tightened(schema: object) -> dict[str, Any]:
    if not isinstance(schema, Mapping):
        raise Inexpressible
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    if isinstance(schema.get("allOf"), list) and len(schema["allOf"]) == 1:
        others = {name: value for name, value in schema.items() if name != "allOf"}
        return tightened({**schema["allOf"][0], **others})
    tight = {name: schema[name] for name in KEPT if name in schema}
    tight.update(of_kind(schema)(schema))
    limits = {name: value for name, value in schema.items() if name not in UNDERSTOOD}
    if limits:
        told = ", ".join(f"{name}: {value}" for name, value in limits.items())
        tight["description"] = f"{tight.get('description', '')} ({told})".strip()
    return tight


def of_kind(schema: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    if "anyOf" in schema or "oneOf" in schema:
        return union
    kinds: dict[object, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
        "object": closed,
        "array": listed,
        None: literal,
    }
    kind = schema.get("type")
    return scalar if not isinstance(kind, str) and kind is not None else kinds.get(kind, scalar)


def union(schema: Mapping[str, Any]) -> dict[str, Any]:
    options = schema.get("anyOf") or schema.get("oneOf")
    if not isinstance(options, list):
        raise Inexpressible
    return {"anyOf": [tightened(option) for option in options]}


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        raise Inexpressible
    return {
        "type": "object",
        "properties": {name: tightened(inner) for name, inner in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }


def listed(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "prefixItems" in schema:
        raise Inexpressible
    return {"type": "array", "items": tightened(schema.get("items"))}


def literal(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "enum" not in schema and "const" not in schema:
        raise Inexpressible
    return {}


def scalar(schema: Mapping[str, Any]) -> dict[str, Any]:
    kind = schema["type"]
    kinds = kind if isinstance(kind, list) else [kind]
    if not SCALARS.issuperset(kinds):
        raise Inexpressible
    return {"type": kind}


def circular(definitions: Mapping[str, object]) -> bool:
    """Whether a definition refers to itself, by however many steps."""
    edges = {name: set(references(inner)) for name, inner in definitions.items()}
    for start, first in edges.items():
        reached, waiting = set[str](), list(first)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += edges.get(name, ())
        if start in reached:
            return True
    return False


def references(schema: object) -> list[str]:
    if isinstance(schema, Mapping):
        own = (
            [schema["$ref"].removeprefix("#/$defs/")] if isinstance(schema.get("$ref"), str) else []
        )
        return own + [name for inner in schema.values() for name in references(inner)]
    if isinstance(schema, list):
        return [name for inner in schema for name in references(inner)]
    return []


def form_name(name: str) -> str:
    """The name in the letters that all providers take: A-Z, a-z, 0-9, _ and -, at most 64."""
    fit = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
    return fit[:64] or "answer"
