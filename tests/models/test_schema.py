from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field

from hive.models.schema import form_name, tighten


class Leaf(BaseModel):
    kind: Literal["leaf"] = "leaf"
    size: int = Field(ge=0)


class Branch(BaseModel):
    kind: Literal["branch"] = "branch"
    leaves: list[Leaf] = []
    name: str | None = Field(None, max_length=3)
    ratio: float = 1.0


class Tree(BaseModel):
    """A tree."""

    top: Leaf | Branch = Field(discriminator="kind")
    rest: list[Leaf | Branch]
    color: Literal["red", "green"] = "red"
    first: Leaf | None = Field(None, description="The first one.")


class Chain(BaseModel):
    next: "Chain | None" = None


class Counts(BaseModel):
    counts: dict[str, int]


class Anything(BaseModel):
    value: Any


class Pair(BaseModel):
    both: tuple[int, str]


def objects(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, dict):
        own = [schema] if schema.get("type") == "object" else []
        return own + [found for inner in schema.values() for found in objects(inner)]
    if isinstance(schema, list):
        return [found for inner in schema for found in objects(inner)]
    return []


leaves = st.fixed_dictionaries({"kind": st.just("leaf"), "size": st.integers(0)})
branches = st.fixed_dictionaries(
    {
        "kind": st.just("branch"),
        "leaves": st.lists(leaves, max_size=2),
        "name": st.none() | st.text(max_size=3),
        "ratio": st.floats(allow_nan=False, allow_infinity=False),
    }
)
trees = st.fixed_dictionaries(
    {
        "top": leaves | branches,
        "rest": st.lists(leaves | branches, max_size=2),
        "color": st.sampled_from(["red", "green"]),
        "first": st.none() | leaves,
    }
)


@given(trees)
def test_what_satisfies_the_tight_schema_satisfies_the_class(tree: dict[str, Any]) -> None:
    tight = tighten(Tree.model_json_schema(), recursive=False)
    assert tight is not None
    Draft202012Validator(tight).validate(tree)
    Tree.model_validate(tree)


def test_every_object_is_closed_and_has_all_required() -> None:
    tight = tighten(Tree.model_json_schema())
    assert tight is not None
    for found in objects(tight):
        assert found["additionalProperties"] is False
        assert found["required"] == list(found["properties"])
    text = str(tight)
    assert "oneOf" not in text
    assert "default" not in text
    assert "maxLength: 3" in text
    assert "'maxLength'" not in text
    assert tight["description"] == "A tree."


@pytest.mark.parametrize("kind", [Counts, Anything, Pair])
def test_what_the_dialect_cannot_say_is_said_so(kind: type[BaseModel]) -> None:
    assert tighten(kind.model_json_schema()) is None


def test_recursion_is_only_for_those_who_can() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"chain": {"$ref": "#/$defs/Chain"}},
        "$defs": Chain.model_json_schema()["$defs"],
    }
    assert tighten(schema) is not None
    assert tighten(schema, recursive=False) is None


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string"},
        {"type": "array"},
        {"anyOf": [{"type": "string"}]},
        {"type": "object"},
        {"type": "object", "properties": {"a": {"type": "strange"}}},
        {"type": "object", "properties": {"a": {"type": "array"}}},
        {"type": "object", "properties": {"a": {"anyOf": "x"}}},
        {"type": "object", "properties": {"a": True}},
        {"type": "object", "properties": {"a": {"allOf": [{}, {}]}}},
        {"type": "object", "properties": {}, "$defs": 3},
    ],
)
def test_odd_schemas_are_left_alone(schema: dict[str, Any]) -> None:
    assert tighten(schema) is None


def test_one_of_all_is_itself() -> None:
    wrapped = {"allOf": [{"type": "string"}], "description": "d"}
    either = {"type": ["string", "null"]}
    schema: dict[str, Any] = {"type": "object", "properties": {"a": wrapped, "b": either}}
    tight = tighten(schema)
    assert tight is not None
    assert tight["properties"] == {
        "a": {"description": "d", "type": "string"},
        "b": {"type": ["string", "null"]},
    }


def test_names_take_the_letters_that_providers_take() -> None:
    assert form_name("Test Report/ü") == "Test_Report__"
    assert form_name("x" * 99) == "x" * 64
    assert form_name("") == "answer"
