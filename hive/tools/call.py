"""What goes into a tool beside its arguments, and what comes out (floor 2)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import orjson
from pydantic import BaseModel

from hive.board.payload import Payload
from hive.errors import ToolError
from hive.message import Media
from hive.tools.workspace import FileChange, Workspace

__all__ = ["Call", "ToolOutput", "reported", "shape"]


def nothing(kind: str) -> Payload | None:
    """The board of a call made outside a run: no entry of any kind."""
    return None


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool: who calls, from where, on what.

    A tool that declares a parameter of this type is given it; models never see that parameter.
    `key` is the same whenever this call is repeated after a crash. `latest(kind)` is the newest
    payload of a kind on the board.
    """

    key: str = ""
    run: str = ""
    address: str = ""
    role: str = ""
    workspace: Workspace | None = None
    latest: Callable[[str], Payload | None] = nothing

    def require_workspace(self) -> Workspace:
        """The run's workspace. Raises ToolError when it has none."""
        if self.workspace is None:
            raise ToolError("this run has no workspace; start it with one to use file tools")
        return self.workspace


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a tool gives back: text for the caller, what it changed, what it posts on the board, and
    images or files for the caller to look at."""

    text: str
    changes: tuple[FileChange, ...] = ()
    posts: tuple[Payload, ...] = ()
    error: bool = False
    media: tuple[Media, ...] = ()


def reported(output: ToolOutput, made: Iterable[FileChange]) -> ToolOutput:
    """The output with every change that was made, also those the tool says nothing of."""
    told = {change.path for change in output.changes}
    net: dict[str, FileChange] = {}
    for change in made:
        first = net.get(change.path, change)
        net[change.path] = replace(change, before=first.before)
    untold = (c for c in net.values() if c.path not in told and c.before != c.after)
    return replace(output, changes=(*output.changes, *untold)) if net else output


def shape(value: object) -> ToolOutput:
    """A tool's return value as output: text as it is, images and files to be looked at, alone or
    among texts in a list, anything else as compact JSON.

    Raises ToolError for what has no JSON form.
    """
    if isinstance(value, ToolOutput):
        return value
    if isinstance(value, str):
        return ToolOutput(value)
    if isinstance(value, Media):
        return pictured([value])
    if isinstance(value, list | tuple) and any(isinstance(item, Media) for item in value):
        return pictured(value)
    if isinstance(value, BaseModel):
        return ToolOutput(value.model_dump_json())
    try:
        return ToolOutput(orjson.dumps(value, default=plain_value).decode())
    except TypeError as error:
        why = error.__cause__ or error
        raise ToolError(
            f"the tool returned a {type(value).__name__}, which has no JSON form: {why}"
        ) from None


def pictured(items: Iterable[object]) -> ToolOutput:
    """Images, files and texts as output; in the text each image is named where it stood."""
    lines: list[str] = []
    media: list[Media] = []
    for item in items:
        if isinstance(item, Media):
            media.append(item)
            lines.append(f"[{item.description}]")
        elif isinstance(item, str):
            lines.append(item)
        else:
            raise ToolError(
                f"the tool returned a {type(item).__name__} beside an image or a file; only texts"
                " can stand there"
            )
    return ToolOutput("\n".join(lines), media=tuple(media))


def plain_value(value: object) -> object:
    """What orjson does not know by itself: pydantic models and sets inside other values."""
    if isinstance(value, Media):
        raise TypeError("an image or a file is returned by itself, or in a list with texts")
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
