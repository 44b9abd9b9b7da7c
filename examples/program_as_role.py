"""A program as a role: an async function of what it sees, posted like anybody's contribution.

A poet writes, and a meter that cannot be talked round counts syllables and sends the poem back
until it is a haiku. What a program can check, no model needs to judge. The poet's chair is a
language model's; here a script with two drafts sits in it.
"""

import re

from hive import (
    Graph,
    Note,
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
    turns,
)
from hive.models import ScriptedModel

HAIKU = (5, 7, 5)
DRAFTS = (
    "Bees are humming loudly\nin the garden\nbefore the storm",
    "The field hums at noon\na bee leans into the wind\nand the clover bends",
)


def syllables(line: str) -> int:
    """A rough count: groups of vowels, without a silent e at the end."""
    words = re.findall(r"[a-z]+", line.lower())
    return sum(max(1, len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", word)))) for word in words)


async def count(view: View) -> Review:
    """Judge the newest poem by its syllables alone."""
    poems = [entry for entry in view.entries if entry.author == "poet"]
    newest = poems[-1].payload
    assert isinstance(newest, Note)
    found = tuple(syllables(line) for line in newest.text.splitlines())
    reason = f"[{poems[-1].address}] has {found} syllables; a haiku has {HAIKU}"
    return Review(approved=found == HAIKU, reasons=(reason,))


poet = Role(
    "poet",
    "Write the haiku that the goal asks for. If a Review did not approve the last one, write a"
    " better one that answers its reasons.",
)
meter = Role("meter", reads=(Note,), writes=(Review,), program=count)

team = Workflow(
    Graph(
        start(poet),
        handoff(poet, meter),
        handoff(meter, poet, when=rejected),
        finish(meter, when=approved),
        stop(when=turns(10)),  # this bounds the cycle; without it the graph is refused
    ),
    model=ScriptedModel(DRAFTS, name="drafts"),
    name="haiku",
)

if __name__ == "__main__":
    result = team.run_sync("A haiku about bees before a storm.")
    print("The poet is a script of two drafts, the meter a program.\n")
    for entry in result.entries:
        if entry.level == "domain":
            print(f"[{entry.address}] {entry.kind} by {entry.author}: {entry.body.decode()}")
    print(f"\n{result.outcome}: {result.message}")
