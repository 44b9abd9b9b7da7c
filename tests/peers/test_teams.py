"""Whole teams over the peers: moved between protocols by one word, their attempts on record."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Literal, TypeVar

import pytest

from hive import (
    Budget,
    Graph,
    Limits,
    Payload,
    Result,
    Role,
    Workflow,
    finish,
    handoff,
    start,
    stop,
    tool,
    turns,
)
from hive.audit import Record
from hive.board.records import Fault, Inference, Request
from tests.peers.asking import PROTOCOLS, idle, named, predicted, protocols
from tests.peers.mock import Mock

MODELS = {"compatible": "gpt-5-mini", "openai": "gpt-5-mini", "anthropic": "claude-opus-5"}


class Reading(Payload):
    """What was seen in a room."""

    room: Literal["cellar", "attic"]
    warm: bool
    seen: str


class Opinion(Payload):
    """What is to be thought of a reading."""

    calm: bool
    grade: Literal["good", "fair", "bad"]


@tool(effect="read")
async def look(where: Literal["left", "right"]) -> str:
    """Look at one side of a room."""
    return f"on the {where}, a wall"


scout = Role("scout", "Say what is in the rooms.", writes=(Reading,), tools=(look,))
blind = Role("scout", "Say what is in the rooms.", writes=(Reading,), corrections=5)
critic = Role("critic", "Judge the reading.", reads=(Reading,), writes=(Opinion,), corrections=5)


def team(first: Role, model: str) -> Workflow:
    graph = Graph(start(first), handoff(first, critic), finish(critic), stop(when=turns(5)))
    return Workflow(graph, model=model, name="rooms", limits=Limits(output_tokens=250))


P = TypeVar("P", bound=Payload)


def payloads(result: Result, kind: type[P]) -> list[P]:
    return [entry.payload for entry in result.entries if isinstance(entry.payload, kind)]


@protocols
@pytest.mark.asyncio
async def test_a_team_of_typed_roles_gets_what_fits_out_of_noise(
    engine: str, protocol: str, tmp_path: Path
) -> None:
    journal = tmp_path / "journal.db"
    result = await team(blind, named(protocol, engine)).run("Is it warm?", journal=journal)
    assert result.outcome == "finished", result.message
    assert payloads(result, Reading)
    assert payloads(result, Opinion)
    assert all(inference.usage.output > 0 for inference in payloads(result, Inference))
    Record.open(journal, result.run).verify()


@pytest.mark.asyncio
async def test_one_word_moves_a_role_to_another_protocol(engine: str) -> None:
    workflow = team(blind, named("llamacpp", engine))
    moved = workflow.with_models(critic=named("anthropic", engine))
    result = await moved.run("Is it warm?")
    assert result.outcome == "finished", result.message
    asked = [request.model.partition(":")[0] for request in payloads(result, Request)]
    assert (asked[0], asked[-1]) == ("llamacpp", "anthropic")


@protocols
@pytest.mark.asyncio
async def test_stopping_a_run_frees_the_place_of_its_call(engine: str, protocol: str) -> None:
    limits = Limits(output_tokens=3000)  # seconds of work for one who is not stopped
    workflow = Workflow(Role("talker", "Talk."), model=named(protocol, engine), limits=limits)
    begun = asyncio.Event()
    before = await predicted(engine)
    async with workflow.start("Talk.") as run:
        run.listen(lambda strand, piece: begun.set())
        await begun.wait()
        run.stop()
        result = await run.result()
    assert result.outcome == "stopped"
    await idle(engine)
    assert await predicted(engine) - before < workflow.limits.output_tokens


@protocols
@pytest.mark.asyncio
async def test_a_team_with_tools_and_parallel_calls(aimock: str, protocol: str) -> None:
    mock = Mock(aimock)
    calls = [{"name": "look", "arguments": {"where": side}} for side in ("left", "right")]
    reading = {"room": "cellar", "warm": False, "seen": "two walls"}
    opinion = {"calm": True, "grade": "good"}
    lines = [{"toolCalls": calls}, {"content": reading}, {"content": opinion}]
    mock.load([{"match": {"sequenceIndex": n}, "response": r} for n, r in enumerate(lines)])
    workflow = team(scout, named(protocol, mock.address, MODELS[protocol]))
    result = await workflow.run("Is it warm?")
    assert result.outcome == "finished", result.message
    assert len([entry for entry in result.entries if entry.kind == "Observation"]) == 2
    # What aimock understood of the second call: both results, in order.
    told = [message["content"] for message in mock.requests[1]["messages"]]
    assert [text for text in told if text in ("on the left, a wall", "on the right, a wall")] == [
        "on the left, a wall",
        "on the right, a wall",
    ]
    assert len({str(entry.payload) for entry in result.entries if entry.kind == "Opinion"}) == 1


@pytest.mark.asyncio
async def test_the_same_script_gives_the_same_board_over_every_protocol(aimock: str) -> None:
    boards = []
    for protocol in PROTOCOLS:
        mock = Mock(aimock)
        lines = [
            {"content": {"room": "attic", "warm": True, "seen": "dust"}},
            {"content": {"calm": True, "grade": "fair"}},
        ]
        mock.load([{"match": {"sequenceIndex": n}, "response": r} for n, r in enumerate(lines)])
        workflow = team(blind, named(protocol, mock.address, MODELS[protocol]))
        result = await workflow.run("Is it warm?")
        boards.append([(str(e.address), e.kind, e.author) for e in result.entries])
    assert boards[0] == boards[1] == boards[2]


@protocols
@pytest.mark.parametrize(("status", "reason"), [(503, "server_failed"), (429, "rate_limited")])
@pytest.mark.asyncio
async def test_an_attempt_that_failed_stands_on_the_record(
    aimock: str, protocol: str, status: int, reason: str
) -> None:
    mock = Mock(aimock)
    # With status 429 aimock says too that all tokens are back in six minutes; who is told to come
    # again at once does not wait for all of them.
    lines = [
        {"error": {"message": "try again"}, "status": status, "retryAfter": 0},
        {"content": {"room": "attic", "warm": True, "seen": "dust"}},
        {"content": {"calm": True, "grade": "fair"}},
    ]
    mock.load([{"match": {"sequenceIndex": n}, "response": r} for n, r in enumerate(lines)])
    workflow = team(blind, named(protocol, mock.address, MODELS[protocol]))
    result = await workflow.run("Is it warm?")
    assert result.outcome == "finished", result.message
    first, _ = payloads(result, Inference)
    tried = [(attempt.reason, attempt.status) for attempt in first.attempts]
    assert tried == [(reason, status)]


@protocols
@pytest.mark.asyncio
async def test_a_limit_that_outlasts_the_run_is_not_waited_for(aimock: str, protocol: str) -> None:
    mock = Mock(aimock)
    # With status 429 aimock says that no tokens are left, and all are back in six minutes.
    slow = {"message": "slow down", "type": "rate_limit_error"}
    mock.load([{"match": {}, "response": {"error": slow, "status": 429, "retryAfter": 90}}])
    workflow = team(blind, named(protocol, mock.address, f"limited-{protocol}"))
    result = await workflow.with_(budget=Budget(seconds=60)).run("Is it warm?")
    assert result.outcome != "finished"
    fault = payloads(result, Fault)[0]
    assert fault.code == "model_error"
    assert "slow down" in fault.message
    assert len(mock.requests) == 1


@pytest.mark.asyncio
async def test_the_command_finds_the_engine_sound(engine: str) -> None:
    names = [named(protocol, engine) for protocol in ("llamacpp", "openai", "anthropic")]
    command = (sys.executable, "-m", "hive", "models", "--check", "--json", *names)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    checked = json.loads(said)["checked"]
    assert [found["model"] for found in checked] == names
    for found in checked:
        assert (found["ok"], found["served_as"]) == (True, "noise"), found
        assert found["output_tokens"] > 0
        assert not found["estimated"]
