"""From a function's signature to the schema and the check of its arguments (floor 2)."""

import inspect
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from pydantic import create_model as pydantic_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, PydanticJsonSchemaWarning
from pydantic_core import ErrorDetails, PydanticUndefined

from hive.errors import DeclarationError, ToolError
from hive.tools.call import Call

__all__ = ["Signature"]

UNBUILDABLE = (PydanticUserError, NameError, TypeError, ValueError, PydanticJsonSchemaWarning)
"""What pydantic raises for a type it cannot handle."""


class Signature:
    """The parameters of a tool's function: their JSON Schema, and arguments checked against it.

    Raises DeclarationError that names the parameter when no schema can be built.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._name = getattr(function, "__name__", repr(function))
        hints = type_hints(function, self._name)
        parameters = inspect.signature(function).parameters.values()
        self.call_parameter = next((p.name for p in parameters if hints.get(p.name) is Call), None)
        self._names = [p.name for p in parameters if p.name != self.call_parameter]
        fields = {
            f"argument{index}": self._field(parameter, hints)
            for index, parameter in enumerate(p for p in parameters if p.name in self._names)
        }
        self._model: type[BaseModel] = pydantic_model(  # type: ignore[call-overload]
            "Arguments", __config__=ConfigDict(extra="forbid"), **fields
        )
        self.schema = schema_of(self._model)

    def check(self, arguments: Mapping[str, JsonValue]) -> dict[str, Any]:
        """The function's keyword arguments, converted to their types.

        Raises ToolError that says, for every argument, what is wrong and what would be right.
        """
        try:
            checked = self._model.model_validate(dict(arguments))
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False)
            raise ToolError(self._complaint(found)) from None
        return {
            name: getattr(checked, f"argument{index}") for index, name in enumerate(self._names)
        }

    def _field(self, parameter: inspect.Parameter, hints: Mapping[str, Any]) -> tuple[Any, Any]:
        """A parameter as a field of the model, under its own name as alias."""
        where = f"parameter {parameter.name!r} of tool {self._name!r}"
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise DeclarationError(f"{where} is {parameter.kind.description}; give it a plain name")
        if parameter.name not in hints:
            raise DeclarationError(f"{where} has no type; write one, as in `{parameter.name}: str`")
        default = PydanticUndefined if parameter.default is parameter.empty else parameter.default
        field = (hints[parameter.name], Field(default=default, alias=parameter.name))
        try:
            TypeAdapter(field[0])
            schema_of(pydantic_model("Probe", argument=field))
        except UNBUILDABLE as error:
            reason = str(error).partition("\n")[0]
            raise DeclarationError(
                f"{where} has a type or default from which no schema can be built ({reason});"
                " use JSON-shaped types: str, int, float, bool, list, dict, Literal or a model"
            ) from None
        return field

    def _complaint(self, errors: list[ErrorDetails]) -> str:
        lines = [describe(error) for error in errors]
        known = ", ".join(self._names) or "none"
        return f"invalid arguments for {self._name}: {'; '.join(lines)}. It takes: {known}"


class PlainSchema(GenerateJsonSchema):
    """JSON Schema without the titles that repeat each field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_of(model: type[BaseModel]) -> dict[str, JsonValue]:
    """The JSON Schema of a model. Raises one of UNBUILDABLE when there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", PydanticJsonSchemaWarning)
        schema: dict[str, JsonValue] = model.model_json_schema(schema_generator=PlainSchema)
    schema.pop("title", None)
    schema.setdefault("properties", {})
    return schema


def type_hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    """The types of a function's parameters; `Annotated` is kept for its descriptions."""
    try:
        return get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        missing = re.search(r"name '(\w+)'", str(error))
        culprit = f"type {missing.group(1)!r}" if missing else "a type"
        raise DeclarationError(
            f"tool {name!r}: {culprit} in its signature cannot be resolved ({error});"
            " define or import it at the top of the module"
        ) from None


def describe(error: ErrorDetails) -> str:
    """One validation error: where, what is wrong, and what was given."""
    where = ".".join(map(str, error["loc"])) or "the arguments"
    if error["type"] == "missing":
        return f"{where} is missing"
    if error["type"] == "extra_forbidden":
        return f"there is no argument {where}"
    given = repr(error["input"])
    shown = given if len(given) <= 80 else given[:77] + "..."
    return f"{where}: {error['msg'][:1].lower()}{error['msg'][1:]}, not {shown}"
