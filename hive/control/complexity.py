"""Complexity (control floor): how hard the work is judged to be, in five classes, by named signals.

The weights are data; users replace them or edit single ones. Nothing is asked of a model here, and
every judgement carries the signals that made it.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, cast

from pydantic import JsonValue

from hive.board.contributions import Plan, Review, TestReport
from hive.board.entry import Entry
from hive.board.records import Complexity, Level5
from hive.board.state import State, Tally
from hive.errors import DeclarationError

__all__ = ["LEVELS", "REJECTIONS", "Estimator", "RuleEstimator", "Weights", "Words"]

LEVELS: tuple[Level5, ...] = ("trivial", "simple", "moderate", "complex", "critical")
"""The five classes, easiest first."""


class Estimator(Protocol):
    """Who judges how hard the work is."""

    def estimate(self, goal: str, state: State) -> Complexity:
        """The class of the work as it stands, with its signals."""
        ...


@dataclass(frozen=True)
class Words:
    """A signal that any of some words in the goal sets off: its name, its weight, the words' stems.

    A stem stands for every word that begins with it.
    """

    name: str
    weight: float
    stems: tuple[str, ...]


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
class Weights:
    """What each signal adds to the score, and where the classes begin.

    `words` counts per hundred words of the goal, up to `most_words`; `tasks`, `files`, `failing`,
    `rejections` and `faults` count per open task, file named by the plan, failing test, review that
    did not approve and fault, each up to `most`. Each kind of change and each domain counts once.
    `limits` are the scores at which the second to fifth class begin.
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

    def __post_init__(self) -> None:
        if len(self.limits) != len(LEVELS) - 1 or list(self.limits) != sorted(self.limits):
            raise DeclarationError(
                f"Weights: limits={self.limits}; give four rising scores, where {LEVELS[1]},"
                f" {LEVELS[2]}, {LEVELS[3]} and {LEVELS[4]} begin"
            )

    def __hash__(self) -> int:
        """A hash of the numbers alone: every decision looks judgements up by their weights."""
        return hash((self.limits, self.words, self.tasks, self.files, self.failing))


@lru_cache(maxsize=256)
def signals_of(goal: str, weights: Weights) -> tuple[tuple[str, float], ...]:
    """The signals in a goal's text."""
    text = goal.lower()
    found = {"goal length": min(len(text.split()) / 100 * weights.words, weights.most_words)}
    every = (*weights.kinds, *weights.domains)
    found.update({words.name: words.weight for words in every if mentions(words, text)})
    return tuple((name, round(value, 3)) for name, value in found.items() if value)


def mentions(words: Words, text: str) -> bool:
    return re.search(rf"\b(?:{'|'.join(map(re.escape, words.stems))})", text) is not None


def rejected(value: JsonValue, entry: Entry) -> JsonValue:
    if entry.kind != Review.kind or not isinstance(entry.payload, Review):
        return value
    return cast(int, value) + (not entry.payload.approved)


REJECTIONS = Tally("rejections", 0, rejected, frozenset({Review.kind}))
"""How many reviews did not approve; a workflow folds it for the estimator."""


@dataclass(frozen=True)
class RuleEstimator:
    """Adds up weighted signals: those of the goal's text, and those of the work so far."""

    weights: Weights = Weights()

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """What it must remember, to be folded with the state."""
        return (REJECTIONS,)

    def estimate(self, goal: str, state: State) -> Complexity:
        """The class of the work as it stands, with its signals."""
        report = state.latest(TestReport)
        plan = state.latest(Plan)
        rejections = state.tallies.get(REJECTIONS.name)
        return assess(
            goal,
            self.weights,
            len(state.tasks),
            files_of(plan) if isinstance(plan, Plan) else 0,
            len(report.failed) if isinstance(report, TestReport) else 0,
            rejections if isinstance(rejections, int) else 0,
            state.counts.get("Fault", 0),
        )


def files_of(plan: Plan) -> int:
    return len({path for task in plan.tasks for path in task.files})


@lru_cache(maxsize=256)
def assess(
    goal: str,
    weights: Weights,
    tasks: int,
    files: int,
    failing: int,
    rejections: int,
    faults: int,
) -> Complexity:
    """The judgement as a pure function of what it depends on."""
    signals = dict(signals_of(goal, weights))
    counted = {
        "open tasks": tasks * weights.tasks,
        "files": files * weights.files,
        "failing tests": failing * weights.failing,
        "rejections": rejections * weights.rejections,
        "faults": faults * weights.faults,
    }
    signals.update({name: min(value, weights.most) for name, value in counted.items() if value})
    score = round(sum(signals.values()), 3)
    level = LEVELS[bisect_right(weights.limits, score)]
    return Complexity(level=level, score=score, signals=signals)
