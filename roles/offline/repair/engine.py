"""The search itself: what a conversation has taught, and the tool calls that follow from it.

Pure, and without memory: every step is worked out from the whole conversation, so that a strand
can be resumed or replayed anywhere. The scheme is generate-and-validate as in GenProg and PraPR:
localise faults by Ochiai's coefficient (Abreu et al., 2007), try candidates against the real tests,
keep what helps and breaks nothing, and begin anew with the tests that still fail.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice

from roles.offline.repair.mutations import Module
from roles.offline.repair.ranking import Candidate, pairs, singles
from roles.offline.repair.source import Edit

__all__ = ["LARGE", "SMALL", "Decision", "Done", "Effort", "Fault", "Search", "Trial", "decide"]


@dataclass(frozen=True, slots=True)
class Effort:
    """How far a search goes before it gives up.

    `singles` and `pairs` bound the candidates between two changes of the workspace, `batch` the
    candidates of one call; batches begin small and double, since the best candidates come first.

    A project may have several bugs, so that no single candidate makes all tests pass. `settle` is
    how many candidates are tried before one is accepted that mends all failing tests which run its
    line; `patience`, before one is accepted that mends any (None: never, for such a change may as
    well be a hack that stands in the way of the repair).

    `steps` bounds the replies of one conversation, the last included; `files`, how many are read.
    """

    singles: int
    pairs: int
    batch: int
    settle: int
    patience: int | None
    steps: int = 22
    files: int = 8


SMALL = Effort(singles=150, pairs=0, batch=80, settle=40, patience=None)
LARGE = Effort(singles=2_000, pairs=500, batch=160, settle=160, patience=960)

FIRST_BATCH = 20

# How often candidates may fail to be judged, in ever smaller batches, before the search ends.
MOST_STUMBLES = 2

# A piece of a file that fits into a conversation whole, at a hundred characters a line, and the
# longest file that is worth reading.
PIECE = 150
LONGEST = 3_000


@dataclass(frozen=True, slots=True)
class Fault:
    """One suspicious line: its score, and how many failing tests run it."""

    path: str
    line: int
    score: float
    failed: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one candidate. `whole` is a repair of every failing test that breaks none."""

    edits: tuple[Edit, ...]
    fixed: frozenset[str]
    sound: bool
    whole: bool


@dataclass(slots=True)
class Search:
    """What a conversation has brought to light so far, since the workspace last changed."""

    located: bool = False
    faults: tuple[Fault, ...] = ()
    failing: frozenset[str] = frozenset()
    texts: dict[str, str] = field(default_factory=dict)
    pieces: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    """What was read of each file: lines by the number of the first."""
    lengths: dict[str, int] = field(default_factory=dict)
    """How many lines the files have of which at least a piece was read."""
    unreadable: set[str] = field(default_factory=set)
    tried: int = 0
    stumbles: int = 0
    """How often in a row candidates could not be judged at all."""
    trials: list[Trial] = field(default_factory=list)
    applied: list[tuple[Edit, ...]] = field(default_factory=list)
    reported: bool = False
    """Whether the whole suite has run since the last change."""
    trouble: str = ""
    """Why the search cannot go on, if a tool said so."""
    steps: int = 0

    def forget(self) -> None:
        """Let go of what was known of the files: somebody else has changed them."""
        self.texts, self.pieces, self.lengths, self.unreadable = {}, {}, {}, set()
        self.located = False

    def relocate(self, faults: tuple[Fault, ...], failing: frozenset[str]) -> None:
        """Begin anew with what fails now."""
        self.faults, self.failing, self.located = faults, failing, True
        self.tried, self.trials = 0, []

    def apply(self, edits: tuple[Edit, ...]) -> None:
        """Take note of a change of the workspace."""
        for path in self.texts:
            own = [edit for edit in edits if edit.path == path]
            # From the end, so that the line numbers of the others stay right.
            for edit in sorted(own, key=lambda edit: -(edit.line or 0)):
                self.texts[path] = edit.apply(self.texts[path])
        whole = any(trial.whole and trial.edits == edits for trial in self.trials)
        self.applied.append(edits)
        # Where nothing should fail any more, the report will tell whether that is so.
        self.faults, self.failing, self.located = (), frozenset(), whole
        self.tried, self.trials, self.reported = 0, [], False

    @property
    def paths(self) -> tuple[str, ...]:
        """The files with suspicious lines, most suspicious first."""
        return tuple(dict.fromkeys(fault.path for fault in self.faults if fault.score > 0))

    def identity(self) -> str:
        """What names this search: the same modules under the same suspicion give the same order."""
        seen = repr((sorted(self.texts.items()), self.faults))
        return hashlib.sha256(seen.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Done:
    """The search is over. `repaired` is True when no failing test is left."""

    repaired: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Locate:
    """Find out which lines to suspect."""


@dataclass(frozen=True, slots=True)
class Read:
    """Read pieces of files: `lines` lines from each (path, first line)."""

    pieces: tuple[tuple[str, int], ...]
    lines: int


@dataclass(frozen=True, slots=True)
class Try:
    """Judge candidates."""

    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Apply:
    """Change the workspace."""

    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Run the whole suite, for the record."""


Decision = Locate | Read | Try | Apply | Report | Done


def decide(search: Search, effort: Effort, skip: Mapping[str, int]) -> Decision:
    """What to do next. `skip` says how many candidates of a search others have tried in vain."""
    left = effort.steps - search.steps
    if search.trouble:
        return Done(False, search.trouble)
    if search.stumbles > MOST_STUMBLES:
        return _conclude(search, "candidates could not be judged in time")
    if not search.located:
        # A search needs at least: locate, read, try, apply, report, answer.
        return Locate() if left > 6 else _conclude(search, "the steps of this turn are used up")
    if not search.failing:
        return _conclude(search, "")
    pieces = _unread(search, effort)
    if pieces and left > 4:
        return Read(pieces, PIECE)
    start = search.tried + skip.get(search.identity(), 0)
    batch = _batch(search, effort, start) if left > 3 else ()
    chosen = _accepted(search, effort, last=not batch)
    if chosen is not None and left > 2:
        return Apply(chosen.edits)
    if batch:
        return Try(batch)
    if not start:
        return _conclude(search, "no candidate could be made for the suspicious lines")
    return _conclude(search, f"none of {start} candidates is a repair")


def _unread(search: Search, effort: Effort) -> tuple[tuple[str, int], ...]:
    """The pieces of suspicious files that are still to be read; the rest of a file whose length is
    not known yet is asked for as far as its last suspicious line reaches."""
    pieces: list[tuple[str, int]] = []
    for path in search.paths[: effort.files]:
        if path in search.texts or path in search.unreadable:
            continue
        last = max(fault.line for fault in search.faults if fault.path == path)
        length = search.lengths.get(path, last)
        if length <= LONGEST:
            starts = range(1, length + 1, PIECE)
            pieces += [(path, at) for at in starts if at not in search.pieces.get(path, {})]
    return tuple(pieces)


def _conclude(search: Search, reason: str) -> Decision:
    """The ending, after a full run of the suite if anything was changed or nothing fails."""
    repaired = search.located and not search.failing
    if not search.reported and (search.applied or repaired):
        return Report()
    return Done(repaired, reason)


def _accepted(search: Search, effort: Effort, last: bool) -> Trial | None:
    """The trial to be applied now, if there is reason not to look any further; `last` says that
    there is nothing further to look at."""
    for trial in search.trials:
        if trial.whole:
            return trial
    sound = [trial for trial in search.trials if trial.sound]
    if last or search.tried >= effort.settle:
        complete = [trial for trial in sound if _complete(search, trial)]
        if complete:
            return max(complete, key=_reach)
    if effort.patience is not None and (last or search.tried >= effort.patience):
        return max(sound, key=_reach, default=None)
    return None


def _reach(trial: Trial) -> int:
    return len(trial.fixed)


def _complete(search: Search, trial: Trial) -> bool:
    """Whether all failing tests that run the changed lines pass now: the bug there is mended."""
    failed = {(fault.path, fault.line): fault.failed for fault in search.faults}
    concerned = [
        failed.get((edit.path, line), 0)
        for edit in trial.edits
        for line in range(edit.line or 0, (edit.line or 0) + edit.before.count("\n") + 1)
    ]
    return len(trial.fixed) >= max(concerned, default=0) > 0


def _batch(search: Search, effort: Effort, start: int) -> tuple[Candidate, ...]:
    """The next candidates: as many again as were tried already, within bounds."""
    size = min(max(FIRST_BATCH, search.tried), effort.batch) >> (2 * search.stumbles)
    most = effort.singles + effort.pairs
    texts = tuple(sorted(search.texts.items()))
    stream = _stream(texts, search.faults, effort)
    return tuple(stream.between(start, min(start + max(size, 1), most)))


class Stream:
    """All candidates of one search in their order, made as far as they are asked for."""

    def __init__(self, modules: Mapping[str, Module], faults: tuple[Fault, ...], effort: Effort):
        suspicion = {(fault.path, fault.line): fault.score for fault in faults}
        self.singles = singles(modules, suspicion)
        self.effort = effort
        self.made: list[Candidate] = []
        self.rest = chain(islice(self.singles, effort.singles), self._pairs())

    def _pairs(self) -> Iterator[Candidate]:
        yield from pairs(list(self.made), self.effort.pairs)

    def between(self, start: int, end: int) -> list[Candidate]:
        """The candidates from one place to another; fewer where the stream ends."""
        self.made.extend(islice(self.rest, max(0, end - len(self.made))))
        return self.made[start:end]


@lru_cache(maxsize=4)
def _stream(
    texts: tuple[tuple[str, str], ...], faults: tuple[Fault, ...], effort: Effort
) -> Stream:
    """The stream of a search; cached, since every step asks for the next piece of the same one."""
    modules: dict[str, Module] = {}
    for path, text in texts:
        try:
            modules[path] = Module(path, text)
        except (SyntaxError, ValueError, RecursionError):
            continue  # what cannot be parsed cannot be mutated
    return Stream(modules, faults, effort)
