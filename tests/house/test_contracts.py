"""The import contracts of pyproject.toml find what they are written to find.

`make test` runs them over the house; here they run over a small house with one planted breach.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import tree

SMALL_HOUSE = {
    "hive/errors.py": "",
    "hive/board/__init__.py": "import hive.errors",
    "hive/models/__init__.py": "import hive.board",
    "hive/models/openai.py": "import openai",
    "hive/tools/__init__.py": "import hive.board",
    "hive/control/__init__.py": "",
    "hive/control/graphs/__init__.py": "",
    "hive/control/policies/__init__.py": "",
    "hive/control/graphs/graph.py": "import networkx\nimport hive.board",
    "hive/cli/__init__.py": "import click\nimport hive",
    "hive/testing/play.py": "import hive.models",
    "hive/__init__.py": "",
    "roles/__init__.py": "",
    "roles/team.py": "from hive import Role\nimport hive.testing, hive.tools",
}


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [command, "--no-cache", "--no-logo"],
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def build(folder: Path, planted: dict[str, str]) -> Path:
    for name, text in {**SMALL_HOUSE, **planted}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    shutil.copy(tree.ROOT / "pyproject.toml", folder)
    return folder


def test_a_lawful_house_passes(tmp_path: Path) -> None:
    answer = lint(build(tmp_path, {}))
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("where", "planted", "contract"),
    [
        ("hive/board/view.py", "import hive.models", "a floor imports only"),
        ("hive/models/wire.py", "import hive.tools", "a floor imports only"),
        ("hive/attic.py", "", "a floor imports only"),
        ("hive/cli/demo.py", "import roles", "hive knows nothing of roles"),
        ("roles/coder.py", "from hive.board import view", "roles use the public door"),
        ("hive/board/view.py", "import time", "the board neither waits"),
        ("hive/control/policies/policy.py", "import networkx", "networkx stays"),
        ("hive/tools/web.py", "import anthropic", "provider SDKs"),
        ("hive/tools/command.py", "import rich", "the terminal's libraries"),
    ],
)
def test_a_planted_breach_is_found(tmp_path: Path, where: str, planted: str, contract: str) -> None:
    answer = lint(build(tmp_path, {where: planted}))
    assert answer.returncode == 1
    broken = [line for line in answer.stdout.splitlines() if " BROKEN" in line]
    assert any(line.startswith(contract) for line in broken), answer.stdout + answer.stderr
