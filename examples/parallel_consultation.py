"""Parallel consultation: one question to several roles at once, blind to each other, then one
answer.

Is 561 a prime number? Three experts answer in one turn, each by a method of its own, and two of
them are fooled. A referee, who is a program, goes by proof and not by the number of voices. Then
the same question goes to three samples of one role, each with another model. The minds are programs
here.
"""

import json

from hive import Graph, Note, Payload, Role, View, Workflow
from hive.control import AcrossModels, consultation
from hive.message import Request
from hive.models import FunctionModel


class Opinion(Payload):
    """Whether a number is prime, by which method, and a divisor that anybody can check."""

    method: str
    prime: bool
    divisor: int | None = None


def number_in(request: Request) -> int:
    """The number that the goal asks about."""
    shown = [part.text for part in request.messages[0].parts if part.type == "text"]
    goal = json.loads(shown[0].partition("\n")[2])["text"]
    return int("".join(char for char in goal if char.isdigit()))


def opinion(method: str, prime: bool, divisor: int | None = None) -> str:
    """An Opinion as a model would write it."""
    return json.dumps({"method": method, "prime": prime, "divisor": divisor})


def fermat(base: int) -> FunctionModel:
    """Fermat's test with one base, which some numbers pass that are no primes."""

    def test(request: Request) -> str:
        number = number_in(request)
        return opinion(f"Fermat's test, base {base}", pow(base, number - 1, number) == 1)

    return FunctionModel(test, f"fermat{base}")


def division(request: Request) -> str:
    """Try small divisors."""
    number = number_in(request)
    found = next((n for n in range(2, 100) if number % n == 0 and n < number), None)
    return opinion("division", found is None, found)


async def weigh(view: View) -> Note:
    """One proof to the contrary outweighs every test that was passed."""
    found = [entry.payload for entry in view.entries if isinstance(entry.payload, Opinion)]
    against = [each for each in found if not each.prime]
    proof = next((f"{each.divisor} divides it" for each in against if each.divisor), "")
    if not against:
        return Note(text=f"prime, as {len(found)} of {len(found)} say")
    return Note(text=f"not prime: {proof or against[0].method} ({len(against)} of {len(found)})")


INSTRUCTIONS = "Say whether the number is prime, and how you know."
first = Role("first", INSTRUCTIONS, writes=(Opinion,))
second = Role("second", INSTRUCTIONS, writes=(Opinion,))
third = Role("third", INSTRUCTIONS, writes=(Opinion,))
referee = Role("referee", reads=(Opinion,), program=weigh)

team = Workflow(
    Graph(*consultation(None, (first, second, third), referee, quorum=2)),
    models={"first": fermat(2), "second": fermat(5), "third": FunctionModel(division)},
    name="experts",
)

one_role = Workflow(
    Graph(*consultation(None, first, referee, samples=3)),
    models={"small": fermat(2), "medium": fermat(3), "large": FunctionModel(division)},
    allocator=AcrossModels(("small", "medium", "large")),
    name="models",
)

if __name__ == "__main__":
    print("All minds are programs.\n")
    for workflow in (team, one_role):
        result = workflow.run_sync("Is 561 a prime number?")
        for entry in sorted(result.entries, key=lambda entry: entry.address):
            if isinstance(entry.payload, Opinion):
                print(f"{entry.address.strand:8} {entry.origin:22} {entry.payload}")
        print(f"{result.text}\n")
        assert result.text.startswith("not prime: 3 divides it")
