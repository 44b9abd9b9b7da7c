"""Calls wait while others work, and no longer; each word is taken once, by the call it is for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.journal.journal import InboxItem
from hive.phases.waiting import ANSWERS, APPROVALS, SETTLEMENTS, Party, WaitingRoom, spoken, word_of
from hive.tools.person import Word

YES, NO = Word("allow", "user:ann", "", 1), Word("deny", "user:ann", "no", 2)


def item(text: str) -> InboxItem:
    return InboxItem(7, "r", 0, "user:ann", "answer", "1/a/0.2", text)


@pytest.mark.parametrize("decided", sorted(APPROVALS | SETTLEMENTS | ANSWERS))
def test_a_word_is_read_as_it_was_spoken(decided: Any) -> None:
    assert word_of(item(spoken(decided, "why"))) == Word(decided, "user:ann", "why", 7)


@pytest.mark.parametrize("text", ["", "yes", "[]", "{}", '{"decided": "allow"}', "null", "1"])
def test_what_is_no_word_is_none(text: str) -> None:
    assert word_of(item(text)) is None
    assert word_of(item('{"decided": "perhaps", "text": ""}')) is None


async def one_after_the_other(*steps: Coroutine[Any, Any, Any]) -> list[Any]:
    """Start each step when the one before can go no further; their results."""
    tasks = []
    for step in steps:
        tasks.append(asyncio.ensure_future(step))
        await settled()
    return await asyncio.gather(*tasks)


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_a_word_that_came_before_its_call_waited_is_there_for_it() -> None:
    room = WaitingRoom()
    room.open(1)
    room.hear("a", NO)
    room.expect("a")
    room.hear("a", YES)
    room.hear("a", NO)
    assert await room.wait("a", APPROVALS, Party(room, 1)) == YES, "nobody expected the first"
    assert room.word("a", SETTLEMENTS) is None
    assert room.word("a", APPROVALS) == NO
    assert room.word("a", APPROVALS) is None


@pytest.mark.asyncio
async def test_one_who_is_cancelled_waits_no_more() -> None:
    room = WaitingRoom()
    room.open(2)
    room.expect("a")
    waiting = asyncio.ensure_future(room.wait("a", APPROVALS, Party(room, 1)))
    await settled()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    room.hear("a", YES)
    assert room.word("a", APPROVALS) == YES


@pytest.mark.asyncio
async def test_the_room_looks_once_before_it_sends_everybody_away() -> None:
    room = WaitingRoom()
    looks: list[int] = []

    def look() -> None:
        looks.append(room.busy)
        if len(looks) == 1:
            room.hear("a", YES)

    room.look = look
    room.open(2)

    async def strand(subject: str) -> Word | None:
        party = Party(room, 1)
        word = await room.wait(subject, APPROVALS, party)
        party.end()
        room.leave()
        return word

    assert await one_after_the_other(strand("a"), strand("b")) == [YES, None]
    assert looks == [0, 0], "once when both waited, once when the first had ended"


PLANS = st.lists(st.lists(st.booleans(), min_size=1, max_size=4), min_size=1, max_size=4)
"""Strands, each with its calls: whether a call has to wait."""


@given(plans=PLANS, answers=st.lists(st.integers(0, 15)), orders=st.randoms(use_true_random=False))
def test_who_waits_is_sent_away_when_nobody_works_and_not_before(
    plans: list[list[bool]], answers: list[int], orders: Any
) -> None:
    """Whatever ends, waits and is answered in whichever order."""

    async def play() -> None:
        room = WaitingRoom()
        room.open(len(plans))
        gates: dict[str, asyncio.Future[None]] = {}
        came: dict[str, Word | None] = {}
        calls = [f"{s}.{c}" for s, plan in enumerate(plans) for c, _ in enumerate(plan)]
        given: dict[str, Word] = {}

        async def call(name: str, waits: bool, party: Party) -> None:
            if waits:
                word = came[name] = await room.wait(name, APPROVALS, party)
                if word is None:
                    party.end()
                    return
            gates[name] = asyncio.get_running_loop().create_future()
            await gates[name]
            party.end()

        async def strand(number: int, plan: list[bool]) -> None:
            party = Party(room, len(plan))
            names = [f"{number}.{index}" for index in range(len(plan))]
            for name in names:
                room.expect(name)
            await asyncio.gather(
                *[call(name, waits, party) for name, waits in zip(names, plan, strict=True)]
            )
            room.leave()

        strands = [asyncio.ensure_future(strand(n, plan)) for n, plan in enumerate(plans)]
        await settled()
        pending = [calls[number % len(calls)] for number in answers]
        while not all(strand.done() for strand in strands):
            working = [name for name, gate in gates.items() if not gate.done()]
            assert working, "somebody works, or everybody was sent away"
            assert None not in came.values(), "nobody was sent away while somebody worked"
            if pending and orders.random() < 0.5:
                name = pending.pop()
                given.setdefault(name, Word("allow", "user", name, len(given) + 1))
                room.hear(name, Word("allow", "user", name, given[name].item))
            else:
                gates[orders.choice(working)].set_result(None)
            await settled()
        for name, word in came.items():
            assert word == given.get(name), "each got the word that was for it, or none came"

    asyncio.run(play())
