"""The backend of the Messages API (models floor)."""

from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

import anthropic

from hive.errors import RequestRefused
from hive.message import OutputForm, Reply, Request, Text, ToolUse, Usage
from hive.models.adapting import FORCED, SCHEMA, Adapting, Spare
from hive.models.answers import answer_tool
from hive.models.anthropic_messages.marks import marked
from hive.models.anthropic_messages.reading import (
    STOPS,
    Answered,
    MessageUsage,
    Stream,
    read_block,
)
from hive.models.anthropic_messages.sending import RULES, conversation, tool_param
from hive.models.anthropic_messages.thinking import ADAPTIVE, can_be_forced, thinking
from hive.models.caching import ends
from hive.models.catalog import card_of
from hive.models.parts import ended, tidy, told_apart
from hive.models.schema import tighten
from hive.models.shown import Rules
from hive.models.wire import Answer, Assembly, timeout

__all__ = ["AnthropicMessages"]


LONG = 16_000
"""Output tokens above which an answer is streamed, for idle connections are cut on the way."""

HOTTEST = 1.0

WITHOUT_FORMAT = (
    *("claude-2", "claude-3", "claude-v1", "claude-instant"),
    *("claude-opus-4-0", "claude-opus-4-20250514", "claude-4-opus"),
    *("claude-sonnet-4-0", "claude-sonnet-4-20250514", "claude-4-sonnet"),
)
"""The models, all of them old, that cannot be held to a schema natively."""


class AnthropicMessages(Adapting[anthropic.AsyncAnthropic]):
    """A model behind the Messages API: `resolve("anthropic:claude-opus-5")`.

    Prompts are marked for the provider's cache where that pays (see `hive.models.caching`). A typed
    answer goes by its schema; through a tool, with thinking switched off, where the schema has
    parts that the API cannot express, or the model is old; and by words where such a model has to
    think, or is set to.
    """

    sdk_errors = anthropic.AnthropicError
    spare: ClassVar[dict[str, Spare]] = {
        **Adapting.spare,
        # That tools are forced is refused as a matter of thinking too.
        FORCED: Spare(Adapting.spare[FORCED].words + "|thinking"),
        ADAPTIVE: Spare(r"adaptive|thinking\.(type|adaptive)"),
        "cache_control": Spare(r"cache_control"),
    }

    def open(self, key: str) -> anthropic.AsyncAnthropic:
        address = self.base_url
        return anthropic.AsyncAnthropic(
            api_key=key,
            # The SDK adds the /v1 itself; the other providers' addresses have it.
            base_url=None if address is None else address.rstrip("/").removesuffix("/v1"),
            max_retries=0,
            timeout=timeout(),
            http_client=anthropic.DefaultAsyncHttpxClient(
                timeout=timeout(), follow_redirects=False
            ),
            open_telemetry=False,
        )

    def send(
        self, client: anthropic.AsyncAnthropic, params: dict[str, Any], stream: bool
    ) -> AbstractAsyncContextManager[Answer]:
        return client.messages.with_streaming_response.create(**params, stream=stream)

    def streams(self, request: Request) -> bool:
        return request.delta is not None or request.max_output > LONG

    def rules(self) -> Rules:
        return RULES

    def params(self, request: Request) -> dict[str, Any]:
        settings = request.settings
        if settings.seed is not None:
            raise RequestRefused(f"{self.name}: the Messages API has no seed; leave it out")
        if settings.temperature is not None and settings.temperature > HOTTEST:
            raise RequestRefused(
                f"{self.name}: the Messages API takes temperatures from 0 to {HOTTEST:g}, and the"
                f" role sets {settings.temperature:g}"
            )
        params: dict[str, Any] = {
            "model": self.model,
            "messages": conversation(request.messages),
            "max_tokens": request.max_output,
            **thinking(self.model, request, ADAPTIVE not in self.lacks),
        }
        if request.system:
            params["system"] = request.system
        if request.tools:
            params["tools"] = [tool_param(tool) for tool in request.tools]
        if settings.temperature is not None:
            params["extra_body"] = {"temperature": settings.temperature}
        if request.output is not None:
            form = {"type": SCHEMA, "schema": tighten(request.output.schema, recursive=False)}
            params["output_config"] = {**params.get("output_config", {}), "format": form}
        if answer_tool(request) is not None:
            params[FORCED] = {"type": "any"}
            if not self.model.startswith(WITHOUT_FORMAT):
                params["thinking"] = {"type": "disabled"}
        if "cache_control" in self.lacks:
            return params
        return marked(params, ends(request, card_of(self).prices))

    def expresses(self, form: OutputForm) -> bool:
        if self.model.startswith(WITHOUT_FORMAT):
            return False
        return tighten(form.schema, recursive=False) is not None

    def forces(self, request: Request) -> bool:
        return can_be_forced(self.model, request)

    def assembly(self, request: Request) -> Assembly:
        return Stream()

    def reply(self, body: dict[str, Any], request: Request) -> Reply:
        message = Answered.model_validate(body)
        blocks = message.content
        parts = told_apart([part for block in blocks for part in read_block(block, self.maker)])
        asks = any(isinstance(part, ToolUse) for part in parts)
        stop = STOPS.get(message.stop_reason or "", "tools" if asks else "end")
        if stop == "refusal" and not any(isinstance(part, Text) for part in parts):
            why = message.stop_details.explanation if message.stop_details else None
            parts.append(Text(text=tidy(why or "The model refused to answer.")))
        usage = message.usage.told()
        reply = Reply(
            parts=tuple(parts),
            stop=ended(stop, usage, request, card_of(self).window),
            usage=usage,
            model=message.model,
            id=message.id,
        )
        return self.heeded(reply, request)

    def usage(self, raw: object) -> Usage:
        return MessageUsage.model_validate(raw).told()
