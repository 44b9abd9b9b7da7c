"""The engine in a model's chair: a conversation comes in, tool calls or a final answer go out."""

import json
import re
from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from hive.message import Reply, Request, Text, ToolResult, ToolUse, Usage
from roles.offline.repair.conversation import Exchange, executed, fold
from roles.offline.repair.engine import (
    LARGE,
    SMALL,
    Apply,
    Done,
    Effort,
    Locate,
    Read,
    Report,
    Search,
    Try,
    decide,
)
from roles.offline.repair.source import Edit

__all__ = ["RepairEngine", "large", "small"]

NEEDED = ("locate_faults", "read_file", "try_edits", "edit_file", "run_tests")

# As many suspicious lines as fit into a conversation.
LINES_LOCATED = 80


class RepairEngine:
    """A model that repairs programs by search. It costs no money and no tokens.

    `units` of its usage counts the tests that its calls executed. It remembers nothing: the same
    conversation gets the same reply.
    """

    def __init__(self, effort: Effort, name: str) -> None:
        self.effort = effort
        self.name = f"program:{name}"

    async def complete(self, request: Request) -> Reply:
        """The next tool calls, or the final answer when there is nothing left to do."""
        lacking = [name for name in NEEDED if name not in {tool.name for tool in request.tools}]
        if lacking:
            return self._said(request, Search(), Done(False, f"it lacks {', '.join(lacking)}"), 0)
        exchanges = list(_exchanges(request))
        search = fold(exchanges)
        units = executed(e for e in exchanges if e.step == search.steps - 1)
        decision = decide(search, self.effort, _in_vain(request))
        if isinstance(decision, Done):
            return self._said(request, search, decision, units)
        calls = list(_calls(decision))
        uses = tuple(
            ToolUse(id=f"repair-{search.steps}-{slot}", name=tool, arguments=arguments)
            for slot, (tool, arguments) in enumerate(calls)
        )
        return Reply(parts=uses, stop="tools", usage=Usage(units=units), model=self.name)

    def _said(self, request: Request, search: Search, done: Done, units: int) -> Reply:
        """The final answer, in the form that was asked for."""
        summary = _summary(search, done)
        paths = sorted({edit.path for edits in search.applied for edit in edits})
        text = summary
        if request.output is not None:
            answer = {
                "summary": summary,
                "paths": paths,
                "closes": _tasks(request) if done.repaired else [],
            }
            known = request.output.schema.get("properties")
            fields = {k: v for k, v in answer.items() if isinstance(known, dict) and k in known}
            text = json.dumps(fields)
        return Reply(parts=(Text(text=text),), usage=Usage(units=units), model=self.name)


def small() -> RepairEngine:
    """Single mutations and few of them: seconds."""
    return RepairEngine(SMALL, "repair-small")


def large() -> RepairEngine:
    """Many single mutations, then pairs: minutes."""
    return RepairEngine(LARGE, "repair-large")


def _exchanges(request: Request) -> Iterator[Exchange]:
    """The tool calls of the conversation with their results, in order."""
    results = {
        part.id: part
        for message in request.messages
        for part in message.parts
        if isinstance(part, ToolResult)
    }
    step = 0
    for message in request.messages:
        uses = [part for part in message.parts if isinstance(part, ToolUse)]
        for use in uses:
            result = results.get(use.id)
            text = result.text if result is not None else "no result came back"
            yield Exchange(step, use.name, use.arguments, text, result is None or result.error)
        step += 1 if uses else 0


def _calls(
    decision: Locate | Read | Try | Apply | Report,
) -> Iterable[tuple[str, dict[str, JsonValue]]]:
    """The tool calls that carry a decision out."""
    match decision:
        case Locate():
            yield "locate_faults", {"limit": LINES_LOCATED}
        case Read(pieces=pieces, lines=lines):
            for path, start in pieces:
                yield "read_file", {"path": path, "start": start, "lines": lines}
        case Try(candidates=candidates):
            tries: list[JsonValue] = [{"edits": _json(candidate.edits)} for candidate in candidates]
            yield "try_edits", {"candidates": tries, "stop_on_pass": True}
        case Apply(edits=changes):
            yield "edit_file", {"edits": _json(changes)}
        case Report():
            yield "run_tests", {"tests": []}


def _json(edits: Iterable[Edit]) -> list[JsonValue]:
    """Edits in the form in which tools take them."""
    return [
        {"path": edit.path, "before": edit.before, "after": edit.after, "line": edit.line}
        for edit in edits
    ]


def _shown(request: Request) -> str:
    """What the role was shown of the board."""
    return request.messages[0].text if request.messages else ""


def _in_vain(request: Request) -> dict[str, int]:
    """Searches that the board says have been made already, with how far they went."""
    found: dict[str, int] = {}
    for count, identity in re.findall(
        r"(\d+) candidates of search ([0-9a-f]{12})", _shown(request)
    ):
        found[identity] = max(found.get(identity, 0), int(count))
    return found


def _tasks(request: Request) -> list[str]:
    """The ids of the tasks that the role was shown."""
    found: list[str] = []
    for body in re.findall(r"\] Task(?: by [^\n]*\n| )(\{[^\n]*\})", _shown(request)):
        try:
            task = json.loads(body)
        except ValueError:
            continue
        if isinstance(task.get("id"), str):
            found.append(task["id"])
    return list(dict.fromkeys(found))


def _summary(search: Search, done: Done) -> str:
    """What was done, for people and for the next search."""
    parts: list[str] = []
    for edits in search.applied:
        for edit in edits:
            parts.append(f"{edit.path}:{edit.line} now reads {edit.after.strip()!r}.")
    if done.repaired:
        parts.append("All tests pass." if parts else "All tests passed already.")
    else:
        parts.append("No full repair was found: " + done.reason + ".")
        if search.failing:
            parts.append(f"Still failing: {', '.join(sorted(search.failing)[:5])}.")
        if search.located and search.tried:
            tried = search.tried
            parts.append(f"Tried in vain: {tried} candidates of search {search.identity()}.")
    return " ".join(parts)
