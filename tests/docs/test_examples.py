"""Every example a reader can see is run: in README.md, in docs/, and the files of examples/.

`tests/docs/pages.py` says how a page is run and how a block is marked. An example file that calls a
provider says so on a line of its own, `# needs a key`; it is compiled and type-checked, not run.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DEADLINE_S, Block, Page, offline_environment, read_blocks
from tests.house import tree

PATHS = [path for path in tree.documents() if path.name != "CHANGELOG.md"]
BLOCKS = {path: read_blocks(path.read_text("utf-8")) for path in PATHS}
EVERY_BLOCK = [
    pytest.param(path, number, id=f"{path.relative_to(tree.ROOT)}:{block.line}")
    for path, blocks in BLOCKS.items()
    for number, block in enumerate(blocks)
]
EXAMPLES = sorted((tree.ROOT / "examples").glob("*.py"))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    """Each page with a folder and a namespace that its blocks share."""
    return {
        path: Page(path, tmp_path_factory.mktemp(path.stem), blocks)
        for path, blocks in BLOCKS.items()
    }


def test_the_readme_shows_a_program_and_a_command() -> None:
    shown = {block.language for block in BLOCKS.get(tree.ROOT / "README.md", [])}
    assert shown == {"python", "console"}


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(("path", "number"), EVERY_BLOCK)
def test_a_block_runs(
    path: Path, number: int, pages: dict[Path, Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pages[path].folder)
    monkeypatch.syspath_prepend(pages[path].folder)  # one file of a page may import another
    pages[path].run(number)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs(path: Path, tmp_path: Path) -> None:
    source = path.read_text("utf-8")
    if "# needs a key" in source.splitlines():
        compile(source, str(path), "exec")
        return
    answer = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        cwd=tmp_path,
        env=offline_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout[-4000:] + answer.stderr[-4000:]


def page(folder: Path, text: str) -> Page:
    return Page(folder / "page.md", folder, read_blocks(text))


def test_blocks_share_a_namespace_and_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    read = page(
        tmp_path,
        "```python\nfrom pathlib import Path\nPath('a').write_text('1')\nx = 1\n```\nand then\n"
        "```text\nnot run\n```\n```python\nimport asyncio\nawait asyncio.sleep(0)\n"
        "x += int(Path('a').read_text())\n```\n",
    )
    read.run(1)
    assert read.module.__dict__["x"] == 2


@pytest.mark.parametrize(
    "text",
    [
        "```python\nassert False\n```\n",
        "```python\nimport asyncio\nawait asyncio.wait_for(asyncio.sleep(9), 0)\n```\n",
        "<!-- needs a key -->\n```python\nthis is no Python\n```\n",
        "```console\n$ hive no-such-command\n```\n",
        "<!-- needs a key -->\n```console\n$ hive no-such-command\n```\n",
        "<!-- exit: 1 -->\n```console\n$ hive --help\n```\n",
    ],
)
def test_a_planted_broken_block_is_found(tmp_path: Path, text: str) -> None:
    read = page(tmp_path, text)
    with pytest.raises((AssertionError, SyntaxError, TimeoutError)):
        read.run(0)


def test_a_failure_names_the_page_and_the_line(tmp_path: Path) -> None:
    read = page(tmp_path, "# Title\n\n```python\nx = 1\nraise LookupError\n```\n")
    with pytest.raises(LookupError) as caught:
        read.run(0)
    assert Path(caught.traceback[-1].path) == tmp_path / "page.md"
    assert caught.traceback[-1].lineno == 5 - 1


@pytest.mark.usefixtures("offline")
def test_a_planted_call_out_of_the_machine_is_found(tmp_path: Path) -> None:
    program = "```python\nimport socket\nsocket.create_connection(('192.0.2.1', 80), 1)\n```\n"
    read = page(tmp_path, program)
    with pytest.raises(OSError, match="tried to reach"):
        read.run(0)


def test_comments_above_a_block_are_read() -> None:
    text = "<!-- needs a key -->\n<!-- file: team.py -->\n<!-- exit: 3 -->\n```python\nx\n```\n"
    assert read_blocks(text) == [
        Block("python", "x\n", 5, needs_key=True, file="team.py", exit_code=3)
    ]


def test_a_block_that_is_not_closed_is_an_error() -> None:
    with pytest.raises(ValueError, match="line 2"):
        read_blocks("\n```python\nx\n")


def test_a_command_may_go_on_over_lines(tmp_path: Path) -> None:
    page(tmp_path, "```console\n$ hive \\\n    --help > out\nUsage\n```\n").run(0)
    assert (tmp_path / "out").stat().st_size > 0
