"""The design page draws the floors as the import contracts have them, and names every record."""

from __future__ import annotations

import re
import tomllib

from hive.board import records
from tests.house import tree

PAGE = tree.ROOT / "docs/design.md"


def floors() -> list[list[str]]:
    """The parts of each floor that are there, from the ground up; joined by `|`, they may not know
    each other."""
    contracts = tomllib.loads((tree.ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    layers = next(c for c in contracts["importlinter"]["contracts"] if c["id"] == "floors")[
        "layers"
    ]
    return [
        [name for name in re.split(r"( \| | : )", layer) if there(name.strip("()"))]
        for layer in reversed(layers)
    ]


def there(name: str) -> bool:
    """Whether a part is built; what joins parts always is."""
    folder = tree.ROOT / "hive"
    known = (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()
    return name.strip() in ("|", ":") or (known and name != "__main__")


def drawn(rows: list[list[str]]) -> str:
    """The floors as a Mermaid diagram, the highest first."""
    boxes = {}
    for number, row in enumerate(rows):
        names = [name.strip("()") for name in row if name.strip() not in ("|", ":")]
        bar = " | " if " | " in row else ", "
        if names:
            boxes[f"f{number}"] = f'["{number} · {bar.join(names)}"]'
    lines = [f"    {name}{label}" for name, label in reversed(boxes.items())]
    return "\n".join(
        ["```mermaid", "flowchart TD", *lines, f"    {' --> '.join(reversed(boxes))}", "```"]
    )


def test_the_floors_are_drawn_as_the_contracts_have_them() -> None:
    picture = drawn(floors())
    assert picture in PAGE.read_text("utf-8"), f"docs/design.md should hold\n\n{picture}"


def test_a_planted_difference_in_the_floors_is_found() -> None:
    assert drawn([["errors"], ["board"], ["journal", " | ", "tools"]]) != drawn(floors())


def test_every_record_is_named() -> None:
    text = PAGE.read_text("utf-8")
    assert [cls.kind for cls in records.RECORDS if cls.kind not in text] == []
