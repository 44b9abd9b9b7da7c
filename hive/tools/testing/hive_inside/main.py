"""The job of one test process: read it, do it, report on the private channel."""

import gc
import importlib
import json
import os
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import _pytest.config
from _pytest.config.findpaths import CONFIG_LOADERS_BY_NAME, load_config_dict_from_file

from .candidates import Baseline, Batch, Candidate, judge_all
from .options import Limit, Options, Outcome, SessionResult
from .pool import Pool, Work
from .session import Wire

__all__ = ["work"]

MOST_BREAKS = 5
"""Sessions that may break off at a test and be taken up behind it."""


def work(file: Path) -> None:
    """Do the job in `file`, a JSON object, and report on the descriptor named in HIVE_CHANNEL."""
    job: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    channel = int(os.environ.pop("HIVE_CHANNEL"))
    os.set_inheritable(channel, False)
    warm_up(job)
    source, scratch = Path(job["source"]), Path(job["scratch"])
    options = Options(
        config=str(configuration(source, scratch)),
        protected=tuple(job["protected"]),
        tests=tuple(job.get("tests", ())),
        hasty=frozenset(job.get("hasty", ())),
        assumed=frozenset(job.get("assumed", ())),
        lines=job["kind"] == "lines",
        limit=Limit(
            first=job["test_seconds"],
            least=min(0.5, job["test_seconds"]),
            collect=job["collect"],
            quiet=job["quiet"],
        ),
    )
    pool = Pool(source, scratch, channel)
    deadline = time.monotonic() + job["seconds"]
    wire = Wire(channel)
    if job["kind"] == "candidates":
        try_candidates(job, pool, options, deadline, wire)
    else:
        quiet = job["kind"] == "lines"
        result = thorough(pool, Work(options, job["seconds"], copy=False, quiet=quiet), deadline)
        wire.send("result", summary(result))


def warm_up(job: dict[str, Any]) -> None:
    """Import and set up once what every forked session would otherwise do again."""
    for name in _pytest.config.default_plugins:
        importlib.import_module(f"_pytest.{name}")
    for name in ("difflib", "pprint", "pdb", *(["coverage"] if job["kind"] == "lines" else [])):
        importlib.import_module(name)
    home = str(Path(job["hive"]))
    sys.path[:] = [path for path in sys.path if path != home]
    gc.collect()
    gc.freeze()


def configuration(source: Path, scratch: Path) -> Path:
    """The file that configures pytest: the workspace's own, or an empty one, never a parent's.

    The workspace's own is named relative to its root, because paths in it mean the copy it lies in.
    """
    for name in CONFIG_LOADERS_BY_NAME:
        file = source / name
        if file.is_file() and load_config_dict_from_file(file) is not None:
            return Path(name)
    empty = scratch / "pytest.ini"
    empty.write_text("[pytest]\n", encoding="utf-8")
    return empty


def thorough(pool: Pool, work: Work, deadline: float) -> SessionResult:
    """Run a session; when a test breaks it off, go on behind that test.

    The result is then not finished, but knows about the tests that come later.
    """
    latest = total = pool.run(work).result
    problem = ""
    for _ in range(MOST_BREAKS):
        if latest.finished or not latest.running or time.monotonic() > deadline:
            break
        broken = Outcome(latest.running, "failed", timeout=not latest.problem)
        broken.message = latest.problem or "took too long and could not be interrupted"
        problem = problem or f"{broken.id}: {broken.message}"
        broken.path = broken.id.partition("::")[0]
        total.outcomes[broken.id] = broken
        done = frozenset(total.outcomes)
        again = replace(work, options=replace(work.options, skip=done))
        latest = pool.run(replace(again, seconds=deadline - time.monotonic())).result
        total.outcomes |= latest.outcomes
        total.lines |= {test: lines for test, lines in latest.lines.items() if test}
    total.problem = problem or total.problem
    return total


def summary(result: SessionResult) -> dict[str, Any]:
    """A session's result as it is reported."""
    return {
        "collected": result.collected,
        "outcomes": [asdict(outcome) for outcome in result.outcomes.values()],
        "lines": result.lines,
        "complete": result.complete,
        "finished": result.finished,
        "status": result.status,
        "seconds": result.seconds,
        "problem": result.problem,
    }


def try_candidates(
    job: dict[str, Any], pool: Pool, options: Options, deadline: float, wire: Wire
) -> None:
    """Run the baseline, then judge every candidate against it."""
    baseline_work = Work(replace(options, light=True), job["seconds"])
    result = thorough(pool, baseline_work, deadline)
    baseline = Baseline.of(result, options)
    wire.send(
        "baseline",
        {
            "failing": list(baseline.failing),
            "collected": len(result.collected),
            "executed": sum("::" in test for test in result.outcomes),
            "problem": result.problem,
        },
    )
    batch = Batch(
        candidates=[Candidate(each["index"], each["files"]) for each in job["candidates"]],
        baseline=baseline,
        options=replace(options, assumed=frozenset()),
        workers=job["workers"],
        stop_on_pass=job["stop_on_pass"],
        deadline=deadline,
    )
    judge_all(pool, batch, lambda judgement: wire.send("judgement", judgement))
    wire.send("done", {})
