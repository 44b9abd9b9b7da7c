"""From a module's source and a line, the candidate repairs at that line, likeliest first.

Pure. Every operator is general: it knows Python, not the program.
"""

import ast
import warnings
from collections.abc import Iterator
from functools import cached_property

from roles.offline.repair.arithmetic import ARITHMETIC
from roles.offline.repair.filling import FILLING
from roles.offline.repair.guarding import GUARDING
from roles.offline.repair.naming import NAMING
from roles.offline.repair.results import RESULTS
from roles.offline.repair.scopes import Scopes
from roles.offline.repair.site import Operator, Site
from roles.offline.repair.source import NAMED, Edit, Mutant, Source
from roles.offline.repair.statements import STATEMENTS
from roles.offline.repair.terms import TERMS

__all__ = ["OPERATORS", "Module", "mutants", "outcome"]

BLOCK = "if True:\n"

# How far the nodes of a line share what an operator is given: 0 not at all, 1 wholly.
SHARING = 0.5

OPERATORS: tuple[Operator, ...] = (
    *ARITHMETIC,
    *NAMING,
    *TERMS,
    *RESULTS,
    *GUARDING,
    *FILLING,
    *STATEMENTS,
)


class Module:
    """A parsed module with what is known of its names."""

    def __init__(self, path: str, text: str) -> None:
        self.source = Source(path, text)
        self.scopes = Scopes(self.source)
        self._spelled: dict[tuple[int, int], str] = {}

    def around(self, edit: Edit) -> tuple[int, int]:
        """The first and last line of the function that an edit falls into, outermost but for
        classes; or else of the top-level statements that it touches."""
        start = edit.line or 1
        end = start + edit.before.count("\n")
        touched = [(start, end)]
        for first, last, function in self._units:
            if function and first <= start and end <= last:
                return first, last
            if not function and first <= end and start <= last:
                touched.append((first, last))
        return min(first for first, _ in touched), max(last for _, last in touched)

    @cached_property
    def _units(self) -> list[tuple[int, int, bool]]:
        """What can be parsed alone: functions and methods first, then all top-level statements."""
        methods = [
            statement
            for node in ast.walk(self.source.tree)
            if isinstance(node, ast.Module | ast.ClassDef)
            for statement in node.body
            if isinstance(statement, NAMED)
        ]
        units = [(*extent(statement), True) for statement in methods]
        return units + [(*extent(statement), False) for statement in self.source.tree.body]

    def spelled(self, first: int, last: int) -> str:
        """Some lines in the spelling that all layouts share."""
        if (first, last) not in self._spelled:
            lines = "\n".join(self.source.lines[first - 1 : last])
            block = BLOCK if lines[:1].isspace() else ""
            self._spelled[first, last] = ast.unparse(ast.parse(block + lines))
        return self._spelled[first, last]


def extent(statement: ast.stmt) -> tuple[int, int]:
    """The first and last line of a statement, decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(node.lineno for node in decorators)])
    return first, statement.end_lineno or first


def mutants(module: Module, line: int) -> Iterator[Mutant]:
    """The candidate repairs to blame on a line, operator by operator, each with its prior.

    An operator's prior is shared by the nodes of the line that it fits, so that a long line does
    not get more than its due. Nothing has been parsed yet: an edit may turn out to be no Python,
    which `outcome` tells; and two operators may come to the same edit.
    """
    nodes = module.source.by_line.get(line, [])
    for operator in OPERATORS:
        fitting = [node for node in nodes if isinstance(node, operator.types)]
        offers = [list(_offers(operator, Site(module.source, module.scopes, n))) for n in fitting]
        shared = operator.prior / max(1, sum(map(bool, offers))) ** SHARING
        for edits in offers:
            for rank, edit in enumerate(edits):
                yield Mutant(edit, operator.name, shared, line, rank)


def _offers(operator: Operator, site: Site) -> Iterator[Edit]:
    """What an operator makes of one node, each edit once."""
    seen: set[Edit] = set()
    for edit in operator.rewrite(site):
        if edit is not None and edit.before != edit.after and edit not in seen:
            seen.add(edit)
            yield edit


def outcome(module: Module, edit: Edit) -> str | None:
    """What an edit makes of the module, in one spelling for all layouts; None when that is no
    Python, or nothing that a person would write or another than before.

    Only the function that the edit falls into is parsed again: a long module is not slower to mend
    than a short one.
    """
    first, last = module.around(edit)
    before = "\n".join(module.source.lines[first - 1 : last])
    start = (edit.line or 1) - first + 1
    after = Edit(edit.path, edit.before, edit.after, start).apply(before)
    # A method keeps its indentation, as the body of a block of one line.
    block = BLOCK if before[:1].isspace() else ""
    tree = _parsed(block + after)
    if tree is None:
        return None
    lowest = start + block.count("\n")
    changed = range(lowest, lowest + edit.after.count("\n") + 1)
    if any(_idle(node) for node in ast.walk(tree) if getattr(node, "lineno", 0) in changed):
        return None
    spelled = ast.unparse(tree)
    return None if spelled == module.spelled(first, last) else f"{edit.path}:{first}\n{spelled}"


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            # Doubtful comparisons are errors to nobody but the author.
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(text)
            compile(tree, "<candidate>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        return None
    return tree


def _idle(node: ast.AST) -> bool:
    """Whether code says nothing: x = x, x == x, x - x."""
    match node:
        case ast.Assign(targets=[left], value=right):
            return ast.unparse(left) == ast.unparse(right)
        case ast.Compare(left=left, comparators=[right]):
            return ast.dump(left) == ast.dump(right)
        case ast.BinOp(
            left=left, op=ast.Sub() | ast.Div() | ast.FloorDiv() | ast.Mod(), right=right
        ):
            return ast.dump(left) == ast.dump(right)
        case _:
            return False
