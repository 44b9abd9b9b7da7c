"""Operators on whole statements: one that is missing, superfluous, or in the wrong place.

Insertion from the same function and deletion are the operators of GenProg (Le Goues et al., 2012)
and RSRepair (Qi et al., 2014). What is inserted is drawn from a small family, since a free choice
of statements drowns the search.
"""

import ast

from roles.offline.repair.scopes import fits
from roles.offline.repair.site import Operator, Rewrites, Site, beside
from roles.offline.repair.source import LOOPS, Edit

__all__ = ["STATEMENTS"]

NUM = frozenset({"num"})
SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign)


def renewal(site: Site) -> Rewrites:
    """A variable carried through a loop that is never brought up to date in it."""
    loop = site.source.loop(site.node)
    if loop is None:
        return
    known = dict(site.scopes.names(site.node))
    for name in _stale(loop, list(known)):
        kinds = known[name]
        lines = [f"{name} += 1", f"{name} -= 1"] if fits(kinds, NUM) else []
        others = [other for other in known if other != name and fits(kinds, known[other])]
        lines[:0] = [f"{name} = {other}" for other in others][:5]
        if "num" in kinds:
            lines += [f"{name} += {other}" for other in others if "num" in known[other]][:3]
        for line in lines:
            yield from beside(site, line)


def _stale(loop: ast.For | ast.AsyncFor | ast.While, names: list[str]) -> list[str]:
    """The names that a loop reads and never binds, those of a while's test first."""
    bound = {
        n.id for n in ast.walk(loop) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    read = {n.id for n in ast.walk(loop) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    tested: set[str] = set()
    if isinstance(loop, ast.While):
        tested = {n.id for n in ast.walk(loop.test) if isinstance(n, ast.Name)}
    stale = [name for name in names if name in read and name not in bound]
    return sorted(stale, key=lambda name: name not in tested)[:5]


def leaving(site: Site) -> Rewrites:
    """A missing return at the end of a function, or a missing break or continue."""
    node = site.node
    assert isinstance(node, ast.stmt)
    block = site.source.block(node)
    if block[-1] is not node or isinstance(node, ast.Return | ast.Raise):
        return
    parent = site.source.parents[node]
    if site.source.loop(node) is not None and not isinstance(parent, LOOPS):
        yield site.source.insert_after(node, ["break"])
        yield site.source.insert_after(node, ["continue"])
    if site.function is not None:
        names = [name for name, _ in site.scopes.names(node, after=True)][:6]
        if parent is site.function:
            for name in names:
                yield site.source.insert_after(node, [f"return {name}"])
        elif not isinstance(parent, LOOPS):
            for name in names[:4]:
                yield site.source.insert_after(node, [f"return {name}"])
            yield site.source.insert_after(node, ["return True"])
            yield site.source.insert_after(node, ["return False"])


def repetition(site: Site) -> Rewrites:
    """A simple statement of the same function done here as well."""
    node = site.node
    assert isinstance(node, ast.stmt)
    reach = {name for name, _ in site.scopes.names(node)}
    own = {ast.unparse(node)}
    for part in site.body():
        if not isinstance(part, SIMPLE) or part is node:
            continue
        written = site.text(part)
        names = {n.id for n in ast.walk(part) if isinstance(n, ast.Name)}
        if (
            "\n" in written
            or written in own
            or isinstance(getattr(part, "value", None), ast.Constant)
        ):
            continue
        if names & reach and abs(part.lineno - node.lineno) <= 12:
            own.add(written)
            yield from beside(site, written)


def yielding(site: Site) -> Rewrites:
    """A missing yield in a generator."""
    if any(isinstance(part, ast.Yield | ast.YieldFrom) for part in site.body()):
        for name in site.names(most=4):
            yield from beside(site, f"yield {name}")


def superfluous(site: Site) -> Rewrites:
    """A statement left out."""
    node = site.node
    assert isinstance(node, ast.stmt)
    if isinstance(node, ast.If) and not node.orelse:
        yield _unwrapped(site, node, node.body)
    if node.end_lineno is not None and site.source.indent(node) is not None:
        blanks = site.source.indent(node) or ""
        # `pass` keeps the block whole and the line numbers of the rest as they are.
        yield site.source.replace_lines(node.lineno, node.end_lineno, [f"{blanks}pass"])


def _unwrapped(site: Site, node: ast.stmt, body: list[ast.stmt]) -> Edit | None:
    """The body of a compound statement in its place."""
    first, last = body[0], body[-1]
    blanks, inner = site.source.indent(node), site.source.indent(first)
    if blanks is None or inner is None or last.end_lineno is None or first.lineno == node.lineno:
        return None
    lines = site.source.lines[first.lineno - 1 : last.end_lineno]
    moved = [blanks + line[len(inner) :] if line.startswith(inner) else line for line in lines]
    return site.source.replace_lines(node.lineno, last.end_lineno, moved)


def sequence(site: Site) -> Rewrites:
    """Two neighbouring statements in the other order."""
    node = site.node
    assert isinstance(node, ast.stmt)
    block = site.source.block(node)
    at = block.index(node)
    if at + 1 >= len(block):
        return
    other = block[at + 1]
    if node.end_lineno is None or other.end_lineno is None or other.lineno <= node.end_lineno:
        return
    if site.source.indent(node) is None or isinstance(node, ast.FunctionDef | ast.Import):
        return
    if isinstance(other, ast.Return | ast.Raise | ast.Break | ast.Continue):
        return  # nothing would come after it
    lines = site.source.lines
    first = lines[node.lineno - 1 : node.end_lineno]
    between = lines[node.end_lineno : other.lineno - 1]
    second = lines[other.lineno - 1 : other.end_lineno]
    yield site.source.replace_lines(node.lineno, other.end_lineno, [*second, *between, *first])


def depth(site: Site) -> Rewrites:
    """The last statement of a block moved out of it, or the one after a block moved in."""
    node = site.node
    assert isinstance(node, ast.stmt)
    if node.end_lineno is None or site.source.indent(node) is None:
        return
    blanks = site.source.indent(node) or ""
    lines = site.source.lines[node.lineno - 1 : node.end_lineno]
    block = site.source.block(node)
    parent = site.source.parents[node]
    if block[-1] is node and len(block) > 1 and isinstance(parent, (*LOOPS, ast.If, ast.With)):
        outer = site.source.indent(parent)
        if outer is not None and parent.end_lineno == node.end_lineno:
            moved = [outer + line[len(blanks) :] if line.strip() else line for line in lines]
            yield site.source.replace_lines(node.lineno, node.end_lineno, moved)
    at = block.index(node)
    before = block[at - 1] if at > 0 else None
    if isinstance(before, (*LOOPS, ast.If, ast.With)):
        inner = site.source.indent((getattr(before, "orelse", None) or before.body)[-1])
        if inner is not None:
            moved = [inner + line[len(blanks) :] if line.strip() else line for line in lines]
            yield site.source.replace_lines(node.lineno, node.end_lineno, moved)


EVERY = (ast.stmt,)

STATEMENTS = (
    Operator("renewal", 0.5, EVERY, renewal),
    Operator("leaving", 0.4, EVERY, leaving),
    Operator("repetition", 0.25, EVERY, repetition),
    Operator("yielding", 0.2, EVERY, yielding),
    Operator("superfluous", 0.3, EVERY, superfluous),
    Operator("sequence", 0.3, EVERY, sequence),
    Operator("depth", 0.3, EVERY, depth),
)
