"""The peers, from outside: where `make test-peers` puts them, and how they are run.

HIVE_PEERS names those that have to come up; without it a peer that is not there is done without.
"""

import os
import selectors
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PEERS = ROOT / ".peers"
PYTHON = PEERS / "venv/bin/python"
AIMOCK = PEERS / "node/node_modules/@copilotkit/aimock/dist/aimock-cli.js"
PATIENCE = 60.0
"""Seconds for a peer to come up: it takes one; a machine may be busy."""


def demanded(peer: str) -> bool:
    """Whether this peer has to come up."""
    return peer in os.environ.get("HIVE_PEERS", "").split()


def need(peer: str, *programs: str | Path) -> None:
    """Skip unless the peer is installed; fail if it had to be."""
    missing = [program for program in programs if not is_there(program)]
    if missing:
        says = f"{peer} is not installed: `make test-peers` does that"
        if demanded(peer):
            pytest.fail(f"{says}; missing: {', '.join(map(str, missing))}")
        pytest.skip(says)


def is_there(program: str | Path) -> bool:
    """Whether a file is there, or a command on the path."""
    return program.exists() if isinstance(program, Path) else shutil.which(program) is not None


def first_line(process: subprocess.Popen[str], holds: str) -> str:
    """The first line of its output with these words. Raises `AssertionError` if none comes."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(PATIENCE):
            line = process.stdout.readline()
            if not line:
                raise AssertionError(f"{process.args!r} ended with {process.wait()}")
            if holds in line:
                return line
    raise AssertionError(f"{process.args!r} said nothing in {PATIENCE} s")


@contextmanager
def running(args: Sequence[str | Path], holds: str, log: Path) -> Iterator[str]:
    """Run a peer; gives the address it prints, "http://127.0.0.1:…". Killed at the end."""
    with log.open("w") as errors:
        process = subprocess.Popen(
            args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, bufsize=1
        )
    try:
        try:
            line = first_line(process, holds)
        except AssertionError as failure:
            raise AssertionError(f"{failure}; it says: {log.read_text()[-2000:]}") from None
        yield line[line.index(holds) :].split()[0]
    finally:
        process.kill()
        process.communicate()


def got(address: str, method: str = "GET", body: object = None) -> Any:
    """What a peer says of itself at this address, in JSON."""
    answer = httpx2.request(method, address, json=body, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    return answer.json()


def text(address: str) -> str:
    """What a peer says of itself at this address."""
    answer = httpx2.get(address, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    return answer.text
