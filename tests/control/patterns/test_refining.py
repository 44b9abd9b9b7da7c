"""Iterative refinement, with minds that do as they are told: read from the board."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import (
    Artifact,
    Graph,
    Note,
    Review,
    Role,
    Task,
    Verdict,
    Workflow,
    finish,
    latest,
    posted,
    start,
)
from hive.audit import Record
from hive.board.records import Decision, Termination
from hive.control import refinement, worst_case
from hive.control.patterns.refining import said_by
from hive.errors import DeclarationError, GraphError
from hive.journal.memory import MemoryJournal
from hive.message import Reply, Request, Text, Usage
from hive.run import Result
from hive.testing import FunctionModel, ScriptedModel
from hive.tools import run_tests
from tests.control.states import decision, entry, folded
from tests.sound import sound

author = Role("author", "Write; mend what the newest Review names.")
critic = Role("critic", "Say what is wrong.", writes=(Review,))
chief, other = Role("chief", "Decide what becomes of it."), Role("other", "Publish it.")


def review(approves: bool, *reasons: str) -> str:
    return Review(approved=approves, reasons=reasons).model_dump_json()


NO, YES = review(False, "no"), review(True)


def drafts(request: Request) -> str:
    """An author who says how many reviews were shown."""
    return f"draft {str(request.messages[0].text).count('Review by critic') + 1}"


def run(
    reviews: list[Any],
    *,
    author: Role = author,
    critic: Role = critic,
    mind: Any = None,
    journal: MemoryJournal | None = None,
    **options: Any,
) -> Result:
    """A run whose critic says what is given."""
    result = team(reviews, author=author, critic=critic, mind=mind, **options).run_sync(
        "g", seed=1, journal=journal
    )
    sound(result.entries)
    return result


def team(
    reviews: list[Any], *, author: Role = author, critic: Role = critic, mind: Any, **options: Any
) -> Workflow:
    edges = refinement(author, critic, **{"rounds": 3, **options})
    ends = {role.name: role for edge in edges for role in edge.targets}
    over = [finish(role) for role in ends.values() if role not in (author, critic)]
    models = {
        "author": mind or FunctionModel(drafts),
        "critic": ScriptedModel(reviews, "critic"),
        "*": FunctionModel(lambda request: "so be it"),
    }
    return Workflow(Graph(start(author), *edges, *over), models=models)


def who(result: Result) -> list[str]:
    return [e.payload.strands[0].role for e in result.entries if isinstance(e.payload, Decision)]


def message(result: Result) -> str:
    (found,) = (e.payload for e in result.entries if isinstance(e.payload, Termination))
    return found.message


def test_good_work_is_done_at_once() -> None:
    result = run([YES])
    assert who(result) == ["author", "critic"]
    assert (result.outcome, result.reason) == ("finished", "goal_reached")


def test_errors_are_fed_back_until_there_are_none() -> None:
    result = run([review(False, "too long"), review(False, "no date"), YES])
    assert who(result) == ["author", "critic"] * 3
    assert result.finished
    notes = [e.payload.text for e in result.entries if isinstance(e.payload, Note)]
    assert notes == ["draft 1", "draft 2", "draft 3"], "each draft has seen one Review more"


@settings(max_examples=6, deadline=None)
@given(st.integers(1, 5))
def test_rounds_are_bounded_and_what_is_not_good_then_is_no_success(rounds: int) -> None:
    result = run([NO] * (rounds + 1), rounds=rounds)
    assert who(result) == ["author", "critic"] * (rounds + 1)
    assert (result.outcome, result.reason) == ("stopped", "turns_exhausted")
    assert f"rounds_used(critic, {rounds}): {rounds + 1}" in message(result)
    graph = Graph(start(author), *refinement(author, critic, rounds=rounds))
    assert worst_case(graph).turns == 2 * (rounds + 1), "which was known before"


def test_good_work_goes_on_and_other_work_to_somebody_else() -> None:
    ways: dict[str, Any] = {"rounds": 1, "then": other, "otherwise": chief}
    assert who(run([YES], **ways)) == ["author", "critic", "other"]
    assert who(run([NO, YES], **ways)) == ["author", "critic", "author", "critic", "other"]
    assert who(run([NO, NO], **ways)) == ["author", "critic", "author", "critic", "chief"]
    both: dict[str, Any] = {"rounds": 1, "then": chief, "otherwise": chief}
    assert who(run([YES], **both)) == ["author", "critic", "chief"]
    assert who(run([NO, NO], **both)) == ["author", "critic", "author", "critic", "chief"]


def test_who_fails_is_not_taken_for_somebody_with_nothing_to_say() -> None:
    stubborn = critic.with_(corrections=0)
    result = run(["not a review"], critic=stubborn)
    assert (result.outcome, result.reason) == ("stopped", "no_candidate")
    assert "critic failed: this is no Review" in message(result)
    assert who(run(["no review"], critic=stubborn, otherwise=chief)) == [
        "author",
        "critic",
        "chief",
    ]
    mute, silent = author.with_(corrections=0), FunctionModel(lambda request: "")
    result = run([YES], author=mute, mind=silent)
    assert (who(result), result.reason) == (["author"], "no_candidate")
    assert who(run([], author=mute, mind=silent, otherwise=chief)) == ["author", "chief"]


def test_a_critic_who_fails_approves_nothing_whatever_else_speaks_for_the_work() -> None:
    result = run(["not a review"] * 3, until=posted(Note), then=other, otherwise=chief)
    assert who(result) == ["author", "critic", "chief"]


def test_an_old_approval_does_not_count_for_new_work() -> None:
    approves = said_by(critic)
    yes = entry(Review(approved=True, reasons=()), "critic", turn=1)
    assert approves.test(folded(decision(1, "critic"), yes))
    assert not approves.test(folded(decision(1, "critic"), yes, decision(2, "critic")))


class Swelling:
    """An author who is sent 100 tokens more each time."""

    name = "script:author"

    def __init__(self) -> None:
        self.calls = 0

    async def complete(self, request: Request) -> Reply:
        self.calls += 1
        used = Usage(input=100 * self.calls, output=1)
        return Reply(parts=(Text(text=f"draft {self.calls}"),), usage=used)


def test_growth_is_bounded_too() -> None:
    result = run([NO] * 9, rounds=8, growth=200, mind=Swelling())
    assert who(result) == ["author", "critic"] * 3
    assert (result.outcome, result.reason) == ("stopped", "bloated")
    assert "grown(author, tokens=200): 200" in message(result)
    result = run([NO] * 9, rounds=8, growth=200, mind=Swelling(), otherwise=chief)
    assert who(result) == [*["author", "critic"] * 3, "chief"]
    result = run([NO] * 2, rounds=1, growth=10_000, mind=Swelling())
    assert result.reason == "turns_exhausted"


def test_a_verdict_and_a_guard_of_ones_own_may_say_what_is_good() -> None:
    judge = Role("judge", writes=(Verdict,))
    accepts = Verdict(ruling="accept", reasons=()).model_dump_json()
    revise = Verdict(ruling="revise", reasons=("no",)).model_dump_json()
    graph = Graph(start(author), *refinement(author, judge, rounds=2))
    models: dict[str, Any] = {
        "author": FunctionModel(drafts),
        "judge": ScriptedModel([revise, accepts]),
    }
    result = Workflow(graph, models=models).run_sync("g")
    assert (who(result), result.finished) == (["author", "judge"] * 2, True)
    reader = Role("reader", writes=(Note,))
    short = latest(Note, lambda note: note.text == "fine", name="fine", author=reader)
    graph = Graph(start(author), *refinement(author, reader, rounds=2, until=short))
    models = {"author": FunctionModel(drafts), "reader": ScriptedModel(["hm", "fine"])}
    assert who(Workflow(graph, models=models).run_sync("g")) == ["author", "reader"] * 2


def test_a_critic_who_runs_tests_judges_by_them() -> None:
    tester = Role("tester", "Run the tests.", tools=(run_tests,))
    assert said_by(tester).name == "tests_pass"


@pytest.mark.parametrize(
    ("one", "two", "said"),
    [
        (author, author, "role 'author' cannot be its own critic"),
        (author.with_(reads=(Task,)), critic, "'author' reads Task, and 'critic' writes Review"),
        (author.with_(reads=()), critic, "role 'author' reads nothing, and 'critic' writes Review"),
        (author, critic.with_(reads=(Artifact,)), "role 'critic' reads Artifact, and 'author' wri"),
        (author, critic.with_(writes=(Note,)), "'critic' writes does not say whether work is good"),
    ],
)
def test_two_who_would_not_hear_each_other_are_refused(one: Role, two: Role, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        refinement(one, two, rounds=2)


def test_a_pattern_is_verified_as_any_other_graph() -> None:
    with pytest.raises(GraphError, match="from chief no finish can be reached"):
        Graph(start(author), *refinement(author, critic, rounds=1, otherwise=chief))
    with pytest.raises(DeclarationError, match="give a whole number from 1 on"):
        refinement(author, critic, rounds=0)


def test_a_replay_goes_back_as_often() -> None:
    journal = MemoryJournal()
    made = team([NO, NO, NO, NO], mind=Swelling(), growth=10_000)
    result = made.run_sync("g", seed=1, journal=journal)

    async def again() -> bool:
        return (await Record(journal, result.run).replay(made)).identical

    assert result.reason == "turns_exhausted"
    assert anyio.run(again)
