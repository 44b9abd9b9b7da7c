from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roles.offline.repair.source import Edit, Source, binding

LEAVES = st.sampled_from(["a", "b", "x.y", "f(a)", "a[0]", "1", "'s'", "[a, b]", "(a, b)"])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions one level deeper; every operand in parentheses, so that the shape is certain."""
    binary = st.sampled_from(
        ["+", "-", "*", "//", "%", "**", "&", "|", "<<", "<", "==", "in", "is not", "and", "or"]
    )
    return st.one_of(
        st.tuples(inner, binary, inner).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
        st.tuples(st.sampled_from(["-", "not ", "~"]), inner).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]}) if ({p[1]}) else ({p[2]})"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]})[{p[1]}]"),
        st.tuples(inner, inner).map(lambda p: f"f({p[0]}, k={p[1]})"),
        inner.map(lambda text: f"[v for v in ({text}) if ({text})]"),
        inner.map(lambda text: f"lambda: ({text})"),
    )


EXPRESSIONS = st.recursive(LEAVES, grown, max_leaves=6).map(
    # In the fewest parentheses, as people write.
    lambda text: ast.unparse(ast.parse(text, mode="eval"))
)


def swapped(tree: ast.AST, old: ast.AST, new: ast.AST) -> ast.AST:
    class Swap(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return new if node is old else self.generic_visit(node)

    return Swap().visit(tree)


@given(EXPRESSIONS, EXPRESSIONS, st.integers(0, 30))
def test_an_expression_put_in_the_place_of_another_means_just_that(
    whole: str, piece: str, which: int
) -> None:
    text = f"def work(a, b, x, f):\n    return {whole}\n"
    source = Source("work.py", text)
    nodes = [node for node in source.by_line[2] if isinstance(node, ast.expr)]
    reads = [n for n in nodes if isinstance(getattr(n, "ctx", ast.Load()), ast.Load)]
    node = reads[which % len(reads)]
    after = source.replace(node, piece).apply(text)
    wanted = swapped(source.tree, node, ast.parse(piece, mode="eval").body)
    assert ast.dump(ast.parse(after)) == ast.dump(wanted)


def test_what_surrounds_a_change_stays_as_it_was_written() -> None:
    text = 'def f(x):\n    return g( x ,  # why\n        "é" + x)  # so\n'
    source = Source("f.py", text)
    (name,) = [n for n in source.by_line[3] if isinstance(n, ast.Name)]
    edit = source.replace(name, "y")
    assert edit == Edit("f.py", '        "é" + x)  # so', '        "é" + y)  # so', 3)
    assert edit.apply(text) == text.replace('"é" + x', '"é" + y')


def test_parentheses_are_added_where_they_are_needed_and_nowhere_else() -> None:
    source = Source("f.py", "v = (a) * b\nw = f(a)\n")
    first, call = source.by_line[1], source.by_line[2]
    a = next(n for n in first if isinstance(n, ast.Name) and n.id == "a")
    b = next(n for n in first if isinstance(n, ast.Name) and n.id == "b")
    argument = next(n for n in call if isinstance(n, ast.Name) and n.id == "a")
    assert source.replace(a, "x + y").after == "v = (x + y) * b"
    assert source.replace(b, "x + y").after == "v = (a) * (x + y)"
    assert source.replace(argument, "x + y").after == "w = f(x + y)"
    assert source.replace(argument, "x, y").after == "w = f((x, y))"


def test_an_edit_that_does_not_fit_says_so() -> None:
    with pytest.raises(ValueError, match=r"line 2 of f\.py does not read"):
        Edit("f.py", "x = 1", "x = 2", 2).apply("x = 1\n")


def test_lines_after_a_stray_carriage_return_are_left_alone() -> None:
    source = Source("f.py", 'x = 1\ny = "a"\n"""\r"""\nz = 3\n')
    assert sorted(source.by_line) == [1, 2]


def test_docstrings_annotations_and_the_inside_of_f_strings_are_no_places_for_change() -> None:
    source = Source("f.py", 'def f(x: int = 3) -> str:\n    """Doc."""\n    return f"{x + 1}"\n')
    shown = [ast.unparse(n) for nodes in source.by_line.values() for n in nodes]
    assert "'Doc.'" not in shown
    assert "int" not in shown
    assert "x + 1" not in shown
    assert "3" in shown


def test_statements_are_put_beside_others_with_their_indentation() -> None:
    text = "if x:\n    a()\nb(); c()\n"
    source = Source("f.py", text)
    inner, b, c = (
        next(s for s in ast.walk(source.tree) if isinstance(s, ast.Expr) and ast.unparse(s) == name)
        for name in ("a()", "b()", "c()")
    )
    before, after = source.insert_before(inner, ["z()"]), source.insert_after(inner, ["z()"])
    assert before is not None
    assert after is not None
    assert before.apply(text) == "if x:\n    z()\n    a()\nb(); c()\n"
    assert after.apply(text) == "if x:\n    a()\n    z()\nb(); c()\n"
    assert source.insert_before(b, ["z()"]) is not None
    assert source.insert_before(c, ["z()"]) is None


@pytest.mark.parametrize(
    ("looser", "tighter"),
    [
        ("a or b", "a and b"),
        ("not a", "a < b"),
        ("a | b", "a + b"),
        ("a + b", "a * b"),
        ("-a", "a"),
    ],
)
def test_operators_bind_as_the_language_says(looser: str, tighter: str) -> None:
    def level(text: str) -> int:
        return binding(ast.parse(text, mode="eval").body)

    assert level(looser) < level(tighter)
