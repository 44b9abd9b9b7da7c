"""The order in which candidate repairs are tried, over all lines, operators and modules.

Pure. A candidate's weight is the suspicion of its line times the prior of its operator, divided by
its place among its operator's candidates for the same node. The division is what keeps a line or an
operator with many candidates from starving the others: its second candidate competes with the
first of a group half as likely, as in weighted fair queueing (Demers, Keshav and Shenker, 1989).
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from roles.offline.repair.mutations import Module, mutants, outcome
from roles.offline.repair.source import Edit, Mutant

__all__ = ["Candidate", "Suspicion", "pairs", "ranked", "singles"]

Suspicion = Mapping[tuple[str, int], float]
"""How suspicious each (path, line) is, from 0 to 1."""

# A line that no failing test executed may still hold the constant that a suspicious line reads.
REMOTE = 0.5
SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Expr, ast.Assert, ast.Raise)
# Lines of one function differ little in suspicion; squaring makes what difference there is count.
SHARPNESS = 2.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """One repair to try: its edits, how promising it seems, and the name of what made it."""

    edits: tuple[Edit, ...]
    weight: float
    operator: str


def ranked(modules: Mapping[str, Module], suspicion: Suspicion) -> list[Mutant]:
    """All single mutations of the suspicious lines, most promising first."""
    blamed = _blamed(modules, suspicion)
    found: list[tuple[float, str, int, Mutant]] = []
    for (path, line), score in blamed.items():
        if path not in modules or score <= 0:
            continue
        for mutant in mutants(modules[path], line):
            found.append((weight(mutant, score), path, line, mutant))
    # Equal weights keep the order of the lines and of the operators: sorting is stable.
    found.sort(key=lambda item: (-item[0], item[1], item[2]))
    # Where two operators come to the same edit, the likelier one has it.
    unique: dict[Edit, Mutant] = {}
    for _, _, _, mutant in found:
        unique.setdefault(mutant.edit, mutant)
    return list(unique.values())


def weight(mutant: Mutant, score: float) -> float:
    """How promising a mutant is, given the suspicion of its line."""
    return float(score**SHARPNESS * mutant.prior / (1 + mutant.rank))


def _blamed(modules: Mapping[str, Module], suspicion: Suspicion) -> Suspicion:
    """The suspicion of every line to be mutated: measured, shared or handed on."""
    blamed = {**_remote(modules, suspicion), **suspicion}
    # The lines of one simple statement run together, whichever of them the tracer reports.
    for path, module in modules.items():
        for nodes in module.source.by_line.values():
            for node in nodes:
                if isinstance(node, SIMPLE) and node.end_lineno != node.lineno:
                    lines = [(path, n) for n in range(node.lineno, (node.end_lineno or 0) + 1)]
                    most = max(blamed.get(key, 0.0) for key in lines)
                    if most > 0:
                        blamed.update(dict.fromkeys(lines, most))
    return blamed


def _remote(modules: Mapping[str, Module], suspicion: Suspicion) -> dict[tuple[str, int], float]:
    """Suspicion handed on to where a suspicious line's names get their values: constants of the
    module and of the class, and the head of the function with its defaults."""
    passed: dict[tuple[str, int], float] = {}
    for path, module in modules.items():
        places = _definitions(module)
        for (at, line), score in suspicion.items():
            if at != path:
                continue
            for node in module.source.by_line.get(line, []):
                name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", None)
                lines = [places[name]] if name in places else []
                function = module.source.function(node)
                lines += [function.lineno] if function is not None else []
                for other in lines:
                    key = (path, other)
                    passed[key] = max(passed.get(key, 0.0), score * REMOTE)
    return passed


def _definitions(module: Module) -> dict[str, int]:
    """Where each constant of the module and its classes is bound."""
    found: dict[str, int] = {}
    for node in ast.walk(module.source.tree):
        if isinstance(node, ast.Module | ast.ClassDef):
            for statement in node.body:
                if isinstance(statement, ast.Assign | ast.AnnAssign):
                    for part in ast.walk(statement):
                        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                            found.setdefault(part.id, statement.lineno)
    return found


def singles(modules: Mapping[str, Module], suspicion: Suspicion) -> Iterator[Candidate]:
    """Candidates of one mutation, valid Python all, most promising first, none twice."""
    seen: set[str] = set()
    blamed = _blamed(modules, suspicion)
    for mutant in ranked(modules, suspicion):
        edit = mutant.edit
        made = outcome(modules[edit.path], edit)
        if made is not None and made not in seen:
            seen.add(made)
            score = blamed[edit.path, mutant.line]
            yield Candidate((edit,), weight(mutant, score), mutant.operator)


def pairs(candidates: list[Candidate], most: int) -> Iterator[Candidate]:
    """Two mutations at once, the best with the best: in the order of the sum of their places.

    Only mutations of different lines go together; those of one line are single mutations' business.
    """
    ordered = (
        (candidates[one], candidates[total - one])
        for total in range(1, 2 * len(candidates))
        for one in range(max(0, total - len(candidates) + 1), (total + 1) // 2)
    )
    disjoint = ((a, b) for a, b in ordered if not _overlap(a.edits[0], b.edits[0]))
    for first, second in islice(disjoint, most):
        edits = first.edits + second.edits
        yield Candidate(
            edits, first.weight * second.weight, f"{first.operator} + {second.operator}"
        )


def _overlap(one: Edit, other: Edit) -> bool:
    if one.path != other.path or one.line is None or other.line is None:
        return False
    return one.line <= other.line + other.before.count("\n") and (
        other.line <= one.line + one.before.count("\n")
    )
