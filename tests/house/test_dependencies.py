"""What an installation brings, and that the pinned environment is the one the tests run in."""

from __future__ import annotations

import re
from importlib.metadata import distribution, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house import tree

LIMIT = 30
CONSTRAINTS = tree.ROOT / "constraints.txt"


def closure(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """The distributions that installing `name` with `extras` brings on this machine, itself too."""
    found: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(name), extra) for extra in ("", *extras)]
    while waiting:
        owner, extra = waiting.pop()
        if (owner, extra) in found:
            continue
        found.add((owner, extra))
        for text in distribution(owner).requires or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                wanted = canonicalize_name(needed.name)
                waiting += [(wanted, more) for more in ("", *needed.extras)]
    return {str(owner) for owner, _ in found}


def pins() -> dict[str, str]:
    """The version that constraints.txt pins for each distribution on this Python and platform."""
    found = {}
    for line in re.findall(r"^[A-Za-z0-9].*==[^\\\n]+", CONSTRAINTS.read_text("utf-8"), re.M):
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate():
            found[str(canonicalize_name(pin.name))] = str(pin.specifier).removeprefix("==")
    return found


def test_the_base_install_is_small() -> None:
    brought = closure("hive-blackboard") - {"hive-blackboard"}
    print(f"the base install brings {len(brought)} distributions: {', '.join(sorted(brought))}")
    assert len(brought) < LIMIT


def test_the_count_sees_what_is_brought() -> None:
    assert {"pydantic", "pydantic-core", "annotated-types"} <= closure("pydantic")
    assert len(closure("hive-blackboard", frozenset({"dev"}))) > LIMIT


def test_everything_installed_for_development_is_pinned_at_its_version() -> None:
    needed = closure("hive-blackboard", frozenset({"dev"})) - {"hive-blackboard"}
    pinned = pins()
    assert {name: version(name) for name in needed} == {name: pinned.get(name) for name in needed}


def test_every_pin_has_a_digest() -> None:
    blocks = re.split(r"\n(?=\w)", CONSTRAINTS.read_text("utf-8"))
    without = [block.split()[0] for block in blocks if "==" in block and "sha256:" not in block]
    assert without == []
