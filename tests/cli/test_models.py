"""`hive models`: who gets what and why, what is known of models, and whether they answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from hive.message import Reply, Text, ToolUse, Usage
from hive.testing.faults import error
from hive.testing.loopback import loopback
from tests.cli.conftest import Here

KEYS = {"file", "providers", "models", "configured", "seats", "unused", "checked"}
REPORT = ToolUse(id="1", name="report", arguments={"word": "here"})


def configure(here: Here, text: str) -> Path:
    path = here.folder / "hive.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_key_is_never_shown(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret-value")
    answer = here.hive("models")
    assert "OPENAI_API_KEY is set" in answer.out
    assert "ANTHROPIC_API_KEY is not set" in answer.out
    assert "none needed (OLLAMA_API_KEY)" in answer.out
    shown = here.hive("models", "--json")
    assert "secret-value" not in answer.out + shown.out
    assert set(shown.json) == KEYS
    providers = {provider["name"]: provider for provider in shown.json["providers"]}
    assert providers["openai"]["set"] is True
    assert providers["anthropic"]["set"] is False
    assert providers["ollama"]["address"] == "http://127.0.0.1:11434/v1"
    assert providers["azure"]["address"] is None


def test_prices_are_known_and_what_is_unknown_is_said(here: Here) -> None:
    answer = here.hive("models", "openai:gpt-5-mini", "openai:unheard-of", "team:scribes")
    assert "$0.25 in, $2 out, $0.025 cached per million tokens; window 400,000" in answer.out
    assert "price unknown, so that a budget in dollars refuses it; window unknown" in answer.out
    assert "program:drafts" in answer.out
    known = here.hive("models", "openai:gpt-5-mini", "--json").json["models"]
    assert known == [
        {
            "name": "openai:gpt-5-mini", "window": 400_000, "max_output": None,
            "input_usd": 0.25, "output_usd": 2.0, "cached_read_usd": 0.025,
            "cache_write_usd": 0.25, "abilities": None, "tier": None, "known": True, "yours": [],
        }
    ]  # fmt: skip


def test_each_role_has_a_model_a_reason_and_a_source(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = configure(here, '[models]\nsleeper = "ollama:s"\nsmall = "ollama:m"')
    monkeypatch.setenv("HIVE_MODEL", "ollama:e")
    shown = here.hive("models", "team:chain", "--model", "large=ollama:l", "--json").json
    assert shown["file"] == str(path)
    assert [(s["role"], s["model"], s["source"]) for s in shown["seats"]] == [
        ("guest", "ollama:m", "hive.toml"),
        ("guest", "ollama:l", "--model"),
        ("sleeper", "ollama:s", "hive.toml"),
    ]
    assert shown["unused"] == [
        {
            "key": "*", "model": "ollama:e", "source": "HIVE_MODEL",
            "why": "nobody is left for it",
        }
    ]  # fmt: skip
    told = here.hive("models", "team:chain", "--model", "large=ollama:l").out
    assert "tier 'small' for trivial and simple work; hive.toml" in told
    assert "HIVE_MODEL: * = ollama:e" in told


def test_with_no_argument_it_is_the_configured_models_that_are_told_of(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(here, '[models]\nsmall = "ollama:m"\n"*" = "ollama:m > openai:gpt-5-mini"')
    monkeypatch.setenv("HIVE_MODEL_SMALL", "ollama:e")
    shown = here.hive("models", "--json").json
    assert shown["configured"] == [
        {"key": "small", "model": "ollama:m", "source": "hive.toml"},
        {"key": "*", "model": "ollama:m > openai:gpt-5-mini", "source": "hive.toml"},
        {"key": "small", "model": "ollama:e", "source": "HIVE_MODEL_SMALL"},
    ]
    assert [known["name"] for known in shown["models"]] == [
        "ollama:m", "openai:gpt-5-mini", "ollama:e",
    ]  # fmt: skip
    assert "HIVE_MODEL_SMALL" in here.hive("models").out


def test_what_nobody_goes_by_is_listed_with_what_may_have_been_meant(here: Here) -> None:
    configure(here, '[models]\nslepeer = "ollama:a"\nwriter = "ollama:b"\n"*" = "ollama:c"')
    unused = {
        u["key"]: u["why"] for u in here.hive("models", "team:chain", "--json").json["unused"]
    }
    assert set(unused) == {"slepeer", "writer"}
    assert unused["slepeer"].startswith("no role or tier here; did you mean 'sleeper'? there are")
    whole = {
        u["key"]: u["why"] for u in here.hive("models", "team:scribes", "--json").json["unused"]
    }
    assert whole["writer"] == "the workflow says another"
    assert whole["*"] == "nobody is left for it"


def test_what_the_user_says_of_a_model_is_marked(here: Here) -> None:
    configure(
        here,
        '[cards."openai:gpt-5-mini"]\ninput_usd = 1\noutput_usd = 3.5\nabilities = ["tools"]\n'
        '[providers.rack]\nbase_url = "http://rack:8000/v1"\nkey = "RACK_KEY"',
    )
    shown = here.hive("models", "openai:gpt-5-mini > rack:qwen3", "--json").json
    mini, qwen = shown["models"]
    assert (mini["input_usd"], mini["output_usd"], mini["window"]) == (1.0, 3.5, 400_000)
    assert mini["yours"] == ["prices", "abilities"]
    assert qwen["name"] == "compatible:qwen3@http://rack:8000/v1#RACK_KEY"
    rack = shown["providers"][0]
    assert (rack["name"], rack["key"], rack["set"], rack["yours"]) == (
        "rack", "RACK_KEY", False, True,
    )  # fmt: skip
    told = here.hive("models", "openai:gpt-5-mini").out
    assert "abilities tools; yours: prices, abilities" in told


def test_a_card_of_the_file_makes_a_cap_on_money_possible(here: Here) -> None:
    refused = here.hive("run", "team:chain", "x", "--model", "ollama:q", "--budget", "1")
    assert refused.code == 2
    assert '[cards."ollama:q"] in hive.toml' in refused.err


def test_it_fits_into_eighty_columns(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    configure(here, '[models]\n"*" = "compatible:a-rather-long-name@http://10.0.0.12:8000/v1"')
    out = here.hive("models", "team:chain").out
    lines = [line.rstrip() for line in out.splitlines()]
    assert "compatible:a-rather-long" in out
    plain = [
        line.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "") for line in lines
    ]
    assert max(map(len, plain)) <= 80


async def checked(here: Here, *arguments: str) -> tuple[int, dict[str, Any]]:
    """What the real command says, while a server of this process answers it."""
    answer = await anyio.to_thread.run_sync(
        lambda: here.really("models", "--check", "--json", *arguments)
    )
    assert answer.out, answer.err
    return answer.code, json.loads(answer.out)


@pytest.mark.asyncio
async def test_one_call_shows_what_a_model_can(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", "planted-key")
    usage = Usage(input=52, output=18)
    good = Reply(parts=(Text(text="I am here, as you see."), REPORT), stop="tools", usage=usage)
    async with loopback([good]) as server:
        configure(here, f'[providers.lab]\nbase_url = "{server.base_url}"\nkey = "LAB_KEY"')
        code, shown = await checked(here, "lab:qwen3")
    assert code == 0
    (trial,) = shown["checked"]
    assert trial["model"] == f"compatible:qwen3@{server.base_url}#LAB_KEY"
    assert (trial["ok"], trial["asked"], trial["problem"]) == (True, True, None)
    assert (trial["tools"], trial["stop"], trial["served_as"]) == (True, "tools", "qwen3")
    assert trial["pieces"] > 1
    assert 0 < trial["first_seconds"] <= trial["seconds"]
    assert (trial["input_tokens"], trial["output_tokens"], trial["estimated"]) == (52, 18, False)
    assert trial["cost_usd"] is None
    (request,) = server.requests
    assert request.tools == ["report"]
    assert request["max_tokens"] <= 256
    assert request.headers["authorization"] == "Bearer planted-key"
    assert "planted-key" not in json.dumps(shown)


@pytest.mark.asyncio
async def test_what_fails_is_said_in_the_servers_words_and_ends_with_one(here: Here) -> None:
    script = {
        "chat": [error(404, "model 'qwen3' is not loaded")],
        "responses": ["I am here."],
        "messages": [error(529, "overloaded for now")],
    }
    async with loopback(script) as server:  # type: ignore[arg-type]  # lines of several kinds
        at = f"@{server.base_url}"
        code, shown = await checked(
            here, f"compatible:qwen3{at}", f"openai:x{at}", f"anthropic:y{at}", "openai:gpt-5-mini"
        )
        assert len(server.requests) == 3
    assert code == 1
    lost, text, busy, keyless = shown["checked"]
    assert "model 'qwen3' is not loaded" in lost["problem"]
    assert (text["ok"], text["tools"], text["stop"]) == (True, False, "end")
    assert "overloaded for now" in busy["problem"]
    assert "set OPENAI_API_KEY" in keyless["problem"]
    assert keyless["asked"] is False


@pytest.mark.asyncio
async def test_the_models_of_a_workflow_are_asked_once_each_and_programs_never(here: Here) -> None:
    def answer(received: Any) -> Any:
        return ["I am here.", REPORT]

    async with loopback(answer) as server:
        at = f"@{server.base_url}"
        configure(
            here, f'[models]\n"*" = "compatible:a{at} > compatible:b{at}"\nsmall = "ollama:no"'
        )
        code, shown = await checked(here, "team:chain", "--model", f"small=compatible:a{at}")
        assert sorted(request["model"] for request in server.requests) == ["a", "b"]
    assert code == 0
    assert [trial["tools"] for trial in shown["checked"]] == [True, True]
    code, shown = await checked(here, "team:scribes")
    assert (code, shown["checked"]) == (0, [])


@pytest.mark.asyncio
async def test_a_check_reads_well(here: Here) -> None:
    async with loopback({"chat": ["I am here."], "responses": [error(401, "who?")]}) as server:
        names = (f"compatible:a@{server.base_url}", f"openai:b@{server.base_url}")
        answer = await anyio.to_thread.run_sync(
            lambda: here.really("models", "--check", *names, "openai:c")
        )
    assert answer.code == 1
    assert f"✓ compatible:a@{server.base_url}" in answer.out
    assert "answered in text, did not call the tool" in answer.out
    assert f"✗ openai:b@{server.base_url}" in answer.out
    assert "It says: who?" in answer.out
    assert "not asked: openai:c needs an API key: set OPENAI_API_KEY" in answer.out
