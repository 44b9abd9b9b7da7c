"""Prompts are marked for their provider's cache where that pays, and the cost shows it."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from hive import (
    Graph,
    Note,
    Payload,
    Result,
    Role,
    Workflow,
    finish,
    handoff,
    start,
    tool,
    turns,
)
from hive.board.records import Inference
from hive.message import (
    Message,
    Reply,
    Request,
    Settings,
    Text,
    ToolResult,
    ToolUse,
    Usage,
)
from hive.models import FREE, ModelCard, Prices, card_of, close, resolve
from hive.models.answers import by_tool
from hive.models.caching import SHORTEST, Ends, cache_key, ends, pays
from hive.testing.faults import Line
from hive.testing.loopback import Received, Server, loopback
from tests.models.asking import ASK, KEY, LOOK, SUM, ask, use
from tests.models.prompt_cache import PromptCache, Sent, sent

CLAUDE, GPT, GPT_CHAT = (
    "anthropic:claude-opus-5",
    "openai:gpt-5.6-terra",
    "openai-chat:gpt-5.6-terra",
)
cached = pytest.mark.parametrize("name", [CLAUDE, GPT, GPT_CHAT])
OFF = Settings(cache="off")
LONG = "You are thorough in all that you do. " * 120
VIEW = tuple(Text(text=f"[{number}/a] Note: {'word ' * 30}") for number in range(30))
LAST = Text(text="It is your turn.")
ROLE = Request(
    model="",
    system=LONG,
    messages=(Message("user", (*VIEW, LAST)),),
    tools=(LOOK,),
    stable=len(VIEW),
)


async def sent_for(name: str, request: Request) -> Received:
    _, server = await ask(["x"], name, request)
    (received,) = server.requests
    return received


def places(prompt: Sent) -> list[str]:
    """The pieces that are marked."""
    return [prompt.pieces[mark - 1] for mark in prompt.marks]


# Which ends pay


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (Prices.usd(5, 25, "0.5", "6.25"), True),
        (Prices.usd(5, 25, "0.5"), True),
        (Prices.usd(5, 25), False),  # nothing is cheaper to read again
        (Prices.usd(5, 25, "0.5", 10), False),  # an hour's writing costs too much for one reading
        (FREE, False),
        (None, True),
    ],
)
def test_a_mark_pays_if_one_reading_brings_in_what_writing_costs(
    prices: Prices | None, expected: bool
) -> None:
    assert pays(prices) is expected
    assert (ends(ROLE, prices) != Ends()) is expected


def test_what_is_likely_to_be_read_again_is_kept() -> None:
    assert ends(ROLE, None) == Ends(system=True, stable=30, last=True)
    assert ends(ROLE._replace(tools=()), None) == Ends(system=True, stable=30, last=False)
    assert not ends(by_tool(ROLE._replace(tools=(), output=SUM)), None).last  # it ends the turn
    assert ends(by_tool(ROLE._replace(output=SUM)), None).last
    assert ends(ROLE._replace(stable=0), None) == Ends(system=True, stable=0, last=True)
    assert ends(ROLE._replace(system="Be brief."), None) == Ends(False, 30, True)
    assert ends(ROLE._replace(settings=OFF), None) == Ends()


def test_what_is_too_short_for_every_model_is_not_marked() -> None:
    short = ASK._replace(tools=(LOOK,), stable=1)
    assert ends(short, None) == Ends()
    just = Text(text="x" * (SHORTEST - len(short.system) - len(LOOK.description)))
    assert ends(short._replace(messages=(Message("user", (just,)),)), None).stable == 1
    less = just.model_copy(update={"text": just.text[1:]})
    assert ends(short._replace(messages=(Message("user", (less,)),)), None) == Ends()


# Anthropic


@pytest.mark.asyncio
async def test_claude_is_given_four_marks_of_five_minutes_at_most() -> None:
    received = await sent_for(CLAUDE, ROLE)
    assert received["system"] == [
        {"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}
    ]
    blocks = received["messages"][0]["content"]
    assert [at for at, block in enumerate(blocks) if "cache_control" in block] == [10, 29, 30]
    for block in blocks:
        assert block.get("cache_control", {"type": "ephemeral"}) == {"type": "ephemeral"}
    assert "cache_control" not in received  # nothing is left to the server


def further(count: int) -> Request:
    """The request of a further step, after a step with so many calls."""
    uses = tuple(use(f"a{number}") for number in range(count))
    results = tuple(ToolResult(id=one.id, name="look", text="a wall") for one in uses)
    said = (Message("assistant", uses), Message("tool", results))
    return ROLE._replace(messages=(*ROLE.messages, *said))


@pytest.mark.parametrize("calls", [1, 30])
@cached
@pytest.mark.asyncio
async def test_a_further_step_finds_the_end_of_the_one_before(name: str, calls: int) -> None:
    cache = PromptCache()
    first, second = await sent_for(name, ROLE), await sent_for(name, further(calls))
    cache.use(first)
    whole = sent(first)
    assert cache.use(second).cached_read == whole.tokens(len(whole.pieces))
    assert sent(second).pieces[: len(whole.pieces)] == whole.pieces


@pytest.mark.parametrize("more", [1, 15, 30])
@pytest.mark.asyncio
async def test_the_next_turn_finds_the_view_of_the_one_before_at_anthropic(more: int) -> None:
    await the_next_turn_finds(CLAUDE, more)


@pytest.mark.parametrize("more", [1, 15])
@pytest.mark.parametrize("name", [GPT, GPT_CHAT])
@pytest.mark.asyncio
async def test_the_next_turn_finds_the_view_of_the_one_before_at_openai(
    name: str, more: int
) -> None:
    await the_next_turn_finds(name, more)


async def the_next_turn_finds(name: str, more: int) -> None:
    cache = PromptCache()
    grown = (*VIEW, *(Text(text=f"[{n}/b] Note: more") for n in range(more)))
    last = Text(text="It is your turn again.")
    later = ROLE._replace(messages=(Message("user", (*grown, last)),), stable=len(grown))
    first, second = await sent_for(name, ROLE), await sent_for(name, later)
    cache.use(first)
    prompt = sent(first)
    stable = len(prompt.pieces) - 1
    assert sent(second).pieces[:stable] == prompt.pieces[:stable]
    assert cache.use(second).cached_read == prompt.tokens(stable)


@pytest.mark.asyncio
async def test_a_conversation_that_no_step_is_to_follow_is_not_kept_to_its_end() -> None:
    for name in (CLAUDE, GPT, GPT_CHAT):
        received = await sent_for(name, ROLE._replace(tools=()))
        prompt = sent(received)
        assert "It is your turn" not in "".join(places(prompt))
        writes = PromptCache().use(received).cache_write
        assert writes == prompt.tokens(len(prompt.pieces) - 1)


# OpenAI


@pytest.mark.parametrize("name", [GPT, GPT_CHAT])
@pytest.mark.asyncio
async def test_openai_is_shown_where_earlier_views_have_ended(name: str) -> None:
    prompt = sent(await sent_for(name, ROLE))
    marked = places(prompt)
    assert len(marked) == 20
    assert "[10/a]" in marked[0]
    assert "[29/a]" in marked[-1]


@pytest.mark.parametrize("name", ["openai:gpt-5-mini", "openai-chat:gpt-5-mini", GPT, GPT_CHAT])
@pytest.mark.asyncio
async def test_the_requests_of_one_role_go_under_one_key(name: str) -> None:
    key = (await sent_for(name, ROLE))["prompt_cache_key"]
    assert len(key) <= 64
    assert (await sent_for(name, further(3)))["prompt_cache_key"] == key
    other = ROLE._replace(system="You are another role.")
    assert (await sent_for(name, other))["prompt_cache_key"] != key
    assert cache_key(ROLE._replace(tools=())) != key
    assert LONG[:20] not in key


@pytest.mark.parametrize("name", ["openai:gpt-5-mini", "openai-chat:gpt-5-mini"])
@pytest.mark.asyncio
async def test_models_that_write_for_nothing_are_told_the_key_alone(name: str) -> None:
    received = await sent_for(name, ROLE)
    assert "prompt_cache_breakpoint" not in json.dumps(received)
    assert "prompt_cache_options" not in received


@pytest.mark.asyncio
async def test_other_servers_are_told_nothing() -> None:
    async with loopback(["x"]) as server:
        card = ModelCard("compatible:gpt-5.6-terra", prices=Prices.usd(2, 8, "0.2", "2.5"))
        model = resolve(card.name, base_url=server.base_url, key=KEY, card=card)
        await model.complete(ROLE)
        await close(model)
    assert "cache" not in json.dumps(server.requests[0])


@pytest.mark.parametrize(
    ("name", "left"),
    [
        (CLAUDE, None),
        ("openai:gpt-5-mini", None),
        ("openai-chat:gpt-5-mini", None),
        (GPT, {"mode": "explicit"}),  # which keeps nothing, as nothing is marked
        (GPT_CHAT, {"mode": "explicit"}),
    ],
)
@pytest.mark.asyncio
async def test_caches_can_be_left_alone(name: str, left: Any) -> None:
    received = await sent_for(name, ROLE._replace(settings=OFF))
    assert received.pop("prompt_cache_options", None) == left
    assert "cache" not in json.dumps(received)
    assert not sent(received).marks


# A whole run


class Remark(Payload):
    """Something worth saying."""

    about: str


@tool(effect="read")
async def measure(where: str) -> str:
    """Measure something."""
    return f"{where} is nine metres deep. " * 10


def team(model: Any, settings: Settings) -> Workflow:
    asker = Role("asker", LONG, writes=(Note,), settings=settings)
    finder = Role("finder", LONG, writes=(Remark, Note), tools=(measure,), settings=settings)
    graph = Graph(
        start(asker),
        handoff(asker, finder),
        handoff(finder, asker, when=~turns(12)),
        finish(finder, when=turns(12)),
    )
    return Workflow(graph, model=model)


class Speaking:
    """Answers the team: each finder measures twice and posts a remark before it ends its turn."""

    def __init__(self) -> None:
        self.cache = PromptCache()
        self.usages: list[Usage] = []
        self.written: Iterator[int] = iter(range(10_000))

    def __call__(self, received: Received) -> Line:
        usage = self.cache.use(received)
        self.usages.append(usage)
        number = next(self.written)
        if "measure" not in received.tools:
            return Reply(parts=(Text(text=f"Question {number}: {'why ' * 40}"),), usage=usage)
        steps = len(received.results)
        if steps < 2:
            asked = ToolUse(id=f"c{number}", name="measure", arguments={"where": f"{number}"})
            return Reply(parts=(asked,), stop="tools", usage=usage)
        if steps == 2:
            posted = ToolUse(id=f"p{number}", name="post_Remark", arguments={"about": "x" * 90})
            return Reply(parts=(posted,), stop="tools", usage=usage)
        return Reply(parts=(Text(text="Nothing more."),), usage=usage)


async def run(name: str, settings: Settings) -> tuple[Result, Speaking, Server]:
    speaking = Speaking()
    async with loopback(speaking) as server:
        model = resolve(name, base_url=server.base_url, key=KEY)
        result = await team(model, settings).run("How deep is it?")
        await close(model)
    return result, speaking, server


def by_role(server: Server) -> dict[str, list[Received]]:
    found: dict[str, list[Received]] = {"asker": [], "finder": []}
    for received in server.requests:
        found["finder" if "measure" in received.tools else "asker"].append(received)
    return found


@cached
@pytest.mark.asyncio
async def test_a_growing_board_is_read_from_the_cache(name: str) -> None:
    result, speaking, server = await run(name, Settings())
    assert result.finished
    for requests in by_role(server).values():
        prompts = [sent(received) for received in requests]
        assert len(prompts) >= 6
        for before, after in pairwise(prompts):
            stable = next(
                at for at, piece in enumerate(before.pieces) if '"It is your turn' in piece
            )
            assert stable in before.marks
            assert after.pieces[:stable] == before.pieces[:stable]
            if before.pieces[stable] == after.pieces[stable]:  # a further step of the same turn
                assert after.pieces[: len(before.pieces)] == before.pieces
    usages = speaking.usages
    assert all(usage.cached_read for usage in usages[5:])
    assert sum(u.cached_read for u in usages) > sum(u.input for u in usages) * 0.6


@cached
@pytest.mark.asyncio
async def test_what_was_read_and_written_is_in_the_cost(name: str) -> None:
    result, speaking, _ = await run(name, Settings())
    inferences = [e.payload for e in result.entries if isinstance(e.payload, Inference)]
    assert [inference.usage for inference in inferences] == speaking.usages
    card = card_of(resolve(name, key=KEY))
    assert [inference.cost for inference in inferences] == [card.cost(u) for u in speaking.usages]
    assert int(result.cost_usd * 10**9) == sum(card.cost(u) for u in speaking.usages)
    for usage in speaking.usages:
        assert card.cost(usage) <= card.worst(usage.input, usage.output)


@cached
@pytest.mark.asyncio
async def test_a_run_costs_less_with_the_cache_than_without(name: str) -> None:
    with_cache, _, _ = await run(name, Settings())
    without, speaking, _ = await run(name, OFF)
    assert not any(usage.cached_read or usage.cache_write for usage in speaking.usages)
    assert with_cache.cost_usd < without.cost_usd * 6 / 10


@pytest.mark.asyncio
async def test_what_a_compatible_server_has_read_again_is_in_the_cost() -> None:
    usage = Usage(input=1000, output=50, cached_read=900)
    async with loopback([Reply(parts=(Text(text="x"),), usage=usage)]) as server:
        card = ModelCard("compatible:qwen3", prices=Prices.usd(1, 2, "0.1"))
        model = resolve(card.name, base_url=server.base_url, key=KEY, card=card)
        reply = await model.complete(ROLE)
        await close(model)
    assert reply.usage == usage
    assert card_of(model).cost(reply.usage) == 100 * 1000 + 900 * 100 + 50 * 2000
