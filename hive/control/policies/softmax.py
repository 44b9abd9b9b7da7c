"""Softmax (control floor): moves drawn by their scores, the higher the likelier.

This is the Boltzmann exploration of reinforcement learning (R. D. Luce, Individual Choice Behavior,
1959); logged decisions have support wherever the scores are not too far apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hive.control.policies.policy import Choice, Policy, Situation, is_finite
from hive.errors import DeclarationError
from hive.role import Role

__all__ = ["Softmax"]


@dataclass(frozen=True)
class Softmax:
    """Draws by the scores of another policy: each candidate has a probability in proportion to
    exp(score / temperature).

    The temperature is in the unit of the scores. At a low one nearly always the best is drawn, at a
    high one any candidate alike. Raises DeclarationError for a temperature that is not above 0; the
    policy within is what it comes to at 0.
    """

    policy: Policy
    temperature: float

    def __post_init__(self) -> None:
        if not is_finite(self.temperature) or self.temperature <= 0:
            raise DeclarationError(
                f"Softmax: temperature={self.temperature!r} is no number above 0; for the best"
                " score always, take the policy itself"
            )

    @property
    def name(self) -> str:
        """`softmax 0.5 over round robin`."""
        return f"softmax {self.temperature:g} over {self.policy.name}"

    @property
    def advisor(self) -> Role | None:
        """The advisor of the policy within."""
        return getattr(self.policy, "advisor", None)

    @property
    def inner(self) -> tuple[Policy, ...]:
        """The policy within."""
        return (self.policy,)

    def decide(self, situation: Situation) -> Choice:
        """Draw a candidate, and give the distribution that it was drawn from."""
        within = self.policy.decide(situation)
        if len(situation.candidates) == 1:
            return within
        probabilities = softmax(within.scores, self.temperature)
        if max(probabilities) == 1:
            index = probabilities.index(1)
        else:
            index = drawn(probabilities, situation.rng.random())
        names = [move.name for move in situation.candidates]
        reason = (
            f"drawn with probability {probabilities[index]:.3g}: {names[index]}, which has the"
            f" score {within.scores[index]:g}; {self.policy.name} would have taken"
            f" {names[within.index]}"
        )
        return replace(
            within,
            index=index,
            probabilities=probabilities,
            reason=reason,
            deterministic=max(probabilities) == 1,
        )


def softmax(scores: Sequence[float], temperature: float) -> tuple[float, ...]:
    """The distribution over some scores. Only differences from the best are raised to a power, so
    that nothing overflows."""
    best = max(scores)
    weights = [math.exp((score - best) / temperature) for score in scores]
    whole = math.fsum(weights)
    return tuple([weight / whole for weight in weights])


def drawn(probabilities: Sequence[float], point: float) -> int:
    """The place at which a point from 0 to 1 falls; never one without probability."""
    last = 0
    for place, probability in enumerate(probabilities):
        if probability:
            last = place
            point -= probability
            if point < 0:
                break
    return last
