"""Diagnostics (floor 0): what the machinery is doing, for whoever debugs it; never a second record.

Silent until `set_up` is called, as `hive --verbose` and HIVE_LOG do. An event has a short name and
fields, above all `run`, `turn` and `role`; contents do not belong here, and long texts are refused
by their length. structlog is imported when something is to be shown and not before.
"""

import sys
from collections.abc import Callable, MutableMapping
from typing import Any, Literal

__all__ = ["Level", "debug", "log", "set_up"]

Level = Literal["debug", "info"]

LONGEST = 120
"""Characters of a field's text that are shown; what is longer may be content and is not."""

Sink = Callable[..., Any]

shown_log: Sink | None = None
shown_debug: Sink | None = None


def log(event: str, **fields: object) -> None:
    """Say that something happened, with `run=`, `turn=`, `role=` and what else matters."""
    if shown_log is not None:
        shown_log(event, **fields)


def debug(event: str, **fields: object) -> None:
    """Say something that is of interest only when looking for a defect."""
    if shown_debug is not None:
        shown_debug(event, **fields)


def set_up(level: Level | None) -> None:
    """Show diagnostics of a level on stderr from now on; None makes them silent again."""
    global shown_log, shown_debug  # noqa: PLW0603  a check of one name is all that silence costs
    if level is None:
        shown_log = shown_debug = None
        return
    import structlog

    logger = structlog.wrap_logger(
        OnStderr(),
        processors=[
            structlog.processors.TimeStamper(fmt="%H:%M:%S.%f", utc=False),
            without_contents,
            structlog.processors.KeyValueRenderer(
                key_order=["timestamp", "event", "run", "turn", "role"], drop_missing=True
            ),
        ],
        wrapper_class=structlog.BoundLogger,
    )
    shown_log = logger.info
    shown_debug = logger.debug if level == "debug" else None


class OnStderr:
    """Writes to whatever stderr is at the moment, which a live display may have taken over."""

    def info(self, line: str) -> None:
        print(line, file=sys.stderr)  # noqa: T201  this is where diagnostics are shown

    debug = info


def without_contents(logger: object, name: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """The event with long texts replaced by their length."""
    return {
        key: f"({len(value)} characters)"
        if isinstance(value, str) and len(value) > LONGEST
        else value
        for key, value in event.items()
    }
