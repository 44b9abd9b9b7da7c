"""Deciding rules (control floor): from what a team said of proposals or of work to a Verdict.

    teller = Role("teller", program=…)     made by teller(MajorityVote(quorum=3))
    handoff(voters, teller), finish(teller, when=ruled("accept")),
    handoff(teller, arbiter, when=undecided)

A rule is a pure function of entries: what it says can be counted again from any record.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from hive.board.ballots import Critique, Proposal, Vote
from hive.board.contributions import Review, Verdict
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.records import Decision
from hive.board.view import View
from hive.control.counting import borda_points, first_choices, leaders
from hive.control.guard import checked_kind
from hive.errors import DeclarationError
from hive.role import Role

__all__ = ["BordaCount", "DecidingRule", "MajorityVote", "seat", "teller"]


class DecidingRule(Protocol):
    """How it is decided what stands, of what several roles said."""

    @property
    def name(self) -> str:
        """The rule as decisions by it are recorded."""
        ...

    @property
    def reads(self) -> tuple[type[Payload], ...]:
        """The kinds that it must see."""
        ...

    def decide(self, entries: Iterable[Entry]) -> Verdict:
        """The Verdict that some entries come to; those of other kinds mean nothing to it."""
        ...


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
    """Addresses of the Proposals."""
    ballots: tuple[Ballot, ...]
    void: tuple[str, ...]
    """What was said of votes that name what is no Proposal."""
    asked: int
    """How many were asked to vote."""
    critiques: tuple[Entry, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Poll":
        """The poll that stands open: since the last ruling, of each voter the newest vote, of each
        author the Proposals of its newest turn."""
        entries = since_ruling(entries)
        proposed: dict[str, list[Entry]] = {}
        votes: dict[str, Entry] = {}
        for entry in entries:
            if isinstance(entry.payload, Proposal):
                own = proposed.setdefault(seat(entry), [])
                own[:] = [*[e for e in own if e.turn == entry.turn], entry]
            elif isinstance(entry.payload, Vote):
                votes[seat(entry)] = entry
        options = tuple(
            str(e.address) for e in in_order(e for own in proposed.values() for e in own)
        )
        ballots, void = [], []
        for entry in votes.values():
            assert isinstance(entry.payload, Vote)
            ballot = Ballot(entry, entry.payload.order, entry.payload.reason)
            unknown = [named for named in ballot.order if named not in options]
            if unknown:
                void.append(f"the vote of {seat(entry)} is void: {unknown[0]} is no open Proposal")
            else:
                ballots.append(ballot)
        critiques = tuple(e for e in entries if isinstance(e.payload, Critique))
        return cls(options, tuple(ballots), tuple(void), asked(entries, votes.values()), critiques)

    @property
    def cast(self) -> list[Ballot]:
        """The ballots that name something."""
        return [ballot for ballot in self.ballots if ballot.order]

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


@dataclass(frozen=True)
class MajorityVote:
    """More than half of the votes, abstentions aside, carry a Proposal; with `on`, more than half
    of the Reviews of the newest work of that kind approve it or send it back.

    It is undecided in a tie, where nobody has so many, and where fewer than `quorum` have spoken:
    more than half of those who were asked when it is None. An abstention counts for the quorum and
    for nothing else, a vote for what is no Proposal for nothing at all. That is the majority of
    Robert's Rules, but for such votes, which there keep others from a majority.
    """

    quorum: int | None = None
    on: type[Payload] | None = None

    def __post_init__(self) -> None:
        checked_quorum("MajorityVote", self.quorum)
        if self.on is not None:
            checked_kind("MajorityVote(on=…)", self.on)

    @property
    def name(self) -> str:
        """`majority(on=Artifact, quorum=2)`."""
        on = None if self.on is None else self.on.kind
        return called("majority", on=on, quorum=self.quorum)

    @property
    def reads(self) -> tuple[type[Payload], ...]:
        """The kinds that it must see."""
        said = (Proposal, Vote) if self.on is None else (self.on, Review)
        return (*said, Critique, Verdict, Decision)

    def decide(self, entries: Iterable[Entry]) -> Verdict:
        """The Verdict that the votes, or the reviews, come to."""
        if self.on is not None:
            return reviewed(entries, self.on, self.quorum)
        poll = Poll.of(entries)
        why = lacking(poll, self.quorum)
        if why:
            return poll.open(why)
        counts, cast = first_choices(poll.options, [b.order for b in poll.cast]), len(poll.cast)
        said = counted(counts, f"of {cast} {'vote' if cast == 1 else 'votes'}")
        first = leaders(counts)[0]
        if 2 * counts[first] > cast:
            return poll.chosen(first, said)
        return poll.open(f"nobody has more than half: {said}")


@dataclass(frozen=True)
class BordaCount:
    """The Proposal that stands highest in all rankings together, by Borda points, is chosen.

    A `choice` is a ranking of one. What a ranking leaves out ties for its last place; see
    `hive.control.counting`. It is undecided where several have the most points, and where fewer
    than `quorum` have spoken: more than half of those who were asked when it is None.
    """

    quorum: int | None = None

    def __post_init__(self) -> None:
        checked_quorum("BordaCount", self.quorum)

    @property
    def name(self) -> str:
        """`borda(quorum=2)`."""
        return called("borda", quorum=self.quorum)

    @property
    def reads(self) -> tuple[type[Payload], ...]:
        """The kinds that it must see."""
        return (Proposal, Vote, Critique, Verdict, Decision)

    def decide(self, entries: Iterable[Entry]) -> Verdict:
        """The Verdict that the rankings come to."""
        poll = Poll.of(entries)
        why = lacking(poll, self.quorum)
        if why:
            return poll.open(why)
        points = borda_points(poll.options, [ballot.order for ballot in poll.cast])
        said, best = counted(points, f"points in {len(poll.cast)} rankings"), leaders(points)
        if len(best) == 1:
            return poll.chosen(best[0], said)
        return poll.open(f"{' and '.join(best)} have as many points: {said}")


@dataclass(frozen=True)
class Teller:
    """The program of a role that counts by a rule."""

    rule: DecidingRule

    def __post_init__(self) -> None:
        object.__setattr__(self, "__qualname__", self.rule.name)  # by which it is recorded

    async def __call__(self, view: View) -> Verdict:
        """The Verdict of the rule; undecided where votes are for what the view no longer holds."""
        shown = {item.address for item in view.shown}
        votes = [e.payload for e in since_ruling(view.entries) if isinstance(e.payload, Vote)]
        if view.omitted and any(not shown.issuperset(vote.order) for vote in votes):
            why = (
                "Proposals that were voted for no longer fit the view; raise Limits(view_tokens=…)"
            )
            return Verdict(ruling="undecided", reasons=(why,))
        return self.rule.decide(view.entries)


def teller(rule: DecidingRule, name: str = "teller") -> Role:
    """A role that is a program and rules by a rule, in one turn and for nothing.

    >>> teller(MajorityVote(quorum=2)).program.__qualname__
    'majority(quorum=2)'
    """
    return Role(name, reads=rule.reads, writes=(Verdict,), program=Teller(rule))


def reviewed(entries: Iterable[Entry], kind: type[Payload], quorum: int | None) -> Verdict:
    """What the Reviews of the newest work come to. Each that came after it counts: a panel that is
    asked again judges anew."""
    entries = in_order(entries)
    works = [entry for entry in entries if isinstance(entry.payload, kind)]
    if not works:
        return Verdict(ruling="undecided", reasons=(f"there is no {kind.kind} to rule on",))
    work = str(works[-1].address)
    after = [entry for entry in entries if entry.turn > works[-1].turn]
    reviews = [(e, e.payload) for e in after if isinstance(e.payload, Review)]
    votes = [Ballot(e, ("for",) if r.approved else ("against",), "") for e, r in reviews]
    poll = Poll(("for", "against"), tuple(votes), (), asked(entries, [e for e, _ in reviews]))
    why = lacking(poll, quorum)
    if why:
        return poll.open(f"{work}: {why}")
    counts = first_choices(poll.options, [ballot.order for ballot in votes])
    said = f"{work}: {counts['for']} for and {counts['against']} against it"
    if counts["for"] == counts["against"]:
        return poll.open(said)
    against = [line for e, review in reviews if not review.approved for line in lines(e, review)]
    in_favour = [line for e, review in reviews if review.approved for line in lines(e, review)]
    if counts["for"] < counts["against"]:
        return Verdict(ruling="revise", reasons=(said, *against), dissent=tuple(in_favour))
    critiques = [entry for entry in after if isinstance(entry.payload, Critique)]
    dissent = (*against, *objections(critiques, work))
    return Verdict(ruling="accept", reasons=(said,), dissent=dissent, chosen=work)


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


def asked(entries: Iterable[Entry], spoken: Iterable[Entry]) -> int:
    """How many strands the roles that spoke had in the turns in which they did, by the decisions;
    as many as spoke where no decision is among the entries."""
    spoken = list(spoken)
    turns = {(entry.turn, entry.author) for entry in spoken}
    strands = [
        plan.strand
        for entry in entries
        if isinstance(entry.payload, Decision)
        for plan in entry.payload.strands
        if (entry.turn, plan.role) in turns
    ]
    return max(len(strands), len(spoken))


def lacking(poll: Poll, quorum: int | None) -> str:
    """Why a poll cannot be counted; "" where it can."""
    if not poll.options:
        return "there is no Proposal to vote on"
    needed = poll.asked // 2 + 1 if quorum is None else quorum
    if len(poll.ballots) < needed:
        return f"{len(poll.ballots)} of {poll.asked} have spoken, and {needed} must"
    return "" if poll.cast else "nobody is for any of them"


def counted(numbers: dict[str, int], what: str) -> str:
    """Each option with what it has, the most first."""
    ordered = sorted(numbers.items(), key=lambda item: -item[1])
    return f"{', '.join(f'{option} has {number}' for option, number in ordered)} {what}"


def called(name: str, **options: object) -> str:
    given = [f"{key}={value}" for key, value in options.items() if value is not None]
    return f"{name}({', '.join(given)})" if given else name


def checked_quorum(what: str, quorum: object) -> None:
    if quorum is None or (isinstance(quorum, int) and not isinstance(quorum, bool) and quorum > 0):
        return
    raise DeclarationError(f"{what}(quorum={quorum!r}): give a whole number from 1 on")
