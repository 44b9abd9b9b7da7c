"""Reading a conversation: tool calls and their results, folded into what the search knows.

Pure. A long result may have lost its middle on the way into the conversation; what can still be
read of it is used, and a candidate whose fate is unknown counts as tried in vain.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from roles.offline.repair.engine import Fault, Search, Trial
from roles.offline.repair.source import Edit

__all__ = ["Exchange", "executed", "fold"]

DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One tool call with its result; `step` counts the replies that made calls, from 0."""

    step: int
    tool: str
    arguments: Mapping[str, Any]
    text: str
    error: bool = False


def fold(exchanges: Iterable[Exchange]) -> Search:
    """What is known after all the exchanges of a conversation."""
    search = Search()
    for exchange in exchanges:
        search.steps = exchange.step + 1
        match exchange.tool:
            case "locate_faults":
                _located(search, exchange)
            case "read_file":
                _read(search, exchange)
            case "try_edits":
                _tried(search, exchange)
            case "edit_file":
                _edited(search, exchange)
            case "run_tests":
                _reported(search, exchange)
            case _:
                pass
    return search


def executed(exchanges: Iterable[Exchange]) -> int:
    """How many tests were executed, as the tools reported."""
    return sum(_int(find(exchange.text, "tests_executed")) for exchange in exchanges)


def find(text: str, key: str) -> Any:
    """The value of a key of a JSON text, which need not be whole; None where it cannot be read.

    The last one counts: what a tool says of the whole stands after the details.
    """
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    if isinstance(whole, dict):
        return whole.get(key)
    found = None
    for place in re.finditer(rf'"{key}"\s*:\s*', text):
        try:
            found, _ = DECODER.raw_decode(text, place.end())
        except ValueError:
            continue
    return found


def items(text: str, key: str, first: str) -> Iterator[dict[str, Any]]:
    """The objects in the list under a key; of a text that lost its middle, those still whole."""
    whole = find(text, key)
    if isinstance(whole, list):
        yield from (item for item in whole if isinstance(item, dict))
        return
    for place in re.finditer(rf'\{{"{first}"\s*:', text):
        try:
            item, _ = DECODER.raw_decode(text, place.start())
        except ValueError:
            continue
        yield item


def _int(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _names(value: object) -> frozenset[str]:
    return frozenset(str(name) for name in value) if isinstance(value, list) else frozenset()


def _located(search: Search, exchange: Exchange) -> None:
    failing = find(exchange.text, "failing")
    if exchange.error or not isinstance(failing, list):
        search.trouble = f"faults could not be located: {exchange.text[:300]}"
        return
    faults = tuple(
        Fault(str(item["path"]), _int(item["line"]), float(item["score"]), _int(item.get("failed")))
        for item in items(exchange.text, "lines", "path")
        if {"path", "line", "score"} <= item.keys()
    )
    search.relocate(faults, _names(failing))


def _read(search: Search, exchange: Exchange) -> None:
    """Take in a piece of a file; the file counts as read once all its lines are there."""
    path = str(exchange.arguments.get("path", ""))
    asked = _int(exchange.arguments.get("start"))
    text, end, total = (find(exchange.text, key) for key in ("text", "end", "total"))
    if exchange.error or not isinstance(text, str):
        # Beyond its end there is nothing to be read; everything else is lost for good.
        if asked <= search.lengths.get(path, asked):
            search.unreadable.add(path)
        return
    own = search.pieces.setdefault(path, {})
    own[asked] = text.split("\n")[: _int(end) - asked + 1]
    search.lengths[path] = _int(total)
    joined = [line for at in sorted(own) for line in own[at]]
    if len(joined) == _int(total):
        search.texts[path] = "\n".join([*joined, ""])


def _tried(search: Search, exchange: Exchange) -> None:
    candidates = exchange.arguments.get("candidates")
    if not isinstance(candidates, list):
        return
    unjudged = min(_int(find(exchange.text, "unjudged")), len(candidates))
    if exchange.error or unjudged == len(candidates):
        search.stumbles += 1
        return
    search.stumbles = 0
    # Time may have run out before the last ones were judged; they come first in the next batch.
    search.tried += len(candidates) - unjudged
    baseline = find(exchange.text, "baseline")
    known = baseline.get("failing") if isinstance(baseline, dict) else None
    failing = _names(known) or search.failing
    for item in items(exchange.text, "results", "index"):
        index = _int(item.get("index"))
        fixed = _names(item.get("fixed"))
        if not fixed or index >= len(candidates):
            continue
        sound = not item.get("broken") and not item.get("invalid")
        clean = not item.get("errors") and not item.get("timeout")
        edits = tuple(Edit(**edit) for edit in candidates[index]["edits"])
        search.trials.append(Trial(edits, fixed, sound, sound and clean and fixed >= failing))


def _reported(search: Search, exchange: Exchange) -> None:
    """A full run says which tests fail now, or why nothing can be said."""
    search.reported = True
    failed = find(exchange.text, "failed")
    if exchange.error:
        search.trouble = f"the tests could not be run: {exchange.text[:300]}"
    elif find(exchange.text, "complete") is False:
        problem = find(exchange.text, "problem") or "the run was not complete"
        search.trouble = f"the suite does not run to its end: {problem}"
    elif isinstance(failed, list):
        search.failing = frozenset(str(each["id"]) for each in failed if isinstance(each, dict))
        # What still fails although nothing was suspected any more has to be located.
        search.located = not failed or bool(search.faults)


def _edited(search: Search, exchange: Exchange) -> None:
    """An edit that was refused leaves the workspace as it was, but somebody else has changed it."""
    if exchange.error:
        search.forget()
        return
    edits = exchange.arguments.get("edits")
    if isinstance(edits, list):
        search.apply(tuple(Edit(**edit) for edit in edits))
