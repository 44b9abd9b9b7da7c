"""The test process's first file: `python -P -s -B start.py JOB`.

pytest and everything of ours is imported before any workspace is on the import path, so that no
file of a workspace can stand in for it.
"""

import sys
from pathlib import Path


def main() -> None:
    """Import what judges, then do the job that the file named on the command line describes."""
    here = str(Path(__file__).parent)
    sys.path.insert(0, here)
    from hive_inside.main import work  # type: ignore[import-not-found]

    sys.path.remove(here)
    work(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
