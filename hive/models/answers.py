"""Typed answers from servers that have no schemas for them (models floor).

Such an answer is asked for through a tool that must be called, or in words. Whether it fits is
judged by whoever reads it, as with every answer.
"""

import json
from dataclasses import dataclass

from hive.message import Part, Reply, Request, Text, Thinking, ToolForm, ToolUse
from hive.models.schema import form_name

__all__ = ["AnswerTool", "answer_tool", "by_instruction", "by_tool", "taken"]

BESIDE = "words beside an answer"
"""Whose thinking it is, so that it is shown to nobody again."""


@dataclass(frozen=True, slots=True)
class AnswerTool(ToolForm):
    """The tool that takes the final answer: it, or another tool of the request, must be called."""


def by_tool(request: Request) -> Request:
    """The same request, its typed answer given through a tool."""
    form = request.output
    assert form is not None
    name = form_name(form.name)
    while name in {tool.name for tool in request.tools}:
        name = f"{name[:60]}_out"
    says = "Give the final answer. Call it once, when nothing else is to be done."
    answer = AnswerTool(name, says, form.schema)
    return request._replace(tools=(*request.tools, answer), output=None)


def by_instruction(request: Request) -> Request:
    """The same request, the schema of its typed answer told in words."""
    form = request.output
    assert form is not None
    says = (
        f"Your final answer must be one JSON object and nothing else: no explanation, no Markdown."
        f" It must fit this JSON Schema of {form.name}:\n{json.dumps(form.schema)}"
    )
    system = f"{request.system}\n\n{says}" if request.system else says
    return request._replace(system=system, output=None)


def answer_tool(request: Request) -> AnswerTool | None:
    """The tool that takes the request's final answer, where it is asked for through one."""
    last = request.tools[-1] if request.tools else None
    return last if isinstance(last, AnswerTool) else None


def taken(reply: Reply, request: Request) -> Reply:
    """The reply with what was given to the answer tool as text, which listeners hear as a whole.

    Some servers let a model talk before it calls what it has to call. Such words are no part of the
    answer; they are kept as thinking.
    """
    answer = answer_tool(request)
    if answer is None or all(use.name != answer.name for use in reply.tool_uses):
        return reply
    parts = tuple(as_answer(part, answer.name) for part in reply.parts)
    for part in parts:
        if isinstance(part, Text) and request.delta is not None:
            request.delta(part.text)
    asks = any(isinstance(part, ToolUse) for part in parts)
    stop = "end" if reply.stop == "tools" and not asks else reply.stop
    return reply.model_copy(update={"parts": parts, "stop": stop})


def as_answer(part: Part, answer: str) -> Part:
    if isinstance(part, Text):
        return Thinking(text=part.text, provider=BESIDE)
    if not isinstance(part, ToolUse) or part.name != answer:
        return part
    if part.malformed is not None:
        return Text(text=part.malformed)
    return Text(text=json.dumps(part.arguments, ensure_ascii=False))
