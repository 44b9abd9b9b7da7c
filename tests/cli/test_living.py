"""What is said to a run from another terminal: two real processes, and a pipe the test opens."""

from __future__ import annotations

import getpass
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Any

import orjson
import pytest

from hive.audit import Record
from hive.board.records import Approval, Paused, Resumed
from tests.cli.conftest import Here
from tests.cli.test_interrupts import DEADLINE_S, read_until

USER = f"user:{getpass.getuser()}"


@pytest.fixture
def there(here: Here) -> Here:
    """The folder of `here`, with a gate at which minds and tools wait."""
    os.mkfifo(here.folder / "gate")
    return here


@contextmanager
def at_gate(there: Here) -> Iterator[int]:
    """Wait until somebody waits at the gate."""
    gate = there.folder / "gate"
    late = Timer(DEADLINE_S, lambda: os.open(gate, os.O_RDONLY | os.O_NONBLOCK))
    late.start()
    pipe = os.open(gate, os.O_WRONLY)
    late.cancel()
    try:
        yield pipe
    finally:
        os.close(pipe)


def open_gate(there: Here) -> None:
    """Let through whoever waits at the gate, or comes there next."""
    with at_gate(there) as pipe:
        os.write(pipe, b"!")


@contextmanager
def under_way(there: Here, *arguments: str, until: str) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own, once it has said something."""
    process = there.start(*arguments)
    try:
        read_until(process, until)
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code of a process, and what it said at last."""
    out, err = process.communicate(timeout=DEADLINE_S)
    assert err == ""
    return process.returncode, out


def recorded(there: Here) -> Record:
    with Record.open(there.folder / ".hive/journal.db", there.runs()[0]["id"]) as record:
        return record


def payloads(record: Record, kind: type) -> list[Any]:
    return [entry.payload for entry in record.board.of_kind(kind)]


PATIENT = ("run", "team:patient", "wait and listen", "--plain")


def test_a_message_reaches_a_run_in_another_process(there: Here) -> None:
    with under_way(there, *PATIENT, until="program:waits") as process:
        answer = there.hive("say", "last", "go left")
        assert (answer.code, answer.err) == (0, "")
        assert "its roles see this from the next decision on" in answer.out
        shown = there.hive("say", "last", "then right", "--by", "ann", "--json").json
        assert set(shown) == {"run", "state", "holder", "item", "text", "attached"}
        assert (shown["state"], shown["text"]) == ("running", "then right")
        assert f"pid {process.pid}" in shown["holder"]
        open_gate(there)
        code, out = ended(process)
    assert code == 0
    assert "heard go left, then right" in out
    assert f"{USER:<12} says: go left" in out
    transcript = there.hive("show").out
    assert f"{USER} says go left" in transcript
    assert "user:ann says then right" in transcript


def test_a_message_to_a_run_that_nobody_is_at_work_on_waits_for_it(there: Here) -> None:
    with under_way(there, *PATIENT, until="program:waits") as process:
        process.kill()
        process.wait(DEADLINE_S)
    answer = there.hive("say", "last", "are you there?")
    assert answer.code == 0
    assert "nobody is at work on it; it hears this when `hive resume" in answer.out
    with under_way(there, "resume", "last", "--plain", until="program:waits") as process:
        open_gate(there)
        code, out = ended(process)
    assert (code, "heard are you there?" in out) == (0, True)


def test_a_run_is_paused_and_goes_on_from_another_terminal(there: Here) -> None:
    with under_way(there, *PATIENT, until="program:waits") as process:
        answer = there.hive("pause", "last", "--reason", "lunch")
        assert (answer.code, "`hive go" in answer.out) == (0, True)
        assert there.runs()[0]["state"] == "running"
        open_gate(there)
        assert f"paused: by {USER} · lunch" in read_until(process, "paused")[-1]
        [run] = there.runs()
        assert (run["state"], run["turns"]) == ("paused", 1)
        assert "is paused already" in there.hive("pause", "last").out
        assert "is held by pid" in there.hive("resume", "last").err
        there.hive("say", "last", "eat well")
        answer = there.hive("go", "last", "--json")
        assert answer.json["state"] == "paused"
        code, out = ended(process)
    assert (code, "heard eat well" in out) == (0, True)
    record = recorded(there)
    [paused], [resumed] = payloads(record, Paused), payloads(record, Resumed)
    assert (paused.by, paused.reason, resumed.by) == (USER, "lunch", USER)
    assert resumed.idle > 0
    assert record.summary.elapsed + resumed.idle <= (
        record.entries[-1].at - record.entries[0].at + 1_000_000
    )


def test_a_pause_is_taken_back(there: Here) -> None:
    with under_way(there, *PATIENT, until="program:waits") as process:
        there.hive("pause", "last")
        assert "a pause asked for is taken back" in there.hive("go", "last").out
        open_gate(there)
        code, out = ended(process)
    assert (code, "paused" in out) == (0, False)


def test_a_signal_ends_a_paused_process_and_leaves_the_run_resumable(there: Here) -> None:
    with under_way(there, *PATIENT, until="program:waits") as process:
        there.hive("pause", "last")
        open_gate(there)
        read_until(process, "paused")
        process.send_signal(signal.SIGINT)
        code, _ = ended(process)
    assert code == 130
    assert there.runs()[0]["state"] == "paused"
    answer = there.hive("go", "last")
    assert (answer.code, answer.out) == (2, "")
    assert "no process keeps run" in answer.err
    assert "`hive resume" in answer.err
    assert there.hive("resume", "last").code == 0


def test_a_run_is_stopped_from_another_terminal(there: Here) -> None:
    with under_way(there, *PATIENT, until="program:waits") as process:
        answer = there.hive("stop", "last", "--reason", "wrong goal")
        assert (answer.code, answer.err) == (0, "")
        assert "has ended: stopped: stopped by the user" in answer.out
        code, out = ended(process)
    assert code == 1
    assert f"stopped by {USER}: wrong goal" in out
    [run] = there.runs()
    assert (run["state"], run["reason"]) == ("stopped", "cancelled")
    answer = there.hive("stop", "last")
    assert (answer.code, answer.out) == (2, "")
    assert "has ended (stopped: stopped by the user)" in answer.err


def test_a_run_without_a_process_is_stopped_by_the_command(there: Here) -> None:
    with under_way(there, *PATIENT, until="program:waits") as process:
        process.kill()
        process.wait(DEADLINE_S)
    assert there.runs()[0]["state"] == "orphaned"
    (there.folder / "team.py").unlink()
    shown = there.hive("stop", "last", "--by", "ann", "--json")
    assert (shown.code, shown.err) == (0, "")
    assert shown.json["state"] == "stopped"
    assert shown.json["message"] == "stopped by user:ann"
    assert shown.json["holder"] is None
    assert there.hive("verify", "last").code == 0
    assert there.hive("resume", "last").code == 1


def test_a_process_that_does_not_hear_is_named(
    there: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hive.cli.stop.PATIENCE_S", 0.2)
    with under_way(there, "run", "team:blocking", "x", until="program:blocks") as process:
        answer = there.hive("stop", "last")
        assert (answer.code, answer.err) == (1, "")
        assert "was told to stop and has not yet" in answer.out
        assert f"pid {process.pid}" in answer.out
    assert there.runs()[0]["state"] == "orphaned"
    assert there.hive("resume", "last").code == 1, "it stops first thing"
    assert there.runs()[0]["state"] == "stopped"


LAUNCHING = ("run", "team:launching", "launch and wait", "--plain")


@pytest.mark.parametrize("yes", [True, False])
def test_a_yes_lets_a_call_go_on_while_others_work(there: Here, yes: bool) -> None:
    with under_way(there, *LAUNCHING, until="waits for a yes") as process:
        options = () if yes else ("--deny", "--why", "bad weather")
        answer = there.hive("approve", "last", *options)
        assert (answer.code, answer.err) == (0, "")
        does = "Allowed" if yes else "Denied"
        assert f"{does} 1/pilot/0.2 launch(where='the moon'); it goes on" in answer.out
        told = "launched to the moon" if yes else "launch was denied"
        read_until(process, f"Note: told: {told}")
        assert (there.folder / "launched").exists() == yes
        open_gate(there)
        code, _ = ended(process)
    assert code == 0
    asked, ruled = payloads(recorded(there), Approval)
    assert (asked.decision, ruled.decision) == ("ask", "allow" if yes else "deny")
    assert (ruled.by, ruled.reason) == (USER, "" if yes else "bad weather")


def test_a_yes_waits_for_a_run_that_is_suspended(there: Here) -> None:
    assert there.hive("run", "team:rocket", "fly").code == 3
    shown = there.hive("approve", "last", "1", "--by", "ann", "--json")
    assert (shown.code, shown.err) == (0, "")
    assert shown.json["call"] == "1/pilot/0.2"
    assert (shown.json["decided"], shown.json["by"]) == ("allow", "user:ann")
    assert (shown.json["state"], shown.json["holder"]) == ("waiting", None)
    again = there.hive("approve", "last")
    assert (again.code, "was answered already" in again.err) == (2, True)
    assert there.hive("resume", "last").code == 0
    assert (there.folder / "launched").exists()


def test_which_call_is_meant_has_to_be_said_where_several_wait(there: Here) -> None:
    assert there.hive("run", "team:fleet", "fly").code == 3
    first = there.hive("approve", "last")
    assert (first.code, first.out) == (2, "")
    assert "say which of the calls that wait for a yes" in first.err
    assert "1: 1/pilot/0.2 launch(where='the moon'); 2: 1/second/0.2 launch(" in first.err
    assert "'9' is none of the calls" in there.hive("approve", "last", "9").err
    assert there.hive("approve", "last", "2", "--deny").code == 0
    assert there.hive("approve", "last", "1/pilot/0.2").code == 0
    assert there.hive("resume", "last").code == 0
    rulings = [(ruled.decision, ruled.item) for ruled in payloads(recorded(there), Approval)]
    assert sorted(rulings) == [("allow", 2), ("ask", 0), ("ask", 0), ("deny", 1)]


HOLDING = ("run", "team:holding", "hold the line", "--plain")


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (("--done", "it held"), "told: it held"),
        (("--lost",), "nobody knows whether it took effect"),
        (("--again",), "told: held the line"),
    ],
)
def test_a_call_in_doubt_is_settled(there: Here, option: tuple[str, ...], told: str) -> None:
    with under_way(there, *HOLDING, until="turn 1") as process, at_gate(there):
        process.kill()
        process.wait(DEADLINE_S)
    early = there.hive("settle", "last", *option)
    assert (early.code, len(early.err.splitlines())) == (2, 1)
    assert "it is orphaned; `hive resume " in early.err
    assert "finds out first what it waits for" in early.err
    shown = there.hive("show", "last").out
    assert re.fullmatch(r"  hive resume \w+   go on from here", shown.splitlines()[-1])
    answer = there.hive("resume", "last")
    assert answer.code == 3
    assert "hive settle" in answer.out
    assert there.runs()[0]["state"] == "in_doubt"
    assert "in doubt" in there.hive("runs").out
    assert [run["state"] for run in there.hive("runs", "--state", "in_doubt", "--json").json] == [
        "in_doubt"
    ]
    wrong = there.hive("approve", "last")
    assert (wrong.code, "`hive settle" in wrong.err) == (2, True)
    answer = there.hive("settle", "last", *option)
    assert (answer.code, answer.err) == (0, "")
    assert "1/holder/0.2 hold(what='the line')" in answer.out
    process = there.start("resume", "last", "--plain")
    if option == ("--again",):
        open_gate(there)
    code, out = ended(process)
    assert (code, told in out) == (0, True)
    for shown in (out, there.hive("show", "last").out):
        assert "hold(what='the line') in doubt: " in shown
        assert "denied" not in shown


def test_a_run_is_followed_from_another_terminal(there: Here) -> None:
    with under_way(there, *PATIENT, until="program:waits") as process:
        watching = there.start("show", "last", "--follow")
        listing = there.start("show", "last", "--follow", "--json", "--kind", "Note")
        read_until(watching, "program:waits")
        open_gate(there)
        assert ended(process)[0] == 0
        code, out = ended(watching)
        assert code == 0
        assert "Note: waited" in out
        assert "finished: the goal is reached" in out.splitlines()[-1]
        code, out = ended(listing)
    notes = [orjson.loads(line) for line in out.splitlines()]
    assert [note["payload"]["text"] for note in notes] == ["waited", "heard nothing"]
    assert code == 0


def test_watching_ends_with_a_signal_and_the_run_goes_on(there: Here) -> None:
    with under_way(there, *PATIENT, until="program:waits") as process:
        watching = there.start("show", "last", "--follow")
        read_until(watching, "program:waits")
        watching.send_signal(signal.SIGINT)
        assert ended(watching)[0] == 0
        assert there.runs()[0]["state"] == "running"
        open_gate(there)
        assert ended(process)[0] == 0


def test_following_a_run_that_is_over_shows_it_and_ends(there: Here) -> None:
    assert there.hive("run", "team:rocket", "fly").code == 3
    answer = there.hive("show", "--follow")
    assert (answer.code, "waits for a yes" in answer.out) == (3, True)
    assert "give one" in there.hive("show", "--follow", "--prompts").err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("say", "last", "hello"), "has ended (finished: the goal is reached)"),
        (("say", "last", "  "), "there is nothing to say; give TEXT"),
        (("pause", "last"), "has ended"),
        (("go", "last"), "has ended"),
        (("stop", "last"), "has ended"),
        (("approve", "last"), "has ended"),
        (("settle", "last", "--lost"), "has ended"),
        (("settle", "last"), "say what became of the call, in one way"),
        (("settle", "last", "--lost", "--again"), "in one way"),
        (("say", "zzz", "hello"), "no run's id begins with 'zzz'"),
        (("runs", "--state", "odd"), "'odd' is not one of"),
    ],
)
def test_mistakes_end_in_a_sentence(here: Here, arguments: tuple[str, ...], says: str) -> None:
    assert here.hive("run", "team:scored", "count").code == 0
    answer = here.hive(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err
    assert len(answer.err.strip().splitlines()) == 1


def test_what_a_run_that_nobody_is_at_work_on_can_be_told(there: Here) -> None:
    assert there.hive("run", "team:rocket", "fly").code == 3
    paused = there.hive("pause", "last")
    assert (paused.code, "there is nothing to pause" in paused.err) == (2, True)
    settled = there.hive("settle", "last", "--lost")
    assert (settled.code, "`hive approve" in settled.err) == (2, True)
    assert there.hive("stop", "last").code == 0
    assert there.runs()[0]["state"] == "stopped"


def test_runs_are_searched(here: Here) -> None:
    here.hive("run", "team:scored", "count sheep", "--tag", "night")
    here.hive("run", "team:rocket", "fly")
    assert [run["goal"] for run in here.hive("runs", "--text", "SHEEP", "--json").json] == [
        "count sheep"
    ]
    assert len(here.hive("runs", "--tag", "night", "--state", "finished", "--json").json) == 1
    answer = here.hive("runs", "--tag", "day")
    assert (answer.code, "No such run" in answer.out) == (0, True)
