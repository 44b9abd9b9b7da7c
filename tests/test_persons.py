"""A role that is a person: the run waits for what they say, loses none of it, and posts no more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import (
    Answer,
    Graph,
    Limits,
    Note,
    Plan,
    Question,
    Review,
    Role,
    Run,
    Task,
    Workflow,
    finish,
    handoff,
    rejected,
    start,
    stop,
    turns,
)
from hive.audit import Record
from hive.board.entry import Sealed
from hive.board.records import Decision, Fault, Request, Spoken, Suspension
from hive.control import Choose, Chooser
from hive.errors import DeclarationError
from hive.journal.inbox import send
from hive.journal.journal import Batch
from hive.journal.memory import MemoryJournal
from hive.message import Request as Asked
from hive.phases.waiting import spoken
from hive.run import Result
from hive.testing import FunctionModel, Gate, GatedModel, ScriptedPerson, comparable
from hive.tools.person import Enquiry, Word
from tests.sound import sound
from tests.spoken import Tracing, of, places, replayed, role_of, texts, until

PLAN = Plan(summary="dig", tasks=(Task(id="T1", title="dig"),), done_when="there is a hole")
EDITED = Plan(summary="fill", tasks=(Task(id="T2", title="fill"),), done_when="there is none")


def minds(request: Asked) -> str:
    """The planner plans; whoever else it is says who it is."""
    role = role_of(request)
    return PLAN.body().decode() if role == "planner" else f"{role} worked"


planner = Role("planner", writes=(Plan,))
owner = Role("owner", "Approve it.", person=True, reads=(Plan,), writes=(Review, Plan))
worker = Role("worker")
GRAPH = Graph(
    start(planner),
    handoff(planner, owner),
    handoff(owner, worker, when=~rejected),
    handoff(owner, planner, when=rejected & ~turns(9)),
    finish(worker),
)
TEAM = Workflow(GRAPH, model=FunctionModel(minds, "minds"))


async def waiting(team: Workflow = TEAM, **options: Any) -> tuple[MemoryJournal, Result]:
    """A run that waits for somebody."""
    journal = MemoryJournal()
    result = await team.start("g", journal=journal, seed=1, **options).result()
    assert result.outcome == "waiting"
    return journal, result


def asked(result: Result) -> Suspension:
    return of(result.entries, Suspension)[-1]  # type: ignore[no-any-return]


async def told(team: Workflow, journal: MemoryJournal, result: Result, words: str) -> Run:
    """The run once somebody has said something and it came to its end, or waits again."""
    run = team.resume(result.run, journal=journal)
    run.answer(asked(result).subject, "says", words, by="user:ann")
    await run.result()
    return run


@pytest.mark.asyncio
async def test_a_run_waits_for_a_person_and_asks_no_model_for_them() -> None:
    journal, result = await waiting()
    assert result.waits_for == (
        "answer: Approve it. Say yes or no, and why; or the JSON of a Plan.",
    )
    summary = Record(journal, result.run).summary
    assert (summary.state, summary.waits_for) == ("waiting", result.waits_for)
    assert places(result.entries, Request.kind) == ["1/planner/0.0"]
    decision = of(result.entries, Decision)[-1]
    assert [(plan.model, plan.key) for plan in decision.strands] == [("person", None)]
    [entry] = [e for e in result.entries if e.kind == Suspension.kind]
    assert entry.causes == ("0//1", "1/planner/0.2", "2//0"), (
        "what they see, and why they are asked"
    )


@pytest.mark.asyncio
async def test_what_they_say_is_their_contribution_and_the_run_goes_on() -> None:
    journal, result = await waiting()
    run = await told(TEAM, journal, result, "yes, but mind the step")
    result = await run.result()
    sound(result.entries)
    assert (result.finished, texts(result)) == (True, ["worker worked"])
    [said] = [e for e in result.entries if e.kind == Spoken.kind]
    assert (said.payload.text, said.payload.by) == ("yes, but mind the step", "user:ann")  # type: ignore[attr-defined]
    [review] = [e for e in result.entries if e.kind == Review.kind]
    assert review.payload == Review(approved=True, reasons=("but mind the step",))
    assert (review.author, review.origin, review.label) == ("owner", "user", "trusted")
    assert review.causes == (str(said.address),)
    assert said.causes == ("2/owner/0.0",)
    assert (result.state.calls, result.state.spent) == (2, 0)
    await replayed(run)


@pytest.mark.asyncio
async def test_a_no_leads_where_the_graph_says() -> None:
    journal, result = await waiting()
    run = await told(TEAM, journal, result, "no, because it is raining")
    result = await run.result()
    assert result.outcome == "waiting"
    acted = [plan.role for each in of(result.entries, Decision) for plan in each.strands]
    assert acted == ["planner", "owner", "planner", "owner"]
    assert of(result.entries, Review) == [
        Review(approved=False, reasons=("because it is raining",))
    ]
    run = await told(TEAM, journal, result, "yes")
    assert (await run.result()).finished
    await replayed(run)


@pytest.mark.asyncio
async def test_a_plan_is_edited_before_it_runs() -> None:
    hands = Role("hands", per=Task)
    graph = Graph(
        *(start(planner), handoff(planner, owner), handoff(owner, hands, when=~rejected)),
        finish(hands),
        stop(when=turns(9)),
    )
    team = Workflow(graph, model=FunctionModel(minds, "minds"))
    journal, result = await waiting(team)
    both = json.dumps([json.loads(EDITED.body()), {"Review": {"approved": True, "reasons": []}}])
    run = await told(team, journal, result, both)
    result = await run.result()
    sound(result.entries)
    assert result.finished
    assert of(result.entries, Plan) == [PLAN, EDITED]
    edited = [e for e in result.entries if e.turn == 2 and e.level == "domain"]
    assert [(e.kind, e.author, e.label) for e in edited] == [
        ("Plan", "owner", "trusted"),
        ("Task", "owner", "trusted"),
        ("Review", "owner", "trusted"),
    ]
    strands = [plan.cause for each in of(result.entries, Decision) for plan in each.strands]
    assert strands[2:] == ["2/owner/0.2.2"], "the task of the plan that they gave, and no other"
    await replayed(run)


@pytest.mark.asyncio
async def test_what_does_not_fit_stands_on_record_and_they_are_asked_again() -> None:
    journal, result = await waiting()
    run = await told(TEAM, journal, result, "perhaps")
    result = await run.result()
    assert result.outcome == "waiting"
    assert asked(result).text.startswith("That did not fit: 'owner' cannot say that in words.")
    assert asked(result).subject == "2/owner/1.0"
    [fault] = of(result.entries, Fault)
    assert (fault.code, fault.final) == ("invalid_output", False)
    run = await told(TEAM, journal, result, '{"summary": "half a plan"}')
    result = await run.result()
    assert "no Plan: tasks: Field required" in asked(result).text
    run = await told(TEAM, journal, result, "yes")
    result = await run.result()
    sound(result.entries)
    assert result.finished
    assert [each.text for each in of(result.entries, Spoken)] == [
        "perhaps", '{"summary": "half a plan"}', "yes"
    ]  # fmt: skip
    await replayed(run)


@pytest.mark.asyncio
async def test_who_never_says_anything_that_fits_is_asked_so_often_and_no_more() -> None:
    team = TEAM.with_(limits=Limits(steps=2))
    run = team.start("g")
    run.attend(ScriptedPerson(["perhaps", "maybe", "yes"]))
    result = await run.result()
    faults = of(result.entries, Fault)
    assert [(fault.code, fault.final) for fault in faults] == [
        ("invalid_output", False), ("invalid_output", True)
    ]  # fmt: skip
    assert [each.text for each in of(result.entries, Spoken)] == ["perhaps", "maybe"]
    await replayed(run)


@pytest.mark.asyncio
async def test_somebody_at_hand_is_asked_at_once_and_sees_what_the_role_sees() -> None:
    person = ScriptedPerson(["perhaps", "no, dig deeper", "yes"])
    run = TEAM.start("g")
    run.attend(person)
    result = await run.result()
    sound(result.entries)
    assert (result.finished, len(person.asked)) == (True, 3)
    first, again, _ = person.asked
    assert (first.role, first.subject) == ("owner", "2/owner/0.0")
    assert [entry.kind for entry in first.entries] == ["Goal", "Plan"]
    assert again.text.startswith("That did not fit")
    await replayed(run)


@pytest.mark.asyncio
async def test_what_somebody_at_hand_puts_off_waits_for_anybody() -> None:
    journal = MemoryJournal()
    run = TEAM.start("g", journal=journal)
    run.attend(ScriptedPerson([None]))
    result = await run.result()
    assert result.outcome == "waiting"
    send(
        journal,
        result.run,
        "answer",
        by="user:bob",
        subject="2/owner/0.0",
        text=spoken("says", "y"),
    )
    assert (await TEAM.resume(result.run, journal=journal).result()).finished


class AtGate:
    """Somebody who thinks at a gate before they say a word."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    async def answer(self, enquiry: Enquiry) -> Word | None:
        await self.gate.enter("person")
        return Word("says", "user:slow", "yes")


@pytest.mark.asyncio
async def test_who_answers_elsewhere_spares_the_person_at_hand() -> None:
    gate = Gate()
    async with TEAM.start("g") as run:
        run.attend(AtGate(gate))
        await gate.arrived("person")
        run.answer("2/owner/0.0", "allow", "of the wrong kind")
        run.answer("2/owner/0.0", "says", "yes", by="user:bob")
    result = await run.result()
    sound(result.entries)
    assert [each.by for each in of(result.entries, Spoken)] == ["user:bob"]
    await replayed(run)


@pytest.mark.asyncio
async def test_a_stop_ends_a_run_that_waits_for_a_person() -> None:
    gate = Gate()
    async with TEAM.start("g") as run:
        run.attend(AtGate(gate))
        await gate.arrived("person")
        run.stop("enough")
    result = await run.result()
    sound(result.entries)
    assert (result.reason, result.message) == ("cancelled", "enough")
    assert Record(run.journal, run.id).summary.waits == ()
    await replayed(run)


BESIDE = Workflow(
    Graph(start((worker, owner)), handoff((worker, owner), planner), finish(planner)),
    model=FunctionModel(minds, "minds"),
)


@pytest.mark.asyncio
async def test_others_work_while_a_person_is_waited_for() -> None:
    gate, journal = Gate(), MemoryJournal()
    team = BESIDE.with_(model=GatedModel(FunctionModel(minds, "minds"), gate, role_of))
    async with team.start("g", journal=journal) as run:
        await until(run, lambda entry: entry.kind == Suspension.kind)
        await gate.arrived("worker")
        run.answer("1/owner/0.0", "says", "yes")
        await until(run, lambda entry: entry.kind == Review.kind)
        assert "worker" in gate.waiting
        gate.open()
    assert (await run.result()).finished
    await replayed(run)


@pytest.mark.asyncio
async def test_what_others_did_beside_a_person_is_not_done_again() -> None:
    journal, result = await waiting(BESIDE)
    assert places(result.entries, Request.kind) == ["1/worker/0.0"]
    run = await told(BESIDE, journal, result, "yes")
    result = await run.result()
    sound(result.entries)
    assert places(result.entries, Request.kind) == ["1/worker/0.0", "2/planner/0.0"]
    await replayed(run)


@pytest.mark.asyncio
async def test_each_question_of_the_team_is_put_to_a_person_and_answered() -> None:
    asker = Role("asker", writes=(Question,))
    desk = Role("desk", "Answer what the team asks.", person=True, per=Question, writes=(Answer,))
    graph = Graph(start(asker), handoff(asker, desk), handoff(desk, worker), finish(worker))

    def asks(request: Asked) -> str:
        if role_of(request) == "asker":
            return Question(text="How deep?").body().decode()
        return "worker worked"

    run = Workflow(graph, model=FunctionModel(asks, "asks")).start("g")
    person = ScriptedPerson(["two metres"])
    run.attend(person)
    result = await run.result()
    sound(result.entries)
    assert "How deep?" in person.asked[0].text
    assert of(result.entries, Answer) == [Answer(text="two metres", question="1/asker/0.2")]
    assert result.state.questions == ()
    await replayed(run)


@pytest.mark.asyncio
async def test_a_fork_is_served_what_was_said_where_the_same_is_asked() -> None:
    journal, result = await waiting()
    run = await told(TEAM, journal, result, "no, dig deeper")
    run = await told(TEAM, journal, await run.result(), "yes")
    parent = Record(journal, run.id)
    same = parent.fork(at="turn:2", workflow=TEAM)
    forked = await same.result()
    assert forked.finished
    assert [(each.text, each.served) for each in of(forked.entries, Spoken)] == [
        ("no, dig deeper", True), ("yes", True)
    ]  # fmt: skip
    assert comparable(forked.entries) == comparable((await run.result()).entries)
    await replayed(same)
    other = TEAM.with_instructions(owner="Approve it, if it is safe.")
    asked_anew = await parent.fork(at="turn:2", workflow=other).result()
    assert asked_anew.outcome == "waiting"
    assert of(asked_anew.entries, Spoken) == []


class EntryByEntry(Tracing):
    """A journal that remembers each entry as a step of its own."""

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        MemoryJournal.append(self, batches, wait=wait)
        for batch in batches:
            for place in range(len(batch.sealed.headers)):
                one = Sealed(*[part[place : place + 1] for part in batch.sealed])  # type: ignore[arg-type]
                kept = () if place else batch.kept
                step = Batch(batch.run, batch.expected + place, one, kept, 1)
                self.steps.append(lambda journal, step=step: journal.append([step], wait=True))  # type: ignore[misc]


@pytest.mark.asyncio
async def test_what_was_said_is_taken_once_wherever_the_process_dies() -> None:
    tracing = EntryByEntry()
    result = await TEAM.start("g", journal=tracing, seed=1).result()
    for words in ("perhaps", "no, deeper", "yes"):
        run = await told(TEAM, tracing, result, words)
        result = await run.result()
    whole = comparable(result.entries)
    tried = 0
    for number in range(1, len(tracing.steps)):
        left = tracing.first(number)
        if number < 2 or Record(left, run.id).summary.ended:  # a run and its goal come together
            continue
        tried += 1
        items = len(left.inbox())
        result = await TEAM.resume(run.id, journal=left).result()
        said = of(result.entries, Spoken)
        assert [each.item for each in said] == list(range(1, items + 1)), "none lost, none twice"
        for words in ("perhaps", "no, deeper", "yes")[items:]:
            assert result.outcome == "waiting"
            result = await (await told(TEAM, left, result, words)).result()
        assert comparable(result.entries) == whole
    assert tried > 20


SAYINGS = st.lists(
    st.text(max_size=20)
    | st.sampled_from(["yes", "no, why", EDITED.body().decode(), "{}", '{"Plan": {}}', "[1]"]),
    max_size=4,
)


@settings(max_examples=30, deadline=None)
@given(sayings=SAYINGS)
def test_whatever_is_said_is_kept_word_for_word_and_only_what_fits_is_posted(
    sayings: list[str],
) -> None:
    run = TEAM.start("g", journal=MemoryJournal(), seed=1)
    run.attend(ScriptedPerson(sayings))

    async def play() -> Result:
        result = await run.result()
        await replayed(run)
        return result

    result = anyio.run(play)
    kept = [each.text for each in of(result.entries, Spoken)]
    assert kept == [each.encode(errors="replace").decode() for each in sayings[: len(kept)]]
    assert result.finished or len(kept) == len(sayings)
    kinds = {e.kind for e in result.entries if e.author == "owner" and e.level == "domain"}
    assert kinds <= {"Review", "Plan", "Task"}


def test_nobody_can_be_an_advisor_of_the_policy_who_is_not_there() -> None:
    with pytest.raises(DeclarationError, match="advisor 'boss' is a person"):
        Workflow(
            GRAPH,
            model=FunctionModel(minds, "minds"),
            policy=Chooser(Role("boss", person=True, writes=(Choose,))),
        )


def test_a_note_is_said_in_plain_words() -> None:
    person = Role("person", person=True)
    run = Workflow(worker >> person, model=FunctionModel(minds, "minds")).start("g")
    run.attend(ScriptedPerson(["That will do."]))

    result = anyio.run(run.result)
    assert result.text == "That will do."
    assert of(result.entries, Note)[-1] == Note(text="That will do.")
