"""Deciding by a vote: three proposals, five voters, and a rule that counts.

How should the old mill be used? Three architects each propose something, in strands that do not see
each other. Five neighbours rank the proposals, blind to each other as well. The same ballots are
counted twice: by majority nobody wins, so that the arbiter is called; by Borda points one proposal
stands highest, though two others have more first places. All minds are programs.
"""

import json

from hive import Graph, Role, Verdict, Workflow, finish, handoff, start, stop, turns
from hive.control import (
    BordaCount,
    DecidingRule,
    MajorityVote,
    Proposal,
    Vote,
    blind,
    ruled,
    teller,
    undecided,
)
from hive.message import Request
from hive.models import FunctionModel

IDEAS = ("a hostel", "a library", "a climbing hall")
TASTES = ((0, 1, 2), (0, 1, 2), (2, 1, 0), (2, 1, 0), (1, 0, 2))
"""How each neighbour would rank the ideas, the best first."""


def propose(request: Request) -> str:
    """Each sample of the architect has its own idea."""
    return f"Make the mill {IDEAS[request.sample]}."


def addresses(request: Request) -> list[str]:
    """The addresses of the proposals that a voter is shown, in the order of the ideas."""
    shown = [part.text for part in request.messages[0].parts if part.type == "text"]
    proposals = [text for text in shown if "] Proposal by " in text]
    return [
        next(text.partition("]")[0].lstrip("[") for text in proposals if idea in text)
        for idea in IDEAS
    ]


def rank(request: Request) -> str:
    """A ballot as a model would write it."""
    known, taste = addresses(request), TASTES[request.sample]
    reason = f"I would go to {IDEAS[taste[0]]}."
    return json.dumps({"reason": reason, "ranking": [known[place] for place in taste]})


def arbitrate(request: Request) -> str:
    """An arbiter who goes for what nobody has ranked last."""
    return json.dumps(
        {
            "ruling": "accept",
            "reasons": ["nobody minds the library"],
            "chosen": addresses(request)[1],
        }
    )


architect = Role("architect", "Propose a use.", reads=(), writes=(Proposal,))
neighbour = blind(Role("neighbour", "Rank the proposals.", reads=(Proposal,), writes=(Vote,)))
arbiter = Role("arbiter", "Rule where the count cannot.", writes=(Verdict,))


def team(rule: DecidingRule) -> Workflow:
    """The same team, with another rule to count by."""
    count = teller(rule)
    return Workflow(
        Graph(
            start(architect, samples=3),
            handoff(architect, neighbour, samples=5),
            handoff(neighbour, count),
            finish(count, when=ruled("accept")),
            handoff(count, arbiter, when=undecided),
            finish(arbiter),
            stop(when=turns(6)),
        ),
        models={
            "architect": FunctionModel(propose, "architect"),
            "neighbour": FunctionModel(rank, "neighbour"),
            "arbiter": FunctionModel(arbitrate, "arbiter"),
        },
        name="mill",
    )


if __name__ == "__main__":
    for rule in (MajorityVote(quorum=3), BordaCount(quorum=3)):
        result = team(rule).run_sync("How should the old mill be used?")
        print(f"By {rule.name}: {result.text}")
        for entry in result.entries:
            if isinstance(entry.payload, Verdict):
                print(f"  {entry.author}: {entry.payload.ruling}")
                for line in entry.payload.reasons:
                    print(f"    because {line}")
                for line in entry.payload.dissent:
                    print(f"    against {line}")
        print()
