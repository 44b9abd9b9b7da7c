"""From a function's signature to the schema and the check of its arguments (floor 2)."""

import inspect
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic import Field as pydantic_field
from pydantic import create_model as pydantic_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, PydanticJsonSchemaWarning
from pydantic_core import ErrorDetails, PydanticUndefined

from hive.errors import DeclarationError, ToolError
from hive.tools.call import Call

__all__ = ["Signature"]

Field = tuple[Any, Any]
"""A type, and pydantic's field with default and alias."""
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
        taken = [parameter for parameter in parameters if parameter.name in self._names]
        fields = [field_of(parameter, hints, self._name) for parameter in taken]
        try:
            self._model, self.schema = build(fields)
        except UNBUILDABLE as error:
            self._blame(taken, fields)
            raise DeclarationError(f"tool {self._name!r} has no schema: {error}") from None

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

    def _blame(self, parameters: list[inspect.Parameter], fields: list[Field]) -> None:
        """Raise DeclarationError for the first parameter that has no schema by itself."""
        for parameter, field in zip(parameters, fields, strict=True):
            try:
                build([field])
            except UNBUILDABLE as error:
                reason = str(error).partition("\n")[0]
                raise DeclarationError(
                    f"parameter {parameter.name!r} of tool {self._name!r} has a type or default"
                    f" from which no schema can be built ({reason}); use JSON-shaped types: str,"
                    " int, float, bool, list, dict, Literal or a model"
                ) from None

    def _complaint(self, errors: list[ErrorDetails]) -> str:
        lines = [describe(error) for error in errors]
        known = ", ".join(self._names) or "none"
        return f"invalid arguments for {self._name}: {'; '.join(lines)}. It takes: {known}"


class PlainSchema(GenerateJsonSchema):
    """JSON Schema without the titles that repeat each field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def field_of(parameter: inspect.Parameter, hints: Mapping[str, Any], tool: str) -> Field:
    """A parameter as a field of the model, under its own name as alias."""
    where = f"parameter {parameter.name!r} of tool {tool!r}"
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise DeclarationError(f"{where} is {parameter.kind.description}; give it a plain name")
    if parameter.name not in hints:
        raise DeclarationError(f"{where} has no type; write one, as in `{parameter.name}: str`")
    default = PydanticUndefined if parameter.default is parameter.empty else parameter.default
    return hints[parameter.name], pydantic_field(default=default, alias=parameter.name)


def build(fields: list[Field]) -> tuple[type[BaseModel], dict[str, JsonValue]]:
    """A model with these fields, numbered, and its schema. Raises one of UNBUILDABLE."""
    named: dict[str, Any] = {f"argument{index}": field for index, field in enumerate(fields)}
    model = pydantic_model("Arguments", __config__=ConfigDict(extra="forbid"), **named)
    with warnings.catch_warnings():
        warnings.simplefilter("error", PydanticJsonSchemaWarning)
        schema: dict[str, JsonValue] = model.model_json_schema(schema_generator=PlainSchema)
    schema.pop("title", None)
    schema.setdefault("properties", {})
    return model, schema


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
