from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive import control
from hive.board.contributions import Note, Review, Task, TestReport, Verdict
from hive.board.records import Fault
from hive.board.state import State
from hive.control import (
    Edge,
    Graph,
    Guard,
    Line,
    Move,
    approved,
    chain_graph,
    finish,
    guard,
    handoff,
    posted,
    rejected,
    start,
    stop,
    tests_pass,
    turns,
)
from hive.errors import DeclarationError, GraphError
from hive.role import Role
from hive.tools import tool
from tests.control.states import decision, entry, folded

anything: Any = control

planner = Role("planner", writes=(Task,))
surveyor = Role("surveyor", per=Task)
scout = Role("scout", per=Task)
writer = Role("writer")
critic = Role("critic", writes=(Review,))
arbiter = Role("arbiter", writes=(Verdict,))

pair = Graph(
    start(writer),
    handoff(writer, critic),
    handoff(critic, writer, when=rejected),
    finish(critic, when=approved),
    stop(when=turns(4)),
)


def at(*frontier: str, **fields: Any) -> State:
    return State(turn=fields.pop("turn", 1), frontier=frontier, **fields)


def reviewed(ok: bool, turn: int = 2) -> State:
    return folded(
        decision(turn, "critic"),
        entry(Review(approved=ok, reasons=("so",)), "critic", turn=turn),
    )


def names(moves: tuple[Move, ...]) -> list[str]:
    return [move.name for move in moves]


def strands(moves: tuple[Move, ...]) -> list[list[str]]:
    return [[line.strand for line in move.strands] for move in moves]


def test_a_run_begins_with_the_start_edges() -> None:
    graph = Graph(start(writer), start(critic, when=turns(1)), start(arbiter), *ends())
    assert names(graph.candidates(State())) == ["writer", "arbiter"]
    assert graph.termination(State()) is None


def ends() -> tuple[Edge, ...]:
    return finish(writer), finish(critic), finish(arbiter)


def test_enabled_edges_out_of_the_frontier_are_the_candidates() -> None:
    assert names(pair.candidates(at("writer"))) == ["critic"]
    assert names(pair.candidates(at("critic"))) == []
    assert names(pair.candidates(reviewed(False))) == ["writer"]
    assert pair.candidates(reviewed(False))[0].edge == "critic → writer when rejected"


def test_a_finish_comes_before_a_stop_and_both_say_why() -> None:
    good = pair.termination(reviewed(True, turn=4))
    assert good == (
        "finished",
        "goal_reached",
        "approved",
        "critic acted in turn 4, and approved holds",
    )
    bad = pair.termination(reviewed(False, turn=4))
    assert bad == (
        "stopped",
        "turns_exhausted",
        "turns(4)",
        "turns(4) held after turn 4 (turns(4): 4)",
    )
    assert pair.termination(reviewed(False, turn=3)) is None
    assert pair.termination(at("writer", turn=4)) is not None


def test_a_finish_without_a_guard_needs_work_that_did_not_fail() -> None:
    graph = chain_graph(writer >> critic)
    assert graph.termination(at("critic")) == (
        "finished",
        "goal_reached",
        "",
        "critic acted in turn 1",
    )
    fault = Fault(code="model_error", message="down", final=True)
    failed = folded(decision(2, "critic"), entry(fault, "critic", turn=2))
    assert graph.termination(failed) is None
    assert graph.candidates(failed) == ()
    assert "(its role failed); critic failed: down" in graph.no_candidate(failed).message


def test_no_candidate_lists_what_was_missing() -> None:
    ending = pair.no_candidate(at("critic", turn=2))
    assert ending.outcome == "stopped"
    assert ending.reason == "no_candidate"
    assert ending.message == (
        "after critic no move was allowed: critic → writer when rejected (rejected: no);"
        " critic → finish when approved (approved: no)"
    )


def test_parallel_moves_and_joins() -> None:
    graph = Graph(
        start(planner),
        handoff(planner, (writer, critic)),
        handoff((writer, critic), arbiter),
        finish(arbiter),
    )
    assert strands(graph.candidates(at("planner"))) == [["writer", "critic"]]
    assert names(graph.candidates(at("critic", "writer"))) == ["arbiter"]
    assert graph.candidates(at("writer")) == ()


def test_the_same_move_from_several_roles_is_one_candidate() -> None:
    graph = Graph(
        start((writer, critic)),
        handoff(writer, arbiter),
        handoff(critic, arbiter),
        handoff(critic, planner),
        handoff(planner, arbiter),
        finish(arbiter),
    )
    moves = graph.candidates(at("writer", "critic"))
    assert names(moves) == ["arbiter", "planner"]
    assert moves[0].edge == "writer → arbiter"


def test_samples_are_independent_strands_of_one_role() -> None:
    graph = Graph(start(writer, samples=3), handoff(writer, critic), finish(critic))
    (move,) = graph.candidates(State())
    assert [line.strand for line in move.strands] == ["writer#0", "writer#1", "writer#2"]
    assert move.name == "writer ×3"
    assert move.roles == ("writer",)


def survey(*edges: Edge) -> Graph:
    return Graph(start(planner), *edges, handoff(surveyor, writer), finish(writer))


def test_a_per_role_gets_a_strand_for_each_waiting_entry() -> None:
    graph = survey(handoff(planner, surveyor))
    task = Task(id="T1", title="one")
    state = folded(
        decision(1, "planner"),
        entry(task, "planner", turn=1),
        entry(task.model_copy(update={"id": "T2"}), "planner", turn=1, place=2),
        per={"surveyor": "Task"},
    )
    assert strands(graph.candidates(state)) == [["surveyor@1.0", "surveyor@1.1"]]
    assert graph.candidates(state)[0].strands[0] == Line("surveyor", "1.0")
    assert strands(graph.candidates(state, max_strands=1)) == [["surveyor@1.0"]]
    assert graph.candidates(at("planner")) == ()
    message = graph.no_candidate(at("planner")).message
    assert message.endswith("planner → surveyor (no Task waits for surveyor)")


def test_a_parallel_move_waits_for_its_per_roles_and_shares_the_room() -> None:
    both = (writer, surveyor, scout)
    graph = survey(handoff(planner, both, samples=2), handoff(both, writer))
    waiting = {"surveyor": ("1.0", "1.1", "1.2"), "scout": ("1.0", "1.1")}
    (move,) = graph.candidates(at("planner", open=waiting), max_strands=10)
    assert [line.strand for line in move.strands] == [
        *("writer#0", "writer#1"),
        *("surveyor@1.0#0", "surveyor@1.0#1", "surveyor@1.1#0", "surveyor@1.1#1"),
        *("scout@1.0#0", "scout@1.0#1", "scout@1.1#0", "scout@1.1#1"),
    ]
    assert graph.candidates(at("planner", open=waiting | {"scout": ()})) == ()


@given(st.integers(1, 20), st.integers(0, 30), st.integers(0, 30))
def test_a_move_has_the_oldest_references_and_no_more_strands_than_allowed(
    most: int, first: int, second: int
) -> None:
    graph = survey(handoff(planner, (surveyor, scout)), handoff((surveyor, scout), writer))
    refs = {
        "surveyor": tuple(f"1.{n}" for n in range(first)),
        "scout": tuple(f"2.{n}" for n in range(second)),
    }
    moves = graph.candidates(at("planner", open=refs), most)
    assert bool(moves) == bool(first and second)
    for move in moves:
        assert len(move.strands) <= max(most, 2)
        assert len(move.strands) >= min(most, first + second)
        for role, waiting in refs.items():
            taken = tuple(line.cause for line in move.strands if line.role == role)
            assert taken == waiting[: len(taken)]
            assert taken


def test_a_graph_names_its_roles_guards_tallies_and_kinds() -> None:
    graph = Graph(
        start(writer),
        handoff(writer, critic, when=~turns(3)),
        handoff(critic, writer, when=~turns(3)),
        finish(critic, when=posted(Review) & posted(Note)),
    )
    assert list(graph.roles) == ["writer", "critic"]
    assert [str(g) for g in graph.guards] == ["~turns(3)", "posted(Review) & posted(Note)"]
    assert graph.kinds == (Note, Review)
    assert graph.tallies == ()
    assert repr(graph) == (
        "Graph(start(writer), handoff(writer, critic, when=~turns(3)),"
        " handoff(critic, writer, when=~turns(3)),"
        " finish(critic, when=posted(Review) & posted(Note)))"
    )
    assert graph == Graph(*graph.edges)


def test_the_tallies_of_its_guards_are_given_once() -> None:
    @tool(effect="read", posts=(TestReport,))
    def run_tests() -> str:
        """Run the tests."""
        return ""

    tester = Role("tester", tools=(run_tests,))
    graph = Graph(
        start(tester),
        handoff(tester, writer, when=~tests_pass),
        handoff(writer, tester, when=~turns(9)),
        finish(tester, when=tests_pass),
    )
    assert graph.tallies == tests_pass.tallies
    assert graph.kinds == (Note, TestReport)


def test_a_graph_is_frozen() -> None:
    with pytest.raises(AttributeError):
        pair.edges = ()  # type: ignore[misc]


def test_in_a_chain_a_role_that_failed_hands_nothing_on() -> None:
    graph = chain_graph(writer >> critic)
    fault = Fault(code="model_error", message="down", final=True)
    state = folded(decision(1, "writer"), entry(fault, "writer", turn=1))
    assert graph.candidates(state) == ()
    assert "writer failed: down" in graph.no_candidate(state).message


def test_a_chain_hands_on_in_order_and_ends_with_its_last_role() -> None:
    graph = chain_graph(planner >> writer >> critic, turns(40))
    assert [str(edge) for edge in graph.edges] == [
        "start(planner)",
        "handoff(planner, writer, when=~failed(planner))",
        "handoff(writer, critic, when=~failed(writer))",
        "finish(critic)",
        "stop(when=turns(40))",
    ]
    with pytest.raises(
        DeclarationError, match="'writer' stands twice in writer >> critic >> writer"
    ):
        chain_graph(writer >> critic >> writer)


@pytest.mark.parametrize(
    ("wrong", "said", "path"),
    [
        (lambda: anything.start("writer"), "start 'writer': give a Role", ()),
        (lambda: anything.handoff(writer, None), "handoff to None: give a Role", ()),
        (lambda: anything.handoff(writer, ()), "give a Role, or several", ()),
        (lambda: anything.handoff(writer, (critic, "x")), "not a Role", ("critic", "'x'")),
        (
            lambda: handoff(writer, (critic, critic)),
            "stands twice; samples=2",
            ("critic", "critic"),
        ),
        (lambda: anything.handoff(writer, critic, when=lambda s: True), "not a guard", ()),
        (lambda: anything.stop(when=None), "without a guard", ()),
        (lambda: start(writer, samples=0), "samples=0", ()),
    ],
)
def test_a_wrong_edge_says_what_would_be_right(
    wrong: Callable[[], object], said: str, path: tuple[str, ...]
) -> None:
    with pytest.raises(GraphError, match=said) as caught:
        wrong()
    assert caught.value.path == path


ROLES = tuple(Role(name) for name in ("a", "b", "c", "d"))


def free(name: str) -> Guard:
    return guard(name)(lambda state: bool(state.tallies.get(name)))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Random graphs that can run: everybody may finish, and a stop bounds every walk."""
    teams = st.lists(st.sampled_from(ROLES), min_size=1, max_size=2, unique=True)
    edges: dict[tuple[frozenset[str], frozenset[str]], Edge] = {}
    for number in range(draw(st.integers(0, 6))):
        sources, targets = draw(teams), draw(teams)
        when = draw(st.sampled_from([None, free(f"g{number}"), ~free(f"g{number}")]))
        edge = handoff(sources, targets, when=when)
        edges.setdefault((edge.source_names, edge.target_names), edge)
    starts = (start(role) for role in ROLES)
    together = start(ROLES)
    finishes = (finish(role, when=free(f"f{role.name}")) for role in ROLES)
    return Graph(*starts, together, *edges.values(), *finishes, stop(when=turns(9)))


@given(graphs(), st.sets(st.sampled_from("abcd")), st.sets(st.integers(0, 6)))
def test_candidates_are_what_enabled_edges_allow_and_nothing_else(
    graph: Graph, frontier: set[str], held: set[int]
) -> None:
    state = at(*sorted(frontier), tallies={f"g{number}": True for number in held})
    moves = graph.candidates(state)
    allowed = [
        edge.target_names
        for edge in graph.edges
        if edge.kind == ("handoff" if frontier else "start")
        and {role.name for role in edge.sources} <= frontier
        and (edge.when is None or edge.when.test(state))
    ]
    assert [frozenset(move.roles) for move in moves] == list(dict.fromkeys(allowed))


@given(graphs(), st.randoms(use_true_random=False))
def test_every_walk_of_an_accepted_graph_ends(graph: Graph, chance: Any) -> None:
    turn, frontier = 0, tuple[str, ...]()
    while True:
        tallies = {
            f"{kind}{n}": chance.random() < 0.5 for kind in "gf" for n in (*range(7), *"abcd")
        }
        state = State(turn=turn, frontier=frontier, tallies=tallies)
        moves = graph.candidates(state)
        if graph.termination(state) is not None or not moves:
            break
        turn, frontier = turn + 1, chance.choice(moves).roles
    assert turn <= 9
