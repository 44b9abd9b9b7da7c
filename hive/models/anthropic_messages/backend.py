"""The backend of the Messages API (models floor)."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import anthropic

from hive.errors import BadReply, RequestRefused
from hive.message import Reply, Request, Text, ToolForm, ToolUse, Usage
from hive.models.anthropic_messages.reading import (
    STOPS,
    Answered,
    MessageUsage,
    Stream,
    answered,
    read_block,
)
from hive.models.anthropic_messages.sending import conversation, tool_param
from hive.models.parts import tidy
from hive.models.schema import form_name, tighten
from hive.models.wire import Answer, Assembly, Backend, timeout

__all__ = ["AnthropicMessages"]


LONG = 16_000
"""Output tokens above which an answer is streamed, for idle connections are cut on the way."""


WITHOUT_FORMAT = (
    *("claude-2", "claude-3", "claude-v1", "claude-instant"),
    *("claude-opus-4-0", "claude-opus-4-20250514", "claude-4-opus"),
    *("claude-sonnet-4-0", "claude-sonnet-4-20250514", "claude-4-sonnet"),
)
"""The models, all of them old, that cannot be held to a schema natively."""


class AnthropicMessages(Backend[anthropic.AsyncAnthropic]):
    """A model behind the Messages API: `resolve("anthropic:claude-opus-5")`."""

    sdk_errors = anthropic.AnthropicError

    def open(self, key: str) -> anthropic.AsyncAnthropic:
        address = self.base_url
        return anthropic.AsyncAnthropic(
            api_key=key,
            # The SDK adds the /v1 itself; the other providers' addresses have it.
            base_url=None if address is None else address.rstrip("/").removesuffix("/v1"),
            max_retries=0,
            timeout=timeout(),
            http_client=anthropic.DefaultAsyncHttpxClient(timeout=timeout()),
            open_telemetry=False,
        )

    def send(
        self, client: anthropic.AsyncAnthropic, params: dict[str, Any], stream: bool
    ) -> AbstractAsyncContextManager[Answer]:
        return client.messages.with_streaming_response.create(**params, stream=stream)

    def streams(self, request: Request) -> bool:
        return request.delta is not None or request.max_output > LONG

    def params(self, request: Request) -> dict[str, Any]:
        settings = request.settings
        if settings.seed is not None:
            raise RequestRefused(f"{self.name}: the Messages API has no seed; leave it out")
        params: dict[str, Any] = {
            "model": self.model,
            "messages": conversation(request.messages),
            "max_tokens": request.max_output,
        }
        if request.system:
            params["system"] = request.system
        if request.tools:
            params["tools"] = [tool_param(tool) for tool in request.tools]
        if settings.temperature is not None:
            params["extra_body"] = {"temperature": settings.temperature}
        configured: dict[str, Any] = {}
        if settings.effort is not None:
            configured["effort"] = "low" if settings.effort == "minimal" else settings.effort
        if (schema := self.native_schema(request)) is not None:
            configured["format"] = {"type": "json_schema", "schema": schema}
        elif (answer := self.answer_tool(request)) is not None:
            params.update(self.forced(request.tools, answer))
        if configured:
            params["output_config"] = configured
        return params

    def native_schema(self, request: Request) -> dict[str, Any] | None:
        if request.output is None or self.model.startswith(WITHOUT_FORMAT):
            return None
        return tighten(request.output.schema, recursive=False)

    def answer_tool(self, request: Request) -> ToolForm | None:
        """The tool that takes the typed answer; None where that is asked for natively."""
        if request.output is None or self.native_schema(request) is not None:
            return None
        name = form_name(request.output.name)
        while name in {tool.name for tool in request.tools}:
            name = f"{name[:60]}_out"
        says = "Give the final answer. Call it once, when nothing else is to be done."
        return ToolForm(name, says, request.output.schema)

    def forced(self, tools: tuple[ToolForm, ...], answer: ToolForm) -> dict[str, Any]:
        """The parameters that make the model answer through a tool, and not think before it."""
        choice = {"type": "any"} if tools else {"type": "tool", "name": answer.name}
        forced: dict[str, Any] = {
            "tools": [tool_param(tool) for tool in (*tools, answer)],
            "tool_choice": choice,
        }
        if not self.model.startswith(WITHOUT_FORMAT):
            forced["thinking"] = {"type": "disabled"}
        return forced

    def assembly(self, request: Request) -> Assembly:
        answer = self.answer_tool(request)
        return Stream(None if answer is None else answer.name)

    def reply(self, body: dict[str, Any], request: Request) -> Reply:
        message = Answered.model_validate(body)
        parts = [part for block in message.content for part in read_block(block)]
        answer = self.answer_tool(request)
        obeyed = any(isinstance(part, ToolUse) for part in parts)
        parts = answered(parts, None if answer is None else answer.name)
        asks = any(isinstance(part, ToolUse) for part in parts)
        stop = STOPS.get(message.stop_reason or "", "tools" if asks else "end")
        if answer is not None and not obeyed and stop == "end":
            raise BadReply(f"{self.name}: the model did not call a tool, as it had to")
        if stop == "refusal" and not any(isinstance(part, Text) for part in parts):
            why = message.stop_details.explanation if message.stop_details else None
            parts.append(Text(text=tidy(why or "The model refused to answer.")))
        return Reply(
            parts=tuple(parts),
            stop=stop,
            usage=message.usage.told(),
            model=message.model,
            id=message.id,
        )

    def usage(self, raw: object) -> Usage:
        return MessageUsage.model_validate(raw).told()
