"""`require("approval", before=…)`: who may call such a tool is asked, or a person was before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive import Graph, Review, Role, Workflow, approved, finish, handoff, start, tool
from hive.control import TABLE, ByComplexity, Rule, require, turns
from hive.errors import GraphError
from hive.testing import ScriptedModel
from hive.tools import allow, ask, by_tool, deny
from hive.tools.approval import Judgement, ProposedCall


@tool(effect="irreversible")
def send() -> str:
    """Send it."""
    return ""


@tool(effect="egress")
def fetch() -> str:
    """Fetch it."""
    return ""


a, b, c = (Role(name) for name in "abc")
sender, fetcher = Role("sender", tools=(send,)), Role("fetcher", tools=(fetch, send))
owner, chief = Role("owner", person=True), Role("chief", person=True, writes=(Review,))
ASKED = require("approval", before="irreversible")
MODEL = ScriptedModel(["x"])
STRAIGHT = (start(a), handoff(a, sender), finish(sender), ASKED)


def made(parts: Sequence[Any], **options: Any) -> Workflow:
    return Workflow(Graph(*parts), model=MODEL, **options)


class Trusting:
    """Asks a person unless the user's own word led to the call."""

    async def judge(self, call: ProposedCall) -> Judgement:
        asks = "allow" if call.label == "trusted" else "ask"
        return Judgement(asks, "as the cause is", "Trusting")  # type: ignore[arg-type]


class Reads:
    """Looks into the arguments, which nobody knows beforehand."""

    async def judge(self, call: ProposedCall) -> Judgement:
        return Judgement("ask", str(call.arguments["to"]), "Reads")


class Waits:
    """Asks somewhere else first."""

    async def judge(self, call: ProposedCall) -> Judgement:
        await anyio.lowlevel.checkpoint()
        return Judgement("ask", "", "Waits")


class Mumbles:
    """Gives no judgement."""

    async def judge(self, call: ProposedCall) -> Any:
        return "ask"


GALLERY: dict[str, tuple[tuple[Any, ...], Any, tuple[str, ...], str]] = {
    "approvals that allow everything": (
        STRAIGHT, allow(), ("a", "sender"),
        r"sender may call send without asking anybody \(allow\(\): send has effect irreversible\)",
    ),
    "approvals that allow it by name": (
        STRAIGHT, by_tool(send="allow") | ask(effect="irreversible"), ("a", "sender"),
        r"without asking anybody \(by_tool",
    ),
    "approvals that ask somebody else only": (
        STRAIGHT, ask(effect="irreversible", role="a"), ("a", "sender"),
        r"without asking anybody \(default: no rule fits\)",
    ),
    "approvals that go by trust": (
        STRAIGHT, Trusting(), ("a", "sender"), "may call send without asking anybody",
    ),
    "approvals that must know the arguments": (
        STRAIGHT, Reads(), ("a", "sender"),
        r"cannot be told beforehand \(Reads raised KeyError: 'to'\)",
    ),
    "approvals that give no judgement": (
        STRAIGHT, Mumbles(), ("a", "sender"), r"\(Mumbles answered with a str\)",
    ),
    "a person who can be walked around": (
        (
            *(start(a), handoff(a, owner), handoff(owner, sender), handoff(a, sender)),
            *(finish(sender), ASKED),
        ),
        allow(), ("a", "sender"), "passes no person",
    ),
    "a person beside who calls": (
        (start((owner, sender)), finish((owner, sender)), ASKED),
        allow(), ("(owner, sender)",), "passes no person",
    ),
    "a person after who calls": (
        (start(sender), handoff(sender, owner), finish(owner), ASKED),
        allow(), ("sender",), "passes no person",
    ),
    "a critic in the place of a person": (
        (start(a), handoff(a, b), handoff(b, sender), finish(sender), ASKED),
        allow(), ("a", "b", "sender"), "passes no person",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GALLERY)
def test_a_call_that_nobody_is_asked_about_is_refused_with_the_walk(name: str) -> None:
    parts, approvals, path, message = GALLERY[name]
    with pytest.raises(GraphError) as refused:
        made(parts, approvals=approvals)
    assert refused.value.path == path
    assert re.search(message, str(refused.value))
    assert 'require("approval", before="irreversible") does not hold' in str(refused.value)
    assert [flaw.code for flaw in refused.value.flaws] == ["broken_rule"]
    assert refused.value.graph == Graph(*parts)


GOOD: dict[str, tuple[tuple[Any, ...], Any]] = {
    "the default approvals": (STRAIGHT, None),
    "every call is asked about": (STRAIGHT, ask()),
    "such calls are denied": (STRAIGHT, deny(effect="irreversible")),
    "one is asked about and the other denied": (
        (start(sender), handoff(sender, fetcher), finish(fetcher), ASKED),
        ask(role="sender") | deny(role="fetcher"),
    ),
    "a person on the only way": (
        (start(a), handoff(a, owner), handoff(owner, sender), finish(sender), ASKED), allow(),
    ),
    "one person or another on every way": (
        (
            *(start(a), handoff(a, owner), handoff(a, chief), handoff(owner, sender)),
            *(handoff(chief, sender), finish(sender), ASKED),
        ),
        allow(),
    ),
    "a way that opens by what only the person writes": (
        (
            *(start(a), handoff(a, chief), handoff(chief, a, when=~turns(4))),
            *(handoff(a, sender, when=approved), finish(sender), ASKED),
        ),
        allow(),
    ),
    "nobody has such a tool": ((start(a), finish(a), ASKED), allow()),
    "a rule about another effect": (
        (start(fetcher), finish(fetcher), require("approval", before="egress")),
        ask(effect="egress"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_call_that_somebody_is_asked_about_is_not_refused(name: str) -> None:
    parts, approvals = GOOD[name]
    workflow = made(parts, approvals=approvals)
    assert [rule for rule in workflow.graph.rules if rule.role is None] == [parts[-1]]


@pytest.mark.asyncio
async def test_approvals_that_wait_for_something_are_no_proof() -> None:
    with pytest.raises(GraphError, match=r"cannot be told beforehand \(Waits waits for something"):
        made(STRAIGHT, approvals=Waits())


@pytest.mark.parametrize(
    ("approvals", "holds"), [(by_tool(send="allow"), True), (allow(), False), (None, True)]
)
def test_a_checkpoint_before_work_of_any_class_is_somebody_who_is_asked(
    approvals: Any, holds: bool
) -> None:
    table = TABLE.with_(**{level: replace(row, checkpoint=True) for level, row in TABLE.items()})
    options = {"approvals": approvals, "allocator": ByComplexity(table=table)}
    if holds:
        made(STRAIGHT, **options)
        return
    with pytest.raises(GraphError, match="without asking anybody"):
        made(STRAIGHT, **options)


def test_the_graph_alone_keeps_the_rule_and_does_not_judge_it() -> None:
    graph = Graph(*STRAIGHT)
    assert graph.rules == (ASKED,)
    assert str(ASKED) == 'require("approval", before="irreversible")'
    assert str(ASKED) in repr(graph)
    assert Rule(None, "irreversible") == ASKED


def test_a_workflow_is_checked_again_when_its_approvals_are_changed() -> None:
    workflow = made(STRAIGHT)
    with pytest.raises(GraphError, match="does not hold"):
        workflow.with_(approvals=allow())


@pytest.mark.parametrize("wrong", [{"before": "finish"}, {"before": sender}, {"before": "all"}])
def test_an_approval_is_of_calls_and_of_nothing_else(wrong: Any) -> None:
    with pytest.raises(GraphError, match="give before= one of 'read', 'write', 'egress'"):
        require("approval", **wrong)
    with pytest.raises(GraphError, match="and nothing else"):
        require("approval", before="irreversible", after=a)


PEOPLE = (owner, chief)
EDGES = st.sets(
    st.tuples(
        st.sampled_from((a, b, owner, chief, sender)), st.sampled_from((a, b, *PEOPLE, sender))
    ),
    max_size=9,
)


@given(pairs=EDGES, first=st.sampled_from((a, b, owner)))
def test_it_holds_where_every_walk_to_the_call_passes_a_person(
    pairs: set[tuple[Role, Role]], first: Role
) -> None:
    """Against a search for a walk over roles that are no people."""
    pairs = {(one, two) for one, two in pairs if one != two}
    edges = [handoff(one, two, when=~turns(9)) for one, two in sorted(pairs, key=str)]
    named = {role for pair in pairs for role in pair} | {first}
    try:
        graph = Graph(
            start(first), *edges, *[finish(role) for role in sorted(named, key=str)], ASKED
        )
    except GraphError:  # somebody is never reached; that is another matter
        return
    reached, queue = set(), [] if first in PEOPLE else [first]
    while queue:
        at = queue.pop()
        if at not in reached:
            reached.add(at)
            queue += [two for one, two in pairs if one == at and two not in PEOPLE]
    if sender not in reached:
        Workflow(graph, model=MODEL, approvals=allow())
        return
    with pytest.raises(GraphError) as refused:
        Workflow(graph, model=MODEL, approvals=allow())
    path = refused.value.path
    assert (path[0], path[-1]) == (first.name, "sender")
    assert {"owner", "chief"}.isdisjoint(path)
