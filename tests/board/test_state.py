"""The fold: what is known after a turn, running and from zero, live and read back."""

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from hive.board.board import Board
from hive.board.contributions import (
    Answer,
    Artifact,
    Finding,
    Note,
    Question,
    Task,
    TestFailure,
    TestReport,
)
from hive.board.entry import Address, Entry
from hive.board.fold import fold_turns
from hive.board.payload import Payload
from hive.board.records import (
    Approval,
    Complexity,
    Decision,
    Fault,
    Handoff,
    Inference,
    Observation,
    Request,
    StrandPlan,
)
from hive.board.state import PROGRESS_KEPT, Folding, State, Tally
from hive.journal.memory import MemoryJournal
from hive.message import Usage
from tests.board.boards import board, reread, store

ROLES = ("amy", "bob", "cat")


def plan(strand: str, cause: str | None = None) -> StrandPlan:
    role = strand.partition("@")[0].partition("#")[0]
    return StrandPlan(strand=strand, role=role, cause=cause, model="script:x")


def decision(*strands: str) -> Decision:
    return Decision(
        policy="p", chosen=0, candidates=(), deterministic=True, reason="r",
        strands=tuple(plan(s, "0//1" if "@" in s else None) for s in strands),
        complexity=Complexity(level="simple", score=1),
    )  # fmt: skip


def remember(value: JsonValue, entry: Entry) -> JsonValue:
    """A tally whose value depends on the order: the last three addresses."""
    assert isinstance(value, list)
    return [*value[-2:], str(entry.address)]


def count_words(value: JsonValue, entry: Entry) -> JsonValue:
    assert isinstance(value, int)
    return value + (len(entry.payload.text.split()) if isinstance(entry.payload, Note) else 0)


TALLIES = (Tally("last", [], remember), Tally("words", 0, count_words))
FOLDINGS = (
    Folding(),
    Folding(per={"amy": "Task", "bob": "Note"}, tallies=TALLIES),
    Folding(per={"cat": "Task"}, tallies=TALLIES[:1], tested=True),
)
ids = st.sampled_from(["T1", "T2", "T3"])
usages = st.builds(
    Usage, input=st.integers(0, 9), output=st.integers(0, 9), units=st.integers(0, 9)
)
addresses = st.sampled_from(["1/amy/0.2", "2/bob/0.2", "1/cat/1.2"])
payloads: st.SearchStrategy[Payload] = st.one_of(
    st.builds(Note, text=st.sampled_from(["a", "two words", ""])),
    st.builds(Task, id=ids, title=st.just("t")),
    st.builds(Finding, claim=st.just("c"), closes=st.lists(ids, max_size=2).map(tuple)),
    st.builds(Artifact, summary=st.just("s"), closes=st.lists(ids, max_size=1).map(tuple)),
    st.builds(Question, text=st.just("q")),
    st.builds(Answer, text=st.just("a"), question=addresses),
    st.builds(Handoff, to=st.sampled_from(ROLES)),
    st.builds(Fault, code=st.just("timeout"), message=st.just("m"), cost=st.integers(0, 9)),
    st.builds(
        Inference, model=st.just("m"), parts=st.just(()), stop=st.just("end"), usage=usages,
        cost=st.integers(0, 99), digest=st.just("d"),
    ),
    st.builds(
        Request, model=st.just("m"), system=st.just("s"), max_output=st.just(1), digest=st.just("d")
    ),
    st.builds(Approval, decision=st.sampled_from(["allow", "deny", "ask"]), by=st.just("x")),
    st.builds(
        Observation, id=st.just("1"), tool=st.just("t"), text=st.just(""),
        workspace=st.none() | st.sampled_from(["d1", "d2"]),
    ),
    st.builds(
        TestReport, digest=st.just("d"), collected=st.just(("a", "b")), passed=st.integers(0, 2),
        failed=st.just((TestFailure(id="a", message="m", path="p", line=1),)),
        complete=st.booleans(), duration=st.just(1),
    ),
)  # fmt: skip
strands = st.sampled_from(["amy", "bob", "cat", "amy@1.0", "amy@1.1", "bob@2.0#1", "bob@2.0#0"])
said = st.tuples(payloads, st.integers(0, 2), st.lists(addresses, max_size=2, unique=True))
Drawn = list[dict[str, list[tuple[Payload, int, list[str]]]]]
"""Turns: what each strand says, how many ticks too late its clock is, and the causes."""

turns: st.SearchStrategy[Drawn] = st.lists(
    st.dictionaries(strands, st.lists(said, max_size=4), max_size=3), min_size=1, max_size=6
)


def played(drawn: Drawn, folding: Folding) -> tuple[Board, list[list[Entry]]]:
    """A board with these turns, and each turn's entries in address order, sorted here."""
    target = board(folding=folding)
    clock = 5
    ordered = []
    for number, entries in enumerate(drawn, 1):
        target.post(Address(number, "", (0,)), "coordinator", decision(*entries), clock, "x")
        arrivals = [
            (strand, place, *what)
            for strand, whats in entries.items()
            for place, what in enumerate(whats)
        ]
        for strand, place, payload, ago, causes in reversed(arrivals):
            clock += 1
            author = strand.partition("@")[0]
            address = Address(number, strand, (place, 2))
            target.post(address, author, payload, clock - ago, author, tuple(causes))
        target.close_turn(tuple(entries))
        order = ["", *entries]
        ordered.append(
            sorted(
                (entry for entry in target.entries if entry.address.turn == number),
                key=lambda e: (order.index(e.address.strand), e.address.place),
            )
        )
    return target, ordered


@given(turns, st.sampled_from(FOLDINGS))
@settings(max_examples=150)
def test_the_running_fold_is_the_fold_from_zero_and_the_fold_of_what_was_read_back(
    drawn: Drawn, folding: Folding
) -> None:
    target, ordered = played(drawn, folding)
    journal = MemoryJournal()
    run = store(target, journal)
    assert fold_turns(ordered, folding) == target.state
    assert reread(journal, run, folding=folding).state == target.state


@given(turns)
def test_a_state_counts_what_a_search_from_the_start_counts(
    drawn: Drawn,
) -> None:
    target, ordered = played(drawn, FOLDINGS[1])
    state, entries = target.state, [entry for turn in ordered for entry in turn]
    for cls in (Note, Task, Fault, Request, Decision):
        of_kind = [entry for entry in entries if entry.kind == cls.kind]
        assert state.count(cls) == state.count(cls.kind) == len(of_kind)
        assert state.latest(cls) == (of_kind[-1].payload if of_kind else None)
        for author in ("amy", "bob"):
            own = [entry for entry in of_kind if entry.author == author]
            assert state.count(cls, author) == len(own)
            assert state.latest(cls, author) == (own[-1].payload if own else None)
    payloads = [entry.payload for entry in entries]
    answered = [p for p in payloads if isinstance(p, Inference)]
    assert state.tokens == sum(p.usage.input + p.usage.output for p in answered)
    assert state.units == sum(p.usage.units for p in answered)
    assert state.spent == sum(p.cost for p in payloads if isinstance(p, Inference | Fault))
    assert state.calls == sum(isinstance(p, Request) for p in payloads)
    assert state.contributions == sum(entry.level == "domain" for entry in entries)
    assert state.turn == len(drawn)
    assert state.frontier == tuple(dict.fromkeys(s.partition("@")[0] for s in drawn[-1]))
    assert state.handoffs == tuple(
        (e.author, e.payload.to) for e in ordered[-1] if isinstance(e.payload, Handoff)
    )
    assert state.started == ordered[0][0].at
    assert state.elapsed == max(entry.at for entry in entries) - state.started
    words = sum(len(p.text.split()) for p in payloads if isinstance(p, Note))
    assert state.tallies["words"] == words
    assert state.tallies["last"] == [str(entry.address) for entry in entries[-3:]]


@given(turns)
def test_entries_wait_for_a_per_role_until_a_strand_was_opened_for_them(drawn: Drawn) -> None:
    target, ordered = played(drawn, FOLDINGS[1])
    waiting: dict[str, list[str]] = {"amy": [], "bob": []}
    for number, entries in enumerate(ordered, 1):
        for strand in drawn[number - 1]:
            role, _, reference = strand.partition("#")[0].partition("@")
            if reference in waiting.get(role, ()):
                waiting[role].remove(reference)
        contributions = [entry for entry in entries if entry.level == "domain"]
        for ordinal, entry in enumerate(contributions):
            if isinstance(entry.payload, Task | Note):
                role = "amy" if isinstance(entry.payload, Task) else "bob"
                waiting[role].append(f"{number}.{ordinal}")
                assert target.referenced(f"{number}.{ordinal}") == entry
    open_tasks = {*target.state.tasks.values()}  # nobody need take up another
    waiting["amy"] = [reference for reference in waiting["amy"] if reference in open_tasks]
    assert {role: list(target.state.waiting(role)) for role in waiting} == waiting


@given(turns)
def test_a_state_holds_open_what_nobody_settled(drawn: Drawn) -> None:
    drawn = [{s: said for s, said in turn.items() if "@" not in s} for turn in drawn]
    target, ordered = played(drawn, Folding())
    tasks: list[str] = []
    open_: dict[str, list[str]] = {"question": [], "approval": []}

    def settle(what: str, subject: str) -> None:
        if subject in open_[what]:
            open_[what].remove(subject)

    for entry in (entry for entries in ordered for entry in entries):
        subject = entry.causes[0] if entry.causes else ""
        match entry.payload:
            case Task(id=task) if task not in tasks:
                tasks.append(task)
            case Finding(closes=closes) | Artifact(closes=closes):
                tasks = [task for task in tasks if task not in closes]
            case Question():
                open_["question"].append(str(entry.address))
            case Answer(question=question):
                settle("question", question)
            case Approval(decision="ask"):
                open_["approval"].append(subject)
            case Approval():
                settle("approval", subject)
    assert list(target.state.tasks) == tasks
    assert list(target.state.questions) == open_["question"]
    assert list(target.state.approvals) == open_["approval"]


def test_progress_is_contributions_or_where_there_are_tests_those_that_pass() -> None:
    report = TestReport(
        digest="d", collected=("a", "b"), passed=2, failed=(), complete=True, duration=1
    )
    said: list[Payload] = [Note(text="x"), report, Note(text="y")]
    drawn: Drawn = [{"amy": [(payload, 0, [])]} for payload in said]
    assert played(drawn, Folding())[0].state.progress == (1, 2, 3)
    assert played(drawn, Folding(tested=True))[0].state.progress == (0, 2, 2)


def test_a_state_stays_small() -> None:
    drawn: Drawn = [{"amy": [(Note(text="x"), 0, [])]} for _ in range(PROGRESS_KEPT + 20)]
    state = played(drawn, Folding())[0].state
    assert len(state.progress) == PROGRESS_KEPT
    assert state.progress[-1] == PROGRESS_KEPT + 20
    assert set(state.counts) == {"Decision", "Note", "amy/Note", "coordinator/Decision"}


def test_an_empty_state_says_that_nothing_is_known() -> None:
    state = State()
    assert state.count(Note) == 0
    assert state.latest(Note) is None
    assert state.waiting("amy") == ()
    assert fold_turns([], Folding()) == state


def test_entries_of_one_address_are_folded_in_the_order_of_their_attempts() -> None:
    target = board()
    address = Address(1, "amy", (0, 2))
    target.post(address, "amy", Note(text="second"), 2, "amy", attempt=1)
    target.post(address, "amy", Note(text="first"), 1, "amy", attempt=0)
    assert target.close_turn(("amy",)).latest(Note) == Note(text="second")
