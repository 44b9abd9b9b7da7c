"""Where a test failed and what it said, taken from the exception itself."""

import linecache
import os

import pytest

__all__ = ["Place", "cause_of", "message_of", "place_of"]

MOST_MESSAGE = 1000
"""Characters."""
MOST_EXCERPT = 300

Place = tuple[str, int, str]
"""Path relative to the workspace, line from 1, and what stands there."""


def cause_of(error: BaseException) -> BaseException:
    """What stopped a file from being imported, where pytest has wrapped it; else the error."""
    wrapped = isinstance(error, pytest.Collector.CollectError)
    return error.__cause__ if wrapped and error.__cause__ is not None else error


def place_of(root: str, error: BaseException) -> Place | None:
    """The innermost line of the workspace that an exception came through."""
    found = None
    trace = error.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if path.startswith(root + os.sep):
            found = (path, trace.tb_lineno)
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and str(error.filename).startswith(root + os.sep):
        found = (str(error.filename), error.lineno or 1)
    if found is None:
        return None
    path, line = found
    return os.path.relpath(path, root), line, linecache.getline(path, line).strip()[:MOST_EXCERPT]


def message_of(error: BaseException, excinfo: "pytest.ExceptionInfo[BaseException]") -> str:
    """What an error says, as pytest would put it."""
    try:
        whole = error is excinfo.value
        text = excinfo.exconly(tryshort=True) if whole else f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - the exception's own code may fail while it is shown
        text = excinfo.typename
    return text if len(text) <= MOST_MESSAGE else text[:MOST_MESSAGE] + " ..."
