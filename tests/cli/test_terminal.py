"""In a terminal: the live display, a person's yes or no, and Ctrl-C by the key."""

from __future__ import annotations

import getpass

import pytest

from hive.audit import Record
from hive.board.records import Approval
from tests.cli.conftest import Here
from tests.cli.terminal import Terminal

CURSOR_SHOWN, CURSOR_HIDDEN = "\x1b[?25h", "\x1b[?25l"


def test_a_run_is_shown_live(here: Here) -> None:
    terminal = Terminal(here.folder, "run", "team:napping", "have some rest")
    terminal.until("thinking")
    terminal.until("2 turns · 2 model calls")  # the end of a frame, this one or the next
    for said in ("have some rest", "turn 2", "sleeper", "program:sleeps"):
        assert said in terminal.text
    assert "good night" in terminal.text
    terminal.press("\x03")
    assert terminal.end() == 130
    assert "‖ paused" in terminal.text
    assert "hive resume" in terminal.text
    assert terminal.drawn.rindex(CURSOR_SHOWN) > terminal.drawn.rindex(CURSOR_HIDDEN)
    assert here.runs()[0]["state"] == "paused"


@pytest.mark.parametrize(
    ("key", "code", "state"), [("y", 0, "finished"), ("n", 0, "finished"), ("l", 3, "waiting")]
)
def test_a_person_is_asked(here: Here, key: str, code: int, state: str) -> None:
    terminal = Terminal(here.folder, "run", "team:rocket", "fly")
    asked = terminal.until("[l]ater:")
    assert "pilot wants to call launch, which is irreversible:\r\n  where: the moon" in asked
    assert "What led to it is the user's or the team's own word." in asked
    terminal.press(f"{key}\n")
    assert terminal.end() == code
    assert here.runs()[0]["state"] == state
    assert (here.folder / "launched").exists() == (key == "y")
    if key == "n":
        assert f"denied by user:{getpass.getuser()}: a person said no" in terminal.text


def test_a_question_closes_when_it_is_answered_elsewhere(here: Here) -> None:
    terminal = Terminal(here.folder, "run", "team:fleet", "fly", "--plain")
    asked = terminal.until("[l]ater:")
    other = "second" if "pilot wants to call" in asked else "pilot"
    terminal.press("y\n")
    terminal.until(f"{other} wants to call")
    [run] = here.runs()
    assert run["state"] == "running"
    answer = here.hive("approve", "last", f"1/{other}/0.2", "--deny", "--by", "ann")
    assert (answer.code, "it goes on" in answer.out) == (0, True)
    assert terminal.end() == 0
    assert "by user:ann" in terminal.text
    with Record.open(here.folder / ".hive/journal.db", run["id"]) as record:
        rulings = [entry.payload for entry in record.board.of_kind(Approval)]
    by = [(ruling.decision, ruling.by) for ruling in rulings if isinstance(ruling, Approval)]
    assert sorted(by)[0] == ("allow", f"user:{getpass.getuser()}")
    assert ("deny", "user:ann") in by


def test_a_question_is_open_to_ctrl_c(here: Here) -> None:
    terminal = Terminal(here.folder, "run", "team:rocket", "fly", "--plain")
    terminal.until("[l]ater:")
    terminal.press("\x03")
    assert terminal.end() == 130
    again = Terminal(here.folder, "resume", "last")
    again.until("[l]ater:")
    again.press("yes\n")
    assert again.end() == 0
    assert "told: launched to the moon" in again.text


def test_plain_lines_in_a_terminal(here: Here) -> None:
    terminal = Terminal(here.folder, "run", "team:several", "greet", "--plain")
    assert terminal.end() == 0
    assert CURSOR_HIDDEN not in terminal.drawn
    assert "turn 1       guest (program:guest), judge (program:scores)" in terminal.text


def test_a_small_terminal_is_enough(here: Here) -> None:
    terminal = Terminal(here.folder, "run", "team:several", "greet", rows=8, columns=40)
    assert terminal.end() == 0
    assert "✓ finished" in terminal.text
