"""What the tests of the board draw: JSON of every shape, and payloads made from their classes."""

import datetime
import enum
import functools
import uuid
from decimal import Decimal
from functools import partial
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from hive.board.ballots import Vote
from hive.board.contributions import Attachment, Task, TaskChange
from hive.board.payload import Payload
from hive.message import Media

LARGEST = 2**53 - 1

integers = st.integers(-LARGEST, LARGEST) | st.sampled_from([0, 1, -1, LARGEST, -LARGEST])
floats = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.builds(
        lambda m, e: float(f"{m}e{e}"), st.integers(-(10**17), 10**17), st.integers(-30, 30)
    )
    | st.sampled_from([-0.0, 0.1, 1e15, 1e16, 1e20, 1e21, 1e22, 1e-4, 1e-6, 1e-7, 5e-324, 2.0**53])
)
texts = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [
        "",
        '"\\/',
        "\x00\x1f\x7f",
        "é\u2028\u0085",
        "\U0001f41d",
        "\ufb33",
        "1.0",
        "e-",
        "[0//1] Goal by user",
    ]
)
broken_texts = st.text(st.characters(categories=["Cs", "Ll"]))
"""Texts with lone surrogates, which are no characters."""
values = st.recursive(
    st.none() | st.booleans() | integers | floats | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(texts, values, max_size=4)
media = st.builds(
    Media.of, st.binary(max_size=40), st.none() | st.sampled_from(["a.png", "é.csv", "b"])
)

LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: integers,
    bool: st.booleans(),
    float: floats,
    NoneType: st.none(),
    Any: values,
    JsonValue: values,
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    datetime.datetime: st.datetimes(timezones=st.just(datetime.UTC)),
    datetime.date: st.dates(),
    datetime.timedelta: st.timedeltas(),
    uuid.UUID: st.uuids(),
    bytes: st.binary(max_size=8).map(lambda raw: raw.hex().encode()),
    Media: media,
    Attachment: st.builds(Attachment.of, media, item=st.integers(0, 9)),
    TaskChange: st.one_of(
        st.builds(
            TaskChange,
            id=texts,
            change=st.sampled_from(["done", "failed", "skipped"]),
            reason=texts.filter(bool),
        ),
        st.builds(Task, id=texts, title=texts, needs=st.lists(texts, max_size=2).map(tuple)).map(
            lambda task: TaskChange(id=task.id, change="adjusted", reason="r", task=task)
        ),
    ),
    Vote: st.one_of(
        st.builds(Vote, reason=texts, choice=texts.filter(bool)),
        st.builds(Vote, reason=texts, ranking=st.permutations("abc").map(tuple)),
        st.builds(Vote, reason=texts, abstain=st.just(True)),
    ),
}


@functools.cache
def payloads(cls: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Instances of a class, drawn from the types of its fields; defaults are left out at times."""
    if cls in LEAVES:
        return LEAVES[cls]
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in cls.model_fields.items():
        key = name if field.alias is None else field.alias
        fitting = drawn(field.annotation)
        if field.metadata:
            bounded: Any = Annotated[field.annotation, *field.metadata]
            fits: TypeAdapter[Any] = TypeAdapter(bounded)
            fitting = fitting.filter(partial(is_valid, fits))
        (required if field.is_required() else optional)[key] = fitting
    return st.fixed_dictionaries(required, optional=optional).map(lambda data: cls(**data))


def is_valid(fits: TypeAdapter[Any], value: object) -> bool:
    try:
        fits.validate_python(value)
    except ValidationError:
        return False
    return True


def drawn(annotation: Any) -> st.SearchStrategy[Any]:
    """Values of a type."""
    if annotation in LEAVES:
        return LEAVES[annotation]
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return drawn(parts[0])
    if origin is Literal:
        return st.sampled_from(parts)
    if origin in (Union, UnionType):
        return st.one_of([drawn(part) for part in parts])
    if origin is tuple and parts[-1] is not Ellipsis:
        return st.tuples(*[drawn(part) for part in parts])
    if origin in (tuple, list):
        return st.lists(drawn(parts[0]), max_size=3).map(origin)
    if origin is dict:
        return st.dictionaries(drawn(parts[0]), drawn(parts[1]), max_size=3)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return st.sampled_from(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return st.deferred(lambda: payloads(annotation))
    raise NotImplementedError(f"no values are drawn for {annotation!r}")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    weights: tuple[float, ...] = ()
    more: "tuple[Inner, ...]" = ()


class Cat(BaseModel):
    type: Literal["cat"] = "cat"
    lives: int


class Dog(BaseModel):
    type: Literal["dog"] = "dog"
    tricks: tuple[str, ...]


class Plain(Payload):
    """Only what can be written as it is."""

    text: str
    number: int = 0
    flag: bool | None = None
    choice: Literal["a", "b", 3] = "a"
    several: tuple[str, ...] = ()
    pair: tuple[int, str] = (0, "")


class Measured(Payload):
    """Numbers of every kind."""

    value: float
    maybe: float | None = None
    exact: Decimal = Decimal(0)
    series: list[float] = Field(default_factory=list)
    by_name: dict[str, float] = Field(default_factory=dict)


class Dated(Payload):
    """Types whose JSON is text."""

    at: datetime.datetime
    day: datetime.date
    lasted: datetime.timedelta
    colour: Colour
    identity: uuid.UUID
    raw: bytes = b""


class Nested(Payload):
    """Models within models, and unions of them."""

    inner: Inner
    pet: Annotated[Cat | Dog, Field(discriminator="type")]
    pets: dict[str, Cat | Dog] = Field(default_factory=dict)
    by_colour: dict[Colour, tuple[Inner, ...]] = Field(default_factory=dict)


class Free(Payload):
    """Anything that JSON holds."""

    data: JsonValue
    more: dict[str, Any] = Field(default_factory=dict)


class Renamed(Payload):
    """A kind with a name, a version and fields with names of their own."""

    kind: ClassVar[str] = "user/renamed"
    version: ClassVar[int] = 3

    from_: str = Field(alias="from")
    inner: Inner | None = Field(default=None, alias="Inner")


OWN_KINDS: tuple[type[Payload], ...] = (Plain, Measured, Dated, Nested, Free, Renamed)
