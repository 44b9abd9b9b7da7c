"""Where a test failed and what it said, taken from the exception itself."""

import linecache
import os
from types import TracebackType
from typing import Any

import pytest

__all__ = ["Place", "message_of", "place_of"]

MOST_MESSAGE = 1000
"""Characters."""
MOST_EXCERPT = 300

Place = tuple[str, int, str]
"""Path relative to the workspace, line from 1, and what stands there."""


def place_of(root: str, trace: TracebackType | None) -> Place | None:
    """The innermost line of the workspace that an exception came through."""
    found = None
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if path.startswith(root + os.sep):
            found = (path, trace.tb_lineno)
        trace = trace.tb_next
    if found is None:
        return None
    path, line = found
    return os.path.relpath(path, root), line, linecache.getline(path, line).strip()[:MOST_EXCERPT]


def message_of(excinfo: "pytest.ExceptionInfo[BaseException]") -> str:
    """What the exception says, as pytest would put it."""
    try:
        text = excinfo.exconly(tryshort=True)
    except Exception:  # noqa: BLE001 - the exception's own code may fail while it is shown
        text = excinfo.typename
    return text if len(text) <= MOST_MESSAGE else text[:MOST_MESSAGE] + " ..."


def syntax_place(root: str, error: Any) -> Place | None:
    """Where a SyntaxError of a workspace file says it is."""
    path, line = getattr(error, "filename", None), getattr(error, "lineno", None)
    if not isinstance(path, str) or not isinstance(line, int):
        return None
    if not path.startswith(root + os.sep):
        return None
    return os.path.relpath(path, root), line, linecache.getline(path, line).strip()[:MOST_EXCERPT]
