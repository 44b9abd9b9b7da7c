"""One tiny call to each of some models, all at once: what it shows, and what fails."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio

from hive.clock import SystemClock
from hive.errors import HiveError
from hive.message import Message, Reply, Request, Text, ToolForm, Usage
from hive.models.catalog import card_of
from hive.models.model import Model, check, close
from hive.models.parts import most_used

__all__ = ["Made", "Trial", "try_all"]

Made = Callable[[], Model]
"""Makes a model. Raises UnknownModel."""

SECONDS = 60.0
MOST = 256
"""Tokens of output; models that think before they speak need some of them for that."""
TOOL = ToolForm(
    "report",
    "Say that you are there.",
    {
        "type": "object",
        "properties": {"word": {"type": "string", "description": "The word."}},
        "required": ["word"],
        "additionalProperties": False,
    },
)
UNUSED = Usage()
ASKED = 'Say "I am here.", and call the tool report with the word "here" in the same answer.'


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What one call to a model came to; times in seconds, None where there is nothing to tell.

    `asked` is False where no call was made. `pieces` of text came before the end, the first of them
    after `first` seconds. `estimated` says that the server reported no use.
    """

    model: str
    problem: str | None = None
    asked: bool = True
    tools: bool = False
    pieces: int = 0
    first: float | None = None
    seconds: float | None = None
    stop: str | None = None
    usage: Usage = UNUSED
    estimated: bool = False
    cost: int | None = None
    served_as: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The documented keys."""
        return {
            "model": self.model,
            "ok": self.problem is None,
            "problem": self.problem,
            "asked": self.asked,
            "tools": self.tools,
            "pieces": self.pieces,
            "first_seconds": self.first,
            "seconds": self.seconds,
            "stop": self.stop,
            "input_tokens": self.usage.input,
            "output_tokens": self.usage.output,
            "estimated": self.estimated,
            "cost_usd": None if self.cost is None else self.cost / 1e9,
            "served_as": self.served_as,
        }


async def try_all(models: Mapping[str, Made], beat: Callable[[int], None]) -> list[Trial]:
    """Make each model and call it once; `beat` is told how many have answered or failed."""
    done: dict[str, Trial] = {}

    async def one(name: str, made: Made) -> None:
        done[name] = await tried(name, made)
        beat(len(done))

    async with anyio.create_task_group() as group:
        for name, made in models.items():
            group.start_soon(one, name, made)
    return [done[name] for name in models]


async def tried(name: str, made: Made) -> Trial:
    """What one call to a model shows, or why none is made."""
    try:
        model = made()
        check(model)
    except HiveError as error:
        return Trial(model=name, problem=str(error), asked=False)
    heard = Heard()
    request = Request(
        model=model.name,
        system="You are being tried out. Do as you are told, in few words.",
        messages=(Message("user", (Text(text=ASKED),)),),
        tools=(TOOL,),
        max_output=MOST,
        delta=heard.take,
    )
    try:
        with anyio.fail_after(SECONDS):
            reply = await model.complete(request)
    except TimeoutError:
        return Trial(model=name, problem=f"no whole answer within {SECONDS:g} seconds")
    except Exception as error:  # noqa: BLE001  # whatever a user's own model raises is the finding
        said = str(error) if isinstance(error, HiveError) else f"{type(error).__name__}: {error}"
        return Trial(model=name, problem=said, seconds=heard.seconds)
    finally:
        await close(model)
    return shown(name, model, request, reply, heard)


class Heard:
    """When the pieces of an answer came."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.began = self.clock.elapsed()
        self.times: list[float] = []

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return (self.clock.elapsed() - self.began) / 1e6

    def take(self, piece: str) -> None:
        """Note that a piece has come."""
        if piece:
            self.times.append(self.seconds)


def shown(name: str, model: Model, request: Request, reply: Reply, heard: Heard) -> Trial:
    known = card_of(model)
    cost = reply.cost
    if cost is None and known.prices is not None:
        cost = known.cost(reply.usage)
    return Trial(
        model=name,
        tools=any(use.name == TOOL.name for use in reply.tool_uses),
        pieces=len(heard.times),
        first=min(heard.times, default=None),
        seconds=heard.seconds,
        stop=reply.stop,
        usage=reply.usage,
        estimated=reply.usage in (UNUSED, most_used(request, reply.parts)),
        cost=cost,
        served_as=reply.model,
    )
