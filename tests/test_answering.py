"""The answer that a role writes when the run has ended: asked for on every ending, paid for from
the beginning, and made from the board where nobody can be asked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import (
    Budget,
    Graph,
    Limits,
    Note,
    Payload,
    Role,
    Task,
    View,
    Workflow,
    finish,
    guard,
    handoff,
    start,
    stop,
    turns,
)
from hive.audit import Record
from hive.board.records import Decision, Inference, Overrun, Shortage, Synthesis, Termination
from hive.board.records import Request as Recorded
from hive.concluding import cancelled, conclude
from hive.control import WrittenBy
from hive.errors import DeclarationError
from hive.journal.memory import MemoryJournal
from hive.message import Reply, Request, Text
from hive.models.catalog import Prices
from hive.run import Result
from hive.testing import FunctionModel, Gate, GatedModel, ManualClock
from tests.control.budgets.test_budget_scopes import Greedy, look
from tests.interrupted import only, paused, role_of
from tests.sound import sound
from tests.test_told import LIMITS, circle, of, run, two

a, b = Role("a"), Role("b")
teller = Role("teller", "Tell what came of it.")
TALK = FunctionModel(lambda request: f"{role_of(request)} said")


def told_by(model: Any, graph: Any = None, **options: Any) -> Workflow:
    options.setdefault("limits", LIMITS)
    return Workflow(graph or circle(3), model=model, synthesis=WrittenBy(teller), **options)


def asked(result: Result) -> list[Any]:
    return [e for e in result.entries if isinstance(e.payload, Recorded) and e.author == "teller"]


class Broken:
    """A policy that fails."""

    name = "broken"

    def decide(self, situation: object) -> Any:
        raise LookupError("nothing is known")


NEVER = Graph(start(a), handoff(a, a), finish(a, when=turns(9)), stop(when=turns(3)))
LOST = Graph(
    start(a), handoff(a, b, when=guard("never")(lambda state: False)), finish(b),
    stop(when=turns(9)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("workflow", "ended"),
    [
        (told_by(TALK, circle(2)), ("finished", "goal_reached")),
        (told_by(TALK, NEVER), ("stopped", "turns_exhausted")),
        (told_by(Greedy(), circle(90), budget=Budget(tokens=20_000)),
         ("stopped", "budget_exhausted")),
        (told_by(TALK, circle(90), budget=Budget(turns=3)), ("stopped", "budget_exhausted")),
        (told_by(TALK, LOST), ("stopped", "no_candidate")),
        (told_by(TALK, policy=Broken()), ("failed", "policy_error")),
    ],
)  # fmt: skip
def test_the_answer_is_asked_for_however_a_run_ends(
    workflow: Workflow, ended: tuple[str, str]
) -> None:
    result = run(workflow)
    assert (result.outcome, result.reason) == ended
    [request] = asked(result)
    *_, answer = [entry for entry in result.entries if entry.author == "teller"]
    assert isinstance(answer.payload, Note)
    assert result.text == answer.payload.text
    [termination] = of(result, Termination)
    assert termination.spent == result.state.spent
    assert termination.tokens == sum(each.tokens for each in of(result, Inference))
    last, [closing] = of(result, Decision)[-1], of(result, Synthesis)
    assert [plan.strand for plan in last.strands] == ["teller"]
    assert (last.ending.outcome, last.ending.reason) == ended
    assert last.ending.message == termination.message == result.message
    assert closing.text == result.text
    assert request.address.turn == result.turns


def test_who_writes_is_told_how_the_run_ended_and_shown_the_board() -> None:
    model = Greedy()
    run(told_by(model, circle(90), budget=Budget(tokens=20_000)))
    words = model.asked[-1].messages[0].text
    assert "The run has ended, and nobody acts after you: stopped (budget_exhausted)." in words
    assert "may use 20000 tokens; " in words
    assert "say what is missing; claim nothing that the board does not show" in words
    assert '[0//1] Goal by user (trusted)\n{"text":"the goal"}' in words
    model = Greedy()
    run(told_by(model, circle(2)))
    words = model.asked[-1].messages[0].text
    assert "finished (goal_reached).\nb acted in turn 2, and turns(2) holds.\n" in words
    assert words.endswith("Write the answer to the goal from what is on the board.")


class Report(Payload):
    """What came of it."""

    summary: str
    open: tuple[str, ...] = ()


def test_an_answer_may_have_a_form() -> None:
    def says(request: Request) -> str:
        return '{"summary": "all is well"}' if role_of(request) == "teller" else "words"

    writer = teller.with_(writes=(Report,))
    workflow = Workflow(a >> b, model=FunctionModel(says), synthesis=WrittenBy(writer))
    result = run(workflow)
    assert result.text == "all is well"
    assert of(result, Report) == [Report(summary="all is well")]


def test_a_program_may_write_it_and_needs_no_budget() -> None:
    async def count(view: View) -> Note:
        return Note(text=f"{len(view.entries)} entries")

    writer = Role("counter", program=count)
    workflow = Workflow(
        a >> b, model=Greedy(), synthesis=WrittenBy(writer), limits=LIMITS,
        budget=Budget(tokens=3_500),
    )  # fmt: skip
    result = run(workflow)
    assert (result.reason, result.text) == ("goal_reached", "3 entries")


@pytest.mark.parametrize("says", [RuntimeError("no"), ""])
def test_where_nothing_is_written_the_answer_is_made_from_the_board(says: Any) -> None:
    def answer(request: Request) -> str:
        if role_of(request) != "teller":
            return f"{role_of(request)} said"
        if isinstance(says, Exception):
            raise says
        return str(says)

    result = run(told_by(FunctionModel(answer), circle(2)))
    assert result.finished
    assert len(asked(result)) >= 1
    assert result.text == "b said"


class Apology:
    """A synthesis that knows nothing."""

    def synthesise(self, board: object, ending: object) -> str:
        return "sorry"


def test_what_is_made_otherwise_can_be_chosen() -> None:
    def answer(request: Request) -> str:
        raise RuntimeError("no")

    synthesis = WrittenBy(teller, otherwise=Apology())
    workflow = Workflow(a, model=FunctionModel(answer), synthesis=synthesis)
    assert run(workflow).text == "sorry"


@pytest.mark.asyncio
async def test_nobody_is_asked_for_the_answer_to_a_run_that_somebody_stops() -> None:
    gate, journal = Gate(), MemoryJournal()
    workflow = told_by(GatedModel(TALK, gate, role_of), a >> b)
    async with workflow.start("g", journal=journal) as going:
        gate.release("a")
        await gate.arrived("b")
        going.stop("enough")
    result = await going.result()
    assert (result.reason, result.text) == ("cancelled", "enough")
    assert asked(result) == []
    sound(result.entries)
    assert (await Record(journal, going.id).replay(workflow)).identical


@pytest.mark.asyncio
async def test_a_stop_while_the_answer_is_written_cuts_it_off_and_leaves_the_ending() -> None:
    gate, journal = Gate(), MemoryJournal()
    workflow = told_by(GatedModel(TALK, gate, role_of), a >> b)
    async with workflow.start("g", journal=journal) as going:
        gate.release("a")
        gate.release("b")
        await gate.arrived("teller")
        going.stop("enough")
    result = await going.result()
    assert (result.outcome, result.reason, result.text) == ("finished", "goal_reached", "b said")
    sound(result.entries)
    assert (await Record(journal, going.id).replay(workflow)).identical


def test_time_that_is_up_leaves_none_to_write_in() -> None:
    clock = ManualClock()

    def slow(request: Request) -> str:
        clock.advance(seconds=3)
        return f"{role_of(request)} said"

    workflow = told_by(FunctionModel(slow), circle(90), budget=Budget(seconds=5))
    result = run(workflow, clock=clock)
    assert (result.reason, result.text) == ("budget_exhausted", "b said")
    assert asked(result) == []


@pytest.mark.asyncio
@pytest.mark.parametrize("stopped", [False, True])
async def test_a_run_that_is_broken_off_while_its_answer_is_written_goes_on_with_that(
    stopped: bool,
) -> None:
    gate = Gate()
    workflow = told_by(GatedModel(TALK, gate, role_of), a >> b, budget=Budget(tokens=90_000))
    gate.release("a")
    gate.release("b")
    journal = await paused(workflow, gate, "teller")
    if stopped:
        conclude(journal, only(journal).id, cancelled("enough"))
        record = only(journal)
        assert record.summary.reason == "cancelled"
        assert "b said" in record.answer
    else:
        gate.open()
        result = await workflow.resume(only(journal).id, journal=journal).result()
        assert (result.reason, result.text, result.turns) == ("goal_reached", "teller said", 3)
        sound(result.entries)
    assert (await only(journal).replay(workflow)).identical


@pytest.mark.asyncio
async def test_a_fork_may_begin_where_the_answer_is_written_or_after_it() -> None:
    journal = MemoryJournal()
    workflow = told_by(TALK, a >> b, budget=Budget(tokens=90_000))
    parent = await workflow.start("g", journal=journal, seed=1).result()
    record = Record(journal, parent.run)
    served = await record.fork(at="turn:3", workflow=workflow).result()
    assert served.text == "teller said"
    assert served.paid_usd == 0
    assert len(asked(served)) == 1
    other = FunctionModel(lambda request: f"{role_of(request)} said otherwise", "other")
    anew = await record.fork(at="turn:3", workflow=workflow.with_(model=other)).result()
    assert anew.text == "teller said otherwise"
    after = await record.fork(at="turn:4", workflow=workflow.with_(model=other)).result()
    assert (after.text, after.reason, after.turns) == ("teller said", "goal_reached", 3)
    assert len(asked(after)) == 1
    for forked in (served, anew, after):
        sound(forked.entries)
    assert (await Record(journal, anew.run).replay(workflow.with_(model=other))).identical
    assert (await Record(journal, after.run).replay(workflow)).identical


# -- what is kept back ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "says"),
    [
        (Budget(usd="0.005"), r"tokens; the run may spend \$0.005; \$0 is spent, \$0 reserved"),
        (Budget(tokens=5_000), r"the run may use 5000 tokens; 0 are used"),
        (Budget(calls=0), r"the run has made all the calls it may: 0\. Raise that cap"),
        (Budget(strand=Budget(tokens=5_000)), r"a strand may use 5000 tokens"),
        (Budget(roles={"teller": Budget(tokens=9)}), r"role 'teller' may use 9 tokens"),
        (Budget(call=Budget(usd="0.001")), r"a call in the run may spend \$0.001"),
    ],
)
def test_a_cap_that_could_not_hold_the_ending_is_refused_by_name(budget: Budget, says: str) -> None:
    with pytest.raises(DeclarationError, match="cannot hold the answer that 'teller'") as caught:
        told_by(Greedy(), budget=budget).start("g")
    assert caught.match(says)


def test_what_the_ending_needs_is_kept_from_everybody_else() -> None:
    free = run(Workflow(circle(), model=Greedy(), budget=Budget(tokens=30_000), limits=LIMITS))
    kept = run(told_by(Greedy(), circle(), budget=Budget(tokens=30_000)))
    [(reserved, tokens)] = [
        (plan.reserved, plan.reserved_tokens)
        for decision in of(kept, Decision)
        if decision.ending is not None
        for plan in decision.strands
    ]
    assert reserved == tokens * 1_000 > 8_000_000
    assert free.tokens > 30_000 - 1_500
    team = sum(each.tokens for each in of(kept, Inference)[:-1])
    assert 30_000 - tokens - 1_500 < team <= 30_000 - tokens
    assert kept.tokens <= 30_000


class Wordy(Greedy):
    """Says a thousand words each time."""

    async def complete(self, request: Request) -> Reply:
        reply = await super().complete(request)
        return reply.model_copy(update={"parts": (Text(text="word " * 1_000),)})


class Curious(Greedy):
    """Looks around before it says something, where it has a tool for that."""

    async def complete(self, request: Request) -> Reply:
        self.looks = 2 if request.tools else 0
        return await super().complete(request)


@pytest.mark.asyncio
async def test_once_a_run_is_overrun_nothing_is_kept_for_its_answer_nor_in_a_fork() -> None:
    journal, workflow = MemoryJournal(), told_by(Greedy(over=1), a >> b, budget=Budget(usd="0.2"))
    parent = await workflow.start("g", journal=journal, seed=1).result()
    assert [overrun.closes for overrun in of(parent, Overrun)] == [("the run",)]
    ending = of(parent, Decision)[-1]
    assert [(plan.role, plan.reserved) for plan in ending.strands] == [("teller", 0)]
    record = Record(journal, parent.run)
    fork = await record.fork(at=f"turn:{parent.turns}", workflow=workflow).result()
    assert of(fork, Decision)[-1] == ending
    assert (fork.text, fork.reason) == (parent.text, parent.reason)
    assert (await Record(journal, fork.run).replay(workflow)).identical


def test_where_the_room_is_short_less_of_the_board_is_shown_to_who_writes() -> None:
    model = Wordy()
    budget = Budget(tokens=90_000, roles={"teller": Budget(tokens=14_000)})
    result = run(told_by(model, circle(), budget=budget))
    assert result.reason == "budget_exhausted"
    [ending] = [d.ending for d in of(result, Decision) if d.ending is not None]
    assert ending.view is not None
    assert ending.view >= 8_000
    words = model.asked[-1].messages[0].text
    assert "older entries are left out of this view to keep it short." in words
    assert '{"text":"the goal"}' in words
    newest = [e for e in result.entries if e.kind == "Note" and e.author != "teller"][-1]
    assert f"[{newest.address}]" in words


def test_the_cheaper_model_writes_where_the_dear_one_no_longer_fits() -> None:
    from tests.test_told import LARGE

    workflow = Workflow(
        circle(), models=two(), allocator=LARGE, budget=Budget(usd="0.08"), limits=LIMITS,
        synthesis=WrittenBy(teller),
    )  # fmt: skip
    result = run(workflow)
    last = of(result, Decision)[-1]
    assert [(plan.role, plan.key) for plan in last.strands] == [("teller", "small")]
    assert last.strands[0].because.startswith("openai:large does not fit: ")
    assert of(result, Shortage)[-1].roles["teller"].keys() == {"large"}
    assert result.text == "said"


def test_a_resumed_run_under_a_lower_cap_ends_as_well_as_it_can() -> None:
    gate = Gate()

    async def both() -> Result:
        workflow = told_by(
            GatedModel(Greedy(), gate, role_of), circle(9), budget=Budget(tokens=60_000)
        )
        gate.release("a")
        journal = await paused(workflow, gate, "b")
        gate.open()
        lower = workflow.with_(budget=Budget(tokens=4_500))
        again = lower.resume(only(journal).id, journal=journal, accept="workflow")
        result = await again.result()
        assert (await only(journal).replay(lower)).identical
        return result

    result = asyncio.run(both())
    assert result.reason == "budget_exhausted"
    assert result.tokens <= 4_500
    sound(result.entries)


def test_without_a_cap_nothing_is_kept_and_all_is_shown() -> None:
    result = run(told_by(Greedy(), circle(40)))
    [ending] = [d.ending for d in of(result, Decision) if d.ending is not None]
    assert ending.view is None
    assert {plan.reserved for d in of(result, Decision) for plan in d.strands} == {0}


LEAST = 12_000
"""More than the answer needs at least in these tests, in tokens."""


@settings(max_examples=60, deadline=None)
@given(
    tokens=st.none() | st.integers(LEAST, 45_000),
    micro=st.none() | st.integers(LEAST, 90_000),
    calls=st.none() | st.integers(1, 9),
    samples=st.integers(1, 4),
    length=st.integers(1, 12),
)
def test_whatever_the_cap_the_answer_is_asked_for_within_it(
    tokens: int | None,
    micro: int | None,
    calls: int | None,
    samples: int,
    length: int,
) -> None:
    usd = None if micro is None else f"{micro / 1_000_000:f}"
    a, b = Role("a", tools=(look,)), Role("b", tools=(look,))
    graph = Graph(
        start(a, samples=samples), handoff(a, b), handoff(b, a, samples=samples),
        finish(a, when=turns(length)), finish(b, when=turns(length)), stop(when=turns(length + 3)),
    )  # fmt: skip
    models = {
        "large": Curious(name="openai:large", prices=Prices.usd(2, 2)),
        "small": Curious(name="openai:small"),
    }
    workflow = Workflow(
        graph, models=models, limits=Limits(output_tokens=600), synthesis=WrittenBy(teller),
        budget=Budget(tokens=tokens, usd=usd, calls=calls),
    )  # fmt: skip
    result = run(workflow)
    assert len(asked(result)) == 1
    assert result.text == "said"
    assert tokens is None or result.tokens <= tokens
    assert micro is None or result.state.spent <= micro * 1_000
    assert calls is None or result.state.calls <= calls


@pytest.mark.parametrize(
    ("role", "says"),
    [
        (teller.with_(tools=(look,)), "role 'teller' has tools, and who writes the answer is"),
        (teller.with_(per=Note), "role 'teller' opens a strand per entry"),
        (teller.with_(person=True), "is a person, for whom no run waits at its end"),
        (teller.with_(writes=(Note, Task)), "role 'teller' writes several kinds"),
        ("teller", r"WrittenBy\('teller'\): give the Role that writes the answer"),
    ],
)
def test_who_could_not_answer_at_once_is_refused(role: Any, says: str) -> None:
    with pytest.raises(DeclarationError, match=says):
        WrittenBy(role)


def test_who_writes_the_answer_has_a_name_of_their_own() -> None:
    with pytest.raises(DeclarationError, match="a role of the graph are both named 'a'"):
        Workflow(a >> b, model=TALK, synthesis=WrittenBy(Role("a", "Tell.")))
    assert run(Workflow(a >> b, model=TALK, synthesis=WrittenBy(b))).text == "b said"
