"""Which runs may go, and which never do by a rule."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hive.audit.pruning import Choice, choose
from hive.journal.memory import MemoryJournal
from tests.audit.journals import Written


def ids(journal: MemoryJournal, choice: Choice) -> tuple[set[str], dict[str, str]]:
    going, stays = choose(journal, choice)
    return {run.id for run in going}, {each.run.id: each.why for each in stays}


def test_runs_that_can_go_on_stay_unless_they_are_named_and_nobody_holds_them() -> None:
    journal = MemoryJournal()
    ended, orphaned, held = (Written(journal) for _ in range(3))
    ended.end()
    journal.release(orphaned.run)
    going, stays = ids(journal, Choice(before=2**60))
    assert going == {ended.run}
    assert "can still go on" in stays[orphaned.run]
    assert stays[held.run] == "a test holds it"
    going, stays = ids(journal, Choice(ids=[orphaned.run, held.run]))
    assert (going, set(stays)) == ({orphaned.run}, {held.run})


def test_conditions_hold_together() -> None:
    journal = MemoryJournal()
    runs = [Written(journal, tags=tags) for tags in (("a",), ("a", "b"), ("b",))]
    for run in runs:
        run.end()
    first, second, third = sorted(run.run for run in runs)
    a, b, c = (run.run for run in runs)
    assert ids(journal, Choice(tags=["a"]))[0] == {a, b}
    assert ids(journal, Choice(tags=["a", "b"]))[0] == {b}
    assert ids(journal, Choice(ids=[a, c], tags=["b"]))[0] == {c}
    assert ids(journal, Choice(states=["failed"]))[0] == set()
    assert ids(journal, Choice(states=["finished"], keep=1))[0] == {first, second}
    assert ids(journal, Choice(before=0))[0] == set()
    assert third not in ids(journal, Choice(keep=2))[0]


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=7))
def test_nothing_goes_that_a_run_which_stays_shares(plan: list[tuple[int, bool]]) -> None:
    journal = MemoryJournal()
    runs: list[Written] = []
    parents: dict[str, str] = {}
    for number, _ in plan:
        if number < len(runs):
            origin = runs[number]
            digest = origin.board.entries[0].digest.hex()
            runs.append(origin.fork(1, digest))
            parents[runs[-1].run] = origin.run
        else:
            runs.append(Written(journal))
    for run in runs:
        run.end()
    named = [run.run for run, (_, wanted) in zip(runs, plan, strict=True) if wanted]
    going, stays = ids(journal, Choice(ids=named or ["none"]))
    assert going | set(stays) == set(named)
    for fork, parent in parents.items():
        assert fork in going or parent not in going
    for name, why in stays.items():
        assert "shares its entries" in why
        assert any(parent == name and fork not in going for fork, parent in parents.items())
