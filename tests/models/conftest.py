"""Clients open fast: what they trust is read from the disk once; nobody here is asked for it."""

import functools
import ssl
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def trusted_once() -> Iterator[None]:
    """A client reads the trusted certificates when it is opened, which takes most of a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield
