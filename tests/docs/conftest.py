"""Examples run offline: no key is set, and no socket leads out of the machine."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest

from tests.docs.pages import is_key, offline_environment

LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the keys away, point the proxies nowhere, and refuse connections off the machine."""
    for name in filter(is_key, list(os.environ)):
        monkeypatch.delenv(name)
    for name, value in offline_environment().items():
        monkeypatch.setenv(name, value)
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            raise OSError(f"an example tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
