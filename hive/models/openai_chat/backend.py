"""The backends of Chat Completions (models floor)."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

import openai

from hive.errors import BadReply
from hive.message import Reply, Request, Usage
from hive.models.openai_chat.reading import ChatUsage, Completion, Stream, read_message, stop_of
from hive.models.openai_chat.sending import function, output_form, turns
from hive.models.parts import bounded
from hive.models.wire import Answer, Assembly, Backend, timeout

__all__ = ["Compatible", "OpenAIChat"]


class OpenAIChat(Backend[openai.AsyncOpenAI]):
    """A model behind OpenAI's Chat Completions: `resolve("openai-chat:gpt-5-mini")`."""

    sdk_errors = openai.OpenAIError
    limit: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"

    def open(self, key: str) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(
            api_key=key,
            base_url=self.base_url,
            max_retries=0,
            timeout=timeout(),
            http_client=openai.DefaultAsyncHttpxClient(timeout=timeout()),
        )

    def send(
        self, client: openai.AsyncOpenAI, params: dict[str, Any], stream: bool
    ) -> AbstractAsyncContextManager[Answer]:
        if stream:
            params = {**params, "stream": True, "stream_options": {"include_usage": True}}
        return client.chat.completions.with_streaming_response.create(**params)

    def params(self, request: Request) -> dict[str, Any]:
        settings = request.settings
        messages = [said for message in request.messages for said in turns(message)]
        if request.system:
            messages.insert(0, {"role": "system", "content": request.system})
        params: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            self.limit: request.max_output,
        }
        if request.tools:
            params["tools"] = [function(tool) for tool in request.tools]
        if request.output is not None:
            params["response_format"] = output_form(request.output)
        if settings.temperature is not None:
            params["temperature"] = settings.temperature
        if settings.seed is not None:
            params["seed"] = settings.seed
        if settings.effort is not None:
            params["reasoning_effort"] = settings.effort
        return params

    def assembly(self, request: Request) -> Assembly:
        return Stream()

    def reply(self, body: dict[str, Any], request: Request) -> Reply:
        completion = Completion.model_validate(body)
        if not completion.choices:
            raise BadReply(f"{self.name}: the answer holds no choice")
        choice = completion.choices[0]
        parts = read_message(choice.message)
        return Reply(
            parts=tuple(parts),
            stop=stop_of(choice),
            usage=bounded(request, parts) if completion.usage is None else completion.usage.told(),
            model=completion.model,
            id=completion.id,
        )

    def usage(self, raw: object) -> Usage:
        return ChatUsage.model_validate(raw).told()


class Compatible(OpenAIChat):
    """A model behind another company's or one's own server.

    `resolve("compatible:qwen3@http://127.0.0.1:8000/v1")`. What the environment says of an OpenAI
    account is not sent there.
    """

    limit = "max_tokens"

    def open(self, key: str) -> openai.AsyncOpenAI:
        client = super().open(key)
        client.organization = client.project = client.admin_api_key = None
        return client
