"""A place in the code and what an operator may ask about it.

Pure. Operators are functions from a site to edits, best first; None stands for an edit that the
layout of the text does not allow and is skipped.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from roles.offline.repair.scopes import Kinds, Scopes, fits
from roles.offline.repair.source import ATOM, Edit, Source

__all__ = [
    "Operator",
    "Rewrites",
    "Site",
    "beside",
    "constant",
    "ends",
    "exits",
    "is_test",
    "length",
    "loads",
    "number",
]

Rewrites = Iterator[Edit | None]


@dataclass(frozen=True, slots=True)
class Site:
    """One node of a module, seen together with the module."""

    source: Source
    scopes: Scopes
    node: ast.AST

    def text(self, node: ast.expr | ast.stmt) -> str:
        """The node's text as written."""
        return self.source.segment(node)

    def operand(self, node: ast.expr, level: int = ATOM) -> str:
        """The node's text, in parentheses if it binds more loosely than `level`."""
        return self.source.operand(node, level)

    def put(self, text: str, node: ast.expr | None = None) -> Edit:
        """Put an expression in the place of a node, by default the site's own."""
        target = self.node if node is None else node
        assert isinstance(target, ast.expr)
        return self.source.replace(target, text)

    def names(self, kinds: Kinds = frozenset(), most: int = 8) -> list[str]:
        """Variables that the node could use and that fit a kind, likeliest first."""
        found = [
            (name, known) for name, known in self.scopes.names(self.node) if fits(kinds, known)
        ]
        # A name known to fit comes before one that nothing is known about.
        found.sort(key=lambda item: not (item[1] & kinds))
        return [name for name, _ in found][:most]

    def values(self, kinds: Kinds = frozenset(), most: int = 8) -> list[str]:
        """Variables, then attributes of the object, that fit a kind; those that are never looked
        at although they were set before all others."""
        fields = [name for name, known in self.scopes.fields(self.node) if fits(kinds, known)][:3]
        unread = [f for f in fields if f.removeprefix("self.") in self.scopes.unread_attributes]
        names = [*unread, *self.names(kinds, most), *fields]
        own = self.text(self.node) if isinstance(self.node, ast.expr) else ""
        return [name for name in dict.fromkeys(names) if name != own]

    def kinds(self, node: ast.expr) -> Kinds:
        """What kind of value an expression seems to have."""
        return self.scopes.kinds(node)

    @property
    def parent(self) -> ast.AST:
        """The node above."""
        return self.source.parents[self.node]

    @property
    def function(self) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The function around the node."""
        return self.source.function(self.node)

    def is_called(self, node: ast.AST | None = None) -> bool:
        """Whether a node, by default the site's own, is what a call calls."""
        target = self.node if node is None else node
        parent = self.source.parents.get(target)
        return isinstance(parent, ast.Call) and parent.func is target

    def body(self) -> list[ast.AST]:
        """Every node of the function around, or of the module outside of functions."""
        return self.source.body(self.function)


@dataclass(frozen=True, slots=True)
class Operator:
    """A way to rewrite nodes of some types, and how often that is what repairs a bug."""

    name: str
    prior: float
    types: tuple[type[ast.AST], ...]
    rewrite: Callable[[Site], Rewrites]


def beside(site: Site, line: str) -> Rewrites:
    """A line put before the site's statement and, where it ends its block, after it."""
    node = site.node
    assert isinstance(node, ast.stmt)
    yield site.source.insert_before(node, [line])
    if ends(site):
        yield site.source.insert_after(node, [line])


def ends(site: Site) -> bool:
    """Whether the site's statement is the last of its block and does not leave it."""
    node = site.node
    assert isinstance(node, ast.stmt)
    leaves = isinstance(node, ast.Return | ast.Raise | ast.Break | ast.Continue)
    return site.source.block(node)[-1] is node and not leaves


def number(node: ast.AST) -> int | None:
    """The value of a whole-number literal, with its sign."""
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int(value)):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
            return -value
        case _:
            return None


def length(node: ast.AST) -> bool:
    """Whether an expression is a length, which has no sign."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len"


def loads(node: ast.AST) -> bool:
    """Whether an expression is read, not assigned to."""
    return isinstance(getattr(node, "ctx", ast.Load()), ast.Load)


def constant(node: ast.AST | None) -> bool:
    """Whether an expression is a literal, or an empty container."""
    match node:
        case None | ast.Constant():
            return True
        case ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]):
            return True
        case ast.UnaryOp(operand=ast.Constant()):
            return True
        case ast.Call(func=ast.Name(), args=[], keywords=[]):
            return True
        case _:
            return False


def is_test(node: ast.AST, parent: ast.AST) -> bool:
    """Whether a node stands where only its truth matters."""
    match parent:
        case (
            ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test)
        ):
            return node is test
        case ast.comprehension(ifs=ifs):
            return node in ifs
        case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return True
        case _:
            return False


def exits(statements: list[ast.stmt]) -> bool:
    """Whether a block leaves the loop or function at its end."""
    return isinstance(statements[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
