"""One pytest session in this process, which belongs to it alone and ends with it."""

import json
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import pytest

from .lines import LineRecorder
from .observer import LightReports, Observer
from .options import Options

__all__ = ["Wire", "run_session"]


class Wire:
    """Messages as lines of JSON on a pipe; silent in processes that the session itself forks.

    `token` begins every line, so that bytes which the code under test writes into whatever it finds
    open are not mistaken for messages.
    """

    def __init__(self, descriptor: int, token: str = "") -> None:
        self._descriptor = descriptor
        self._token = token.encode()
        self._owner = os.getpid()

    def send(self, kind: str, content: dict[str, Any]) -> None:
        """Write one message, whole."""
        if os.getpid() != self._owner:
            return
        line = self._token + json.dumps({"kind": kind, **content}).encode() + b"\n"
        while line:
            line = line[os.write(self._descriptor, line) :]


def run_session(root: Path, home: Path, options: Options, wire: Wire) -> None:
    """Run pytest on the folder `root` and report on the wire; `home` takes what tests leave."""
    enter(root, home)
    recorder = LineRecorder(str(root)) if options.lines else None
    observer = Observer(str(root), home, options, wire.send, recorder)
    plugins: list[object] = [observer, *([LightReports()] if options.light else [])]
    started = time.monotonic()
    if recorder is not None:
        recorder.start()
    try:
        status = int(pytest.main(arguments(root, home, options), plugins=plugins))
    except BaseException:  # noqa: BLE001 - reported, and the process ends here
        wire.send("crash", {"text": traceback.format_exc(limit=-5)})
        return
    sys.stdout.flush()
    sys.stderr.flush()
    if recorder is not None:
        wire.send("lines", {"id": "", "lines": recorder.imported()})
    seconds = time.monotonic() - started
    wire.send("end", {"status": status, "sound": observer.canaries.sound, "seconds": seconds})


def enter(root: Path, home: Path) -> None:
    """Make the workspace the current folder and the first place to import from."""
    home.mkdir(parents=True, exist_ok=True)
    os.environ.update(HOME=str(home), TMPDIR=str(home), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    tempfile.tempdir = None
    sys.argv = ["pytest"]
    os.chdir(root)
    sys.dont_write_bytecode = True
    sources = root / "src"
    inside = (
        [root, sources] if sources.is_dir() and not (sources / "__init__.py").exists() else [root]
    )
    sys.path[:0] = map(str, inside)


def arguments(root: Path, home: Path, options: Options) -> list[str]:
    """pytest's command line: configuration from the workspace only, nothing written into it."""
    light = ["--assert=plain", "--tb=no", "--capture=no", "--no-summary"]
    return [
        "-q",
        "-p",
        "no:cacheprovider",
        f"--rootdir={root}",
        f"--confcutdir={root}",
        f"--config-file={root / options.config}",
        f"--basetemp={home / 'pytest'}",
        "--continue-on-collection-errors",
        "--maxfail=0",
        *(light if options.light else ["--tb=short"]),
        *options.tests,
    ]
