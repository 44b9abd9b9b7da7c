"""Images and files at the command: handed over, told without their bytes, written to files."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from hive import Role, Workflow
from hive.audit import Record
from hive.board.contributions import Attachment
from hive.errors import ServerFailed
from hive.journal.sqlite import SQLiteJournal
from hive.message import Attempt, Reply, Text, Usage
from hive.models import ScriptedModel
from tests.cli.conftest import Here
from tests.pictures import CHART, PHOTO, attachments

TEAM = """
from hive import Note, Role, View, Workflow
from hive.board.contributions import Attachment
from hive.message import Media

LOGO = Media.of(b"\\x89PNG\\r\\n\\x1a\\n tiny", "../../logo\\x1b[31m.png")


async def look(view: View) -> Note:
    names = [e.payload.name for e in view.entries if isinstance(e.payload, Attachment)]
    return Note(text=f"sees {', '.join(names) or 'nothing'}")


async def draw(view: View) -> Attachment:
    return Attachment.of(LOGO)


looker = Role("looker", program=look)
team = Workflow(looker >> Role("artist", writes=(Attachment,), program=draw))
"""
LETTERS = PHOTO.data[40:100]


@pytest.fixture
def told(here: Here) -> Here:
    """A folder with one run over a photo, in which a picture was made."""
    (here.folder / "eyes.py").write_text(TEAM)
    (here.folder / "photo.png").write_bytes(PHOTO.content)
    (here.folder / "chart.png").write_bytes(CHART.content)
    answer = here.hive("run", "eyes:team", "Look.", "--attach", "photo.png", "--attach=chart.png")
    assert answer.code == 0, answer.err
    return here


def test_what_is_attached_is_seen_by_the_team(told: Here) -> None:
    out = told.hive("show").out
    assert "user hands over an image: photo.png, image/png, 9,008 bytes" in out
    assert "Note sees photo.png, chart.png" in out


def test_an_image_is_told_in_words_wherever_a_run_is_told(told: Here) -> None:
    for arguments in (
        ("show",),
        ("show", "--prompts"),
        ("show", "--kind", "Attachment"),
        ("show", "--turn", "0"),
        ("show", "--follow"),
        ("diff", "last", "last"),
    ):
        answer = told.hive(*arguments)
        assert (answer.code, LETTERS in answer.out) == (0, False), arguments
    assert '"bytes": 9008' in told.hive("show", "--kind", "Attachment").out
    shown = told.hive("show", "--kind", "Attachment", "--json").json
    assert shown["entries"][0]["payload"]["data"] == PHOTO.data


def test_the_bytes_are_written_to_files_under_names_that_lead_nowhere(told: Here) -> None:
    answer = told.hive("show", "--save", "out")
    assert answer.code == 0, answer.err
    folder = told.folder / "out"
    assert sorted(path.name for path in folder.iterdir()) == [
        "0-2.0-photo.png", "0-2.1-chart.png", "2-artist-0.2-.._.._logo_31m.png",
    ]  # fmt: skip
    assert (folder / "0-2.0-photo.png").read_bytes() == PHOTO.content
    assert "out/0-2.0-photo.png  (image/png, 9,008 bytes, from 0//2.0)" in answer.out
    saved = told.hive("show", "--save", "more", "--author", "artist", "--json").json
    assert [(each["address"], each["bytes"]) for each in saved] == [("2/artist/0.2", 13)]


def test_nothing_is_written_over_and_nothing_to_write_is_said(told: Here) -> None:
    assert told.hive("show", "--save", "out").code == 0
    again = told.hive("show", "--save", "out")
    assert again.code == 2
    assert "0-2.0-photo.png cannot be written: File exists" in again.err
    none = told.hive("show", "--save", "out", "--kind", "Note")
    assert (none.code, "there is no image or file in those entries" in none.err) == (2, True)


def test_a_file_that_cannot_be_attached_is_said_before_anything_begins(here: Here) -> None:
    (here.folder / "eyes.py").write_text(TEAM)
    answer = here.hive("run", "eyes:team", "Look.", "--attach", "photo.png")
    assert answer.code == 2
    assert "photo.png cannot be attached: No such file or directory" in answer.err
    assert here.runs() == []


def test_a_run_is_handed_a_file_with_a_message(here: Here) -> None:
    (here.folder / "photo.png").write_bytes(PHOTO.content)
    team = Workflow(Role("a") >> Role("b"), model=ScriptedModel([], name="silent"))
    journal = SQLiteJournal(here.folder / ".hive" / "journal.db")

    async def break_off() -> str:
        with anyio.CancelScope() as scope:
            async with team.start("g", journal=journal) as run:
                scope.cancel()
        return run.id

    run = anyio.run(break_off)
    said = here.hive("say", run, "Look at this.", "--attach", "photo.png", "--json").json
    assert said["attached"] == [1]
    assert said["item"] == 2
    model = ScriptedModel(["seen", "so"], name="silent")
    resumed = team.with_(model=model).resume(run, journal=journal)
    anyio.run(resumed.result)
    (entry,) = attachments(Record(journal, run).entries)
    assert isinstance(entry.payload, Attachment)
    assert entry.payload.media == PHOTO
    journal.close()


# -- what a call used ---------------------------------------------------------------------------


def kept(folder: Path, *lines: Reply | Exception) -> None:
    journal = SQLiteJournal(folder / ".hive" / "journal.db")
    Workflow(Role("a"), model=ScriptedModel(lines)).run_sync("g", journal=journal)
    journal.close()


FAILED = Attempt(
    reason="rate_limited", status=429, wait=2_000_000, cost=1_500_000, tokens=120,
    model="openai:gpt-5",
)  # fmt: skip


def test_what_came_from_a_cache_and_what_was_waited_for_is_told_for_each_call(here: Here) -> None:
    reply = Reply(
        parts=(Text(text="so"),),
        usage=Usage(input=4096, output=200, cached_read=3840, cache_write=128),
        cost=1_200_000,
        attempts=(FAILED,),
        waited=2_500_000,
        left_out=("thinking of another provider",),
    )
    kept(here.folder, reply)
    out = here.hive("show").out
    assert (
        "4,096 tokens in (3,840 from a cache, 128 written to a cache), 200 out · $0.0027 · " in out
    )
    assert "2.5 s of that waited · after 1 failed attempt" in out
    assert (
        "failed attempt: rate_limited · status 429 · by openai:gpt-5 · 120 tokens"
        " · $0.0015 · then waited 2.0 s" in out
    )
    assert "not shown to it: thinking of another provider" in out
    assert "4,416 tokens (3,840 from a cache, 128 written to a cache) · $0.0027" in out


def test_the_attempts_of_a_call_that_failed_are_told_too(here: Here) -> None:
    kept(here.folder, ServerFailed("down", attempts=(FAILED,)))
    out = here.hive("show").out
    assert "failed: model error" in out
    assert "failed attempt: rate_limited · status 429" in out


def test_an_image_that_is_not_posted_is_told_with_the_answer(here: Here) -> None:
    kept(here.folder, Reply(parts=(Text(text="see"), CHART)))
    assert "[an image: chart.png, image/png, 98 bytes]" in here.hive("show").out
