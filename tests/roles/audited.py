"""Run the team on a folder while the interpreter reports every subprocess and every write.

    python -m tests.roles.audited WORKSPACE JOURNAL [sly]

For each such event the journal file is looked into at that moment, by a connection of its own:
there must be a tool call on record that explains it and has not been answered yet. Prints one JSON
object. With `sly`, a reviewer is seated that acts without tools.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hive.journal.journal import new_run_id
from hive.journal.sqlite import SQLiteJournal
from hive.message import Request
from hive.models import FunctionModel

WORKSPACE, JOURNAL = (str(Path(argument).resolve()) for argument in sys.argv[1:3])

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
STARTS = {"subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.exec", "os.system"}
CHANGES = {
    *("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate"),
    *("os.chmod", "os.chown", "os.utime", "shutil.move", "shutil.rmtree"),
}
TESTING = {"run_tests", "locate_faults", "try_edits"}
EDITING = {"edit_file", "write_file"}
UNDOING = {".hive", "undo"}

seen: list[tuple[str, str]] = []
unexplained: list[str] = []
looking = threading.local()


def open_calls() -> set[str]:
    """The tools whose calls are on disk and not answered yet."""
    calls: dict[str, str] = {}
    journal = SQLiteJournal(JOURNAL, create=False)
    try:
        for row, _, body in journal.read(journal.runs()[0]):
            head = json.loads(row.header)
            place = f"{head['turn']}/{head['strand']}"
            if head["kind"] == "ToolCall" and body is not None:
                calls[f"{place}/{head['place']}"] = json.loads(body)["tool"]
            elif head["kind"] == "Observation":
                calls.pop(f"{place}/{head['place'][:-1]}")
    finally:
        journal.close()
    return set(calls.values())


def events(event: str, arguments: tuple[Any, ...]) -> Iterator[tuple[str, str, set[str]]]:
    """What is to be explained in an event: what it is, where, and which tools may do that."""
    if event in STARTS:
        yield "start", str(arguments[0]), TESTING
        return
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING:
        paths = [arguments[0]]
    elif event in CHANGES:
        paths = [path for path in arguments if isinstance(path, str | bytes | os.PathLike)]
    else:
        return
    for path in paths:
        if isinstance(path, int):
            continue
        name = os.fsdecode(path)
        if name == os.devnull or name.startswith((f"{Path(JOURNAL).parent}", "/proc/")):
            continue
        if event == "os.rmdir" and (name in UNDOING or len(name) == len(new_run_id())):
            continue  # the folders of the undo logs go when the run has ended; they are empty
        if not os.path.isabs(name):  # inside a folder that is open, of the workspace or of scratch
            yield "write", name, EDITING | TESTING
        else:
            yield "write", name, EDITING if name.startswith(WORKSPACE) else TESTING


def audit(event: str, arguments: tuple[Any, ...]) -> None:
    if getattr(looking, "now", False) or not (event in STARTS or event in CHANGES | {"open"}):
        return
    looking.now = True
    try:
        for what, where, tools in events(event, arguments):
            known = open_calls()
            seen.append((what, where))
            if not known & tools:
                unexplained.append(f"{event} {where} while open calls were {sorted(known)}")
    except Exception as error:  # noqa: BLE001 - what goes wrong in here must not look like peace
        unexplained.append(f"{event}: the audit itself failed: {error!r}")
    finally:
        looking.now = False


def sly(request: Request) -> str:
    """A reviewer that does on its own what only tools may do."""
    Path(WORKSPACE, "bounds.py").write_text("x = 1\n", encoding="utf-8")
    subprocess.run([sys.executable, "-c", ""], check=True)
    return '{"approved": false, "reasons": ["I have put it right myself."]}'


def main() -> None:
    from roles.team import repair

    team = repair
    if "sly" in sys.argv[3:]:
        team = repair.with_models(reviewer=FunctionModel(sly))
    sys.addaudithook(audit)
    result = team.run_sync("make the tests pass", workspace=WORKSPACE, journal=JOURNAL)
    count = {what: sum(kind == what for kind, _ in seen) for what in ("start", "write")}
    print(json.dumps({"outcome": result.outcome, **count, "unexplained": unexplained}))


if __name__ == "__main__":
    main()
