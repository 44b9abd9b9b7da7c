from __future__ import annotations

import ast

import pytest

from roles.offline.repair.mutations import Module
from roles.offline.repair.scopes import fits
from tests.roles.offline.repair.examples import module

SOURCE = """\
    LIMIT = 10

    class Count:
        size = 0

        def walk(self, rows, key, text):
            found, seen = [], set()
            total = 0
            for index, row in enumerate(rows):
                seen.add(row)
                total += index
                text.strip()
            late = total
            return [late for cell in found if cell == key]
    """


def named(found: Module, line: int) -> dict[str, frozenset[str]]:
    node = next(n for n in found.source.by_line[line] if isinstance(n, ast.stmt))
    return dict(found.scopes.names(node))


def test_kinds_are_read_off_the_uses() -> None:
    names = named(module(SOURCE), 12)
    assert names["total"] >= {"num"}
    assert names["index"] >= {"num"}
    assert names["rows"] >= {"box"}
    assert names["found"] >= {"box", "list"}
    assert names["seen"] >= {"box", "set"}
    assert names["text"] >= {"box", "str"}
    assert names["key"] == frozenset()


def test_only_names_in_reach_are_offered() -> None:
    found = module(SOURCE)
    names = named(found, 11)
    assert "late" not in names  # bound later, outside the loop
    assert "cell" not in names  # belongs to a comprehension
    assert "size" not in names  # an attribute
    assert "LIMIT" not in names  # the module's
    assert "late" in named(found, 14)


def test_a_statement_may_use_after_it_what_it_binds() -> None:
    found = module(SOURCE)
    node = next(n for n in found.source.by_line[13] if isinstance(n, ast.Assign))
    assert "late" not in dict(found.scopes.names(node))
    assert "late" in dict(found.scopes.names(node, after=True))


def test_inside_a_comprehension_its_own_variable_is_known() -> None:
    found = module(SOURCE)
    compare = next(n for n in found.source.by_line[14] if isinstance(n, ast.Compare))
    assert "cell" in dict(found.scopes.names(compare.left))


@pytest.mark.parametrize(
    ("one", "other", "fit"),
    [
        ({"num"}, {"num"}, True),
        (set(), {"num"}, True),
        ({"box"}, {"box", "list"}, True),
        ({"box", "str"}, {"box", "list"}, False),
        ({"box"}, {"num"}, False),
    ],
)
def test_kinds_fit_unless_they_are_known_to_differ(
    one: set[str], other: set[str], fit: bool
) -> None:
    assert fits(frozenset(one), frozenset(other)) is fit
