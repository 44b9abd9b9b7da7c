"""How many bugs the team repairs: `python -m tests.benchmarks.repair [NAME …]` prints JSON.

Every program of the corpus is laid out as a project of its own and given to the team of
`roles.team`, offline, with 60 seconds each. What the team calls finished is then checked by pytest
alone, on fresh copies of the tests. `tests` counts the tests executed on the way; a program that
was not repaired tells with which outcome and reason the run ended.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from hive import Budget
from roles.team import repair
from tests.repair.corpus import BUGS, Bug, bug

SECONDS = 60


async def attempt(subject: Bug, folder: Path) -> dict[str, object]:
    """One run of the team, and what came of it."""
    subject.lay_out(folder)
    team = repair.with_(budget=Budget(seconds=SECONDS))
    begun = time.perf_counter()
    result = await team.run("make the tests pass", workspace=folder)
    seconds = time.perf_counter() - begun
    repaired = result.outcome == "finished" and subject.passes(folder)
    ending = {} if repaired else {"ending": f"{result.outcome}: {result.reason}"}
    return {
        "repaired": repaired,
        "seconds": round(seconds, 1),
        "tests": result.units,
        "turns": result.turns,
        **ending,
    }


def main(names: list[str]) -> None:
    """Try all programs, or those named, one after the other."""
    programs: dict[str, dict[str, object]] = {}
    begun = time.perf_counter()
    for subject in [bug(name) for name in names] or BUGS:
        with tempfile.TemporaryDirectory() as folder:
            programs[subject.name] = asyncio.run(attempt(subject, Path(folder) / subject.name))
    figures = {
        "repaired": sum(bool(program["repaired"]) for program in programs.values()),
        "of": len(programs),
        "seconds": round(time.perf_counter() - begun, 1),
        "cap_seconds": SECONDS,
        "cores": len(os.sched_getaffinity(0)),
        "programs": programs,
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
