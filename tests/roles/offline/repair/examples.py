"""What the tests of the engine share: small modules, and the changes made of them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from roles.offline.repair.mutations import Module, mutants, outcome


def module(source: str) -> Module:
    return Module("work.py", textwrap.dedent(source).lstrip("\n"))


def changed(found: Module, line: int, operators: Iterable[str] = ()) -> list[str]:
    """The module's text after each candidate to blame on a line that is valid Python."""
    wanted = set(operators)
    return [
        mutant.edit.apply(found.source.text)
        for mutant in mutants(found, line)
        if (not wanted or mutant.operator in wanted) and outcome(found, mutant.edit) is not None
    ]
