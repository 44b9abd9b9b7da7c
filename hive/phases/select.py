"""Phase three (floor 5): what a reply means. Every reply becomes actions, an invalid one too."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pydantic import ValidationError

from hive.board.contributions import Attachment
from hive.board.payload import Payload
from hive.board.records import FaultCode, Inference
from hive.message import ToolUse
from hive.phases.brief import HANDOFF, PASS, POST, is_text, post_name
from hive.role import Role
from hive.tools.tool import Tool

__all__ = ["Action", "Contribute", "GoOn", "HandOff", "Invalid", "Pass", "UseTool", "select"]


@dataclass(frozen=True, slots=True)
class Contribute:
    """Post a payload; `use` is the tool use that asked for it, None for a final answer and for an
    image or a file that was made `beside` what the reply says."""

    payload: Payload
    use: ToolUse | None = None
    beside: bool = False


@dataclass(frozen=True, slots=True)
class UseTool:
    """Call a tool."""

    tool: Tool
    use: ToolUse


@dataclass(frozen=True, slots=True)
class HandOff:
    """Ask that another role go on."""

    to: str
    reason: str
    use: ToolUse


@dataclass(frozen=True, slots=True)
class Pass:
    """End the turn with nothing more to say."""

    reason: str
    use: ToolUse | None = None


@dataclass(frozen=True, slots=True)
class GoOn:
    """Let a model go on that was stopped in the middle: what it has said so far is no answer."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """A reply, or a part of one, that breaks the rules; `message` tells its author what to mend."""

    code: FaultCode
    message: str
    use: ToolUse | None = None
    final: bool = False


Action = Contribute | UseTool | HandOff | Pass | GoOn | Invalid


def select(
    role: Role, inference: Inference, targets: tuple[str, ...], contributed: bool
) -> tuple[Action, ...]:
    """The actions that a reply asks for, in order.

    `contributed` says whether the strand has already posted something, so that it may end with a
    text that is no contribution.
    """
    uses = [part for part in inference.parts if part.type == "tool_use"]
    if inference.stop in ("refusal", "filter"):
        return (Invalid("refusal", refused(inference), final=True),)
    if role.program is not None:
        return tuple(contribute(role, use) for use in uses) or (Pass("nothing to add"),)
    if inference.stop == "overflow":
        message = (
            "the model's window is full and cut its reply off; asked again with more it could say"
            " less still; give the role a model with a larger window, or a smaller view"
        )
        return (Invalid("truncated", message, final=True),)
    if inference.stop == "length":
        message = "your reply was cut off at the output limit; answer again, shorter"
        return tuple(Invalid("truncated", message, use) for use in uses) or (
            Invalid("truncated", message),
        )
    made = attached(inference) if Attachment in role.writes else ()
    if uses:  # what they give is told back in their order, so that they come first
        return (*[selected(role, use, targets) for use in uses], *made)
    if inference.stop == "pause":
        return (*made, GoOn())
    text = text_of(inference)
    if made and not text:
        return (*made, Pass(""))
    return (*made, answered(role, text, contributed or bool(made)))


def refused(inference: Inference) -> str:
    """Who kept an answer from being given, and what was said of it."""
    text = text_of(inference)
    if inference.stop == "refusal":
        return f"the model refused: {text or 'the model gave no reason'}"
    so_far = f", after: {text}" if text else ""
    return f"a content filter of the provider cut the reply off{so_far}"


def attached(inference: Inference) -> tuple[Contribute, ...]:
    """The images and files of a reply, for a role that writes them."""
    return tuple(
        Contribute(Attachment.of(part), beside=True)
        for part in inference.parts
        if part.type == "media"
    )


def text_of(inference: Inference) -> str:
    return "\n".join([part.text for part in inference.parts if part.type == "text"]).strip()


def selected(role: Role, use: ToolUse, targets: tuple[str, ...]) -> Action:
    """What one tool use means."""
    if use.malformed is not None:
        return Invalid(
            "malformed_arguments",
            f"the arguments of {use.name} are no JSON object: {use.malformed[:300]!r}",
            use,
        )
    for tool in role.tools:
        if tool.name == use.name:
            return UseTool(tool, use)
    if use.name.startswith(POST):
        return contribute(role, use)
    if use.name == HANDOFF:
        return handed(role, use, targets)
    if use.name == PASS:
        return Pass(str(use.arguments.get("reason", "")), use)
    names = ", ".join(tool.name for tool in role.tools) or "none"
    return Invalid(
        "unknown_tool", f"role {role.name!r} has no tool {use.name!r}; it has {names}", use
    )


def handed(role: Role, use: ToolUse, targets: tuple[str, ...]) -> Action:
    to = str(use.arguments.get("to", ""))
    if to in targets:
        return HandOff(to, str(use.arguments.get("reason", "")), use)
    known = ", ".join(targets) or "nobody"
    return Invalid(
        "handoff_refused", f"role {role.name!r} cannot hand on to {to!r}, only to {known}", use
    )


def contribute(role: Role, use: ToolUse) -> Action:
    """A contribution by its tool: the kind must be declared and the arguments must fit it."""
    kind = use.name.removeprefix(POST)
    kinds = role.said if role.program is None else role.writes
    for cls in kinds:
        if post_name(cls) == use.name:
            return fitting(cls, partial(cls.model_validate_json, json.dumps(use.arguments)), use)
    allowed = ", ".join(sorted(cls.kind for cls in kinds)) or "none in words"
    return Invalid(
        "write_refused", f"role {role.name!r} may not write {kind}; it writes {allowed}", use
    )


def fitting(cls: type[Payload], read: Callable[[], Payload], use: ToolUse | None) -> Action:
    """A contribution if what was said can be read as one, else what is wrong with it."""
    try:
        return Contribute(read(), use)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'the whole'}: {e['msg']}" for e in error.errors()
        )
        return Invalid("invalid_output", f"this is no {cls.kind}: {problems}", use)


def answered(role: Role, text: str, contributed: bool) -> Action:
    """A reply without any tool use: the final answer."""
    final = role.final
    if final is None:
        if contributed:
            return Pass(text)
        kinds = ", ".join(post_name(cls) for cls in role.posted)
        if not kinds:
            return Invalid("empty_reply", "nothing was posted; answer with an image or a file")
        return Invalid(
            "empty_reply", f"nothing was posted; call {kinds}, or `{PASS}` with the reason"
        )
    if not text:
        return Invalid("empty_reply", f"the reply is empty; answer with the {final.kind}")
    if is_text(final):
        return fitting(final, partial(final.model_validate, {"text": text}), None)
    return fitting(final, partial(final.model_validate_json, unfenced(text)), None)


def unfenced(text: str) -> str:
    """The JSON object in a text, without the prose or the Markdown fence that some models cannot
    help putting around it; the text itself where there is none."""
    if text.startswith("{"):
        return text
    for brace in re.finditer(r"\{", text):
        try:
            _, end = json.JSONDecoder().raw_decode(text, brace.start())
        except (ValueError, RecursionError):
            continue
        return text[brace.start() : end]
    return text
