"""A capped run stays under its cap at every instant, however often its process dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from hive import Budget, Graph, Limits, Role, Workflow, finish, handoff, start, stop, turns
from hive.audit import Record
from hive.board.records import Fault, Request
from hive.control.budget import Grant, Scope, nano_dollars
from hive.message import Reply, Text, Usage
from hive.message import Request as Asked
from hive.models import ModelCard
from hive.models.catalog import Prices
from tests.crash.dying import DyingJournal, Fate, World, driven, taken_up
from tests.sound import sound

CARD = ModelCard("script:priced", prices=Prices.usd(1, 4))
a, b, c = Role("a"), Role("b"), Role("c")


class Priced:
    """A model with a price, whose process may die before or after it answers; it keeps its own
    count of what was used, as a provider would."""

    name = "script:priced"
    card = CARD

    def __init__(self, world: World, output: int) -> None:
        self.world = world
        self.output = output
        self.cost = 0
        self.tokens = 0

    async def complete(self, request: Asked) -> Reply:
        self.world.fate.pass_by("before an answer")
        await asyncio.sleep(0)
        usage = Usage(input=40, output=min(self.output, request.max_output))
        self.cost += CARD.cost(usage)
        self.tokens += usage.input + usage.output
        self.world.fate.pass_by("after an answer")
        return Reply(parts=(Text(text="words"),), usage=usage)


@contextmanager
def watched(budget: Budget) -> Iterator[list[int]]:
    """Look at every scope whenever something was reserved or settled in it."""
    seen: list[int] = []

    def look(scope: Scope) -> None:
        cost, tokens = (
            scope.spent.cost + scope.reserved.cost,
            sum((scope.spent.tokens, scope.reserved.tokens)),
        )
        assert budget.nano is None or cost <= budget.nano
        assert budget.tokens is None or tokens <= budget.tokens
        seen.append(cost)

    with patch.multiple(
        Scope, _hold=looking(Scope._hold, look), settle=looking(Scope.settle, look)
    ):
        yield seen


def looking(method: Callable[..., object], look: Callable[[Scope], None]) -> Callable[..., object]:
    """A method of a scope, and a look at the scope when it is done."""

    def called(scope: Scope, *given: Grant) -> object:
        result = method(scope, *given)
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


BUDGETS = st.one_of(
    st.integers(2_000, 60_000).map(lambda micro: Budget(usd=f"{micro / 1_000_000:f}")),
    st.integers(600, 12_000).map(lambda tokens: Budget(tokens=tokens)),
    st.integers(1, 12).map(lambda calls: Budget(calls=calls, usd=1)),
)


@settings(max_examples=400)
@given(
    budget=BUDGETS,
    output=st.integers(1, 600),
    deaths=st.lists(st.integers(1, 14), max_size=10),
)
def test_the_cap_holds_through_any_number_of_crashes(
    budget: Budget, output: int, deaths: list[int]
) -> None:
    world = World()
    model = Priced(world, output)
    graph = Graph(
        start((a, b, c)), handoff((a, b, c), (a, b, c)), finish((a, b, c), when=turns(4)),
        stop(when=turns(5)),
    )  # fmt: skip
    team = Workflow(graph, model=model, budget=budget, limits=Limits(output_tokens=600))
    with watched(budget) as seen:
        journal = asyncio.run(survived(team, world, deaths))
    record = Record(journal, journal.runs()[0])
    sound(record.entries)
    summary = record.summary
    assert model.cost <= summary.spent, "what was used in a call that died is on the bill"
    assert budget.usd is None or summary.spent <= nano_dollars(budget.usd)
    assert budget.tokens is None or model.tokens <= summary.tokens <= budget.tokens
    asked = len(record.board.of_kind(Request))
    assert bool(seen) == bool(asked)
    assert budget.calls is None or asked <= budget.calls
    for entry in record.board.of_kind(Fault):
        if isinstance(entry.payload, Fault) and entry.payload.code == "budget_exhausted":
            assert entry.payload.cost == 0
