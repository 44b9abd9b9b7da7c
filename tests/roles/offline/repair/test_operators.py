"""Every operator shown on an example: the line as it is, and what the operator can make of it."""

from __future__ import annotations

import pytest

from roles.offline.repair.mutations import OPERATORS
from tests.roles.offline.repair.examples import changed, module

# Operator, function, and a line that it offers in the place of the one marked with `# here`; a
# line break separates lines that come instead of one.
EXAMPLES = [
    ("comparison", "def f(a, b):\n    return a < b  # here", "return a <= b"),
    ("comparison", "def f(a, b):\n    return a in b  # here", "return a not in b"),
    ("boundary", "def f(a):\n    return len(a) == 0  # here", "return len(a) <= 1"),
    ("arithmetic", "def f(a, b):\n    return a + b  # here", "return a - b"),
    ("arithmetic", "def f(a, b):\n    return a ^ b  # here", "return a & b"),
    ("augmented", "def f(a, b):\n    a -= b  # here", "a += b"),
    ("augmented", "def f(a, b):\n    a ^= b  # here", "a = b"),
    (
        "accumulate",
        "def f(a):\n    best = 0\n    for x in a:\n        best = x + 1  # here\n    return best",
        "best = max(best, x + 1)",
    ),
    ("off-by-one", "def f(a):\n    return a[0]  # here", "return a[1]"),
    ("one-more-or-less", "def f(n):\n    return range(n)  # here", "return range(n + 1)"),
    ("one-more-or-less", "def f(a, i):\n    return a[i]  # here", "return a[i - 1]"),
    ("connective", "def f(a, b):\n    return a and b  # here", "return a or b"),
    ("connective", "def f(a, b):\n    return a and b  # here", "return b"),
    ("negation", "def f(a):\n    if a:  # here\n        return 1", "if not a:"),
    ("negation", "def f(a):\n    return not a  # here", "return a"),
    ("truth", "def f(a):\n    return True  # here", "return False"),
    ("sign", "def f(a):\n    return -a  # here", "return a"),
    ("sign", "def f(a):\n    b = a - 1\n    return b  # here", "return -b"),
    ("turned", "def f(a, b):\n    return a - b  # here", "return b - a"),
    ("turned", "def f(a):\n    return str(a) + a  # here", "return a + str(a)"),
    ("term", "def f(a, b):\n    return 1 + g(a)  # here", "return g(a)"),
    ("grouping", "def f(a, b, c):\n    return a + b * c  # here", "return (a + b) * c"),
    ("grouping", "def f(a, b, c):\n    return a and b or c  # here", "return a and (b or c)"),
    ("argument-order", "def f(a, b):\n    return g(a % b, b)  # here", "return g(b, a % b)"),
    ("element-order", "def f(a, b):\n    return d[a, b]  # here", "return d[b, a]"),
    ("variable", "def f(a, b):\n    return a  # here", "return b"),
    ("held", "def f(a):\n    b = g(a)\n    return g(a)  # here", "return b"),
    (
        "target",
        "def f(d, k, v):\n    d.w[k] = min(d.w[k], d.u[v])  # here",
        "d.u[v] = min(d.w[k], d.u[v])",
    ),
    ("target", "def f(a):\n    b = c = 0\n    b = a  # here", "c = a"),
    ("attribute", "def f(a):\n    g(a.left)\n    g(a.right)  # here", "g(a.left)"),
    ("confusable", "def f(a):\n    return any(a)  # here", "return all(a)"),
    ("confusable", "def f(a, b):\n    a.append(b)  # here", "a.extend(b)"),
    (
        "function",
        "def g(a):\n    return a\ndef h(a):\n    return -a\ndef f(a):\n    return g(a)  # here",
        "return h(a)",
    ),
    (
        "opposite",
        "def f(rows):\n    return sorted(rows, key=lambda r: r.ok)  # here",
        "return sorted(rows, key=lambda r: not r.ok)",
    ),
    ("argument", "def f(a, b, c):\n    return g(a, b)  # here", "return g(a, b, c)"),
    ("argument", "def f(n):\n    return range(n)  # here", "return range(1, n)"),
    ("factor", "def f(a, b):\n    a += b.share // 100  # here", "a += a * b.share // 100"),
    ("analogy", "def f(a, b):\n    return g(a[1:], b)  # here", "return g(a[1:], b[1:])"),
    (
        "analogy",
        "GAP = 3\ndef f(a, b):\n    return a.x + GAP <= b.x and a.y <= b.y  # here",
        "return a.x + GAP <= b.x and a.y + GAP <= b.y",
    ),
    ("text", "def f(d):\n    d['x'] = 1\n    return d['y']  # here", "return d['x']"),
    ("surgery", "def f(a):\n    b = a[1:]\n    return g(a, b)  # here", "return g(a, a[1:])"),
    ("offset", "def f(k, n):\n    return g(k)  # here", "return g(k - n)"),
    (
        "offset",
        "def f(a):\n    b = [1]\n    return [x for x in a]  # here",
        "return b + [x for x in a]",
    ),
    ("whole", "def f(a):\n    return g(a.x)  # here", "return a.x"),
    ("whole", "def f(a, b, c):\n    return a if b else c  # here", "return c if b else a"),
    ("value", "def f(n):\n    m = n + 1\n    return 7  # here", "return m"),
    ("result", "def f(n):\n    return []  # here", "return [n]"),
    ("result", "def f(n):\n    return []  # here", "return [[]]"),
    ("result", "def f(n):\n    d = n - 1\n    return True  # here", "return d == 0"),
    ("listed", "def f(n):\n    return n.x  # here", "return [n.x]"),
    ("missing-return", "def f(n):\n    f(n - 1)  # here", "return f(n - 1)"),
    ("generator", "def f(n):\n    yield f(n)  # here", "yield from f(n)"),
    ("initial", "def f(n):\n    best = 0  # here\n    return best", "best = float('-inf')"),
    ("initial", "def f(n):\n    rows = []  # here\n    return rows", "rows = [[]]"),
    (
        "default",
        "def f(n, seen=[]):  # here\n    return seen",
        "def f(n, seen=None):\n    if seen is None:\n        seen = []",
    ),
    (
        "part",
        "def f(a, k):\n    b = a[:k]\n    for x in a:  # here\n        g(x)",
        "for x in a[k:]:",
    ),
    ("wrapped", "def f(a, x):\n    a = a + 1  # here\n    return a", "a = max(0, a + 1)"),
    ("wrapped", "def f(a, b):\n    a.append(b)  # here", "a.append(list(b))"),
    ("rebound", "def f(d, k, v):\n    d[k].update(v)  # here", "d[k] = v"),
    ("condition", "def f(a, b):\n    if a:  # here\n        return 0", "if a or not b:"),
    (
        "condition",
        "def f(a):\n    while a.next is None:  # here\n        g(a)",
        "while a is not None and a.next is None:",
    ),
    ("condition", "def f(q):\n    while True:  # here\n        q.pop()", "while q:"),
    (
        "base-case",
        "def f(a):  # here\n    return a[0]",
        "def f(a):\n    if not a:\n        return a",
    ),
    (
        "skipped",
        "def f(a, x):\n    a.append(x)  # here",
        "if x not in a:\n        a.append(x)",
    ),
    (
        "exclusion",
        "def f(a, done):\n    done.add(1)\n    while a:\n        x = a.pop()  # here\n        g(x)",
        "x = a.pop()\n        if x in done:\n            continue",
    ),
    (
        "exclusion",
        "def f(a, done):\n    done.add(1)\n    for x in a:  # here\n        g(x)",
        "for x in a:\n        if x in done:\n            continue",
    ),
    ("filtered", "def f(a):\n    return [x for x in a if x]  # here", "return [x for x in a]"),
    (
        "further",
        "def f(a):\n    a.done = True\n    return a.left is None  # here",
        "return a.left is None and a.done",
    ),
    ("branch", "def f(a):\n    if a:  # here\n        return 0", "while a:"),
    ("repeated", "def f(a):\n    while a:  # here\n        a = g(a)", "if a:"),
    (
        "marking",
        "def f(a, seen):\n    if a in seen:\n        return 0\n    return g(a)  # here",
        "seen.add(a)\n    return g(a)",
    ),
    (
        "unfilled",
        "def f(a):\n    lines = []\n    return lines  # here",
        "lines.append(a)\n    return lines",
    ),
    (
        "collecting",
        "def f(a, b):\n    a.append(1)\n    return a  # here",
        "a.append(b)\n    return a",
    ),
    (
        "renewal",
        "def f(n):\n    last = None\n    while n:\n        n.x = last\n        n = g(n)  # here",
        "last = n\n        n = g(n)",
    ),
    ("leaving", "def f(n):\n    m = g(n)  # here", "m = g(n)\n    return m"),
    (
        "repetition",
        "def f(n):\n    n += g(n)\n    print(n)\n    return n  # here",
        "n += g(n)\n    return n",
    ),
    ("yielding", "def f(a, b):\n    yield a\n    b = g(b)  # here", "yield b\n    b = g(b)"),
    ("superfluous", "def f(a):\n    a += 1  # here\n    return a", "pass"),
    ("sequence", "def f(a):\n    g(a)  # here\n    h(a)", "h(a)\n    g(a)"),
    (
        "depth",
        "def f(a):\n    for x in a:\n        g(x)\n        return x  # here",
        "    return x",
    ),
]


@pytest.mark.parametrize(("operator", "source", "wanted"), EXAMPLES)
def test_an_operator_offers_what_it_is_for(operator: str, source: str, wanted: str) -> None:
    lines = source.split("\n")
    at = next(n for n, line in enumerate(lines) if line.endswith("  # here"))
    lines[at] = lines[at].removesuffix("  # here")
    texts = changed(module("\n".join(lines)), at + 1, [operator])
    blanks = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    # Blanks before an example count, where it has any; else it stands where the line stood.
    piece = wanted if wanted[:1].isspace() else blanks + wanted
    expected = ["\n".join([*lines[:at], piece, *lines[at + n :]]) for n in (1, 2)]
    assert any(text in texts for text in expected)


def test_every_operator_has_an_example() -> None:
    assert {operator.name for operator in OPERATORS} == {name for name, _, _ in EXAMPLES}
    assert len({operator.name for operator in OPERATORS}) == len(OPERATORS)


def test_priors_are_shares_of_the_likeliest() -> None:
    assert all(0 < operator.prior <= 1 for operator in OPERATORS)


def test_names_of_another_kind_are_not_offered() -> None:
    source = "def f(values, limit):\n    n = len(values)\n    return n > limit - 1\n"
    found = changed(module(source), 3, ["variable"])
    assert any("limit > limit - 1" in text for text in found)
    assert not any("values > limit" in text for text in found)


def test_a_name_that_is_not_bound_yet_is_not_offered() -> None:
    source = "def f(a):\n    b = a + 1\n    c = b\n    return c\n"
    assert not any("b = c" in text for text in changed(module(source), 2))
