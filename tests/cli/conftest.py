"""A folder with a team in it, and the command as a user calls it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hive.cli.command import serve
from hive.models import PROVIDERS

TEAM = Path(__file__).with_name("sample_team.py")
COMMAND = (sys.executable, "-m", "hive")


@dataclass(frozen=True)
class Answer:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Here:
    """A folder of its own, in which the command is called."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def hive(self, *arguments: str) -> Answer:
        """Serve a command line in this process."""
        self.capture.readouterr()
        code = serve(arguments)
        said = self.capture.readouterr()
        return Answer(code, said.out, said.err)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start the real command, its lines to be read as they come."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            preexec_fn=hear_interrupts,  # noqa: PLW1509  it takes no lock
            **options,
        )

    def really(self, *arguments: str) -> Answer:
        """Call the real command in a process of its own."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        return Answer(process.returncode, out, err)

    def runs(self) -> list[dict[str, Any]]:
        """What `hive runs --json` says."""
        listed: list[dict[str, Any]] = self.hive("runs", "--json").json
        return listed


def environment() -> dict[str, str]:
    """This process's environment, without keys, and without a journal and models of its own."""
    providers = PROVIDERS.values()
    dropped = {"HIVE_JOURNAL", "HIVE_LOG", *(each.key for each in providers)}
    dropped |= {str(each.address_variable) for each in providers}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.startswith("HIVE_MODEL")
    }
    return {**kept, "PYTHONWARNINGS": "error", "TERM": "xterm-256color", "COLUMNS": "100"}


def hear_interrupts() -> None:
    """A command in the foreground hears Ctrl-C, also where a shell has started the tests behind it
    with its own left out."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Here]:
    """A fresh folder with `team.py` and an empty `work` folder in it."""
    shutil.copy(TEAM, tmp_path / "team.py")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(environment()):
        monkeypatch.delenv(name)
    modules, path = set(sys.modules), list(sys.path)
    yield Here(tmp_path, capsys)
    sys.path[:] = path
    for name in set(sys.modules) - modules:  # the folder's own: of a library's there is one only
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
