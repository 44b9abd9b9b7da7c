"""What is put to the vote and how it was voted (control floor), read from entries."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from hive.board.ballots import Critique, Vote
from hive.board.contributions import Review, Verdict
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.records import Decision

__all__ = [
    "Ballot",
    "Poll",
    "asked",
    "in_order",
    "lines",
    "objections",
    "seat",
    "since_ruling",
]


def seat(entry: Entry) -> str:
    """Who speaks, as votes are counted: a role, or one of its samples, whatever the turn."""
    sample = entry.strand.partition("#")[2]
    return f"{entry.author}#{sample}" if sample else entry.author


class Ballot(NamedTuple):
    """One voter's word: what it puts first and after that, and why."""

    entry: Entry
    order: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        named = " > ".join(self.order) or "nothing"
        return f"{seat(self.entry)} [{self.entry.address}] is for {named}: {self.reason}"


@dataclass(frozen=True)
class Poll:
    """What is put to the vote, and how it was voted."""

    options: tuple[str, ...]
    """Addresses of what can be voted for."""
    among: str
    """What that is."""
    ballots: tuple[Ballot, ...]
    void: tuple[str, ...]
    """What is to be said of votes for anything else."""
    asked: int
    """How many were asked to vote."""
    critiques: tuple[Entry, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[Entry], among: type[Payload]) -> "Poll":
        """The poll that stands open: since the last ruling, of each voter the newest vote, of each
        author the proposals of its newest turn, which are of a certain kind."""
        entries = since_ruling(entries)
        proposed: dict[str, list[Entry]] = {}
        votes: dict[str, Entry] = {}
        for entry in entries:
            if isinstance(entry.payload, among):
                own = proposed.setdefault(seat(entry), [])
                own[:] = [*[e for e in own if e.turn == entry.turn], entry]
            elif isinstance(entry.payload, Vote):
                votes[seat(entry)] = entry
        options = tuple(
            str(e.address) for e in in_order(e for own in proposed.values() for e in own)
        )
        ballots, void, known = [], [], frozenset(options)
        for entry in votes.values():
            assert isinstance(entry.payload, Vote)
            ballot = Ballot(entry, entry.payload.order, entry.payload.reason)
            unknown = [named for named in ballot.order if named not in known]
            if unknown:
                void.append(
                    f"the vote of {seat(entry)} is void: {unknown[0]} is no open {among.kind}"
                )
            else:
                ballots.append(ballot)
        critiques = tuple(e for e in entries if isinstance(e.payload, Critique))
        number = asked(entries, votes.values())
        return cls(options, among.kind, tuple(ballots), tuple(void), number, critiques)

    @property
    def cast(self) -> list[Ballot]:
        """The ballots that name something."""
        return [ballot for ballot in self.ballots if ballot.order]

    def lacks(self, quorum: int | None) -> str:
        """Why it cannot be counted; "" where it can."""
        if not self.options:
            return f"there is no {self.among} to vote on"
        needed = self.asked // 2 + 1 if quorum is None else quorum
        if len(self.ballots) < needed:
            return f"{len(self.ballots)} of {self.asked} have spoken, and {needed} must"
        return "" if self.cast else "nobody is for any of them"

    def told(self) -> tuple[str, ...]:
        """What is to be said beside the count: who abstained, and which votes are void."""
        silent = [seat(ballot.entry) for ballot in self.ballots if not ballot.order]
        return (*([f"abstained: {', '.join(silent)}"] if silent else []), *self.void)

    def chosen(self, option: str, counted: str) -> Verdict:
        """The ruling for one of the options, with what was said for others and against it."""
        others = [str(ballot) for ballot in self.cast if ballot.order[0] != option]
        return Verdict(
            ruling="accept",
            reasons=(counted, *self.told()),
            dissent=(*others, *objections(self.critiques, option)),
            chosen=option,
        )

    def open(self, why: str) -> Verdict:
        """That the rule cannot decide."""
        return Verdict(ruling="undecided", reasons=(why, *self.told()))


def lines(entry: Entry, review: Review) -> Iterable[str]:
    """A review's reasons, each with who gave it."""
    said = review.reasons or ("approved" if review.approved else "not approved",)
    return (f"{seat(entry)} [{entry.address}]: {reason}" for reason in said)


def objections(critiques: Iterable[Entry], of: str) -> Iterable[str]:
    """What critics said against an entry."""
    for entry in critiques:
        if isinstance(entry.payload, Critique) and entry.payload.of.strip().strip("[]") == of:
            yield from (f"{seat(entry)} [{entry.address}]: {p}" for p in entry.payload.points)


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Entries in the order of their addresses, in which a view has them."""
    return sorted(entries, key=lambda entry: entry.address)


def is_ruling(entry: Entry) -> bool:
    return isinstance(entry.payload, Verdict) and entry.payload.ruling != "undecided"


def since_ruling(entries: Iterable[Entry]) -> list[Entry]:
    """What came after the newest Verdict that ruled on something."""
    ordered = in_order(entries)
    last = max((place for place, entry in enumerate(ordered) if is_ruling(entry)), default=-1)
    return ordered[last + 1 :]


def asked(entries: Iterable[Entry], spoken: Iterable[Entry], *, anew: bool = False) -> int:
    """How many were asked, by the decisions of the turns in which somebody spoke: those who have
    the roles of who spoke there, each once, or where all are asked `anew`, once for each turn. As
    many as spoke where no decision is among the entries."""
    spoken = list(spoken)
    turns = {(entry.turn, entry.author) for entry in spoken}
    seats = {
        (entry.turn if anew else 0, plan.role, plan.sample)
        for entry in entries
        if isinstance(entry.payload, Decision)
        for plan in entry.payload.strands
        if (entry.turn, plan.role) in turns
    }
    return max(len(seats), len(spoken))
