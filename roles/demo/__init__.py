"""A small project with real bugs, for the team to work on."""

import shutil
from pathlib import Path

__all__ = ["copy_project", "project"]


def project() -> Path:
    """Where the project is kept; it is data, and must be copied before anybody works on it."""
    return Path(__file__).parent / "project"


def copy_project(target: str | Path) -> Path:
    """Copy the project into a new folder `target`, caches left out, and give that folder.

    Raises FileExistsError when there is something at `target` already.
    """
    left_out = shutil.ignore_patterns("__pycache__", ".*_cache", "*.pyc")
    return Path(shutil.copytree(project(), target, ignore=left_out))
