"""No key, header or other secret reaches the journal, a log, an error's words or the screen.

Secrets are planted wherever a user may keep them, servers say them back in every way they have, and
then everything that Hive wrote is searched for them, or for ten of their characters in a row.
"""

import asyncio
import json
import logging
import os
import pickle
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from traceback import TracebackException

import pytest

from hive import Role, Workflow
from hive.errors import ModelError, RequestRefused
from hive.message import Reply, Text, Thinking, ToolUse
from hive.models import Cached, Cassette, Model, Retrying, close, resolve
from hive.testing.faults import Line, closes, cut, error, fails, raw
from hive.testing.loopback import Received, Server, loopback
from tests.models.asking import ASK

KEYS = {
    "OPENAI_API_KEY": "sk-OaPlantedKey/7f3a9c+51e8",
    "ANTHROPIC_API_KEY": "sk-ant-AnPlantedKey-2b6d80e4c7",
    "HIVE_API_KEY": "HvPlantedKey-93c1f5a7d2",
}
PLANTED = {
    **KEYS,
    "OPENAI_ORG_ID": "org-OgPlanted4e81b6",
    "OPENAI_PROJECT_ID": "proj_PjPlanted09d7c3",
    "OPENAI_ADMIN_KEY": "sk-admin-AdPlanted6c20fe",
    "OPENAI_WEBHOOK_SECRET": "whsec_WhPlanted58ab1d",
    "OPENAI_CUSTOM_HEADERS": "x-gateway: GwPlanted7d3e90bb",
    "ANTHROPIC_AUTH_TOKEN": "AtPlanted-f18c35e7a4",
    "ANTHROPIC_CUSTOM_HEADERS": "x-gateway: GwPlanted7d3e90bb",
}
PROXY = "PxPlanted-a49e07d1c6"
SECRETS = (*(value.removeprefix("x-gateway: ") for value in PLANTED.values()), PROXY)
TOLD = 10
"""So many characters of a secret in a row are too many; providers show fewer, as in sk-pl…51e8."""

BACKENDS = (
    "openai:gpt-5-mini",
    "openai-chat:gpt-5-mini",
    "anthropic:claude-opus-5",
    "compatible:qwen3",
)
each = pytest.mark.parametrize("name", BACKENDS)
LONG = pytest.mark.long
each_sdk = pytest.mark.parametrize(
    "name",
    [
        name if name.startswith(("openai:", "anthropic:")) else pytest.param(name, marks=LONG)
        for name in BACKENDS
    ],
)
"""One backend of each SDK, whose logs and environment are its own; the others take their time."""
plain_and_streamed = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


def leaks(where: str, said: str | bytes) -> list[str]:
    """The pieces of secrets that stand in what was said, and where."""
    text = said.decode("latin-1") if isinstance(said, bytes) else said
    pieces = {
        secret[start : start + TOLD]
        for secret in SECRETS
        for start in range(len(secret) - TOLD + 1)
    }
    return [f"{where}: …{text[max(0, at - 60) : at + 60]}…" for at in places(text, pieces)][:3]


def places(text: str, pieces: set[str]) -> list[int]:
    return sorted(text.index(piece) for piece in pieces if piece in text)


def every_file(folder: Path) -> list[str]:
    """The leaks in any file below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [leak for path in files for leak in leaks(path.name, path.read_bytes())]


def headers(received: Received) -> str:
    """All headers of a request, as a careless server prints them."""
    return "\n".join(f"{name}: {value}" for name, value in received.headers.items())


def bearer(received: Received) -> str:
    return received.headers["authorization"].removeprefix("Bearer ")


def page(received: Received, before: int = 0) -> bytes:
    body = f"<html><body><h1>Bad Gateway</h1>{'x ' * before}<pre>{headers(received)}</pre></html>"
    return body.encode()


Said = Callable[[Received], Line]
FAILURES: dict[str, Said] = {
    "quotes the key": lambda r: error(401, f"Incorrect API key provided: {bearer(r)}."),
    "quotes the header": lambda r: error(403, f"Authorization: Bearer {bearer(r)}"),
    "in the code": lambda r: error(400, "no", code=bearer(r)),
    "all headers": lambda r: error(500, headers(r)),
    "a page": lambda r: raw(page(r), status=502),
    "a page that is taken for an answer": lambda r: raw(page(r)),
    "plain text": lambda r: raw(headers(r).encode(), "text/plain", 500),
    "broken JSON": lambda r: raw(json.dumps({"error": headers(r)}).encode()[:-2], "text/json", 400),
    "an answer that is broken JSON": lambda r: raw(f'{{"x": "{bearer(r)}'.encode(), "text/json"),
    "an answer in another shape": lambda r: raw(
        json.dumps({"output": bearer(r), "choices": bearer(r), "content": bearer(r)}).encode(),
        "application/json",
    ),
    "its headers": lambda r: error(
        429, "slow down", headers={"set-cookie": f"k={bearer(r)}", "x-request-id": bearer(r)}
    ),
    "a wait": lambda r: error(429, "slow down", headers={"retry-after": bearer(r)}),
    "a content type": lambda r: raw(b"no", f"text/{bearer(r)}"),
    "a broken event": lambda r: raw(f"data: {bearer(r)}\n\n".encode(), "text/event-stream"),
    "an event in another shape": lambda r: raw(
        b"data: " + json.dumps({"type": bearer(r), "choices": bearer(r)}).encode() + b"\n\n",
        "text/event-stream",
    ),
    "an error in a stream": lambda r: fails("Well.", f"bad key {bearer(r)}", code="server_error"),
    "a stream that ends early": lambda r: cut([Text(text=bearer(r))], keep=4),
    "a connection that closes": lambda r: closes([Text(text=bearer(r))], keep=4),
    "an address to go to": lambda r: error(
        307, headers={"location": f"http://127.0.0.1:1/?key={bearer(r)}"}
    ),
    "an address that is none": lambda r: error(308, headers={"location": f"://{bearer(r)}"}),
}

ANSWERS: dict[str, Said] = {
    "text": lambda r: f"Your key is {bearer(r)}, and\n{headers(r)}",
    "reasoning": lambda r: [Thinking(text=bearer(r), provider="any"), "Well."],
    "arguments": lambda r: [
        ToolUse(id="1", name="look", arguments={"where": bearer(r), bearer(r): [bearer(r)]})
    ],
    "names": lambda r: [ToolUse(id=bearer(r), name=bearer(r), arguments={})],
    "no arguments": lambda r: [ToolUse(id="1", name="look", malformed=f'{{"{bearer(r)}')],
    "its name": lambda r: Reply(parts=(Text(text="Well."),), model=bearer(r)),
}


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, secret in PLANTED.items():
        monkeypatch.setenv(variable, secret)


@pytest.fixture(autouse=True)
def nothing_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """After each test: no secret on the screen, in any log at any level, or in any file."""
    with caplog.at_level(0):
        for logger in list(logging.Logger.manager.loggerDict):
            caplog.set_level(1, logger)
        yield
    logs = "\n".join(f"{r.name} {r.getMessage()} {r.__dict__}" for r in caplog.records)
    out, err = capfd.readouterr()
    found = leaks("stdout", out) + leaks("stderr", err) + leaks("log", logs) + every_file(tmp_path)
    assert found == []


@asynccontextmanager
async def model_at(server: Server, name: str) -> AsyncIterator[Model]:
    """A model that has its provider's key as an argument, or any server's in the environment."""
    variable = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
    key = KEYS.get(variable.get(name.partition(":")[0], ""))
    model = resolve(name, base_url=server.base_url, key=key)
    try:
        yield model
    finally:
        await close(model)


def shown(failure: BaseException) -> str:
    """All that tools for finding mistakes show of an exception, variables included."""
    full = "".join(TracebackException.from_exception(failure, capture_locals=True).format())
    chain: list[object] = [failure, failure.__cause__, failure.__context__]
    values = "\n".join(f"{one!r} {one!s} {getattr(one, 'args', '')!r}" for one in chain)
    return full + values


@each
@plain_and_streamed
@pytest.mark.asyncio
async def test_what_a_failing_server_says_back_is_not_repeated(name: str, stream: bool) -> None:
    found = []
    async with loopback(list(FAILURES.values())) as server, model_at(server, name) as model:
        for way in FAILURES:
            with pytest.raises(ModelError) as caught:
                await model.complete(ASK._replace(delta=print) if stream else ASK)
            found += leaks(f"{way}: {caught.value}", shown(caught.value))
    assert found == []


@each
@pytest.mark.asyncio
async def test_a_secret_is_not_half_told_where_a_long_message_is_cut(name: str) -> None:
    cuts = range(270, 305)
    lines: list[Said] = [lambda r, n=n: error(400, "x " * n + bearer(r)) for n in cuts]  # type: ignore[misc]
    async with loopback(lines) as server, model_at(server, name) as model:
        for _ in cuts:
            with pytest.raises(ModelError, match="x x x") as caught:
                await model.complete(ASK)
            assert leaks("error", str(caught.value)) == []


@each
@plain_and_streamed
@pytest.mark.parametrize("chop", [None, 7])
@pytest.mark.asyncio
async def test_an_answer_that_holds_the_key_is_kept_without_it(
    name: str, stream: bool, chop: int | None
) -> None:
    async with (
        loopback(list(ANSWERS.values()), chop=chop) as server,
        model_at(server, name) as model,
    ):
        for way in ANSWERS:
            pieces: list[str] = []
            reply = await model.complete(ASK._replace(delta=pieces.append) if stream else ASK)
            assert leaks(way, repr(reply) + reply.model_dump_json()) == []
            assert "[key]" in reply.model_dump_json(), way
            assert leaks("pieces", "".join(pieces)) == []
            assert not stream or "".join(pieces) == reply.text


@each
@pytest.mark.asyncio
async def test_runs_and_what_they_leave_behind_hold_no_secret(name: str, tmp_path: Path) -> None:
    """The journal with its log, a cache and a cassette; the fixture looks into all files."""
    lines = [*FAILURES.values(), *ANSWERS.values()]
    async with loopback(lines) as server, model_at(server, name) as model:
        for number in range(len(lines)):
            kept: Model = model
            if number % 3:
                folder = tmp_path / f"{number}"
                kept = Cached(model, folder) if number % 2 else Cassette(model, folder / "tape")
            result = await Workflow(Role("oracle"), model=kept).run(
                f"What is {number}?", journal=f"sqlite:{tmp_path / 'journal.db'}"
            )
            assert leaks("result", f"{result!r} {result.text} {result.message}") == []
        assert server.left == 0


@each
def test_a_model_shows_no_key_and_is_not_written_down(name: str) -> None:
    key = KEYS["OPENAI_API_KEY"]
    for given in (None, key):
        model = resolve(name, base_url="http://127.0.0.1:1/v1", key=given)
        assert leaks("model", f"{model!r} {Retrying(model)!r} {model!s}") == []
        with pytest.raises(TypeError, match="may hold a key"):
            pickle.dumps(model)


@each
@pytest.mark.asyncio
async def test_what_belongs_to_one_company_is_not_sent_to_another(name: str) -> None:
    async with loopback(["Well."]) as server, model_at(server, name) as model:
        await model.complete(ASK)
    sent = headers(server.requests[0])
    home = name.partition(":")[0]
    foreign = {
        "openai": ("ANTHROPIC", "HIVE", "OPENAI_ADMIN", "OPENAI_WEBHOOK"),
        "openai-chat": ("ANTHROPIC", "OPENAI_ADMIN", "OPENAI_WEBHOOK"),
        "anthropic": ("OPENAI", "HIVE", "ANTHROPIC_AUTH"),
        "compatible": ("OPENAI", "ANTHROPIC"),
    }[home]
    own = [v for k, v in PLANTED.items() if not k.startswith(foreign)]
    others = [v for k, v in PLANTED.items() if k.startswith(foreign) and v not in own]
    assert [v for v in others if v.removeprefix("x-gateway: ") in sent] == []


@each
@pytest.mark.asyncio
async def test_a_server_that_sends_calls_elsewhere_is_not_followed(name: str) -> None:
    async with loopback() as elsewhere:
        there = error(307, headers={"location": f"{elsewhere.base_url}/responses"})
        async with loopback([there]) as server, model_at(server, name) as model:
            with pytest.raises(RequestRefused, match="elsewhere"):
                await model.complete(ASK)
    assert elsewhere.connections == 0


@each
@pytest.mark.asyncio
async def test_the_password_of_a_proxy_is_not_told(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with loopback(lambda r: error(407, "who are you?")) as proxy:
        go_through(proxy, monkeypatch)
        for where in ("http://127.0.0.1:1/v1", "https://127.0.0.1:1/v1"):
            model = resolve(name, base_url=where, key=KEYS["HIVE_API_KEY"])
            with pytest.raises(ModelError) as caught:
                await model.complete(ASK)
            assert leaks("error", shown(caught.value)) == []
            await close(model)
        assert proxy.connections > 0


def go_through(proxy: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all connections made over a proxy that wants a password."""
    address = proxy.base_url.removesuffix("/v1").replace("//", f"//me:{PROXY}@")
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(variable, address)


TEAM = """
from hive import Role, Workflow
team = Workflow(Role("oracle", "Answer."), model="{name}")
"""
ASKING = (
    ("run", "./oracle.py:team", "Who are you?", "--verbose"),
    ("run", "./oracle.py:team", "Who are you?", "--json"),
    ("models", "./oracle.py:team"),
)
READING = (("show", "last"), ("show", "last", "--json"), ("runs", "--json"))
"""They tell what the journal holds, whoever was asked: for one backend they are run too."""


@each_sdk
@pytest.mark.asyncio
async def test_the_command_tells_no_secret_with_every_log_at_its_loudest(
    name: str, tmp_path: Path
) -> None:
    def said(received: Received) -> Line:
        return error(401, headers(received)) if len(server.requests) == 1 else headers(received)

    async with loopback(said) as server:
        (tmp_path / "oracle.py").write_text(TEAM.format(name=name), "utf-8")
        addresses = ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "HIVE_BASE_URL")
        loud = dict.fromkeys(("HIVE_LOG", "OPENAI_LOG", "ANTHROPIC_LOG"), "debug")
        environment = {**os.environ, **dict.fromkeys(addresses, server.base_url), **loud}
        ends = []
        for command in (*ASKING, *(READING if name == BACKENDS[0] else ())):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "hive", *command),
                cwd=tmp_path,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await process.communicate()
            assert leaks(f"{command} out", out) + leaks(f"{command} err", err) == []
            ends.append(process.returncode)
            if command[0] == "run" and len(ends) == 2:
                assert b"[key]" in out
    assert ends == [1, *(0 for _ in ends[1:])], err
    assert len(server.requests) == 2
    assert every_file(tmp_path / ".hive") == []
    journal = b"".join(path.read_bytes() for path in (tmp_path / ".hive").iterdir())
    assert b"[key]" in journal
