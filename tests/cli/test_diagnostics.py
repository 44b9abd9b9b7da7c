"""Diagnostics: silent by default, on stderr when asked for, and never with contents."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from hive import diagnostics
from tests.cli.conftest import Here


@pytest.fixture(autouse=True)
def silent_afterwards() -> Iterator[None]:
    yield
    diagnostics.set_up(None)


def test_silent_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    diagnostics.log("something", run="01k")
    diagnostics.debug("something", run="01k")
    assert capsys.readouterr() == ("", "")


def test_an_event_is_bound_to_run_turn_and_role(capsys: pytest.CaptureFixture[str]) -> None:
    diagnostics.set_up("info")
    diagnostics.log("asked", model="openai:x", role="coder", turn=3, run="01k")
    diagnostics.debug("too fine", run="01k")
    said = capsys.readouterr()
    assert said.out == ""
    assert "event='asked' run='01k' turn=3 role='coder' model='openai:x'" in said.err
    assert len(said.err.splitlines()) == 1


def test_debug_shows_more(capsys: pytest.CaptureFixture[str]) -> None:
    diagnostics.set_up("debug")
    diagnostics.debug("fine", turn=1)
    assert "event='fine' turn=1" in capsys.readouterr().err


def test_long_texts_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    diagnostics.set_up("info")
    diagnostics.log("oops", content="secret " * 100)
    said = capsys.readouterr().err
    assert "secret" not in said
    assert "(700 characters)" in said


def test_the_command_turns_them_on(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = here.hive("run", "team:scored", "a goal nobody logs", "--json")
    assert quiet.err == ""
    said = here.hive("run", "team:scored", "a goal nobody logs", "--json", "-v").err
    assert "event=" in said
    assert "a goal nobody logs" not in said
    monkeypatch.setenv("HIVE_LOG", "loud")
    answer = here.hive("run", "team:scored", "score")
    assert answer.code == 2
    assert "there are debug and info" in answer.err


@pytest.mark.parametrize("line", [["--version"], ["--help"]])
def test_nothing_heavy_is_loaded_for_a_quick_answer(line: list[str]) -> None:
    program = (
        "import sys; from hive.cli.command import serve; code = serve(sys.argv[1:]);"
        "print([m for m in ('rich', 'networkx', 'openai', 'anthropic', 'structlog', 'sqlite3')"
        " if m in sys.modules], file=sys.stderr); sys.exit(code)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, *line], capture_output=True, text=True, check=True
    )
    loaded = answer.stderr.strip()
    assert loaded in ("[]", "['sqlite3']"), loaded
