"""A model decides who acts next: a Chooser with an advisor.

The graph says who may act; the advisor picks one of these moves; the policy checks the pick and
falls back to the graph's order when it is none of them. The advisor is a role like any other, so
its request, its answer and its cost are on the board. Here a program advises; with a key,
`team.with_models(chooser="openai:gpt-5-mini")` lets a language model do it.
"""

import json

from hive import Graph, Note, Role, View, Workflow, finish, handoff, start, stop, turns
from hive.control import Chooser
from hive.message import Request
from hive.models import FunctionModel

LONGEST = 60
NOTICE = (
    "Dear all, we would like to kindly inform you that the pool is, for reasons of cleaning,"
    " unfortunately going to be closed on Monday."
)
SHORTER = (
    ("we would like to kindly inform you that ", ""),
    ("unfortunately going to be closed", "closed"),
    (", for reasons of cleaning,", ""),
    ("Dear all, ", ""),
)


def newest_note(view: View) -> str:
    """The text of the newest note that the role sees."""
    notes = [entry.payload.text for entry in view.entries if isinstance(entry.payload, Note)]
    return notes[-1]


async def write(view: View) -> Note:
    """A first draft, as offices write them."""
    return Note(text=NOTICE)


async def shorten(view: View) -> Note:
    """Take out one phrase that says nothing."""
    text = newest_note(view)
    phrase, instead = next((pair for pair in SHORTER if pair[0] in text), ("", ""))
    return Note(text=text.replace(phrase, instead))


async def publish(view: View) -> Note:
    """What goes on the wall."""
    return Note(text=newest_note(view)[0].upper() + newest_note(view)[1:])


def advise(request: Request) -> str:
    """The chooser's mind: look at the length of the newest note on the board."""
    shown = [part.text for part in request.messages[0].parts if part.type == "text"]
    notes = [text.partition("\n")[2] for text in shown if "] Note by " in text]
    length = len(json.loads(notes[-1])["text"])
    move = "publisher" if length <= LONGEST else "shortener"
    return json.dumps({"move": move, "reason": f"the notice has {length} characters"})


writer = Role("writer", "Draft the notice.", program=write)
shortener = Role("shortener", "Make the notice shorter.", program=shorten)
publisher = Role("publisher", "Put the notice on the wall.", program=publish)

team = Workflow(
    Graph(
        start(writer),
        handoff(writer, shortener),
        handoff(writer, publisher),
        handoff(shortener, shortener, when=~turns(9)),
        handoff(shortener, publisher),
        finish(publisher),
        stop(when=turns(12)),
    ),
    policy=Chooser(),
    models={"chooser": FunctionModel(advise)},
    name="notice",
)

if __name__ == "__main__":
    result = team.run_sync(f"A notice of at most {LONGEST} characters about the pool.")
    print("The advisor is a program, and so are the three who write.\n")
    for entry in result.entries:
        if entry.kind == "Decision":
            print(f"turn {entry.address.turn}: {entry.as_json()['payload']['reason']}")
    print(f"\n{result.text}")
