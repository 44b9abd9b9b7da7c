"""What the backends of both of OpenAI's APIs have in common: its SDK (models floor)."""

from typing import ClassVar

import openai

from hive.models.adapting import Adapting, Spare
from hive.models.breakpoints import SPARE
from hive.models.wire import timeout

__all__ = ["OpenAIBackend"]


class OpenAIBackend(Adapting[openai.AsyncOpenAI]):
    """A backend behind OpenAI's SDK, whichever API it speaks."""

    sdk_errors = openai.OpenAIError
    spare: ClassVar[dict[str, Spare]] = {**Adapting.spare, **SPARE}

    def open(self, key: str) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(
            api_key=key,
            base_url=self.base_url,
            max_retries=0,
            timeout=timeout(),
            http_client=openai.DefaultAsyncHttpxClient(timeout=timeout(), follow_redirects=False),
        )
