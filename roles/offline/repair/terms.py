"""Operators on amounts: a term or factor that is missing, or done elsewhere and forgotten here.

Off by a variable is how many recursive calls go wrong; doing to one operand what was done to its
sibling is the plastic surgery hypothesis (Barr et al., 2014) on the scale of an expression.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from roles.offline.repair.site import Operator, Rewrites, Site, constant, loads, number
from roles.offline.repair.source import ATOM, BINARY, SIGNS, SUM, TERM, TEST

__all__ = ["TERMS"]

CONVERSIONS = frozenset({"int", "str", "len", "abs", "float", "set", "list", "sorted", "tuple"})
LOADED = (ast.Name, ast.Call, ast.Subscript, ast.Attribute, ast.BinOp)


def offset(site: Site) -> Rewrites:
    """An argument, index or result off by a variable: k becomes k - n."""
    node = site.node
    assert isinstance(node, ast.expr)
    if constant(node) or not loads(node):
        return
    match site.parent:
        case ast.Call(args=args):
            placed = node in args
        case ast.Subscript(slice=index):
            placed = node is index
        case ast.Slice() | ast.Return() | ast.Assign() | ast.Compare():
            placed = True
        case ast.Yield() | ast.AugAssign():
            placed = isinstance(node, ast.expr)
        case _:
            placed = False
    if placed:
        yield from _with_terms(site, node)


def _with_terms(site: Site, node: ast.expr) -> Rewrites:
    """An expression with a variable added, taken away or put before it."""
    kinds = site.kinds(node)
    used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    written = site.operand(node, SUM)
    for name in (*site.values(kinds, most=5), *sorted(site.scopes.constants)[:2]):
        known = next((k for n, k in site.scopes.names(node) if n == name), frozenset())
        if name in used and isinstance(node, ast.Name):
            continue
        if not (kinds & {"box", "bool"}):
            right = site.operand(node, SUM + 1)
            yield site.put(f"{written} - {name}")
            yield site.put(f"{written} + {name}")
            yield site.put(f"{name} - {right}")
        elif (known & kinds or not known) and kinds & {"list", "str"}:
            yield site.put(f"{name} + {site.operand(node, SUM + 1)}")
            yield site.put(f"{written} + {name}")


def factor(site: Site) -> Rewrites:
    """An amount multiplied or divided by a variable."""
    node = site.node
    assert isinstance(node, ast.expr)
    kinds = site.kinds(node)
    if not loads(node) or site.is_called() or (kinds and "num" not in kinds):
        return
    match site.parent:
        case ast.BinOp(op=ast.Mult() | ast.Div() | ast.FloorDiv(), left=left):
            placed = node is left
        case parent:
            placed = isinstance(parent, ast.AugAssign | ast.Assign | ast.Return)
    if placed:
        names = site.values(frozenset({"num"}), most=3)
        for form in ("{1} * {0}", "{0} / {1}", "{0} // {1}"):
            for name in names:
                yield site.put(form.format(site.operand(node, TERM), name))


class Form(NamedTuple):
    """What is done to an expression: what is written before and after it, and how tightly it must
    bind to go without parentheses."""

    before: str
    after: str
    level: int


def analogy(site: Site) -> Rewrites:
    """What the function does to another expression done to this one: + 1, [1:], int( )."""
    node = site.node
    assert isinstance(node, ast.expr)
    if not loads(node) or site.is_called() or isinstance(site.parent, ast.Attribute):
        return
    reach = {name for name, _ in site.scopes.names(node)} | site.scopes.constants | {"self"}
    found: dict[Form, int] = {}
    for other in site.body():
        for form, sibling, extra in _forms(site, other):
            names = {part.id for part in ast.walk(extra) if isinstance(part, ast.Name)}
            alike = isinstance(sibling, type(node)) and sibling is not node
            if alike and names <= reach and extra not in site.source.above(node):
                found.setdefault(form, abs(sibling.lineno - node.lineno))
    for form in sorted(found, key=lambda form: found[form])[:6]:
        yield site.put(f"{form.before}{site.operand(node, form.level)}{form.after}")


def _forms(site: Site, node: ast.AST) -> Iterator[tuple[Form, ast.expr, ast.AST]]:
    """The forms of an expression, each with what it is done to and what else it needs."""
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in SIGNS:
            sign, level = SIGNS[type(op)], BINARY[type(op)]
            yield Form("", f" {sign} {site.operand(right, level + 1)}", level), left, right
            yield Form(f"{site.operand(left, level)} {sign} ", "", level + 1), right, left
        case ast.Subscript(value=value, slice=ast.Slice() as bounds):
            if site.text(node).startswith(site.text(value)):
                yield Form("", site.text(node)[len(site.text(value)) :], ATOM), value, bounds
        case ast.Call(func=ast.Name(id=name), args=[value], keywords=[]) if name in CONVERSIONS:
            yield Form(f"{name}(", ")", TEST), value, ast.Constant(None)
        case _:
            pass


def value(site: Site) -> Rewrites:
    """A variable where a number was written, and another number of the function."""
    node = site.node
    number_here = number(node)
    if number_here is None or isinstance(site.parent, ast.UnaryOp):
        return
    for name in site.values(frozenset({"num"}), most=5):
        yield site.put(name)
    others: Iterator[int | None] = (number(part) for part in site.body())
    for other in list(dict.fromkeys(n for n in others if n is not None))[:6]:
        if abs(other - number_here) > 1:
            yield site.put(str(other))
    for other in (10 * number_here, number_here // 10, -number_here):
        if other not in {number_here, 0}:
            yield site.put(str(other))


TERMS = (
    Operator("offset", 0.5, (*LOADED, ast.List, ast.ListComp), offset),
    Operator("factor", 0.2, LOADED, factor),
    Operator("analogy", 0.5, (ast.Name, ast.Attribute, ast.Subscript, ast.Call), analogy),
    Operator("value", 0.4, (ast.Constant,), value),
)
