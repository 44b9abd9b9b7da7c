"""Draws docs/images/live.svg: the live display in the middle of a real run of the demo.

    python -m tests.cli.picture

The run is stopped once the picture is taken; nothing is left behind.
"""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

import anyio
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from hive.board.entry import Entry
from hive.cli.demo import GOAL, PROJECT, TEAM
from hive.cli.live import Drawing, picture
from hive.cli.loading import load
from hive.cli.overrides import Overrides
from hive.cli.scene import Scene

TARGET = Path(__file__).resolve().parents[2] / "docs" / "images" / "live.svg"
WIDTH = 104
TRIALS = 2
"""The picture is taken when so many batches of edits are being judged."""
FONTS = "Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"


def plain_fonts(template: str) -> str:
    """The template of the picture without fonts that would be fetched from elsewhere."""
    without = re.sub(r"@font-face \{\{.*?\}\}\s*", "", template, flags=re.DOTALL)
    return re.sub(r"font-family: [^;]*;", f"font-family: {FONTS};", without)


def is_trial(entry: Entry) -> bool:
    return entry.kind == "ToolCall" and getattr(entry.payload, "tool", "") == "try_edits"


async def drawn(folder: Path) -> str:
    """The display as SVG, at the moment when the coder has the most to show."""
    team = Overrides().apply(load(TEAM), TEAM)
    scene = Scene(GOAL)
    drawing = Drawing(scene, tuple(team.roles), team.budget, TEAM)
    console = Console(file=io.StringIO(), record=True, width=WIDTH, force_terminal=True)
    trials = 0
    async with team.start(GOAL, workspace=folder) as run:
        async for entry in run.follow():
            scene.take(entry)
            trials += is_trial(entry)
            if trials == TRIALS:
                with anyio.move_on_after(1.2):  # let the meter of the call show something
                    await anyio.sleep_forever()
                console.print(picture(drawing))
                run.stop("the picture is taken")
                break
    return console.export_svg(title="hive demo", code_format=plain_fonts(CONSOLE_SVG_FORMAT))


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        from importlib import import_module

        folder: Path = import_module(PROJECT).copy_project(Path(scratch) / "project")
        TARGET.write_text(anyio.run(drawn, folder), encoding="utf-8")
    print(f"drew {TARGET.name}")


if __name__ == "__main__":
    main()
