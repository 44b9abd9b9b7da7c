"""Policies (control floor): which of the moves that the graph allows is made.

A policy is an object with a name and `decide`, a plain function of the situation that gives an
index and the probability of every candidate, so that logged decisions can be evaluated off-policy.
It holds no mutable state; chance comes from `situation.rng` and from nowhere else.
"""

import hashlib
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from pydantic import JsonValue

from hive.board.payload import Payload
from hive.board.state import State
from hive.control.graphs.move import Move
from hive.errors import DeclarationError
from hive.role import Role

__all__ = [
    "Change",
    "Choice",
    "EpsilonGreedy",
    "GraphOrder",
    "Policy",
    "RoundRobin",
    "Situation",
    "certain",
    "checked",
    "features",
    "generator",
    "is_finite",
    "layers",
]

Change = Literal["", "role", "tier"]
"""What is other than usual in a turn: nothing; who acts; or else, where the graph leaves no choice,
with which tier of models."""
TOLERANCE = 1e-9
ONLY = (1.0,)
"""The distribution over a single candidate."""


def generator(seed: int, address: str, purpose: str) -> random.Random:
    """The generator for one purpose at one place of one run, from SHA-256 over the three.

    Draw with `random()` alone: of its methods only that one gives the same numbers under every
    version of Python.
    """
    digest = hashlib.sha256(f"{seed}\n{address}\n{purpose}".encode()).digest()
    return random.Random(int.from_bytes(digest, "big"))


def unseeded(strand: str = "") -> random.Random:
    raise DeclarationError("this situation was made without a source of chance; give it `chance`")


def unpriced(key: str) -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class Situation:
    """What a policy and an allocator see: the state of the closed turns and the moves allowed now.

    `advice` is what the policy's advisor posted for this decision, where it has one. `chance` makes
    the generator when the first draw needs it; `strand_chance` makes an allocator's generator for
    a strand, by its name. `call_price` gives what a long call with the model under a key costs, in
    nano-dollars; None where that is not known.
    """

    state: State
    candidates: tuple[Move, ...]
    goal: str = ""
    features: Mapping[str, JsonValue] = field(default_factory=dict)
    advice: Payload | None = None
    roles: Mapping[str, Role] = field(default_factory=dict)
    chance: Callable[[], random.Random] = field(default=unseeded, repr=False, compare=False)
    strand_chance: Callable[[str], random.Random] = field(
        default=unseeded, repr=False, compare=False
    )
    call_price: Callable[[str], int | None] = field(default=unpriced, repr=False, compare=False)
    change: Change = ""
    """What is to be other than usual, since a watch of the workflow has found the run stuck."""
    unfit: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By role, the keys of models whose least call has no room in the budget, with why."""
    _rng: list[random.Random] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def rng(self) -> random.Random:
        """The decision's own generator, the same one at every look."""
        if not self._rng:
            self._rng.append(self.chance())
        return self._rng[0]


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidate chosen, with the probability and the score that every candidate had."""

    index: int
    probabilities: tuple[float, ...]
    scores: tuple[float, ...]
    reason: str
    """Why, in words that a person understands."""
    deterministic: bool = True
    """Whether the same situation gives the same choice, chance or no chance."""
    parts: tuple[Mapping[str, float], ...] = ()
    """What went into each candidate's score, by name; empty where the score says it all."""


class Policy(Protocol):
    """Who decides which move is made. A policy may also have

    - `advisor`, a Role that is consulted before each decision; what it posts is the advice;
    - `tallies`, the memory that it needs, found in `situation.state.tallies` by name;
    - `check(roles)`, which raises DeclarationError for a team it could not decide for;
    - `inner`, the policies within it.
    """

    @property
    def name(self) -> str:
        """The policy's name, as decisions record it."""
        ...

    def decide(self, situation: Situation) -> Choice:
        """Choose one of `situation.candidates`, of which there is at least one."""
        ...


def layers(policy: Policy) -> tuple[Policy, ...]:
    """A policy and those within it, from without."""
    inner: tuple[Policy, ...] = getattr(policy, "inner", ())
    return (policy, *[layer for one in inner for layer in layers(one)])


def features(state: State, candidates: tuple[Move, ...]) -> dict[str, JsonValue]:
    """The small numbers that decisions are logged with; computed in constant time."""
    counts = state.counts
    progress = state.progress
    return {
        "turn": state.turn,
        "frontier": "+".join(state.frontier),
        "candidates": len(candidates),
        "contributions": state.contributions,
        "tasks": len(state.tasks),
        "questions": len(state.questions),
        "faults": counts.get("Fault", 0),
        "progress": progress[-1] if progress else 0,
        "tokens": state.tokens,
        "spent": state.spent,
    }


def certain(
    index: int, situation: Situation, reason: str, scores: tuple[float, ...] = ()
) -> Choice:
    """A choice without chance: all probability on one candidate."""
    number = len(situation.candidates)
    if number == 1:
        return Choice(0, (1.0,), scores or (1.0,), reason)
    onehot = tuple([1.0 if place == index else 0.0 for place in range(number)])
    return Choice(index, onehot, scores or onehot, reason)


@dataclass(frozen=True)
class GraphOrder:
    """The first candidate, in the order in which the edges are written."""

    name: str = "graph order"

    def decide(self, situation: Situation) -> Choice:
        """Choose the first candidate."""
        moves = situation.candidates
        first = moves[0]
        if len(moves) == 1:
            return Choice(0, (1.0,), (1.0,), f"the only move allowed: {first.edge}")
        return certain(0, situation, f"the first of {len(moves)} moves allowed: {first.edge}")


@dataclass(frozen=True)
class RoundRobin:
    """The candidate whose roles have waited longest: everyone has a turn before anyone has two."""

    name: str = "round robin"

    def decide(self, situation: Situation) -> Choice:
        """Choose the candidate whose roles acted least recently; the first among equals."""
        acted, now = situation.state.acted, situation.state.turn
        waited = tuple(
            [
                float(now + 1 - max([acted.get(line.role, -1) for line in move.strands]))
                for move in situation.candidates
            ]
        )
        index = waited.index(max(waited))
        move = situation.candidates[index]
        last = max([acted.get(line.role, -1) for line in move.strands])
        when = "has not acted yet" if last < 0 else f"last acted in turn {last}"
        return certain(index, situation, f"{move.name} {when}, longest ago of all", waited)


@dataclass(frozen=True)
class EpsilonGreedy:
    """Another policy's choice, or with probability `epsilon` any candidate alike.

    Logged decisions then have support everywhere, which off-policy evaluation needs.
    """

    policy: Policy
    epsilon: float = 0.1

    def __post_init__(self) -> None:
        if not is_finite(self.epsilon) or not 0 <= self.epsilon <= 1:
            raise DeclarationError(f"EpsilonGreedy: epsilon={self.epsilon!r} is not in 0 to 1")

    @property
    def name(self) -> str:
        """`epsilon-greedy 0.1 over graph order`."""
        return f"epsilon-greedy {self.epsilon:g} over {self.policy.name}"

    @property
    def advisor(self) -> Role | None:
        """The advisor of the policy within."""
        return getattr(self.policy, "advisor", None)

    @property
    def inner(self) -> tuple[Policy, ...]:
        """The policy within."""
        return (self.policy,)

    def decide(self, situation: Situation) -> Choice:
        """Draw whether to explore, and give the distribution of the mixture."""
        inner = self.policy.decide(situation)
        number = len(situation.candidates)
        if number == 1 or self.epsilon == 0:
            return inner
        share = self.epsilon / number
        mixed = tuple([(1 - self.epsilon) * p + share for p in inner.probabilities])
        if situation.rng.random() >= self.epsilon:
            return replace(inner, probabilities=mixed, deterministic=False)
        index = min(int(situation.rng.random() * number), number - 1)
        reason = (
            f"explored: a draw of {self.epsilon:g} fell on {situation.candidates[index].name};"
            f" {self.policy.name} would have taken {situation.candidates[inner.index].name}"
        )
        return replace(inner, index=index, probabilities=mixed, reason=reason, deterministic=False)


def checked(choice: Choice, situation: Situation, policy: str = "the policy") -> Choice:
    """The choice, if it is a lawful one: a candidate's index, and a distribution over all of them.

    Raises DeclarationError, naming the policy, for what a user's policy may get wrong.
    """
    number = len(situation.candidates)
    if not isinstance(choice, Choice):
        raise DeclarationError(f"{policy}: decide gave {choice!r}; it must give a Choice")
    if number == 1 and choice.probabilities == ONLY and choice.index == 0 and choice.scores == ONLY:
        wrong = wrong_parts(choice, 1)
    else:
        wrong = complaint(choice, number)
    if wrong:
        raise DeclarationError(f"{policy}: {wrong}")
    return choice


def complaint(choice: Choice, number: int) -> str:
    """What is wrong with a choice among so many candidates; "" if nothing is."""
    index: object = choice.index
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < number:
        return f"index {index!r} is none of the {number} candidates (0 to {number - 1})"
    probabilities, scores = choice.probabilities, choice.scores
    for what, values in (("probabilities", probabilities), ("scores", scores)):
        if len(values) != number:
            return f"{len(values)} {what} for {number} candidates; give one for each"
        if not all(map(is_finite, values)):
            return f"{what} {values} are not all finite numbers"
    if min(probabilities) < 0:
        return f"probability {min(probabilities)} is negative"
    if abs(math.fsum(probabilities) - 1) > TOLERANCE:
        return f"probabilities {probabilities} sum to {math.fsum(probabilities)}, not 1"
    if probabilities[index] == 0:
        return f"candidate {index} was chosen with probability 0"
    if choice.deterministic and max(probabilities) != 1:
        return f"the choice is called deterministic, but its probabilities are {probabilities}"
    return wrong_parts(choice, number)


def wrong_parts(choice: Choice, number: int) -> str:
    """What is wrong with what a choice says of its scores; "" if nothing is."""
    parts = choice.parts
    if not parts:
        return ""
    if len(parts) != number:
        return f"{len(parts)} parts for {number} candidates; give one mapping for each, or none"
    if not all(is_finite(value) for one in parts for value in one.values()):
        return f"parts {parts} are not all finite numbers"
    return ""


def is_finite(value: object) -> bool:
    """Whether something is a number, and neither infinite nor none at all."""
    return isinstance(value, int | float) and math.isfinite(value)
