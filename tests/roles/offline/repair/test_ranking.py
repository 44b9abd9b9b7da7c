from __future__ import annotations

from itertools import islice

from roles.offline.repair.mutations import OPERATORS
from roles.offline.repair.ranking import pairs, ranked, singles, weight
from roles.offline.repair.source import Edit, Mutant
from tests.roles.offline.repair.examples import module

TWELVE = module(
    """\
    STEP = 2

    def walk(rows, limit):
        seen, best = [], 0
        for index, row in enumerate(rows):
            if row in seen:
                continue
            if len(row) > limit and row[0] < limit:
                best += row[index] * STEP - 1
            elif not row:
                best = limit
            seen.append(row)
        return best, seen
    """
)
FILES = {"work.py": TWELVE}
EVEN = {("work.py", line): 0.8 for line in range(4, 14)}


def test_the_suspicion_of_the_line_decides_among_equals() -> None:
    first = ranked(FILES, {("work.py", 6): 0.5, ("work.py", 9): 1.0})[:20]
    assert {mutant.line for mutant in first} == {9}
    assert {m.line for m in ranked(FILES, {("work.py", 6): 1.0})[:20]} == {6}


def test_neither_a_line_nor_an_operator_starves_the_others() -> None:
    first = ranked(FILES, EVEN)[:150]
    assert {mutant.line for mutant in first} >= set(range(4, 14)) - {7}
    operators = {mutant.operator for mutant in first}
    possible = {mutant.operator for mutant in ranked(FILES, EVEN)}
    assert len(operators) > len(possible) / 2
    assert {mutant.operator for mutant in ranked(FILES, EVEN)[:500]} == possible
    assert max(sum(m.operator == name for m in first) for name in operators) <= 40


def test_a_second_choice_weighs_half() -> None:
    edit = Edit("work.py", "a", "b", 1)
    one, two = (Mutant(edit, OPERATORS[0].name, 1.0, 1, rank) for rank in (0, 1))
    assert weight(one, 0.9) == 2 * weight(two, 0.9)


def test_each_edit_is_there_once_under_its_likeliest_operator() -> None:
    found = ranked(FILES, EVEN)
    assert len({mutant.edit for mutant in found}) == len(found)


def test_a_constant_is_suspected_for_the_lines_that_read_it() -> None:
    found = ranked(FILES, {("work.py", 9): 1.0})
    assert any(mutant.line == 1 for mutant in found)
    assert not any(m.line == 1 for m in ranked(FILES, {("work.py", 6): 1.0}))


def test_the_lines_of_one_statement_share_their_suspicion() -> None:
    found = module("def f(a):\n    return g(\n        a,\n        1,\n    )\n")
    assert {m.line for m in ranked({"work.py": found}, {("work.py", 2): 0.9})} >= {2, 3, 4}


def test_the_order_is_the_same_every_time() -> None:
    again = {"work.py": module(TWELVE.source.text)}
    once = [candidate.edits for candidate in singles(FILES, EVEN)]
    assert once == [candidate.edits for candidate in singles(again, EVEN)]


def test_no_two_candidates_come_to_the_same_program() -> None:
    texts = [c.edits[0].apply(TWELVE.source.text) for c in singles(FILES, EVEN)]
    assert len(texts) == len(set(texts)) > 300


def test_pairs_are_two_changes_apart_and_the_best_come_first() -> None:
    found = list(islice(singles(FILES, EVEN), 30))
    both = list(pairs(found, 100))
    assert len(both) == 100
    assert both[0].edits[0] == found[0].edits[0]
    for candidate in both:
        one, other = candidate.edits
        text = TWELVE.source.text
        first, second = sorted((one, other), key=lambda edit: edit.line or 0, reverse=True)
        assert second.apply(first.apply(text)) != text


def test_pairs_run_out_with_the_candidates() -> None:
    found = list(islice(singles(FILES, EVEN), 3))
    assert len(list(pairs(found, 100))) <= 3
    assert list(pairs([], 10)) == []
