"""A backend of one's own: a model behind a server that speaks Hive's own words as JSON.

Run it: `python examples/own_backend.py`. It asks a server that the program brings along.
"""

import asyncio
import json

import httpx2
from pydantic_core import to_jsonable_python

from hive import Role, Workflow
from hive.errors import (
    BadReply,
    ContextOverflow,
    ModelError,
    RateLimited,
    RequestRefused,
    ServerFailed,
)
from hive.message import Reply, Request
from hive.models import events
from hive.testing import loopback

ASKED = ("system", "messages", "tools", "output", "max_output")


class OwnBackend:
    """A model on a server of one's own, at an address such as http://127.0.0.1:8000/v1."""

    def __init__(self, base_url: str) -> None:
        self.name = "own:model"
        self.http = httpx2.AsyncClient(base_url=base_url, timeout=600)
        self.aclose = self.http.aclose

    async def complete(self, request: Request) -> Reply:
        """Answer one request."""
        asked = to_jsonable_python({name: getattr(request, name) for name in ASKED})
        try:
            async with self.http.stream("POST", "/reply", json=dict(asked, stream=True)) as answer:
                if answer.is_error:
                    await answer.aread()
                    raise failure(**answer.json()["error"], wait=answer.headers.get("retry-after"))
                async for event in events(answer.aiter_bytes()):
                    match json.loads(event.data):
                        case {"piece": text} if request.delta:
                            request.delta(text)
                        case {"reply": whole}:
                            return Reply.model_validate(whole)
                        case {"error": told}:
                            raise failure(**told)
        except httpx2.HTTPError as error:
            raise ServerFailed(f"{self.name}: {error!r}") from error
        except (LookupError, TypeError, ValueError) as error:
            raise BadReply(f"{self.name}: {error!r}") from error
        raise BadReply(f"{self.name}: the stream ended without its reply")


def failure(status: int, message: str, wait: str | None = None) -> ModelError:
    """The error of the tree that the server's words are."""
    kinds = {413: ContextOverflow, 429: RateLimited}
    kind = kinds.get(status, ServerFailed if status >= 500 else RequestRefused)
    return kind(f"own:model ({status}): {message}", retry_after=float(wait) if wait else None)


async def main() -> None:
    """Ask the model one thing."""
    async with loopback(["Nine metres."]) as server:
        model = OwnBackend(server.base_url)
        result = await Workflow(Role("oracle", "Answer the goal."), model=model).run("How deep?")
        await model.aclose()
    print(result.text)


if __name__ == "__main__":
    asyncio.run(main())
