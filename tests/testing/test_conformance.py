"""The conformance suite as its users meet it: in a file of theirs, with pytest and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from hive.errors import DeclarationError
from hive.models import Model
from hive.testing import Gate, GatedModel, ModelConformance, ScriptedModel
from tests.docs.pages import offline_environment, read_blocks
from tests.house import tree

PLUGINS = ("asyncio", "hypothesispytest", "xdist")


def test_it_runs_in_a_file_of_ones_own_without_plugins(tmp_path: Path) -> None:
    page = (tree.ROOT / "docs" / "backends.md").read_text("utf-8")
    for block in read_blocks(page):
        if block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
    without = [word for name in PLUGINS for word in ("-p", f"no:{name}")]
    some = ["-k", "thinking or cancelling or reset"]
    answer = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-m",
            "pytest",
            "-q",
            "-rs",
            *without,
            *some,
            "test_own_backend.py",
        ],
        cwd=tmp_path,
        env=offline_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-3000:]
    assert " passed" in answer.stdout
    assert "no thinking: the model behind it does not think aloud" in answer.stdout


def test_a_failure_shows_what_was_compared(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "from contextlib import asynccontextmanager\n"
        "from hive.testing import ModelConformance, ScriptedModel\n"
        "class TestMine(ModelConformance):\n"
        "    @asynccontextmanager\n"
        "    async def serving(self, script, **fashion):\n"
        "        yield ScriptedModel(['Something else.']), None\n",
        encoding="utf-8",
    )
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "test_mine.py", "-k", "a_plain_answer"],
        cwd=tmp_path,
        env=offline_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "Something else." in answer.stdout
    assert "Fine, thank you." in answer.stdout


def test_an_ability_that_there_is_not_is_refused_where_it_is_written() -> None:
    with pytest.raises(DeclarationError, match=r"Mistyped\.lacks names imags; abilities are ser"):

        class Mistyped(ModelConformance):
            lacks = {"imags": "a slip of the pen"}  # noqa: RUF012  # as users write it


def test_a_backend_that_is_not_said_how_to_make_is_asked_for() -> None:
    class Unfinished(ModelConformance):
        pass

    with pytest.raises(NotImplementedError, match="Unfinished has to say how its model is made"):
        Unfinished().test_the_pieces_that_are_heard_make_up_the_text()


def test_a_scenario_that_stands_still_fails() -> None:
    gate = Gate()

    class Silent(ModelConformance):
        patience = 0.01

        def model(self, base_url: str) -> Model:
            return GatedModel(ScriptedModel(["never said"]), gate)

    with pytest.raises(TimeoutError):
        Silent().test_the_pieces_that_are_heard_make_up_the_text()
    assert gate.arrivals == ["script:replies"]
