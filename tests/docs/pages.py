"""Reads the examples out of a page, and runs them the way a reader would: from top to bottom.

A page's ```python and ```console blocks share one folder, and its Python blocks one namespace.
`await` and `async with` may stand at the top level of a block. Comments on the lines right above a
block, invisible when rendered, say what is special about it:

    <!-- needs a key -->    the block calls a provider: it is compiled, or its command looked up
    <!-- file: team.py -->  the block is also saved under this name, for the commands that follow
    <!-- exit: 1 -->        the block's last command ends with this code instead of 0
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

DEADLINE_S = 120
RUN = ("hive", "pytest")
# Nothing listens on the discard port, so a call that leaves the machine fails at once.
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, the line its text begins at, its comments."""

    language: str
    text: str
    line: int
    needs_key: bool = False
    file: str | None = None
    exit_code: int = 0


@dataclass
class Page:
    """A page on its way through: `run` executes every block up to the one asked for, once."""

    path: Path
    folder: Path
    blocks: list[Block]
    module: ModuleType = field(init=False)
    done: int = 0

    def __post_init__(self) -> None:
        self.module = ModuleType(f"page_{re.sub(r'[^a-z0-9]', '_', self.path.name.lower())}")
        # Payload classes resolve their annotations through the module they were written in.
        sys.modules[self.module.__name__] = self.module

    def run(self, number: int) -> None:
        """Execute block `number` and whatever before it has not been executed yet."""
        while self.done <= number:
            block = self.blocks[self.done]
            self.done += 1
            self._save(block)
            if block.language == "python":
                run_python(self.path, block, self.module)
            else:
                run_console(self.path, block, self.folder)

    def _save(self, block: Block) -> None:
        if block.file:
            target = self.folder / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")


def read_blocks(text: str) -> list[Block]:
    """Every ```python and ```console block of a page, in order."""
    blocks: list[Block] = []
    above: list[str] = []
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        if not line.startswith("```"):
            above = [*above, line] if line.startswith("<!--") else []
            continue
        fence = line[: len(line) - len(line.lstrip("`"))]
        inside = []
        for _, within in lines:
            if within.rstrip() == fence:
                break
            inside.append(within)
        else:
            raise ValueError(f"line {number}: the block is not closed")
        language = line.removeprefix(fence).strip()
        if language in ("python", "console"):
            blocks.append(_block(language, inside, number + 1, above))
        above = []
    return blocks


def run_python(path: Path, block: Block, module: ModuleType) -> None:
    """Compile the block, with the page's own line numbers, and run it unless it needs a key."""
    source = "\n" * (block.line - 1) + block.text
    code = compile(
        source, str(path), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    if block.needs_key:
        return
    # What a reader pastes into a file is what is meant to run here.
    result = eval(code, module.__dict__)
    if inspect.iscoroutine(result):
        asyncio.run(result)


def run_console(path: Path, block: Block, folder: Path) -> None:
    """Run the block's `$ hive` and `$ pytest` lines in `folder`; others are for readers only."""
    commands = [(line, text) for line, text in _commands(block) if text.split()[0] in RUN]
    for index, (line, command) in enumerate(commands):
        expected = block.exit_code if index == len(commands) - 1 and not block.needs_key else 0
        # What needs a key cannot run here, but there is such a command.
        looked_up = shlex.join([*shlex.split(command)[:2], "--help"])
        answer = subprocess.run(
            looked_up if block.needs_key else command,
            shell=True,
            cwd=folder,
            env=offline_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert answer.returncode == expected, (
            f"{path.name}:{line}: `{command}` ended with {answer.returncode}, not {expected}\n"
            f"{answer.stdout[-4000:]}\n{answer.stderr[-4000:]}"
        )


def offline_environment() -> dict[str, str]:
    """This environment without keys and without a way out, the installed commands in front."""
    kept = {name: value for name, value in os.environ.items() if not is_key(name)}
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    search = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return {**kept, **proxies, "PATH": search, "NO_PROXY": "127.0.0.1,localhost"}


def is_key(name: str) -> bool:
    """Whether an environment variable's name says that it opens an account."""
    return name.upper().endswith(("_KEY", "_TOKEN", "_SECRET"))


def _block(language: str, inside: list[str], line: int, above: list[str]) -> Block:
    comments = "\n".join(above)
    file = re.search(r"<!-- file: (\S+) -->", comments)
    code = re.search(r"<!-- exit: (\d+) -->", comments)
    return Block(
        language=language,
        text="\n".join(inside) + "\n",
        line=line,
        needs_key="<!-- needs a key -->" in comments,
        file=file.group(1) if file else None,
        exit_code=int(code.group(1)) if code else 0,
    )


def _commands(block: Block) -> list[tuple[int, str]]:
    """The block's `$ ...` lines with their line numbers, continued lines joined."""
    commands: list[tuple[int, str]] = []
    continued = False
    for offset, text in enumerate(block.text.splitlines()):
        if continued:
            line, begun = commands[-1]
            commands[-1] = (line, f"{begun} {text.strip().rstrip(chr(92)).strip()}")
        elif text.startswith("$ "):
            commands.append((block.line + offset, text[2:].rstrip("\\").strip()))
        else:
            continue
        continued = text.rstrip().endswith("\\")
    return commands
