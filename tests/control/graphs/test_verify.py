from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from hive import control
from hive.board.contributions import (
    Answer,
    Goal,
    Note,
    Review,
    Task,
    TestReport,
    UserMessage,
    Verdict,
)
from hive.board.payload import Payload
from hive.board.records import Inference
from hive.board.state import State, Tally
from hive.control import (
    Edge,
    Graph,
    Rule,
    approved,
    cost,
    elapsed,
    finish,
    guard,
    handoff,
    latest,
    posted,
    require,
    stalled,
    start,
    stop,
    tests_pass,
    tokens,
    turns,
)
from hive.control.graphs.frontier import END, GOAL
from hive.errors import FlawCode, GraphError
from hive.role import Role
from hive.tools import tool

anything: Any = control

a, b, c, d, e = (Role(name) for name in "abcde")
per = Role("per", per=Task)


@tool(effect="read", posts=(TestReport,))
def measure() -> str:
    """Run the tests."""
    return ""


tester = Role("tester", tools=(measure,))


@tool(effect="irreversible")
def send() -> str:
    """Send it."""
    return ""


sender = Role("sender", tools=(send,))


class Draft(Payload):
    """A first version."""

    text: str = ""


drafter = Role("drafter", writes=(Draft,))
critic = Role("critic", writes=(Review,))
ruler = Role("ruler", writes=(Verdict,))
planner = Role("planner", writes=(Task,))


@guard("few reviews", kinds=(Review,))
def few_reviews(state: State) -> bool:
    return state.count(Review) < 3


def counted(step: int) -> Tally:
    return Tally("count", 0, lambda value, entry: step)


Part = Edge | Rule
GALLERY: dict[str, tuple[list[Part], tuple[str, ...], str]] = {
    "nothing": ([], (), "no start"),
    "no start": ([finish(a)], (), "no start"),
    "no finish": ([start(a), handoff(a, b)], (), "no finish, and a stop is not an end"),
    "no finish but a stop": ([start(a), stop(when=turns(3))], (), "no finish"),
    "two roles, one name": (
        [start(a), handoff(a, Role("a", "Another.")), finish(a)],
        ("a",),
        "two different roles are named 'a'",
    ),
    "unreachable": (
        [start(a), finish(a), finish(b)],
        ("b",),
        r"role 'b' is never reached: nothing leads to it; add start\(b\)",
    ),
    "unreachable, behind another": (
        [start(a), finish(a), handoff(b, c), finish(c)],
        ("b",),
        "role 'b' is never reached",
    ),
    "unreachable ring": (
        [start(a), finish(a), handoff(b, c, when=~turns(3)), handoff(c, b), finish(c)],
        ("c", "b"),
        "only c → b leads to it",
    ),
    "join of roles that never act together": (
        [start(a), handoff(a, b), handoff(a, c), handoff((b, c), d), handoff(b, d), finish(d)],
        ("(b, c)", "d"),
        r"handoff\(\(b, c\), d\) is never taken: \(b, c\) never act in one turn",
    ),
    "reached by an impossible join only": (
        [start(a), handoff(a, b), handoff(a, c), handoff((b, c), d), finish(b), finish(d)],
        ("a", "b", "d"),
        "role 'd' is never reached",
    ),
    "finish of roles that never act together": (
        [start(a), start(b), finish((a, b)), finish(a), finish(b)],
        ("(a, b)",),
        "never taken",
    ),
    "dead end": (
        [start(a), handoff(a, b), handoff(a, c), handoff(c, d), finish(b)],
        ("a", "c"),
        "from c no finish can be reached: start → a → c, and from there only to d",
    ),
    "dead end after a parallel move": (
        [start(a), handoff(a, (b, c)), handoff(a, d), finish(d)],
        ("a", "(b, c)"),
        r"from \(b, c\) no finish can be reached",
    ),
    "a pair that never ends": (
        [start(c), finish(c), handoff(c, a), handoff(a, b), handoff(b, a), stop(when=turns(9))],
        ("c", "a"),
        "a stop is not an end",
    ),
    "self-loop": (
        [start(a), handoff(a, a), finish(a)],
        ("a", "a"),
        "a → a can go round for ever",
    ),
    "ring of three": (
        [start(a), handoff(a, b), handoff(b, c), handoff(c, a), finish(c)],
        ("a", "b", "c", "a"),
        "can go round for ever",
    ),
    "bounded the wrong way round": (
        [start(a), handoff(a, b), handoff(b, a, when=turns(3)), finish(b)],
        ("a", "b", "a"),
        "can go round for ever",
    ),
    "bounded on one of two rings only": (
        [
            *(start(a), handoff(a, b), handoff(b, a, when=~turns(9))),
            *(handoff(b, c), handoff(c, b), finish(c)),
        ],
        ("b", "c", "b"),
        "can go round for ever",
    ),
    "bounded by money alone": (
        [start(a), handoff(a, b), handoff(b, a), finish(b), stop(when=cost(usd=2) | tokens(9))],
        ("a", "b", "a"),
        r"Not enough: cost\(usd=2\), for a model that costs nothing never gets there; tokens",
    ),
    "bounded by a stall alone": (
        [start(a), handoff(a, a, when=posted(Note)), finish(a), stop(when=stalled(turns=3))],
        ("a", "a"),
        r"stalled\(turns=3\), for a run can make progress for ever; posted\(Note\), for it may",
    ),
    "bounded together with what may never hold": (
        [start(a), handoff(a, a), finish(a), stop(when=turns(3) & posted(Note))],
        ("a", "a"),
        "can go round",
    ),
    "a ring through a parallel move": (
        [start(a), handoff(a, (b, c)), handoff((b, c), a), finish(a)],
        ("a", "(b, c)", "a"),
        "can go round for ever",
    ),
    "a ring by one role of a parallel move": (
        [start((a, b)), handoff(a, (a, b)), finish(b)],
        ("(a, b)", "(a, b)"),
        "can go round for ever",
    ),
    "guard on a kind that nobody writes": (
        [start(a), handoff(a, b, when=posted(Verdict)), finish(b)],
        ("a",),
        r"when=posted\(Verdict\)\): no role and no tool writes Verdict; the team writes Note",
    ),
    "finish on a kind that nobody writes": (
        [start(a), handoff(a, b), finish(b, when=latest(Review, lambda r: r.approved, name="ok"))],
        ("a", "b"),
        "writes Review",
    ),
    "stop on a kind that nobody writes": (
        [start(a), finish(a), stop(when=posted(Verdict))],
        (),
        "writes Verdict",
    ),
    "tests_pass without the test tool": (
        [start(a), finish(a, when=tests_pass)],
        ("a",),
        "no role and no tool writes TestReport",
    ),
    "guard on an author who does not write it": (
        [start(a), handoff(a, b, when=posted(Note, author="z")), finish(b)],
        ("a",),
        "'z', who is no role, does not write Note; a, b would",
    ),
    "guard on a role that writes something else": (
        [start(a), handoff(a, b, when=posted(Verdict, author=b)), finish(b)],
        ("a",),
        "role 'b' does not write Verdict",
    ),
    "guard on a role whose tool writes it": (
        [start(tester), finish(tester, when=posted(TestReport, author=tester))],
        ("tester",),
        "role 'tester' does not write TestReport; tool:measure would",
    ),
    "a user's guard on a kind that nobody writes": (
        [start(a), finish(a, when=guard("ruled", kinds=(Verdict,))(lambda state: True))],
        ("a",),
        "finish.a, when=ruled.: no role and no tool writes Verdict",
    ),
    "one strand per entry that nobody posts": (
        [start(a), handoff(a, per), finish(per)],
        ("a", "per"),
        "role 'per' takes one strand per Task, but no role and no tool writes Task",
    ),
    "two roles that wait for each other": (
        [
            *(start(a), handoff(a, drafter, when=posted(Review))),
            *(handoff(a, critic, when=posted(Draft)), handoff(drafter, critic), finish(critic)),
            *(finish(a), handoff(critic, drafter, when=~turns(9))),
        ],
        ("a", "drafter", "critic", "drafter"),
        "drafter waits for Review, which only critic writes; critic waits for Draft, which only"
        " drafter writes",
    ),
    "two roles that wait for each other on one line": (
        [
            *(start(a), handoff(a, drafter, when=posted(Review)), handoff(drafter, critic)),
            *(finish(critic), finish(a)),
        ],
        ("a", "drafter", "critic", "drafter"),
        "drafter waits for Review, which only critic writes; critic acts only after drafter",
    ),
    "a role that waits for itself": (
        [start(a), handoff(a, critic, when=posted(Review)), finish(critic), finish(a)],
        ("a", "critic", "critic"),
        "critic waits for Review, which only critic itself writes",
    ),
    "three roles that wait in a ring": (
        [
            *(start(a), handoff(a, drafter, when=posted(Review))),
            *(handoff(a, critic, when=posted(Verdict)), handoff(a, ruler, when=posted(Draft))),
            *(finish(drafter), finish(critic), finish(ruler), finish(a)),
        ],
        ("a", "drafter", "critic", "ruler", "drafter"),
        "critic waits for Verdict, which only ruler writes; ruler waits for Draft",
    ),
    "a kind that only a role further on writes": (
        [
            *(start(a), handoff(a, b, when=posted(Review)), handoff(a, critic)),
            *(finish(b), finish(critic)),
        ],
        ("a", "b"),
        "b waits for Review, which only critic writes; and nobody who writes it acts before that",
    ),
    "a finish on a kind that only another branch writes": (
        [start(a), start(critic), finish(a, when=posted(Review)), finish(critic)],
        ("a",),
        "the finish waits for Review, which only critic writes; and nobody",
    ),
    "one strand per entry that only comes later": (
        [start(a), handoff(a, per), handoff(per, planner), finish(planner), finish(a)],
        ("a", "per", "planner", "per"),
        "per waits for Task, which only planner writes; planner acts only after per",
    ),
    "both of two kinds, one of which comes later": (
        [
            *(start(drafter), handoff(drafter, a, when=posted(Draft) & posted(Review))),
            *(handoff(a, critic), finish(critic), finish(drafter)),
        ],
        ("drafter", "a", "critic", "a"),
        "a waits for Review",
    ),
    "a finish that is open elsewhere and not here": (
        [
            *(start(a), handoff(a, b), handoff(a, critic), handoff(critic, c)),
            *(handoff(b, d), handoff(c, d), handoff(critic, critic, when=~turns(2))),
            *(finish(b, when=posted(Review)), finish(c), finish(d)),
        ],
        ("a", "b"),
        "the finish waits for Review",
    ),
    "a finish without a review": (
        [
            *(start(a), handoff(a, critic), finish(critic), finish(a)),
            require(critic, before="finish"),
        ],
        ("a", "finish"),
        r'require\(critic, before="finish"\) does not hold: start → a → finish gets around critic',
    ),
    "a late change that nobody reviews": (
        [
            *(start(a), handoff(a, critic), handoff(critic, a, when=~turns(3)), finish(critic)),
            *(finish(a, when=approved), require(critic, before="finish")),
            require(critic, after=a, before="finish"),
        ],
        ("a", "critic", "a", "finish"),
        "after=a, .* does not hold",
    ),
    "a review beside the work": (
        [
            *(start(a), handoff(a, (a, critic), when=~turns(9)), finish((a, critic))),
            require(critic, after=a, before="finish"),
        ],
        ("a", "(a, critic)", "finish"),
        "gets around critic",
    ),
    "an irreversible tool before the approval": (
        [
            *(start(a), handoff(a, critic), handoff(critic, sender), handoff(a, sender)),
            *(finish(sender), require(critic, before="irreversible")),
        ],
        ("a", "sender"),
        "gets around critic",
    ),
    "an approver beside the irreversible tool": (
        [start((critic, sender)), finish(sender), require(critic, before=sender)],
        ("(critic, sender)",),
        "gets around critic",
    ),
    "a rule about nobody": (
        [start(a), finish(a), require(critic, before="finish")],
        (),
        "the graph has no role 'critic'; there are a",
    ),
    "doubled handoff": (
        [start(a), handoff(a, b), handoff(a, b, when=turns(2)), finish(b)],
        ("a", "b"),
        "joins what another edge joins already",
    ),
    "doubled start": ([start(a), start(a), finish(a)], ("a",), "joins already"),
    "doubled stop": (
        [start(a), finish(a), stop(when=turns(2)), stop(when=turns(2))],
        (),
        "joins already",
    ),
    "two tallies with one name": (
        [
            start(a),
            finish(a, when=guard("one", tallies=(counted(1),))(lambda state: True)),
            stop(when=guard("two", tallies=(counted(2),))(lambda state: True)),
        ],
        (),
        "different tally named 'count'",
    ),
}


@pytest.mark.parametrize("name", GALLERY)
def test_a_bad_graph_is_refused_with_the_walk_that_proves_it(name: str) -> None:
    edges, path, said = GALLERY[name]
    with pytest.raises(GraphError, match=said) as caught:
        Graph(*edges)
    assert caught.value.path == path


def test_what_is_no_edge_is_refused() -> None:
    with pytest.raises(GraphError, match="not an edge; a graph is made of start"):
        anything.Graph(start(a), a)


GOOD: dict[str, list[Part]] = {
    "one role": [start(a), finish(a)],
    "bounded by a stop": [start(a), handoff(a, a), finish(a), stop(when=turns(3))],
    "bounded by one of two stops": [
        *(start(a), handoff(a, a), finish(a)),
        *(stop(when=cost(usd=1)), stop(when=elapsed(minutes=1) | posted(Note))),
    ],
    "bounded by an edge": [start(a), handoff(a, b), handoff(b, a, when=~turns(3)), finish(b)],
    "bounded by different edges": [
        *(start(a), handoff(a, b, when=~turns(3)), handoff(b, a)),
        *(handoff(b, c, when=posted(Note) & ~turns(5)), handoff(c, b), finish(c)),
    ],
    "bounded by a promise": [
        start(a),
        handoff(a, a, when=guard("room left", bounds="never_again")(lambda state: False)),
        finish(a),
    ],
    "samples beside a single strand": [
        *(start(a), handoff(a, b), handoff(a, b, samples=3), finish(b)),
    ],
    "kinds of the user and the coordinator": [
        start(a, when=posted(Goal)),
        handoff(a, b, when=posted(Answer) | posted(Inference) | posted(Verdict, author="user")),
        finish(b),
    ],
    "kinds of a tool": [
        *(start(tester), finish(tester, when=tests_pass)),
        handoff(tester, a, when=posted(TestReport) | posted(TestReport, author="tool:measure")),
        finish(a),
    ],
    "a join after a parallel start": [start((a, b)), handoff((a, b), c), finish(c)],
    "a kind that a parallel role writes": [
        *(start((a, critic)), handoff(a, b, when=posted(Review)), finish(b)),
    ],
    "a kind that comes round": [
        *(start(a), handoff(a, critic), handoff(critic, a, when=~turns(4))),
        *(handoff(a, b, when=posted(Review)), finish(b), finish(critic)),
    ],
    "a kind that need not be there": [
        *(start(a), handoff(a, critic, when=~posted(Review)), finish(critic)),
    ],
    "one of two kinds is enough": [
        *(start(drafter), handoff(drafter, b, when=posted(Draft) | posted(Review))),
        *(handoff(b, critic), finish(critic)),
    ],
    "a guard of one's own may hold without its kinds": [
        *(start(a), handoff(a, critic, when=few_reviews), finish(critic)),
    ],
    "what a user says": [start(a), finish(a, when=posted(UserMessage))],
    "a review on every way": [
        *(start((a, b)), handoff(a, critic), handoff(b, c), handoff(c, critic), finish(critic)),
        *(require(critic, before="finish"), require(critic, after=c, before="finish")),
    ],
    "a finish that only a review opens": [
        *(start(a), handoff(a, critic), handoff(critic, a, when=~turns(3)), finish(critic)),
        *(finish(a, when=approved), require(critic, before="finish")),
    ],
    "an approver with an irreversible tool of its own": [
        *(start(sender), handoff(sender, a), finish(a)),
        *(require(sender, before="irreversible"), require(sender, before=a)),
    ],
    "one of a parallel move goes on": [start((a, b)), handoff(b, c), finish(c)],
    "a larger frontier enables a smaller join": [start((a, b, c)), handoff((a, c), d), finish(d)],
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_graph_is_accepted(name: str) -> None:
    graph = Graph(*GOOD[name])
    assert (*graph.edges, *graph.rules) == tuple(GOOD[name])
    assert graph.with_instructions({}) == graph


def test_the_graph_of_frontiers_has_parallel_moves_as_nodes() -> None:
    graph = Graph(start(a), handoff(a, (b, c)), handoff((b, c), d), handoff(a, d), finish(d))
    made = graph.digraph
    assert set(made.edges) == {
        (GOAL, ("a",)),
        (("a",), ("b", "c")),
        (("a",), ("d",)),
        (("b", "c"), ("d",)),
        (("d",), END),
    }
    assert made.edges[("b", "c"), ("d",)]["edges"] == (graph.edges[2],)


def refusal(*edges: Part) -> GraphError:
    with pytest.raises(GraphError) as caught:
        Graph(*edges)
    return caught.value


def test_every_flaw_has_a_code_and_the_gallery_shows_them_all() -> None:
    found = {flaw.code for edges, _, _ in GALLERY.values() for flaw in refusal(*edges).flaws}
    assert found == set(get_args(FlawCode))


def test_the_page_about_graphs_explains_every_code() -> None:
    page = (Path(__file__).parents[3] / "docs" / "graphs.md").read_text("utf-8")
    rows = page.partition("| code | refused |")[2].partition("\n\n")[0].splitlines()[2:]
    codes = [code for row in rows for code in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(codes) == sorted(get_args(FlawCode))


def test_all_flaws_are_told_at_once_and_the_refused_graph_can_be_looked_at() -> None:
    error = refusal(
        *(start(a), handoff(a, a), handoff(a, b), finish(a, when=posted(Verdict)), finish(c)),
        handoff(c, d),
    )
    assert [(flaw.code, flaw.path) for flaw in error.flaws] == [
        ("unreached_role", ("c",)),
        ("unwritten_kind", ("a",)),
        ("no_way_to_finish", ("a", "b")),
        ("unbounded_cycle", ("a", "a")),
    ]
    assert (str(error), error.path) == error.flaws[0][1:]
    assert isinstance(error.graph, Graph)
    assert list(error.graph.roles) == ["a", "b", "c", "d"]


def test_one_cycle_is_told_of_each_part_that_can_go_round() -> None:
    error = refusal(
        *(start(a), handoff(a, b), handoff(b, a), handoff(a, a), handoff(b, c), handoff(c, d)),
        *(handoff(d, c), finish(d)),
    )
    assert [flaw.path for flaw in error.flaws] == [("a", "a"), ("c", "d", "c")]
