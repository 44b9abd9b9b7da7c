"""An offline mind for the planner: runs the tests and plans one task for each failing test file."""

import ast

from hive import Plan, Task
from hive.message import Request, ToolUse
from roles.offline.failures import (
    Failure,
    TestRun,
    by_file,
    counted,
    first_line,
    latest_run,
    listed,
    trouble,
)
from roles.offline.reading import called, offers, use

__all__ = ["plan"]

FILES_READ = 8
LINES_READ = 80
MOST_FILES = 6
DONE_WHEN = "One complete run of the test suite passes, and no test is lost."


def plan(request: Request) -> str | list[ToolUse]:
    """Look first, then answer with a Plan."""
    looked = {call.tool for call in called(request)}
    if not looked and offers(request, "run_tests"):
        return [use(request, tool) for tool in ("run_tests", "list_files") if offers(request, tool)]
    run = latest_run(request) or TestRun("", 0, (), (), False, "no test could be run")
    files = list(by_file(run.failures))[:FILES_READ]
    if files and "read_file" not in looked and offers(request, "read_file"):
        return [
            use(request, "read_file", slot, path=path, lines=LINES_READ)
            for slot, path in enumerate(files)
        ]
    return planned(run, request).model_dump_json()


def planned(run: TestRun, request: Request) -> Plan:
    """The plan that a test run calls for."""
    if run.green:
        summary = f"All {run.passed} tests pass already: nothing is to be done."
        return Plan(summary=summary, tasks=(), done_when=DONE_WHEN)
    imports = imported(request)
    groups = by_file(run.failures)
    tasks = [
        Task(
            id=f"T{number}",
            title=f"{file} passes",
            detail=detail(failures),
            files=tuple(imports.get(file, ()))[:MOST_FILES],
        )
        for number, (file, failures) in enumerate(groups.items(), 1)
    ]
    if not run.complete:
        tasks.insert(0, Task(id="T0", title="The suite runs to its end", detail=trouble(run)))
    number = len(run.failures)
    summary = (
        f"{number} of {counted(number + run.passed, 'test', 'tests')} fail, in {listed(groups)}:"
        " one task for each file. Find the causes in the sources, mend them, leave the tests alone."
    )
    if not groups:
        summary = f"The suite does not run: {trouble(run)}"
    return Plan(summary=summary, tasks=tuple(tasks), done_when=DONE_WHEN)


def detail(failures: list[Failure]) -> str:
    """Which tests fail and what they say."""
    said = [f"{f.id.partition('::')[2] or f.id}: {first_line(f.message)}" for f in failures]
    return f"{len(failures)} failing. {listed(said)}"


def imported(request: Request) -> dict[str, list[str]]:
    """For every test file that was read, the sources it imports, as far as they are listed."""
    sources = [
        str(row["path"])
        for call in called(request, "list_files")
        for row in call.objects("files", "path")
        if not row.get("read_only")
    ]
    found: dict[str, list[str]] = {}
    for call in called(request, "read_file"):
        text = call.value("text")
        if isinstance(text, str):
            names = imports_of(text)
            found[str(call.arguments.get("path"))] = [
                path for path in sources if any(stands_for(path, name) for name in names)
            ]
    return found


def imports_of(source: str) -> set[str]:
    """The modules that the first lines of a file import; what follows a cut is left out."""
    while source:
        try:
            tree = ast.parse(source)
        except SyntaxError:
            source = source.rpartition("\n")[0]
            continue
        names: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        return names
    return set()


def stands_for(path: str, module: str) -> bool:
    """Whether a file is a module, wherever the import path may begin."""
    tail = module.replace(".", "/")
    return any(f"/{path}".endswith(f"/{tail}{end}") for end in (".py", "/__init__.py"))
