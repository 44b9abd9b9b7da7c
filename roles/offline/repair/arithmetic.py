"""Operators on what is computed and compared: the classic mutation operators.

Their kinds go back to DeMillo, Lipton and Sayward (1978) and are those of any mutation tester;
that they also serve as repairs is the observation of Debroy and Wong (2010) and of PraPR (Ghanbari
et al., 2019). How often each one is what mends a bug is roughly after the counts of simple
one-statement bugs in ManySStuBs4J (Karampatsis and Sutton, 2020) and its Python sequel.
"""

import ast

from roles.offline.repair.site import (
    Operator,
    Rewrites,
    Site,
    is_test,
    length,
    loads,
    number,
)
from roles.offline.repair.source import (
    AND,
    BINARY,
    BIT_OR,
    NOT,
    OR,
    SIGN,
    SIGNS,
    SUM,
    Edit,
    binding,
)

__all__ = ["ARITHMETIC"]

COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
# The likeliest slip first: the boundary, then the direction, then the rest.
INSTEAD: dict[str, tuple[str, ...]] = {
    "<": ("<=", ">", ">=", "!=", "=="),
    "<=": ("<", ">=", ">", "==", "!="),
    ">": (">=", "<", "<=", "!=", "=="),
    ">=": (">", "<=", "<", "==", "!="),
    "==": ("!=", "<=", ">=", "<", ">", "in"),
    "!=": ("==", "<", ">", "<=", ">=", "not in"),
    "in": ("not in", "=="),
    "not in": ("in", "!="),
    "is": ("is not", "=="),
    "is not": ("is", "!="),
}
TYPES = {sign: kind for kind, sign in SIGNS.items()}
OTHERWISE: dict[str, tuple[str, ...]] = {
    "+": ("-", "*"),
    "-": ("+", "*", "%"),
    "*": ("/", "+", "//", "**", "-", "%"),
    "/": ("//", "*", "%", "-"),
    "//": ("/", "%", "*", "-"),
    "%": ("//", "/", "-", "*", "&"),
    "**": ("*", "^", "//"),
    "&": ("|", "^", "-", "%"),
    "|": ("&", "^", "+"),
    "^": ("&", "|", "**"),
    "<<": (">>", "*"),
    ">>": ("<<", "//"),
}
NUM = frozenset({"num"})


def _compared(site: Site, node: ast.Compare, at: int, sign: str, right: str | None = None) -> Edit:
    """The comparison with another sign, or right side, at one place of its chain."""
    operands = [site.operand(part, BIT_OR) for part in (node.left, *node.comparators)]
    signs = [COMPARISONS[type(op)] for op in node.ops]
    signs[at] = sign
    if right is not None:
        operands[at + 1] = right
    tail = "".join(f" {sign} {operand}" for sign, operand in zip(signs, operands[1:], strict=True))
    return site.put(operands[0] + tail)


def comparison(site: Site) -> Rewrites:
    """Another comparison: < for <=, == for !=, in for not in."""
    node = site.node
    assert isinstance(node, ast.Compare)
    alternatives = [INSTEAD[COMPARISONS[type(op)]] for op in node.ops]
    for rank in range(max(map(len, alternatives))):
        for at, signs in enumerate(alternatives):
            if rank < len(signs):
                yield _compared(site, node, at, signs[rank])


def boundary(site: Site) -> Rewrites:
    """Another comparison with the next whole number: == 0 becomes <= 1."""
    node = site.node
    assert isinstance(node, ast.Compare)
    value = number(node.comparators[-1])
    sign = COMPARISONS[type(node.ops[-1])]
    if value is None or sign not in {"<", "<=", ">", ">=", "==", "!="}:
        return
    for other in ("<=", ">", ">=", "<", "==", "!="):
        for step in (1, -1):
            # < n+1 says the same as <= n, and is among the plain comparisons already.
            same = (other, step) in {("<", 1), (">=", 1), ("<=", -1), (">", -1)}
            if other != sign and not same:
                yield _compared(site, node, len(node.ops) - 1, other, str(value + step))


def arithmetic(site: Site) -> Rewrites:
    """Another arithmetic or bitwise operator."""
    node = site.node
    assert isinstance(node, ast.BinOp)
    same = ast.dump(node.left) == ast.dump(node.right)
    for sign in OTHERWISE.get(SIGNS.get(type(node.op), ""), ()):
        if same and sign not in {"+", "*", "**", "<<"}:
            continue  # x - x and the like are constants in disguise
        level = BINARY[TYPES[sign]]
        left, right = site.operand(node.left, level), site.operand(node.right, level + 1)
        yield site.put(f"{left} {sign} {right}")


def augmented(site: Site) -> Rewrites:
    """Another operator in an augmented assignment, or plain assignment."""
    node = site.node
    assert isinstance(node, ast.AugAssign)
    target, value = site.text(node.target), site.text(node.value)
    for sign in OTHERWISE.get(SIGNS.get(type(node.op), ""), ()):
        yield site.source.splice(node, f"{target} {sign}= {value}")
    yield site.source.splice(node, f"{target} = {value}")


def accumulate(site: Site) -> Rewrites:
    """An assignment that should have added to what was there, or kept the better of the two."""
    node = site.node
    assert isinstance(node, ast.Assign)
    if len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name | ast.Subscript):
        return
    target, value = site.text(node.targets[0]), site.text(node.value)
    inside = site.source.loop(node) is not None
    if isinstance(node.targets[0], ast.Subscript) and not isinstance(node.value, ast.BoolOp):
        box, key = node.targets[0].value, node.targets[0].slice
        yield site.put(f"{site.operand(box)}.get({site.text(key)}, 0) + {value}", node.value)
        yield site.source.splice(node, f"{target} += {value}")
    if not isinstance(node.value, ast.Constant) and inside:
        yield site.put(f"max({target}, {value})", node.value)
        yield site.put(f"min({target}, {value})", node.value)
        yield site.source.splice(node, f"{target} += {value}")
        yield site.source.splice(node, f"{target} -= {value}")
        yield site.source.splice(node, f"{target} *= {value}")


def off_by_one(site: Site) -> Rewrites:
    """A whole number one larger or smaller."""
    node = site.node
    value = number(node)
    if value is None or isinstance(site.parent, ast.UnaryOp):
        return
    for other in (value + 1, value - 1):
        # Adding zero is dropping the term, which is an operator of its own.
        if other == 0 and isinstance(site.parent, ast.BinOp):
            continue
        yield site.put(str(other))


def _counts(site: Site) -> bool:
    """Whether one more or less of this expression is a plausible slip."""
    node, parent = site.node, site.parent
    if not isinstance(node, ast.Name | ast.Call | ast.BinOp | ast.Attribute | ast.Subscript):
        return False
    if not loads(node):
        return False
    kinds = site.kinds(node)
    if kinds and "num" not in kinds:
        return False
    match parent:
        case ast.Subscript(slice=index):
            return node is index
        case ast.Slice():
            return True
        case ast.Call(func=ast.Name(id="range"), args=args):
            return node in args
        case ast.Call(args=args):
            return node in args and "num" in kinds
        case ast.BinOp(left=left, right=right):
            # Beside a number, it is the number that is moved or dropped.
            return "num" in kinds and number(left) is None and number(right) is None
        case ast.Return() | ast.Assign() | ast.Compare() | ast.Tuple():
            return "num" in kinds
        case _:
            return False


def one_more_or_less(site: Site) -> Rewrites:
    """An index, bound or argument one off: x becomes x + 1 or x - 1."""
    if not _counts(site):
        return
    node = site.node
    assert isinstance(node, ast.expr)
    if isinstance(node, ast.BinOp) and not (number(node.left) is number(node.right) is None):
        return  # the constant itself is moved
    upper = isinstance(site.parent, ast.Call) or (
        isinstance(site.parent, ast.Slice) and site.parent.upper is node
    )
    for sign in ("+", "-") if upper else ("-", "+"):
        yield site.put(f"{site.operand(node, SUM)} {sign} 1")


def connective(site: Site) -> Rewrites:
    """`and` for `or`, or one of the operands alone."""
    node = site.node
    assert isinstance(node, ast.BoolOp)
    both = isinstance(node.op, ast.And)
    word, level = (" or ", OR) if both else (" and ", AND)
    yield site.put(word.join(site.operand(value, level) for value in node.values))
    same, own = (" and ", AND) if both else (" or ", OR)
    for left_out in range(len(node.values)):
        rest = [site.operand(v, own) for i, v in enumerate(node.values) if i != left_out]
        yield site.put(same.join(rest))


def negation(site: Site) -> Rewrites:
    """A condition the other way round."""
    node = site.node
    assert isinstance(node, ast.expr)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield site.put(site.operand(node.operand, NOT))
    elif (
        is_test(node, site.parent)
        and not isinstance(node, ast.Compare | ast.Constant)
        and not isinstance(site.parent, ast.UnaryOp)
    ):
        yield site.put(f"not {site.operand(node, NOT)}")


def opposite(site: Site) -> Rewrites:
    """A truth that is handed on the other way round: returned, stored, or a key to sort by."""
    node = site.node
    assert isinstance(node, ast.expr)
    handed = isinstance(site.parent, ast.Return | ast.Assign | ast.Lambda | ast.keyword)
    simple = isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.BoolOp)
    if handed and simple and loads(node) and site.kinds(node) <= {"bool", "obj"}:
        yield site.put(f"not {site.operand(node, NOT)}")


def truth(site: Site) -> Rewrites:
    """True for False and the reverse."""
    node = site.node
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield site.put(str(not node.value))


def sign(site: Site) -> Rewrites:
    """A minus dropped or added."""
    node = site.node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield site.put(site.operand(node.operand, SIGN))
    elif isinstance(node, ast.Name | ast.Call | ast.Subscript | ast.Attribute):
        if not loads(node) or length(node):
            return
        used = isinstance(
            site.parent, ast.Return | ast.BinOp | ast.Assign | ast.Compare | ast.Tuple
        )
        if used and "num" in site.kinds(node):
            yield site.put(f"-{site.operand(node)}")


def turned(site: Site) -> Rewrites:
    """The operands of an operator where order matters, the other way round."""
    node = site.node
    assert isinstance(node, ast.BinOp)
    commutes = isinstance(node.op, ast.Mult | ast.BitAnd | ast.BitOr | ast.BitXor)
    if isinstance(node.op, ast.Add):
        commutes = "num" in site.kinds(node.left) | site.kinds(node.right)
    if not commutes and type(node.op) in SIGNS:
        level = binding(node)
        left, right = site.operand(node.right, level), site.operand(node.left, level + 1)
        yield site.put(f"{left} {SIGNS[type(node.op)]} {right}")


def term(site: Site) -> Rewrites:
    """One operand alone: a superfluous `+ x` dropped."""
    node = site.node
    assert isinstance(node, ast.BinOp)
    parts = [node.left, node.right]
    if number(node.right) is None and number(node.left) is not None:
        parts.reverse()
    for part in parts:
        yield site.put(site.text(part))


def grouping(site: Site) -> Rewrites:
    """Parentheses elsewhere: a + b * c becomes (a + b) * c, a - b - c becomes a - (b - c)."""
    node = site.node
    if isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
        mine = SIGNS[type(node.op)]
        match node:
            case ast.BinOp(left=left, right=ast.BinOp(left=middle, op=op, right=right)):
                if type(op) in SIGNS:
                    a, b, c = site.operand(left, SIGN), site.operand(middle), site.operand(right)
                    yield site.put(f"({a} {mine} {b}) {SIGNS[type(op)]} {c}")
        match node:
            case ast.BinOp(left=ast.BinOp(left=left, op=op, right=middle), right=right):
                if type(op) in SIGNS and not (mine in {"+", "*"} and SIGNS[type(op)] == mine):
                    a, b, c = site.operand(left), site.operand(middle, SIGN), site.operand(right)
                    yield site.put(f"{a} {SIGNS[type(op)]} ({b} {mine} {c})")
    elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        yield from _regrouped(site, node)


def _regrouped(site: Site, node: ast.BoolOp) -> Rewrites:
    """a and b or c becomes a and (b or c)."""
    for at, value in enumerate(node.values):
        if not (isinstance(value, ast.BoolOp) and isinstance(value.op, ast.And)):
            continue
        inner = [site.operand(part, NOT) for part in value.values]
        before = " or ".join(site.operand(v, AND) for v in node.values[:at])
        after = " or ".join(site.operand(v, AND) for v in node.values[at + 1 :])
        if after:
            yield site.put(f"{' and '.join(inner[:-1])} and ({inner[-1]} or {after})")
        if before:
            yield site.put(f"({before} or {inner[0]}) and {' and '.join(inner[1:])}")


NUMERIC = (ast.Name, ast.Call, ast.BinOp, ast.Attribute, ast.Subscript)

ARITHMETIC = (
    Operator("comparison", 1.0, (ast.Compare,), comparison),
    Operator("boundary", 0.5, (ast.Compare,), boundary),
    Operator("arithmetic", 0.8, (ast.BinOp,), arithmetic),
    Operator("augmented", 0.8, (ast.AugAssign,), augmented),
    Operator("accumulate", 0.4, (ast.Assign,), accumulate),
    Operator("off-by-one", 0.9, (ast.Constant, ast.UnaryOp), off_by_one),
    Operator("one-more-or-less", 0.8, NUMERIC, one_more_or_less),
    Operator("connective", 0.8, (ast.BoolOp,), connective),
    Operator("negation", 0.7, (ast.expr,), negation),
    Operator("opposite", 0.25, (ast.expr,), opposite),
    Operator("truth", 0.7, (ast.Constant,), truth),
    Operator("sign", 0.3, (*NUMERIC, ast.UnaryOp), sign),
    Operator("turned", 0.5, (ast.BinOp,), turned),
    Operator("term", 0.5, (ast.BinOp,), term),
    Operator("grouping", 0.4, (ast.BinOp, ast.BoolOp), grouping),
)
