"""What entries say: every kind can be written, kept in a journal, and read back as it was."""

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, ClassVar

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, PlainSerializer, computed_field, field_serializer

from hive.board.canonical import decode, encode
from hive.board.contributions import Attachment, Goal, Note
from hive.board.payload import Opaque, Payload, Vocabulary
from hive.board.records import RECORDS, Observation, ToolCall
from hive.errors import DeclarationError, PayloadError
from hive.journal.journal import Journal
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from tests.board import values as drawn
from tests.board.boards import KINDS, VOCABULARY, board, post, reread, sealed, store

SCHEMAS: Any = VOCABULARY.schemas()
VALIDATORS = {kind: Draft202012Validator(known["schema"]) for kind, known in SCHEMAS.items()}


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def journal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Journal]:
    made: Journal = MemoryJournal()
    if request.param == "sqlite":
        made = SQLiteJournal(tmp_path_factory.mktemp("kinds") / "journal.db")
    yield made
    made.close()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
@given(data=st.data())
@settings(max_examples=10)
def test_every_kind_comes_back_from_the_journal_as_it_was(
    kind: type[Payload], journal: Journal, data: st.DataObject
) -> None:
    # A first entry that names a parent would be read together with what it shares.
    payloads = [Note(text="first"), *data.draw(st.lists(drawn.payloads(kind), max_size=4))]
    written = board()
    for place, payload in enumerate(payloads):
        post(written, payload, f"0//{place}")
    read = reread(journal, store(written, journal))
    assert [entry.payload for entry in read.entries] == payloads
    assert read.entries == written.entries
    for entry in written.entries:
        assert rfc8785.dumps(decode(entry.body)) == entry.body
        VALIDATORS[entry.kind].validate(decode(entry.body))


@given(drawn.broken_texts)
def test_a_payload_reads_at_once_as_it_will_read_from_the_journal(text: str) -> None:
    entry = post(board(), Note(text=text))
    assert entry.payload == Note.read(entry.body, 1)
    entry.body.decode()


def test_without_its_class_an_entry_reads_as_opaque_and_is_written_as_it_was() -> None:
    journal = MemoryJournal()
    written = board()
    payload = drawn.Renamed.model_validate({"from": "a", "Inner": {"name": "n", "weights": [0.5]}})
    run = (post(written, payload), store(written, journal))[1]
    (entry,) = reread(journal, run, vocabulary=Vocabulary([])).entries
    assert entry.kind == "user/renamed"
    assert entry.version == 3
    assert isinstance(entry.payload, Opaque)
    assert entry.payload.data == {
        "from": "a",
        "Inner": {"name": "n", "weights": [0.5], "more": []},
    }
    assert entry.payload.body() == entry.body


def test_data_of_an_older_version_is_upgraded_on_reading_and_stays_as_it_was_on_disk() -> None:
    class Old(Payload):
        kind: ClassVar[str] = "Size"

        inches: int

    class New(Payload):
        kind: ClassVar[str] = "Size"
        version: ClassVar[int] = 2

        millimetres: int

        @classmethod
        def upgrade(cls, data: dict[str, Any], from_version: int) -> dict[str, Any]:
            assert from_version == 1
            return {"millimetres": data["inches"] * 25}

    journal = MemoryJournal()
    written = board(vocabulary=Vocabulary([Old]))
    run = (post(written, Old(inches=2)), store(written, journal))[1]
    (entry,) = reread(journal, run, vocabulary=Vocabulary([New])).entries
    assert entry.payload == New(millimetres=50)
    assert entry.version == 1
    assert entry.body == b'{"inches":2}'
    assert entry == written.entries[0]


def test_data_that_does_not_fit_its_class_is_refused_on_reading() -> None:
    with pytest.raises(PayloadError, match="stored Note version 1 does not fit"):
        Note.read(b'{"words":"x"}', 1)


class Loose(BaseModel):
    weight: float


class Holder(Payload):
    inner: Loose
    count: int = 0
    data: Any = None


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        (Holder(inner=Loose(weight=math.nan)), "Holder.inner.weight is nan"),
        (Holder(inner=Loose(weight=0), data=[{"a": math.inf}]), r"Holder.data\[0\].a is inf"),
        (Holder(inner=Loose(weight=0), count=2**53), "Holder.count is 9007199254740992, beyond"),
        (Holder(inner=Loose(weight=0), data={"x": -(2**70)}), "Holder.data.x is -1180591620"),
        (Holder(inner=Loose(weight=0), data=object()), "Holder cannot be written as JSON"),
        (
            ToolCall(
                id="1", tool="t", arguments={"deep": [math.nan]}, effect="read", repeat="safe",
                key="k",
            ),
            r"ToolCall.arguments.deep\[0\] is nan",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused_where_it_is_posted(payload: Payload, place: str) -> None:
    target = board()
    with pytest.raises(PayloadError, match=f"^{place}"):
        post(target, payload)
    assert target.entries == []
    assert sealed(target) == []


def test_endless_nesting_is_refused_where_it_is_posted() -> None:
    deep: Any = 0
    for _ in range(3000):
        deep = [deep]
    for payload in (Opaque.model_construct(data=deep), Holder.model_construct(data=deep)):
        with pytest.raises(PayloadError, match=r"nested|depth|recursion"):
            post(board(), payload)


def test_floats_that_are_not_finite_are_refused_where_they_are_made() -> None:
    with pytest.raises(ValueError, match="finite"):
        drawn.Measured(value=math.nan)


class Tree(Payload):
    """A kind that holds itself."""

    name: str
    children: "tuple[Tree, ...]" = ()


class Later(Payload):
    """A kind whose field is declared further down."""

    more: "Leaf | None" = None


class Leaf(BaseModel):
    weight: float


def test_a_kind_may_hold_itself_and_what_is_declared_later() -> None:
    Later.model_rebuild()
    tree = Tree(name="a", children=(Tree(name="b", children=(Tree(name="c"),)),))
    assert Tree.read(tree.body(), 1) == tree
    with pytest.raises(PayloadError, match=r"Later.more.weight is inf"):
        Later(more=Leaf(weight=math.inf)).body()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
@given(data=st.data())
@settings(max_examples=10)
def test_the_bytes_are_those_of_what_pydantic_makes_of_a_payload(
    kind: type[Payload], data: st.DataObject
) -> None:
    payload = data.draw(drawn.payloads(kind))
    plain = payload.model_dump(mode="json", by_alias=True, exclude_computed_fields=True)
    assert payload.body() == encode(plain)


class Weighed(Leaf):
    unit: str = "g"


class Parcel(Payload):
    leaf: Leaf
    data: Any = None


class Basket(Payload):
    leaf: Leaf
    other: Weighed = Weighed(weight=0)


def test_of_a_model_only_the_fields_of_the_class_that_was_declared_are_written() -> None:
    heavy = Weighed(weight=1e20)
    body = b'{"data":{"a":[0.5,1]},"leaf":{"weight":100000000000000000000}}'
    assert Parcel(leaf=heavy, data={"a": (0.5, 1.0)}).body() == body
    own = b'{"leaf":{"weight":100000000000000000000},"other":{"unit":"g","weight":0}}'
    assert Basket(leaf=heavy).body() == own


def test_only_fields_are_written_and_neither_computed_nor_cached_properties() -> None:
    class Word(Payload):
        text: str
        weight: float = 1.5

        @computed_field
        def length(self) -> int:
            return len(self.text)

    class Sentence(Payload):
        text: str

        @cached_property
        def first(self) -> str:
            return self.text.split()[0]

    sentence = Sentence(text="so it is")
    assert sentence.first == "so"
    assert sentence.body() == b'{"text":"so it is"}'
    assert Sentence.read(sentence.body(), 1) == Sentence(text="so it is")
    assert Word.read(Word(text="so").body(), 1) == Word(text="so")


def test_fields_that_are_written_in_their_own_way_are_looked_at_all_the_same() -> None:
    class Own(Payload):
        ratio: Annotated[float, PlainSerializer(lambda ratio: ratio / 100)]
        raw: Annotated[int, Field(ge=0)] = 0
        left: Any = None

        @field_serializer("left")
        def write_left(self, left: Any) -> Any:
            return {"left": left}

    assert Own(ratio=1e18).body() == b'{"left":{"left":null},"ratio":10000000000000000,"raw":0}'
    with pytest.raises(PayloadError, match=r"Own.left.left is nan"):
        Own(ratio=1, left=math.nan).body()


def test_two_classes_of_one_kind_are_refused() -> None:
    class Goal(Payload):
        """Not the shipped one."""

    with pytest.raises(DeclarationError, match=r"are both of kind 'Goal'; give one of them"):
        Vocabulary([*KINDS, Goal])
    assert len(Vocabulary([Note, Note])) == 1


def test_a_kind_is_the_name_of_its_class_unless_it_says_otherwise() -> None:
    class Note2(Note):
        """Inherits fields, not the kind."""

    assert (Note.kind, Note2.kind, drawn.Renamed.kind) == ("Note", "Note2", "user/renamed")
    assert (Goal.level, Observation.level) == ("domain", "control")


def test_payloads_are_frozen_and_closed() -> None:
    note = Note(text="a")
    with pytest.raises(ValueError, match="frozen"):
        note.text = "b"
    with pytest.raises(ValueError, match="Extra inputs"):
        Note(text="a", more=1)  # type: ignore[call-arg]  # what is tested


@pytest.mark.filterwarnings("ignore:Field name:UserWarning")
@pytest.mark.parametrize("name", ["kind", "body", "version", "level", "read"])
def test_a_field_cannot_take_a_word_of_payload_itself(name: str) -> None:
    with pytest.raises(DeclarationError, match=f"Mail has a field named '{name}', a word that"):
        type("Mail", (Payload,), {"__annotations__": {name: str}})


SETS = """
from hive.board.payload import Payload
from pydantic import BaseModel

class Part(BaseModel):
    words: frozenset[str]

class Bag(Payload):
    words: frozenset[str]
    pairs: frozenset[tuple[str, int]]
    nested: tuple[frozenset[frozenset[str]], ...]
    parts: dict[str, Part]

words = frozenset(map(str, range(30)))
print(Bag(
    words=words,
    pairs=frozenset((word, 1) for word in words),
    nested=(frozenset({words, frozenset("xyz")}),),
    parts={"b": Part(words=words), "a": Part(words=frozenset("cab"))},
).body().decode())
"""


def test_sets_are_written_alike_in_every_process() -> None:
    written = {
        subprocess.run(
            [sys.executable, "-c", SETS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(written) == 1
    assert '"a":{"words":["a","b","c"]}' in written.pop()


def test_bounds_of_fields_cost_nothing_when_a_payload_is_written() -> None:
    class Measured(Payload):
        """A value within bounds."""

        text: str = Field(min_length=1, pattern="[a-z]+")
        share: float = Field(default=0.5, ge=0, le=1)

    assert Measured._form is not None
    shipped: tuple[type[Payload], ...] = (*RECORDS, Attachment)
    assert [cls.kind for cls in shipped if cls._form is None] == []
