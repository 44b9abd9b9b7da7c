"""From a module's source and a line, the candidate repairs at that line, likeliest first.

Pure. Every operator is general: it knows Python, not the program.
"""

import ast
from collections.abc import Iterator
from functools import lru_cache

from roles.offline.repair.arithmetic import ARITHMETIC
from roles.offline.repair.guarding import GUARDING
from roles.offline.repair.naming import NAMING
from roles.offline.repair.results import RESULTS
from roles.offline.repair.scopes import Scopes
from roles.offline.repair.site import Operator, Site
from roles.offline.repair.source import Edit, Mutant, Source
from roles.offline.repair.statements import STATEMENTS

__all__ = ["OPERATORS", "Module", "mutants", "parses"]

OPERATORS: tuple[Operator, ...] = (*ARITHMETIC, *NAMING, *RESULTS, *GUARDING, *STATEMENTS)


class Module:
    """A parsed module with what is known of its names."""

    def __init__(self, path: str, text: str) -> None:
        self.source = Source(path, text)
        self.scopes = Scopes(self.source)


def mutants(module: Module, line: int) -> Iterator[Mutant]:
    """The candidate repairs to blame on a line, each edit once, operator by operator.

    Nothing has been parsed yet: an edit may turn out to be no Python, which `parses` tells.
    """
    seen: set[tuple[str, str, int | None]] = set()
    nodes = module.source.by_line.get(line, [])
    for operator in OPERATORS:
        for node in nodes:
            if not isinstance(node, operator.types):
                continue
            rank = 0
            for edit in operator.rewrite(Site(module.source, module.scopes, node)):
                if edit is None or edit.before == edit.after:
                    continue
                key = (edit.before, edit.after, edit.line)
                if key not in seen:
                    seen.add(key)
                    yield Mutant(edit, operator.name, operator.prior, line, rank)
                    rank += 1


@lru_cache(maxsize=20_000)
def _is_python(text: str) -> bool:
    try:
        compile(text, "<candidate>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def parses(text: str, edit: Edit) -> bool:
    """Whether the text is still a module with the edit made, and another one than before."""
    changed = edit.apply(text)
    return _is_python(changed) and ast.dump(ast.parse(changed)) != ast.dump(ast.parse(text))
