"""Which names a place in the code could use instead, judged by how the names are used elsewhere.

Pure. Python declares no types, so a name's kind is read off its uses: what is added to a number,
used as an index or given by `range` is a number; what is subscripted, iterated or measured is a
box. The kinds only order and thin out the candidates; a name of unknown kind fits everywhere.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cached_property

from roles.offline.repair.source import COMPREHENSIONS, FUNCTIONS, LOOPS, Source

__all__ = ["Kinds", "Scopes", "fits"]

Kinds = frozenset[str]
"""Some of: num, str, bool, list, set, dict, box (any container), obj, call; empty is unknown."""

UNKNOWN: Kinds = frozenset()
# The place of a name that ought to be used: before all others.
UNREAD = -100.0
NUM: Kinds = frozenset({"num"})
BOX: Kinds = frozenset({"box"})

# What calling a builtin gives.
CALLS: dict[str, Kinds] = {
    **dict.fromkeys(("len", "int", "sum", "abs", "ord", "round", "float"), NUM),
    **dict.fromkeys(("sorted", "list", "deque", "reversed"), frozenset({"box", "list"})),
    **dict.fromkeys(("set", "frozenset"), frozenset({"box", "set"})),
    **dict.fromkeys(("dict", "defaultdict", "Counter", "OrderedDict"), frozenset({"box", "dict"})),
    **dict.fromkeys(("str", "repr", "chr", "format"), frozenset({"box", "str"})),
    **dict.fromkeys(("any", "all", "isinstance", "bool", "callable"), frozenset({"bool"})),
}

# What a method tells of the value it is called on.
METHODS: dict[str, Kinds] = {
    **dict.fromkeys(
        ("append", "extend", "insert", "sort", "reverse", "popleft", "appendleft"),
        frozenset({"box", "list"}),
    ),
    **dict.fromkeys(("add", "discard", "union", "issubset"), frozenset({"box", "set"})),
    **dict.fromkeys(
        ("keys", "values", "items", "get", "setdefault", "most_common"), frozenset({"box", "dict"})
    ),
    **dict.fromkeys(
        (name for name in vars(str) if name not in vars(list) and not name.startswith("_")),
        frozenset({"box", "str"}),
    ),
    **dict.fromkeys(("pop", "update", "remove", "clear", "copy", "index", "count"), BOX),
}


# What an annotation says of a value.
DECLARED: dict[str, Kinds] = {
    **dict.fromkeys(("int", "float", "Decimal"), NUM),
    **dict.fromkeys(("list", "Sequence", "deque", "List"), frozenset({"box", "list"})),
    **dict.fromkeys(("set", "frozenset", "Set"), frozenset({"box", "set"})),
    **dict.fromkeys(("dict", "Mapping", "Dict"), frozenset({"box", "dict"})),
    **dict.fromkeys(("tuple", "Iterable", "Collection"), BOX),
    "str": frozenset({"box", "str"}),
    "bool": frozenset({"bool"}),
}


def fits(kinds: Kinds, other: Kinds) -> bool:
    """Whether a value of one kind may stand where one of the other is."""
    exact, others = kinds - BOX, other - BOX
    if exact and others:
        return bool(exact & others)
    return not kinds or not other or bool(kinds & other)


class Scopes:
    """The names of one module: where each is bound, and what kind of value it seems to hold."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._fields: dict[ast.ClassDef, list[tuple[str, Kinds]]] = {}
        self.evidence: dict[tuple[ast.AST, str], set[str]] = {}
        self.bound: dict[ast.AST, dict[str, ast.AST]] = {source.tree: {}}
        for node in ast.walk(source.tree):
            self._bind(node)
        # Twice, because what a name tells of another may come later in the text.
        for _ in range(2):
            for node in ast.walk(source.tree):
                self._learn(node)

    def home(self, node: ast.AST) -> ast.AST:
        """The function or comprehension whose names a node sees first, or the module."""
        for candidate in self.source.above(node):
            if candidate in self.bound:
                return candidate
        return self.source.tree

    def _bind(self, node: ast.AST) -> None:
        """Note the names that a node binds, with the node that binds them."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            arguments = node.args
            every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
            extra = (arguments.vararg, arguments.kwarg)
            self.bound[node] = {a.arg: a for a in (*every, *extra) if a is not None}
        elif isinstance(node, COMPREHENSIONS):
            self.bound[node] = {}
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                bound = name
            case ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                bound = name
            case _:
                return
        # The names of a class are attributes, out of sight for its methods.
        if not any(isinstance(node, ast.ClassDef) for node in self._until_function(node)):
            self.bound[self.home(node)].setdefault(bound, node)

    def _until_function(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node stands in, up to the innermost function."""
        for parent in self.source.above(node):
            if isinstance(parent, FUNCTIONS):
                return
            yield parent

    def owner(self, node: ast.AST, name: str) -> ast.AST | None:
        """The scope that binds the name as a node sees it; None for builtins and imports."""
        for scope in (node, *self.source.above(node)):
            if name in self.bound.get(scope, {}):
                return scope
        return None

    def _note(self, node: ast.AST | None, kinds: Kinds) -> None:
        """Take a use of a name or attribute as evidence of its kind.

        An attribute is taken to be of the same kind wherever the module speaks of it.
        """
        if isinstance(node, ast.Name) and kinds:
            owner = self.owner(node, node.id)
            if owner is not None:
                self.evidence.setdefault((owner, node.id), set()).update(kinds)
        elif isinstance(node, ast.Attribute) and kinds:
            self.evidence.setdefault((self.source.tree, "." + node.attr), set()).update(kinds)

    def _declared(self, node: ast.arg | ast.AnnAssign) -> None:
        """Take an annotation as evidence."""
        note = node.annotation
        base = note.value if isinstance(note, ast.Subscript) else note
        kinds = DECLARED.get(base.id, UNKNOWN) if isinstance(base, ast.Name) else UNKNOWN
        if isinstance(node, ast.arg):
            scope = next((s for s in self.source.above(node) if s in self.bound), None)
            if scope is not None and kinds:
                self.evidence.setdefault((scope, node.arg), set()).update(kinds)
        elif isinstance(node.target, ast.Name) and kinds:
            parent = self.source.parents[node]
            key = "." + node.target.id if isinstance(parent, ast.ClassDef) else node.target.id
            scope = self.source.tree if key[0] == "." else self.home(node)
            self.evidence.setdefault((scope, key), set()).update(kinds)

    def _learn(self, node: ast.AST) -> None:  # noqa: C901  (one case for each form of use)
        """Read off one node what it says about the names in it."""
        match node:
            case ast.Assign(targets=[target], value=value):
                self._pair(target, value)
            case ast.arg() | ast.AnnAssign():
                self._declared(node)
            case ast.AugAssign(target=target, value=value):
                self._note(target, self.kinds(value) & NUM)
                self._note(value, self.kinds(target) & NUM)
            case (
                ast.For(target=target, iter=walked) | ast.comprehension(target=target, iter=walked)
            ):
                self._walked(target, walked)
            case ast.BinOp(left=left, op=op, right=right) if not isinstance(op, ast.Mult | ast.Mod):
                self._note(left, self.kinds(right))
                self._note(right, self.kinds(left))
            case ast.Compare(left=left, ops=ops, comparators=[right, *_]):
                self._compared(left, ops[0], right)
            case ast.Subscript(value=value, slice=index):
                self._note(value, BOX)
                for part in (
                    (index.lower, index.upper) if isinstance(index, ast.Slice) else (index,)
                ):
                    self._note(part, NUM if "dict" not in self.kinds(value) else UNKNOWN)
            case ast.Attribute(value=value, attr=attr):
                self._note(value, METHODS.get(attr, frozenset({"obj"})))
            case ast.Call(func=func, args=args):
                self._called(func, args)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                self._note(operand, NUM)
            case _:
                pass

    def _pair(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, other in zip(target.elts, value.elts, strict=False):
                self._pair(one, other)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Name):
            self._note(value, BOX)
        else:
            self._note(target, self.kinds(value))

    def _walked(self, target: ast.expr, walked: ast.expr) -> None:
        self._note(walked, BOX)
        if isinstance(walked, ast.Call) and isinstance(walked.func, ast.Name):
            if walked.func.id == "range":
                self._note(target, NUM)
            elif walked.func.id == "enumerate":
                if isinstance(target, ast.Tuple):
                    self._note(target.elts[0], NUM)
                for inner in walked.args[:1]:
                    self._note(inner, BOX)

    def _compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> None:
        if isinstance(op, ast.In | ast.NotIn):
            self._note(right, BOX)
        elif not isinstance(op, ast.Is | ast.IsNot):
            self._note(left, self.kinds(right))
            self._note(right, self.kinds(left))

    def _called(self, func: ast.expr, args: list[ast.expr]) -> None:
        self._note(func, frozenset({"call"}))
        if isinstance(func, ast.Name):
            kinds = {"range": NUM, "len": BOX, "sorted": BOX, "enumerate": BOX, "sum": BOX}
            for arg in args if func.id == "range" else args[:1]:
                self._note(arg, kinds.get(func.id, UNKNOWN))
            owner = self.bound[self.source.tree].get(func.id)
            if isinstance(owner, ast.FunctionDef):
                for parameter, arg in zip(owner.args.args, args, strict=False):
                    known = self.evidence.get((owner, parameter.arg), set())
                    self._note(arg, frozenset(known))

    def kinds(self, node: ast.expr) -> Kinds:  # noqa: C901  (one case for each form of expression)
        """What kind of value an expression seems to have."""
        match node:
            case ast.Name(id=name):
                owner = self.owner(node, name)
                return frozenset(self.evidence.get((owner, name), ())) if owner else UNKNOWN
            case ast.Attribute(attr=attr):
                return frozenset(self.evidence.get((self.source.tree, "." + attr), ()))
            case ast.Constant(value=bool()) | ast.Compare() | ast.UnaryOp(op=ast.Not()):
                return frozenset({"bool"})
            case ast.Constant(value=int() | float()) | ast.UnaryOp():
                return NUM
            case ast.Constant(value=str()) | ast.JoinedStr():
                return frozenset({"box", "str"})
            case ast.List() | ast.ListComp():
                return frozenset({"box", "list"})
            case ast.Set() | ast.SetComp():
                return frozenset({"box", "set"})
            case ast.Dict() | ast.DictComp():
                return frozenset({"box", "dict"})
            case ast.Tuple() | ast.GeneratorExp():
                return BOX
            case ast.Call(func=ast.Name(id=name)):
                return CALLS.get(name, UNKNOWN)
            case ast.BinOp(left=left, op=ast.Add() | ast.Mult(), right=right):
                return self.kinds(left) or self.kinds(right)
            case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str())):
                return frozenset({"box", "str"})
            case ast.BinOp():
                return NUM if not (self.kinds(node.left) & BOX) else self.kinds(node.left)
            case ast.Subscript(value=value, slice=ast.Slice()):
                return self.kinds(value)
            case _:
                return UNKNOWN

    def names(self, node: ast.AST, after: bool = False) -> list[tuple[str, Kinds]]:
        """The variables that a node, or what comes after it, could use, nearest and most used
        first, with their kinds.

        Those of the enclosing functions and comprehensions; not the module's, and none that is
        surely not bound yet.
        """
        found: dict[str, Kinds] = {}
        weights: dict[str, float] = {}
        for depth, scope in enumerate((node, *self.source.above(node))):
            if scope is self.source.tree:
                break
            for name, binder in self.bound.get(scope, {}).items():
                if name in found or name == "self" or not self._ready(binder, node, after):
                    continue
                found[name] = frozenset(self.evidence.get((scope, name), ()))
                near = self._distance(scope, name, node)
                weights[name] = near + depth * 0.01 - 0.5 * min(self.uses[scope, name], 6)
                if (scope, name) in self.unread:
                    weights[name] = UNREAD
        return [(name, found[name]) for name in sorted(found, key=lambda n: (weights[n], n))]

    @cached_property
    def places(self) -> dict[tuple[ast.AST, str], list[int]]:
        """The lines on which each variable appears."""
        found: dict[tuple[ast.AST, str], list[int]] = {}
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Name):
                owner = self.owner(node, node.id)
                if owner is not None:
                    found.setdefault((owner, node.id), []).append(node.lineno)
        return found

    @cached_property
    def unread(self) -> set[tuple[ast.AST, str]]:
        """The parameters that are never read: where something is amiss, they are likely missing."""
        read = {
            (self.owner(node, node.id), node.id)
            for node in ast.walk(self.source.tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        return {
            (scope, name)
            for scope, names in self.bound.items()
            for name, binder in names.items()
            if isinstance(binder, ast.arg) and name not in {"self", "cls"} and name[0] != "_"
            if (scope, name) not in read
        }

    @cached_property
    def unread_attributes(self) -> set[str]:
        """The attributes that are set and, as far as this module goes, never looked at."""
        found: dict[bool, set[str]] = {True: set(), False: set()}
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Attribute):
                found[isinstance(node.ctx, ast.Store)].add(node.attr)
        return found[True] - found[False]

    def fields(self, node: ast.AST) -> list[tuple[str, Kinds]]:
        """The attributes of `self` that a method could use, with their kinds: those first that are
        set and never looked at, then the most used."""
        method = self.source.function(node)
        owner = self.source.parents[method] if method is not None else None
        if not isinstance(owner, ast.ClassDef):
            return []
        if owner not in self._fields:
            self._fields[owner] = self._fields_of(owner)
        return self._fields[owner]

    def _fields_of(self, owner: ast.ClassDef) -> list[tuple[str, Kinds]]:
        counts = Counter(
            part.attr
            for part in ast.walk(owner)
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name)
            if part.value.id == "self" and not self._is_called(part)
        )
        ordered = sorted(counts, key=lambda n: (n not in self.unread_attributes, -counts[n]))
        tree = self.source.tree
        return [(f"self.{n}", frozenset(self.evidence.get((tree, "." + n), ()))) for n in ordered]

    def _is_called(self, node: ast.AST) -> bool:
        parent = self.source.parents.get(node)
        return isinstance(parent, ast.Call) and parent.func is node

    @cached_property
    def uses(self) -> Counter[tuple[ast.AST, str]]:
        """How often each variable appears."""
        return Counter({key: len(lines) for key, lines in self.places.items()})

    def _distance(self, scope: ast.AST, name: str, node: ast.AST) -> float:
        line = getattr(node, "lineno", 0)
        return min((abs(line - at) for at in self.places.get((scope, name), ())), default=9)

    def _ready(self, binder: ast.AST, node: ast.AST, after: bool) -> bool:
        """Whether a name may be bound when the node is evaluated."""
        if isinstance(binder, ast.arg):
            return True
        if isinstance(binder, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return False  # functions are no variables; they are swapped by an operator of their own
        line = getattr(node, "end_lineno", 0) + 1 if after else getattr(node, "lineno", 0)
        if getattr(binder, "lineno", 0) < line:
            return True
        around = set(self.source.above(node))
        if isinstance(self.source.parents.get(binder), ast.comprehension):
            return True
        shared = [a for a in self.source.above(binder) if a in around]
        if any(isinstance(a, LOOPS) for a in shared):
            return True
        return isinstance(binder, ast.Name) and self.source.function(binder) is not (
            self.source.function(node)
        )

    @cached_property
    def constants(self) -> set[str]:
        """The names that the module itself binds to values."""
        bound = self.bound[self.source.tree].items()
        return {name for name, binder in bound if isinstance(binder, ast.Name)}

    def functions(self, node: ast.AST) -> Iterator[str]:
        """The names of the functions that a node can call: the module's and enclosing ones."""
        for scope in self.source.above(node):
            for name, binder in self.bound.get(scope, {}).items():
                if isinstance(binder, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield name
