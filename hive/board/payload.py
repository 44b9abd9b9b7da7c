"""What an entry says (floor 1): typed, frozen, closed values, each of a declared kind."""

from collections.abc import Iterable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from hive.board.canonical import decode, encode, encode_fields
from hive.errors import DeclarationError, PayloadError

__all__ = ["Level", "Opaque", "Payload", "Vocabulary"]

Level = Literal["domain", "control"]


LEAVES = {str, int, bool, NoneType}


def is_native(cls: type[BaseModel]) -> bool:
    """Whether a class's fields can be written as they are, without pydantic's serializers."""
    own = cls.__pydantic_decorators__
    if own.field_serializers or own.model_serializers:
        return False
    return all(
        is_native_type(field.annotation) and not field.metadata
        for field in cls.model_fields.values()
    )


def is_native_type(annotation: Any) -> bool:
    if annotation in LEAVES or get_origin(annotation) is Literal:
        return True
    if get_origin(annotation) in (Union, UnionType, tuple, list):
        return all(is_native_type(part) for part in get_args(annotation) if part is not Ellipsis)
    return False


def is_free(annotation: Any) -> bool:
    """Whether values of a type may hold free-form JSON, which pydantic lets pass unseen, or keys
    that are anybody's choice."""
    if annotation is Any or annotation is JsonValue or get_origin(annotation) is dict:
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(is_free(field.annotation) for field in annotation.model_fields.values())
    return any(is_free(part) for part in get_args(annotation) if part is not Ellipsis)


class Payload(BaseModel):
    """Base of everything that is posted: subclass it with typed fields and a docstring.

    The kind is the class's name unless `kind` says otherwise; `version` counts changes of its
    fields. A class may define `upgrade(data, from_version)` to read older data; what is on disk
    stays as it was written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: ClassVar[str] = "Payload"
    version: ClassVar[int] = 1
    level: ClassVar[Level] = "domain"
    unfolds: "ClassVar[tuple[type[Payload], ...]]" = ()
    """The kinds that `unfold` can bring along."""
    free: ClassVar[tuple[str, ...]] = ()
    """The fields that can hold free-form JSON or mappings: checked before they are written."""

    native: ClassVar[bool] = False
    """Whether the fields can be written as they are."""

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        if "kind" not in cls.__dict__:
            cls.kind = cls.__name__
        fields = cls.model_fields.items()
        cls.free = tuple(name for name, f in fields if is_free(f.annotation))
        cls.native = is_native(cls)

    def unfold(self) -> "Iterable[Payload]":
        """Further contributions that this one brings along, posted beside it; none by default."""
        return ()

    def body(self) -> bytes:
        """The bytes that are stored and hashed. Raises PayloadError for what JSON cannot hold."""
        return self.written()[0]

    def written(self) -> "tuple[bytes, Payload]":
        """The bytes that are stored, and the payload as it reads in them: the same one, but for
        lone surrogates, which are replaced. Raises PayloadError for what JSON cannot hold."""
        if self.native:
            body = encode_fields(self.__dict__, ())
        else:
            data = self.__pydantic_serializer__.to_python(self, mode="json")
            body = encode_fields(data, self.free)
        if body is not None:
            return body, self
        try:
            body = encode(self.__pydantic_serializer__.to_python(self, mode="json"))
        except PayloadError as error:
            raise PayloadError(f"{self.kind}.{error}") from None
        return body, self.read(body, self.version)

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
                "schema": TypeAdapter(cls).json_schema(),
            }
            for kind, cls in sorted(self._classes.items())
        }
