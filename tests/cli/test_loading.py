"""From `module:name` to a team: where modules are looked for, and what may stand there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hive import Graph, Workflow
from hive.cli.exits import Mistake
from hive.cli.loading import BadTeam, load
from hive.errors import DeclarationError
from hive.role import Chain, Role
from tests.cli.conftest import Here


def test_the_current_directory_is_searched_last(here: Here) -> None:
    for path in ("", str(here.folder)):  # where `python -m` and an IDE put it
        sys.path.insert(0, path)
    (here.folder / "json.py").write_text("raise RuntimeError('a stranger in front')")
    sys.modules.pop("team", None)
    assert isinstance(load("team:scribes"), Workflow)
    assert sys.path[-1] == str(here.folder)
    assert sys.path.count(str(here.folder)) == 1
    assert "" not in sys.path


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ("team:scribes", Workflow),
        ("./team.py:scribes", Workflow),
        ("team.py:round_trip", Graph),
        ("team:chain", Chain),
    ],
)
@pytest.mark.usefixtures("here")
def test_what_may_stand_behind_a_name(reference: str, kind: type) -> None:
    assert isinstance(load(reference), kind)


def test_a_file_may_lie_anywhere_and_import_its_neighbours(here: Here) -> None:
    folder = here.folder / "deep" / "er"
    folder.mkdir(parents=True)
    (folder / "parts.py").write_text("from hive import Role\nguest = Role('guest')\n")
    (folder / "json.py").write_text("from parts import guest\nalone = guest\n")
    for reference in ("deep/er/json.py:alone", f"{folder}/json.py:alone"):
        assert isinstance(load(reference), Role)
    assert sys.modules["json"].__file__ != str(folder / "json.py"), "no module is replaced"


def test_a_directory_of_the_record(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    other = here.folder / "elsewhere"
    other.mkdir()
    monkeypatch.chdir(other)
    assert isinstance(load("./team.py:scribes", here.folder), Workflow)
    with pytest.raises(Mistake, match=r"^there is no file './team.py'"):
        load("./team.py:scribes")


def test_what_a_module_raised_is_kept(here: Here) -> None:
    Path("bad.py").write_text("from hive import Role\nRole('A')\n")
    with pytest.raises(BadTeam, match=r"line 2 of bad\.py") as caught:
        load("./bad.py:team")
    assert isinstance(caught.value.cause, DeclarationError)
