"""Counting, the cache and cassettes: what was asked is counted, kept, and played again."""

import asyncio
import json
from pathlib import Path

import pytest

from hive import Graph, Role, Workflow, finish, start, stop, turns
from hive.board.records import Inference
from hive.errors import DeclarationError, ModelError, RateLimited, RequestRefused, ServerFailed
from hive.message import Attempt, Message, OutputForm, Reply, Request, Settings, Text, Usage
from hive.models import (
    Cached,
    Cassette,
    Count,
    Counting,
    Failover,
    FunctionModel,
    ModelCard,
    ScriptedModel,
    check,
)
from hive.models.catalog import Prices
from hive.models.wrappers.around import identity
from hive.testing.faults import Line, error
from hive.testing.loopback import loopback
from tests.models.asking import ASK, KEY, LOOK, SUM, each, model_at, use

pytestmark = pytest.mark.asyncio
SAID = Reply(parts=(Text(text="said ☺"),), usage=Usage(input=3, output=2), model="m", id="1")


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


# Identity


DIFFERENT = [
    ASK._replace(system="Be long."),
    ASK._replace(messages=(Message("user", (Text(text="And you?"),)),)),
    ASK._replace(messages=(Message("assistant", ASK.messages[0].parts),)),
    ASK._replace(tools=(LOOK,)),
    ASK._replace(output=SUM),
    ASK._replace(output=OutputForm("Other", SUM.schema)),
    ASK._replace(settings=Settings(temperature=0.1)),
    ASK._replace(max_output=7),
    ASK._replace(sample=1),
    ASK._replace(digest="d"),
    ASK._replace(digest="d", sample=1),
    ASK._replace(digest="e"),
]


async def test_requests_are_told_apart_by_all_that_is_asked() -> None:
    asked = [ASK, *DIFFERENT]
    assert len({identity(one, name) for one in asked for name in ("a", "b")}) == 2 * len(asked)
    assert identity(ASK._replace(delta=print), "a") == identity(ASK, "a")
    assert identity(ASK._replace(digest="d", max_output=1), "a") == identity(DIFFERENT[9], "a")


# Counting


@each
async def test_calls_are_counted_however_they_end(name: str) -> None:
    script: list[Line] = ["one", error(500), error(400), "two"]
    async with loopback(script) as server, model_at(server, name) as model:
        counting = Counting(model)
        for fails in (False, True, True, False):
            if fails:
                with pytest.raises(ModelError):
                    await counting.complete(ASK)
            else:
                await counting.complete(ASK)
        assert counting.name == name
    count = counting.count
    assert count[:4] == (2, 2, 0, 0)
    assert count.usage == Usage(input=40, output=10)
    assert count.attempts == (("refused", 1), ("server_failed", 1))
    assert count.cost == 2 * counting.card.cost(Usage(input=20, output=5)) > 0


async def test_calls_under_way_and_cancelled_ones_are_counted() -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def silent(request: Request) -> str:
        asked.set()
        await never.wait()
        return ""

    counting = Counting(FunctionModel(silent))
    assert counting.count == Count()
    call = asyncio.create_task(counting.complete(ASK))
    await asked.wait()
    assert counting.count == Count(under_way=1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert counting.count == Count(cancelled=1)


async def test_what_others_say_of_their_cost_is_believed() -> None:
    attempts = (Attempt(reason="timeout", cost=5), Attempt(reason="timeout", cost=6))
    script: list[Reply | Exception] = [
        SAID.model_copy(update={"cost": 100, "attempts": attempts}),
        ValueError("a bug"),
    ]
    counting = Counting(ScriptedModel(script))
    await counting.complete(ASK)
    with pytest.raises(ValueError, match="a bug"):
        await counting.complete(ASK)
    count = counting.count
    assert (count.cost, count.attempts, count.answered, count.failed) == (
        111,
        (("timeout", 2),),
        1,
        1,
    )


# The cache


async def test_what_was_answered_is_given_again_for_nothing(tmp_path: Path) -> None:
    inner = ScriptedModel([SAID])
    folder = tmp_path / "deep" / "cache"
    assert await Cached(inner, folder).complete(ASK) == SAID
    heard: list[str] = []
    again = await Cached(inner, folder).complete(ASK._replace(delta=heard.append))
    assert again == SAID.model_copy(update={"usage": Usage(), "cost": 0})
    assert heard == ["said ☺"]
    assert len(files(folder)) == 1
    assert len(inner.requests) == 1
    assert folder.stat().st_mode & 0o077 == 0


async def test_arguments_that_are_no_characters_are_kept(tmp_path: Path) -> None:
    odd = Reply(parts=(use("a", where="\ud83d"),), stop="tools")
    inner = ScriptedModel([odd, odd], name="m")
    cached = Cached(inner, tmp_path / "cache")
    for _ in range(2):
        assert (await cached.complete(ASK)).parts == odd.parts
        assert (await Cassette(inner, tmp_path / "one.jsonl").complete(ASK)).parts == odd.parts
    assert len(inner.requests) == 2


async def test_what_differs_is_asked_on_its_own(tmp_path: Path) -> None:
    inner = FunctionModel(lambda request: f"{len(request.system)} {request.sample}")
    counting = Counting(inner)
    cached = Cached(counting, tmp_path)
    for _ in range(3):
        for one in [ASK, *DIFFERENT]:
            await cached.complete(one)
    assert counting.count.answered == 1 + len(DIFFERENT)


@pytest.mark.parametrize("stop_", ["length", "refusal", "filter", "pause"])
async def test_what_is_not_whole_is_not_kept(tmp_path: Path, stop_: str) -> None:
    broken = SAID.model_copy(update={"stop": stop_})
    cached = Cached(ScriptedModel([broken, ServerFailed("down"), SAID]), tmp_path)
    assert (await cached.complete(ASK)).stop == stop_
    with pytest.raises(ServerFailed):
        await cached.complete(ASK)
    assert await cached.complete(ASK) == SAID
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"parts": 1}', b'{"of": "later"}'])
async def test_a_file_that_cannot_be_read_counts_as_absent(tmp_path: Path, body: bytes) -> None:
    cached = Cached(ScriptedModel([SAID, SAID]), tmp_path)
    await cached.complete(ASK)
    (file,) = files(tmp_path)
    file.write_bytes(body)
    assert await cached.complete(ASK) == SAID
    assert (await cached.complete(ASK)).cost == 0


async def test_a_run_that_is_made_again_costs_nothing_and_its_samples_stay_apart(
    tmp_path: Path,
) -> None:
    numbers = iter(range(99))

    def priced() -> FunctionModel:
        model = FunctionModel(
            lambda request: SAID.model_copy(update={"parts": (Text(text=f"{next(numbers)}"),)})
        )
        model.card = ModelCard(model.name, prices=Prices.usd(1, 1))  # type: ignore[attr-defined]
        return model

    role = Role("judge")
    graph = Graph(start(role, samples=3), finish(role), stop(when=turns(3)))
    workflow = Workflow(graph, model=Cached(priced(), tmp_path))
    first, second = await workflow.run("g"), await workflow.run("g")

    def said(result: object) -> list[str]:
        entries = getattr(result, "entries", ())
        found = [e.payload for e in entries if isinstance(e.payload, Inference)]
        return sorted(part.text for one in found for part in one.parts if isinstance(part, Text))

    assert said(first) == said(second) == ["0", "1", "2"]
    assert first.cost_usd > 0
    assert second.cost_usd == second.tokens == 0


# Cassettes


@each
async def test_a_cassette_is_recorded_once_and_played_without_a_server(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cassettes" / "one.jsonl"
    busy = error(429, f"slow {KEY}", headers={"retry-after": "3"})
    script: list[Line] = ["Hello ☺", busy, [use("a", where="here")], "Again."]
    looking = ASK._replace(tools=(LOOK,))
    heard: list[str] = []

    async def talk(model: Cassette) -> list[object]:
        first = await model.complete(ASK._replace(delta=heard.append))
        with pytest.raises(RateLimited) as caught:
            await model.complete(looking)
        failure = (str(caught.value), caught.value.attempts, caught.value.retry_after)
        return [first, failure, await model.complete(looking), await model.complete(ASK)]

    async with loopback(script) as server, model_at(server, name) as model:
        recorded = await talk(Cassette(model, path))
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    played = Cassette(name, path)
    check(played)
    assert played.left == 4
    assert await talk(played) == recorded
    assert "".join(heard) == "Hello ☺Hello ☺"
    assert played.left == 0
    assert KEY not in path.read_text("utf-8")
    assert all(json.loads(line)["model"] == name for line in path.read_text("utf-8").splitlines())


@pytest.mark.parametrize("told", [b"no JSON\n", b"[]\n", b"{}\n", b"\xff\xfe", None])
async def test_a_file_that_is_no_cassette_is_told(told: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "tape.jsonl"
    if told is None:
        path.mkdir()
    else:
        path.write_bytes(told)
    with pytest.raises(DeclarationError, match=r"tape\.jsonl(, line 1, is no| cannot be played)"):
        Cassette(ScriptedModel([]), path)


async def test_what_is_not_on_the_cassette_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    await Cassette(ScriptedModel([SAID], name="m"), path).complete(ASK)
    played = Cassette(ScriptedModel([SAID], name="m"), path)
    assert await played.complete(ASK) == SAID
    for request in (ASK, *DIFFERENT):
        with pytest.raises(RequestRefused, match=r"one.jsonl holds no \(further\) answer.*anew"):
            await played.complete(request)


async def test_a_run_plays_from_its_cassette(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    team = Role("a") >> Role("b")
    live = ScriptedModel(["one", "two"], name="m")
    first = await Workflow(team, model=Cassette(live, path)).run("g")
    second = await Workflow(team, model=Cassette(ScriptedModel([], name="m"), path)).run("g")
    assert first.finished
    assert first.text == second.text


async def test_wrappers_nest(tmp_path: Path) -> None:
    chain = Failover(ScriptedModel([ServerFailed("x")], name="a"), ScriptedModel([SAID], name="b"))
    counting = Counting(Cached(chain, tmp_path))
    assert (await counting.complete(ASK)).attempts != ()
    assert (await counting.complete(ASK)).attempts == ()
    assert counting.count.answered == 2
    await counting.aclose()
