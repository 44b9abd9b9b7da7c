"""What if the critic had been kinder? A run forked under a change, and two sets of forks compared.

A writer drafts until a critic agrees. The run is forked at its third turn under a kinder critic:
what was said until then is shared, what the writer is asked unchanged is served from the record,
and only what became another is asked. Then ten forks under either critic, in which everything is
asked anew, are compared in pairs.
"""

import asyncio
import json
import random
from tempfile import TemporaryDirectory

from hive import (
    Graph,
    Review,
    Role,
    Workflow,
    approved,
    finish,
    handoff,
    rejected,
    start,
    stop,
    turns,
)
from hive.audit import Record, Summary, compare, compare_sets
from hive.message import Request
from hive.models import FunctionModel

PATIENCE = {"strict": 0.1, "kind": 0.6}
"""How readily a critic agrees. A model would be as hard to foresee; this one throws dice."""

dice = random.Random(2)


def drafts(request: Request) -> str:
    """Writes one draft after the other."""
    return f"draft {request.messages[0].text.count('Review by critic') + 1}"


def judges(request: Request) -> str:
    """Agrees or not, by what it was told to be."""
    told = "kind" if "Be kind." in request.system else "strict"
    fine = dice.random() < PATIENCE[told]
    return json.dumps({"approved": fine, "reasons": [f"a {told} critic's judgement"]})


writer = Role("writer", "Write a haiku about bees.")
critic = Role("critic", "Be strict.", writes=(Review,))
graph = Graph(
    start(writer),
    handoff(writer, critic),
    handoff(critic, writer, when=rejected),
    finish(critic, when=approved),
    stop(when=turns(40)),
)
team = Workflow(
    graph, models={"writer": FunctionModel(drafts), "critic": FunctionModel(judges)}, name="poets"
)
kinder = team.with_instructions(critic="Be kind.")


async def main(journal: str) -> None:
    """One fork beside its parent, then ten of each kind."""
    result = await team.run("A haiku about bees.", journal=journal)
    with Record.open(journal, result.run) as parent:
        fork = await parent.fork(at="turn:3", workflow=kinder).result()
        found = compare(parent, Record.open(parent.journal, fork.run))
        print("changed:", *found.changed)
        if found.parting is not None:
            print(f"they part at {found.parting.address}")
        print(f"{result.turns} turns as it was, {fork.turns} with the change")

        strict = [await sample(parent, team, number) for number in range(1, 11)]
        kind = [await sample(parent, kinder, number) for number in range(1, 11)]
    measured = compare_sets(strict, kind).measures["turns"]
    print(f"{measured.pairs} pairs: {measured.one:g} turns and {measured.other:g} on average")
    if measured.low is not None:
        print(f"the difference lies between {measured.low:.1f} and {measured.high:.1f} (95 %)")


async def sample(parent: Record, workflow: Workflow, number: int) -> Summary:
    """One of several forks of a run, and what it came to."""
    fork = await parent.fork(at="turn:1", workflow=workflow, sample=number, fresh=True).result()
    return Record.open(parent.journal, fork.run).summary


with TemporaryDirectory() as folder:
    asyncio.run(main(f"{folder}/journal.db"))
