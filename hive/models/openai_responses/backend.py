"""The backend of the Responses API (models floor)."""

from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

import openai

from hive.errors import BadReply, RequestRefused
from hive.message import Reply, Request, Usage
from hive.models.adapting import FORCED, Spare
from hive.models.answers import answer_tool
from hive.models.breakpoints import hints, with_breakpoints
from hive.models.catalog import card_of
from hive.models.failures import told, translate
from hive.models.openai_backend import OpenAIBackend
from hive.models.openai_responses.reading import Response, ResponseUsage, Stream, read_item, stop_of
from hive.models.openai_responses.sending import RULES, function, items, output_form
from hive.models.parts import ended, most_used, told_apart
from hive.models.shown import Rules
from hive.models.wire import Answer, Assembly

__all__ = ["OpenAIResponses"]

WITHOUT_REASONING = ("gpt-3.5", "gpt-4", "chatgpt-4o")
"""The models that refuse to be asked for their reasoning."""

SEALED = "reasoning.encrypted_content"


class OpenAIResponses(OpenAIBackend):
    """A model behind the Responses API: `resolve("openai:gpt-5-mini")`.

    Nothing is stored at OpenAI; reasoning comes back sealed, to be sent again within a strand. An
    effort asks for a summary of the reasoning too, where the account may have one. A deployment at
    Azure is `openai:DEPLOYMENT@https://RESOURCE.openai.azure.com/openai/v1`.
    """

    spare: ClassVar[dict[str, Spare]] = {
        **OpenAIBackend.spare,
        "include": Spare(r"\binclude\b|encrypted"),
        "summary": Spare(r"summar(y|ies)"),
    }

    def send(
        self, client: openai.AsyncOpenAI, params: dict[str, Any], stream: bool
    ) -> AbstractAsyncContextManager[Answer]:
        # As the body that it is: what the SDK does to parameters takes longer than all of Hive.
        return client.responses.with_streaming_response.create(
            model=self.model, stream=stream, extra_body=params
        )

    def rules(self) -> Rules:
        return RULES

    def params(self, request: Request) -> dict[str, Any]:
        settings = request.settings
        if settings.seed is not None:
            raise RequestRefused(
                f"{self.name}: the Responses API has no seed; leave it out, or name the model "
                f"openai-chat:{self.model}"
            )
        prices = card_of(self).prices
        params: dict[str, Any] = {
            "model": self.model,
            "input": self.conversation(request),
            "max_output_tokens": request.max_output,
            "store": False,
            **hints(request, prices, self.lacks),
        }
        if "include" not in self.lacks and not self.model.startswith(WITHOUT_REASONING):
            params["include"] = [SEALED]
        if request.system:
            params["instructions"] = request.system
        if request.tools:
            params["tools"] = [function(tool) for tool in request.tools]
        if answer_tool(request) is not None:
            params[FORCED] = "required"
        if request.output is not None:
            params["text"] = {"format": {"type": "json_schema", **output_form(request.output)}}
        if settings.temperature is not None:
            params["temperature"] = settings.temperature
        if settings.effort is not None:
            params["reasoning"] = {"effort": settings.effort}
            if settings.effort != "none" and "summary" not in self.lacks:
                params["reasoning"]["summary"] = "auto"
        return params

    def conversation(self, request: Request) -> list[dict[str, Any]]:
        if not request.messages:
            return []
        first, *others = request.messages
        prices = card_of(self).prices
        sent = with_breakpoints(items(first), request, prices, self.lacks, "input_text")
        return sent + [item for message in others for item in items(message)]

    def assembly(self, request: Request) -> Assembly:
        return Stream()

    def reply(self, body: dict[str, Any], request: Request) -> Reply:
        response = Response.model_validate(body)
        if response.status not in ("completed", "incomplete"):
            if body.get("error"):
                raise translate(told(body), self.name, self.key_variable)
            raise BadReply(f"{self.name}: the response is {response.status!r}, not completed")
        items = response.output
        parts = told_apart([part for item in items for part in read_item(item, self.maker)])
        reported = response.usage
        usage = most_used(request, parts) if reported is None else reported.told()
        window = card_of(self).window
        stop = stop_of(response, body, request.max_output, window)
        reply = Reply(
            parts=tuple(parts),
            stop=ended(stop, usage, request, window),
            usage=usage,
            model=response.model,
            id=response.id,
        )
        return self.heeded(reply, request)

    def usage(self, raw: object) -> Usage:
        return ResponseUsage.model_validate(raw).told()
