"""Bugs nobody prepared an answer for, repaired by the real team with the real tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from roles.team import repair
from tests.repair.corpus import bug


@pytest.mark.parametrize("name", ["gcd", "quicksort", "possible_change", "depth_first_search"])
def test_the_team_repairs_it(name: str, tmp_path: Path) -> None:
    subject = bug(name)
    folder = subject.lay_out(tmp_path / "work")
    result = repair.run_sync("make the tests pass", workspace=folder)
    assert result.outcome == "finished"
    assert subject.passes(folder)
    assert (folder / f"{name}.py").read_text("utf-8") != subject.source
    assert result.units > 0
    assert result.cost_usd == 0


def test_what_cannot_be_repaired_is_left_as_it_was(tmp_path: Path) -> None:
    source = "def answer():\n    return 41\n"
    (tmp_path / "work.py").write_text(source, encoding="utf-8")
    (tmp_path / "test_work.py").write_text(
        "from work import answer\n\n\n"
        "def test_one():\n    assert answer() == 'a word that no search will find'\n\n\n"
        "def test_other():\n    assert answer() == 41\n",
        encoding="utf-8",
    )
    result = repair.run_sync("make the tests pass", workspace=tmp_path)
    assert result.outcome != "finished"
    assert (tmp_path / "work.py").read_text("utf-8") == source
