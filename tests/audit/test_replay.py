"""Replaying a run under a workflow that was changed: where it diverges, and what is said of it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from hive import (
    Budget,
    Graph,
    Limits,
    Note,
    Payload,
    Role,
    RoundRobin,
    View,
    Workflow,
    finish,
    handoff,
    posted,
    start,
    stop,
    tool,
    turns,
)
from hive.audit import Record, Replayed
from hive.audit.replay import replay
from hive.board.board import Board
from hive.control.graphs.graph import Ending
from hive.control.synthesis import LastWord
from hive.errors import Divergence
from hive.journal.memory import MemoryJournal
from hive.message import DEFAULTS, Reply, Request, Settings, Text, ToolUse, Usage
from hive.models import FunctionModel
from hive.tools import Tool, ToolOutput


def look(doc: str = "Look at a place.", effect: Any = "read") -> Tool:
    async def look(place: str) -> str:
        return f"{place} is quiet"

    look.__doc__ = doc
    return tool(effect=effect)(look)


async def counted(view: View) -> Payload:
    return Note(text=f"{len(view.entries)} entries")


def speak(request: Request) -> Reply:
    """Look once, then say what was seen."""
    if request.tools and len(request.messages) == 1:
        use = ToolUse(id="1", name="look", arguments={"place": "the yard"})
        return Reply(parts=(use,), stop="tools", usage=Usage(input=100, output=20))
    return Reply(parts=(Text(text="All is quiet."),), usage=Usage(input=100, output=20))


MIND = FunctionModel(speak, name="watching")


def team(
    *,
    instructions: str = "Watch.",
    settings: Settings = DEFAULTS,
    tools: tuple[Tool, ...] | None = None,
    rounds: int = 4,
    corrections: int = 2,
    counts: Callable[[View], Any] = counted,
    **changes: Any,
) -> Workflow:
    """A watchman, a program that counts, and both once more."""
    watchman = Role(
        "watchman",
        instructions,
        tools=(look(),) if tools is None else tools,
        settings=settings,
        corrections=corrections,
    )
    counter = Role("counter", writes=(Note,), program=counts)
    graph = Graph(
        start(watchman),
        handoff(watchman, counter),
        handoff(counter, watchman, when=~turns(rounds)),
        finish(counter, when=turns(rounds) & posted(Note)),
        stop(when=turns(9)),
    )
    return Workflow(graph, **{"model": MIND, **changes})


@pytest.fixture(scope="module")
def recorded() -> tuple[MemoryJournal, str]:
    """A run of that team."""
    journal = MemoryJournal()
    result = asyncio.run(team().run("Is all quiet?", journal=journal, seed=1))
    assert result.finished
    return journal, result.run


def again(recorded: tuple[MemoryJournal, str], workflow: Workflow) -> Replayed:
    journal, run = recorded
    return asyncio.run(replay(journal, run, workflow))


def test_the_same_team_replays_to_the_last_entry(recorded: tuple[MemoryJournal, str]) -> None:
    result = again(recorded, team())
    assert (result.identical, result.changed) == (True, ())
    assert result.entries == len(list(recorded[0].read(recorded[1])))


def test_a_record_replays_or_raises_at_the_first_entry_that_differs(
    recorded: tuple[MemoryJournal, str],
) -> None:
    with Record.open(*recorded) as record:
        assert asyncio.run(record.replay(team())).identical
        with pytest.raises(Divergence, match=r"1/watchman/0\.0: the record holds") as caught:
            asyncio.run(record.replay(team(instructions="Watch well.")))
    assert caught.value.recorded.kind == caught.value.now.kind == "Request"
    assert "the system prompt of watchman" in caught.value.cause


class FirstWord(LastWord):
    def synthesise(self, board: Board, ending: Ending) -> str:
        return "what was said first"


CHANGES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "instruction": (
        {"instructions": "Watch well."},
        "1/watchman/0.0",
        "the system prompt of watchman changed; the workflow differs in role watchman",
        "system",
    ),
    "docstring of a tool": (
        {"tools": (look("Look somewhere."),)},
        "1/watchman/0.0",
        "the tools' forms of watchman changed; the workflow differs in tool look",
        "tools",
    ),
    "settings": (
        {"settings": Settings(temperature=0.5)},
        "1/watchman/0.0",
        "the settings of watchman changed; the workflow differs in role watchman",
        "settings",
    ),
    "what a tool touches": (
        {"tools": (look(effect="write"),)},
        "1/watchman/0.2",
        "what is declared of a tool changed; the workflow differs in tool look",
        "effect",
    ),
    "policy": (
        {"policy": RoundRobin()},
        "1//0",
        "the policy changed; the workflow differs in policy",
        "policy",
    ),
    "guard": (
        {"rounds": 2},
        "3//0",
        "whether the run goes on was decided otherwise: a guard, the graph or a cap; the workflow"
        " differs in graph",
        "kind",
    ),
    "synthesis": (
        {"synthesis": FirstWord()},
        "5//1",
        "how the answer is made changed: the synthesis; the workflow differs in synthesis",
        "text",
    ),
    "cap": (
        {"budget": Budget(turns=2)},
        "3//0",
        "whether the run goes on was decided otherwise: a guard, the graph or a cap; the workflow"
        " differs in budget",
        "kind",
    ),
    "limit of the view": (
        {"limits": Limits(view_tokens=60)},
        "4/counter/0.0",
        "the view of counter changed: it shows other entries; the workflow differs in limits",
        "causes",
    ),
    "most output": (
        {"limits": Limits(output_tokens=99)},
        "1/watchman/0.0",
        "how much watchman may answer changed; the workflow differs in limits",
        "max_output",
    ),
    "model": (
        {"model": FunctionModel(speak, name="other")},
        "1//0",
        "who has which mind changed: a model, a program or the allocator; the workflow differs in"
        " model *",
        "strands",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_one_change_is_found_where_it_first_counts_with_its_likely_cause(
    recorded: tuple[MemoryJournal, str], change: str
) -> None:
    changes, address, cause, field = CHANGES[change]
    result = again(recorded, team(**changes))
    assert result.divergence is not None
    assert (result.divergence.address, result.divergence.cause) == (address, cause)
    assert field in [difference.field for difference in result.differences]
    assert not result.identical
    assert result.entries < len(list(recorded[0].read(recorded[1])))


def test_a_changed_prompt_is_shown_line_by_line(recorded: tuple[MemoryJournal, str]) -> None:
    result = again(recorded, team(instructions="Watch well."))
    found = {difference.field: difference for difference in result.differences}
    assert (found["system"].recorded, found["system"].now) == ("Watch.", "Watch well.")


def test_a_program_is_asked_as_little_as_a_model(recorded: tuple[MemoryJournal, str]) -> None:
    async def broken(view: View) -> Payload:
        raise AssertionError("nobody may ask")

    broken.__qualname__ = counted.__qualname__
    assert again(recorded, team(counts=broken)).identical


def test_another_program_is_another_mind(recorded: tuple[MemoryJournal, str]) -> None:
    async def another(view: View) -> Payload:
        return Note(text="many entries")

    result = again(recorded, team(counts=another))
    assert result.divergence is not None
    assert result.divergence.address == "2//0"
    assert "role counter" in result.divergence.cause


def test_what_makes_no_difference_to_the_run_is_identical_and_still_said(
    recorded: tuple[MemoryJournal, str],
) -> None:
    result = again(recorded, team(corrections=3))
    assert result.identical
    assert result.changed == ("role watchman: corrections: 2 -> 3",)


class Measurement(Payload):
    value: int


class Newer(Payload):
    kind = "Measurement"
    value: int
    unit: str


VALUES: dict[type[Payload], dict[str, Any]] = {
    Measurement: {"value": 1},
    Newer: {"value": 1, "unit": "m"},
}


def test_a_kind_that_became_another_is_named_where_a_tool_had_posted_it() -> None:
    """What a tool posted is served, so it has to be read."""

    def measuring(form: type[Payload]) -> Workflow:
        @tool(effect="read", posts=(form,))
        async def measure() -> ToolOutput:
            """Measure something."""
            return ToolOutput("measured", posts=(form.model_validate(VALUES[form]),))

        graph = Graph(
            start(surveyor := Role("surveyor", tools=(measure,))),
            finish(surveyor, when=posted(Note)),
        )
        return Workflow(graph, model=FunctionModel(measured, "m"))

    def measured(request: Request) -> Reply:
        if request.messages[-1].role == "tool":
            return Reply(parts=(Text(text="done"),))
        return Reply(parts=(ToolUse(id="1", name="measure"),), stop="tools")

    journal = MemoryJournal()
    result = asyncio.run(measuring(Measurement).run("How much?", journal=journal))
    assert again((journal, result.run), measuring(Measurement)).identical
    found = again((journal, result.run), measuring(Newer))
    assert found.divergence is not None
    assert found.divergence.address == "1/surveyor/0.2.2"
    assert "kind Measurement" in found.divergence.cause
