"""Asking: under a grant, within a deadline, and closed on the board whatever comes."""

from dataclasses import dataclass, field

import pytest

from hive import Budget, Graph, Limits, Role, Workflow, finish, handoff, start, stop, turns
from hive.board.records import Fault, Inference, Overrun
from hive.board.records import Request as Recorded
from hive.errors import DeclarationError, ModelError, ServerFailed
from hive.message import Attempt, Reply, Request, Text, Usage
from hive.models import Model, ModelCard
from hive.models.catalog import Prices
from hive.run import Result
from hive.testing import FunctionModel, Gate, GatedModel
from tests.sound import sound

pytestmark = pytest.mark.asyncio
DOLLAR = 10**9
HUNDRED_AND_FIFTY = Usage(input=100, output=50)
ONE_DOLLAR_A_MILLION = Prices.usd(1, 1)


@dataclass
class Priced:
    """A model that is paid by the token and says what it used."""

    usage: Usage = HUNDRED_AND_FIFTY
    prices: Prices | None = ONE_DOLLAR_A_MILLION
    name: str = "openai:nobody-knows-this-one"
    asked: list[Request] = field(default_factory=list)

    @property
    def card(self) -> ModelCard:
        return ModelCard(self.name, prices=self.prices)

    async def complete(self, request: Request) -> Reply:
        self.asked.append(request)
        return Reply(parts=(Text(text="said"),), usage=self.usage)


def circle(length: int) -> Graph:
    a, b = Role("a"), Role("b")
    return Graph(
        start(a), handoff(a, b), handoff(b, a), finish(b, when=turns(length)), stop(when=turns(99))
    )


def of(result: Result, cls: type) -> list:  # type: ignore[type-arg]
    return [entry.payload for entry in result.entries if isinstance(entry.payload, cls)]


async def test_what_a_call_cost_is_its_tokens_at_catalog_prices_rounded_up() -> None:
    model = Priced(Usage(input=1, output=2), Prices.usd("0.0001", "0.0002"))
    result = await Workflow(Role("a"), model=model).run("g")
    (inference,) = of(result, Inference)
    assert inference.cost == 1  # half a nano-dollar
    assert result.cost_usd * DOLLAR == 1
    assert (result.tokens, inference.usage) == (3, Usage(input=1, output=2))


async def test_a_grant_stands_on_the_request_and_is_settled() -> None:
    model = Priced()
    result = await Workflow(Role("a"), model=model, budget=Budget(usd=1)).run("g")
    (request,) = of(result, Recorded)
    assert request.grant > of(result, Inference)[0].cost == 150_000
    assert request.max_output == Limits().output_tokens
    assert result.cost_usd * DOLLAR == 150_000
    sound(result.entries)


async def test_the_output_is_limited_to_what_the_budget_leaves() -> None:
    model = Priced()
    result = await Workflow(Role("a"), model=model, budget=Budget(usd="0.004")).run("g")
    assert result.finished
    assert 256 <= model.asked[0].max_output < Limits().output_tokens
    (request,) = of(result, Recorded)
    assert request.max_output == model.asked[0].max_output
    assert request.grant <= 4_000_000
    unlimited = await Workflow(Role("a"), model=Priced()).run("g")
    assert request.digest == of(unlimited, Recorded)[0].digest  # taken before the limit


async def test_a_call_that_does_not_fit_is_not_made() -> None:
    model = Priced()
    result = await Workflow(Role("a"), model=model, budget=Budget(usd="0.0001")).run("g")
    assert model.asked == []
    assert of(result, Fault) == []
    assert (result.outcome, result.reason, result.turns) == ("stopped", "budget_exhausted", 0)
    assert "the run may spend $0.0001; $0 is spent, $0 reserved, and this call may cost $" in (
        result.message
    )
    assert result.cost_usd == 0


@pytest.mark.parametrize(
    ("budget", "calls"),
    [
        (Budget(calls=3), 3),
        (Budget(turns=3), 3),
        (Budget(tokens=6000), 30),
        (Budget(usd="0.006"), 30),
    ],
)
async def test_caps_stop_a_run_that_would_go_on(budget: Budget, calls: int) -> None:
    model = Priced()
    result = await Workflow(circle(90), model=model, budget=budget).run("g")
    assert result.outcome == "stopped"
    assert result.reason == "budget_exhausted"
    assert len(model.asked) <= calls
    if budget.usd is not None:
        assert result.cost_usd <= 0.006
    if budget.tokens is not None:
        assert result.tokens <= budget.tokens
    if budget.calls or budget.turns:
        assert len(model.asked) == 3
        assert result.message.endswith("is used up")
    sound(result.entries)


async def test_calls_side_by_side_never_reserve_more_than_there_is() -> None:
    gate = Gate()
    model = Priced(Usage(input=10, output=10))
    role = Role("a")
    graph = Graph(start(role, samples=6), finish(role), stop(when=turns(3)))
    cap = 5_000_000
    workflow = Workflow(graph, model=GatedModel(model, gate, "m"), budget=Budget(usd="0.005"))
    run = workflow.start("g")
    checks = 0
    async with run:
        async for entry in run.follow():
            spent = sum(
                e.payload.cost for e in run.board.entries if isinstance(e.payload, Inference)
            )
            asked = [e for e in run.board.entries if isinstance(e.payload, Recorded)]
            answered = {e.address.strand for e in run.board.of_kind(Inference)}
            reserved = sum(
                e.payload.grant
                for e in asked
                if isinstance(e.payload, Recorded) and e.address.strand not in answered
            )
            assert spent + reserved <= cap
            checks += 1
            if isinstance(entry.payload, Fault):
                assert entry.payload.code == "budget_exhausted"
                gate.open()
            if len(asked) == 6:
                gate.open()
    result = await run.result()
    assert checks > 10
    assert len(model.asked) + len(of(result, Fault)) == 6
    assert of(result, Fault)  # not all six fit at once
    sound(result.entries)


async def test_a_server_that_used_more_than_granted_closes_the_budget() -> None:
    model = Priced(Usage(input=100_000_000, output=1))
    result = await Workflow(circle(5), model=model, budget=Budget(usd=1)).run("g")
    (overrun,) = of(result, Overrun)
    assert overrun.scope == "the run"
    assert overrun.used > overrun.granted > 0
    assert len(model.asked) == 1
    assert result.outcome == "stopped"
    assert result.reason == "budget_exhausted"
    sound(result.entries)


async def test_without_a_cap_nothing_is_overrun() -> None:
    model = Priced(Usage(input=100_000_000, output=1))
    result = await Workflow(Role("a"), model=model).run("g")
    assert result.finished
    assert of(result, Overrun) == []


async def test_an_unknown_price_is_refused_under_a_cap_on_money_by_name() -> None:
    workflow = Workflow(Role("a"), model=Priced(prices=None), budget=Budget(usd=1))
    with pytest.raises(
        DeclarationError, match=r"the price of openai:nobody-knows-this-one .* is not"
    ):
        workflow.start("g")
    with pytest.raises(DeclarationError, match=r"cap tokens instead"):
        await workflow.run("g")
    result = await workflow.with_(budget=Budget(tokens=10**6)).run("g")
    assert result.finished


async def test_attempts_that_failed_are_paid_and_on_record() -> None:
    attempts = (
        Attempt(reason="server_failed", status=503, cost=7, tokens=70),
        Attempt(reason="bad_reply", cost=5, tokens=50),
    )

    def answer(request: Request) -> Reply:
        usage = Usage(input=2, output=1)
        return Reply(parts=(Text(text="said"),), usage=usage, attempts=attempts)

    result = await Workflow(Role("a"), model=FunctionModel(answer)).run("g")
    (inference,) = of(result, Inference)
    assert inference.attempts == attempts
    assert inference.cost == 12
    assert inference.tokens == result.tokens == 123
    sound(result.entries)

    def fail(request: Request) -> Reply:
        raise ServerFailed("down", attempts)

    result = await Workflow(Role("a"), model=FunctionModel(fail)).run("g")
    (fault,) = of(result, Fault)
    assert (fault.attempts, fault.cost, fault.final) == (attempts, 12, True)
    assert fault.message == "ServerFailed: down"
    assert result.cost_usd * DOLLAR == 12
    assert fault.tokens == result.tokens == 120
    sound(result.entries)


async def test_a_model_that_does_not_answer_in_time_is_a_fault_at_its_worst_cost() -> None:
    gate = Gate()
    result = await Workflow(
        Role("a"),
        model=GatedModel(Priced(), gate),
        limits=Limits(call_seconds=0.001),
        budget=Budget(usd=1),
    ).run("g")
    (fault,) = of(result, Fault)
    assert (fault.code, fault.final) == ("timeout", True)
    assert fault.message == "no answer within 0.001 s"
    assert fault.cost == of(result, Recorded)[0].grant
    assert result.cost_usd * DOLLAR == fault.cost
    assert gate.waiting == ()
    sound(result.entries)


async def test_one_late_answer_does_not_hurt_the_calls_beside_it() -> None:
    gate = Gate()
    a, b = Role("a"), Role("b")
    graph = Graph(start((a, b)), finish((a, b)), finish(b), stop(when=turns(2)))
    models: dict[str, Model] = {
        "a": GatedModel(FunctionModel(lambda request: "never"), gate, "a"),
        "b": FunctionModel(lambda request: "at once"),
    }
    result = await Workflow(graph, models=models, limits=Limits(call_seconds=0.001)).run("g")
    assert [fault.code for fault in of(result, Fault)] == ["timeout"]
    assert [entry.author for entry in result.entries if entry.kind == "Note"] == ["b"]
    sound(result.entries)


@pytest.mark.parametrize("error", [TimeoutError("own"), ModelError("x")])
async def test_a_models_own_errors_are_faults(error: Exception) -> None:
    def fail(request: Request) -> str:
        raise error

    result = await Workflow(Role("a"), model=FunctionModel(fail)).run("g")
    (fault,) = of(result, Fault)
    assert fault.final
    assert fault.code in ("model_error", "timeout")


class Careless:
    """A model that answers with a text, and not with a Reply."""

    name = "careless:one"

    async def complete(self, request: Request) -> Reply:
        return "Hello."  # type: ignore[return-value]  # what is tested


async def test_an_answer_that_is_no_reply_is_a_fault() -> None:
    result = await Workflow(Role("a"), model=Careless()).run("g")
    (fault,) = of(result, Fault)
    assert (fault.code, fault.final) == ("model_error", True)
    assert "it answered with a str where a Reply is wanted" in fault.message


async def test_pieces_of_an_answer_are_offered_to_who_listens_and_are_no_entries() -> None:
    heard: list[tuple[str, str]] = []

    def speak(request: Request) -> str:
        assert request.delta is not None
        request.delta("pie")
        request.delta("ces")
        return "pieces"

    run = Workflow(Role("a"), model=FunctionModel(speak)).start("g")
    run.listen(lambda strand, text: heard.append((strand, text)))
    result = await run.result()
    assert heard[:2] == [("a", "pie"), ("a", "ces")]
    assert [entry.kind for entry in result.entries if entry.address.strand] == [
        "Request", "Inference", "Note",
    ]  # fmt: skip
