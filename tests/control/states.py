"""States for tests, folded from entries as a board would fold them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from hive.board.contributions import TestFailure, TestReport
from hive.board.entry import Address, Entry
from hive.board.fold import fold_turns
from hive.board.payload import Payload
from hive.board.records import Complexity, Decision, StrandPlan
from hive.board.state import Folding, State, Tally
from hive.control import Line, Move, Situation, features, generator
from hive.role import Role


def entry(
    payload: Payload,
    author: str = "user",
    *,
    turn: int = 0,
    place: int = 1,
    origin: str | None = None,
    strand: str | None = None,
) -> Entry:
    """An entry of a role's own strand; of no strand where the author is no role."""
    own = "" if author in ("user", "coordinator") else author
    address = Address(turn, own if strand is None else strand, (place,))
    return Entry(
        seq=0,
        address=address,
        attempt=0,
        author=author,
        origin=origin or author,
        label="trusted",
        causes=(),
        at=turn,
        lease=0,
        payload=payload,
        body=payload.body(),
    )


def decision(turn: int, *strands: str) -> Entry:
    """The record that some strands act in a turn."""
    plans = [
        StrandPlan(
            strand=s,
            role=s.partition("@")[0].partition("#")[0],
            sample=int(s.partition("#")[2] or 0),
            model="script:x",
        )
        for s in strands
    ]
    payload = Decision(
        policy="test", chosen=0, candidates=(), strands=tuple(plans), deterministic=True,
        complexity=Complexity(level="simple", score=1.0), reason="test",
    )  # fmt: skip
    return entry(payload, "coordinator", turn=turn, place=0)


def folded(
    *entries: Entry, tallies: Iterable[Tally] = (), per: dict[str, str] | None = None
) -> State:
    """The state after some entries, which stand in the order of their turns."""
    folding = Folding(tallies=tuple(tallies), per=per or {})
    return fold_turns(
        [list(turn) for _, turn in groupby(entries, lambda e: e.address.turn)], folding
    )


def report(
    *collected: str, failed: Iterable[str] = (), digest: str = "d", **more: Any
) -> TestReport:
    """A test report in which all that did not fail has passed."""
    bad = tuple(TestFailure(id=i, message="no", path="t.py", line=1) for i in failed)
    given: dict[str, Any] = {"passed": len(collected) - len(bad), "complete": True, "duration": 1}
    return TestReport(digest=digest, collected=collected, failed=bad, **given | more)


def move(*roles: str) -> Move:
    return Move(tuple(Line(role) for role in roles), f"… → {'+'.join(roles)}")


def situation(*moves: Move, state: State | None = None, seed: int = 0, **more: Any) -> Situation:
    """A situation with some candidates and its own chance."""
    at = State() if state is None else state

    def chance() -> random.Random:
        return generator(seed, f"{at.turn}//0", "decide")

    roles = {name: Role(name) for candidate in moves for name in candidate.roles}
    given: dict[str, Any] = {"roles": roles, "features": features(at, moves)}
    return Situation(at, moves, chance=chance, **given | more)
