"""The wheel holds both packages with all their files, the demo's project included."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.house import tree


def test_the_wheel_holds_every_file_of_both_packages_and_nothing_else(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=tree.ROOT,
        check=True,
        capture_output=True,
    )
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
        entry_points = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
        assert "hive = hive.cli:main" in wheel.read(entry_points).decode()
    tracked = {path.relative_to(tree.ROOT).as_posix() for path in tree.tracked_files()}
    shipped = {name for name in tracked if name.startswith(("hive/", "roles/"))}
    assert shipped
    assert shipped - held == set()
    assert {name.split("/")[0] for name in held} <= {"hive", "roles"}
