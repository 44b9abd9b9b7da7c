"""The same team on any backend by one word, and one conversation over several of them."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import permutations
from pathlib import Path
from typing import Any, TypeGuard

import pytest

from hive import Result, Role, Workflow, tool
from hive.board.entry import Entry
from hive.board.records import Inference
from hive.message import Media, Thinking, ToolUse
from hive.testing import comparable
from hive.testing.dialects import Endpoint
from hive.testing.faults import Line, error
from hive.testing.loopback import Answering, Received, Script, Server, loopback

NAMES = (
    "openai:gpt-5-mini",
    "openai-chat:gpt-5-mini",
    "anthropic:claude-opus-5",
    "compatible:qwen3",
)
ENDPOINTS: dict[str, Endpoint] = {"openai": "responses", "anthropic": "messages"}
ADDRESSES = ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "HIVE_BASE_URL")
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "HIVE_API_KEY")
PIXELS = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x02"
DIAL = Media.of(PIXELS + b"dial", "dial.png")
PLAN = Media.of(PIXELS + b"plan", "plan.png")

TEAM = '''
from hive import Payload, Role, Workflow, tool


@tool(effect="read")
def thermometer(room: str) -> float:
    """Read the temperature of a room, in degrees Celsius."""
    return {"cellar": 4.5, "attic": 31.0}[room]


class Measurement(Payload):
    """One number that someone else could check."""

    what: str
    value: float
    unit: str


surveyor = Role("surveyor", "Measure.", writes=(Measurement,), tools=(thermometer,))
critic = Role("critic", "Say what the numbers mean.")
chain = surveyor >> critic
team = Workflow(chain, model="openai:gpt-5-mini")
'''


@tool(effect="read")
def look(where: str) -> tuple[str, Media]:
    """Look at a dial; a picture of it comes back."""
    return f"the dial in the {where}", DIAL


watcher = Role("watcher", "Look at dials, and say what they show.", tools=(look,))
made: dict[str, Any] = {"__name__": "team"}
exec(TEAM, made)  # the very text that the command is given
team: Workflow = made["team"]


def minds(received: Received) -> Line:
    """What any model would answer in the team, whichever way it is asked."""
    if "'critic'" in received.system:
        return "Cold enough." if "4.5" in received.text else "There is nothing to judge."
    if received.results:
        assert sorted(received.results) == ["31.0", "4.5"]
        return {"what": "the cellar", "value": 4.5, "unit": "degrees"}
    rooms = enumerate(("cellar", "attic"))
    uses = [ToolUse(id=f"call_{n}", name="thermometer", arguments={"room": r}) for n, r in rooms]
    return ["I look at both.", *uses]


def home(server: Server) -> dict[str, str]:
    keys = dict.fromkeys(KEYS, "sk-planted-0123456789")
    return {**dict.fromkeys(ADDRESSES, server.base_url), **keys}


def apart_from_the_model(entries: Iterable[Entry], name: str) -> dict[str, Any]:
    """What two runs have in common that were served by different models."""
    dear = {"grant", "grant_tokens", "cost", "spent", "digest", "seed", "overrides"}

    def common(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: common(inner) for key, inner in value.items() if key not in dear}
        if isinstance(value, list | tuple):
            return [common(inner) for inner in value]
        model = name.partition(":")[2]
        return re.sub(f"({name.partition(':')[0]}:)?{model}", "it", str(value))

    return {address: common(found) for address, found in comparable(entries).items()}


@asynccontextmanager
async def all_at(script: Script | Answering | Mapping[Endpoint, Script]) -> AsyncIterator[Server]:
    """A server at which every provider is found."""
    async with loopback(script) as server:
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in home(server).items():
                patch.setenv(variable, value)
            yield server


def endpoint_of(name: str) -> Endpoint:
    return ENDPOINTS.get(name.partition(":")[0], "chat")


def inferences(result: Result) -> list[Inference]:
    return [e.payload for e in result.entries if isinstance(e.payload, Inference)]


@pytest.mark.asyncio
async def test_a_team_on_any_backend_by_one_word() -> None:
    boards = []
    for name in NAMES:
        async with all_at(minds) as server:
            result = await team.with_(model=name).run("How cold is the cellar?")
        assert result.finished, result.message
        assert result.text == "Cold enough."
        assert [received.endpoint for received in server.requests] == [endpoint_of(name)] * 3
        assert [received["model"] for received in server.requests] == [name.partition(":")[2]] * 3
        boards.append(apart_from_the_model(result.entries, name))
    assert len(boards[0]) > 15
    assert all(board == boards[0] for board in boards)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.asyncio
async def test_one_role_on_another_backend_by_one_word(name: str) -> None:
    async with all_at(minds) as server:
        result = await team.with_models(critic=name).run("How cold is the cellar?")
    assert result.text == "Cold enough."
    endpoints = [received.endpoint for received in server.requests]
    assert endpoints == ["responses", "responses", endpoint_of(name)]


@pytest.mark.parametrize(("first", "second"), list(permutations(NAMES, 2)))
@pytest.mark.asyncio
async def test_a_conversation_that_begins_on_one_provider_goes_on_with_another(
    first: str, second: str
) -> None:
    """With an image from the user, another from a tool, two calls and thinking in it; and back."""
    lines: list[Line] = [
        *(asks("first", "cellar"), error(401, "not now")),
        *(asks("second", "attic"), "It shows seven."),
    ]
    async with all_at(lines) as server:
        chain = Workflow(watcher, model=f"{first} > {second}")
        result = await chain.run("What do they show?", attachments=[PLAN])
    assert result.text == "It shows seven.", result.message
    begun, _, moved, back = server.requests
    names = [first, first, second, first]
    assert [received.endpoint for received in server.requests] == list(map(endpoint_of, names))
    assert [received["model"] for received in server.requests] == [
        name.partition(":")[2] for name in names
    ]

    # All that was said arrives: the words, the images as bytes, the calls and their results.
    sent = [json.dumps(received.turns) for received in (begun, moved, back)]
    assert [text.count("seen at first") for text in sent] == [0, 1, 1]
    assert [text.count("seen at second") for text in sent] == [0, 0, 1]
    assert [text.count(PLAN.data) for text in sent] == [1, 1, 1]
    assert [text.count(DIAL.data) for text in sent] == [0, 1, 2]
    assert [len(received.results) for received in (begun, moved, back)] == [0, 1, 2]
    assert "the dial in the cellar" in moved.text
    assert "the dial in the attic" in back.text

    # Each provider gets its own thinking again, and nobody else's.
    assert [text.count("thought at first") for text in sent] == [0, 0, 1]
    assert [text.count("thought at second") for text in sent] == [0, 0, 0]

    # What was left out, and who was asked in vain, stands on the record.
    begun_, moved_, back_ = inferences(result)
    assert begun_.left_out == ()
    assert moved_.left_out == gone(first)
    assert back_.left_out == gone(second)
    assert [(one.reason, one.status, one.model) for one in moved_.attempts] == [
        ("refused", 401, first)
    ]
    told = [part.provider for one in inferences(result) for part in one.parts if is_thought(part)]
    assert told == [first.partition(":")[0], second.partition(":")[0]]


def asks(who: str, where: str) -> Line:
    """An answer with thinking, words and a call."""
    use = ToolUse(id=f"call_{who}", name="look", arguments={"where": where})
    return [Thinking(text=f"thought at {who}", provider="any"), f"seen at {who}", use]


def is_thought(part: object) -> TypeGuard[Thinking]:
    return isinstance(part, Thinking)


def gone(of: str) -> tuple[str, ...]:
    return (f"1 piece of thinking by {of.partition(':')[0]}",)


@pytest.mark.parametrize(
    ("by", "name"), [*(("--model", name) for name in NAMES[1:]), ("hive.toml", NAMES[-1])]
)
@pytest.mark.asyncio
async def test_a_team_on_another_backend_at_the_command(name: str, by: str, tmp_path: Path) -> None:
    (tmp_path / "team.py").write_text(TEAM, "utf-8")
    said = f'[models]\n"*" = "{name}"\n'
    if by == "hive.toml":  # it speaks for those to whom the workflow gives no model
        (tmp_path / "hive.toml").write_text(said, "utf-8")
    team, option = ("team", ["--model", name]) if by == "--model" else ("chain", [])
    async with loopback(minds) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hive", "run", f"./team.py:{team}", "How cold?", *option),
            cwd=tmp_path,
            env={**os.environ, **home(server)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    assert b"Cold enough." in out
    assert [received.endpoint for received in server.requests] == [endpoint_of(name)] * 3
