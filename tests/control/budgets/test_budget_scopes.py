"""Caps within a run: of every call, of every strand, of a role; each is kept on its own and holds
beside those around it."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import Budget, Graph, Limits, Role, Workflow, finish, handoff, start, stop, turns
from hive.audit import Record
from hive.board.records import Fault, Inference, Overrun, Shortage
from hive.board.records import Request as Recorded
from hive.control.budgets.books import Books
from hive.errors import DeclarationError
from hive.journal.memory import MemoryJournal
from hive.message import Reply, Request, Text, ToolUse, Usage
from hive.models import ModelCard, input_bound
from hive.models.catalog import Prices
from hive.run import Result
from hive.testing import Gate, GatedModel
from hive.tools import tool
from tests.sound import sound


@tool(effect="read")
async def look() -> str:
    """Look around."""
    return "nothing"


@dataclass
class Greedy:
    """A priced model that uses all it may, and looks around so often before it says something."""

    looks: int = 0
    name: str = "openai:greedy"
    prices: Prices | None = field(default_factory=lambda: Prices.usd(1, 1))
    asked: list[Request] = field(default_factory=list)
    over: int = 0
    """How many tokens of output it uses beyond its limit."""

    @property
    def card(self) -> ModelCard:
        return ModelCard(self.name, prices=self.prices)

    async def complete(self, request: Request) -> Reply:
        self.asked.append(request)
        await asyncio.sleep(0)
        usage = Usage(input=input_bound(request), output=request.max_output + self.over)
        if len(request.messages) <= 2 * self.looks:
            return Reply(parts=(ToolUse(id="1", name="look"),), usage=usage, stop="tools")
        return Reply(parts=(Text(text="said"),), usage=usage)


a, b = (Role(name, tools=(look,)) for name in "ab")


def beside(number: int) -> Graph:
    return Graph(start(a, samples=number), finish(a), stop(when=turns(3)))


def circle(length: int) -> Graph:
    return Graph(
        start(a), handoff(a, b), handoff(b, a), finish(b, when=turns(length)), stop(when=turns(40))
    )


def pair(length: int) -> Graph:
    return Graph(
        start((a, b)), handoff((a, b), (a, b)), finish((a, b), when=turns(length)),
        stop(when=turns(length + 1)),
    )  # fmt: skip


def used(result: Result, by: str = "") -> Counter[str]:
    """Tokens by strand and turn, of one role or of all."""
    found = Counter[str]()
    for entry in result.entries:
        if isinstance(entry.payload, Inference | Fault) and entry.author.startswith(by):
            found[f"{entry.address.turn}/{entry.address.strand}"] += entry.payload.tokens
    return found


def refusals(result: Result) -> list[str]:
    """Why calls were refused, and why roles were not asked at all."""
    faults = [e.payload for e in result.entries if isinstance(e.payload, Fault)]
    short = [e.payload for e in result.entries if isinstance(e.payload, Shortage)]
    told = [why for each in short for keys in each.roles.values() for why in keys.values()]
    return [fault.message for fault in faults if fault.code == "budget_exhausted"] + told


@pytest.mark.asyncio
async def test_ten_strands_of_a_thousand_tokens_use_a_thousand_together() -> None:
    alone, model, role = Greedy(), Greedy(), Role("a")
    await Workflow(role, model=alone).run("g")
    limits = Limits(output_tokens=1_000 - input_bound(alone.asked[0]))
    graph = Graph(start(role, samples=10), finish(role), stop(when=turns(3)))
    workflow = Workflow(graph, model=model, limits=limits, budget=Budget(tokens=1_000))
    result = await workflow.run("g")
    assert result.tokens == 1_000
    assert len(model.asked) == 1
    assert len(refusals(result)) == 9
    sound(result.entries)


@settings(max_examples=40, deadline=None)
@given(cap=st.integers(2_000, 30_000), seed=st.integers(0, 2**32))
def test_ten_strands_in_any_order_keep_to_what_they_share(cap: int, seed: int) -> None:
    asyncio.run(let_through(cap, random.Random(seed)))


async def let_through(cap: int, order: random.Random) -> None:
    gate, journal = Gate(), MemoryJournal()
    model = GatedModel(Greedy(looks=1), gate, lambda request: str(request.sample))
    workflow = Workflow(
        beside(10), model=model, limits=Limits(output_tokens=600), budget=Budget(tokens=cap)
    )
    async with workflow.start("g", journal=journal) as run:
        books = run._desk.books.run
        while run._result is None:
            assert books.spent.tokens + books.reserved.tokens <= cap
            if gate.waiting:
                gate.release(order.choice(gate.waiting))
            await asyncio.sleep(0)
        result = await run.result()
    assert result.tokens == books.spent.tokens == sum(used(result).values()) <= cap
    assert books.reserved == (0, 0)


@pytest.mark.asyncio
async def test_what_is_free_at_first_is_reserved_at_what_it_costs_beyond() -> None:
    prices = Prices(0, 0, 0, 0, beyond=((10, Prices.usd(1, 1)),))
    workflow = Workflow(beside(10), model=Greedy(prices=prices), budget=Budget(usd="0.01"))
    result = await workflow.run("g")
    assert 0 < result.cost_usd <= Decimal("0.01")
    assert not [entry for entry in result.entries if entry.kind == "Overrun"]
    assert refusals(result)


@pytest.mark.asyncio
async def test_a_strand_has_caps_of_its_own() -> None:
    workflow = Workflow(
        beside(3),
        model=Greedy(looks=5),
        limits=Limits(output_tokens=300),
        budget=Budget(tokens=100_000, strand=Budget(tokens=8_000)),
    )
    result = await workflow.run("g")
    assert len(used(result)) == 3
    assert all(0 < tokens <= 8_000 for tokens in used(result).values())
    assert len(refusals(result)) == 3
    assert sorted(refusals(result))[0].startswith("strand 'a#0' of turn 1 may use 8000 tokens; ")


@pytest.mark.asyncio
async def test_a_role_has_caps_for_the_whole_run() -> None:
    workflow = Workflow(
        pair(8),
        model=Greedy(),
        limits=Limits(output_tokens=300),
        budget=Budget(roles={"a": Budget(tokens=9_000)}),
    )
    result = await workflow.run("g")
    assert sum(used(result, "a").values()) <= 9_000
    assert sum(used(result, "b").values()) > 9_000
    assert refusals(result)[0].startswith("role 'a' may use 9000 tokens; ")


@pytest.mark.asyncio
async def test_a_role_acts_in_no_more_turns_than_it_may() -> None:
    budget = Budget(roles={"a": Budget(turns=2)})
    result = await Workflow(pair(4), model=Greedy(), budget=budget).run("g")
    assert [turn for turn in used(result, "a") if used(result, "a")[turn]] == ["1/a", "2/a"]
    assert refusals(result)[0] == "role 'a' has had all the turns it may: 2"


@pytest.mark.asyncio
async def test_every_call_is_held_to_its_own_cap() -> None:
    model = Greedy(looks=1)
    budget = Budget(call=Budget(tokens=3_000), roles={"b": Budget(call=Budget(tokens=10))})
    result = await Workflow(circle(2), model=model, budget=budget).run("g")
    answers = [e.payload for e in result.entries if isinstance(e.payload, Inference)]
    assert [answer.tokens for answer in answers] == [3_000, 3_000]
    assert refusals(result)[0].startswith("a call in role 'b' may use 10 tokens; 0 are used, ")


@pytest.mark.asyncio
async def test_a_strand_of_a_role_has_the_caps_that_the_role_gives_it() -> None:
    roles = {"a": Budget(strand=Budget(calls=1))}
    budget = Budget(strand=Budget(calls=2), roles=roles)
    result = await Workflow(pair(1), model=Greedy(looks=9), budget=budget).run("g")
    asked = Counter(e.author for e in result.entries if isinstance(e.payload, Recorded))
    assert asked == {"a": 1, "b": 2}


@pytest.mark.asyncio
async def test_an_overrun_closes_what_caps_it_and_nothing_else() -> None:
    model = Greedy(over=1)
    budget = Budget(calls=50, roles={"a": Budget(tokens=90_000, strand=Budget(tokens=30_000))})
    result = await Workflow(pair(3), model=model, budget=budget).run("g")
    (overrun,) = [e.payload for e in result.entries if isinstance(e.payload, Overrun)]
    assert overrun.closes == ("strand 'a' of turn 1", "role 'a'")
    assert overrun.used_tokens == overrun.granted_tokens + 1
    assert set(refusals(result)) == {"the budget of role 'a' was overrun and is closed"}
    assert len([turn for turn in used(result, "b") if used(result, "b")[turn]]) == 4


@pytest.mark.asyncio
async def test_what_was_closed_stays_closed_when_the_run_goes_on() -> None:
    journal = MemoryJournal()
    budget = Budget(calls=9, roles={"a": Budget(tokens=90_000)})
    gate = Gate()
    model = GatedModel(Greedy(over=1), gate, "m")
    workflow = Workflow(circle(6), model=model, budget=budget)
    run = workflow.start("g", journal=journal)
    async with run:
        await gate.arrived("m")
        gate.release("m")
        await gate.arrived("m")
        run._group.cancel_scope.cancel()  # type: ignore[union-attr]
    again = workflow.with_(model=Greedy(over=1)).resume(run.id, journal=journal)
    result = await again.result()
    assert set(refusals(result)) >= {"the budget of role 'a' was overrun and is closed"}
    assert not [turn for turn in used(result, "a") if turn != "1/a" and used(result, "a")[turn]]


@settings(max_examples=40, deadline=None)
@given(
    looks=st.integers(0, 2),
    strand=st.none() | st.builds(Budget, tokens=st.integers(2_000, 9_000)),
    role=st.builds(Budget, tokens=st.integers(2_000, 30_000), turns=st.none() | st.integers(0, 4)),
    call=st.none() | st.builds(Budget, tokens=st.integers(2_000, 4_000)),
)
def test_a_run_with_nested_caps_replays_and_its_books_can_be_read_again(
    looks: int, strand: Budget | None, role: Budget, call: Budget | None
) -> None:
    journal = MemoryJournal()
    workflow = Workflow(
        pair(4),
        model=Greedy(looks=looks),
        limits=Limits(output_tokens=300),
        budget=Budget(tokens=60_000, strand=strand, roles={"a": role}, call=call),
    )
    run = workflow.start("g", journal=journal)
    result = asyncio.run(run.result())
    sound(result.entries)
    assert asyncio.run(Record(journal, run.id).replay(workflow)).identical
    read = Books(workflow.budget)
    read.book(run.board.state, run.board.entries)
    live = run._desk.books
    for one, two in ((read.run, live.run), (read._role("a"), live._role("a"))):
        assert (one.spent, one.reserved, one.calls) == (two.spent, two.reserved, two.calls)


def test_roles_with_caps_are_roles_of_the_team() -> None:
    with pytest.raises(DeclarationError, match=r"caps for a role 'coder'; the roles are a, b$"):
        Workflow(circle(2), model=Greedy(), budget=Budget(roles={"coder": Budget(usd=1)}))


@pytest.mark.parametrize(
    ("within", "says"),
    [
        ({"call": Budget(calls=1)}, r"Budget\(call=Budget\(calls=…\)\): a call has no cap on"),
        ({"strand": Budget(turns=1)}, "a strand has no cap on turns; it may have usd, tokens"),
        ({"roles": {"a": Budget(seconds=1)}}, r"roles\['a'\]=Budget\(seconds=…\)\): a role has no"),
        ({"roles": {"a": Budget(roles={})}, "call": 3}, r"Budget\(call=3\): give a Budget"),
        ({"roles": {"a": Budget(roles={"b": Budget()})}}, "a role holds no such scopes"),
        ({"strand": Budget(call=Budget(usd=1))}, "say it beside strand"),
        ({"call": Budget(strand=Budget(usd=1))}, "a call holds no such scopes"),
    ],
)
def test_caps_that_could_not_be_kept_are_refused(within: Any, says: str) -> None:
    with pytest.raises(DeclarationError, match=says):
        Budget(**within)


def test_a_budget_reads_as_it_was_declared() -> None:
    plain = "usd=2, tokens=None, calls=None, turns=None, seconds=None"
    assert repr(Budget(usd=2)) == f"Budget({plain})"
    nested = Budget(usd=2, strand=Budget(usd=2), roles={"b": Budget(usd=2), "a": Budget(usd=2)})
    assert repr(nested) == (
        f"Budget({plain}, strand=Budget({plain}), roles={{'a': Budget({plain}),"
        f" 'b': Budget({plain})}})"
    )


@pytest.mark.parametrize(
    "budget",
    [
        Budget(call=Budget(usd=1)),
        Budget(strand=Budget(usd=1)),
        Budget(roles={"a": Budget(usd=1)}),
        Budget(roles={"a": Budget(call=Budget(usd=1))}),
    ],
)
def test_an_unknown_price_under_any_cap_on_money_is_refused_by_name(budget: Budget) -> None:
    workflow = Workflow(circle(2), model=Greedy(prices=None), budget=budget)
    with pytest.raises(DeclarationError, match="the price of openai:greedy"):
        workflow.start("g")


def test_an_unknown_price_matters_only_to_those_who_may_get_the_model() -> None:
    models = {"*": Greedy(), "b": Greedy(prices=None)}
    capped = Budget(roles={"a": Budget(usd=1)})
    assert Workflow(circle(2), models=models, budget=capped).team().minds["b"].card.prices is None
    with pytest.raises(DeclarationError, match=r"models\['b'\]"):
        Workflow(circle(2), models=models, budget=Budget(strand=Budget(usd=1))).start("g")
