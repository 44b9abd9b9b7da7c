"""One role alone, for one turn."""

import pytest

from hive import Finding, Note, Payload, Review, Role, Task, TestReport, tool
from hive.message import Request, Text, ToolUse
from hive.testing import FunctionModel, ScriptedModel, play
from hive.tools import ask

pytestmark = pytest.mark.asyncio


async def test_playing_a_role_gives_its_own_entries_in_address_order() -> None:
    role = Role("surveyor", "Survey.", writes=(Finding,))
    entries = await play(role, ScriptedModel(['{"claim": "it is cold"}']), goal="Is it cold?")
    assert [entry.kind for entry in entries] == ["Request", "Inference", "Finding"]
    assert [entry.payload for entry in entries if entry.level == "domain"] == [
        Finding(claim="it is cold")
    ]


@pytest.mark.parametrize(
    "payload",
    [
        Note(text="n"),
        Review(approved=False, reasons=("r",)),
        TestReport(digest="d", collected=("t",), passed=1, failed=(), complete=True, duration=1),
    ],
)
async def test_a_role_can_be_played_over_any_payloads(payload: Payload) -> None:
    seen: list[str] = []

    def answer(request: Request) -> str:
        seen.extend(part.text for part in request.messages[0].parts if isinstance(part, Text))
        return "seen"

    await play(Role("given"), FunctionModel(answer), [payload])
    assert f"[0//2] {payload.kind} by user (trusted)\n{payload.body().decode()}" in seen


async def test_a_per_role_plays_one_strand_for_each_payload_and_none_for_none() -> None:
    role = Role("a", per=Task)
    tasks = [Task(id=f"T{n}", title="t") for n in range(3)]
    entries = await play(role, ScriptedModel(["x"] * 3), tasks)
    assert {entry.address.strand for entry in entries} == {"a@0.1", "a@0.2", "a@0.3"}
    assert await play(role, ScriptedModel([])) == []


async def test_playing_gives_what_there_is_when_the_role_waits_for_a_person() -> None:
    @tool(effect="read")
    async def look() -> str:
        """Look."""
        return "seen"

    model = ScriptedModel([ToolUse(id="1", name="look")])
    entries = await play(Role("a", tools=(look,)), model, approvals=ask())
    assert entries[-1].kind == "Suspension"
