"""What a run starts and writes was asked for by a tool call that was on disk before."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.roles import projects

ROOT = Path(__file__).resolve().parents[2]


def audited(tmp_path: Path, *words: str) -> dict[str, Any]:
    """What an interpreter that watches itself saw during a run."""
    folder = projects.written(tmp_path / "work", projects.BOUNDS)
    (tmp_path / "journal").mkdir()
    journal = tmp_path / "journal" / "journal.db"
    finished = subprocess.run(
        [sys.executable, "-m", "tests.roles.audited", str(folder), str(journal), *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    answer: dict[str, Any] = json.loads(finished.stdout)
    return answer


def test_every_subprocess_and_every_write_has_a_durable_tool_call_before_it(tmp_path: Path) -> None:
    seen = audited(tmp_path)
    assert seen["outcome"] == "finished"
    assert seen["unexplained"] == []
    assert seen["start"] >= 4, "planner, researcher, coder and reviewer all had tests run"
    assert seen["write"] >= 1


def test_a_mind_that_acts_without_a_tool_is_seen(tmp_path: Path) -> None:
    seen = audited(tmp_path, "sly")
    told = "\n".join(seen["unexplained"])
    assert "bounds.py" in told
    assert sys.executable in told
