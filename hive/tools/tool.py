"""Tools (floor 2): functions that roles may call, each saying what it touches.

`effect` says what a call touches and is where policies look; `repeat` says what a crash may do to
it and is where recovery looks.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import anyio
import anyio.to_thread
from pydantic import JsonValue

from hive.board.payload import Payload
from hive.errors import DeclarationError, ToolError
from hive.message import ToolForm
from hive.tools.call import Call, ToolOutput, shape
from hive.tools.signature import Signature

__all__ = ["Effect", "Repeat", "Tool", "tool"]

Effect = Literal["read", "write", "egress", "irreversible"]
"""What a call touches: nothing, the workspace, the world outside, or what cannot be undone."""
Repeat = Literal["safe", "keyed", "never"]
"""Whether a call may be made again when nobody knows if it was made: always, under the same
`Call.key`, or not at all."""


def unchecked(arguments: Mapping[str, JsonValue]) -> Mapping[str, Any]:
    """Take arguments as they come, for tools whose other side checks them."""
    return arguments


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """A named function with the schema of its arguments; usually made by `@tool`.

    `timeout` is in seconds. `posts` are the kinds of payload that it alone may post. `check` turns
    arguments into what `run` is given and raises ToolError for what does not fit `schema`.
    """

    name: str
    description: str
    schema: dict[str, JsonValue]
    run: Callable[[Mapping[str, Any], Call], Awaitable[object]]
    effect: Effect = "write"
    repeat: Repeat = "never"
    timeout: float = 30.0
    posts: tuple[type[Payload], ...] = ()
    version: str = "1"
    check: Callable[[Mapping[str, JsonValue]], Mapping[str, Any]] = unchecked

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", self.name):
            raise DeclarationError(
                f"tool name {self.name!r}: use up to 64 letters, digits, '_' and '-'"
            )
        if not self.description.strip():
            raise DeclarationError(
                f"tool {self.name!r} has no description; write a docstring that says what it does"
            )
        if not self.timeout > 0:
            raise DeclarationError(f"tool {self.name!r}: timeout must be more than 0 seconds")

    @property
    def form(self) -> ToolForm:
        """The tool as a model sees it."""
        return ToolForm(self.name, self.description, self.schema)

    async def execute(self, arguments: Mapping[str, JsonValue], call: Call) -> ToolOutput:
        """Check the arguments and run the tool under its timeout.

        Whatever goes wrong inside the function comes back as an output with `error` set, so that
        the caller can read it; cancellation passes through. Raises ToolError only for arguments
        that do not fit, before anything was run.
        """
        checked = self.check(arguments)
        output = ToolOutput(
            f"{self.name} did not finish within {self.timeout:g} s and was cancelled", error=True
        )
        with anyio.move_on_after(self.timeout):
            output = await self._attempt(checked, call)
        return output

    async def _attempt(self, arguments: Mapping[str, Any], call: Call) -> ToolOutput:
        try:
            output = shape(await self.run(arguments, call))
        except ToolError as error:
            return ToolOutput(str(error), error=True)
        except Exception as error:  # noqa: BLE001 - the tool boundary: a defect becomes an entry
            return ToolOutput(f"{self.name} failed: {type(error).__name__}: {error}", error=True)
        strangers = {post.kind for post in output.posts if not isinstance(post, self.posts)}
        if strangers:
            declared = ", ".join(cls.kind for cls in self.posts) or "nothing"
            return ToolOutput(
                f"{self.name} tried to post {', '.join(sorted(strangers))}; it posts {declared}",
                changes=output.changes,
                error=True,
            )
        return output


def tool(
    *,
    effect: Effect = "write",
    repeat: Repeat | None = None,
    timeout: float = 30.0,
    posts: tuple[type[Payload], ...] = (),
    name: str | None = None,
    version: str = "1",
    thread: bool = False,
) -> Callable[[Callable[..., Any]], Tool]:
    """Make a tool of a function; its signature is the schema, its docstring the description.

    A parameter of type `Call` is filled in and not shown to models. Without `repeat`, a tool that
    only reads may be repeated and any other may not. `timeout` is in seconds. A plain function
    runs on the event loop unless `thread` asks for a thread of its own, which a timeout can only
    abandon when the tool reads.

        @tool(effect="read")
        async def thermometer(room: str) -> float:
            \"""Read the temperature of a room, in degrees Celsius.\"""

    Raises DeclarationError that says which parameter has no schema and why.
    """

    def declare(function: Callable[..., Any]) -> Tool:
        signature = Signature(function)
        return Tool(
            name=name or function.__name__,
            description=inspect.getdoc(function) or "",
            schema=signature.schema,
            run=runner(function, signature.call_parameter, thread, effect == "read"),
            effect=effect,
            repeat=repeat or ("safe" if effect == "read" else "never"),
            timeout=timeout,
            posts=posts,
            version=version,
            check=signature.check,
        )

    return declare


def runner(
    function: Callable[..., Any], call_parameter: str | None, thread: bool, abandon: bool
) -> Callable[[Mapping[str, Any], Call], Awaitable[object]]:
    """The function behind one form: checked arguments and the call in, an awaitable out."""

    async def run(arguments: Mapping[str, Any], call: Call) -> object:
        given = {**arguments, call_parameter: call} if call_parameter else dict(arguments)
        if thread:
            waiting = partial(function, **given)
            with anyio.CancelScope(shield=not abandon):  # what is begun is seen through
                return await anyio.to_thread.run_sync(waiting, abandon_on_cancel=abandon)
        result = function(**given)
        return await result if inspect.isawaitable(result) else result

    return run
