"""Models without a provider (models floor): replies written down beforehand, or made by a function.

They are the public test doubles, and the way a program takes a language model's chair.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence

from hive.errors import RequestRefused
from hive.message import Media, Reply, Request, Text, Thinking, ToolUse

__all__ = ["Answer", "FunctionModel", "Line", "ScriptedModel"]

Spoken = str | Text | Thinking | Media | ToolUse
"""One part of an answer; a str is a Text."""

Answer = Reply | Spoken | Sequence[Spoken]
"""What may stand for a Reply: one part of it, or several in a row."""

Line = Answer | Exception
"""One line of a script: an answer, or an exception to be raised."""


class ScriptedModel:
    """A model that gives the replies it was given, in order, whatever it is asked.

    >>> model = ScriptedModel(["first", ToolUse(id="1", name="look")], name="coder")
    >>> model.name
    'script:coder'

    `requests` holds what it was asked so far. Running out of replies raises `RequestRefused`.
    Strands that share one script take its lines in the order in which they happen to call.
    """

    def __init__(self, replies: Iterable[Line], name: str = "replies") -> None:
        self.name = prefixed("script:", name)
        self.replies = tuple(replies)
        self.requests: list[Request] = []
        for number, line in enumerate(self.replies, 1):
            if not isinstance(line, Exception):
                as_reply(line, f"line {number} of {self.name!r}")

    async def complete(self, request: Request) -> Reply:
        """The next reply of the script.

        Raises: the exception that stands in its place; `RequestRefused` when none is left.
        """
        served = len(self.requests)
        self.requests.append(request)
        if served >= len(self.replies):
            raise RequestRefused(
                f"the script {self.name!r} has no reply left: all {len(self.replies)} were served; "
                "give it more lines, or use a FunctionModel"
            )
        line = self.replies[served]
        if isinstance(line, Exception):
            raise line
        return spoken(as_reply(line, self.name), request)

    def __repr__(self) -> str:
        return f"ScriptedModel({self.name!r}, {len(self.requests)} of {len(self.replies)} served)"


class FunctionModel:
    """A model that is a function of the request, plain or async.

    >>> def shout(request: Request) -> str:
    ...     return request.messages[-1].text.upper()
    >>> FunctionModel(shout).name
    'program:shout'
    """

    def __init__(
        self, function: Callable[[Request], Answer | Awaitable[Answer]], name: str | None = None
    ) -> None:
        own = getattr(function, "__name__", type(function).__name__).strip("<>")
        self.name = prefixed("program:", name or own)
        self.function = function

    async def complete(self, request: Request) -> Reply:
        """What the function says. Raises: what it raises; `TypeError` when that is no answer."""
        answer = self.function(request)
        if inspect.isawaitable(answer):
            answer = await answer
        return spoken(as_reply(answer, self.name), request)

    def __repr__(self) -> str:
        return f"FunctionModel({self.name!r})"


def prefixed(prefix: str, name: str) -> str:
    return name if name.startswith(prefix) else prefix + name


def as_reply(answer: object, who: str) -> Reply:
    """The Reply that an `Answer` stands for. Raises `TypeError` when it is none."""
    if isinstance(answer, Reply):
        return answer
    several = answer if isinstance(answer, list | tuple) else (answer,)
    parts: list[Text | Thinking | Media | ToolUse] = []
    for part in several:
        if not isinstance(part, str | Text | Thinking | Media | ToolUse):
            raise TypeError(
                f"{who} gave {type(part).__name__}, which is no answer; right would be a Reply, "
                "a str, a ToolUse, an image, or a list of them"
            )
        parts.append(Text(text=part) if isinstance(part, str) else part)
    asks = any(isinstance(part, ToolUse) for part in parts)
    return Reply(parts=tuple(parts), stop="tools" if asks else "end")


def spoken(reply: Reply, request: Request) -> Reply:
    """The reply, after whoever listens has heard its text."""
    if request.delta is not None:
        for part in reply.parts:
            if isinstance(part, Text):
                request.delta(part.text)
    return reply
