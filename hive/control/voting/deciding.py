"""Deciding rules (control floor): from what a team said of proposals or of work to a Verdict.

    teller = Role("teller", program=…)     made by teller(MajorityVote(quorum=3))
    handoff(voters, teller), finish(teller, when=ruled("accept")),
    handoff(teller, arbiter, when=undecided)

A rule is a pure function of entries: what it says can be counted again from any record.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from hive.board.ballots import Critique, Proposal, Vote
from hive.board.contributions import Review, Verdict
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.records import Decision
from hive.board.view import View
from hive.control.guards.guard import checked_kind
from hive.control.voting.counting import borda_points, first_choices, leaders
from hive.control.voting.poll import Ballot, Poll, asked, in_order, lines, objections, since_ruling
from hive.errors import DeclarationError
from hive.role import Role

__all__ = ["BordaCount", "DecidingRule", "MajorityVote", "teller"]


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


@dataclass(frozen=True)
class MajorityVote:
    """More than half of the votes, abstentions aside, carry a Proposal, or whatever kind is voted
    `among`; with `on`, more than half of the Reviews of the newest work of that kind approve it or
    send it back.

    It is undecided in a tie, where nobody has so many, and where fewer than `quorum` have spoken:
    more than half of those who were asked when it is None. An abstention counts for the quorum and
    for nothing else, a vote for what is no Proposal for nothing at all. That is the majority of
    Robert's Rules, but for such votes, which there keep others from a majority.
    """

    quorum: int | None = None
    among: type[Payload] = Proposal
    on: type[Payload] | None = None

    def __post_init__(self) -> None:
        checked_poll("MajorityVote", self.quorum, self.among)
        if self.on is not None:
            checked_kind("MajorityVote(on=…)", self.on)
            if self.among is not Proposal:
                raise DeclarationError(
                    "MajorityVote: give among=, for Votes, or on=, for Reviews, and not both"
                )

    @property
    def name(self) -> str:
        """`majority(quorum=2, on=Artifact)`."""
        return called("majority", self.quorum, among=self.among, on=self.on)

    @property
    def reads(self) -> tuple[type[Payload], ...]:
        """The kinds that it must see."""
        said = (self.among, Vote) if self.on is None else (self.on, Review)
        return (*said, Critique, Verdict, Decision)

    def decide(self, entries: Iterable[Entry]) -> Verdict:
        """The Verdict that the votes, or the reviews, come to."""
        if self.on is not None:
            return reviewed(entries, self.on, self.quorum)
        poll = Poll.of(entries, self.among)
        why = poll.lacks(self.quorum)
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
    """The Proposal, or whatever kind is ranked `among`, that stands highest in all rankings
    together, by Borda points, is chosen.

    A `choice` is a ranking of one. What a ranking leaves out ties for its last place; see
    `hive.control.voting.counting`. It is undecided where several have the most points, and where
    fewer than `quorum` have spoken: more than half of those who were asked when it is None.
    """

    quorum: int | None = None
    among: type[Payload] = Proposal

    def __post_init__(self) -> None:
        checked_poll("BordaCount", self.quorum, self.among)

    @property
    def name(self) -> str:
        """`borda(quorum=2)`."""
        return called("borda", self.quorum, among=self.among)

    @property
    def reads(self) -> tuple[type[Payload], ...]:
        """The kinds that it must see."""
        return (self.among, Vote, Critique, Verdict, Decision)

    def decide(self, entries: Iterable[Entry]) -> Verdict:
        """The Verdict that the rankings come to."""
        poll = Poll.of(entries, self.among)
        why = poll.lacks(self.quorum)
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
    """A role that is a program and rules by a rule, in one turn and for nothing. Raises
    DeclarationError for what is no rule.

    >>> teller(MajorityVote(quorum=2)).program.__qualname__
    'majority(quorum=2)'
    """
    if isinstance(rule, type) or not callable(getattr(rule, "decide", None)):
        raise DeclarationError(
            f"teller({rule!r}): give a deciding rule, such as MajorityVote(quorum=2)"
        )
    return Role(name, reads=rule.reads, writes=(Verdict,), program=Teller(rule))


def reviewed(entries: Iterable[Entry], kind: type[Payload], quorum: int | None) -> Verdict:
    """What the Reviews of the newest work come to. The last of each strand that came after it
    counts: nobody has two voices in a turn, and a panel that is asked again judges anew."""
    entries = in_order(entries)
    works = [entry for entry in entries if isinstance(entry.payload, kind)]
    if not works:
        return Verdict(ruling="undecided", reasons=(f"there is no {kind.kind} to rule on",))
    work = str(works[-1].address)
    after = [entry for entry in entries if entry.turn > works[-1].turn]
    last = {(e.turn, e.strand): (e, e.payload) for e in after if isinstance(e.payload, Review)}
    reviews = list(last.values())
    votes = [Ballot(e, ("for",) if r.approved else ("against",), "") for e, r in reviews]
    known = asked(entries, [entry for entry, _ in reviews], anew=True)
    poll = Poll(("for", "against"), kind.kind, tuple(votes), (), known)
    why = poll.lacks(quorum)
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


def counted(numbers: dict[str, int], what: str) -> str:
    """Each option with what it has, the most first."""
    ordered = sorted(numbers.items(), key=lambda item: -item[1])
    return f"{', '.join(f'{option} has {number}' for option, number in ordered)} {what}"


def called(name: str, quorum: int | None, **kinds: type[Payload] | None) -> str:
    given = [] if quorum is None else [f"quorum={quorum}"]
    given += [f"{key}={kind.kind}" for key, kind in kinds.items() if kind not in (None, Proposal)]
    return f"{name}({', '.join(given)})" if given else name


def checked_poll(what: str, quorum: object, among: object) -> None:
    checked_kind(f"{what}(among=…)", among)
    if quorum is None or (isinstance(quorum, int) and not isinstance(quorum, bool) and quorum > 0):
        return
    raise DeclarationError(f"{what}(quorum={quorum!r}): give a whole number from 1 on")
