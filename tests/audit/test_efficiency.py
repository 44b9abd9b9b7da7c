"""What helped a run and what it lost work to: for each factor a run that shows it, read from its
record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest

from hive import (
    Budget,
    Graph,
    Limits,
    Note,
    Plan,
    Review,
    Role,
    Workflow,
    finish,
    handoff,
    posted,
    start,
    stop,
    tool,
)
from hive.audit import Factor, Record, factors
from hive.board.contributions import TaskChange, TestReport
from hive.control import ByPreference, Escalation, Figure, Watch, elapsed, invalid, looped, turns
from hive.journal.memory import MemoryJournal
from hive.message import Attempt, Reply, Request, RetryReason, Text, ToolUse, Usage
from hive.models import FunctionModel, ModelCard, ScriptedModel
from hive.models.catalog import Prices
from hive.testing import ManualClock
from hive.tools import ToolOutput, allow, deny, write_file
from tests.control.states import report


@tool(name="run_tests", effect="read", posts=(TestReport,))
def check(passes: bool) -> ToolOutput:
    """A suite of one test, which passes or does not."""
    return ToolOutput("ran", posts=(report("t", failed=() if passes else ("t",)),))


@tool(effect="read")
def look(where: str) -> str:
    """Look somewhere."""
    if where == "nowhere":
        raise LookupError("there is no such place")
    return "nothing there"


@tool(effect="irreversible")
def launch() -> str:
    """Launch it; there is no way back."""
    return "gone"


worker = Role(
    "worker", writes=(Note, Review, Plan, TaskChange), tools=(check, look, launch, write_file)
)
go_on = Graph(
    start(worker),
    handoff(worker, worker, when=~posted(Review)),
    finish(worker, when=posted(Review)),
    stop(when=looped(times=4) | elapsed(seconds=5) | turns(6)),
)


FIGURES = (
    Figure("openai:cheap", accuracy=0.6, usd=0.001),
    Figure("openai:dear", accuracy=0.9, usd=0.1),
)
WATCH = Watch(looped(times=2), patience=3)


def use(name: str, **arguments: Any) -> ToolUse:
    return ToolUse(id=name, name=name, arguments=arguments)


def change(text: str) -> ToolUse:
    return use("write_file", path="draft.txt", text=text)


def plan(task: str) -> ToolUse:
    tasks = [{"id": task, "title": f"look into {task}"}]
    return use("post_Plan", summary="a plan", tasks=tasks, done_when="it is done")


def gave_up(task: str) -> ToolUse:
    return use("post_TaskChange", id=task, change="failed", reason="no way")


def judge(approved: bool) -> ToolUse:
    return use("post_Review", approved=approved, reasons=["so it is"])


PASS, FAIL = use("run_tests", passes=True), use("run_tests", passes=False)


def failed_once(reason: RetryReason, **more: Any) -> Reply:
    """An answer that took a second attempt."""
    return Reply(parts=(Text(text="done"),), attempts=(Attempt(reason=reason),), **more)


class Priced:
    """A model of some price for a million tokens."""

    def __init__(self, name: str, price: int) -> None:
        self.name = f"openai:{name}"
        self.card = ModelCard(self.name, prices=Prices.usd(price, price))

    async def complete(self, request: Request) -> Reply:
        return Reply(parts=(Text(text="done"),), usage=Usage(input=10, output=10))


class Greedy:
    """A server that does not keep to its limit."""

    name = "openai:greedy"
    card = ModelCard(name, prices=Prices.usd(1, 1))

    async def complete(self, request: Request) -> Reply:
        return Reply(parts=(Text(text="done"),), usage=Usage(output=10**6))


def played(
    folder: Path, model: Any, team: Any = worker, clock: ManualClock | None = None, **options: Any
) -> Record:
    """The record of a run of one role, by a script or a model."""
    if isinstance(model, list):
        model = ScriptedModel(model)
    journal = MemoryJournal()
    workflow = Workflow(team, model=model, **{"approvals": allow(), **options})
    result = workflow.run_sync(
        "g", journal=journal, workspace=folder, seed=1, clock=clock or ManualClock()
    )
    return Record(journal, result.run)


def interrupted(folder: Path) -> Record:
    """A run that waited for a person, and was taken up again."""
    journal = MemoryJournal()
    script = ScriptedModel([use("launch"), "flown"])
    waiting = Workflow(worker, model=script)
    run = waiting.run_sync("g", journal=journal).run
    resumed = waiting.resume(run, journal=journal, approvals=allow())
    asyncio.run(resumed.result())
    return Record(journal, run)


def out_of_time(folder: Path) -> Record:
    """A run whose only call takes longer than it may."""

    async def wait(request: Request) -> str:
        await asyncio.Event().wait()
        return ""

    return played(folder, FunctionModel(wait), limits=Limits(call_seconds=0.01))


Played = Callable[[Path], Record]
SCENARIOS: dict[Factor, Played] = {
    "tests_passed_first_try": lambda at: played(at, [FAIL, change("x"), PASS, "done"]),
    "tests_passed_after_fix": lambda at: played(at, [change("x"), FAIL, change("y"), PASS, "done"]),
    "tests_failing": lambda at: played(at, [change("x"), PASS, change("y"), FAIL, "done"]),
    "review_passed_first_try": lambda at: played(at, [judge(True), "done"]),
    "review_blocked": lambda at: played(at, [judge(False), judge(True), "done"]),
    "task_failed": lambda at: played(at, [plan("T1"), gave_up("T1"), "done"]),
    "replanned": lambda at: played(at, [plan("T1"), plan("T2"), "done"]),
    "answer_corrected": lambda at: played(at, [use("unknown"), "done"]),
    "strand_failed": lambda at: played(at, []),
    "tool_failed": lambda at: played(at, [use("look", where="nowhere"), "done"]),
    "calls_repeated": lambda at: played(at, [use("look", where="here")] * 3 + ["done"]),
    "rate_limit": lambda at: played(at, [failed_once("rate_limited")]),
    "server_failed": lambda at: played(at, [failed_once("bad_reply")]),
    "context_overflow": lambda at: played(at, [failed_once("context_overflow")]),
    "prompt_cached": lambda at: played(
        at, [Reply(parts=(Text(text="done"),), usage=Usage(input=100, cached_read=60))]
    ),
    "nudged": lambda at: played(at, ["the same"] * 6, go_on, watches=(WATCH,)),
    "escalated": lambda at: played(
        at,
        [],
        go_on,
        models={
            "small": ScriptedModel([use("unknown"), "not sure"]),
            "large": ScriptedModel([judge(True), "sure"]),
        },
        allocator=Escalation(("small", "large"), invalid),
    ),
    "no_progress": lambda at: played(at, ["the same"] * 6, go_on),
    "timeout_no_progress": out_of_time,
    "budget_short": lambda at: played(
        at,
        None,
        models={"cheap": Priced("cheap", 1), "dear": Priced("dear", 100)},
        allocator=ByPreference("quality", FIGURES),
        budget=Budget(usd="0.01"),
    ),
    "budget_exhausted": lambda at: played(at, ["done"], budget=Budget(tokens=10)),
    "overrun": lambda at: played(at, Greedy(), budget=Budget(usd=1)),
    "waited_for_person": interrupted,
    "denied": lambda at: played(
        at, [use("launch"), "stayed"], approvals=deny(effect="irreversible")
    ),
    "interrupted": interrupted,
}
"""For every factor a run that shows it."""


def seen(record: Record) -> dict[Factor, int]:
    return {found.factor: found.times for found in factors(record.entries)}


@pytest.mark.parametrize("factor", get_args(Factor))
def test_every_factor_is_seen_in_a_run_that_shows_it(factor: Factor, tmp_path: Path) -> None:
    record = SCENARIOS[factor](tmp_path)
    (found,) = [each for each in factors(record.entries) if each.factor == factor]
    assert found.times >= 1
    assert record.board.at(found.at) is not None


def test_what_was_said_by_one_factor_is_not_said_by_its_opposite(tmp_path: Path) -> None:
    runs: Sequence[tuple[Factor, Factor]] = (
        ("tests_passed_first_try", "tests_passed_after_fix"),
        ("tests_passed_first_try", "tests_failing"),
        ("tests_passed_after_fix", "tests_passed_first_try"),
        ("review_passed_first_try", "review_blocked"),
        ("review_blocked", "review_passed_first_try"),
        ("answer_corrected", "strand_failed"),
    )
    for number, (shown, other) in enumerate(runs):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert other not in seen(SCENARIOS[shown](folder))


def test_a_plain_run_has_no_factors(tmp_path: Path) -> None:
    assert factors(played(tmp_path, ["done"]).entries) == ()


def test_equal_calls_are_no_repetition_once_a_file_was_changed_between_them(tmp_path: Path) -> None:
    here = use("look", where="here")
    assert seen(played(tmp_path, [here, change("x"), here, "done"])) == {}
    assert seen(played(tmp_path, [here, here, here, "done"])) == {"calls_repeated": 2}


def test_a_report_of_another_tool_says_nothing_of_tests(tmp_path: Path) -> None:
    @tool(effect="read", posts=(TestReport,))
    def pretend() -> ToolOutput:
        """Say that a test fails."""
        return ToolOutput("ran", posts=(report("t", failed=("t",)),))

    actor = Role("actor", tools=(pretend,))
    assert seen(played(tmp_path, [use("pretend"), "done"], actor)) == {}


def test_the_factors_of_a_run_under_way_are_those_of_what_is_there(tmp_path: Path) -> None:
    whole = SCENARIOS["review_blocked"](tmp_path).entries
    cut = next(n for n, entry in enumerate(whole) if entry.kind == "Review") + 1
    assert [found.factor for found in factors(whole[:cut])] == ["review_blocked"]
