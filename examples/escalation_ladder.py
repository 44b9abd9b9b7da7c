"""The escalation ladder: a cheap mind first, and a dearer one where there is doubt.

A clerk reads years in Roman numerals. The small mind adds the digits up and says itself when it is
not sure; the medium one knows that IV is four, and stumbles over what is no numeral of the
textbook; the large one reads everything, at fifty times the price. The minds are programs here, so
that the example runs offline; the ladder reads doubt from the record and does not know the
difference.
"""

import json
from itertools import pairwise

from hive import Finding, Graph, Role, Workflow, start
from hive.control import Escalation, escalating, invalid, unsure
from hive.message import Reply, Request, Text, Usage
from hive.models import ModelCard, Prices

DIGITS = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


class Reader:
    """A mind with a price: what it does with a numeral, and what its model costs a million
    tokens."""

    def __init__(self, name: str, usd: int) -> None:
        self.name = f"program:{name}"
        self.card = ModelCard(self.name, prices=Prices.usd(usd, 4 * usd))

    async def complete(self, request: Request) -> Reply:
        shown = [part.text for part in request.messages[0].parts if part.type == "text"]
        numeral = json.loads(shown[0].partition("\n")[2])["text"]
        said = {"small": small, "medium": medium, "large": large}[self.name[8:]](numeral)
        return Reply(parts=(Text(text=said),), usage=Usage(input=400, output=40))


def finding(numeral: str, year: int, confidence: str) -> str:
    """A Finding as a model would write it."""
    return json.dumps({"claim": f"{numeral} is {year}", "confidence": confidence})


def small(numeral: str) -> str:
    """Add the digits up; a small one before a large one makes it unsure."""
    values = [DIGITS[letter] for letter in numeral]
    rising = any(one < two for one, two in pairwise(values))
    return finding(numeral, sum(values), "low" if rising else "high")


def medium(numeral: str) -> str:
    """Know that IV is four; break down at what the textbook does not have."""
    if "IC" in numeral or "IIX" in numeral:
        return "I am afraid that this is no Roman numeral."  # no Finding, so it is sent back
    return finding(numeral, subtracted(numeral), "high")


def large(numeral: str) -> str:
    """Read whatever a stonemason ever wrote."""
    return finding(numeral, subtracted(numeral), "high")


def subtracted(numeral: str) -> int:
    """The value when whatever stands before a larger digit is taken away from it."""
    total, largest = 0, 0
    for letter in reversed(numeral):
        value = DIGITS[letter]
        total += value if value >= largest else -value
        largest = max(largest, value)
    return total


clerk = Role("clerk", "Say which year the numeral is.", writes=(Finding,))
ladder = Escalation(("small", "medium", "large"), doubt=invalid | unsure())

team = Workflow(
    Graph(start(clerk), *escalating(clerk, ladder)),
    models={
        "small": Reader("small", 1),
        "medium": Reader("medium", 5),
        "large": Reader("large", 50),
    },
    allocator=ladder,
    name="numerals",
)

if __name__ == "__main__":
    print("The minds are programs, and their prices are made up.\n")
    for numeral, year in (("MDCLXVI", 1666), ("MCMXCIV", 1994), ("MIC", 1099)):
        result = team.run_sync(numeral)
        print(numeral)
        for entry in result.entries:
            if entry.kind == "Decision":
                (plan,) = entry.as_json()["payload"]["strands"]
                print(f"  turn {entry.turn}: {plan['tier']:6} {plan.get('because', '')}")
        print(f"  {result.text}\n")
        assert f"{numeral} is {year}" in result.text
