"""`--pool`, as a user calls it."""

from __future__ import annotations

import pytest

from hive import Budget
from hive.control import Pool
from tests.cli.conftest import Here

TEAM = """
from hive import Role, Workflow
from hive.models import FunctionModel

team = Workflow(Role("writer"), model=FunctionModel(lambda request: "done", "words"))
"""


@pytest.fixture
def home(here: Here) -> Here:
    (here.folder / "pooled.py").write_text(TEAM)
    return here


def test_runs_that_follow_each_other_share_what_the_pool_has(home: Here) -> None:
    command = ("run", "./pooled.py:team", "g", "--pool", "nightly:calls=2,usd=$5")
    assert [home.hive(*command).code for _ in range(3)] == [0, 0, 1]
    ended = home.hive("show", "last", "--json").json
    assert ended["reason"] == "budget_exhausted"
    started = ended["entries"][0]["payload"]["pool"]
    assert started == {"name": "nightly", "cost": 5_000_000_000, "tokens": None, "calls": 2}
    assert home.hive("run", "./pooled.py:team", "g", "--pool", "other:calls=1").code == 0
    assert home.hive("run", "./pooled.py:team", "g", "--pool", "nightly:calls=3").code == 0


def test_a_run_that_waits_is_resumed_in_its_pool(home: Here) -> None:
    assert home.hive("run", "team:rocket", "fly", "--pool", "nightly:calls=2").code == 3
    assert home.hive("resume", "last", "--yes").code == 0
    assert home.hive("run", "./pooled.py:team", "g", "--pool", "nightly:calls=2").code == 1
    assert home.hive("verify", "last").code == 0


def test_who_comes_second_is_told_who_has_the_pool(home: Here) -> None:
    assert home.hive("run", "./pooled.py:team", "g", "--pool", "nightly:calls=9").code == 0
    with Pool("nightly", Budget(calls=9)) as pool:
        pool.read(home.folder / ".hive/journal.db")
        answer = home.hive("run", "./pooled.py:team", "g", "--pool", "nightly:calls=9")
    assert answer.code == 2
    assert "the pool 'nightly' is in use by pid " in answer.err


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("nightly", "write NAME:CAPS, as in --pool nightly:usd=5"),
        ("nightly:", "write NAME:CAPS"),
        (":usd=5", "give it a name"),
        ("nightly:turns=5", "a pool caps usd, tokens, calls, and not 'turns'"),
        ("nightly:usd=5,usd=6", "write NAME:CAPS"),
        ("nightly:calls=some", "calls='some' is no whole number"),
        ("nightly:usd=some", "is no finite number"),
    ],
)
def test_what_is_no_pool_is_told(home: Here, written: str, says: str) -> None:
    answer = home.hive("run", "./pooled.py:team", "g", "--pool", written)
    assert answer.code == 2
    assert says in answer.err
