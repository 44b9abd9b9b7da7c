"""Roles that are programs: what they return is recorded and judged like a model's reply."""

import math
from collections.abc import Sequence
from typing import Any

import pytest

from hive import (
    Finding,
    Graph,
    Note,
    Payload,
    Plan,
    Role,
    Task,
    View,
    Workflow,
    finish,
    handoff,
    start,
    stop,
    turns,
)
from hive.board.entry import Entry
from hive.board.records import Fault, Inference, Request
from hive.testing import ScriptedModel, play
from tests.phases.replies import Colour

pytestmark = pytest.mark.asyncio


def posted(entries: list[Entry]) -> list[Payload]:
    return [entry.payload for entry in entries if entry.level == "domain"]


class Anything(Payload):
    """Whatever it is."""

    data: Any


def returning(*values: Any, writes: Sequence[type[Payload]] = (Note, Finding)) -> Role:
    async def program(view: View) -> Any:
        return values[0] if len(values) == 1 else values

    return Role("a", writes=tuple(writes), program=program)


async def test_one_payload_several_or_none() -> None:
    note, finding = Note(text="n"), Finding(claim="c")
    assert posted(await play(returning(note))) == [note]
    assert posted(await play(returning(note, finding, note))) == [note, finding, note]
    assert posted(await play(returning([finding]))) == [finding]
    empty: tuple[Any, ...] = (None, [], ())
    for nothing in empty:
        entries = await play(returning(nothing))
        assert [entry.kind for entry in entries] == ["Request", "Inference"]


async def test_a_program_is_on_record_like_a_model_and_costs_nothing() -> None:
    entries = await play(returning(Note(text="n")))
    request, inference, note = entries
    assert isinstance(request.payload, Request)
    assert request.payload.model == "program:returning.<locals>.program"
    assert isinstance(inference.payload, Inference)
    assert (inference.payload.cost, inference.payload.usage.input) == (0, 0)
    assert [entry.origin for entry in entries[1:]] == [request.payload.model] * 2
    assert note.label == "trusted"


async def test_a_program_sees_the_view_that_its_role_reads() -> None:
    seen: list[View] = []

    async def look(view: View) -> Note:
        seen.append(view)
        return Note(text="seen")

    given = [Finding(claim="c"), Task(id="T1", title="t"), Note(text="n")]
    await play(Role("a", reads=(Finding, Task), program=look), None, given)
    (view,) = seen
    assert [entry.kind for entry in view.entries] == ["Goal", "Finding", "Task"]
    assert view.causes == ("0//1", "0//2", "0//3")
    assert view.cause is None


async def test_a_per_program_gets_the_entry_its_strand_is_for() -> None:
    async def work(view: View) -> Note:
        assert view.cause is not None
        assert isinstance(view.cause.payload, Task)
        return Note(text=view.cause.payload.title)

    given = [Task(id=f"T{n}", title=f"task {n}") for n in range(3)]
    entries = await play(Role("a", per=Task, program=work), None, given)
    assert posted(entries) == [Note(text=f"task {n}") for n in range(3)]
    assert [entry.address.strand for entry in entries if entry.kind == "Note"] == [
        "a@0.1", "a@0.2", "a@0.3",
    ]  # fmt: skip


async def test_a_kind_that_was_not_declared_is_refused_and_the_strand_fails() -> None:
    entries = await play(returning(Note(text="n"), Colour(name="red")))
    assert posted(entries) == [Note(text="n")]
    (fault,) = [entry.payload for entry in entries if isinstance(entry.payload, Fault)]
    assert (fault.code, fault.final) == ("write_refused", True)
    assert fault.message == "role 'a' may not write Colour; it writes Finding, Note"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (7, "TypeError: 'int' object is not iterable"),
        ("text", "TypeError: it returned a str where a Payload is wanted"),
        ([Note(text="n"), "text"], "TypeError: it returned a str where a Payload is wanted"),
        (Plan, "TypeError"),
        (Anything(data=[math.nan]), "PayloadError: Anything.data[0] is nan"),
    ],
)
async def test_what_is_no_payload_is_an_error_of_the_program(value: Any, says: str) -> None:
    entries = await play(returning(value))
    (fault,) = [entry.payload for entry in entries if isinstance(entry.payload, Fault)]
    assert (fault.code, fault.final) == ("program_error", True)
    assert fault.message.startswith(says)
    assert posted(entries) == []


async def test_a_program_that_raises_leaves_a_fault_and_the_run_goes_on() -> None:
    async def broken(view: View) -> Note:
        raise LookupError("no such thing")

    first, second = Role("first", program=broken), Role("second")
    graph = Graph(start(first), handoff(first, second), finish(second), stop(when=turns(3)))
    result = await Workflow(graph, model=ScriptedModel(["went on"])).run("g")
    assert result.finished
    assert result.text == "went on"
    (entry,) = [entry for entry in result.entries if entry.kind == "Fault"]
    fault = entry.payload
    assert isinstance(fault, Fault)
    assert (fault.code, fault.final) == ("program_error", True)
    assert fault.message == "LookupError: no such thing"
    assert (entry.author, entry.origin) == ("first", "coordinator")


async def test_programs_speak_with_the_trust_of_what_they_read() -> None:
    async def repeat(view: View) -> Note:
        return Note(text=str(len(view.entries)))

    chain = Role("one") >> Role("two", program=repeat)
    result = await Workflow(chain, model=ScriptedModel(["a model's words"])).run("g")
    labels = {entry.author: entry.label for entry in result.entries if entry.kind == "Note"}
    assert labels == {"one": "model", "two": "model"}


async def test_a_program_that_is_not_async_is_told_so_on_the_board() -> None:
    def plain(view: View) -> Note:
        return Note(text="n")

    entries = await play(Role("a", program=plain))  # type: ignore[arg-type]  # what is tested
    (fault,) = [entry.payload for entry in entries if isinstance(entry.payload, Fault)]
    assert fault.code == "program_error"
    assert "await" in fault.message
