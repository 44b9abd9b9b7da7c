"""A module's text beside its syntax tree, and changes that touch only the lines they must.

Pure. A change is composed as text from the module's own segments, not printed from a tree, so that
comments, quotes and line breaks elsewhere stay as the author wrote them.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, cast

__all__ = [
    "AND",
    "ATOM",
    "BINARY",
    "BIT_OR",
    "COMPREHENSIONS",
    "FUNCTIONS",
    "LOOPS",
    "NAMED",
    "NOT",
    "OR",
    "SIGN",
    "SIGNS",
    "SUM",
    "TERM",
    "TEST",
    "Edit",
    "Mutant",
    "Source",
    "binding",
]

N = TypeVar("N", bound=ast.AST)

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
NAMED = (ast.FunctionDef, ast.AsyncFunctionDef)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
SHARED = (ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

# How tightly an expression binds, after the table in the Python reference (section 6.17).
LOOSE, TUPLE, TEST, OR, AND, NOT, COMPARE, BIT_OR, BIT_XOR, BIT_AND, SHIFT, SUM, TERM, SIGN = range(
    14
)
POWER, AWAIT, ATOM = 14, 15, 16

BINARY: dict[type[ast.operator], int] = {
    ast.BitOr: BIT_OR,
    ast.BitXor: BIT_XOR,
    ast.BitAnd: BIT_AND,
    ast.LShift: SHIFT,
    ast.RShift: SHIFT,
    ast.Add: SUM,
    ast.Sub: SUM,
    ast.Mult: TERM,
    ast.MatMult: TERM,
    ast.Div: TERM,
    ast.FloorDiv: TERM,
    ast.Mod: TERM,
    ast.Pow: POWER,
}

SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
}


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace `before`, whole lines from `line` (1-based) of the file at `path`, by `after`."""

    path: str
    before: str
    after: str
    line: int | None = None

    def apply(self, text: str) -> str:
        """The text with this edit made; ValueError when `before` is not where it should be."""
        start = 0
        if self.line is not None:
            start = sum(len(line) + 1 for line in text.split("\n")[: self.line - 1])
        if not text.startswith(self.before, start):
            raise ValueError(f"line {self.line} of {self.path} does not read {self.before!r}")
        return text[:start] + self.after + text[start + len(self.before) :]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A candidate repair: one edit, the operator that made it, and how likely that one is to help.

    `line` is the line to blame, where suspicion is looked up; the edit may start elsewhere. `rank`
    is the place among what the operator makes of one node, best first.
    """

    edit: Edit
    operator: str
    prior: float
    line: int
    rank: int


def binding(node: ast.AST) -> int:  # noqa: C901  (one case for each form of expression)
    """How tightly an expression binds: the higher, the less it needs parentheses."""
    match node:
        case ast.BinOp(op=op):
            return BINARY[type(op)]
        case ast.UnaryOp(op=ast.Not()):
            return NOT
        case ast.UnaryOp():
            return SIGN
        case ast.BoolOp(op=ast.And()):
            return AND
        case ast.BoolOp():
            return OR
        case ast.Compare():
            return COMPARE
        case ast.IfExp() | ast.Lambda():
            return TEST
        case ast.Tuple() | ast.Starred() | ast.Slice():
            return TUPLE
        case ast.NamedExpr() | ast.Yield() | ast.YieldFrom():
            return LOOSE
        case ast.Await():
            return AWAIT
        case _:
            return ATOM


def room(parent: ast.AST, child: ast.AST) -> int:
    """The loosest binding that needs no parentheses in the place of `child` under `parent`."""
    match parent:
        case ast.BinOp(op=op, right=right):
            level = BINARY[type(op)]
            return level + (1 if (child is right) != isinstance(op, ast.Pow) else 0)
        case ast.UnaryOp() | ast.BoolOp() | ast.Compare():
            return binding(parent) + (0 if isinstance(parent, ast.UnaryOp) else 1)
        case ast.Attribute() | ast.Await():
            return ATOM
        case ast.Subscript(value=value):
            return ATOM if child is value else TUPLE
        case ast.Call(func=func):
            return ATOM if child is func else TEST
        case ast.Starred():
            return BIT_OR
        case ast.IfExp(orelse=orelse):
            return TEST if child is orelse else OR
        case ast.comprehension(target=target):
            return TUPLE if child is target else OR
        case ast.Return() | ast.Expr() | ast.Assign() | ast.AugAssign() | ast.Yield() | ast.For():
            return TUPLE
        case _:
            return TEST


class Source:
    """One module: its text, its tree, and who stands above whom in it.

    Lines are counted by "\n", as the tools do. Python also counts a stray "\r", so what comes after
    one cannot be placed, and is left alone. Raises SyntaxError when the text is not Python.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        stray = text.find("\r")
        self.end = len(self.lines) + 1 if stray < 0 else text.count("\n", 0, stray) + 1
        self.tree = ast.parse(text)
        self.parents: dict[ast.AST, ast.AST] = {}
        self._by_type: dict[type[ast.AST], list[ast.AST]] = {}
        self._bodies: dict[ast.AST | None, list[ast.AST]] = {}
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                # Operators and contexts are shared objects; all others have one place.
                if not isinstance(child, SHARED):
                    self.parents[child] = node

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The parents of a node, innermost first."""
        current = self.parents.get(node)
        while current is not None:
            yield current
            current = self.parents.get(current)

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """The innermost statement around a node, or the node itself."""
        for candidate in (node, *self.above(node)):
            if isinstance(candidate, ast.stmt):
                return candidate
        return None

    def function(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The innermost named function around a node; a lambda does not count."""
        for candidate in self.above(node):
            if isinstance(candidate, ast.FunctionDef | ast.AsyncFunctionDef):
                return candidate
        return None

    def loop(self, node: ast.AST) -> ast.For | ast.AsyncFor | ast.While | None:
        """The innermost loop around a node, within its function."""
        for candidate in self.above(node):
            if isinstance(candidate, LOOPS):
                return candidate
            if isinstance(candidate, (*FUNCTIONS, ast.ClassDef)):
                return None
        return None

    def block(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements that the given one stands among."""
        parent = self.parents[statement]
        for name in ("body", "orelse", "finalbody"):
            block = getattr(parent, name, [])
            if isinstance(block, list) and statement in block:
                return block
        return [statement]

    @cached_property
    def by_line(self) -> dict[int, list[ast.AST]]:
        """The statements and expressions that start on each line, outer ones first."""
        found: dict[int, list[ast.AST]] = {}
        for node in self.walk(self.tree):
            if isinstance(node, ast.stmt | ast.expr) and (node.end_lineno or 0) < self.end:
                found.setdefault(node.lineno, []).append(node)
        return found

    def walk(self, node: ast.AST) -> Iterator[ast.AST]:
        """All nodes in the order of the text. The inside of f-strings has no reliable positions
        before Python 3.12, and docstrings and annotations are not behaviour: they are left out."""
        yield node
        for name, value in ast.iter_fields(node):
            if name in {"annotation", "returns", "type_params", "decorator_list"}:
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.JoinedStr) or not isinstance(child, ast.AST):
                    continue
                if not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
                    yield from self.walk(child)

    def every(self, kind: type[N]) -> list[N]:
        """All nodes of one type in the module, from the outside in."""
        if not self._by_type:
            for node in ast.walk(self.tree):
                self._by_type.setdefault(type(node), []).append(node)
        return cast(list[N], self._by_type.get(kind, []))

    def body(self, function: ast.AST | None) -> list[ast.AST]:
        """Every node of a function, or of the module outside of functions and classes."""
        if function not in self._bodies:
            if function is None:
                own = [s for s in self.tree.body if not isinstance(s, (*NAMED, ast.ClassDef))]
                self._bodies[None] = [node for statement in own for node in self.walk(statement)]
            else:
                self._bodies[function] = list(self.walk(function))
        return self._bodies[function]

    def offsets(self, node: ast.expr | ast.stmt) -> tuple[int, int, int, int]:
        """First line (1-based), column, last line and column of a node, columns in characters."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            node.lineno,
            self._column(node.lineno, node.col_offset),
            node.end_lineno,
            self._column(node.end_lineno, node.end_col_offset),
        )

    def _column(self, line: int, offset: int) -> int:
        """The tree counts in UTF-8 bytes, text in characters."""
        content = self.lines[line - 1]
        if content.isascii():
            return offset
        return len(content.encode()[:offset].decode())

    def segment(self, node: ast.expr | ast.stmt) -> str:
        """The text of a node, without parentheses around it."""
        first, start, last, end = self.offsets(node)
        if first == last:
            return self.lines[first - 1][start:end]
        middle = self.lines[first : last - 1]
        return "\n".join([self.lines[first - 1][start:], *middle, self.lines[last - 1][:end]])

    def operand(self, node: ast.expr, level: int = ATOM) -> str:
        """The text of a node, in parentheses if it binds more loosely than `level`."""
        text = self.segment(node)
        return f"({text})" if binding(node) < level else text

    def splice(self, node: ast.expr | ast.stmt, text: str) -> Edit:
        """The edit that puts `text` in the place of a node."""
        first, start, last, end = self.offsets(node)
        before = self.lines[first - 1 : last]
        after = self.lines[first - 1][:start] + text + self.lines[last - 1][end:]
        return Edit(self.path, "\n".join(before), after, first)

    def replace(self, node: ast.expr, text: str) -> Edit:
        """The edit that puts an expression in the place of another, in parentheses if need be."""
        try:
            new = ast.parse(text.strip(), mode="eval").body
        except SyntaxError:
            return self.splice(node, text)
        enclosed = isinstance(node, ast.GeneratorExp) and not isinstance(new, ast.GeneratorExp)
        needed = binding(new) < room(self.parents[node], node) and not self._in_parentheses(node)
        return self.splice(node, f"({text})" if enclosed or needed else text)

    def _in_parentheses(self, node: ast.expr) -> bool:
        """Whether the node stands in parentheses of its own, not in those of a call."""
        first, start, last, end = self.offsets(node)
        left = self.lines[first - 1][:start].rstrip()
        right = self.lines[last - 1][end:].lstrip()
        if not (left.endswith("(") and right.startswith(")")):
            return False
        opener = left[:-1].rstrip()[-1:]
        return not (opener.isalnum() or opener in {"_", ")", "]"})

    def replace_lines(self, first: int, last: int, lines: Sequence[str]) -> Edit:
        """The edit that puts other lines in the place of some."""
        return Edit(self.path, "\n".join(self.lines[first - 1 : last]), "\n".join(lines), first)

    def indent(self, statement: ast.stmt) -> str | None:
        """The blanks before a statement, or None if something else stands before it."""
        line = self.lines[statement.lineno - 1]
        blanks = line[: self._column(statement.lineno, statement.col_offset)]
        return None if blanks.strip() else blanks

    def insert_before(self, statement: ast.stmt, lines: Sequence[str]) -> Edit | None:
        """The edit that puts lines (indented like it) before a statement; None where it cannot."""
        blanks = self.indent(statement)
        if blanks is None or getattr(statement, "decorator_list", None):
            return None
        number = statement.lineno
        return self.replace_lines(
            number, number, [*(blanks + line for line in lines), self.lines[number - 1]]
        )

    def insert_after(self, statement: ast.stmt, lines: Sequence[str]) -> Edit | None:
        """The edit that puts lines (indented like it) after a statement; None where it cannot."""
        blanks = self.indent(statement)
        number = statement.end_lineno
        if blanks is None or number is None:
            return None
        return self.replace_lines(
            number, number, [self.lines[number - 1], *(blanks + line for line in lines)]
        )
