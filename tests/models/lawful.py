"""What each wire format demands of a conversation, as a check of the JSON that was sent.

Written from the providers' references and from what their servers say when they refuse, apart from
the code that sends.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["LAWS", "check_chat", "check_messages", "check_responses"]

Turn = dict[str, Any]
PICTURES = re.compile(r"image/(png|jpeg|gif|webp)")
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
ENCODED = re.compile(r"data:([^;]+);base64,[A-Za-z0-9+/]*={0,2}")


def check_words(text: object) -> None:
    assert isinstance(text, str)
    assert text.strip(), "empty text"


def check_ids(calls: list[str], results: list[str]) -> None:
    assert len(set(calls)) == len(calls), "an id is used twice"
    assert sorted(calls) == sorted(results), "calls and results do not pair"


def encoded_type(address: str) -> str:
    found = ENCODED.fullmatch(address)
    assert found, "no data URL"
    return found[1]


# Responses


def check_responses(body: Turn, own: list[Turn]) -> None:
    """Items: calls with outputs behind them, reasoning unchanged and before what it led to."""
    items = body["input"]
    assert items
    assert items[0].get("role") == "user"
    calls: list[str] = []
    results: list[str] = []
    for place, item in enumerate(items):
        kind = item.get("type", "message")
        if kind == "message":
            check_said(item)
            assert is_answer(item) or len(calls) == len(results), "words before a call's output"
        elif kind == "reasoning":
            assert item in own, "not the provider's own reasoning, or changed"
            assert is_answer(items[place + 1]), "reasoning that nothing follows"
        elif kind == "function_call":
            assert NAME.fullmatch(item["name"])
            assert 1 <= len(item["call_id"]) <= 64
            assert isinstance(json.loads(item["arguments"]), dict)
            calls.append(item["call_id"])
        else:
            assert kind == "function_call_output"
            assert item["call_id"] in calls, "an output before its call"
            results.append(item["call_id"])
            if not isinstance(item["output"], str):
                for part in item["output"]:
                    check_input(part)
    check_ids(calls, results)
    assert not is_answer(items[-1])


def is_answer(item: Turn) -> bool:
    made = item.get("type") in ("reasoning", "function_call")
    return made or item.get("role") == "assistant"


def check_said(item: Turn) -> None:
    assert item["role"] in ("user", "assistant")
    if isinstance(item["content"], str):
        check_words(item["content"])
        return
    assert item["role"] == "user", "an assistant says text alone"
    assert item["content"]
    for part in item["content"]:
        check_input(part)


def check_input(part: Turn) -> None:
    match part["type"]:
        case "input_text":
            check_words(part["text"])
        case "input_image":
            assert PICTURES.fullmatch(encoded_type(part["image_url"]))
        case "input_file":
            assert part["filename"]
            assert not encoded_type(part["file_data"]).startswith(("image/", "audio/", "text/"))
        case other:
            raise AssertionError(other)


# Chat Completions


def check_chat(body: Turn, own: list[Turn]) -> None:
    """Turns that alternate, each call answered at once by a message of its own."""
    turns = [turn for turn in body["messages"] if turn["role"] != "system"]
    assert turns
    assert turns[0]["role"] == "user"
    assert turns[-1]["role"] in ("user", "tool")
    waiting: list[str] = []
    calls: list[str] = []
    before = ""
    for turn in turns:
        match turn["role"]:
            case "user":
                assert not waiting
                assert before != "user"
                check_content(turn["content"])
            case "tool":
                assert turn["tool_call_id"] in waiting, "a result without its call"
                waiting.remove(turn["tool_call_id"])
                assert isinstance(turn["content"], str)
            case "assistant":
                assert not waiting
                assert before in ("user", "tool")
                waiting = check_answer(turn, own)
                calls += waiting
            case other:
                raise AssertionError(other)
        before = turn["role"]
    assert not waiting
    check_ids(calls, calls)


def check_answer(turn: Turn, own: list[Turn]) -> list[str]:
    uses = turn.get("tool_calls")
    if turn["content"] is None:
        assert uses, "an answer that says nothing"
    else:
        check_words(turn["content"])
    thoughts = [thought["reasoning_content"] for thought in own]
    for thought in turn.get("reasoning_content", "").splitlines():
        assert f"{thought}\n" in thoughts, "not the provider's own reasoning, or changed"
    for use in uses or ():
        assert use["type"] == "function"
        assert NAME.fullmatch(use["function"]["name"])
        assert 1 <= len(use["id"]) <= 64
        assert isinstance(json.loads(use["function"]["arguments"]), dict)
    return [use["id"] for use in uses or ()]


def check_content(content: object) -> None:
    if isinstance(content, str):
        check_words(content)
        return
    assert isinstance(content, list)
    assert content
    for part in content:
        match part["type"]:
            case "text":
                check_words(part["text"])
            case "image_url":
                assert PICTURES.fullmatch(encoded_type(part["image_url"]["url"]))
            case "file":
                assert part["file"]["filename"]
                assert encoded_type(part["file"]["file_data"]) == "application/pdf"
            case "input_audio":
                assert part["input_audio"]["format"] in ("mp3", "wav")
            case other:
                raise AssertionError(other)


# Messages


def check_messages(body: Turn, own: list[Turn]) -> None:
    """Turns that alternate; results first in the turn after their calls, and for each of them."""
    turns = body["messages"]
    assert turns
    roles = [turn["role"] for turn in turns]
    assert roles == ["user", "assistant"] * (len(turns) // 2) + ["user"]
    calls: list[str] = []
    waiting: list[str] = []
    for turn in turns:
        blocks = turn["content"]
        assert isinstance(blocks, list)
        assert blocks
        kinds = [block["type"] for block in blocks]
        if turn["role"] == "user":
            results = [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]
            assert kinds[: len(results)] == ["tool_result"] * len(results), "results come first"
            check_ids(waiting, results)
            waiting = []
        else:
            assert kinds[-1] != "thinking"
            waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
            calls += waiting
        for block in walked(blocks):
            check_block(block, own)
    check_ids(calls, calls)


def walked(blocks: list[Turn]) -> Iterator[Turn]:
    for block in blocks:
        yield block
        if block["type"] == "tool_result" and isinstance(block["content"], list):
            yield from block["content"]


def check_block(block: Turn, own: list[Turn]) -> None:
    match block["type"]:
        case "text":
            check_words(block["text"])
        case "thinking":
            assert block in own, "not the provider's own thinking, or changed"
        case "tool_use":
            assert re.fullmatch(r"[a-zA-Z0-9_-]+", block["id"])
            assert NAME.fullmatch(block["name"])
            assert isinstance(block["input"], dict)
        case "tool_result":
            assert isinstance(block["content"], str | list)
        case "image":
            assert PICTURES.fullmatch(block["source"]["media_type"])
            assert block["source"]["type"] == "base64"
        case "document":
            assert block["source"]["media_type"] == "application/pdf"
        case other:
            raise AssertionError(other)


LAWS: dict[str, Callable[[Turn, list[Turn]], None]] = {
    "openai": check_responses,
    "openai-chat": check_chat,
    "anthropic": check_messages,
}
