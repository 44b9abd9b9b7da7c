from __future__ import annotations

import pytest

from hive import Budget, Graph, Limits, Role, Task, Workflow, finish, handoff, start, stop, turns
from hive.control import elapsed
from hive.forecast import Forecast, attempts_of, forecast
from hive.message import Reply, Request, Text, Usage
from hive.models import Failover, ModelCard, Prices, Retrying

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
