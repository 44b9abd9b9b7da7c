"""Images and files that tools give back and models make: on record, told, posted, served again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from hive import Note, Payload, Role, Workflow, tool
from hive.audit import Record
from hive.audit.prompts import prompt
from hive.board.contributions import Attachment
from hive.board.entry import Entry
from hive.board.records import Fault, Inference, Observation, Request
from hive.journal.memory import MemoryJournal
from hive.message import MOST_BYTES, Media, Reply, Text, ToolResult, ToolUse
from hive.message import Request as Asked
from hive.models.scripted import Line
from hive.testing import FunctionModel, Gate, GatedModel, ScriptedModel
from hive.testing.loopback import loopback
from hive.tools import Tool, ToolOutput
from tests.models.asking import each, model_at
from tests.pictures import BEES, CHART, PHOTO, attachments, seen

CALL = ToolUse(id="1", name="camera")
PAINTER = Role("painter", writes=(Note, Attachment))
ALONE = Role("alone", writes=(Attachment,))


def camera(given: object) -> Tool:
    """A tool that gives something back."""

    @tool(effect="read", name="camera")
    def look() -> object:
        """Take a picture."""
        return given

    return look


def ran(
    role: Role, *lines: Line, journal: MemoryJournal | None = None
) -> tuple[tuple[Entry, ...], list[Asked]]:
    model = ScriptedModel(lines)
    result = Workflow(role, model=model).run_sync("Look.", journal=journal)
    return result.entries, model.requests


def payloads(entries: Sequence[Entry], cls: type[Any]) -> list[Any]:
    return [entry.payload for entry in entries if isinstance(entry.payload, cls)]


def told(request: Asked) -> ToolResult:
    (result,) = request.messages[-1].parts
    assert isinstance(result, ToolResult)
    return result


# -- tools ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "text", "media"),
    [
        (PHOTO, "[an image: photo.png, image/png, 9,008 bytes]", (PHOTO,)),
        (
            ["before", PHOTO, "after", BEES],
            "before\n[an image: photo.png, image/png, 9,008 bytes]\nafter\n"
            "[a file: bees.csv, text/csv, 14 bytes]",
            (PHOTO, BEES),
        ),
        (("two", CHART), "two\n[an image: chart.png, image/png, 98 bytes]", (CHART,)),
        (ToolOutput("as it was", media=(CHART,)), "as it was", (CHART,)),
    ],
)
def test_what_a_tool_gives_back_is_on_record_and_shown_to_who_called_it(
    given: object, text: str, media: tuple[Media, ...]
) -> None:
    entries, requests = ran(Role("a", tools=(camera(given),)), CALL, "seen")
    (observation,) = payloads(entries, Observation)
    assert (observation.text, observation.media) == (text, media)
    assert (told(requests[1]).text, told(requests[1]).media) == (text, media)
    assert [e.label for e in entries if e.kind in ("Observation", "Note")] == ["outside"] * 2


def test_an_image_among_other_values_is_an_error_that_says_how_it_is_done() -> None:
    for given, complaint in (
        ([PHOTO, 7], "returned a int beside an image or a file; only texts can stand there"),
        ({"it": PHOTO}, "an image or a file is returned by itself, or in a list with texts"),
    ):
        _, requests = ran(Role("a", tools=(camera(given),)), CALL, "seen")
        assert told(requests[1]).error
        assert complaint in told(requests[1]).text
        assert PHOTO.data[:40] not in told(requests[1]).text


def test_more_than_any_model_takes_is_not_put_on_record() -> None:
    half = Media.of(bytes(MOST_BYTES // 2 + 1), "half.bin")
    entries, requests = ran(Role("a", tools=(camera([half, half]),)), CALL, "seen")
    assert told(requests[1]).error
    assert "larger than 33,554,432 bytes" in told(requests[1]).text
    assert payloads(entries, Observation)[0].media == ()


def test_a_role_that_reads_observations_sees_the_image_and_never_its_letters() -> None:
    model = ScriptedModel([CALL, "seen", "so it is"])
    team = Role("a", tools=(camera(PHOTO),)) >> Role("b", reads=(Observation,))
    Workflow(team, model=model).run_sync("Look.")
    last = model.requests[-1]
    assert seen(last) == ["photo.png"]
    assert PHOTO.data[:40] not in last.messages[0].text
    assert '"media":[{"bytes":9008,"media_type":"image/png","name":"photo.png"}]' in (
        last.messages[0].text
    )


def test_a_fork_and_a_replay_are_served_the_image_and_the_tool_is_not_called_again() -> None:
    calls: Counter[str] = Counter()

    @tool(effect="egress", name="camera")
    def look() -> Media:
        """Take a picture."""
        calls["look"] += 1
        return PHOTO

    role, journal = Role("a", tools=(look,)), MemoryJournal()
    team = Workflow(role, model=ScriptedModel([CALL, "seen"]))
    record = Record(journal, team.run_sync("Look.", journal=journal).run)
    assert anyio.run(record.replay, team).identical
    model = ScriptedModel(["seen again"])
    longer = team.with_(model=model, graph=team.graph)

    async def fork() -> str:
        return (await record.fork(at="turn:1", workflow=longer).result()).run

    forked = Record(journal, anyio.run(fork))
    (observation,) = payloads(forked.entries, Observation)
    assert (observation.media, observation.served) == ((PHOTO,), True)
    assert calls["look"] == 1
    assert forked.verify().holds


@pytest.mark.asyncio
async def test_a_run_that_was_broken_off_after_the_call_goes_on_with_its_image() -> None:
    calls: Counter[str] = Counter()

    @tool(effect="write", name="camera")
    def look() -> Media:
        """Take a picture."""
        calls["look"] += 1
        return PHOTO

    def mind(gate: Gate, shown: list[list[str | None]]) -> Workflow:
        def answer(request: Asked) -> str | ToolUse:
            shown.append(seen(request))
            return CALL if len(request.messages) == 1 else "seen"

        model = GatedModel(FunctionModel(answer), gate, lambda request: f"{len(request.messages)}")
        return Workflow(Role("a", tools=(look,)), model=model)

    gate, journal, shown = Gate(), MemoryJournal(), list[list[str | None]]()
    with anyio.CancelScope() as scope:
        async with mind(gate, shown).start("g", journal=journal) as run:
            gate.release("1")
            await gate.arrived("3")
            scope.cancel()
    gate = Gate()
    gate.open()
    result = await mind(gate, shown).resume(run.id, journal=journal).result()
    assert result.text == "seen"
    assert shown == [[], ["photo.png"]]
    assert calls["look"] == 1


def test_the_prompt_of_a_record_holds_what_the_tool_gave_back() -> None:
    journal = MemoryJournal()
    _, requests = ran(Role("a", tools=(camera(PHOTO),)), CALL, "seen", journal=journal)
    record = Record(journal, journal.runs()[0])
    last = record.board.of_kind(Request)[-1]
    assert told(prompt(record, last)).media == told(requests[1]).media == (PHOTO,)


@each
@pytest.mark.asyncio
async def test_what_is_handed_over_and_given_back_goes_over_the_wire(name: str) -> None:
    async with loopback([CALL, "seen"]) as server, model_at(server, name) as model:
        team = Workflow(Role("a", tools=(camera(CHART),)), model=model)
        result = await team.run("Look.", attachments=[PHOTO])
    assert result.text == "seen"
    sent = [json.dumps(request) for request in server.requests]
    assert [(PHOTO.data in each, CHART.data in each) for each in sent] == [
        (True, False), (True, True),
    ]  # fmt: skip
    assert [answer.left_out for answer in payloads(result.entries, Inference)] == [(), ()]


# -- models ---------------------------------------------------------------------------------------


def test_an_image_in_an_answer_is_posted_as_the_models_own() -> None:
    entries, _ = ran(PAINTER, ["Here it is.", CHART])
    (entry,) = attachments(entries)
    assert (entry.author, entry.origin, entry.label) == ("painter", "model:script:replies", "model")
    assert entry.payload == Attachment.of(CHART)
    assert entry.causes == ("1/painter/0.1",)
    assert payloads(entries, Note) == [Note(text="Here it is.")]
    assert payloads(entries, Inference)[0].parts == (Text(text="Here it is."), CHART)


@pytest.mark.parametrize("role", [PAINTER, ALONE], ids=["painter", "alone"])
def test_an_image_is_an_answer_by_itself(role: Role) -> None:
    model = ScriptedModel([CHART])
    result = Workflow(role, model=model).run_sync("Paint.")
    assert result.finished
    assert result.text == "an image: chart.png, image/png, 98 bytes"
    assert payloads(result.entries, Fault) == []


def test_a_role_that_writes_no_attachment_keeps_its_image_to_the_record() -> None:
    entries, _ = ran(Role("a"), ["see", CHART])
    assert attachments(entries) == []
    assert payloads(entries, Note) == [Note(text="see")]
    assert payloads(entries, Inference)[0].parts[-1] == CHART


def test_an_image_beside_a_call_is_posted_and_the_conversation_goes_on() -> None:
    journal = MemoryJournal()
    role = PAINTER.with_(tools=(camera("nothing"),))
    entries, requests = ran(role, [CHART, CALL], "There was nothing.", journal=journal)
    assert len(attachments(entries)) == 1
    assert payloads(entries, Note) == [Note(text="There was nothing.")]
    assert told(requests[1]).text == "nothing"
    record = Record(journal, journal.runs()[0])
    asked = record.board.of_kind(Request)[-1]
    assert prompt(record, asked).messages == requests[1].messages


def test_an_image_beside_words_that_break_the_rules_stays_and_the_words_are_corrected() -> None:
    class Size(Payload):
        """How large it is."""

        metres: int

    journal = MemoryJournal()
    role = Role("a", writes=(Size, Attachment))
    entries, requests = ran(role, ["large", CHART], '{"metres": 3}', journal=journal)
    assert len(attachments(entries)) == 1
    assert payloads(entries, Size) == [Size(metres=3)]
    record = Record(journal, journal.runs()[0])
    asked = record.board.of_kind(Request)[-1]
    assert prompt(record, asked).messages == requests[1].messages


def test_an_image_that_was_made_before_a_pause_is_posted_too() -> None:
    pause = Reply(parts=(CHART,), stop="pause")
    entries, requests = ran(PAINTER, pause, "There it is.")
    assert len(attachments(entries)) == 1
    assert seen(requests[1]) == ["chart.png"]


def test_what_a_model_makes_is_shown_to_the_next_role() -> None:
    model = ScriptedModel([[CHART, "Here."], "I see."])
    Workflow(PAINTER >> Role("critic"), model=model).run_sync("Paint.")
    assert seen(model.requests[1]) == ["chart.png"]


def test_a_role_may_take_one_strand_for_each_image() -> None:
    model = FunctionModel(lambda request: request.messages[0].text.rpartition("Work on")[2])
    describer = Role("describer", per=Attachment)
    result = Workflow(describer, model=model).run_sync("Look.", attachments=[PHOTO, CHART])
    notes = sorted(note.text for note in payloads(result.entries, Note))
    assert ["photo.png" in note for note in notes] == [True, False]
    assert ["chart.png" in note for note in notes] == [False, True]


def test_a_role_is_told_that_its_images_are_posted() -> None:
    _, requests = ran(PAINTER, "Nothing today.")
    assert "Images and files in your answers are posted as Attachment." in requests[0].system
    assert [form.name for form in requests[0].tools] == []


def test_a_kind_of_ones_own_may_hold_an_image() -> None:
    class Plate(Payload):
        """A picture with a title."""

        title: str
        picture: Media

    async def print_it(view: object) -> Plate:
        return Plate(title="Bees", picture=PHOTO)

    model, journal = ScriptedModel(["I see."]), MemoryJournal()
    press = Role("press", writes=(Plate,), program=print_it)
    Workflow(press >> Role("critic"), model=model).run_sync("Print.", journal=journal)
    assert seen(model.requests[0]) == ["photo.png"]
    assert '{"picture":{"bytes":9008,' in model.requests[0].messages[0].text
    record = Record(journal, journal.runs()[0])  # which does not know the kind
    (asked,) = (e for e in record.board.of_kind(Request) if e.author == "critic")
    assert prompt(record, asked).messages == model.requests[0].messages
