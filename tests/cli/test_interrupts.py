"""Ctrl-C and SIGTERM, sent to a real process in the middle of a run."""

from __future__ import annotations

import signal
import subprocess
from threading import Timer

import pytest

from hive.audit import Record
from hive.board.records import Request
from tests.cli.conftest import Here

DEADLINE_S = 30


def read_until(process: subprocess.Popen[str], text: str) -> list[str]:
    """The lines up to the first that holds a text; the process is ended when it takes too long."""
    assert process.stdout is not None
    lines: list[str] = []
    deadline = Timer(DEADLINE_S, process.kill)
    deadline.start()
    try:
        for line in process.stdout:
            lines.append(line)
            if text in line:
                return lines
    finally:
        deadline.cancel()
    raise AssertionError(f"it ended without {text!r}: {lines} {process.communicate()[1]}")


def interrupted(here: Here, *arguments: str, number: int) -> tuple[int, str, str]:
    """Send a signal once the sleeper has its turn; gives the code and what was said after."""
    process = here.start(*arguments)
    read_until(process, "program:sleeps")
    process.send_signal(number)
    out, err = process.communicate(timeout=DEADLINE_S)
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_pauses_and_says_how_to_go_on(here: Here, number: int) -> None:
    code, out, err = interrupted(here, "run", "team:napping", "rest", number=number)
    assert (code, err) == (130, "")
    [run] = here.runs()
    assert run["state"] == "paused"
    assert run["outcome"] is None
    assert "‖ paused" in out
    assert f"hive resume {run['id'][:10]}" in out


def test_a_run_is_paused_twice_and_then_finishes(here: Here) -> None:
    interrupted(here, "run", "team:napping", "rest", number=signal.SIGINT)
    code, _, err = interrupted(here, "resume", "last", "--plain", number=signal.SIGINT)
    assert (code, err) == (130, "")
    assert here.runs()[0]["state"] == "paused"

    (here.folder / "awake").touch()
    answer = here.hive("resume", "last", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.json["answer"] == "slept well"

    with Record.open(here.folder / ".hive/journal.db", answer.json["id"]) as record:
        kinds = [entry.kind for entry in record.entries]
        asked = [entry for entry in record.board.of_kind(Request) if entry.author == "guest"]
    assert (kinds.count("Paused"), kinds.count("Resumed")) == (2, 2)
    assert len(asked) == 1, "what was recorded is not asked for again"


def test_a_second_signal_ends_a_process_whose_loop_is_busy(here: Here) -> None:
    process = here.start("run", "team:blocking", "hold on")
    read_until(process, "program:blocks")
    # Two of one kind may melt into one while they wait; two kinds cannot.
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    [run] = here.runs()
    assert run["state"] == "orphaned"
    again = here.start("resume", "last")
    read_until(again, "program:blocks")
    again.kill()
    again.communicate()


def test_a_run_in_another_process_is_running_and_cannot_be_resumed(here: Here) -> None:
    process = here.start("run", "team:napping", "rest")
    try:
        read_until(process, "program:sleeps")
        assert here.runs()[0]["state"] == "running"
        answer = here.hive("resume", "last")
        assert answer.code == 2
        assert "is held by pid" in answer.err
    finally:
        process.kill()
        process.communicate()
    assert here.runs()[0]["state"] == "orphaned"
    (here.folder / "awake").touch()
    assert here.hive("resume", "last").code == 0


def test_a_reader_that_goes_away_does_not_stop_the_run(here: Here) -> None:
    process = here.start("run", "team:scribes", "a draft", "--workspace", "work")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(30) == 0
    process.stderr.close()
    assert here.runs()[0]["state"] == "finished"
