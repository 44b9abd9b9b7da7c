from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import (
    Budget,
    Graph,
    Limits,
    Role,
    Task,
    Workflow,
    finish,
    handoff,
    start,
    stop,
    tool,
    turns,
)
from hive.control import (
    AllocationTable,
    Allotment,
    ByComplexity,
    ByPreference,
    Figure,
    WrittenBy,
    elapsed,
    level,
)
from hive.forecast import Forecast, attempts_of, forecast
from hive.message import Reply, Request, Text, ToolUse, Usage
from hive.models import Failover, ModelCard, Prices, Retrying


@tool(effect="read")
def look() -> str:
    """Look."""
    return "nothing"


USD = 10**9
a, b = Role("a"), Role("b")


class Priced:
    """A model that answers at once with as much as it may, at a dollar a million tokens."""

    name = "openai:not-in-the-catalog"
    card = ModelCard(name, window=100_000, max_output=1_000, prices=Prices.usd(1, 10))

    async def complete(self, request: Request) -> Reply:
        return Reply(parts=(Text(text="said"),), usage=Usage(input=100_000, output=1_000))


CALL = 110_000_000
"""Of it, in nano-dollars: a whole window and most of an answer."""
LIMITS = Limits(steps=3, strands=8)


def ring(*more: object) -> Graph:
    return Graph(start(a), handoff(a, b), handoff(b, a), finish(b), *more)  # type: ignore[arg-type]


def test_turns_times_strands_times_steps_times_a_whole_window() -> None:
    team = Workflow(ring(stop(when=turns(6))), model=Priced(), limits=LIMITS)
    assert forecast(team) == Forecast(6, 6 * 3 * CALL, 6 * 3 * CALL, ())


def test_a_budget_is_what_a_run_can_cost_at_most() -> None:
    team = Workflow(
        ring(stop(when=turns(6))), model=Priced(), limits=LIMITS, budget=Budget(usd=1, turns=4)
    )
    assert forecast(team) == Forecast(4, USD, 4 * 3 * CALL, ())


def test_the_answer_that_a_role_writes_comes_on_top() -> None:
    writer = WrittenBy(Role("teller"))
    team = Workflow(
        ring(stop(when=turns(6))), model=Priced(), limits=LIMITS, synthesis=writer,
        budget=Budget(usd=100, roles={"teller": Budget(usd="0.20")}),
    )  # fmt: skip
    assert forecast(team) == Forecast(7, 18 * CALL + USD // 5, 7 * 3 * CALL, ())


def test_samples_and_strands_for_waiting_entries_are_counted_as_many_as_there_can_be() -> None:
    each = Role("each", per=Task)
    planner = Role("planner", writes=(Task,))
    graph = Graph(start(planner, samples=2), handoff(planner, each), finish(each))
    assert forecast(Workflow(graph, model=Priced(), limits=LIMITS)).cost == (2 + 8) * 3 * CALL


def test_what_is_not_known_is_said() -> None:
    class Unknown(Priced):
        name = "compatible:x"
        card = ModelCard(name)

    class Wide(Priced):
        card = ModelCard("openai:wide", prices=Prices.usd(1, 1))

    by = elapsed(minutes=3)
    team = Workflow(ring(stop(when=by)), models={"a": Unknown(), "b": Wide()}, limits=LIMITS)
    assert forecast(team) == Forecast(
        None,
        None,
        None,
        (
            "a → b → a ends by elapsed(minutes=3), which says nothing of how many turns that takes",
            "the price of compatible:x is not known",
            "how much openai:wide can read in one call is not known",
        ),
    )


def test_programs_cost_nothing_and_only_models_that_a_role_may_get_count() -> None:
    async def nothing(view: object) -> None:
        return None

    quiet = Role("p", program=nothing)

    class Dear(Priced):
        card = ModelCard("openai:dear", window=100_000, prices=Prices.usd(1000, 1000))

    team = Workflow(
        Graph(start(a), handoff(a, quiet), finish(quiet)),
        models={"a": Priced(), "large": Dear()},
        limits=LIMITS,
    )
    assert forecast(team).cost == 3 * CALL


def test_beside_a_preference_a_model_named_for_another_role_or_against_a_limit_counts_not() -> None:
    class Dear(Priced):
        def __init__(self, name: str) -> None:
            self.name = name
            self.card = ModelCard(name, window=100_000, prices=Prices.usd(1000, 1000))

    figures = (Figure(Priced.name, usd=1), Figure("openai:b", usd=2), Figure("openai:c", usd=3))
    models = {"small": Priced(), "b": Dear("openai:b"), "large": Dear("openai:c")}
    team = Workflow(
        Graph(start(a), handoff(a, b), finish(b)),
        models=models,
        limits=LIMITS,
        allocator=ByPreference("cost=1,most_usd=2", figures),
    )
    by_b = 3 * (100_000 + 4096) * 1_000_000  # its own is named for it
    assert forecast(team).cost == 3 * CALL + by_b


def test_further_attempts_count() -> None:
    class Other(Priced):
        name = "openai:another"

    assert attempts_of(Priced()) == 1
    assert attempts_of(Retrying(Priced(), attempts=5)) == 5
    assert attempts_of(Failover(Retrying(Priced(), attempts=2), Retrying(Other()))) == 6
    team = Workflow(Graph(start(a), finish(a)), model=Retrying(Priced()), limits=LIMITS)
    assert forecast(team).cost == 4 * 3 * CALL


@pytest.mark.asyncio
async def test_no_run_comes_to_more() -> None:
    team = Workflow(ring(stop(when=turns(6))), model=Priced(), limits=LIMITS)
    worst = forecast(team)
    result = await team.run("Go round.")
    assert worst.turns is not None
    assert worst.cost is not None
    assert result.turns <= worst.turns
    spent = sum(getattr(entry.payload, "cost", 0) for entry in result.entries)
    assert result.turns * CALL == spent <= worst.cost


def capped(**caps: Any) -> Forecast:
    return Workflow(
        ring(stop(when=turns(6))), model=Priced(), limits=LIMITS, budget=Budget(**caps)
    ).forecast()


DEAREST = 10_000
"""Of the prices of one token, in nano-dollars."""


def test_every_cap_of_a_budget_counts() -> None:
    whole = 6 * 3 * CALL
    assert capped().cost == whole
    assert capped(calls=4).cost == 4 * CALL
    assert capped(tokens=1000).cost == 1000 * DEAREST
    assert capped(call=Budget(usd="0.01")).cost == 6 * 3 * USD // 100
    assert capped(call=Budget(tokens=100)).cost == 6 * 3 * 100 * DEAREST
    assert capped(strand=Budget(calls=1)).cost == 6 * CALL
    assert capped(strand=Budget(usd="0.2", tokens=10**9)).cost == 6 * USD // 5
    assert {capped(calls=4).uncapped, capped(strand=Budget(calls=1)).uncapped} == {whole}


def test_what_a_role_may_use_in_a_whole_run_counts_beside_what_the_others_may() -> None:
    rest = 3 * 3 * CALL  # of b, which acts in every second of six turns
    assert capped(roles={"a": Budget(usd="0.5")}).cost == rest + USD // 2
    assert capped(roles={"a": Budget(turns=1)}).cost == rest + 3 * CALL
    assert capped(roles={"a": Budget(calls=2)}).cost == rest + 2 * CALL
    assert capped(roles={"a": Budget(tokens=10)}).cost == rest + 10 * DEAREST
    own = Budget(strand=Budget(calls=1))
    assert capped(roles={"a": own}, strand=Budget(calls=2)).cost == 3 * CALL + 3 * 2 * CALL
    both = {"a": Budget(usd="0.5"), "b": Budget(usd="0.25")}
    assert capped(roles=both).cost == 3 * USD // 4


def test_caps_bound_what_the_graph_does_not() -> None:
    team = Workflow(ring(stop(when=elapsed(minutes=3))), model=Priced(), limits=LIMITS)
    assert team.forecast().cost is None
    assert team.with_(budget=Budget(calls=7)).forecast().cost == 7 * CALL
    roles = {"a": Budget(usd=1), "b": Budget(calls=1)}
    assert team.with_(budget=Budget(roles=roles)).forecast().cost is None  # of turns without end

    class Wide(Priced):
        card = ModelCard("openai:wide", prices=Prices.usd(1, 10))

    wide = Workflow(ring(stop(when=turns(6))), model=Wide(), limits=LIMITS)
    found = wide.with_(budget=Budget(call=Budget(tokens=10))).forecast()
    assert (found.cost, found.uncapped) == (6 * 3 * 10 * DEAREST, None)
    assert found.unbounded == ("how much openai:wide can read in one call is not known",)


def test_a_table_that_allots_few_strands_is_cheaper() -> None:
    each, planner = Role("each", per=Task), Role("planner", writes=(Task,))
    graph = Graph(start(planner), handoff(planner, each), finish(each))
    team = Workflow(graph, model=Priced(), limits=LIMITS)
    table = AllocationTable(*[Allotment("small", strands=2)] * 5)
    assert team.with_(allocator=ByComplexity(table)).forecast().cost == (1 + 2) * 3 * CALL


caps = st.fixed_dictionaries(
    {},
    optional={
        "usd": st.decimals("0.005", "0.2", places=3),
        "tokens": st.integers(1, 20_000),
        "calls": st.integers(1, 9),
    },
)


@given(caps, caps, caps, st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_run_under_any_caps_comes_to_more(
    run: dict[str, Any], strand: dict[str, Any], own: dict[str, Any], calls: bool
) -> None:
    one = Budget(**{key: value for key, value in strand.items() if key != "calls"})
    budget = Budget(
        **run,
        roles={"b": Budget(**own)},
        call=one if calls else None,
        strand=None if calls else Budget(**strand),
    )

    class Busy(Priced):
        """Says as much as it may, and calls a tool as long as it may."""

        async def complete(self, request: Request) -> Reply:
            uses = ToolUse(id="1", name="look", arguments={})
            used = Usage(input=500, output=min(request.max_output, 1000))
            return Reply(parts=(uses,), stop="tools", usage=used)

    x, y = Role("a", tools=(look,)), Role("b", tools=(look,))
    graph = Graph(start(x), handoff(x, y), handoff(y, x), finish(y), stop(when=turns(4)))
    team = Workflow(graph, model=Busy(), limits=LIMITS, budget=budget)
    worst = team.forecast()
    result = team.run_sync("Go round.")
    assert worst.cost is not None
    assert worst.uncapped is not None
    assert sum(getattr(entry.payload, "cost", 0) for entry in result.entries) <= worst.cost
    assert worst.cost <= worst.uncapped


def test_what_is_known_of_the_starts_is_counted() -> None:
    alone = start(a, when=level("trivial"))
    graph = Graph(alone, finish(a), start(b), handoff(b, a), stop(when=turns(6)))
    team = Workflow(graph, model=Priced(), limits=LIMITS)
    assert forecast(team)[:2] == (2, 2 * 3 * CALL)
    assert forecast(team, [alone])[:2] == (1, 3 * CALL)
    assert forecast(team, [])[:2] == (0, 0)
    ring = Graph(
        alone, start(b), handoff(b, b), finish(a), finish(b), stop(when=elapsed(minutes=1))
    )
    assert forecast(team.with_(graph=ring)).turns is None
    assert forecast(team.with_(graph=ring), [alone]).turns == 1
