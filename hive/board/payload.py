"""What an entry says (floor 1): typed, frozen, closed values, each of a declared kind."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, Union, get_args, get_origin

from annotated_types import BaseMetadata
from pydantic import BaseModel, ConfigDict, JsonValue, RootModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from hive.board.canonical import Form, decode, encode, has_long_number
from hive.errors import DeclarationError, PayloadError

__all__ = ["Erased", "Level", "Opaque", "Payload", "Vocabulary"]

Level = Literal["domain", "control"]


LEAVES = {str, int, bool, NoneType}
LOOSE = {float, Any, JsonValue}

AS_IT_IS, LOOKED_AT, BY_PYDANTIC = range(3)
"""How values of a type are written: as they are; once they were looked at, for free-form JSON and
floats are not always what orjson takes them for; or by pydantic's own serializers."""

Pieces = dict[type[BaseModel], tuple[str, ...] | None]
"""Classes of models that are written without pydantic, with the fields that are looked at; None
while a class is being judged."""


def form_of(cls: type[BaseModel]) -> Form | None:
    """How a class is written without pydantic's serializers; None where that cannot be."""
    pieces: Pieces = {}
    if care_of_model(cls, pieces) == BY_PYDANTIC:
        return None
    if any(one is not two and issubclass(one, two) for one in pieces for two in pieces):
        return None  # pydantic writes the fields of the class that a type names
    lasting = frozenset(piece for piece in pieces if getattr(piece, "lasting", False))
    return Form(pieces[cls] or (), {piece: loose or () for piece, loose in pieces.items()}, lasting)


def care_of(annotation: Any, pieces: Pieces) -> int:
    """How values of a type are written; the classes of models found in it are added to `pieces`."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        plain = all(isinstance(part, FieldInfo) for part in parts[1:])
        return care_of(parts[0], pieces) if plain else BY_PYDANTIC
    if annotation in LEAVES or origin is Literal:
        return AS_IT_IS
    if annotation in LOOSE:
        return LOOKED_AT
    if origin in (Union, UnionType, tuple, list):
        cares = [care_of(part, pieces) for part in parts if part is not Ellipsis]
        return max(cares, default=AS_IT_IS)
    if origin is dict and parts[0] is str:
        return max(LOOKED_AT, care_of(parts[1], pieces))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return care_of_model(annotation, pieces)
    return BY_PYDANTIC


def care_of_model(cls: type[BaseModel], pieces: Pieces) -> int:
    if cls not in pieces:
        if serializes_itself(cls):
            return BY_PYDANTIC
        pieces[cls] = None
        cares = {
            name: BY_PYDANTIC
            if not only_bounds(field.metadata) or field.serialization_alias is not None
            else care_of(field.annotation, pieces)
            for name, field in cls.model_fields.items()
        }
        if BY_PYDANTIC in cares.values():
            return BY_PYDANTIC
        pieces[cls] = tuple(name for name, care in cares.items() if care == LOOKED_AT)
    return AS_IT_IS if pieces[cls] == () else LOOKED_AT


def only_bounds(metadata: Iterable[object]) -> bool:
    """Whether what is said of a field beside its type only says which values it may have, and not
    how they are written."""
    return all(isinstance(each, BaseMetadata) for each in metadata)


def serializes_itself(cls: type[BaseModel]) -> bool:
    """Whether what a class writes cannot be seen from its fields' types."""
    own, config = cls.__pydantic_decorators__, cls.model_config
    if own.field_serializers or own.model_serializers or issubclass(cls, RootModel):
        return True
    if config.get("extra") == "allow" or "json_encoders" in config:
        return True
    if any(
        isinstance(value, cached_property) for base in cls.__mro__ for value in vars(base).values()
    ):
        return True  # its value would stand among the fields
    fields = cls.model_fields.values()
    return any(field.exclude is not None or field.exclude_if is not None for field in fields)


class Payload(BaseModel):
    """Base of everything that is posted: subclass it with typed fields and a docstring.

    The kind is the class's name unless `kind` says otherwise; `version` counts changes of its
    fields. A class may define `upgrade(data, from_version)` to read older data; what is on disk
    stays as it was written.
    """

    # With "constants", what is not finite reaches the check instead of being written as null.
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="constants"
    )

    kind: ClassVar[str] = "Payload"
    version: ClassVar[int] = 1
    level: ClassVar[Level] = "domain"
    unfolds: "ClassVar[tuple[type[Payload], ...]]" = ()
    """The kinds that `unfold` can bring along."""
    said_as: ClassVar[str] = ""
    """How a person can say one in words, where the kind has `in_words`: `yes or no, and why`."""
    _form: ClassVar[Form | None] = None
    """How the fields are written; None where pydantic must."""

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        taken = sorted(name for name in cls.model_fields if name in vars(Payload))
        if taken:
            raise DeclarationError(
                f"{cls.__qualname__} has a field named {taken[0]!r}, a word that Payload itself"
                " uses; give the field another name"
            )
        if "kind" not in cls.__dict__:
            cls.kind = cls.__name__
        cls._form = form_of(cls)

    def unfold(self) -> "Iterable[Payload]":
        """Further contributions that this one brings along, posted beside it; none by default."""
        return ()

    @classmethod
    def in_words(cls, words: str) -> Self | None:
        """What a person's own words come to; None where they are no such thing, as by default.
        A text named `text` that is all a kind requires takes any words without this."""
        return None

    def body(self) -> bytes:
        """The bytes that are stored and hashed. Raises PayloadError for what JSON cannot hold."""
        return self.written()[0]

    def written(self) -> "tuple[bytes, Payload]":
        """The bytes that are stored, and the payload as it reads in them: the same one, but for
        lone surrogates, which are replaced. Raises PayloadError for what JSON cannot hold."""
        body = None if self._form is None else self._form.encode(self.__dict__)
        if body is not None:
            return body, self
        data = self._as_data()
        try:
            body = encode(data)
        except PayloadError as error:
            raise PayloadError(f"{self.kind}.{error}") from None
        return body, self.read(body, self.version)

    def _as_data(self) -> dict[str, Any]:
        """The fields as plain data, under the names of the schema. Raises PayloadError."""
        try:
            data: dict[str, Any] = self.__pydantic_serializer__.to_python(
                self, mode="json", by_alias=True, exclude_computed_fields=True
            )
        except ValueError as error:
            raise PayloadError(f"{self.kind} cannot be written as JSON: {error}") from None
        in_order: dict[str, Any] = ordered(self, data)
        return in_order

    @classmethod
    def upgrade(cls, data: dict[str, Any], from_version: int) -> dict[str, Any]:
        """Bring data of an older version into today's form; by default it is taken as it is."""
        return data

    @classmethod
    def read(cls, body: bytes, version: int) -> Self:
        """The payload that `body` holds. Raises PayloadError when it does not fit the class."""
        if version == cls.version and not has_long_number(body):
            try:  # at once from the bytes, which takes half the time
                payload: Self = cls.__pydantic_validator__.validate_json(body)
            except ValidationError:  # said below, of what it is as plain data
                pass
            else:
                return payload
        data = decode(body)
        if version != cls.version and isinstance(data, dict):
            data = cls.upgrade(data, version)
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise PayloadError(
                f"stored {cls.kind} version {version} does not fit: {error}"
            ) from None


def ordered(value: Any, data: Any) -> Any:
    """What pydantic made of a value, with the members of sets in the order of their JSON: that in
    which they are iterated is another in every process."""
    if isinstance(value, set | frozenset) and isinstance(data, list):
        return sorted(map(ordered, value, data), key=encode)
    if isinstance(value, list | tuple) and isinstance(data, list) and len(value) == len(data):
        return list(map(ordered, value, data))
    if isinstance(value, BaseModel):
        value = value.__dict__
    if isinstance(value, Mapping) and isinstance(data, dict) and len(value) == len(data):
        return dict(zip(data, map(ordered, value.values(), data.values()), strict=True))
    return data


class Opaque(Payload):
    """An entry read without the class that wrote it: its data as plain JSON."""

    data: JsonValue

    def written(self) -> tuple[bytes, Payload]:
        return encode(self.data), self

    @classmethod
    def read(cls, body: bytes, version: int) -> Self:
        return cls(data=decode(body))


class Erased(Payload):
    """What stands for contents that were redacted: nothing is known of them any more."""


class Vocabulary(Mapping[str, type[Payload]]):
    """The kinds that a run speaks: the union of what its parts declare.

    Raises DeclarationError when two classes claim one kind.
    """

    def __init__(self, classes: Iterable[type[Payload]]) -> None:
        self._classes: dict[str, type[Payload]] = {}
        for cls in classes:
            known = self._classes.setdefault(cls.kind, cls)
            if known is not cls:
                raise DeclarationError(
                    f"{known.__module__}.{known.__qualname__} and {cls.__module__}."
                    f"{cls.__qualname__} are both of kind {cls.kind!r}; give one of them"
                    " `kind: ClassVar[str] = ...`"
                )

    def __getitem__(self, kind: str) -> type[Payload]:
        return self._classes[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)

    def read(self, kind: str, version: int, body: bytes) -> Payload:
        """The payload of a stored entry; Opaque where no class is known for its kind."""
        return self._classes.get(kind, Opaque).read(body, version)

    def schemas(self) -> dict[str, JsonValue]:
        """Kind to version, level and JSON Schema: enough to read a run without its code."""
        return {
            kind: {
                "version": cls.version,
                "level": cls.level,
                "schema": schema_of(cls),
            }
            for kind, cls in sorted(self._classes.items())
        }


@lru_cache(maxsize=4096)
def schema_of(cls: type[Payload]) -> JsonValue:
    """The JSON Schema of a kind, made once."""
    schema: JsonValue = TypeAdapter(cls).json_schema()
    return schema
