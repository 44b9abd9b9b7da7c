"""A small team to begin from: a surveyor measures with a tool of its own, a checker judges.

hive run STARTER/team.py:team "Which file is the longest?" --workspace STARTER
"""

import json

from hive import (
    Graph,
    Note,
    Payload,
    Review,
    Role,
    View,
    Workflow,
    approved,
    finish,
    handoff,
    rejected,
    start,
    stop,
    tool,
    turns,
)
from hive.message import Request, ToolUse
from hive.models import FunctionModel
from hive.tools import Call, list_files


class Measurement(Payload):
    """One number that someone else could check. Any class of yours can be put on the board."""

    path: str
    words: int


@tool(effect="read")  # what it touches: a tool that only reads may be called again after a crash
def count_words(path: str, call: Call) -> int:
    """Count the words of one file of the workspace."""
    text = call.require_workspace().read(path).decode(errors="replace")
    return len(text.split())


def survey(request: Request) -> str | list[ToolUse]:
    """The surveyor's mind: a program in the chair of a language model; `--model` seats another.

    It looks at what came back last: nothing yet, the files there are, or their numbers of words.
    """
    last = request.messages[-1]
    if last.role != "tool":
        return [ToolUse(id="look", name="list_files", arguments={"pattern": "**/*"})]
    results = {part.id: part.text for part in last.parts if part.type == "tool_result"}
    if "look" in results:
        paths = [file["path"] for file in json.loads(results["look"])["files"]]
        return [ToolUse(id=path, name="count_words", arguments={"path": path}) for path in paths]
    words = {path: int(count) for path, count in results.items()}
    longest = max(words, key=lambda path: words[path])
    return json.dumps({"path": longest, "words": words[longest]})


async def judge(view: View) -> Review:
    """The checker as a program of its own: what it returns is posted."""
    found = [entry.payload for entry in view.entries if isinstance(entry.payload, Measurement)]
    newest = found[-1]
    said = f"{newest.path} is the longest file, with {newest.words} words"
    return Review(approved=newest.words > 0, reasons=(said,))


surveyor = Role(
    "surveyor",
    "Find the longest file of the workspace. List the files, count the words of each with"
    " `count_words`, and answer with the Measurement of the longest one. Never guess a number.",
    writes=(Measurement,),
    tools=(list_files, count_words),
)
checker = Role("checker", reads=(Measurement, Note), writes=(Review,), program=judge)

team = Workflow(
    Graph(
        start(surveyor),
        handoff(surveyor, checker),
        handoff(checker, surveyor, when=rejected),
        finish(checker, when=approved),
        stop(when=turns(8)),
    ),
    model=FunctionModel(survey),
    name="STARTER",
)
