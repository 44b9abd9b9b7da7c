from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roles.offline.repair.mutations import Module, mutants, outcome
from roles.offline.repair.source import Edit
from tests.roles.offline.repair.examples import module

PROGRAMS = sorted((Path(__file__).parents[3] / "repair" / "bugs").glob("*/[!t]*.py"))

NAMES = st.sampled_from(["a", "b", "i", "rows", "self.total"])
ATOMS = st.one_of(NAMES, st.sampled_from(["0", "1", "[]", "True", "None", "'x'", "len(rows)"]))
TERMS = st.one_of(
    ATOMS,
    st.tuples(ATOMS, st.sampled_from("+-*/%"), ATOMS).map(" ".join),
    st.tuples(ATOMS, st.sampled_from(["<", "==", "in", "and", "or"]), ATOMS).map(" ".join),
    st.tuples(NAMES, ATOMS).map(lambda pair: f"work({pair[0]}, {pair[1]})"),
    st.tuples(NAMES, ATOMS).map(lambda pair: f"{pair[0]}[{pair[1]}:]"),
    ATOMS.map(lambda atom: f"[v for v in rows if v != {atom}]"),
)
SIMPLE = st.one_of(
    st.tuples(NAMES, st.sampled_from(["=", "+=", "-="]), TERMS).map(" ".join),
    TERMS.map(lambda term: f"return {term}"),
    TERMS.map(lambda term: f"rows.append({term})  # kept"),
    st.tuples(TERMS, TERMS).map(lambda pair: f"a, b = {pair[0]}, {pair[1]}"),
)


def nested(block: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    heads = st.one_of(
        TERMS.map(lambda term: f"if {term}:"),
        TERMS.map(lambda term: f"while {term}:"),
        TERMS.map(lambda term: f"for i in range({term}):"),
    )
    under = st.tuples(heads, block).map(lambda p: [p[0], *("    " + line for line in p[1])])
    return st.tuples(block, under, block).map(lambda parts: [*parts[0], *parts[1], *parts[2]])


BLOCKS = st.recursive(st.lists(SIMPLE, min_size=1, max_size=2), nested, max_leaves=4)
METHODS = BLOCKS.map(
    lambda lines: "\n".join(
        ["class Work:", "    def work(self, a, b, rows=()):", *("        " + x for x in lines), ""]
    )
)


@settings(max_examples=25, deadline=None)
@given(METHODS)
def test_every_candidate_applies_and_is_other_valid_python(text: str) -> None:
    found = Module("work.py", text)
    before = ast.dump(found.source.tree)
    for line in found.source.by_line:
        for mutant in mutants(found, line):
            after = mutant.edit.apply(text)  # raises where the edit does not fit
            if outcome(found, mutant.edit) is not None:
                assert ast.dump(ast.parse(after)) != before


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_the_rest_of_a_file_stays_as_it_is(path: Path) -> None:
    text = path.read_text("utf-8")
    found = Module(path.name, text)
    lines = text.split("\n")
    for number in found.source.by_line:
        for mutant in mutants(found, number):
            edit = mutant.edit
            assert edit.line is not None
            start, size = edit.line - 1, edit.before.count("\n") + 1
            after = edit.apply(text).split("\n")
            assert after[:start] == lines[:start]
            assert after[len(after) - (len(lines) - start - size) :] == lines[start + size :]


def test_an_operator_s_prior_is_shared_by_the_nodes_that_it_fits() -> None:
    short, long = (
        module("def f(a, b):\n    return a\n"),
        module("def f(a, b):\n    return a, a, a, a\n"),
    )
    priors = [
        {m.prior for m in mutants(found, 2) if m.operator == "variable"} for found in (short, long)
    ]
    assert priors == [{1.0}, {0.5}]


def test_best_first_within_an_operator_and_node() -> None:
    found = module("def f(a, b):\n    return a < b\n")
    ranks = [m.rank for m in mutants(found, 2) if m.operator == "comparison"]
    assert ranks == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "after",
    [
        "    return a +",  # no Python
        "    return  a + b",  # only another layout
        "    return a - a",  # nothing a person would write
        "    a = a",
        "    break",  # parses, but does not compile
    ],
)
def test_what_is_no_candidate_has_no_outcome(after: str) -> None:
    found = module("def f(a, b):\n    return a + b\n")
    assert outcome(found, Edit("work.py", "    return a + b", after, 2)) is None


def test_edits_that_come_to_the_same_have_the_same_outcome() -> None:
    found = module(
        "class C:\n    def f(self, a):\n        return a\n\n    def g(self):\n        pass\n"
    )
    one = Edit("work.py", "        return a", "        return (-a)", 3)
    other = Edit("work.py", "        return a", "        return  -a", 3)
    assert outcome(found, one) == outcome(found, other) is not None
