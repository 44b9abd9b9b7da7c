"""A capped run stays under all its caps at every instant, however often its process dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from hive import Budget, Graph, Limits, Role, Workflow, finish, handoff, start, stop, turns
from hive.audit import Record
from hive.board.records import Fault, Inference, Request
from hive.control.budgets.budget import nano_dollars
from hive.control.budgets.scope import Grant, Scope
from hive.message import Reply, Text, ToolUse, Usage
from hive.message import Request as Asked
from hive.models import ModelCard
from hive.models.catalog import Prices
from hive.tools import tool
from tests.crash.dying import DyingJournal, Fate, World, driven, taken_up
from tests.sound import sound

CARD = ModelCard("script:priced", prices=Prices.usd(1, 4))


@tool(effect="read")
async def look() -> str:
    """Look around."""
    return "nothing"


a, b, c = (Role(name, tools=(look,)) for name in "abc")


class Priced:
    """A model with a price, whose process may die before or after it answers; it looks around
    before it says something, and keeps its own count of what was used, as a provider would."""

    name = "script:priced"
    card = CARD

    def __init__(self, world: World, output: int, looks: int = 0) -> None:
        self.world = world
        self.output = output
        self.looks = looks
        self.cost = 0
        self.tokens = 0

    async def complete(self, request: Asked) -> Reply:
        self.world.fate.pass_by("before an answer")
        await asyncio.sleep(0)
        usage = Usage(input=40, output=min(self.output, request.max_output))
        self.cost += CARD.cost(usage)
        self.tokens += usage.input + usage.output
        self.world.fate.pass_by("after an answer")
        if len(request.messages) <= 2 * self.looks:
            return Reply(parts=(ToolUse(id="1", name="look"),), usage=usage, stop="tools")
        return Reply(parts=(Text(text="words"),), usage=usage)


@contextmanager
def watched() -> Iterator[list[str]]:
    """Look at every scope whenever something was reserved, settled or booked in it."""
    seen: list[str] = []

    def look(innermost: Scope) -> None:
        scope: Scope | None = innermost
        while scope is not None:
            cost = scope.spent.cost + scope.reserved.cost
            tokens = scope.spent.tokens + scope.reserved.tokens
            assert scope.cap_cost is None or cost <= scope.cap_cost
            assert scope.cap_tokens is None or tokens <= scope.cap_tokens
            assert scope.cap_calls is None or scope.calls + scope.kept_calls <= scope.cap_calls
            assert min(*scope.reserved, scope.kept_calls) >= 0
            seen.append(scope.name)
            scope = scope.parent

    changes = ("take", "hold", "settle", "book", "keep", "claim")
    changed: Any = {name: looking(getattr(Scope, name), look) for name in changes}
    with patch.multiple(Scope, **changed):
        yield seen


def looking(method: Callable[..., object], look: Callable[[Scope], None]) -> Callable[..., object]:
    """A method of a scope, and a look at the scope when it is done."""

    def called(scope: Scope, *given: Grant, **named: int) -> object:
        result = method(scope, *given, **named)
        look(scope)
        return result

    return called


async def survived(team: Workflow, world: World, deaths: list[int]) -> DyingJournal:
    journal = DyingJournal()
    for at in (*deaths, 0):
        fate = Fate(at)
        world.fate = journal.fate = fate
        if not journal.runs():
            await driven(team.start("g", journal=journal, seed=1), fate)
        elif Record(journal, journal.runs()[0]).summary.ended:
            break
        else:
            await taken_up(team, journal, world, fate, None)
    return journal


RUNS = st.one_of(
    st.integers(2_000, 60_000).map(lambda micro: Budget(usd=f"{micro / 1_000_000:f}")),
    st.integers(600, 12_000).map(lambda tokens: Budget(tokens=tokens)),
    st.integers(1, 12).map(lambda calls: Budget(calls=calls, usd=1)),
)
WITHIN = st.one_of(
    st.integers(2_000, 9_000).map(lambda micro: Budget(usd=f"{micro / 1_000_000:f}")),
    st.integers(1_600, 9_000).map(lambda tokens: Budget(tokens=tokens)),
    st.integers(1, 5).map(lambda calls: Budget(calls=calls)),
)
BUDGETS = st.builds(
    replace,
    RUNS,
    call=st.none() | st.integers(1_600, 3_000).map(lambda tokens: Budget(tokens=tokens)),
    strand=st.none() | WITHIN,
    roles=st.dictionaries(st.sampled_from("ab"), WITHIN),
)


@settings(max_examples=400)
@given(
    budget=BUDGETS,
    output=st.integers(1, 600),
    looks=st.integers(0, 2),
    deaths=st.lists(st.integers(1, 14), max_size=10),
)
def test_no_cap_is_passed_through_any_number_of_crashes(
    budget: Budget, output: int, looks: int, deaths: list[int]
) -> None:
    world = World()
    model = Priced(world, output, looks)
    graph = Graph(
        start((a, b, c)), handoff((a, b, c), (a, b, c)), finish((a, b, c), when=turns(4)),
        stop(when=turns(5)),
    )  # fmt: skip
    team = Workflow(graph, model=model, budget=budget, limits=Limits(output_tokens=600))
    with watched() as seen:
        journal = asyncio.run(survived(team, world, deaths))
    record = Record(journal, journal.runs()[0])
    sound(record.entries)
    summary = record.summary
    assert model.cost <= summary.spent, "what was used in a call that died is on the bill"
    assert budget.usd is None or summary.spent <= nano_dollars(budget.usd)
    assert budget.tokens is None or model.tokens <= summary.tokens <= budget.tokens
    asked = len(record.board.of_kind(Request))
    assert seen or not asked
    assert budget.calls is None or asked <= budget.calls
    for entry in record.board.of_kind(Fault):
        if isinstance(entry.payload, Fault) and entry.payload.code == "budget_exhausted":
            assert entry.payload.cost == 0
    for role, caps in budget.roles.items():
        entries = record.board.of_author(role)
        closed = [e.payload for e in entries if isinstance(e.payload, Inference | Fault)]
        assert caps.nano is None or sum(each.cost for each in closed) <= caps.nano
        assert caps.tokens is None or sum(each.tokens for each in closed) <= caps.tokens
        asked_by = sum(isinstance(e.payload, Request) for e in entries)
        assert caps.calls is None or asked_by <= caps.calls
