"""A protocol for a server of one's own (rim): Hive's own values, written as JSON.

`POST /reply` takes the `system`, `messages`, `tools`, `output` and `max_output` of a Request, and
`stream`. It answers a Reply; streamed, `{"piece": …}` for every piece of text and at last
`{"reply": …}`, or `{"error": …}` instead, which is what it answers with a status other than 200,
too: `{"error": {"status": 429, "message": …}}`.
"""

from collections.abc import Iterator
from typing import Any

from hive.message import Reply

__all__ = ["own_error", "own_events", "own_whole"]

STATUSES = {
    "context_length_exceeded": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    "overloaded_error": 529,
}


def own_whole(reply: Reply, name: str) -> dict[str, Any]:
    """The reply, named by the server."""
    return reply.model_copy(update={"id": f"reply_{name}"}).model_dump(mode="json")


def own_events(reply: Reply, name: str, pieces: Iterator[str]) -> list[tuple[str, dict[str, Any]]]:
    """The pieces of the text, and the reply."""
    told: list[dict[str, Any]] = [{"piece": piece} for piece in pieces]
    return [("", event) for event in (*told, {"reply": own_whole(reply, name)})]


def own_error(message: str, code: str, status: int) -> dict[str, Any]:
    """What went wrong, under the status that says which kind of failure it is."""
    return {"error": {"status": STATUSES.get(code, status), "message": message}}
