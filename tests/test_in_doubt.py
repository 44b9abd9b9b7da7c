"""A call in doubt on resuming: by the rule, by a person, and what is never in doubt."""

from __future__ import annotations

from typing import Any

import pytest

from hive import (
    Budget,
    Limits,
    Role,
    Workflow,
    tool,
)
from hive.board.records import Fault, Observation, Request
from hive.errors import DeclarationError
from hive.message import Request as Asked
from hive.message import ToolUse
from hive.testing import FunctionModel, Gate
from hive.tools import Call
from hive.tools.approval import Judgement, ProposedCall
from tests.crash.dying import DyingJournal, Fate, World, driven, settle
from tests.crash.teams import Yes
from tests.interrupted import TALK, a, last, only, paused
from tests.sound import sound

pytestmark = pytest.mark.asyncio


def launcher(world: World, **options: Any) -> Workflow:
    @tool(effect="irreversible", repeat="never")
    async def launch(call: Call) -> str:
        """Launch."""
        world.launched.append(call.address)
        return "launched"

    def answer(request: Asked) -> Any:
        if len(request.messages) == 1:
            return ToolUse(id="1", name="launch")
        result = request.messages[-1].parts[0]
        return f"told: {result.text} {result.error}"  # type: ignore[union-attr]

    role = Role("a", tools=(world.tool(launch),))
    return Workflow(role, model=FunctionModel(answer, "mind"), approvals=Yes(), **options)


async def died_in_the_launch(team: Workflow, world: World, which: str) -> DyingJournal:
    """A journal whose process died before the launch, or after it."""
    whole = Fate()
    world.fate = whole
    journal = DyingJournal()
    journal.fate = whole
    await driven(team.start("g", journal=journal), whole)
    world.launched.clear()
    journal = DyingJournal()
    journal.fate = world.fate = Fate(whole.passed.index(f"{which} launch") + 1)
    assert await driven(team.start("g", journal=journal), journal.fate) is None
    journal.fate = world.fate = Fate()
    return journal


@pytest.mark.parametrize("which", ["before", "after"])
async def test_a_call_in_doubt_is_lost_by_rule(which: str) -> None:
    world = World()
    team = launcher(world, in_doubt="lost")
    journal = await died_in_the_launch(team, world, which)
    result = await team.resume(journal.runs()[0], journal=journal).result()
    sound(result.entries)
    assert result.text == (
        "told: launch was begun when the process ended; nobody knows whether it took effect, and"
        " it was not called again True"
    )
    assert len(world.launched) == (which == "after")
    assert last(result, Observation).error


@pytest.mark.parametrize("which", ["before", "after"])
async def test_a_call_in_doubt_is_repeated_by_rule(which: str) -> None:
    world = World()
    team = launcher(world, in_doubt="repeat")
    journal = await died_in_the_launch(team, world, which)
    result = await team.resume(journal.runs()[0], journal=journal).result()
    sound(result.entries)
    assert result.text == "told: launched False"
    assert len(world.launched) == 1 + (which == "after")


@pytest.mark.parametrize("which", ["before", "after"])
async def test_a_call_in_doubt_waits_for_a_person_however_often_it_is_asked_about(
    which: str,
) -> None:
    world = World()
    team = launcher(world)
    journal = await died_in_the_launch(team, world, which)
    run = journal.runs()[0]
    for _ in range(3):
        result = await team.resume(run, journal=journal).result()
        assert result.outcome == "waiting"
        assert result.waits_for == (
            "in_doubt: launch was begun and nobody knows whether it took effect",
        )
    assert len(world.launched) == (which == "after")
    settle(journal, run, world, result)
    result = await team.resume(run, journal=journal).result()
    sound(result.entries)
    assert result.text == "told: launched False"
    assert len(world.launched) == 1


async def test_no_call_is_in_doubt_before_the_last_of_its_reply_is_ruled_on() -> None:
    gate, fired = Gate(), list[str]()

    @tool(effect="irreversible", repeat="never")
    async def fire(which: str) -> str:
        """Fire."""
        fired.append(which)
        return "fired"

    class Slow:
        """Somebody who says yes at once to the first call and thinks about the second one."""

        async def judge(self, call: ProposedCall) -> Judgement:
            await gate.enter(str(call.arguments["which"]))
            return Judgement("allow", "go ahead", "user")

    def answer(request: Asked) -> Any:
        both = [ToolUse(id=w, name="fire", arguments={"which": w}) for w in ("one", "two")]
        return "done" if len(request.messages) > 1 else both

    model = FunctionModel(answer, "mind")
    team = Workflow(Role("a", tools=(fire,)), model=model, approvals=Slow())
    gate.release("one")
    journal = await paused(team, gate, "two")
    assert only(journal).board.of_kind("Approval")[0].payload.decision == "allow"  # type: ignore[attr-defined]
    assert fired == []
    gate.open()
    result = await team.resume(journal.runs()[0], journal=journal).result()
    assert result.finished
    sound(result.entries)
    assert sorted(fired) == ["one", "two"]


async def test_a_rule_for_doubt_is_one_of_three_and_part_of_the_workflow() -> None:
    with pytest.raises(DeclarationError, match="in_doubt='maybe': say 'ask', 'repeat', 'lost'"):
        Workflow(a, model=TALK, in_doubt="maybe")  # type: ignore[arg-type]
    one, other = Workflow(a, model=TALK), Workflow(a, model=TALK, in_doubt="lost")
    assert one.manifest_bytes != other.manifest_bytes


async def test_a_second_attempt_that_does_not_fit_is_refused_as_an_attempt_of_its_own() -> None:
    from tests.crash.test_caps import Priced

    world = World()
    cap, most = Budget(usd="0.0025"), Limits(output_tokens=256)
    team = Workflow(a, model=Priced(world, 10), budget=cap, limits=most)
    journal = DyingJournal()
    journal.fate = world.fate = Fate(3)  # after the request is on record, before it is answered
    assert await driven(team.start("g", journal=journal), journal.fate) is None
    journal.fate = world.fate = Fate()
    result = await team.resume(journal.runs()[0], journal=journal).result()
    assert result.reason == "budget_exhausted"
    faults = [entry for entry in result.entries if isinstance(entry.payload, Fault)]
    told = [(entry.attempt, entry.payload.code) for entry in faults]  # type: ignore[attr-defined]
    assert told == [(0, "interrupted"), (1, "budget_exhausted")]
    granted = next(e.payload for e in result.entries if isinstance(e.payload, Request))
    settled = faults[0].payload
    assert isinstance(settled, Fault)
    assert (settled.cost, settled.tokens) == (granted.grant, granted.grant_tokens)
    assert result.state.spent == granted.grant


# -- in a workspace that was touched ------------------------------------------------------------
