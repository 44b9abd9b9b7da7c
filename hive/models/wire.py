"""What every backend does alike (models floor): keys, connections, streams, errors.

A backend adds how its provider puts a request and an answer into JSON; everything that goes wrong
on the way is dealt with here, once.
"""

import asyncio
import json
import os
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import httpx2
from pydantic import ValidationError

from hive.clock import SystemClock
from hive.errors import BadReply, MissingKey, ModelError, ServerFailed
from hive.message import Attempt, Reply, Request, Text, Usage
from hive.models.ambient import without_account
from hive.models.body import bounded, drain, looks_streamed, once
from hive.models.bound import input_bound
from hive.models.catalog import ModelCard, card_of
from hive.models.events import Event, events
from hive.models.failures import (
    moved,
    reason_of,
    retry_after,
    told,
    translate,
)
from hive.models.limits.endpoint import Lane, endpoint_at
from hive.models.link import Client, Link, release
from hive.models.parts import problem, tidy
from hive.models.secret import Pieces, Secrets
from hive.models.shown import Rules, maker_of, shown

__all__ = ["Answer", "Assembly", "Backend", "Used", "timeout"]

PLACEHOLDER = "no-key-needed"
TIMEOUT = 600.0
"""Seconds without a byte until a server counts as failed; runs have deadlines of their own."""
CONNECT = 10.0
GIVEN_UP = (504, 524)
"""Statuses by which a proxy says that it waits no longer; the server behind it may work on."""


class Answer(Protocol):
    """An SDK's answer before its body is read."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def iter_bytes(self) -> AsyncIterator[bytes]: ...


class Used(NamedTuple):
    """What a server reported of the tokens used, in its own words; `final` when no more follow."""

    usage: object
    final: bool


class Assembly(Protocol):
    """Puts a streamed answer together again."""

    def take(self, event: dict[str, Any]) -> str:
        """Add an event; give the piece of text that it brings, "" if none."""
        ...

    def done(self) -> None:
        """Note that no more events follow: the body has ended, or a `[DONE]` line says so."""
        ...

    def whole(self) -> dict[str, Any] | None:
        """The answer as if it had not been streamed; None while its closing event is missing."""
        ...

    def used(self) -> Used:
        """What was reported of the use so far."""
        ...


class Heard:
    """What was learned of one call by the time it failed."""

    status: int | None = None
    used: Used | None = None
    whole = False
    """Whether the answer was there as a whole, whatever it says."""


C = TypeVar("C", bound=Client)


class Backend(ABC, Generic[C]):
    """A model behind an official SDK; one client for all its calls, opened at the first.

    Retries are not done here. An error carries one `Attempt`, whose cost is 0 where the server
    refused before it worked and the worst case where nobody can know.
    """

    sdk_errors: type[Exception]

    def __init__(
        self,
        model: str,
        *,
        name: str,
        base_url: str | None = None,
        key: str | None = None,
        key_variable: str = "",
        keyless: bool = False,
        vendor: bool = False,
        card: ModelCard | None = None,
    ) -> None:
        self.model = model
        self.name = name
        self.base_url = base_url
        self.key_variable = key_variable
        self.keyless = keyless
        self.vendor = vendor
        self.card = card
        self.maker = maker_of(name)
        self._given_key = key
        self._link: Link[C] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def __reduce__(self) -> str:
        raise TypeError(f"{self!r} may hold a key, which is not written down; pass its name on")

    @abstractmethod
    def open(self, key: str) -> C:
        """A client of the SDK, its own retries off."""

    @abstractmethod
    def send(
        self, client: C, params: dict[str, Any], stream: bool
    ) -> AbstractAsyncContextManager[Answer]:
        """Send the request; the body of the answer is not read yet."""

    @abstractmethod
    def rules(self) -> Rules:
        """What its requests may hold."""

    @abstractmethod
    def params(self, request: Request) -> dict[str, Any]:
        """The request in the provider's words. Raises `RequestRefused` for what it cannot do."""

    @abstractmethod
    def assembly(self, request: Request) -> Assembly:
        """What puts a streamed answer together."""

    @abstractmethod
    def reply(self, body: dict[str, Any], request: Request) -> Reply:
        """The answer in Hive's words."""

    @abstractmethod
    def usage(self, raw: object) -> Usage:
        """A report of the use in Hive's words. Raises `ValidationError`."""

    def streams(self, request: Request) -> bool:
        """Whether to ask for the answer in pieces."""
        return request.delta is not None

    def check(self) -> None:
        """Raise `MissingKey` if there is no key for the provider; nothing is sent."""
        self.key()

    def key(self) -> str:
        """The API key. Raises `MissingKey`."""
        key = (self._given_key or os.environ.get(self.key_variable, "")).strip()
        if not key and self.keyless:
            return PLACEHOLDER
        if not key:
            raise MissingKey(
                f"{self.name} needs an API key: set {self.key_variable}. Without one, a model "
                "server of your own answers to ollama:NAME or compatible:NAME@http://HOST:PORT/v1, "
                "and programs need no model at all: see `hive demo`."
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise MissingKey(
                f"the API key for {self.name} ({self.key_variable}) holds characters that cannot "
                "be sent, such as a line break within it; set it anew"
            )
        return key

    @property
    def lane(self) -> Lane:
        """What is known of this model's limits at its server, under its key."""
        return endpoint_at(self.base_url or self.key_variable, self.key()).lane(self.model)

    def link(self) -> Link[C]:
        """The open client; a new one when there is none or it belongs to another event loop."""
        link = self._link
        if link is None or link.loop is not asyncio.get_running_loop():
            key = self.key()
            client = self.open(key) if self.vendor else without_account(self.open(key))
            link = self._link = Link(client, key)
        return link

    async def aclose(self) -> None:
        """Close the connections, once the calls that run over them have ended.

        A later call opens new ones. Must be called before the event loop ends.
        """
        link, self._link = self._link, None
        if link is not None and link.loop is asyncio.get_running_loop():
            link.closing = True
            await release(link)

    async def complete(self, request: Request) -> Reply:
        """Answer one request (see `hive.models.Model`)."""
        request, left_out = shown(request, self.rules(), self.maker, card_of(self).abilities)
        params = self.params(request)
        link = self.link()
        link.calls += 1
        heard = Heard()
        try:
            reply = await self.ask(link, params, request, heard)
        except (ModelError, self.sdk_errors, httpx2.HTTPError) as error:
            link.secrets.clean(error)
            failure = error if isinstance(error, ModelError) else self.understood(error)
            link.secrets.clean(failure)
            failure.attempts = (self.attempt(failure, error, request, heard),)
            failure.ill = failure.ill or (isinstance(failure, BadReply) and not heard.whole)
            raise failure from error.__cause__ if failure is error else error
        finally:
            link.calls -= 1
            await release(link)
        return reply.model_copy(update={"left_out": left_out}) if left_out else reply

    async def ask(
        self, link: Link[C], params: dict[str, Any], request: Request, heard: Heard
    ) -> Reply:
        secrets = link.secrets
        async with self.send(link.client, params, self.streams(request)) as answer:
            heard.status = answer.status_code
            self.lane.learn(answer.headers, time.monotonic())
            pieces = bounded(answer.iter_bytes(), self.name)
            if "text/event-stream" in answer.headers.get("content-type", ""):
                whole = await self.streamed(pieces, request, heard, secrets)
                return self.read(secrets.without(whole), request, heard)
            raw = b"".join([piece async for piece in pieces])
            if self.streams(request) and looks_streamed(raw):
                whole = await self.streamed(once(raw), request, heard, secrets)
                return self.read(secrets.without(whole), request, heard)
            body = self.parsed(raw, answer.headers)
            heard.used = Used(body.get("usage"), final=True)
            reply = self.read(secrets.without(body), request, heard)
        if request.delta is not None:
            for part in reply.parts:
                if isinstance(part, Text):
                    request.delta(part.text)
        return reply

    def reported(self, used: Used | None) -> Usage | None:
        """The use that was reported, unless nobody can make sense of it."""
        with suppress(ValidationError):
            if used is not None and used.usage:
                return self.usage(used.usage)
        return None

    async def streamed(
        self, body: AsyncIterator[bytes], request: Request, heard: Heard, secrets: Secrets
    ) -> dict[str, Any]:
        """The whole of a streamed answer. Raises `BadReply` if it breaks off."""
        assembly, shown = self.assembly(request), Pieces(secrets)
        tell = request.delta or nobody
        async with aclosing(events(body)) as pieces:
            try:
                async for event in pieces:
                    if text := shown.take(tidy(self.take(event, assembly))):
                        tell(text)
                    if (whole := assembly.whole()) is not None:
                        break
                else:
                    assembly.done()
                    whole = assembly.whole()
                if whole is not None:
                    if text := shown.end():
                        tell(text)
                    await drain(pieces)
                    return whole
            except (ValidationError, UnicodeDecodeError) as error:
                raise BadReply(f"{self.name}: a streamed event has {problem(error)}") from error
            finally:
                heard.used = assembly.used()
        raise BadReply(f"{self.name}: the stream ended without its closing event")

    def take(self, event: Event, assembly: Assembly) -> str:
        """The text that an event brings. Raises `BadReply`, or what the server says failed."""
        if event.data.startswith("[DONE]"):
            assembly.done()
            return ""
        body = self.event(event.data)
        if event.name == "error" or body.get("error") or body.get("type") == "error":
            raise translate(told(body), self.name, self.key_variable)
        return assembly.take(body)

    def event(self, data: str) -> dict[str, Any]:
        try:
            body = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise BadReply(f"{self.name}: a streamed event is no JSON") from error
        if not isinstance(body, dict):
            raise BadReply(f"{self.name}: a streamed event is no JSON object")
        return body

    def parsed(self, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """The JSON object of a plain answer. Raises `BadReply`, or what the server says failed."""
        kind = headers.get("content-type") or "no content type"
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise BadReply(
                f"{self.name}: the answer ({len(body)} bytes, {kind}) is no JSON; "
                "is there a proxy in between, or is the address another server's?"
            ) from error
        if not isinstance(parsed, dict):
            raise BadReply(f"{self.name}: the answer ({kind}) is no JSON object")
        if parsed.get("error"):
            raise translate(told(parsed), self.name, self.key_variable)
        return parsed

    def read(self, body: dict[str, Any], request: Request, heard: Heard) -> Reply:
        heard.whole = True
        try:
            return self.reply(body, request)
        except ValidationError as error:
            raise BadReply(f"{self.name}: the answer has {problem(error)}") from error

    def understood(self, error: Exception) -> ModelError:
        """The error of the tree that an SDK's or the network's exception stands for."""
        response = getattr(error, "response", None)
        if response is not None:
            self.lane.learn(response.headers, time.monotonic())
            if 300 <= response.status_code < 400:
                return moved(self.name, response.status_code, response.headers)
            wait = retry_after(response.headers, SystemClock().now())
            trouble = told(response.content, response.status_code, wait)
            understood = translate(trouble, self.name, self.key_variable)
            again = response.headers.get("x-should-retry")
            if again in ("true", "false"):  # by the SDKs' own providers, which know best
                understood.retryable = again == "true"
            return understood
        cause = broken(error)
        words = str(cause) or type(cause).__name__
        if isinstance(cause, httpx2.TimeoutException):
            return ServerFailed(f"{self.name}: the server did not answer in time ({words})")
        where = f" at {self.base_url}" if self.base_url else ""
        return ServerFailed(f"{self.name}: no connection{where}, or it broke ({words})")

    def attempt(
        self, failure: ModelError, error: Exception, request: Request, heard: Heard
    ) -> Attempt:
        """The record of a call that failed: free where the server surely did not work for it, at
        what it reported where that was all, and at the worst case where nobody can know."""
        refused = getattr(getattr(error, "response", None), "status_code", None)
        unheard = isinstance(broken(error), httpx2.ConnectError | httpx2.ConnectTimeout)
        reason, status = reason_of(failure), refused or heard.status
        if unheard or (refused is not None and refused not in GIVEN_UP):
            return Attempt(reason=reason, status=status)
        usage, card = self.reported(heard.used), card_of(self)
        if usage is None:
            bound = input_bound(request)
            cost, tokens = card.worst(bound, request.max_output), bound + request.max_output
        else:
            final = heard.used is not None and heard.used.final
            most = usage.output if final else max(usage.output, request.max_output)
            cost = card.cost(usage.model_copy(update={"output": most}))
            tokens = usage.input + most
        return Attempt(reason=reason, status=status, cost=cost, tokens=tokens, usage=usage)


def nobody(text: str) -> None:
    """To whom a stream is told that nobody listens to."""


def broken(error: BaseException) -> BaseException:
    """What happened on the network; an SDK wraps it while it opens an answer, and lets it pass
    while the body is read."""
    cause = error.__cause__
    return error if isinstance(error, httpx2.HTTPError) or cause is None else cause


def timeout() -> httpx2.Timeout:
    """How long a server may stay silent."""
    return httpx2.Timeout(TIMEOUT, connect=CONNECT)
