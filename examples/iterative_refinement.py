"""Iterative refinement: work goes back to its author with the errors that were found, a bounded
number of times.

An author writes a pattern that finds dates. A critic, who is a program, tries it on samples and
names those that come out wrong; the author mends what the newest Review names. With too few rounds
the run says honestly that it did not get there.
"""

import json
import re

from hive import Graph, Note, Review, Role, View, Workflow, start
from hive.control import refinement
from hive.message import Request
from hive.models import FunctionModel

DATES = ("2026-11-21", "1999-01-31", "2024-02-29")
OTHERS = ("2026-13-01", "2026-11-32", "2026-00-10", "26-11-21", "2026-11-211")

YEAR, MONTH, DAY = r"\d+", r"\d\d", r"\d\d"


def write(request: Request) -> str:
    """The author's mind: begin with the plain pattern, and mend what the newest Review names."""
    shown = [part.text for part in request.messages[0].parts if part.type == "text"]
    reviews = [text.partition("\n")[2] for text in shown if "] Review by critic" in text]
    wrong = " ".join(reason for text in reviews for reason in json.loads(text)["reasons"])
    year = r"\d{4}" if "26-11-21 " in wrong else YEAR
    month = r"(0[1-9]|1[0-2])" if "2026-13-01" in wrong else MONTH
    day = r"(0[1-9]|[12]\d|3[01])" if "2026-11-32" in wrong else DAY
    end = "$" if "2026-11-211" in wrong else ""
    return f"^{year}-{month}-{day}{end}"


async def judge(view: View) -> Review:
    """Try the newest pattern; name the first sample that comes out wrong."""
    notes = [entry.payload.text for entry in view.entries if isinstance(entry.payload, Note)]
    pattern = re.compile(notes[-1])
    missed = [f"{text} is a date" for text in DATES if not pattern.match(text)]
    found = [f"{text} is no date" for text in OTHERS if pattern.match(text)]
    return Review(approved=not missed and not found, reasons=tuple([*missed, *found][:1]))


author = Role("author", "Write a pattern that finds dates; mend what the newest Review names.")
critic = Role("critic", writes=(Review,), program=judge)


def team(rounds: int) -> Workflow:
    """An author who may mend the pattern so many times."""
    return Workflow(
        Graph(start(author), *refinement(author, critic, rounds=rounds)),
        models={"author": FunctionModel(write)},
        name="dates",
    )


if __name__ == "__main__":
    print("The author and the critic are programs.\n")
    for rounds in (6, 2):
        result = team(rounds).run_sync("A pattern for dates such as 2026-11-21.")
        print(f"at most {rounds} rounds: {result.outcome}, {result.reason}")
        for entry in sorted(result.entries, key=lambda entry: entry.address):
            if isinstance(entry.payload, Note):
                print(f"  turn {entry.turn}: {entry.payload.text}")
            if isinstance(entry.payload, Review):
                print(f"  turn {entry.turn}: {', '.join(entry.payload.reasons) or 'approved'}")
        assert result.finished == (rounds == 6)
