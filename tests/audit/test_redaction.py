"""Redaction: what is erased is nowhere any more, and the record says so and still verifies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import Role, Workflow, tool
from hive.audit.record import Record
from hive.audit.redaction import Told, plan, redact
from hive.audit.replay import Replayed, replay
from hive.audit.verification import verify
from hive.audit.whereabouts import Selection, select_entries, select_file, select_text
from hive.board.contributions import Note, UserMessage
from hive.board.payload import Payload
from hive.board.records import (
    Change,
    Complexity,
    Decision,
    Fault,
    Inference,
    Observation,
    Redaction,
)
from hive.errors import JournalError, RedactionRefused, RunHeld
from hive.journal.journal import Journal
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from hive.message import Request, ToolUse, Usage
from hive.models import FunctionModel
from hive.run import Result
from hive.tools import allow, ask
from tests.audit.journals import Written
from tests.cli import sample_team

SECRET = 'k3y-"päss\nzebra"'
FORMS = (
    SECRET,
    json.dumps({"key": SECRET}),
    json.dumps(json.dumps([SECRET], ensure_ascii=False)),
    f"before {SECRET} after " + "x" * 5000,
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SQLiteJournal]:
    opened = SQLiteJournal(tmp_path / "journal.db")
    yield opened
    opened.close()


def done(journal: Journal, selection: Selection) -> list[Told]:
    return redact(journal, selection, "a password", "a person", 7)[1]


def left_in(journal: SQLiteJournal, text: str = "zebra") -> list[str]:
    """The files of a journal in which a text stands."""
    files = journal.path.parent.glob(f"{journal.path.name}*")
    return [file.name for file in files if text.encode() in file.read_bytes()]


def redactions(journal: Journal, run: str) -> list[Redaction]:
    found = [entry.payload for entry in Record(journal, run).board.of_kind(Redaction)]
    return [payload for payload in found if isinstance(payload, Redaction)]


def test_an_entry_loses_its_content_and_the_record_says_why(journal: SQLiteJournal) -> None:
    written = Written(journal)
    written.note("harmless")
    entry = written.note(SECRET)
    written.end()
    assert left_in(journal)
    assert done(journal, select_entries(journal, written.run, ["2"])) == [
        Told(written.run, "entry")
    ]
    assert left_in(journal) == []
    [said] = redactions(journal, written.run)
    assert (said.why, said.by) == ("a password", "a person")
    assert said.entries == (str(entry.address),)
    assert said.contents == (entry.commitment.hex(),)
    record = Record(journal, written.run)
    last = record.entries[-1]
    assert (str(last.address), last.author, last.at) == ("9//10.0", "user", 7)
    assert record.redaction(record.entries[2]) == "[redacted: a password]"
    assert record.entries[2].as_json()["payload"] is None
    assert record.summary.state == "finished"
    assert verify(journal, written.run).erased == 1
    assert verify(journal, written.run).holds


@pytest.mark.parametrize("form", FORMS)
def test_a_text_is_found_however_it_is_written(journal: SQLiteJournal, form: str) -> None:
    written = Written(journal)
    written.board.store(form.encode())
    written.note("it names the content")
    written.note(form)
    written.note("harmless")
    written.note(form)
    written.end()
    selection = select_text(journal, written.run, SECRET)
    done(journal, selection)
    assert left_in(journal) == []
    assert verify(journal, written.run).holds
    [said] = redactions(journal, written.run)
    assert said.entries == ("1/writer/2", "1/writer/4")
    assert not select_text(journal, written.run, SECRET)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whatever_is_erased_the_run_verifies(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    journal = SQLiteJournal(tmp_path_factory.mktemp("journal") / "journal.db")
    written = Written(journal)
    texts = data.draw(st.lists(st.sampled_from(["a", "b", "c" * 5000, "d" * 4096]), min_size=1))
    entries = [written.note(f"{text}-{number % 3}") for number, text in enumerate(texts, 1)]
    last = written.end()
    for _ in range(data.draw(st.integers(1, 3))):
        some = data.draw(st.lists(st.sampled_from([*entries, last]), min_size=1))
        done(journal, select_entries(journal, written.run, [str(e.address) for e in some]))
        assert verify(journal, written.run).holds
        record = Record(journal, written.run)
        assert all(record.entries[entry.seq].erased for entry in some)
    journal.close()


def test_other_processes_that_have_the_journal_open_keep_nothing(journal: SQLiteJournal) -> None:
    written = Written(journal)
    written.note(SECRET)
    written.end()
    other = SQLiteJournal(journal.path)
    reading = other.read(written.run)
    assert next(reading).body is not None
    done(journal, select_entries(journal, written.run, ["1"]))
    assert left_in(journal) == []
    assert [stored.body is None for stored in other.read(written.run)] == [
        False,
        True,
        False,
        False,
    ]
    assert verify(other, written.run).holds
    other.close()


def test_a_long_content_that_entries_share_goes_for_all_of_them(journal: SQLiteJournal) -> None:
    written = Written(journal)
    one, other = written.note("zebra " * 1000), written.note("zebra " * 1000)
    written.end()
    done(journal, select_entries(journal, written.run, ["1"]))
    [said] = redactions(journal, written.run)
    assert said.entries == (str(one.address), str(other.address))
    assert left_in(journal) == []


def test_a_process_that_dies_in_between_is_repaired_by_doing_it_again(
    journal: SQLiteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Written(journal)
    written.note(SECRET)
    written.end()

    def dies(*_: object) -> None:
        raise JournalError("the process dies here")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "erase", dies)
        with pytest.raises(JournalError):
            done(journal, select_text(journal, written.run, SECRET))
    assert len(verify(journal, written.run).unfinished) == 1
    assert left_in(journal)
    assert done(journal, select_text(journal, written.run, SECRET)) == []
    assert len(redactions(journal, written.run)) == 1
    assert left_in(journal) == []
    assert verify(journal, written.run).unfinished == ()


def test_a_run_that_somebody_holds_is_left_alone(journal: SQLiteJournal) -> None:
    written = Written(journal)
    written.note(SECRET)
    with pytest.raises(RunHeld, match="held by a test"):
        done(journal, select_entries(journal, written.run, ["1"]))
    assert left_in(journal)
    assert redactions(journal, written.run) == []


USAGE = Usage(input=1, output=1)
DECISION = Decision(
    policy="p", chosen=0, candidates=(), strands=(), deterministic=True, reason="r",
    complexity=Complexity(level="simple", score=0),
)  # fmt: skip
CHANGED = Observation(id="1", tool="t", text="", changes=(Change(path="a", after="00" * 32),))
NEEDED: list[Payload] = [
    DECISION,
    Inference(model="m", parts=(), stop="end", usage=USAGE, digest=""),
    Fault(code="timeout", message="m"),
    Note(text="what others read"),
    CHANGED,
]


@pytest.mark.parametrize("payload", NEEDED, ids=lambda payload: payload.kind)
def test_what_a_run_is_taken_up_from_stays_until_it_has_ended(payload: Payload) -> None:
    journal = MemoryJournal()
    written = Written(journal)
    written.post(payload, "1//0", "coordinator")
    written.post(Note(text="later"), "2/writer/0")
    journal.release(written.run)
    selection = select_entries(journal, written.run, ["1//0"])
    with pytest.raises(RedactionRefused, match="taken up from what it says"):
        done(journal, selection)
    assert redactions(journal, written.run) == []
    written.again()
    written.end()
    done(journal, selection)
    assert verify(journal, written.run).erased == 1


@pytest.mark.parametrize(("number", "why"), [("0", "which run this is"), ("3", "what was erased")])
def test_what_proves_a_run_stays_for_ever(number: str, why: str) -> None:
    journal = MemoryJournal()
    written = Written(journal)
    written.note(SECRET)
    written.end()
    done(journal, select_text(journal, written.run, SECRET))
    with pytest.raises(RedactionRefused, match=why):
        done(journal, select_entries(journal, written.run, [number]))


def test_the_open_turn_stays_and_what_it_was_shown_while_the_run_can_go_on() -> None:
    journal = MemoryJournal()
    written = Written(journal)
    said = Observation(id="1", tool="t", text="closed")
    for place in range(3):
        written.post(said, f"1/writer/{place}")
    written.post(said, "2/writer/0")
    written.post(said, "2/writer/1", causes=("1/writer/1",))
    journal.release(written.run)
    with pytest.raises(RedactionRefused, match="in the middle of that turn"):
        done(journal, select_entries(journal, written.run, ["2/writer/0"]))
    with pytest.raises(RedactionRefused, match="was shown it in its newest turn"):
        done(journal, select_entries(journal, written.run, ["1/writer/1"]))
    assert done(journal, select_entries(journal, written.run, ["1/writer/0"]))


@tool(effect="read")
def look() -> str:
    """Looks something up."""
    return f"it is {SECRET}"


@tool(effect="irreversible")
def launch() -> str:
    """Launches."""
    return "launched"


def once(name: str) -> FunctionModel:
    """A mind that calls a tool, and has done with it."""

    def call(request: Request) -> str | ToolUse:
        if request.messages[-1].role == "tool":
            return f"{name} is done"
        return ToolUse(id="1", name=name, arguments={})

    return FunctionModel(call, name)


def test_a_run_that_waits_goes_on_after_a_redaction(journal: SQLiteJournal) -> None:
    scout, pilot = Role("scout", "Look.", tools=(look,)), Role("pilot", "Fly.", tools=(launch,))
    models = {"scout": once("look"), "pilot": once("launch")}
    team = Workflow(scout >> pilot, models=models, approvals=ask(effect="irreversible"))
    waits = team.run_sync("fly", journal=journal)
    assert waits.outcome == "waiting"
    done(journal, select_text(journal, waits.run, SECRET))
    assert left_in(journal) == []

    async def resumed() -> Result:
        return await team.resume(waits.run, journal=journal, approvals=allow()).result()

    assert anyio.run(resumed).finished
    assert verify(journal, waits.run).erased == 1
    assert verify(journal, waits.run).holds


def test_a_replay_of_a_fork_says_redacted_and_not_that_something_differs(
    journal: SQLiteJournal, tmp_path: Path
) -> None:
    team = sample_team.scribes

    async def main() -> tuple[str, str]:
        (tmp_path / "work").mkdir()
        began = await team.start("x", journal=journal, workspace=tmp_path / "work").result()
        fork = await Record(journal, began.run).fork(at="turn:5", workflow=team).result()
        return began.run, fork.run

    async def replayed(run: str) -> Replayed:
        return await replay(journal, run, team)

    runs = anyio.run(main)
    assert all(anyio.run(replayed, run).identical for run in runs)
    done(journal, select_text(journal, runs[0], "draft 0"))
    for run in runs:
        result = anyio.run(replayed, run)
        assert result.divergence is None
        assert result.redacted is not None


def forked(journal: Journal) -> tuple[Written, Written, Written]:
    """A run with a secret, a fork that shares it, and a fork that begins before it."""
    parent = Written(journal)
    first = parent.note("harmless")
    second = parent.post(Observation(id="1", tool="t", text=SECRET), "1/writer/2")
    parent.note("more")
    sharing = parent.fork(3, second.digest.hex())
    sharing.post(Note(text="further"), "2/writer/0")
    parent.end()
    return parent, sharing, parent.fork(2, first.digest.hex())


def test_a_fork_that_shares_a_content_says_so_too(journal: SQLiteJournal) -> None:
    parent, sharing, other = forked(journal)
    journal.release(sharing.run)
    told = done(journal, select_entries(journal, parent.run, ["2"]))
    assert told == [Told(parent.run, "entry"), Told(sharing.run, "entry")]
    assert redactions(journal, sharing.run)[0].entries == ("1/writer/2",)
    assert redactions(journal, other.run) == []
    for run in (parent, sharing, other):
        assert verify(journal, run.run).holds
    assert verify(journal, sharing.run).erased == 1
    assert left_in(journal) == []


def test_a_fork_under_way_is_told_through_its_inbox(journal: SQLiteJournal) -> None:
    parent, sharing, _ = forked(journal)
    told = done(journal, select_text(journal, parent.run, SECRET))
    assert told == [Told(parent.run, "entry"), Told(sharing.run, "inbox")]
    [item] = journal.inbox(run=sharing.run)
    assert (item.kind, item.by) == ("redacted", "a person")
    assert Redaction.read(item.text.encode(), 1).why == "a password"
    assert verify(journal, sharing.run).holds


def test_what_a_fork_shares_is_erased_where_it_stands(journal: SQLiteJournal) -> None:
    parent, sharing, _ = forked(journal)
    sharing.end()
    done(journal, select_text(journal, sharing.run, SECRET))
    assert left_in(journal) == []
    assert [len(redactions(journal, run.run)) for run in (parent, sharing)] == [1, 1]
    assert verify(journal, parent.run).holds


def test_what_the_user_said_leaves_the_inbox_too(journal: SQLiteJournal) -> None:
    written = Written(journal)
    taken = journal.send(written.run, 1, "me", "say", "", SECRET)
    journal.send(written.run, 2, "me", "say", "", "not taken: " + SECRET)
    written.post(UserMessage(text=SECRET, item=taken), "1//8.0", "user")
    written.end()
    done(journal, select_text(journal, written.run, SECRET))
    assert left_in(journal) == []


def test_the_states_of_a_file_are_found_by_its_path(journal: SQLiteJournal) -> None:
    written = Written(journal)
    before, after = (written.board.store(body) for body in (b"the old zebra", b"the new zebra"))
    other = written.board.store(b"harmless")
    changes = (
        Change(path=".env", before_content=before, after_content=after),
        Change(path="other", after_content=other),
    )
    written.post(Observation(id="1", tool="t", text="", changes=changes), "1/writer/0")
    written.end()
    selection = select_file(journal, written.run, ".env")
    assert set(selection.contents) == {before, after}
    done(journal, selection)
    assert left_in(journal) == []
    assert verify(journal, written.run).holds
    assert Record(journal, written.run).content(other) == b"harmless"


def test_a_redaction_of_very_many_contents_is_stored_like_any_long_one(
    journal: SQLiteJournal,
) -> None:
    written = Written(journal)
    for number in range(80):
        written.note(f"{SECRET} {number}")
    written.end()
    selection: Any = select_text(journal, written.run, SECRET)
    assert len(plan(journal, selection).owners[0].entries) == 80
    done(journal, selection)
    assert left_in(journal) == []
    assert verify(journal, written.run).erased == 80
