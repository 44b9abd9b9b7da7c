"""Operators on results: what is returned, what a variable starts from, what wraps an expression.

Wrong and missing returns are fix patterns of PAR (Kim et al., 2013) and of TBar (Liu et al., 2019);
slices and copies are Python's own sources of off-by-one and aliasing slips.
"""

import ast

from roles.offline.repair.scopes import fits
from roles.offline.repair.site import Operator, Rewrites, Site, constant, length, loads, number
from roles.offline.repair.source import TEST

__all__ = ["RESULTS"]

NUM, BOX, BOOL = frozenset({"num"}), frozenset({"box"}), frozenset({"bool"})

# Conversions, and whether they are for what is a text already.
TEXTUAL = ((True, "int({})"), (False, "str({})"), (True, "{}.lower()"), (True, "{}.strip()"))
# Methods of the built-in containers that change them and return None.
NOTHING = frozenset(
    {"append", "extend", "insert", "sort", "reverse", "add", "update", "discard", "remove", "clear"}
)


def result(site: Site) -> Rewrites:
    """Another value returned or yielded where a constant or nothing is."""
    node = site.node
    assert isinstance(node, ast.Return | ast.Yield)
    value = node.value
    if value is None:
        word = "return" if isinstance(node, ast.Return) else "yield"
        for name in site.names(most=5):
            yield site.source.splice(node, f"{word} {name}")
    elif isinstance(value, ast.Constant) and isinstance(value.value, bool):
        yield from _judged(site, value)
    elif isinstance(value, ast.List) and not value.elts:
        options = [form for name in site.names(most=6) for form in (f"[{name}]", name)]
        for written in (*options[:1], "[[]]", *options[1:]):
            yield site.put(written, value)
    elif constant(value):
        for name in site.names(site.kinds(value), most=6):
            yield site.put(name, value)
        for written in ("None", "0", "1", "-1", "[]", "True", "False", '""', "{}"):
            yield site.put(written, value)


def _judged(site: Site, value: ast.Constant) -> Rewrites:
    """A truth value that should depend on what was computed."""
    for name in site.names(NUM, most=4):
        yield site.put(f"{name} == 0", value)
    for name in site.names(most=6):
        kinds = next((k for n, k in site.scopes.names(site.node) if n == name), frozenset())
        if "num" not in kinds:
            yield site.put(f"not {name}", value)
            yield site.put(f"bool({name})", value)
        if kinds & BOOL:
            yield site.put(name, value)
    for name in site.names(NUM, most=3):
        for other in ("> 0", "!= 0", "== 1", ">= 0"):
            yield site.put(f"{name} {other}", value)


def listed(site: Site) -> Rewrites:
    """A result put into a list, or taken out of one."""
    node = site.node
    assert isinstance(node, ast.Return | ast.Yield)
    value = node.value
    if value is None or constant(value):
        return
    if isinstance(value, ast.List | ast.Tuple) and len(value.elts) == 1:
        yield site.put(site.text(value.elts[0]), value)
    elif "num" not in site.kinds(value):
        yield site.put(f"[{site.operand(value, TEST)}]", value)
    if isinstance(value, ast.Tuple) and len(value.elts) == 2:
        for part in value.elts:
            yield site.put(site.text(part), value)


def missing_return(site: Site) -> Rewrites:
    """A value computed and forgotten: a call or expression that should be returned."""
    node = site.node
    assert isinstance(node, ast.Expr)
    if isinstance(node.value, ast.Constant) or site.function is None or _for_effect(node.value):
        return
    written = site.text(node.value)
    if isinstance(node.value, ast.Yield):
        return
    called = node.value.func if isinstance(node.value, ast.Call) else None
    recursive = isinstance(called, ast.Name) and called.id == site.function.name
    generator = any(isinstance(part, ast.Yield | ast.YieldFrom) for part in site.body())
    forms = ("yield from", "yield", "return") if generator else ("return",)
    if recursive or generator or not isinstance(node.value, ast.Call):
        for word in forms:
            yield site.source.splice(node, f"{word} {written}")
    if not generator:
        yield site.source.splice(node, f"return {written}")


def _for_effect(node: ast.expr) -> bool:
    """Whether an expression calls a method that gives nothing back."""
    match node:
        case ast.Call(func=ast.Attribute(attr=attr)):
            return attr in NOTHING
        case _:
            return False


def generator(site: Site) -> Rewrites:
    """`yield` for `yield from` and for `return`, and the reverse."""
    node = site.node
    match node:
        case ast.Yield(value=ast.expr() as value):
            yield site.source.splice(node, f"yield from {site.text(value)}")
        case ast.YieldFrom(value=value):
            yield site.source.splice(node, f"yield {site.text(value)}")
        case ast.Return(value=ast.expr() as value):
            if any(isinstance(part, ast.Yield | ast.YieldFrom) for part in site.body()):
                yield site.source.splice(node, f"yield {site.text(value)}")
                yield site.source.splice(node, f"yield from {site.text(value)}")
        case _:
            pass


def initial(site: Site) -> Rewrites:
    """Another value to start from: 1 for 0, minus infinity for 0, [[]] for [], a first element."""
    node = site.node
    assert isinstance(node, ast.Assign | ast.AnnAssign | ast.keyword)
    value = node.value
    if value is None or not constant(value):
        return
    written = site.text(value)
    if site.kinds(value) & NUM or written == "None":
        options = ["0", "1", "-1", "float('-inf')", "float('inf')", "None"]
        options += site.names(NUM, most=4)
        options += [f"{name}[0]" for name in site.names(BOX, most=3)]
        options += [f"len({name})" for name in site.names(BOX, most=3)]
        if written == "None":
            options += ["[]", "{}", "set()", '""']
    elif isinstance(value, ast.Constant) and isinstance(value.value, bool):
        options = ["None", *site.names(BOOL, most=3)]
    elif isinstance(value, ast.Constant):
        options = ["''", "' '", "[]", "None", *site.names(frozenset({"str"}), most=3)]
    else:
        options = ["[]", "{}", "set()", "[[]]", "[0]", "[1]", "''", "()"]
        options += [f"[{name}]" for name in site.names(most=4)]
        options += [f"{{{name}}}" for name in site.names(most=3)]
    for option in options:
        if option != written and abs(_gap(option, value)) != 1:
            yield site.put(option, value)


def _gap(option: str, value: ast.expr) -> int:
    """How far apart two whole numbers are; one apart is the business of another operator."""
    here = number(value)
    there = number(ast.parse(option, mode="eval").body)
    return 0 if here is None or there is None else there - here


def default(site: Site) -> Rewrites:
    """A mutable default argument, shared between calls, made anew in each."""
    node = site.node
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    arguments = [*node.args.posonlyargs, *node.args.args]
    for argument, value in zip(reversed(arguments), reversed(node.args.defaults), strict=False):
        first = node.body[0]
        if (
            isinstance(value, ast.List | ast.Dict | ast.Set | ast.Call)
            and first.lineno > node.lineno
        ):
            blanks = site.source.indent(first)
            if blanks is None or value.lineno != value.end_lineno:
                continue
            line, start, _, end = site.source.offsets(value)
            lines = site.source.lines[line - 1 : first.lineno - 1]
            lines[0] = lines[0][:start] + "None" + lines[0][end:]
            lines.append(f"{blanks}if {argument.arg} is None:")
            lines.append(f"{blanks}    {argument.arg} = {site.text(value)}")
            lines.append(site.source.lines[first.lineno - 1])
            yield site.source.replace_lines(line, first.lineno, lines)


def part(site: Site) -> Rewrites:
    """A part of a list or text in the place of the whole, or other bounds of a slice."""
    node = site.node
    assert isinstance(node, ast.expr)
    if not loads(node) or site.is_called():
        return
    kinds = site.kinds(node)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        yield from _bounds(site, node, node.slice)
    elif isinstance(node, ast.Name) and "box" in kinds and not kinds & {"dict", "set"}:
        # Of the length of a part, one more or less is the plainer name.
        if not length(site.parent) and isinstance(
            site.parent, ast.For | ast.comprehension | ast.Call | ast.Return | ast.Assign
        ):
            for bounds in _rests(site, node.id):
                yield site.put(f"{node.id}[{bounds}]")
            yield site.put(f"{node.id}[1:]")
            yield site.put(f"{node.id}[:-1]")
            for name in site.names(NUM, most=4):
                yield site.put(f"{node.id}[{name}:]")
                yield site.put(f"{node.id}[:{name}]")
            yield site.put(f"{node.id}[::-1]")
        else:
            yield site.put(f"{node.id}[0]")
            yield site.put(f"{node.id}[-1]")
    elif isinstance(node, ast.Name) and not kinds and isinstance(site.parent, ast.Call):
        yield site.put(f"{node.id}[1:]")


def _rests(site: Site, name: str) -> list[str]:
    """The bounds of what is left over where the function takes a part of the same list."""
    found: dict[str, None] = {}
    for other in site.body():
        match other:
            case ast.Subscript(value=ast.Name(id=base), slice=ast.Slice(lower=low, upper=high)):
                if base != name:
                    continue
                if high is not None and low is None:
                    found[f"{site.text(high)}:"] = None
                elif low is not None and high is None:
                    found[f":{site.text(low)}"] = None
            case _:
                pass
    return list(found)[:3]


def _bounds(site: Site, node: ast.Subscript, bounds: ast.Slice) -> Rewrites:
    base = site.operand(node.value)
    low = site.text(bounds.lower) if bounds.lower else ""
    high = site.text(bounds.upper) if bounds.upper else ""
    options = [f"[{high}:{low}]", f"[{low}:]", f"[:{high}]", f"[{low}:{high or '-1'}]"]
    options += [f"[{low or '1'}:{high}]", "[:]", "[::-1]"]
    if bounds.step is not None:
        options.insert(0, f"[{low}:{high}]")
    for name in site.names(NUM, most=3):
        options += [f"[{low}:{name}]", f"[{name}:{high}]"]
    for option in options:
        if option not in {f"[{low}:{high}]", "[:]"} or bounds.step is not None:
            yield site.source.splice(node, base + option)


def wrapped(site: Site) -> Rewrites:
    """An expression in a call that clips, copies or converts it."""
    node = site.node
    assert isinstance(node, ast.expr)
    if not loads(node) or site.is_called():
        return
    kinds, written = site.kinds(node), site.text(node)
    assigned = isinstance(site.parent, ast.Assign | ast.Return | ast.AugAssign | ast.IfExp)
    if assigned and fits(kinds, NUM) and not isinstance(node, ast.Name):
        if "num" in kinds:
            yield site.put(f"max(0, {written})")
        for name in site.names(NUM, most=3):
            yield site.put(f"max({name}, {written})")
            yield site.put(f"min({name}, {written})")
    # What is stored away while it goes on changing has to be copied first.
    if _stored(site) and isinstance(node, ast.Name | ast.Attribute) and fits(kinds, BOX):
        yield site.put(f"list({written})")
        yield site.put(f"{site.operand(node)}.copy()")
    if fits(kinds, BOX) and isinstance(site.parent, ast.For | ast.comprehension | ast.Return):
        for name in ("sorted", "list", "reversed", "set"):
            yield site.put(f"{name}({written})")
    yield from _converted(site, node)


def _stored(site: Site) -> bool:
    """Whether a value is put somewhere: assigned, given back, or handed to a method."""
    match site.parent:
        case ast.Call(func=func):
            return isinstance(func, ast.Attribute)
        case parent:
            return isinstance(parent, ast.Yield | ast.Assign | ast.Return | ast.Dict)


def _converted(site: Site, node: ast.expr) -> Rewrites:
    kinds, written = site.kinds(node), site.text(node)
    if isinstance(node, ast.GeneratorExp | ast.Constant):
        return
    measured = isinstance(site.parent, ast.Compare | ast.BinOp | ast.Return)
    if "num" in kinds and measured and not length(node):
        for form in ("abs({0})", "{0} ** 2", "{0} * {0}")[: 3 if isinstance(node, ast.Name) else 1]:
            yield site.put(form.format(written))
    if length(site.parent):
        return
    if fits(kinds, BOX) and isinstance(site.parent, ast.Compare | ast.BinOp | ast.Call):
        yield site.put(f"len({written})")
    if isinstance(site.parent, ast.Return | ast.Compare | ast.Call) and isinstance(node, ast.Name):
        for kind, form in TEXTUAL:
            if ("str" in kinds) is kind or not kinds:
                yield site.put(form.format(written))


def rebound(site: Site) -> Rewrites:
    """A change in place that should bind anew, or a new value that should change in place."""
    node = site.node
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=place), args=[ast.expr() as value])):
            if isinstance(place, ast.Name | ast.Subscript | ast.Attribute):
                yield site.source.splice(node, f"{site.text(place)} = {site.text(value)}")
        case ast.Assign(targets=[ast.Name() | ast.Subscript() as place], value=value) if not (
            constant(value)
        ):
            kinds = site.kinds(place) | site.kinds(value)
            base = site.operand(place)
            if "list" in kinds or not kinds:
                yield site.source.splice(node, f"{base}.append({site.text(value)})")
                yield site.source.splice(node, f"{base}.extend({site.text(value)})")
            if kinds & {"set", "dict"}:
                yield site.source.splice(node, f"{base}.update({site.text(value)})")
        case _:
            pass


PARTS = (ast.Name, ast.Subscript)
STORED = (ast.Name, ast.Call, ast.Subscript, ast.Attribute, ast.BinOp)

RESULTS = (
    Operator("result", 0.9, (ast.Return, ast.Yield), result),
    Operator("listed", 0.25, (ast.Return, ast.Yield), listed),
    Operator("missing-return", 0.7, (ast.Expr,), missing_return),
    Operator("generator", 0.4, (ast.Yield, ast.YieldFrom, ast.Return), generator),
    Operator("initial", 0.7, (ast.Assign, ast.AnnAssign, ast.keyword), initial),
    Operator("default", 0.5, (ast.FunctionDef, ast.AsyncFunctionDef), default),
    Operator("part", 0.6, PARTS, part),
    Operator("wrapped", 0.5, STORED, wrapped),
    Operator("rebound", 0.4, (ast.Expr, ast.Assign), rebound),
)
