"""The backend of the Responses API (models floor)."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import openai

from hive.errors import BadReply, RequestRefused
from hive.message import Reply, Request, ToolUse, Usage
from hive.models.failures import told, translate
from hive.models.openai_responses.reading import Response, ResponseUsage, Stream, read_item, stop_of
from hive.models.openai_responses.sending import RULES, function, items, output_form
from hive.models.parts import bounded, unique
from hive.models.shown import Rules
from hive.models.wire import Answer, Assembly, Backend, timeout

__all__ = ["OpenAIResponses"]


class OpenAIResponses(Backend[openai.AsyncOpenAI]):
    """A model behind the Responses API: `resolve("openai:gpt-5-mini")`."""

    sdk_errors = openai.OpenAIError

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
        return client.responses.with_streaming_response.create(**params, stream=stream)

    def rules(self) -> Rules:
        return RULES

    def params(self, request: Request) -> dict[str, Any]:
        settings = request.settings
        if settings.seed is not None:
            raise RequestRefused(
                f"{self.name}: the Responses API has no seed; leave it out, or name the model "
                f"openai-chat:{self.model}"
            )
        params: dict[str, Any] = {
            "model": self.model,
            "input": [item for message in request.messages for item in items(message)],
            "max_output_tokens": request.max_output,
            "store": False,
        }
        if request.system:
            params["instructions"] = request.system
        if request.tools:
            params["tools"] = [function(tool) for tool in request.tools]
        if request.output is not None:
            params["text"] = {"format": {"type": "json_schema", **output_form(request.output)}}
        if settings.temperature is not None:
            params["temperature"] = settings.temperature
        if settings.effort is not None:
            params["reasoning"] = {"effort": settings.effort}
        return params

    def assembly(self, request: Request) -> Assembly:
        return Stream()

    def reply(self, body: dict[str, Any], request: Request) -> Reply:
        response = Response.model_validate(body)
        if response.status not in ("completed", "incomplete"):
            if body.get("error"):
                raise translate(told(body), self.name, self.key_variable)
            raise BadReply(f"{self.name}: the response is {response.status!r}, not completed")
        parts = [part for item in response.output for part in read_item(item, self.maker)]
        uses = iter(unique([part for part in parts if isinstance(part, ToolUse)]))
        parts = [next(uses) if isinstance(part, ToolUse) else part for part in parts]
        return Reply(
            parts=tuple(parts),
            stop=stop_of(response, body, request.max_output),
            usage=bounded(request, parts) if response.usage is None else response.usage.told(),
            model=response.model,
            id=response.id,
        )

    def usage(self, raw: object) -> Usage:
        return ResponseUsage.model_validate(raw).told()
