"""A model as judge of how hard the work is (control floor): asked once, before anything is decided.

estimator=ModelEstimator(Role("assessor", …, writes=(Assessment,), tier="small"))
"""

from dataclasses import dataclass, field

from pydantic import Field

from hive.board.payload import Payload
from hive.board.records import Complexity, Fault, Level5
from hive.board.state import State, Tally
from hive.control.allocating.complexity import Assessed, RuleEstimator, by_rules
from hive.errors import DeclarationError
from hive.role import Role

__all__ = ["Assessment", "ModelEstimator"]


class Assessment(Payload):
    """How hard the work is judged to be that the goal asks for."""

    complexity: Level5 = Field(description="The class of the work, easiest first")
    confidence: float = Field(ge=0, le=1, description="How likely it is that this class is right")
    reasons: tuple[str, ...] = Field((), description="What in the goal says so, one thing each")


INSTRUCTIONS = """\
You judge how hard the work is that the goal asks for; you do none of it yourself.
Trivial: one obvious change, nothing to find out. Simple: one place, the way is known. Moderate:
several places, or the cause must be found first. Complex: parts that depend on each other, or a new
design. Critical: as hard, and a mistake would do lasting harm: to money, safety, secrets, or data
that cannot be brought back. Say how sure you are: a goal that leaves open what is meant is not
judged with confidence."""


def default_assessor() -> Role:
    return Role("assessor", INSTRUCTIONS, writes=(Assessment,))


@dataclass(frozen=True)
class ModelEstimator:
    """Has a model judge the goal, and rules what becomes of the work after that.

    The coordinator runs `advisor` as a recorded strand in the first turn, in which nobody else
    acts. Its assessment stands for the goal's text and for how much there is to do; what goes wrong
    later is added by the weights of `otherwise`. Where it posts none, `otherwise` judges alone,
    with `doubt` as one more uncertainty of the score (a standard deviation). Raises
    DeclarationError when the advisor cannot write Assessment.
    """

    advisor: Role = field(default_factory=default_assessor)
    otherwise: RuleEstimator = field(default_factory=RuleEstimator)
    doubt: float = 1.0

    def __post_init__(self) -> None:
        if Assessment.kind not in self.advisor.kinds_written:
            raise DeclarationError(
                f"role {self.advisor.name!r} cannot assess a goal: it does not write Assessment;"
                " give it writes=(Assessment,)"
            )
        if not self.doubt >= 0:
            raise DeclarationError(f"ModelEstimator(doubt={self.doubt}): give a number from 0 on")

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """What the rules must remember."""
        return self.otherwise.tallies

    def estimate(self, goal: str, state: State) -> Complexity:
        """The class of the work as it stands, with its signals."""
        who, weights = self.advisor.name, self.otherwise.weights
        said = state.latest(Assessment, who)
        own = state.count(Fault, who)
        if isinstance(said, Assessment):
            assessed = Assessed(said.complexity, said.confidence)
            return by_rules(weights, goal, state, assessed=assessed, forgiven=own)
        doubt = self.doubt if state.turn else 0.0
        return by_rules(weights, goal, state, doubt=doubt, forgiven=own)
