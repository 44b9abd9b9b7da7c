"""The backends of Chat Completions (models floor)."""

from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

import openai

from hive.errors import BadReply
from hive.message import Reply, Request, Usage
from hive.models.adapting import FORCED, UNKNOWN, Spare
from hive.models.answers import answer_tool
from hive.models.breakpoints import SPARE, hints, with_breakpoints
from hive.models.catalog import card_of
from hive.models.failures import translate
from hive.models.openai_backend import OpenAIBackend
from hive.models.openai_chat.reading import (
    ChatUsage,
    Completion,
    read_message,
    stop_of,
    trouble_of,
)
from hive.models.openai_chat.sending import (
    IS_STRICT,
    RULES,
    STRICT_IDS,
    function,
    output_form,
    turns,
)
from hive.models.openai_chat.streaming import Stream
from hive.models.parts import ended, most_used
from hive.models.shown import Rules
from hive.models.wire import Answer, Assembly

__all__ = ["Compatible", "OpenAIChat"]


NEWER, OLDER = "max_completion_tokens", "max_tokens"
"""The names of the limit on output; every server knows one of them."""


class OpenAIChat(OpenAIBackend):
    """A model behind OpenAI's Chat Completions: `resolve("openai-chat:gpt-5-mini")`."""

    limits = (NEWER, OLDER)
    spare: ClassVar[dict[str, Spare]] = {
        **OpenAIBackend.spare,
        "stream_options": Spare(r"stream_options|include_usage"),
        NEWER: Spare(NEWER, UNKNOWN),
        OLDER: Spare(OLDER, UNKNOWN),
    }

    def send(
        self, client: openai.AsyncOpenAI, params: dict[str, Any], stream: bool
    ) -> AbstractAsyncContextManager[Answer]:
        if stream:
            params = {**params, "stream": True}
        # As the body that it is: what the SDK does to parameters takes longer than all of Hive.
        return client.chat.completions.with_streaming_response.create(
            model=self.model, messages=[], extra_body=params
        )

    def rules(self) -> Rules:
        return STRICT_IDS if IS_STRICT.search(f"{self.model} {self.base_url}") else RULES

    def params(self, request: Request) -> dict[str, Any]:
        settings = request.settings
        params: dict[str, Any] = {
            "model": self.model,
            "messages": self.conversation(request),
            self.limit(): request.max_output,
            **hints(request, card_of(self).prices, self.lacks),
        }
        if self.streams(request) and "stream_options" not in self.lacks:
            params["stream_options"] = {"include_usage": True}
        if request.tools:
            params["tools"] = [function(tool) for tool in request.tools]
        if answer_tool(request) is not None:
            params[FORCED] = "required"
        if request.output is not None:
            params["response_format"] = output_form(request.output)
        if settings.temperature is not None:
            params["temperature"] = settings.temperature
        if settings.seed is not None:
            params["seed"] = settings.seed
        if settings.effort is not None:
            params["reasoning_effort"] = settings.effort
        return params

    def conversation(self, request: Request) -> list[dict[str, Any]]:
        sent = [{"role": "system", "content": request.system}] if request.system else []
        if not request.messages:
            return sent
        first, *others = request.messages
        prices = card_of(self).prices
        sent += with_breakpoints(turns(first), request, prices, self.lacks, "text")
        return sent + [said for message in others for said in turns(message)]

    def limit(self) -> str:
        """The name under which the limit on output is sent; it never goes unsent."""
        preferred, other = self.limits
        return other if preferred in self.lacks and other not in self.lacks else preferred

    def assembly(self, request: Request) -> Assembly:
        return Stream()

    def reply(self, body: dict[str, Any], request: Request) -> Reply:
        completion = Completion.model_validate(body)
        if not completion.choices:
            raise BadReply(f"{self.name}: the answer holds no choice")
        choice = completion.choices[0]
        if (trouble := trouble_of(choice)) is not None:
            raise translate(trouble, self.name, self.key_variable)
        parts = read_message(choice.message, self.maker)
        reported = completion.usage
        usage = most_used(request, parts) if reported is None else reported.told()
        reply = Reply(
            parts=tuple(parts),
            stop=ended(stop_of(choice), usage, request, card_of(self).window),
            usage=usage,
            model=completion.model,
            id=completion.id,
        )
        return self.heeded(reply, request)

    def usage(self, raw: object) -> Usage:
        return ChatUsage.model_validate(raw).told()


class Compatible(OpenAIChat):
    """A model behind another company's or one's own server.

    `resolve("compatible:qwen3@http://127.0.0.1:8000/v1")`. Hints for OpenAI's caches are not sent
    there.
    """

    limits = (OLDER, NEWER)
    lacks = frozenset(SPARE)
