"""Small projects on disk, and calls of tools on them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hive.board.payload import Payload
from hive.tools import Call, Tool, ToolOutput, Workspace

__all__ = ["Board", "ask_for", "call_on", "project", "text_of"]


def project(root: Path, **files: str) -> Workspace:
    """A workspace with these files; "__" in a name stands for "/", and ".py" is added."""
    return folder(root, {f"{name.replace('__', '/')}.py": text for name, text in files.items()})


def folder(root: Path, files: Mapping[str, str]) -> Workspace:
    """A workspace with files of any name."""
    root.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return Workspace(root)


class Board:
    """The newest payload of each kind, as a run would know it."""

    def __init__(self) -> None:
        self._newest: dict[str, Payload] = {}

    def post(self, output: ToolOutput) -> None:
        for payload in output.posts:
            self._newest[payload.kind] = payload

    def latest(self, kind: str) -> Payload | None:
        return self._newest.get(kind)


def call_on(workspace: Workspace, board: Board | None = None) -> Call:
    """A call of the coder on a workspace."""
    return Call("key", "run", "1/coder/0.0", "coder", workspace, (board or Board()).latest)


async def ask_for(tool: Tool, call: Call, **arguments: Any) -> Any:
    """The JSON that a tool answers."""
    output = await tool.execute(arguments, call)
    assert not output.error, output.text
    return json.loads(output.text)


async def text_of(tool: Tool, call: Call, **arguments: Any) -> str:
    """What a tool says when it fails."""
    output = await tool.execute(arguments, call)
    assert output.error, output.text
    return output.text
