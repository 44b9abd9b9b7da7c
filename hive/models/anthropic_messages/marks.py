"""Marks for the prompt cache in a request of the Messages API (models floor)."""

from typing import Any

from hive.message import Message, Request
from hive.models.anthropic_messages.sending import conversation
from hive.models.caching import LOOK_BACK, Ends

__all__ = ["MARK", "marked"]

MARK = {"type": "ephemeral"}
"""For five minutes, which each reading renews; an hour would cost more than budgets reserve."""

MARKABLE = ("text", "image", "document", "tool_use", "tool_result")


def marked(params: dict[str, Any], request: Request, found: Ends) -> dict[str, Any]:
    """The parameters with at most four marks: behind the instructions, which follow the tools;
    behind the stable parts; at the end; and where an earlier request ended, if it can be known: at
    the end of the step before, else so far before the end of the stable parts that more new entries
    than a mark looks back over are bridged."""
    messages: list[dict[str, Any]] = params["messages"]
    if found.system:
        text = {"type": "text", "text": params["system"], "cache_control": MARK}
        params = {**params, "system": [text]}
    steps = [at for at, message in enumerate(messages) if message["role"] == "assistant"]
    stable = stable_blocks(request, messages, found.stable) if found.stable else 0
    if stable:
        mark(messages[0]["content"], stable - 1)
    if stable > LOOK_BACK and not steps:
        mark(messages[0]["content"], stable - LOOK_BACK)
    if found.last and messages:
        mark(messages[-1]["content"], -1)
    if found.last and steps and steps[-1]:
        mark(messages[steps[-1] - 1]["content"], -1)
    return params


def stable_blocks(request: Request, messages: list[dict[str, Any]], stable: int) -> int:
    """How many blocks the stable parts have become; 0 where that cannot be told, as the first
    message has been joined with the next."""
    first, *others = request.messages
    if first.role != "user" or (others and others[0].role != "assistant"):
        return 0
    rest = conversation([Message("user", first.parts[stable:])])
    return len(messages[0]["content"]) - sum(len(message["content"]) for message in rest)


def mark(blocks: list[dict[str, Any]], at: int) -> None:
    if blocks[at].get("type") in MARKABLE:
        blocks[at] = {**blocks[at], "cache_control": MARK}
