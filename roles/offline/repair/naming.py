"""Operators on what is meant: variables, arguments, attributes, functions, whole expressions.

A wrong identifier and swapped arguments are the most frequent one-statement bugs of all
(ManySStuBs4J). Taking the right expression from elsewhere in the same function rests on the plastic
surgery hypothesis (Barr et al., 2014), which GenProg (Le Goues et al., 2012) was first to use.
"""

import ast
from collections.abc import Iterable, Iterator
from itertools import combinations

from roles.offline.repair.scopes import fits
from roles.offline.repair.site import Operator, Rewrites, Site, loads
from roles.offline.repair.source import Edit

__all__ = ["NAMING"]

# Functions and methods that are taken for one another.
PAIRS = (
    ("min", "max"),
    ("any", "all"),
    ("append", "extend", "insert", "appendleft"),
    ("pop", "popleft"),
    ("add", "update", "discard", "remove"),
    ("union", "intersection", "difference", "symmetric_difference"),
    ("issubset", "issuperset", "isdisjoint"),
    ("keys", "values", "items"),
    ("sum", "len"),
    ("sorted", "reversed", "list"),
    ("int", "round", "float"),
    ("floor", "ceil"),
    ("upper", "lower", "title", "capitalize"),
    ("startswith", "endswith"),
    ("strip", "lstrip", "rstrip"),
    ("find", "rfind"),
    ("index", "rindex"),
    ("split", "rsplit", "splitlines"),
    ("isdigit", "isalpha", "isalnum", "isspace"),
    ("heappushpop", "heapreplace"),
    ("bisect_left", "bisect_right"),
    ("ljust", "rjust", "center"),
    ("setdefault", "get"),
    ("list", "set", "tuple", "dict"),
    ("permutations", "combinations", "product", "combinations_with_replacement"),
    ("timedelta", "datetime"),
    ("islice", "takewhile", "dropwhile"),
)
INSTEAD: dict[str, tuple[str, ...]] = {}
for _pair in PAIRS:
    for _name in _pair:
        _others = tuple(other for other in _pair if other != _name)
        INSTEAD[_name] = INSTEAD.get(_name, ()) + _others


def _replaced(site: Site, parts: list[ast.expr], order: list[int]) -> Edit:
    """The site with some of its parts in another order, as one splice from first to last."""
    source = site.source
    at = [source.offsets(part) for part in parts]
    first, last = at[0], at[-1]
    lines = source.lines[first[0] - 1 : last[2]]
    text, position = lines[0][: first[1]], (first[0], first[1])
    for place, chosen in enumerate(order):
        text += _between(source.lines, position, (at[place][0], at[place][1]))
        text += source.segment(parts[chosen])
        position = (at[place][2], at[place][3])
    text += lines[-1][last[3] :]
    return Edit(source.path, "\n".join(lines), text, first[0])


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text from one place (line, column) to another."""
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    middle = lines[start[0] : end[0] - 1]
    return "\n".join([lines[start[0] - 1][start[1] :], *middle, lines[end[0] - 1][: end[1]]])


def _swaps(site: Site, parts: list[ast.expr]) -> Rewrites:
    """Each pair of parts exchanged, neighbours first."""
    if not 2 <= len(parts) <= 5:
        return
    pairs = sorted(combinations(range(len(parts)), 2), key=lambda pair: pair[1] - pair[0])
    for one, other in pairs:
        if ast.dump(parts[one]) == ast.dump(parts[other]):
            continue
        order = list(range(len(parts)))
        order[one], order[other] = other, one
        yield _replaced(site, parts, order)


def argument_order(site: Site) -> Rewrites:
    """Two arguments of a call exchanged."""
    node = site.node
    assert isinstance(node, ast.Call)
    if not any(isinstance(arg, ast.Starred) for arg in node.args):
        yield from _swaps(site, node.args)
    yield from _swaps(site, [keyword.value for keyword in node.keywords])


def argument(site: Site) -> Rewrites:
    """One argument more, of those that are there to be used, or one less."""
    node = site.node
    assert isinstance(node, ast.Call)
    written = [site.text(arg) for arg in node.args]
    rest = [f"{k.arg}={site.text(k.value)}" if k.arg else "" for k in node.keywords]
    if "" in rest or any(isinstance(arg, ast.Starred | ast.GeneratorExp) for arg in node.args):
        return
    func, used = site.operand(node.func), {part.id for part in _names(node)}
    names = [name for name in site.names(most=6) if name not in used]
    if isinstance(node.func, ast.Name) and node.func.id == "range" and len(written) == 1:
        names = ["1", *names]
        yield from (site.put(f"range({name}, {written[0]})") for name in names[:4])
        return
    for name in names[:4]:
        yield site.put(f"{func}({', '.join([*written, name, *rest])})")
        yield site.put(f"{func}({', '.join([*written, *rest, f'{name}={name}'])})")
    if len(written) > 1:
        yield site.put(f"{func}({', '.join([*written[:-1], *rest])})")
    for left_out in range(len(rest)):
        some = [other for at, other in enumerate(rest) if at != left_out]
        yield site.put(f"{func}({', '.join([*written, *some])})")


def _names(node: ast.AST) -> list[ast.Name]:
    return [part for part in ast.walk(node) if isinstance(part, ast.Name)]


def element_order(site: Site) -> Rewrites:
    """Two elements of a tuple, list or subscript exchanged."""
    node = site.node
    assert isinstance(node, ast.Tuple | ast.List)
    yield from _swaps(site, node.elts)


def variable(site: Site) -> Rewrites:
    """Another variable of the same scope, of a kind that fits."""
    node = site.node
    assert isinstance(node, ast.Name)
    if isinstance(site.parent, ast.Call) and site.parent.func is node:
        return
    owner = site.scopes.owner(node, node.id)
    if not isinstance(node.ctx, ast.Load) or owner is None or owner is site.source.tree:
        return
    for name in site.values(site.kinds(node)):
        yield site.put(name)


def held(site: Site) -> Rewrites:
    """A variable that holds what is computed or looked up here."""
    node = site.node
    assert isinstance(node, ast.Call | ast.Subscript)
    if not loads(node) or site.is_called():
        return
    if not isinstance(site.parent, ast.Expr | ast.For | ast.comprehension):
        for name in site.values(site.kinds(node)):
            yield site.put(name)


def target(site: Site) -> Rewrites:
    """Another variable assigned to."""
    node = site.node
    assert isinstance(node, ast.Assign | ast.AugAssign)
    place = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
    names = site.names(site.kinds(place), most=5)
    for name in names:
        if isinstance(place, ast.Name) and name != place.id:
            yield site.source.splice(place, name)
    if isinstance(node, ast.Assign):
        for part in ast.walk(node.value):
            if isinstance(part, ast.Subscript | ast.Attribute):
                yield site.source.splice(place, site.text(part))


def attribute(site: Site) -> Rewrites:
    """Another attribute or method, among those that the file uses."""
    node = site.node
    assert isinstance(node, ast.Attribute)
    called = site.is_called(node)
    counts: dict[str, int] = {}
    written = ast.dump(node.value)
    for other in site.source.every(ast.Attribute):
        if other.attr != node.attr and site.is_called(other) == called:
            same = ast.dump(other.value) == written
            counts[other.attr] = counts.get(other.attr, 0) + (5 if same else 1)
    base = site.operand(node.value)
    for name in sorted(counts, key=lambda attr: (-counts[attr], attr))[:8]:
        yield site.source.splice(node, f"{base}.{name}")


def confusable(site: Site) -> Rewrites:
    """A builtin or method taken for its sibling: min for max, append for extend."""
    node = site.node
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for name in INSTEAD.get(node.id, ()):
            yield site.source.splice(node, name)
    elif isinstance(node, ast.Attribute):
        base = site.operand(node.value)
        for name in INSTEAD.get(node.attr, ()):
            yield site.source.splice(node, f"{base}.{name}")


def function(site: Site) -> Rewrites:
    """Another function of the same file called."""
    node = site.node
    assert isinstance(node, ast.Call)
    if not isinstance(node.func, ast.Name):
        return
    known = list(dict.fromkeys(site.scopes.functions(node)))
    if node.func.id in known:
        for name in known[:8]:
            if name != node.func.id:
                yield site.source.splice(node.func, name)


def text(site: Site) -> Rewrites:
    """Another string of the same function or file: a wrong key, a wrong separator."""
    node = site.node
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return
    every: tuple[Iterable[ast.AST], ...] = (site.body(), site.source.every(ast.Constant))
    seen = {node.value}
    for other in (part for nodes in every for part in nodes):
        if not (isinstance(other, ast.Constant) and isinstance(other.value, str)):
            continue
        # A docstring is never meant.
        meant = not isinstance(site.source.parents[other], ast.Expr) and len(other.value) <= 40
        if meant and other.value not in seen and len(seen) < 10:
            seen.add(other.value)
            yield site.put(repr(other.value))
    for value in ("", " ", ", ", "\n"):
        if value not in seen and len(node.value) <= 2:
            yield site.put(repr(value))


def surgery(site: Site) -> Rewrites:
    """An expression of the same function in the place of another that fits."""
    node = site.node
    assert isinstance(node, ast.expr)
    if not loads(node) or site.is_called(node):
        return
    kinds = site.kinds(node)
    found: dict[str, float] = {}
    for other, written in _donors(site, node):
        if fits(kinds, site.kinds(other)):
            known = 0 if kinds & site.kinds(other) else 1
            found.setdefault(written, known + abs(other.lineno - node.lineno) / 20)
    for written in sorted(found, key=lambda key: (found[key], len(key), key))[:10]:
        yield site.put(written)


def _donors(site: Site, node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    """The expressions of the function, with their text, that may stand in the place of a node."""
    own = site.text(node)
    inside = set(ast.walk(node))
    outside = set(site.source.above(node))
    for other in site.body():
        # Names are an operator of their own, and so are taking away and wrapping.
        if not isinstance(other, ast.Call | ast.Subscript | ast.Attribute | ast.BinOp):
            continue
        if other in inside or other in outside or not loads(other) or site.is_called(other):
            continue
        if isinstance(site.source.parents[other], ast.Expr):
            continue  # called for its effect
        written = site.text(other)
        if written != own and len(written) <= 60 and "\n" not in written:
            yield other, written


def whole(site: Site) -> Rewrites:
    """A call, subscript or attribute too many: f(x), x[i] and x.a become x."""
    node = site.node
    match node:
        case ast.Call(func=ast.Attribute(value=value), args=args):
            for part in (*args[:2], value):
                yield site.put(site.text(part))
        case ast.Call(args=args):
            for part in args[:2]:
                if not isinstance(part, ast.Starred):
                    yield site.put(site.text(part))
        case (
            ast.Subscript(value=value, ctx=ast.Load()) | ast.Attribute(value=value, ctx=ast.Load())
        ):
            if not site.is_called(node):
                yield site.put(site.text(value))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            then, other = site.operand(body, 3), site.operand(orelse, 3)
            yield site.put(f"{other} if {site.operand(test, 3)} else {then}")
            yield site.put(site.text(body))
            yield site.put(site.text(orelse))
        case _:
            pass


LOADED = (ast.Name, ast.Call, ast.Subscript, ast.Attribute, ast.BinOp)

NAMING = (
    Operator("argument-order", 0.9, (ast.Call,), argument_order),
    Operator("argument", 0.4, (ast.Call,), argument),
    Operator("element-order", 0.7, (ast.Tuple, ast.List), element_order),
    Operator("variable", 1.0, (ast.Name,), variable),
    Operator("held", 0.4, (ast.Call, ast.Subscript), held),
    Operator("target", 0.25, (ast.Assign, ast.AugAssign), target),
    Operator("attribute", 0.6, (ast.Attribute,), attribute),
    Operator("confusable", 0.9, (ast.Name, ast.Attribute), confusable),
    Operator("function", 0.3, (ast.Call,), function),
    Operator("text", 0.3, (ast.Constant,), text),
    Operator("surgery", 0.5, (*LOADED, ast.Constant), surgery),
    Operator("whole", 0.5, (*LOADED, ast.IfExp), whole),
)
