"""The decisions of the search, over what a conversation may have brought to light."""

from __future__ import annotations

from dataclasses import replace

import pytest

from roles.offline.repair.engine import (
    LARGE,
    PIECE,
    SMALL,
    Apply,
    Done,
    Fault,
    Locate,
    Read,
    Report,
    Search,
    Trial,
    Try,
    decide,
)
from roles.offline.repair.source import Edit

TEXT = "def f(a, b):\n    if a < b:\n        return a - b\n    return 0\n"
FAULTS = (Fault("work.py", 3, 1.0, 2), Fault("work.py", 2, 0.8, 3))
FAILING = frozenset({"t1", "t2", "t3"})
EDIT = Edit("work.py", "        return a - b", "        return a + b", 3)


def under_way(**changes: object) -> Search:
    """A search that knows what fails, where, and what stands there."""
    search = Search(located=True, faults=FAULTS, failing=FAILING, texts={"work.py": TEXT}, steps=2)
    for name, value in changes.items():
        setattr(search, name, value)
    return search


def trial(*fixed: str, sound: bool = True, edit: Edit = EDIT) -> Trial:
    return Trial((edit,), frozenset(fixed), sound, sound and set(fixed) >= FAILING)


def test_it_begins_by_locating_faults_and_reads_what_is_suspicious() -> None:
    assert decide(Search(), SMALL, {}) == Locate()
    search = under_way(texts={})
    assert decide(search, SMALL, {}) == Read((("work.py", 1),), PIECE)


def test_long_files_are_read_in_pieces_as_far_as_needed() -> None:
    far = (Fault("work.py", PIECE + 5, 1.0, 1),)
    search = under_way(texts={}, faults=far)
    assert decide(search, SMALL, {}) == Read((("work.py", 1), ("work.py", PIECE + 1)), PIECE)
    search.pieces = {"work.py": {1: [], PIECE + 1: []}}
    search.lengths = {"work.py": 2 * PIECE + 9}
    assert decide(search, SMALL, {}) == Read((("work.py", 2 * PIECE + 1),), PIECE)


def test_files_that_cannot_be_read_are_done_without() -> None:
    search = under_way(texts={}, unreadable={"work.py"})
    assert decide(search, SMALL, {}) == Done(
        False, "no candidate could be made for the suspicious lines"
    )


def test_batches_begin_small_double_and_end() -> None:
    sizes = []
    search = under_way()
    while isinstance(decision := decide(search, SMALL, {}), Try):
        sizes.append(len(decision.candidates))
        search.tried += sizes[-1]
    assert sizes[:3] == [20, 20, 40]
    assert sum(sizes) <= SMALL.singles
    assert decision == Done(False, f"none of {sum(sizes)} candidates is a repair")


def test_the_large_tier_goes_on_to_pairs() -> None:
    wide = replace(LARGE, singles=30, pairs=10)
    search = under_way(tried=30)
    decision = decide(search, wide, {})
    assert isinstance(decision, Try)
    assert {len(candidate.edits) for candidate in decision.candidates} == {2}
    search.tried = 40
    assert isinstance(decide(search, wide, {}), Done)


def test_a_search_goes_on_where_another_one_gave_up() -> None:
    search = under_way()
    first = decide(search, LARGE, {})
    later = decide(search, LARGE, {search.identity(): 20})
    search.tried = 20
    assert isinstance(first, Try)
    assert later != first
    assert isinstance(later, Try)
    assert isinstance(again := decide(search, LARGE, {}), Try)
    assert again.candidates == later.candidates
    assert decide(under_way(), LARGE, {"another search": 20}) == first


def test_a_whole_repair_is_applied_at_once() -> None:
    search = under_way(tried=20, trials=[trial("t1"), trial(*FAILING)])
    assert decide(search, SMALL, {}) == Apply((EDIT,))


@pytest.mark.parametrize("effort", [SMALL, LARGE])
def test_nothing_that_breaks_a_passing_test_is_ever_applied(effort: object) -> None:
    assert effort in (SMALL, LARGE)
    tier = SMALL if effort == SMALL else LARGE
    search = under_way(tried=tier.singles + tier.pairs, trials=[trial(*FAILING, sound=False)])
    assert isinstance(decide(search, tier, {}), Done)


def test_one_bug_of_several_is_mended_when_all_tests_that_run_its_line_pass() -> None:
    mended = trial("t1", "t2")  # both failing tests that run line 3
    assert isinstance(decide(under_way(tried=20, trials=[mended]), SMALL, {}), Try)
    search = under_way(tried=SMALL.settle, trials=[trial("t1"), mended])
    assert decide(search, SMALL, {}) == Apply(mended.edits)


def test_a_change_that_mends_less_is_left_to_the_large_tier() -> None:
    some = trial("t1")
    exhausted = under_way(tried=SMALL.singles, trials=[some])
    assert isinstance(decide(exhausted, SMALL, {}), Done)
    assert LARGE.patience is not None
    assert decide(under_way(tried=LARGE.patience, trials=[some]), LARGE, {}) == Apply(some.edits)


def test_after_a_change_it_looks_again_and_reports_in_the_end() -> None:
    search = under_way(tried=20, trials=[trial("t1", "t2")])
    search.apply((EDIT,))
    assert search.texts["work.py"] == EDIT.apply(TEXT)
    assert decide(search, SMALL, {}) == Locate()
    search.relocate((), frozenset())
    assert decide(search, SMALL, {}) == Report()
    search.reported = True
    assert decide(search, SMALL, {}) == Done(True, "")


def test_after_a_whole_repair_the_report_is_all_that_is_left() -> None:
    search = under_way(tried=20, trials=[trial(*FAILING)])
    search.apply((EDIT,))
    assert decide(search, SMALL, {}) == Report()


def test_what_passes_already_is_only_reported() -> None:
    search = Search(located=True, steps=1)
    assert decide(search, SMALL, {}) == Report()


def test_partial_work_is_reported_before_giving_up() -> None:
    search = under_way(tried=SMALL.singles, applied=[(EDIT,)])
    assert decide(search, SMALL, {}) == Report()
    search.reported = True
    assert isinstance(decide(search, SMALL, {}), Done)


@pytest.mark.parametrize("steps", range(SMALL.steps + 3))
def test_it_answers_within_its_steps_whatever_comes(steps: int) -> None:
    last = steps >= SMALL.steps - 1
    for search in (under_way(steps=steps), Search(steps=steps), under_way(steps=steps, texts={})):
        assert isinstance(decide(search, SMALL, {}), Done) or not last


def test_trouble_ends_it() -> None:
    assert decide(under_way(trouble="no pytest"), SMALL, {}) == Done(False, "no pytest")


def test_batches_that_cannot_be_judged_shrink_before_it_gives_up() -> None:
    sizes = []
    for stumbles in (0, 1, 2):
        decision = decide(under_way(stumbles=stumbles, tried=40), LARGE, {})
        assert isinstance(decision, Try)
        sizes.append(len(decision.candidates))
    assert sizes == [40, 10, 2]
    assert isinstance(decide(under_way(stumbles=3), LARGE, {}), Done)


def test_a_module_that_is_no_python_is_passed_over() -> None:
    search = under_way(texts={"work.py": "def f(:\n"})
    assert isinstance(decide(search, SMALL, {}), Done)
