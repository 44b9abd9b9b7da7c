"""A model by its name in a workflow: kept within limits, asked again, followed by the next."""

import asyncio
from pathlib import Path
from typing import Any

import anyio
import pytest

from hive import Budget, Note, Role, Workflow
from hive.audit import Record
from hive.board.records import Decision, Fault, Inference
from hive.board.records import Request as Asked
from hive.errors import DeclarationError, Divergence, UnknownModel
from hive.journal.memory import MemoryJournal
from hive.models import (
    Cached,
    Counting,
    Failover,
    Limited,
    Retrying,
    card,
    card_of,
    close,
    resolve,
    steady,
)
from hive.testing import Gate
from hive.testing.faults import Line, error, hangs
from hive.testing.loopback import Received, Server, loopback

CHAIN = "anthropic:claude-opus-5 > openai:gpt-5-mini"
writer, critic = Role("writer"), Role("critic")


def local(server: Server, *models: str) -> str:
    """A chain of models on one server of one's own."""
    return " > ".join(f"compatible:{model}@{server.base_url}" for model in models)


def payloads(entries: Any, cls: type[Any]) -> list[Any]:
    return [entry.payload for entry in entries if entry.kind == cls.kind]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retrying does not wait unless it is told to."""
    known: Any = Retrying.__init__.__kwdefaults__
    monkeypatch.setattr(Retrying.__init__, "__kwdefaults__", {**known, "first": 0.0})


# -- names --------------------------------------------------------------------------------------


def test_a_plain_name_is_asked_again_and_kept_within_limits() -> None:
    model = steady("openai:gpt-5-mini")
    assert isinstance(model, Retrying)
    assert isinstance(model.model, Limited)
    assert model.name == "openai:gpt-5-mini"


def test_a_chain_is_a_failover_of_such_and_has_its_name() -> None:
    model = steady(CHAIN)
    assert isinstance(model, Failover)
    assert model.name == CHAIN
    assert [type(member) for member in model.models] == [Retrying, Retrying]
    first, last = model.models
    assert isinstance(first, Retrying)
    assert isinstance(last, Retrying)
    assert (first.attempts, first.patience) == (2, 10)
    assert last.attempts > first.attempts


def test_the_card_of_a_chain_is_the_same_by_name_and_by_model_and_the_dearest_counts() -> None:
    opus, mini, both = card("anthropic:claude-opus-5"), card("openai:gpt-5-mini"), card(CHAIN)
    assert card_of(steady(CHAIN)) == both
    assert both.name == CHAIN
    assert both.worst(1000, 1000) >= max(opus.worst(1000, 1000), mini.worst(1000, 1000)) > 0
    assert both.window == min(opus.window or 0, mini.window or 0)


def test_a_name_that_is_empty_is_said_to_be() -> None:
    with pytest.raises(UnknownModel, match="is empty; say PROVIDER:MODEL"):
        steady(" ")


@pytest.mark.parametrize(
    "name",
    [
        "openai:gpt-5 > ",
        " > openai:gpt-5",
        "openai:gpt-5 >  > openai:gpt-5-mini",
        "openai:gpt-5>openai:gpt-5-mini",
        "openai:gpt-5 > openai:gpt-5",
    ],
)
def test_a_chain_that_is_none_is_refused_where_it_is_written(name: str) -> None:
    with pytest.raises(UnknownModel, match="is no chain of models: write every member once"):
        Workflow(writer, model=name)


def test_every_member_must_be_known() -> None:
    with pytest.raises(UnknownModel, match="did you mean anthropic:claude-opus-5"):
        Workflow(writer, models={"writer": "openai:gpt-5 > antropic:claude-opus-5"})


def test_a_bare_model_is_never_a_chain() -> None:
    with pytest.raises(UnknownModel, match="is a chain of models and not one"):
        resolve(CHAIN)


# -- in a workflow ------------------------------------------------------------------------------


@pytest.mark.usefixtures("hasty")
@pytest.mark.asyncio
async def test_a_workflow_asks_again_by_default_and_all_attempts_are_on_record() -> None:
    script: list[Line] = [error(500, "down"), error(429, "slow"), "Nine metres."]
    async with loopback(script) as server:
        result = await Workflow(writer, model=local(server, "a")).run("How deep is it?")
        assert server.left == 0
    assert result.text == "Nine metres."
    (inference,) = payloads(result.entries, Inference)
    assert [attempt.reason for attempt in inference.attempts] == ["server_failed", "rate_limited"]


@pytest.mark.usefixtures("hasty")
@pytest.mark.asyncio
async def test_a_model_object_is_taken_as_it_is() -> None:
    async with loopback([error(500, "down"), "Nine metres."]) as server:
        bare = resolve(local(server, "a"))
        result = await Workflow(writer, model=bare).run("How deep is it?")
        await bare.aclose()  # type: ignore[attr-defined]
        assert server.left == 1
    (fault,) = payloads(result.entries, Fault)
    assert [attempt.reason for attempt in fault.attempts] == ["server_failed"]


def by_model(received: Received) -> Any:
    return error(404, "no such model") if received["model"] == "gone" else "Nine metres."


@pytest.mark.asyncio
async def test_a_chain_is_one_model_on_record_and_says_who_answered() -> None:
    async with loopback(by_model) as server:
        name = local(server, "gone", "here")
        team = Workflow(writer >> critic, models={"writer": name, "critic": local(server, "here")})
        result = await team.run("How deep is it?")
    asked, inferences = payloads(result.entries, Asked), payloads(result.entries, Inference)
    assert [request.model for request in asked] == [name, local(server, "here")]
    assert [inference.model for inference in inferences] == ["here", "here"]
    (attempt,) = inferences[0].attempts
    assert (attempt.model, attempt.reason) == (local(server, "gone"), "refused")
    assert name in repr(payloads(result.entries, Decision)[0])


@pytest.mark.asyncio
async def test_when_all_of_a_chain_fail_all_attempts_stand_on_the_fault() -> None:
    async with loopback(lambda received: error(404, "no such model")) as server:
        result = await Workflow(writer, model=local(server, "a", "b")).run("How deep is it?")
    (fault,) = payloads(result.entries, Fault)
    assert [attempt.model for attempt in fault.attempts] == [
        local(server, "a"),
        local(server, "b"),
    ]


@pytest.mark.asyncio
async def test_a_run_of_a_chain_is_replayed_without_a_model(tmp_path: Path) -> None:
    journal = f"sqlite:{tmp_path / 'journal.db'}"
    async with loopback(by_model) as server:
        team = Workflow(writer >> critic, model=local(server, "gone", "here"))
        result = await team.run("How deep is it?", journal=journal)
    record = Record.open(journal, result.run)
    await record.replay(team)
    with pytest.raises(Divergence):
        await record.replay(team.with_(model=local(server, "here", "gone")))


@pytest.mark.asyncio
async def test_a_run_of_a_chain_is_taken_up_again() -> None:
    journal, gate = MemoryJournal(), Gate()

    async def slow(received: Received) -> Any:
        if received["model"] == "here":
            await gate.enter("here")
        return by_model(received)

    async with loopback(slow) as server:
        team = Workflow(writer >> critic, model=local(server, "gone", "here"))
        with anyio.CancelScope() as scope:
            async with team.start("How deep is it?", journal=journal):
                await gate.arrived("here")
                scope.cancel()
        gate.open()
        (run,) = journal.runs()
        result = await team.resume(run, journal=journal).result()
    assert result.finished
    assert [note.text for note in payloads(result.entries, Note)] == ["Nine metres."] * 2


def test_under_a_cap_every_member_needs_a_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-0123456789")
    chain = "openai:gpt-5-mini > compatible:qwen3@http://127.0.0.1:9/v1"
    team = Workflow(writer, model=chain, budget=Budget(usd=1))
    with pytest.raises(DeclarationError, match="is not known"):
        team.team()


@pytest.mark.asyncio
async def test_a_run_that_is_left_does_not_wait_any_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asleep, journal = asyncio.Event(), MemoryJournal()

    async def sleep(seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    known: Any = Retrying.__init__.__kwdefaults__
    monkeypatch.setattr(Retrying.__init__, "__kwdefaults__", {**known, "sleep": sleep})
    async with loopback([error(500, "down")]) as server:
        with anyio.CancelScope() as scope:
            async with Workflow(writer, model=local(server, "a")).start("g", journal=journal):
                await asleep.wait()
                scope.cancel()
    record = Record(journal, journal.runs()[0])
    (fault,) = payloads(record.entries, Fault)
    assert fault.code == "cancelled"
    assert record.summary.state == "paused"


@pytest.mark.asyncio
async def test_who_leaves_a_run_closes_its_connections_at_once() -> None:
    asked = asyncio.Event()

    def answer(received: Received) -> Line:
        asked.set()
        return hangs("Nine metres.")

    async with loopback(answer) as server:
        with anyio.CancelScope() as scope:
            async with Workflow(writer, model=local(server, "a", "b")).start("g"):
                await asked.wait()
                scope.cancel()
        await server.left_alone.wait()
        assert len(server.requests) == 1


@pytest.mark.usefixtures("hasty")
@pytest.mark.asyncio
async def test_every_attempt_is_on_record_through_all_wrappers(tmp_path: Path) -> None:
    """Through a cache and a count around the chain too; what is kept is given again for nothing."""
    script: list[Line] = [
        error(500, "down"),
        error(503, "down"),
        error(500, "down"),
        "Nine metres.",
    ]
    async with loopback(script) as server:
        chain = steady(local(server, "a", "b"))
        counting = Counting(Cached(chain, tmp_path))
        first = await Workflow(writer, model=counting).run("g")
        again = await Workflow(writer, model=counting).run("g")
        await close(counting)
    (inference,), (kept,) = (payloads(run.entries, Inference) for run in (first, again))
    a, b = local(server, "a"), local(server, "b")
    assert [(attempt.model, attempt.status) for attempt in inference.attempts] == [
        *((a, 500), (a, 503)),
        (b, 500),
    ]
    assert (kept.attempts, kept.waited, kept.cost) == ((), 0, 0)
    assert counting.count.attempts == (("server_failed", 3),)
