"""How thoroughly work is reviewed (control floor), as edges of a graph: from not at all to a panel
that is asked until it finds nothing new.

    Graph(start(author), *reviewing(author, reviewer, arbiter=arbiter), stop(when=turns(30)))

Which depth is gone through is the allocation table's to say, by how hard the work is.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, cast, get_args

from pydantic import JsonValue

from hive.board.ballots import Critique, Vote
from hive.board.contributions import Review, Verdict
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.pieces import ReviewDepth
from hive.board.state import State, Tally
from hive.control.graphs.algebra import Guard, Need
from hive.control.graphs.edge import Edge, finish, handoff, stop
from hive.control.guards.disagreement import disagreed, ruled, undecided
from hive.control.guards.guard import at_least_one
from hive.control.guards.levels import review_depth
from hive.control.voting.deciding import MajorityVote
from hive.control.voting.deciding import teller as counting
from hive.errors import DeclarationError
from hive.role import Role

__all__ = ["PANEL", "blind", "devils_advocate", "found_more", "reviewing"]

PANEL = 3
"""How many review beside each other, without seeing each other's reviews."""

DEPTHS: tuple[ReviewDepth, ...] = get_args(ReviewDepth)

OPINIONS = (Review, Vote, Verdict)
"""What others think of the work, which an independent judgement must not know."""

ADVOCACY = """\
You are the devil's advocate. Your duty: make the strongest case against the newest work, so that
those who review it after you look where it is weak. You rule on nothing and you mend nothing.

Take the work to be wrong and look for where: what it leaves out, what it takes for granted, which
input or reader it fails, what in its evidence does not hold. Name only what you can point to; give
each objection in a full sentence, with what would answer it, and cite the address of the work in
`of`. Where you find nothing that holds, say in one point what you looked at."""


def blind(role: Role) -> Role:
    """The role, without sight of Reviews, Votes and Verdicts, its own of earlier turns included.

    Strands of one turn never see each other; a blind role does not see over turns either. Raises
    DeclarationError for a role that reads everything: say what it needs to see.
    """
    if role.reads is None:
        raise DeclarationError(
            f"blind({role.name}): it reads all there is; name the kinds that it needs, as in"
            " reads=(Artifact,)"
        )
    return role.with_(reads=tuple(kind for kind in role.reads if kind not in OPINIONS))


def devils_advocate(reviewer: Role) -> Role:
    """A role that sees what a reviewer sees, has its tools, and writes a Critique: all that speaks
    against the work."""
    return reviewer.with_(
        name="advocate",
        instructions=ADVOCACY,
        writes=(Critique,),
        output=None,
        program=None,
        person=False,
    )


def reviewing(
    author: Role,
    reviewer: Role,
    *,
    advocate: Role | None = None,
    teller: Role | None = None,
    arbiter: Role | None = None,
    then: Role | None = None,
    least: ReviewDepth = "none",
    rounds: int = 3,
) -> tuple[Edge, ...]:
    """The edges from an author's work to its acceptance, through each depth of review.

    After the author the work is reviewed as deeply as the workflow's table allots its class: not at
    all; by one; by three who are blind to each other; by three who have read what a devil's
    advocate found; by these again and again until a round finds nothing new, in at most `rounds`.
    Then the teller rules by the majority of the Reviews. What is accepted goes to `then`, or is the
    end; what is sent back goes to the author. Where the majority cannot decide, or has sent work
    back twice in a row, the arbiter rules, who may also give up; where there is none, the work goes
    back.

    The reviewer is made blind, see `blind`. The advocate is by default a `devils_advocate`. With
    `least`, work that is allotted less is reviewed so deeply all the same: from "single" on there
    is no way around the reviewer, which `require(reviewer, before="finish")` holds the graph to.
    Give the graph a start, and a stop that bounds how often work can go back.

    Raises DeclarationError for an author of whose work it is unclear which kind it is, or who would
    not hear of what is sent back, for a reviewer that writes no Review or does not see the work,
    and for a depth that is none.
    """
    if Review not in reviewer.writes:
        raise DeclarationError(f"reviewing(): {reviewer.name} writes no Review")
    at_least_one("reviewing(rounds=…)", rounds)
    if least not in DEPTHS:
        raise DeclarationError(f"reviewing(least={least!r}): say {', '.join(map(repr, DEPTHS))}")
    work = kind_of_work(author)
    judge = blind(reviewer)
    check_sight(author, judge, work)
    critic = advocate or devils_advocate(judge)
    if Critique not in (judge.reads or ()):
        judge = judge.with_(reads=(*(judge.reads or ()), Critique))
    count = teller or counting(MajorityVote(on=work))
    back = ruled("revise") if arbiter is not None else ruled("revise") | undecided
    return (
        *into_review(author, critic, judge, then, found_more(judge, work, rounds=rounds), least),
        handoff(judge, count),
        onwards(count, then, ruled("accept")),
        *called_in(arbiter, author, count, then),
        handoff(count, author, when=back),
    )


def into_review(
    author: Role, critic: Role, judge: Role, then: Role | None, more: Guard, least: ReviewDepth
) -> Iterator[Edge]:
    """The edges by which work goes through its depth of review, or around it."""
    first = DEPTHS.index(least)
    at = {
        depth: DEPTHS[: first + 1] if depth == least else DEPTHS[place : place + 1]
        for place, depth in enumerate(DEPTHS)
        if place >= first
    }
    if "none" in at:
        yield onwards(author, then, review_depth(*at["none"]))
    yield handoff(author, critic, when=review_depth(*at.get("adversarial", ()), *at["exhaustive"]))
    if "panel" in at:
        yield handoff(author, judge, when=review_depth(*at["panel"]), samples=PANEL)
    if "single" in at:
        yield handoff(author, judge, when=review_depth(*at["single"]))
    yield handoff(critic, judge, samples=PANEL)
    yield handoff(judge, judge, when=review_depth(*at["exhaustive"]) & more, samples=PANEL)


def called_in(arbiter: Role | None, author: Role, count: Role, then: Role | None) -> Iterator[Edge]:
    """The edges to an arbiter and from there."""
    if arbiter is not None:
        yield handoff(count, arbiter, when=undecided | disagreed(author, count))
        yield onwards(arbiter, then, ruled("accept"))
        yield handoff(arbiter, author, when=ruled("revise"))
        yield stop(when=ruled("give_up"))


def onwards(role: Role, then: Role | None, when: Guard) -> Edge:
    return finish(role, when=when) if then is None else handoff(role, then, when=when)


def kind_of_work(author: Role) -> type[Payload]:
    """What an author is to be reviewed for."""
    if author.output is not None:
        return author.output
    if len(author.writes) == 1:
        return author.writes[0]
    raise DeclarationError(
        f"reviewing(): {author.name} writes {', '.join(kind.kind for kind in author.writes)}; say"
        " by output= which of them is its work"
    )


def check_sight(author: Role, judge: Role, work: type[Payload]) -> None:
    """Raise DeclarationError where one of the two would not see what the other says."""
    if work not in (judge.reads or ()) and not judge.tools:
        raise DeclarationError(
            f"reviewing(): {judge.name} does not read {work.kind}, the work of {author.name} that"
            " it is to judge; let it read that"
        )
    if author.reads is not None and {Review, Verdict}.isdisjoint(author.reads):
        raise DeclarationError(
            f"reviewing(): {author.name} reads neither Verdict nor Review, so it would never hear"
            " why its work is sent back; let it read one of them"
        )


def found_more(reviewer: Role, work: type[Payload], *, rounds: int) -> Guard:
    """Whether the Reviews of the last turn object to something in the newest work that none before
    them did, and fewer than `rounds` turns have brought any.

    Objections are told apart by the places that a Review's evidence names, or where it names none
    by its reasons. Bounds nothing by itself: new work is reviewed anew.
    """
    tally = objections_to(reviewer.name, work)

    def test(state: State) -> bool:
        known = cast("dict[str, Any]", state.tallies.get(tally.name, tally.init))
        return bool(known["new"] and known["turn"] == state.turn and known["rounds"] < rounds)

    return Guard(
        f"found more({reviewer.name}, rounds={rounds})",
        test,
        needs=(Need(Review, reviewer.name),),
        strict=True,
        tallies=(tally,),
        loose="new work is reviewed anew",
    )


def objections_to(reviewer: str, work: type[Payload]) -> Tally:
    """The objections to the newest work, as digests, in how many turns they came, and whether the
    last of these brought new ones."""
    nothing: dict[str, Any] = {"known": [], "turn": 0, "rounds": 0, "new": False}

    def step(value: JsonValue, entry: Entry) -> JsonValue:
        if isinstance(entry.payload, work):
            return nothing
        if not isinstance(entry.payload, Review) or entry.author != reviewer:
            return value
        before = cast("dict[str, Any]", value)
        same = before["turn"] == entry.turn
        known = set(before["known"])
        found = set() if entry.payload.approved else set(objections_in(entry.payload))
        return {
            "known": sorted(known | found),
            "turn": entry.turn,
            "rounds": before["rounds"] + (not same),
            "new": bool(found - known) or (same and before["new"]),
        }

    kinds = frozenset({work.kind, Review.kind})
    return Tally(f"objections of {reviewer} to {work.kind}", nothing, step, kinds)


def objections_in(review: Review) -> Iterable[str]:
    """What a Review objects to, each as a short digest."""
    places = [f"{each.path}:{each.line}" for each in review.evidence]
    for said in places or [" ".join(reason.casefold().split()) for reason in review.reasons]:
        yield hashlib.sha256(said.encode()).hexdigest()[:16]
