"""The guards (control floor) that open edges of a graph or end a run.

handoff(reviewer, coder, when=rejected & ~turns(20))
stop(when=turns(40) | cost(usd=2) | stalled(turns=6))
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeVar

from hive.board.contributions import Review
from hive.board.payload import Payload
from hive.board.records import Fault, Reason
from hive.board.state import PROGRESS_KEPT, State, Tally
from hive.control.graphs.algebra import Guard, Need, Test
from hive.control.guards.progress import Signal, checked_signals, last_progress, named, tallies_of
from hive.errors import DeclarationError
from hive.role import Role

__all__ = [
    "approved",
    "cost",
    "elapsed",
    "failed",
    "guard",
    "has_failed",
    "latest",
    "posted",
    "rejected",
    "stalled",
    "tokens",
    "turns",
]

NANO = 10**9
SECOND = 10**6

Kind = TypeVar("Kind", bound=Payload)
Bounds = Literal["eventually", "never_again"]


def checked_kind(what: str, kind: object) -> type[Payload]:
    if isinstance(kind, type) and issubclass(kind, Payload):
        return kind
    raise DeclarationError(f"{what} of {kind!r}: give a Payload class, as in posted(Verdict)")


def guard(
    name: str,
    *,
    kinds: Iterable[type[Payload]] = (),
    tallies: Iterable[Tally] = (),
    bounds: Bounds | None = None,
    reason: Reason = "guard",
) -> Callable[[Test], Guard]:
    """Make a guard of a pure function of the state.

    `kinds` are those it looks for, so that a graph in which nobody writes them is refused;
    `tallies` is the memory it needs, found in `state.tallies` by name. `bounds` is a promise that
    Hive takes on trust: "eventually", it holds at last and stays so however the run goes;
    "never_again", the contrary.

    >>> from hive.board.contributions import Note
    >>> @guard("many notes", kinds=(Note,))
    ... def many_notes(state: State) -> bool:
    ...     return state.count(Note) > 100
    >>> print(~many_notes & turns(3))
    ~many notes & turns(3)
    """
    if not name.strip():
        raise DeclarationError("a guard needs a name; it is what the end of a run cites")
    needs = tuple(Need(checked_kind("guard", kind)) for kind in kinds)

    def wrap(test: Test) -> Guard:
        return Guard(
            name,
            test,
            reason=reason,
            needs=needs,
            tallies=tuple(tallies),
            eventually=bounds == "eventually",
            never_again=bounds == "never_again",
            loose="nothing is known of when it holds; promise it with bounds= where you know",
        )

    return wrap


def posted(kind: type[Payload], author: Role | str | None = None) -> Guard:
    """Whether a kind is on the board, from one author or from anyone."""
    checked_kind("posted", kind)
    by = author.name if isinstance(author, Role) else author
    key = kind.kind if by is None else f"{by}/{kind.kind}"
    return Guard(
        f"posted({kind.kind})" if by is None else f"posted({kind.kind}, author={by!r})",
        lambda state: key in state.counts,
        needs=(Need(kind, by),),
        strict=True,
        measure=lambda state: state.counts.get(key, 0),
        loose="it may never be posted",
    )


def latest(
    kind: type[Kind],
    predicate: Callable[[Kind], bool],
    *,
    name: str | None = None,
    author: Role | str | None = None,
    reason: Reason = "guard",
) -> Guard:
    """Whether the newest payload of a kind is there and fits a predicate.

    >>> from hive.board.contributions import Verdict
    >>> gave_up = latest(
    ...     Verdict, lambda v: v.ruling == "give_up", name="gave up", reason="gave_up"
    ... )
    """
    checked_kind("latest", kind)
    by = author.name if isinstance(author, Role) else author
    key = kind.kind if by is None else f"{by}/{kind.kind}"
    said = getattr(predicate, "__name__", "<lambda>")
    fits = "…" if said == "<lambda>" else said

    def test(state: State) -> bool:
        entry = state.newest.get(key)
        payload: Any = None if entry is None else entry.payload
        return isinstance(payload, kind) and bool(predicate(payload))

    return Guard(
        name or f"latest({kind.kind}, {fits})",
        test,
        reason=reason,
        needs=(Need(kind, by),),
        strict=True,
        loose="it may never fit",
    )


approved = latest(Review, lambda review: review.approved, name="approved")
"""The newest Review approves."""

rejected = latest(Review, lambda review: not review.approved, name="rejected")
"""The newest Review does not approve."""


def turns(most: int) -> Guard:
    """Whether so many turns have closed; this bounds a run."""
    at_least_one("turns", most)
    return Guard(
        f"turns({most})",
        lambda state: state.turn >= most,
        reason="turns_exhausted",
        eventually=True,
        from_turn=most,
        measure=lambda state: state.turn,
    )


def tokens(most: int) -> Guard:
    """Whether so many tokens, in and out, have been used. Bounds nothing: programs use none."""
    at_least_one("tokens", most)
    return Guard(
        f"tokens({most})",
        lambda state: state.tokens >= most,
        reason="tokens_exhausted",
        loose="a program in place of a model never uses a token",
        measure=lambda state: state.tokens,
    )


def cost(*, usd: float | str | Decimal) -> Guard:
    """Whether so many US dollars are spent. Bounds nothing: a free model never gets there."""
    try:
        amount = Decimal(str(usd))
    except InvalidOperation:
        raise DeclarationError(f"cost(usd={usd!r}): not a number of dollars") from None
    if not amount.is_finite() or amount <= 0:
        raise DeclarationError(f"cost(usd={usd}): give a number of dollars above 0")
    most = int(amount * NANO)
    return Guard(
        f"cost(usd={usd})",
        lambda state: state.spent >= most,
        reason="cost_exhausted",
        loose="a model that costs nothing never gets there",
        measure=lambda state: f"{Decimal(state.spent) / NANO:f}",
    )


def elapsed(*, hours: float = 0, minutes: float = 0, seconds: float = 0) -> Guard:
    """Whether so much time has passed between the first and the newest entry; bounds a run."""
    said = {"hours": hours, "minutes": minutes, "seconds": seconds}
    most = int((hours * 3600 + minutes * 60 + seconds) * SECOND)
    if most <= 0:
        raise DeclarationError("elapsed(): give hours, minutes or seconds above 0")
    return Guard(
        f"elapsed({', '.join(f'{unit}={value}' for unit, value in said.items() if value)})",
        lambda state: state.elapsed >= most,
        reason="time_exhausted",
        eventually=True,
        measure=lambda state: f"{state.elapsed / SECOND:.1f} s",
    )


def stalled(*, turns: int, of: Sequence[Signal] = ()) -> Guard:
    """Whether the last so many turns brought no new best of any of some signals; of the progress
    measure where none are given.

    The progress measure is remembered for 64 turns, so `turns` is then at most 63. Bounds nothing:
    progress may be made for ever.

    >>> from hive.control import failing_tests, open_tasks
    >>> print(stalled(turns=6, of=(failing_tests, open_tasks)))
    stalled(turns=6, of=failing tests + open tasks)
    """
    at_least_one("stalled", turns)
    signals = checked_signals("stalled", of)
    if signals:
        return Guard(
            f"stalled(turns={turns}, of={named(signals)})",
            lambda state: state.turn - last_progress(signals, state) >= turns,
            reason="stalled",
            needs=tuple(Need(kind) for signal in signals for kind in signal.kinds),
            tallies=tallies_of(signals),
            loose="a run can make progress for ever",
            measure=lambda state: "; ".join(signal.report(state) for signal in signals),
        )
    if turns >= PROGRESS_KEPT:
        raise DeclarationError(f"stalled(turns={turns}): at most {PROGRESS_KEPT - 1}")

    def test(state: State) -> bool:
        progress = state.progress
        return len(progress) > turns and max(progress[-turns:]) <= max(progress[:-turns])

    return Guard(
        f"stalled(turns={turns})",
        test,
        reason="stalled",
        loose="a run can make progress for ever",
        measure=without_progress,
    )


def without_progress(state: State) -> int:
    """How many turns ago the progress measure was last at a new best."""
    progress = state.progress
    if not progress:
        return 0
    return len(progress) - 1 - progress.index(max(progress))


def failed(role: Role | str) -> Guard:
    """Whether a role acted in the last turn and all it left there is a final fault."""
    name = role.name if isinstance(role, Role) else role
    return Guard(
        f"failed({name})",
        lambda state: has_failed(state, name),
        needs=(Need(Fault),),
        loose="it may never fail",
    )


def has_failed(state: State, role: str) -> bool:
    """Whether a role's work in the last closed turn ended in a fault, with nothing posted."""
    newest = state.newest.get(Fault.kind)
    if newest is None or newest.address.turn != state.turn or role not in state.frontier:
        return False
    own = f"{role}/"
    faulted = False
    for key, entry in state.newest.items():
        if entry.address.turn == state.turn and entry.address.role == role:
            if entry.level == "domain" and key.startswith(own):
                return False
            if entry.kind == Fault.kind and isinstance(entry.payload, Fault):
                faulted = faulted or entry.payload.final
    return faulted


def at_least_one(what: str, number: object) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise DeclarationError(f"{what}({number!r}): give a whole number from 1 on")
