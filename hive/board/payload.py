"""What an entry says (floor 1): typed, frozen, closed values, each of a declared kind."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from hive.board.canonical import decode, encode, encode_fields
from hive.errors import DeclarationError, PayloadError

__all__ = ["Erased", "Level", "Opaque", "Payload", "Vocabulary"]

Level = Literal["domain", "control"]


LEAVES = {str, int, bool, NoneType}


def is_native(cls: type[BaseModel]) -> bool:
    """Whether a class's fields can be written as they are, without pydantic's serializers."""
    if serializes_itself(cls):
        return False
    if any(
        isinstance(value, cached_property) for base in cls.__mro__ for value in vars(base).values()
    ):
        return False  # its value would stand among the fields
    return all(
        is_native_type(field.annotation)
        and not field.metadata
        and field.serialization_alias is None
        for field in cls.model_fields.values()
    )


def serializes_itself(cls: type[BaseModel]) -> bool:
    """Whether what a class writes can be seen from its fields' types no more."""
    own = cls.__pydantic_decorators__
    if own.field_serializers or own.model_serializers or cls.model_config.get("extra") == "allow":
        return True
    fields = cls.model_fields.values()
    return any(field.exclude is not None or field.exclude_if is not None for field in fields)


def is_native_type(annotation: Any) -> bool:
    if annotation in LEAVES or get_origin(annotation) is Literal:
        return True
    if get_origin(annotation) in (Union, UnionType, tuple, list):
        return all(is_native_type(part) for part in get_args(annotation) if part is not Ellipsis)
    return False


def is_free(annotation: Any, finite: bool, inside: frozenset[Any] = frozenset()) -> bool:
    """Whether values of a type may hold what must be looked at before it is written: free-form
    JSON, keys that are anybody's choice, floats that need not be `finite`. Unknown types may."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if annotation in LEAVES or origin is Literal:
        return False
    if annotation is float:
        return not finite
    if origin in (Union, UnionType, tuple, list):
        return any(is_free(part, finite, inside) for part in parts if part is not Ellipsis)
    if origin is Annotated and all(isinstance(part, FieldInfo) for part in parts[1:]):
        return is_free(parts[0], finite, inside)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation not in inside and is_free_model(annotation, inside)
    return True


def is_free_model(cls: type[BaseModel], inside: frozenset[Any]) -> bool:
    finite = cls.model_config.get("allow_inf_nan") is False
    return serializes_itself(cls) or any(
        is_free(field.annotation, finite, inside | {cls}) for field in cls.model_fields.values()
    )


def free_fields(cls: type[BaseModel]) -> tuple[str, ...]:
    finite = cls.model_config.get("allow_inf_nan") is False
    return tuple(
        field.serialization_alias or name
        for name, field in cls.model_fields.items()
        if field.metadata or is_free(field.annotation, finite, frozenset({cls}))
    )


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
    _free: ClassVar[tuple[str, ...] | None] = ()
    """The fields that can hold free-form JSON or mappings: checked before they are written. None
    where that cannot be known and all of it is."""

    _native: ClassVar[bool] = False
    """Whether the fields can be written as they are."""

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
        cls._free = None if serializes_itself(cls) else free_fields(cls)
        cls._native = is_native(cls)

    def unfold(self) -> "Iterable[Payload]":
        """Further contributions that this one brings along, posted beside it; none by default."""
        return ()

    def body(self) -> bytes:
        """The bytes that are stored and hashed. Raises PayloadError for what JSON cannot hold."""
        return self.written()[0]

    def written(self) -> "tuple[bytes, Payload]":
        """The bytes that are stored, and the payload as it reads in them: the same one, but for
        lone surrogates, which are replaced. Raises PayloadError for what JSON cannot hold."""
        body = None
        if self._native:
            body = encode_fields(self.__dict__, ())
        elif self._free is not None:
            body = encode_fields(self._as_data(), self._free)
        if body is not None:
            return body, self
        try:
            body = encode(self._as_data())
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
        return data

    @classmethod
    def upgrade(cls, data: dict[str, Any], from_version: int) -> dict[str, Any]:
        """Bring data of an older version into today's form; by default it is taken as it is."""
        return data

    @classmethod
    def read(cls, body: bytes, version: int) -> Self:
        """The payload that `body` holds. Raises PayloadError when it does not fit the class."""
        data = decode(body)
        if version != cls.version and isinstance(data, dict):
            data = cls.upgrade(data, version)
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise PayloadError(
                f"stored {cls.kind} version {version} does not fit: {error}"
            ) from None


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
