"""How much a Claude model may think, from the setting `effort` (models floor).

Newer models decide for themselves, guided by a level of effort; older ones are given a number of
tokens. Which is which is known by name, and a model that turns out to be of the other kind is asked
in the other way from then on.
"""

from typing import Any

from hive.errors import RequestRefused
from hive.message import Request, Thinking, ToolResult

__all__ = ["ADAPTIVE", "can_be_forced", "thinking"]

ADAPTIVE = "adaptive"

THOUGHTLESS = ("claude-2", "claude-3-5", "claude-3-h", "claude-3-o", "claude-3-s", "claude-v1")
BY_TOKENS = (
    *("claude-3-7", "claude-opus-4-0", "claude-opus-4-1", "claude-opus-4-2", "claude-4-"),
    *("claude-opus-4-5", "claude-sonnet-4-0", "claude-sonnet-4-2", "claude-sonnet-4-5"),
    "claude-haiku-4-5",
)
UNFORCED = (
    *("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"),
    *("claude-fable", "claude-mythos"),
)
"""The models that refuse to be made to call a tool, most of them as they always think."""

LEAST = 1024
"""Tokens of thinking that must be allowed if any are."""
EIGHTHS = {"minimal": 1, "low": 2, "medium": 4, "high": 6, "xhigh": 7, "max": 7}
"""How much of the output may be thinking; the rest is for the answer."""


def can_be_forced(model: str, request: Request) -> bool:
    """Whether the model can be made to call a tool; not while it is asked to think."""
    return request.settings.effort in (None, "none") and not model.startswith(UNFORCED)


def thinking(model: str, request: Request, adapts: bool) -> dict[str, Any]:
    """The parameters for the request's effort; none where it sets none.

    "none" switches thinking off. Any other level asks for it, with a summary of the thoughts where
    the model would keep them to itself. Raises `RequestRefused` for a model that cannot think, and
    for a temperature beside it.
    """
    effort = request.settings.effort
    if effort is None:
        return {}
    if effort == "none":
        return {} if model.startswith(THOUGHTLESS) else {"thinking": {"type": "disabled"}}
    if model.startswith(THOUGHTLESS):
        raise RequestRefused(f"{model} cannot think; leave the effort out of the role's settings")
    if request.settings.temperature is not None:
        raise RequestRefused(
            f"{model} takes no temperature while it thinks; leave the temperature or the effort out"
            " of the role's settings"
        )
    if adapts and not model.startswith(BY_TOKENS):
        return {
            "thinking": {"type": ADAPTIVE, "display": "summarized"},
            "output_config": {"effort": "low" if effort == "minimal" else effort},
        }
    tokens = max(LEAST, request.max_output * EIGHTHS[effort] // 8)
    if tokens >= request.max_output or not continues(request):
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": tokens}}


def continues(request: Request) -> bool:
    """Whether what the model said last begins with thoughts, as it must when tools have answered.
    It does not where another provider's model said it, whose thoughts are not shown."""
    said = [message for message in request.messages if message.role == "assistant"]
    if not said or not any(isinstance(part, ToolResult) for part in request.messages[-1].parts):
        return True
    first = said[-1].parts[0] if said[-1].parts else None
    return isinstance(first, Thinking)
