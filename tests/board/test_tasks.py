"""How the tasks of a run stand, folded from what is said of them and done for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hive.board.contributions import Artifact, Finding, Note, Plan, Question, Task, TaskChange
from hive.board.payload import Payload
from hive.board.records import Fault, Inference
from hive.board.state import Folding, State
from hive.board.tasks import REMEMBERED
from hive.message import Usage
from tests.board.boards import board, post
from tests.board.test_state import decision

ONE = Folding(per={"worker": "Task"})
TWO = Folding(per={"scout": "Task", "worker": "Task"})
BROKEN = Fault(code="timeout", message="no answer", final=True)
ANSWER = Inference(model="m", parts=(), stop="end", usage=Usage(), cost=0, digest="d")
Said = Mapping[str, Sequence[Payload]]
DID = Artifact(summary="did it")


def task(id: str, *needs: str, title: str = "") -> Task:
    return Task(id=id, title=title or f"do {id}", needs=needs)


def plan(*tasks: Task) -> Plan:
    return Plan(summary="s", done_when="d", tasks=tasks)


class Turns:
    """A run, turn by turn."""

    def __init__(self, folding: Folding = ONE) -> None:
        self.board = board(folding=folding)

    def close(self, *strands: str, said: Said | None = None) -> State:
        """One more turn: what each strand says, that of the coordinator under the name ""."""
        turn = self.board.state.turn + 1
        post(self.board, decision(*strands), f"{turn}//0", "coordinator")
        for strand, payloads in (said or {}).items():
            author = strand.partition("#")[0].partition("@")[0] or "coordinator"
            for place, payload in enumerate(payloads, 1):
                made = post(self.board, payload, f"{turn}/{strand}/{place}", author)
                for number, part in enumerate(payload.unfold(), 2):
                    where, because = f"{made.address}.{number}", (str(made.address),)
                    post(self.board, part, where, author, because)
        return self.board.close_turn(strands)

    def planned(self, *tasks: Task) -> State:
        return self.close("planner", said={"planner": [plan(*tasks)]})


def stands(state: State) -> dict[str, str]:
    return {id: known.status for id, known in state.plan.items()}


def test_a_plan_opens_its_tasks_and_those_are_ready_that_need_nothing() -> None:
    state = Turns().planned(task("A"), task("B", "A"), task("C"))
    assert stands(state) == {"A": "open", "B": "open", "C": "open"}
    assert state.tasks == {"A": "1.1", "B": "1.2", "C": "1.3"}
    assert state.waiting("worker") == ("1.1", "1.2", "1.3")
    assert state.ready("worker") == ("1.1", "1.3")


def test_a_strand_that_contributes_settles_its_task_and_lets_the_next_begin() -> None:
    turns = Turns()
    turns.planned(task("A"), task("B", "A"))
    state = turns.close("worker@1.1", said={"worker@1.1": [ANSWER, DID]})
    assert stands(state) == {"A": "done", "B": "open"}
    assert state.plan["A"].because == "2/worker@1.1/2"
    assert (state.tasks, state.ready("worker")) == ({"B": "1.2"}, ("1.2",))


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ([ANSWER, BROKEN], "failed"),
        ([ANSWER, DID, BROKEN], "failed"),
        ([ANSWER], "failed"),
        ([ANSWER, Question(text="which?")], "failed"),
        ([], "open"),  # it was cut off before anything was answered
        ([ANSWER, Artifact(summary="s", closes=("A",)), BROKEN], "done"),
        ([ANSWER, TaskChange(id="A", change="skipped", reason="not needed")], "skipped"),
        ([ANSWER, TaskChange(id="A", change="failed", reason="no such file")], "failed"),
        ([ANSWER, DID, TaskChange(id="A", change="failed", reason="half of it")], "failed"),
    ],
)
def test_what_becomes_of_a_task_whose_strand_ends_so(said: list[Payload], status: str) -> None:
    turns = Turns()
    turns.planned(task("A"))
    state = turns.close("worker@1.1", said={"worker@1.1": said})
    assert stands(state) == {"A": status}
    assert state.plan["A"].attempts == (status == "failed")
    assert ("A" in state.tasks) == (status in ("open", "failed"))
    assert state.ready("worker") == ()


def test_one_sample_that_does_it_is_enough() -> None:
    turns = Turns()
    turns.planned(task("A"), task("B"))
    samples = ("worker@1.1#0", "worker@1.1#1", "worker@1.2#0", "worker@1.2#1")
    said: Said = dict(
        zip(samples, ([ANSWER, BROKEN], [ANSWER, DID], [BROKEN], [ANSWER]), strict=True)
    )
    assert stands(turns.close(*samples, said=said)) == {"A": "done", "B": "failed"}


def test_a_task_is_done_when_every_role_that_takes_tasks_has_had_it() -> None:
    turns = Turns(TWO)
    turns.planned(task("A"), task("B", "A"))
    state = turns.close("scout@1.1", said={"scout@1.1": [Finding(claim="c")]})
    assert stands(state) == {"A": "open", "B": "open"}
    assert (state.ready("scout"), state.ready("worker")) == ((), ("1.1",))
    state = turns.close("worker@1.1", said={"worker@1.1": [DID]})
    assert stands(state) == {"A": "done", "B": "open"}
    assert (state.ready("scout"), state.ready("worker")) == (("1.2",), ("1.2",))


def test_an_adjusted_task_is_to_be_done_as_it_reads_now_and_its_attempts_count_on() -> None:
    turns = Turns()
    turns.planned(task("A"))
    now = task("A", title="do it otherwise")
    change = TaskChange(id="A", change="adjusted", reason="no answer", task=now)
    state = turns.close("worker@1.1", said={"worker@1.1": [BROKEN], "": [change]})
    assert (stands(state), state.plan["A"].attempts) == ({"A": "open"}, 1)
    assert state.ready("worker") == (state.plan["A"].reference,) == ("2.1",)
    state = turns.close("worker@2.1", said={"worker@2.1": [BROKEN]})
    assert (stands(state), state.plan["A"].attempts) == ({"A": "failed"}, 2)


def test_what_the_coordinator_posts_at_the_join_comes_after_what_the_strands_did() -> None:
    turns = Turns()
    turns.planned(task("A"))
    skip = TaskChange(id="A", change="skipped", reason="enough")
    state = turns.close("worker@1.1", said={"worker@1.1": [BROKEN], "": [skip]})
    assert (stands(state), state.plan["A"].because) == ({"A": "skipped"}, "2//1")
    assert state.contributions == 2, "a ruling of the coordinator's is no progress"


def test_a_later_plan_replaces_what_is_open_and_keeps_what_is_done() -> None:
    turns = Turns()
    turns.planned(task("A"), task("B"), task("C"))
    turns.close("worker@1.1", "worker@1.2", said={"worker@1.1": [DID], "worker@1.2": [BROKEN]})
    state = turns.planned(task("D", "A"), task("A"), task("B"))
    assert stands(state) == {"D": "open", "A": "done", "B": "open"}
    assert state.plan["B"].attempts == 0
    assert state.waiting("worker") == state.ready("worker") == ("3.1", "3.3")
    assert set(state.tasks) == {"D", "B"}


def test_what_was_done_before_a_plan_that_leaves_it_out_still_counts_as_done() -> None:
    turns = Turns()
    turns.planned(task("A"))
    turns.close("worker@1.1", said={"worker@1.1": [DID]})
    state = turns.planned(task("B", "A"))
    assert stands(state) == {"A": "done", "B": "open"}
    assert state.ready("worker") == ("3.1",)


def test_a_strand_at_work_on_a_task_that_was_replaced_meanwhile_changes_nothing() -> None:
    turns = Turns()
    turns.planned(task("A"))
    said: Said = {"worker@1.1": [DID], "planner": [plan(task("A"))]}
    state = turns.close("worker@1.1", "planner", said=said)
    assert (stands(state), state.ready("worker")) == ({"A": "open"}, ("2.2",))


def test_tasks_without_a_plan_are_followed_too_and_settled_ones_forgotten_at_last() -> None:
    turns = Turns()
    tasks: list[Payload] = [task(f"T{n}") for n in range(REMEMBERED)]
    state = turns.close("planner", said={"planner": tasks})
    assert len(state.plan) == len(state.tasks) == REMEMBERED
    closes = tuple(f"T{n}" for n in range(1, REMEMBERED))
    state = turns.close("critic", said={"critic": [Finding(claim="c", closes=closes)]})
    assert (len(state.plan), set(state.tasks)) == (REMEMBERED, {"T0"})
    state = turns.close("planner", said={"planner": [task("X", "T7")]})
    assert stands(state) == {"T0": "open", "X": "open"}
    assert state.ready("worker") == ("1.0", "3.0"), "what is forgotten was settled"


def test_a_need_that_nobody_knows_holds_nobody_up() -> None:
    state = Turns().close("planner", said={"planner": [task("A", "nowhere")]})
    assert state.ready("worker") == ("1.0",)


def test_roles_that_take_other_kinds_do_not_wait_for_tasks() -> None:
    turns = Turns(Folding(per={"worker": "Note"}))
    turns.planned(task("A", "B"), task("B", "A"))
    state = turns.close("critic", said={"critic": [Note(text="n")]})
    assert state.ready("worker") == state.waiting("worker") == ("2.0",)


@pytest.mark.parametrize(
    "fields",
    [
        {"change": "adjusted"},
        {"change": "done", "task": task("A")},
        {"change": "adjusted", "task": task("B")},
        {"change": "done", "reason": ""},
        {"change": "forgotten"},
    ],
)
def test_a_change_says_what_it_means(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TaskChange.model_validate({"id": "A", "reason": "r", **fields})


ids = st.sampled_from("ABC")
tasks = st.builds(
    Task, id=ids, title=st.just("t"), needs=st.lists(ids, max_size=2, unique=True).map(tuple)
)
words = st.one_of(
    tasks,
    st.builds(plan, tasks, tasks),
    st.builds(
        TaskChange,
        id=ids,
        change=st.sampled_from(["done", "failed", "skipped"]),
        reason=st.just("r"),
    ),
    tasks.map(lambda t: TaskChange(id=t.id, change="adjusted", reason="r", task=t)),
    st.builds(Artifact, summary=st.just("s"), closes=st.lists(ids, max_size=2).map(tuple)),
    st.sampled_from([BROKEN, ANSWER, Note(text="n")]),
)
strands = st.sampled_from(["", "amy", "worker@1.0", "worker@1.1", "worker@2.0", "worker@2.1"])


@given(st.lists(st.dictionaries(strands, st.lists(words, max_size=3), max_size=3), max_size=5))
def test_whatever_is_said_each_task_stands_in_one_way_and_what_is_ready_can_be_done(
    drawn: list[Said],
) -> None:
    turns, state = Turns(), State()
    for said in drawn:
        state = turns.close(*(strand for strand in said if strand), said=said)
        open_ = {id for id, known in state.plan.items() if known.status in ("open", "failed")}
        assert set(state.tasks) == open_
        by_reference = {known.reference: id for id, known in state.plan.items()}
        assert set(state.waiting("worker")) <= set(by_reference)
        for reference in state.ready("worker"):
            known = state.plan[by_reference[reference]]
            assert known.status == "open"
            assert not open_ & {*known.needs}
        for id, known in state.plan.items():
            payload = turns.board.referenced(known.reference).payload
            assert isinstance(payload, Task)
            assert payload.id == id
