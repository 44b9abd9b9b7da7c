"""Guards on rulings and on disagreement (control floor): when an arbiter is called.

handoff(teller, arbiter, when=undecided)
handoff(reviewer, arbiter, when=disagreed(coder, reviewer))
"""

from typing import Any, Literal, cast, get_args

from pydantic import JsonValue

from hive.board.contributions import Review, Verdict
from hive.board.entry import Entry
from hive.board.state import State, Tally
from hive.control.graphs.algebra import Guard, Need
from hive.control.guards.guard import at_least_one, latest
from hive.errors import DeclarationError
from hive.role import Role

__all__ = ["Ruling", "disagreed", "ruled", "undecided"]

Ruling = Literal["accept", "revise", "give_up", "undecided"]

SILENT, AGREED, REFUSED, SETTLED = range(4)
"""What a turn came to; where it came to several, the last of them counts."""


def ruled(ruling: Ruling) -> Guard:
    """Whether the newest Verdict is a certain one.

    `stop(when=ruled("give_up"))` ends a run with the reason `gave_up`.

    >>> print(ruled("accept"))
    ruled(accept)
    """
    if ruling not in get_args(Ruling):
        raise DeclarationError(f"ruled({ruling!r}): say {', '.join(map(repr, get_args(Ruling)))}")
    return latest(
        Verdict,
        lambda verdict: verdict.ruling == ruling,
        name=f"ruled({ruling})",
        reason="gave_up" if ruling == "give_up" else "guard",
    )


undecided = latest(Verdict, lambda verdict: verdict.ruling == "undecided", name="undecided")
"""The newest Verdict is that the rule could not decide."""


def disagreed(author: Role, reviewer: Role, *, times: int = 2) -> Guard:
    """Whether a reviewer has refused an author's work so many times in a row.

    A turn in which any of the reviewer's Reviews does not approve, or its Verdict is "revise", is a
    refusal, if the author has acted since the one before it. An approval begins anew, and so does
    a ruling by anybody else. A Verdict that is undecided changes nothing. Bounds nothing: who
    approves can refuse again.

    >>> coder, critic = Role("coder"), Role("critic", writes=(Review,))
    >>> print(disagreed(coder, critic))
    disagreed(coder, critic, times=2)
    """
    at_least_one("disagreed(times=…)", times)
    judging = [kind for kind in (Review, Verdict) if kind in reviewer.writes]
    if not judging:
        raise DeclarationError(
            f"disagreed({author.name}, {reviewer.name}): {reviewer.name} writes neither Review nor"
            " Verdict, so it can refuse nothing"
        )
    tally = refusals(author.name, reviewer.name)

    def test(state: State) -> bool:
        return refused(state, tally) >= times

    return Guard(
        f"disagreed({author.name}, {reviewer.name}, times={times})",
        test,
        needs=tuple(Need(kind, reviewer.name) for kind in judging),
        strict=len(judging) == 1,
        tallies=(tally,),
        loose="they may agree",
        measure=lambda state: refused(state, tally),
    )


def refused(state: State, tally: Tally) -> int:
    """How often in a row."""
    known = cast("dict[str, Any]", state.tallies.get(tally.name, tally.init))
    count: int = known["refusals"]
    return count


def refusals(author: str, reviewer: str) -> Tally:
    """How often in a row a reviewer has refused an author's work, and in which turn the last time.

    It is counted when a turn has closed, for a panel may say several things in one.
    """

    def said(entry: Entry) -> int:
        payload = entry.payload
        if isinstance(payload, Review) and entry.author == reviewer:
            return AGREED if payload.approved else REFUSED
        if not isinstance(payload, Verdict) or payload.ruling == "undecided":
            return SILENT
        if entry.author != reviewer:
            return SETTLED
        return REFUSED if payload.ruling == "revise" else SETTLED

    def step(value: JsonValue, entry: Entry) -> JsonValue:
        known, now = cast("dict[str, int]", value), said(entry)
        return {**known, "said": now} if now > known["said"] else value

    def close(value: JsonValue, state: State) -> JsonValue:
        known = cast("dict[str, int]", value)
        now, count, last = known["said"], known["refusals"], known["turn"]
        if now == SILENT:
            return value
        if now == REFUSED:
            count += state.acted.get(author, 0) > last
            last = state.turn
        return {"refusals": count if now == REFUSED else 0, "turn": last, "said": SILENT}

    kinds = frozenset({Review.kind, Verdict.kind})
    nothing: JsonValue = {"refusals": 0, "turn": 0, "said": SILENT}
    return Tally(f"refusals of {author} by {reviewer}", nothing, step, kinds, close)
