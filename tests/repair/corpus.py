"""Access to the bugs: their sources, their tests, the repair a person would make."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BUGS", "Bug", "bug"]

FOLDER = Path(__file__).parent / "bugs"
SECONDS = 20
"""After which a suite that hangs is taken for failed."""


@dataclass(frozen=True, slots=True)
class Bug:
    """One program with one bug."""

    name: str

    @property
    def source(self) -> str:
        """The program as it is, with its bug."""
        return (FOLDER / self.name / f"{self.name}.py").read_text("utf-8")

    @property
    def tests(self) -> str:
        """Its tests."""
        return (FOLDER / self.name / f"test_{self.name}.py").read_text("utf-8")

    @property
    def fix(self) -> dict[str, str]:
        """What kind of bug it is, and the text that a person would replace, before and after."""
        found: dict[str, str] = json.loads((FOLDER / self.name / "fix.json").read_text("utf-8"))
        return found

    @property
    def mended(self) -> str:
        """The program as a person would mend it. Raises ValueError where the fix does not fit."""
        before = self.fix["before"]
        if self.source.count(before) != 1:
            raise ValueError(f"the fix of {self.name} fits {self.source.count(before)} places")
        return self.source.replace(before, self.fix["after"])

    def lay_out(self, folder: Path) -> Path:
        """Put the program and its tests into a folder, as a small project to work on."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in (f"{self.name}.py", f"test_{self.name}.py"):
            shutil.copy(FOLDER / self.name / name, folder / name)
        return folder

    def passes(self, folder: Path) -> bool:
        """Whether the project in a folder passes the original tests, run by pytest alone."""
        shutil.copy(FOLDER / self.name / f"test_{self.name}.py", folder)
        command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        options = ["--rootdir", ".", "-c", "/dev/null", f"test_{self.name}.py"]
        try:
            done = subprocess.run(
                [*command, *options], cwd=folder, timeout=SECONDS, capture_output=True, check=False
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


BUGS = tuple(Bug(path.name) for path in sorted(FOLDER.iterdir()) if path.is_dir())


def bug(name: str) -> Bug:
    """The bug in the program of a name."""
    return next(each for each in BUGS if each.name == name)
