"""The closed enumerations of docs/control.md are those of the code, word for word."""

from __future__ import annotations

import re
from typing import get_args

from hive.audit import Factor
from hive.board.records import Reason
from hive.message import RetryReason
from tests.house import tree

PAGE = (tree.ROOT / "docs" / "control.md").read_text("utf-8")


def listed(heading: str) -> list[str]:
    """The words in the first column of the table below a heading."""
    section = PAGE.partition(f"### {heading}\n")[2].partition("\n#")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def test_every_reason_of_an_ending_is_told() -> None:
    assert listed("Why a run ended") == list(get_args(Reason))


def test_every_reason_of_an_attempt_is_told() -> None:
    assert listed("Why an attempt failed") == list(get_args(RetryReason))


def test_every_factor_of_a_run_is_told() -> None:
    assert listed("What helped, and what was lost") == list(get_args(Factor))
