"""Operators on what is put where: an element that is never added, marked or taken away.

Like all insertion in the manner of GenProg (Le Goues et al., 2012) these use what is there already:
the containers of the function and of the object, and the methods that the file calls on them.
"""

import ast
from collections.abc import Iterable, Iterator

from roles.offline.repair.scopes import Kinds, fits
from roles.offline.repair.site import Operator, Rewrites, Site, beside, constant, ends

__all__ = ["FILLING"]

LIST, SET = frozenset({"box", "list"}), frozenset({"box", "set"})
EVERY = (ast.stmt,)
FILL = frozenset({"append", "add", "extend", "insert", "appendleft", "update"})


def marking(site: Site) -> Rewrites:
    """What is asked for by `in` has to be put there at some point."""
    for line in _marks(site):
        yield from beside(site, line)


def _marks(site: Site) -> list[str]:
    found: dict[str, None] = {}
    reach = {name for name, _ in site.scopes.names(site.node)}
    for part in site.body():
        match part:
            case ast.Compare(left=item, ops=[ast.In() | ast.NotIn()], comparators=[box]):
                if not (_names(item) | _names(box)) <= reach | {"self"}:
                    continue
                if not isinstance(box, ast.Name | ast.Attribute):
                    continue
                kinds, where, what = site.kinds(box), site.text(box), site.text(item)
                if fits(kinds, SET) and "list" not in kinds:
                    found[f"{where}.add({what})"] = None
                if fits(kinds, LIST) and "set" not in kinds:
                    found[f"{where}.append({what})"] = None
            case _:
                pass
    return list(found)[:4]


def _names(node: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def unfilled(site: Site) -> Rewrites:
    """Something put into a container that begins empty, is used, and is filled nowhere."""
    filled = {box for box, method in _calls(site, site.source.every(ast.Expr)) if method in FILL}
    begun = set(_begun(site))
    for box, kinds in _reach(site).items():
        if box in begun and box not in filled and kinds & {"list", "set"}:
            for line in _lines(site, [(box, "append" if "list" in kinds else "add")]):
                yield from beside(site, line)


def collecting(site: Site) -> Rewrites:
    """Something put into a container, or taken out, by the calls that are made elsewhere."""
    for line in _lines(site, _boxes(site)):
        yield from beside(site, line)


def _lines(site: Site, boxes: list[tuple[str, str]]) -> list[str]:
    """Calls such as lines.append(x) with each x in reach; nothing is put into itself."""
    names = [name for name, _ in site.scopes.names(site.node, ends(site))][:7]
    found = [f"{box}.{method}({name})" for name in names for box, method in boxes if name != box]
    return found[:14]


def _reach(site: Site) -> dict[str, Kinds]:
    """The containers that may be meant: variables and attributes of the object."""
    return dict([*site.scopes.names(site.node)[:7], *site.scopes.fields(site.node)[:4]])


def _begun(site: Site) -> Iterator[str]:
    """What is bound to a new, empty container."""
    for node in site.source.every(ast.Assign):
        match node:
            case ast.Assign(targets=[ast.Name() | ast.Attribute() as box], value=value):
                if constant(value) and not isinstance(value, ast.Constant):
                    yield site.text(box)
            case _:
                pass


def _boxes(site: Site) -> list[tuple[str, str]]:
    """Containers in reach with the methods by which they may be changed: first the calls that the
    function makes, then those that the file makes on others, then what undoes them."""
    reach = _reach(site)
    every = list(_calls(site, site.source.every(ast.Expr)))
    found = dict.fromkeys(call for call in _calls(site, site.body()) if call[0] in reach)
    methods = dict.fromkeys([*(method for _, method in every), "remove"])
    for box, kinds in reach.items():
        if "." in box and kinds & {"list", "set"}:
            known = dir(list if "list" in kinds else set)
            found.update({(box, method): None for method in methods if method in known})
    return list(found)[:5]


def _calls(site: Site, nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """The containers and methods of calls of one argument that are made for their effect."""
    for node in nodes:
        match node:
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name() | ast.Attribute() as box, attr=attr),
                    args=[_],
                )
            ):
                yield site.text(box), attr
            case _:
                pass


FILLING = (
    Operator("marking", 0.6, EVERY, marking),
    Operator("unfilled", 0.9, EVERY, unfilled),
    Operator("collecting", 0.4, EVERY, collecting),
)
