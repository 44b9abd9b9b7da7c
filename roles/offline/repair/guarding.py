"""Operators on conditions: a check that is missing, too weak, or never true.

Tightening and loosening conditions is what SPR and ACS do (Long and Rinard, 2015; Xiong et al.,
2017); checks against nothing and for ends of ranges are fix patterns of PAR (Kim et al., 2013).
"""

import ast
from collections.abc import Iterator

from roles.offline.repair.scopes import fits
from roles.offline.repair.site import Operator, Rewrites, Site, constant, exits, is_test
from roles.offline.repair.source import AND, OR, Edit

__all__ = ["GUARDING"]

NUM, BOX = frozenset({"num"}), frozenset({"box"})


def condition(site: Site) -> Rewrites:
    """A further condition: `and x` or `or not x`, as fits what the branch does."""
    node = site.node
    assert isinstance(node, ast.expr)
    if not is_test(node, site.parent) or isinstance(site.parent, ast.BoolOp | ast.UnaryOp):
        return
    if isinstance(node, ast.Constant):
        names = site.names(BOX, most=6)
        for form in ("{}", "not {}"):
            for name in _consumed(site, names):
                yield site.put(form.format(name))
        return
    leaves = isinstance(site.parent, ast.If) and exits(site.parent.body)
    here = {site.text(part) for part in ast.walk(node) if isinstance(part, ast.expr)}
    yield from _dereferenced(site, node, leaves)
    loose, tight = list(_alternatives(site, node)), list(_restrictions(site, node))
    first, second = (loose, tight) if leaves else (tight, loose)
    for written, more in ((first, first is tight), (second, second is tight)):
        word, level = ("and", AND) if more else ("or", OR)
        for extra in written:
            if extra not in here:
                yield site.put(f"{site.operand(node, level)} {word} {extra}")


def _consumed(site: Site, names: list[str]) -> list[str]:
    """The names, those first that a loop takes things out of: what it runs on."""
    taken = {
        part.func.value.id
        for part in ast.walk(site.parent)
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute)
        if isinstance(part.func.value, ast.Name) and part.func.attr.startswith("pop")
    }
    return sorted(names, key=lambda name: name not in taken)


def _dereferenced(site: Site, node: ast.expr, leaves: bool) -> Rewrites:
    """A check put before a test that looks into something which may be nothing."""
    seen: set[str] = set()
    for part in ast.walk(node):
        if not isinstance(part, ast.Attribute | ast.Subscript):
            continue
        base = site.text(part.value)
        if base in seen or not isinstance(part.value, ast.Name | ast.Attribute | ast.Subscript):
            continue
        seen.add(base)
        either, both = site.operand(node, OR), site.operand(node, AND)
        forms = [f"{base} is None or {either}", f"{base} is not None and {both}"]
        if isinstance(part, ast.Subscript):
            forms = [f"not {base} or {either}", f"{base} and {both}"]
            if isinstance(part.slice, ast.Name | ast.BinOp):
                index = site.text(part.slice)
                forms.insert(0, f"{index} < len({base}) and {both}")
                forms.append(f"{index} >= 0 and {both}")
        if not leaves:
            forms.sort(key=lambda form: " and " not in form)
        yield from (site.put(form) for form in forms)


def _alternatives(site: Site, node: ast.expr) -> Iterator[str]:
    """What a branch that leaves might have to be taken for as well."""
    used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    for name, kinds in _ordered(site, used):
        if fits(kinds, BOX):
            yield f"not {name}"
        if not kinds & {"num", "box"}:
            yield f"{name} is None"
        if "num" in kinds:
            yield f"{name} <= 0"
            yield f"{name} == 0"
    yield from _pairs(site)


def _restrictions(site: Site, node: ast.expr) -> Iterator[str]:
    """What else might have to hold for a branch that does something."""
    used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    for name, kinds in _ordered(site, used):
        if fits(kinds, BOX) or "bool" in kinds:
            yield name
        if "bool" in kinds:
            yield f"not {name}"
        if not kinds & {"num", "box"}:
            yield f"{name} is not None"
        if "num" in kinds:
            yield f"{name} > 0"
            yield f"{name} != 0"
    yield from _namesakes(site)
    yield from _unread(site)
    yield from _elsewhere(site, node)
    yield from _members(site)
    yield from _pairs(site)


def _unread(site: Site) -> Iterator[str]:
    """What is set on objects and never looked at."""
    for name, kinds in site.scopes.names(site.node)[:5]:
        if kinds <= {"obj"}:
            for attribute in sorted(site.scopes.unread_attributes)[:3]:
                yield f"{name}.{attribute}"


def further(site: Site) -> Rewrites:
    """A further condition on a truth that is returned or stored."""
    node = site.node
    assert isinstance(node, ast.Compare | ast.BoolOp)
    if isinstance(site.parent, ast.Return | ast.Assign | ast.Lambda | ast.keyword):
        extras = list(dict.fromkeys([*_unread(site), *_restrictions(site, node)]))
        for extra in extras[:8]:
            yield site.put(f"{site.operand(node, AND)} and {extra}")
        for extra in extras[:4]:
            yield site.put(f"{site.operand(node, OR)} or {extra}")


def _namesakes(site: Site) -> Iterator[str]:
    """An attribute equal to the variable of the same name: stay.berth == berth."""
    names = [name for name, _ in site.scopes.names(site.node)][:8]
    seen = {part.attr for part in site.source.every(ast.Attribute)}
    for name in (name for name in names if name in seen):
        yield from (f"{owner}.{name} == {name}" for owner in names if owner != name)
    for method, parameters in _methods(site):
        if parameters and set(parameters) <= set(names):
            for owner in (name for name in names if name not in parameters):
                yield f"{owner}.{method}({', '.join(parameters)})"


def _methods(site: Site) -> Iterator[tuple[str, list[str]]]:
    """The methods of the file's classes, with the names of what they take."""
    for node in site.source.every(ast.FunctionDef):
        if node.name[0] != "_":
            names = [argument.arg for argument in node.args.args]
            if names[:1] == ["self"]:
                yield node.name, names[1:]


def _elsewhere(site: Site, node: ast.expr) -> Iterator[str]:
    """Comparisons that the file makes elsewhere and that could be made here."""
    reach = {name for name, _ in site.scopes.names(site.node)} | site.scopes.constants | {"self"}
    here = {ast.dump(part) for part in ast.walk(node)}
    found: dict[str, None] = {}
    for part in site.source.every(ast.Compare):
        names = {n.id for n in ast.walk(part) if isinstance(n, ast.Name)}
        if names <= reach and len(names) > 1 and ast.dump(part) not in here:
            found[site.text(part)] = None
    yield from list(found)[:3]


def _ordered(site: Site, used: set[str]) -> list[tuple[str, frozenset[str]]]:
    """The values in reach, those that the condition does not look at yet before the others."""
    names = [*site.scopes.names(site.node)[:8], *site.scopes.fields(site.node)[:3]]
    return sorted(names, key=lambda item: item[0] in used)


def _boxes(site: Site) -> list[str]:
    """The containers in reach, sets first."""
    names = [(n, k) for n, k in site.scopes.names(site.node)[:8] if k & {"set", "dict", "list"}]
    return [name for name, kinds in sorted(names, key=lambda item: "set" not in item[1])][:2]


def _members(site: Site) -> Iterator[str]:
    """Tests of membership with the names in reach."""
    names = site.scopes.names(site.node)[:8]
    for box in _boxes(site):
        for name in [name for name, kinds in names if name != box and not kinds & BOX][:3]:
            yield f"{name} not in {box}"
            yield f"{name} in {box}"


def _pairs(site: Site) -> Iterator[str]:
    """Comparisons of two numbers in reach."""
    names = [name for name, kinds in site.scopes.names(site.node) if "num" in kinds][:4]
    for at, one in enumerate(names):
        for other in names[at + 1 :]:
            for sign in ("<", ">", "==", "!="):
                yield f"{one} {sign} {other}"


def base_case(site: Site) -> Rewrites:
    """A check on an argument at the start of the function, with a result for it."""
    node = site.node
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and node.body[1:]:
        first = node.body[1]
    arguments = [a.arg for a in (*node.args.posonlyargs, *node.args.args) if a.arg != "self"]
    inside = Site(site.source, site.scopes, first)
    known = dict(inside.scopes.names(first))
    read = {site.text(part) for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    fields = {name: kinds for name, kinds in site.scopes.fields(first) if name in read}
    known.update(fields)
    for argument in (*arguments[:4], *list(fields)[:3]):
        for test in _edge_cases(argument, known.get(argument, frozenset())):
            for outcome in _outcomes(site, node, argument):
                yield site.source.insert_before(first, [f"if {test}:", f"    {outcome}"])


def _edge_cases(name: str, kinds: frozenset[str]) -> list[str]:
    tests: list[str] = []
    if fits(kinds, BOX):
        tests += [f"not {name}", f"len({name}) <= 1"]
    if "num" in kinds:
        tests += [f"{name} <= 0", f"{name} == 0", f"{name} <= 1", f"{name} < 0"]
    if not kinds & {"num", "box"}:
        tests.append(f"{name} is None")
    return tests


def _outcomes(site: Site, node: ast.FunctionDef | ast.AsyncFunctionDef, argument: str) -> list[str]:
    """What a base case may return: what the function returns elsewhere comes first."""
    generator = any(isinstance(part, ast.Yield | ast.YieldFrom) for part in ast.walk(node))
    if generator:
        return ["return"]
    constants = [
        site.text(part.value)
        for part in ast.walk(node)
        if isinstance(part, ast.Return) and part.value is not None and constant(part.value)
    ]
    found = [*constants, argument, "0", "[]", "None", "1", "False", "True", '""', "{}", "[[]]"]
    return [f"return {written}" for written in dict.fromkeys(found)][:8]


def skipped(site: Site) -> Rewrites:
    """A statement that should only be done under a condition, or not again."""
    node = site.node
    assert isinstance(node, ast.stmt)
    for test in list(_reasons(site, node))[:8]:
        yield _under(site, node, test)


def _reasons(site: Site, node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=box, attr=attr), args=[item])):
            if attr in {"append", "add", "appendleft", "put"}:
                yield f"{site.text(item)} not in {site.text(box)}"
        case ast.Assign(targets=[ast.Subscript(value=box, slice=key)]):
            yield f"{site.text(key)} not in {site.text(box)}"
        case _:
            pass
    for part in ast.walk(node):
        match part:
            case ast.BinOp(op=ast.Div() | ast.FloorDiv() | ast.Mod(), right=divisor):
                if not isinstance(divisor, ast.Constant):
                    yield site.text(divisor)
            case _:
                pass
    if isinstance(node, ast.Expr | ast.Assign | ast.AugAssign):
        yield from _restrictions(site, ast.Constant(None))


def _under(site: Site, node: ast.stmt, test: str) -> Edit | None:
    """The statement under an `if`."""
    blanks = site.source.indent(node)
    if blanks is None or node.end_lineno is None:
        return None
    lines = site.source.lines[node.lineno - 1 : node.end_lineno]
    if "\n".join(lines).strip() != site.text(node):
        return None
    shifted = [f"    {line}" if line.strip() else line for line in lines]
    return site.source.replace_lines(
        node.lineno, node.end_lineno, [f"{blanks}if {test}:", *shifted]
    )


def exclusion(site: Site) -> Rewrites:
    """An element passed over in a loop, right after it was taken."""
    node = site.node
    assert isinstance(node, ast.stmt)
    if isinstance(node, ast.For | ast.While):
        inside = Site(site.source, site.scopes, node.body[0])
        for test in list(_members(inside))[:6]:
            yield site.source.insert_before(node.body[0], [f"if {test}:", "    continue"])
    elif isinstance(node, ast.Assign) and site.source.loop(node) is not None:
        taken = {part.id for part in ast.walk(node.targets[0]) if isinstance(part, ast.Name)}
        for name in sorted(taken):
            for box in _boxes(site):
                if box not in taken:
                    yield site.source.insert_after(node, [f"if {name} in {box}:", "    continue"])


def filtered(site: Site) -> Rewrites:
    """A comprehension without its filter, or with one."""
    node = site.node
    assert isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp)
    for clause in node.generators:
        if clause.ifs:
            end = site.source.offsets(clause.iter)
            last = site.source.offsets(clause.ifs[-1])
            if end[2] == last[2]:
                line = site.source.lines[end[2] - 1]
                after = line[: end[3]] + line[last[3] :]
                yield site.source.replace_lines(end[2], end[2], [after])
        else:
            inside = Site(site.source, site.scopes, getattr(node, "elt", node))
            walked = site.text(clause.iter)
            donors = [*_namesakes(inside), *_elsewhere(inside, clause.iter)]
            for test in [*donors, *_restrictions(inside, ast.Constant(None))][:8]:
                yield site.source.splice(clause.iter, f"{walked} if {test}")


def branch(site: Site) -> Rewrites:
    """A branch tied to the one before it, or set free: elif for if, if for elif."""
    node = site.node
    assert isinstance(node, ast.If)
    line, start, _, _ = site.source.offsets(node)
    text = site.source.lines[line - 1]
    if text[start:].startswith("elif"):
        yield site.source.replace_lines(line, line, [text[:start] + text[start + 2 :]])
    else:
        yield site.source.replace_lines(line, line, [text[:start] + "el" + text[start:]])
    if text[start:].startswith(("if ", "if(")):
        yield site.source.replace_lines(line, line, [text[:start] + "while" + text[start + 2 :]])


def repeated(site: Site) -> Rewrites:
    """A loop that should be done at most once: if for while."""
    node = site.node
    assert isinstance(node, ast.While)
    line, start, _, _ = site.source.offsets(node)
    text = site.source.lines[line - 1]
    yield site.source.replace_lines(line, line, [text[:start] + "if" + text[start + 5 :]])


TESTED = (ast.expr,)
BOXES = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

GUARDING = (
    Operator("condition", 0.6, TESTED, condition),
    Operator("base-case", 0.5, (ast.FunctionDef, ast.AsyncFunctionDef), base_case),
    Operator("skipped", 0.3, (ast.Expr, ast.Assign, ast.AugAssign), skipped),
    Operator("further", 0.5, (ast.Compare, ast.BoolOp), further),
    Operator("exclusion", 0.3, (ast.For, ast.While, ast.Assign), exclusion),
    Operator("filtered", 0.3, BOXES, filtered),
    Operator("branch", 0.3, (ast.If,), branch),
    Operator("repeated", 0.1, (ast.While,), repeated),
)
