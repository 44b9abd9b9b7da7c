"""Complexity (control floor): how hard the work is judged to be, in five classes, by named signals.

The weights are data; users replace them or edit single ones. Nothing is asked of a model here.
Every judgement carries the signals that made it, and how far each of them may be off.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from itertools import pairwise
from math import isfinite, sqrt
from statistics import NormalDist
from typing import NamedTuple, Protocol, cast

from pydantic import JsonValue

from hive.board.contributions import Plan, Review, TestReport
from hive.board.entry import Entry
from hive.board.pieces import whole
from hive.board.records import Complexity, Level5
from hive.board.state import State, Tally
from hive.errors import DeclarationError

__all__ = [
    "LEVELS",
    "REJECTIONS",
    "Assessed",
    "Estimator",
    "RuleEstimator",
    "Spreads",
    "Weights",
    "Words",
    "by_rules",
    "judged",
]

LEVELS: tuple[Level5, ...] = ("trivial", "simple", "moderate", "complex", "critical")
"""The five classes, easiest first."""


class Estimator(Protocol):
    """Who judges how hard the work is: a pure function of the goal and the state. It may also have

    - `tallies`, the memory that it needs, found in `state.tallies` by name;
    - `advisor`, a Role that is asked once, before anything is decided; what it posts is in the
      state from then on.
    """

    def estimate(self, goal: str, state: State) -> Complexity:
        """The class of the work as it stands, with its signals."""
        ...


def judged(estimator: Estimator, goal: str, state: State) -> Complexity:
    """The work as an estimator judges it. Raises DeclarationError for what is no judgement, and
    whatever the estimator raises."""
    found: object = estimator.estimate(goal, state)
    if not isinstance(found, Complexity):
        raise DeclarationError(
            f"estimator {type(estimator).__name__} judged {found!r}; give a Complexity"
        )
    if found.probabilities and len(found.probabilities) != len(LEVELS):
        raise DeclarationError(
            f"estimator {type(estimator).__name__} gave {len(found.probabilities)} probabilities;"
            f" give one for each of {', '.join(LEVELS)}, or none"
        )
    return found


@dataclass(frozen=True)
class Words:
    """A signal that any of some words in the goal sets off: its name, its weight, the words' stems,
    and how far the weight may be off, as a standard deviation.

    A stem stands for every word that begins with it. Raises DeclarationError for words that are
    none, and for numbers that cannot be.
    """

    name: str
    weight: float
    stems: tuple[str, ...]
    spread: float = 0.5

    def __post_init__(self) -> None:
        stems: object = self.stems  # a text would be taken letter by letter
        if isinstance(stems, str) or not self.stems or not all(self.stems):
            raise DeclarationError(
                f"Words({self.name!r}): stems={self.stems!r}; give beginnings of words, as in"
                ' ("bee", "hive")'
            )
        if not (isfinite(self.weight) and isfinite(self.spread) and self.spread >= 0):
            raise DeclarationError(
                f"Words({self.name!r}, weight={self.weight}, spread={self.spread}): give numbers,"
                " and a spread from 0 on"
            )


KINDS = (
    Words("kind: cosmetic", -1.0, ("typo", "rename", "reformat", "comment", "docstring", "spell")),
    Words("kind: mend", 0.5, ("fix", "bug", "repair", "broken", "wrong", "mend", "fail")),
    Words("kind: add", 1.0, ("add", "implement", "support", "extend", "feature", "build")),
    Words(
        "kind: rework", 2.0, ("refactor", "rewrite", "redesign", "restructure", "port", "replace")
    ),
)
DOMAINS = (
    Words(
        "domain: security",
        2.5,
        ("security", "auth", "password", "encrypt", "crypto", "permission", "vulnerab", "secret"),
    ),
    Words("domain: payment", 2.5, ("payment", "invoice", "billing", "refund", "payroll")),
    Words("domain: migration", 2.0, ("migrat", "schema", "database", "backup")),
    Words("domain: concurrency", 1.5, ("concurren", "deadlock", "race condition", "thread")),
    Words("domain: production", 1.5, ("production", "deploy", "outage", "incident")),
)


@dataclass(frozen=True)
class Spreads:
    """How far the weights of what is counted may be off: standard deviations, as a share of each.

    `unplanned` and `untested` are in units of the score: how much more, or less, the open tasks and
    the files of a plan may come to while there is none, and the failing tests while none were run.
    Raises DeclarationError for a number below 0.
    """

    words: float = 0.5
    tasks: float = 0.3
    files: float = 0.3
    failing: float = 0.3
    rejections: float = 0.3
    faults: float = 0.3
    unplanned: float = 0.5
    untested: float = 0.25

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not (isfinite(value) and value >= 0):
                raise DeclarationError(f"Spreads({each.name}={value}): give a number from 0 on")


@dataclass(frozen=True)
class Weights:
    """What each signal adds to the score, and where the classes begin.

    `words` counts per hundred words of the goal, up to `most_words`; `tasks`, `files`, `failing`,
    `rejections` and `faults` count per open task, file named by the plan, failing test, turn in
    which a review did not approve and fault, each up to `most`. Each kind of change and each domain
    counts once. `limits` are the scores at which the second to fifth class begin. `spreads` says
    how far all this may be off.
    """

    words: float = 0.5
    most_words: float = 2.0
    tasks: float = 0.25
    files: float = 0.25
    failing: float = 0.1
    rejections: float = 0.75
    faults: float = 0.25
    most: float = 2.0
    kinds: tuple[Words, ...] = KINDS
    domains: tuple[Words, ...] = DOMAINS
    limits: tuple[float, float, float, float] = (0.5, 1.5, 3.5, 6.0)
    spreads: Spreads = Spreads()
    _hash: int = field(init=False, repr=False, compare=False)
    """Of the numbers alone, made once: every decision looks judgements up by their weights."""

    def __post_init__(self) -> None:
        for each in filter(lambda each: each.init, fields(self)):
            value = getattr(self, each.name)
            if isinstance(value, int | float) and not isfinite(value):
                raise DeclarationError(f"Weights({each.name}={value}): give a number")
        numbers = (self.limits, self.words, self.tasks, self.files, self.failing)
        object.__setattr__(self, "_hash", hash(numbers))
        if len(self.limits) != len(LEVELS) - 1 or list(self.limits) != sorted(self.limits):
            raise DeclarationError(
                f"Weights: limits={self.limits}; give four rising scores, where {LEVELS[1]},"
                f" {LEVELS[2]}, {LEVELS[3]} and {LEVELS[4]} begin"
            )

    def __hash__(self) -> int:
        return self._hash

    def middle(self, level: Level5) -> float:
        """The score in the middle of a class; the outermost are taken to be as wide as the one
        beside them."""
        return sum(self.between(level)) / 2

    def between(self, level: Level5) -> tuple[float, float]:
        """The scores at which a class begins and ends."""
        first, second, third, fourth = self.limits
        ends = (2 * first - second, *self.limits, 2 * fourth - third)
        place = LEVELS.index(level)
        return ends[place], ends[place + 1]


class Assessed(NamedTuple):
    """What a model, or anybody else, said of the goal: its class, and how sure that is."""

    level: Level5
    confidence: float


class Counts(NamedTuple):
    """What of the work so far is counted; None for what is not known yet."""

    tasks: int
    files: int | None
    failing: int | None
    rejections: int
    faults: int


@lru_cache(maxsize=256)
def signals_of(goal: str, weights: Weights) -> tuple[tuple[str, float, float], ...]:
    """The signals in a goal's text, each with how far it may be off."""
    text = goal.lower()
    length = min(len(text.split()) / 100 * weights.words, weights.most_words)
    every = (*weights.kinds, *weights.domains)
    found = [("goal length", length, length * weights.spreads.words)]
    found += [(words.name, words.weight, words.spread) for words in every if mentions(words, text)]
    return tuple(each for each in found if each[1])


def mentions(words: Words, text: str) -> bool:
    return re.search(rf"\b(?:{'|'.join(map(re.escape, words.stems))})", text) is not None


def rejected(value: JsonValue, entry: Entry) -> JsonValue:
    if not isinstance(entry.payload, Review) or entry.payload.approved:
        return value
    known = cast("dict[str, int]", value)
    if known["turn"] == entry.turn:  # another one of a panel
        return value
    return {"rounds": known["rounds"] + 1, "turn": entry.turn}


REJECTIONS = Tally("rejections", {"rounds": 0, "turn": 0}, rejected, frozenset({Review.kind}))
"""In how many turns a review did not approve, and the newest of them; a workflow folds it for the
estimator."""


@dataclass(frozen=True)
class RuleEstimator:
    """Adds up weighted signals: those of the goal's text, and those of the work so far.

    The class is that of the score. The score is taken to be normally distributed about its value,
    the signals to be off independently of each other; so likely is each class then.
    """

    weights: Weights = Weights()

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """What it must remember, to be folded with the state."""
        return (REJECTIONS,)

    def estimate(self, goal: str, state: State) -> Complexity:
        """The class of the work as it stands, with its signals."""
        return by_rules(self.weights, goal, state)


def by_rules(
    weights: Weights,
    goal: str,
    state: State,
    *,
    assessed: Assessed | None = None,
    doubt: float = 0.0,
    forgiven: int = 0,
) -> Complexity:
    """The class of the work as it stands, by weighted signals.

    What was assessed stands for the goal's text and for how much there is to do; only what went
    wrong since is added to it. `doubt` is a further uncertainty of the score, as a standard
    deviation; `forgiven` are faults that say nothing of the work.
    """
    report, plan = state.latest(TestReport), state.latest(Plan)
    refused = cast("dict[str, int]", state.tallies.get(REJECTIONS.name, REJECTIONS.init))
    counts = Counts(
        len(state.tasks),
        files_of(plan) if isinstance(plan, Plan) else None,
        len(report.failed) if isinstance(report, TestReport) else None,
        refused["rounds"],
        max(0, state.counts.get("Fault", 0) - forgiven),
    )
    return assess(goal, weights, counts, assessed, doubt)


def files_of(plan: Plan) -> int:
    return len({path for task in plan.tasks for path in task.files})


@lru_cache(maxsize=256)
def assess(
    goal: str, weights: Weights, counts: Counts, assessed: Assessed | None, doubt: float
) -> Complexity:
    """The judgement as a pure function of what it depends on."""
    spreads = weights.spreads
    found = list(signals_of(goal, weights) if assessed is None else said_of(assessed, weights))
    counted = [
        ("rejections", counts.rejections, weights.rejections, spreads.rejections),
        ("faults", counts.faults, weights.faults, spreads.faults),
    ]
    if assessed is None:
        counted = [
            ("open tasks", counts.tasks, weights.tasks, spreads.tasks),
            ("files", counts.files or 0, weights.files, spreads.files),
            ("failing tests", counts.failing or 0, weights.failing, spreads.failing),
            *counted,
        ]
    for name, number, weight, share in counted:
        value = min(number * weight, weights.most)
        if value:
            found.append((name, value, abs(value) * share))
    signals = {name: round(value, 3) for name, value, _ in found}
    uncertainty = {name: round(spread, 3) for name, _, spread in found if spread}
    if assessed is None:
        missing = {
            "no plan yet": spreads.unplanned if counts.files is None else 0.0,
            "no tests yet": spreads.untested if counts.failing is None else 0.0,
            "no assessment": doubt,
        }
        uncertainty |= {name: spread for name, spread in missing.items() if spread}
    score = round(sum(signals.values()), 3)
    spread = sqrt(sum(each**2 for each in uncertainty.values()))
    return Complexity(
        level=LEVELS[bisect_right(weights.limits, score)],
        score=score,
        signals=signals,
        uncertainty=uncertainty,
        probabilities=chances(score, spread, weights.limits),
    )


def said_of(assessed: Assessed, weights: Weights) -> list[tuple[str, float, float]]:
    """An assessment as a signal: the middle of the class, off so far that the class is right as
    often as was said."""
    low, high = weights.between(assessed.level)
    sure = min(max(assessed.confidence, 0.05), 0.99)
    spread = (high - low) / 2 / NormalDist().inv_cdf((1 + sure) / 2)
    return [("assessment", weights.middle(assessed.level), spread)]


def chances(score: float, spread: float, limits: Sequence[float]) -> tuple[int | float, ...]:
    """How likely each class is, in parts of ten thousand that make up one."""
    if not spread:
        return tuple(int(place == bisect_right(limits, score)) for place in range(len(LEVELS)))
    below = [0, *(round(NormalDist(score, spread).cdf(each), 4) for each in limits), 1]
    return tuple(whole(round(two - one, 4)) for one, two in pairwise(below))
