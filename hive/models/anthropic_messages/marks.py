"""Marks for the prompt cache in a request of the Messages API (models floor)."""

from typing import Any

from hive.models.caching import LOOK_BACK, Ends

__all__ = ["MARK", "marked"]

MARK = {"type": "ephemeral"}
"""For five minutes, which each reading renews; an hour would cost more than budgets reserve."""

MARKABLE = ("text", "image", "document", "tool_use", "tool_result")


def marked(params: dict[str, Any], found: Ends) -> dict[str, Any]:
    """The parameters with at most four marks: behind the instructions, which follow the tools;
    behind the stable parts; at the end; and where an earlier request ended, if it can be known: at
    the end of the step before, else so far before the end of the stable parts that more new entries
    than a mark looks back over are bridged."""
    messages: list[dict[str, Any]] = params["messages"]
    if found.system:
        text = {"type": "text", "text": params["system"], "cache_control": MARK}
        params = {**params, "system": [text]}
    steps = [at for at, message in enumerate(messages) if message["role"] == "assistant"]
    if found.stable:
        mark(messages[0]["content"], found.stable - 1)
    if found.stable > LOOK_BACK and not steps:
        mark(messages[0]["content"], found.stable - LOOK_BACK)
    if found.last and messages:
        mark(messages[-1]["content"], -1)
    if found.last and steps and steps[-1]:
        mark(messages[steps[-1] - 1]["content"], -1)
    return params


def mark(blocks: list[dict[str, Any]], at: int) -> None:
    if blocks[at].get("type") in MARKABLE:
        blocks[at] = {**blocks[at], "cache_control": MARK}
