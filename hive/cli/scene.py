"""What a run looks like right now: a fold of its entries, kept in values that a display on another
thread may read at any moment."""

from dataclasses import dataclass, field, replace
from time import monotonic

from hive.board.entry import Entry
from hive.board.records import (
    Decision,
    Fault,
    Inference,
    Observation,
    Request,
    Spoken,
    Suspension,
    ToolCall,
)
from hive.cli.telling import Told, tell

__all__ = ["Acting", "Scene"]

RECENT = 12
SAID = 400


@dataclass(frozen=True)
class Acting:
    """A strand at work: which model it was given, and what it is doing since when."""

    strand: str
    role: str
    model: str
    tier: str | None
    doing: str = "about to begin"
    since: float = 0.0
    done: bool = False


@dataclass
class Scene:
    """The state of the display. Every field is replaced as a whole, never changed in place, so that
    whoever reads it sees one that was."""

    goal: str
    turn: int = 0
    decision: Decision | None = None
    acting: dict[str, Acting] = field(default_factory=dict)
    recent: tuple[Told, ...] = ()
    saying: tuple[str, str] = ("", "")
    """The strand that spoke last, and the end of what it says."""
    tokens: int = 0
    spent: int = 0
    calls: int = 0
    tools: int = 0
    units: int = 0
    changed: frozenset[str] = frozenset()
    began: float = field(default_factory=monotonic)
    over: float | None = None

    def __post_init__(self) -> None:
        self._calls: dict[str, Told] = {}

    @property
    def elapsed(self) -> int:
        """Microseconds since this process took the run up."""
        return int(((self.over or monotonic()) - self.began) * 1_000_000)

    def take(self, entry: Entry) -> Told | None:
        """Fold one entry; gives the line that tells it."""
        payload = entry.payload
        if isinstance(payload, Decision):
            self.decide(entry, payload)
        elif isinstance(payload, Request):
            self.calls += 1
            self.act(entry, "thinking")
        elif isinstance(payload, Inference):
            self.tokens += payload.tokens
            self.spent += payload.cost
            self.units += payload.usage.units
            self.saying = ("", "")
            self.act(entry, "acting", done=payload.stop != "tools")
        elif isinstance(payload, Fault):
            self.tokens += payload.tokens
            self.spent += payload.cost
            self.act(entry, payload.code.replace("_", " "), done=payload.final)
        elif isinstance(payload, Suspension):
            self.act(entry, "waits for a person")
        elif isinstance(payload, Spoken):
            self.act(entry, "answered", done=True)
        elif isinstance(payload, Observation):
            self.changed |= {change.path for change in payload.changes}
            self.act(entry, "reading the result")
        told = tell(entry, self._calls)
        if isinstance(payload, ToolCall):
            self.tools += 1
            self.act(entry, told.what if told else payload.tool)
        if told is not None:
            self.remember(told)
        return told

    def decide(self, entry: Entry, decision: Decision) -> None:
        """A new turn: other strands act."""
        now = monotonic()
        self.turn = entry.address.turn
        self.decision = decision
        self.saying = ("", "")
        self._calls.clear()
        self.acting = {
            plan.strand: Acting(plan.strand, plan.role, plan.model, plan.tier, since=now)
            for plan in decision.strands
        }

    def act(self, entry: Entry, doing: str, done: bool = False) -> None:
        """Say what a strand is doing from now on."""
        strand = entry.address.strand
        acting = self.acting.get(strand)
        if acting is not None:
            changed = replace(acting, doing=doing, since=monotonic(), done=done)
            self.acting = {**self.acting, strand: changed}

    def remember(self, told: Told) -> None:
        """Keep a line among the last ones, in the place of an earlier one with its address."""
        for index in range(len(self.recent) - 1, -1, -1):
            if self.recent[index].address == told.address:
                self.recent = (*self.recent[:index], told, *self.recent[index + 1 :])
                return
        self.recent = (*self.recent[-RECENT + 1 :], told)

    def hear(self, strand: str, text: str) -> None:
        """Take in a piece of what a model is saying."""
        speaker, said = self.saying
        self.saying = (strand, ((said if speaker == strand else "") + text)[-SAID:])
