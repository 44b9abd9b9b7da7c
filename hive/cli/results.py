"""What a tool gave back, in a few words: the shipped tools by their shapes, others by fields."""

from typing import Any

import orjson

from hive.cli.words import arguments_of, counted, shortened

__all__ = ["result_of"]


def result_of(tool: str, text: str, longest: int = 200) -> str:
    """The text of a tool's result in one line; JSON is put into words."""
    if not text.startswith("{"):
        return shortened(text, longest)
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        return shortened(text, longest)
    shaped = SHAPED.get(tool)
    try:
        said = shaped(data) if shaped else arguments_of(data, longest)
    except (KeyError, TypeError, ValueError):  # a tool of the user's own with a shipped one's name
        said = arguments_of(data, longest)
    return shortened(said, longest)


def listing(data: dict[str, Any]) -> str:
    return counted(len(data["files"]) + data["more"], "file")


def reading(data: dict[str, Any]) -> str:
    return f"lines {data['start']} to {data['end']} of {data['total']}"


def searching(data: dict[str, Any]) -> str:
    return counted(len(data["matches"]) + data["more"], "match", "matches")


def editing(data: dict[str, Any]) -> str:
    return ""


def shelling(data: dict[str, Any]) -> str:
    said = data["stdout"].strip() or data["stderr"].strip()
    return f"exit {data['code']}{f': {said}' if said else ''}"


def testing(data: dict[str, Any]) -> str:
    failed = len(data["failed"])
    ran = f"{len(data['passed'])} pass, {failed} fail"
    lost = f", {len(data['lost'])} lost" if data["lost"] else ""
    return f"{ran}{lost}{'' if data['complete'] else ', the suite broke off'}"


def locating(data: dict[str, Any]) -> str:
    lines = counted(len(data["lines"]), "suspicious line")
    first = data["lines"][0] if data["lines"] else None
    where = f", first {first['path']}:{first['line']}" if first else ""
    return f"{lines}{where}; {counted(len(data['failing']), 'failing test')}"


def trying(data: dict[str, Any]) -> str:
    judged = [result for result in data["results"] if result["invalid"] is None]
    said = (
        f"{counted(len(judged), 'candidate')} judged in {counted(data['tests_executed'], 'test')}"
    )
    whole = [result for result in judged if not result["failed"] and not result["errors"]]
    if whole:
        return f"{said}; {counted(len(whole), 'repair')} found that every test passes with"
    best = max(judged, key=lambda r: len(r["fixed"]) - len(r["broken"]), default=None)
    if best is None or not best["fixed"]:
        return f"{said}; none helps"
    broken = f" and breaks {len(best['broken'])}" if best["broken"] else ""
    return f"{said}; the best mends {len(best['fixed'])}{broken}"


SHAPED = {
    "edit_file": editing,
    "list_files": listing,
    "locate_faults": locating,
    "read_file": reading,
    "run_tests": testing,
    "search": searching,
    "shell": shelling,
    "try_edits": trying,
    "write_file": editing,
}
