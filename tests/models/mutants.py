"""Backends that are broken on purpose, each in one way that real ones have been broken in."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from hive.errors import ModelError, RequestRefused, ServerFailed
from hive.message import Message, Reply, Request, Text, Thinking, ToolResult, ToolUse, Usage
from hive.models import Model
from hive.models.wrappers.around import Around

Change = Callable[[Model, Request], Awaitable[Reply]]


class Mutant(Around):
    """A sound model with a change in it."""

    def __init__(self, model: Model, change: Change) -> None:
        super().__init__(model)
        self.change = change

    async def complete(self, request: Request) -> Reply:
        return await self.change(self.model, request)


def answers(change: Callable[[Reply], Reply]) -> Change:
    """One that reads its answers so."""

    async def changed(model: Model, request: Request) -> Reply:
        return change(await model.complete(request))

    return changed


def asks(change: Callable[[Request], Request]) -> Change:
    """One that sends its requests so."""

    async def changed(model: Model, request: Request) -> Reply:
        return await model.complete(change(request))

    return changed


def takes_for_an_answer(words: str, plain: bool = True, streamed: bool = True) -> Change:
    """One that gives what it has heard where something like this went wrong."""

    async def changed(model: Model, request: Request) -> Reply:
        try:
            return await model.complete(request)
        except ModelError as error:
            if not re.search(words, str(error)) or not (streamed if request.delta else plain):
                raise
            return Reply(parts=())

    return changed


def fails(kind: type[ModelError], words: str, change: Callable[[ModelError], ModelError]) -> Change:
    """One that tells a failure so."""

    async def changed(model: Model, request: Request) -> Reply:
        try:
            return await model.complete(request)
        except kind as error:
            if not re.search(words, str(error)):
                raise
            raise change(error) from error.__cause__

    return changed


def parts(change: Callable[[list[Any]], Any]) -> Change:
    return answers(lambda reply: reply.model_copy(update={"parts": tuple(change([*reply.parts]))}))


def uses(change: Callable[[ToolUse], ToolUse]) -> Change:
    return parts(lambda held: (change(p) if isinstance(p, ToolUse) else p for p in held))


def flattened(use: ToolUse) -> ToolUse:
    """The call with none but texts for values."""
    return use.model_copy(update={"arguments": {n: str(v) for n, v in use.arguments.items()}})


def usage(change: Callable[[Usage], dict[str, int]]) -> Change:
    def changed(reply: Reply) -> Reply:
        told = reply.usage.model_copy(update=change(reply.usage))
        return reply.model_copy(update={"usage": told})

    return answers(changed)


def deaf_to(why: str) -> Change:
    return answers(
        lambda reply: reply.model_copy(update={"stop": "end"}) if reply.stop == why else reply
    )


def history(change: Callable[[Any], Any]) -> Change:
    """One that changes each part of the conversation; None leaves it out."""

    def changed(request: Request) -> Request:
        messages = (
            Message(m.role, tuple(new for p in m.parts if (new := change(p)) is not None))
            for m in request.messages
        )
        return request._replace(messages=tuple(messages))

    return asks(changed)


def pieces(change: Callable[[str], str]) -> Change:
    """One that hands over the pieces of text so, and none that are empty then."""

    async def changed(model: Model, request: Request) -> Reply:
        heard = request.delta
        if heard is None:
            return await model.complete(request)

        def hear(piece: str) -> None:
            if said := change(piece):
                heard(said)

        return await model.complete(request._replace(delta=hear))

    return changed


async def without_line_separators(model: Model, request: Request) -> Reply:
    """Reads lines as `str.splitlines` does, which knows more line ends than event streams have."""

    def flat(text: str) -> str:
        return text.replace("\u2028", " ")

    reply = await pieces(flat)(model, request)
    return Reply.model_validate_json(flat(reply.model_dump_json()))


async def fences(model: Model, request: Request) -> Reply:
    """Leaves an answer under a schema in the fences that the model put around it."""
    reply = await model.complete(request)
    if request.output is None:
        return reply
    return reply.model_copy(update={"parts": (Text(text=f"```json\n{reply.text}\n```"),)})


def results_mixed_up(request: Request) -> Request:
    """Every result under the id of another call."""
    messages = []
    for message in request.messages:
        ids = [part.id for part in message.parts if isinstance(part, ToolResult)][::-1]
        mixed = (
            part.model_copy(update={"id": ids.pop()}) if isinstance(part, ToolResult) else part
            for part in message.parts[::-1]
        )
        messages.append(Message(message.role, tuple(mixed)) if ids else message)
    return request._replace(messages=tuple(messages))


def without_malformed(part: Any) -> Any:
    return part.model_copy(update={"malformed": None}) if isinstance(part, ToolUse) else part


def without_media(part: Any) -> Any:
    return part.model_copy(update={"media": ()}) if isinstance(part, ToolResult) else part


def undescribed(request: Request) -> Request:
    tools = (replace(tool, description="") for tool in request.tools)
    return request._replace(tools=tuple(tools))


def claims_thinking(part: Any) -> Any:
    if not isinstance(part, Thinking) or part.opaque.get("x") is None:
        return part
    return part.model_copy(update={"provider": "openai-chat"})


def rewrites_thinking(part: Any) -> Any:
    if not isinstance(part, Thinking) or part.opaque.get("x") is not None:
        return part
    return part.model_copy(update={"opaque": {n: f"{v}." for n, v in part.opaque.items()}})


said: WeakKeyDictionary[Model, list[Message]] = WeakKeyDictionary()


async def forgets_nothing(model: Model, request: Request) -> Reply:
    """Adds what was said in calls before."""
    before = said.setdefault(model, [])
    reply = await model.complete(request._replace(messages=(*before, *request.messages)))
    before.extend(request.messages)
    return reply


latest: WeakKeyDictionary[Model, Request] = WeakKeyDictionary()


async def one_call_at_a_time(model: Model, request: Request) -> Reply:
    """Keeps the request where the next call puts its own."""
    latest[model] = request
    await asyncio.sleep(0)
    return await model.complete(request._replace(messages=latest[model].messages))


async def cannot_be_cancelled(model: Model, request: Request) -> Reply:
    return await asyncio.shield(asyncio.ensure_future(model.complete(request)))


async def swallows_cancellation(model: Model, request: Request) -> Reply:
    try:
        return await model.complete(request)
    except asyncio.CancelledError:
        raise ServerFailed("the call was cancelled") from None


def tries_again(asked: bool) -> Change:
    """Tries once more whatever the budget says, or without having `asked` it."""

    async def changed(model: Model, request: Request) -> Reply:
        try:
            return await model.complete(request)
        except ServerFailed as error:
            if asked:
                request.admit(0)
            try:
                return await model.complete(request)
            except RequestRefused:  # the scenario has no further line
                raise error from error.__cause__

    return changed


async def tells_all_at_once(model: Model, request: Request) -> Reply:
    heard: list[str] = []
    reply = await model.complete(request._replace(delta=request.delta and heard.append))
    for piece in heard:
        assert request.delta is not None
        request.delta(piece)
    return reply
