"""Images and files from the user: on the board, shown, kept once, and gone where that is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from hive import Graph, Note, Role, View, Workflow, finish, handoff, start, stop, turns
from hive.audit import Record
from hive.audit.archive import copy_run
from hive.audit.prompts import prompt
from hive.audit.redaction import redact
from hive.audit.replay import replay
from hive.audit.whereabouts import select_entries
from hive.board.contributions import Attachment
from hive.board.records import Fault, Request
from hive.errors import DeclarationError
from hive.journal.inbox import send
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from hive.message import MOST_BYTES, Media, Text, ToolUse
from hive.models import ScriptedModel
from hive.testing import Gate
from tests.interrupted import gated as held_up
from tests.interrupted import only, paused
from tests.pictures import BEES, CHART, PHOTO, altered, attachments, seen
from tests.sound import sound
from tests.spoken import gated, places, replayed

QUIET = Role("quiet", reads=(Note,))
GOAL = "What is in the picture?"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SQLiteJournal]:
    opened = SQLiteJournal(tmp_path / "journal.db")
    yield opened
    opened.close()


def looked_at(journal: SQLiteJournal | None = None) -> tuple[Record, ScriptedModel, Workflow]:
    """A run over a photo, by one who looks at it and one who does not read attachments."""
    model = ScriptedModel(["a bee", "so be it"])
    team = Workflow(Role("looker") >> QUIET, model=model)
    kept = journal or MemoryJournal()
    result = team.run_sync(GOAL, attachments=[PHOTO], journal=kept, seed=1)
    sound(result.entries)
    return Record(kept, result.run), model, team


def test_what_the_user_hands_over_stands_beside_the_goal_as_the_users_own() -> None:
    record, _, _ = looked_at()
    (entry,) = attachments(record.entries)
    assert (str(entry.address), entry.author, entry.origin) == ("0//2.0", "user", "user")
    assert entry.payload == Attachment.of(PHOTO)
    assert entry.payload.media == PHOTO


def test_an_attachment_is_shown_as_a_line_and_the_image_to_roles_that_read_it() -> None:
    _, model, _ = looked_at()
    goal, line, image, *_ = model.requests[0].messages[0].parts
    assert isinstance(line, Text)
    assert line.text == (
        '[0//2.0] Attachment by user (outside)\n{"bytes":9008,"item":0,"media_type":"image/png",'
        '"name":"photo.png","text":"an image: photo.png, image/png, 9,008 bytes"}'
    )
    assert image == PHOTO.model_copy(update={"source": "0//2.0"})
    assert isinstance(goal, Text)
    assert goal.source == "0//1"
    assert model.requests[0].stable == 3
    assert [seen(request) for request in model.requests] == [["photo.png"], []]


def test_nobody_vouches_for_what_is_in_a_file_so_whoever_sees_it_speaks_from_outside() -> None:
    record, _, _ = looked_at()
    labels = {entry.kind: entry.label for entry in record.turn(1)}
    assert attachments(record.entries)[0].label == "outside"
    assert (labels["Inference"], labels["Note"]) == ("outside", "outside")
    plain = Workflow(Role("looker"), model=ScriptedModel(["a bee"])).run_sync(GOAL)
    assert {entry.label for entry in plain.entries if entry.kind == "Note"} == {"model"}


def test_other_bytes_are_another_request() -> None:
    def digest(*given: Media) -> str:
        model = ScriptedModel(["a bee"])
        Workflow(Role("looker"), model=model).run_sync(GOAL, attachments=given)
        return model.requests[0].digest

    other = altered(PHOTO)
    assert digest(PHOTO) == digest(PHOTO)
    assert len({digest(), digest(PHOTO), digest(other), digest(PHOTO, CHART)}) == 4


def test_a_role_that_is_a_program_gets_the_bytes() -> None:
    async def count(view: View) -> Note:
        sizes = [e.payload.media.size for e in view.entries if isinstance(e.payload, Attachment)]
        return Note(text=f"{sizes}")

    result = Workflow(Role("counter", program=count)).run_sync(GOAL, attachments=[PHOTO, BEES])
    assert result.text == "[9008, 14]"


def test_files_are_given_by_their_paths_too(tmp_path: Path) -> None:
    (tmp_path / "bees.csv").write_bytes(BEES.content)
    model = ScriptedModel(["two"])
    result = Workflow(Role("a"), model=model).run_sync(
        GOAL, attachments=[tmp_path / "bees.csv", str(tmp_path / "bees.csv")]
    )
    assert places(result.entries, "Attachment") == ["0//2.0", "0//2.1"]
    assert seen(model.requests[0]) == ["bees.csv", "bees.csv"]


def test_what_cannot_be_attached_is_refused_before_a_run_begins(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "film.png").write_bytes(bytes(MOST_BYTES + 1))
    team = Workflow(Role("a"), model=ScriptedModel([]))
    journal = MemoryJournal()
    wrong: tuple[tuple[Any, str], ...] = (
        ([tmp_path / "none.png"], "none.png cannot be attached: No such file or directory; name a"),
        ([tmp_path], "cannot be attached: Is a directory"),
        ([tmp_path / "empty.png"], "empty.png cannot be attached: it is empty"),
        ([tmp_path / "film.png"], "film.png is larger than 33,554,432 bytes"),
        (str(tmp_path / "film.png"), "attachments are a list"),
        ([b"bytes"], r"bytes cannot be attached: give paths, or Media\.of\(bytes, name\)"),
    )
    for given, complaint in wrong:
        with pytest.raises(DeclarationError, match=complaint):
            team.start(GOAL, attachments=given, journal=journal)
    assert journal.runs() == []


# -- the record ---------------------------------------------------------------------------------


def test_a_large_one_is_stored_once_and_its_run_verifies_and_replays(
    journal: SQLiteJournal,
) -> None:
    record, _, team = looked_at(journal)
    body = attachments(record.entries)[0].body
    assert [content.body for content in journal.kept(record.id)].count(body) == 1
    assert journal.path.read_bytes().count(PHOTO.data[:2000].encode()) <= 1
    assert record.verify().holds
    assert anyio.run(record.replay, team).identical


def test_the_prompts_of_a_record_are_those_that_were_sent() -> None:
    record, model, _ = looked_at()
    asked = record.board.of_kind(Request)
    for entry, request in zip(asked, model.requests, strict=True):
        assert prompt(record, entry).messages == request.messages


def test_a_copy_of_the_run_has_the_bytes(journal: SQLiteJournal) -> None:
    record, _, _ = looked_at(journal)
    target = MemoryJournal()
    copy_run(journal, target, record.id)
    copy = Record(target, record.id)
    assert copy.verify().holds
    assert attachments(copy.entries)[0].payload == Attachment.of(PHOTO)


def test_a_fork_sees_it_and_stores_it_no_second_time(journal: SQLiteJournal) -> None:
    record, _, _ = looked_at(journal)
    model = ScriptedModel(["a wasp", "so be it"])
    team = Workflow(Role("looker", "Look twice.") >> QUIET, model=model)

    async def fork() -> str:
        return (await record.fork(at="turn:1", workflow=team).result()).run

    forked = Record(journal, anyio.run(fork))
    assert seen(model.requests[0]) == ["photo.png"]
    assert attachments(forked.entries)[0] == attachments(record.entries)[0]
    assert not any(PHOTO.data.encode() in (c.body or b"") for c in journal.kept(forked.id))
    assert anyio.run(forked.replay, team).identical


@pytest.mark.asyncio
async def test_a_run_that_was_paused_goes_on_with_it() -> None:
    gate = Gate()
    journal = await paused(held_up(gate), gate, "a", attachments=[PHOTO])
    model = ScriptedModel(["a said", "b said"])
    team = held_up(Gate()).with_(model=model)
    result = await team.resume(only(journal).id, journal=journal, accept="workflow").result()
    assert result.finished
    assert [seen(request) for request in model.requests] == [["photo.png"]] * 2
    assert len(attachments(result.entries)) == 1


def test_what_was_redacted_is_nowhere_any_more(journal: SQLiteJournal) -> None:
    record, _, team = looked_at(journal)
    redact(journal, select_entries(journal, record.id, ["0//2.0"]), "a face", "a person", 7)
    piece = PHOTO.data[200:260].encode()
    files = journal.path.parent.glob(f"{journal.path.name}*")
    assert [file.name for file in files if piece in file.read_bytes()] == []
    after = Record(journal, record.id)
    assert after.verify().holds
    assert prompt(after, after.board.of_kind(Request)[0]).messages[0].parts[1].text == (  # type: ignore[union-attr]
        "[0//2.0] Attachment by user (outside)\n(erased)"
    )
    again = anyio.run(replay, journal, record.id, team)
    assert str(again.redacted and again.redacted.address) == "0//2.0"


# -- said to a run under way ----------------------------------------------------------------------


@pytest.mark.asyncio
async def test_what_is_attached_to_a_message_is_seen_from_the_next_decision_on() -> None:
    gate = Gate()
    async with gated(gate).start("g") as run:
        await gate.arrived("a")
        run.say("Look at these.", attachments=[PHOTO, BEES], by="user:ann")
        gate.open()
    result = await run.result()
    sound(result.entries)
    handed = attachments(result.entries)
    assert [str(entry.address) for entry in handed] == ["1//11.0", "1//11.1"]
    assert places(result.entries, "UserMessage") == ["1//8.0"]
    assert {(e.author, e.origin, e.label) for e in handed} == {("user", "user:ann", "outside")}
    causes = {e.author: e.causes for e in result.entries if e.kind == "Request"}
    assert "1//11.0" in causes["c"]
    assert "1//11.0" not in causes["b"], "b reads nothing but findings"
    await replayed(run)


@pytest.mark.asyncio
async def test_a_fork_hears_and_sees_what_its_parent_was_told() -> None:
    gate, journal = Gate(), MemoryJournal()
    team = gated(gate)
    async with team.start("g", journal=journal) as run:
        await gate.arrived("a")
        run.say("Look at this.", attachments=[PHOTO])
        gate.open()
    await run.result()
    fork = Record(journal, run.id).fork(at="turn:1", workflow=team)
    result = await fork.result()
    assert [str(entry.address) for entry in attachments(result.entries)] == ["1//11.0"]
    assert places(result.entries, "UserMessage") == ["1//8.0"]
    assert result.paid_usd == 0
    await replayed(fork)


@pytest.mark.asyncio
async def test_what_was_attached_while_nobody_was_at_work_is_taken_once() -> None:
    gate = Gate()
    journal = await paused(held_up(gate), gate, "a")
    run = only(journal).id
    body = Attachment.of(CHART).body().decode()
    send(journal, run, "attach", by="user:ann", text=body)
    send(journal, run, "attach", by="user:ann", text="no attachment")
    gate = Gate()
    with anyio.CancelScope() as scope:
        async with held_up(gate).resume(run, journal=journal):
            await gate.arrived("a")
            gate.release("a")
            await gate.arrived("b")
            scope.cancel()
    gate = Gate()
    gate.open()
    result = await held_up(gate).resume(run, journal=journal).result()
    (entry,) = attachments(result.entries)
    assert isinstance(entry.payload, Attachment)
    assert (entry.payload.media, entry.payload.item) == (CHART, 1)


def test_a_model_cannot_make_its_words_pass_for_what_was_handed_over() -> None:
    forged = {**Attachment.of(CHART).model_dump(), "item": 1}
    model = ScriptedModel([ToolUse(id="1", name="post_Attachment", arguments=forged), "done"])
    role = Role("painter", writes=(Note, Attachment))
    result = Workflow(role, model=model).run_sync("Paint.")
    assert attachments(result.entries) == []
    assert [e.payload.code for e in result.entries if isinstance(e.payload, Fault)] == [
        "write_refused"
    ]


def test_what_came_with_the_goal_stays_in_view_when_old_entries_leave_it() -> None:
    a, b = Role("a"), Role("b")
    graph = Graph(
        start(a), handoff(a, b), handoff(b, a), finish(b, when=turns(12)), stop(when=turns(20))
    )
    model = ScriptedModel(["x" * 11_000] * 12)
    Workflow(graph, model=model).run_sync(GOAL, attachments=[PHOTO])
    assert [seen(request) for request in model.requests] == [["photo.png"]] * 12
    assert "older entries are left out" in model.requests[-1].messages[0].text
