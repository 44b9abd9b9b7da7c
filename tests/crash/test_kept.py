"""What is kept back, and what the coordinator was told, survive the process: a run that dies and
goes on, however often, decides as it had decided, asks for its answer before it ends, and passes no
cap on the way."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hive import Budget, Graph, Limits, Role, Workflow, finish, handoff, start, stop, turns
from hive.audit import Record
from hive.board.records import Decision, Fault, Request, Synthesis, Termination
from hive.control import WrittenBy
from hive.errors import DeclarationError
from hive.models import ModelCard
from hive.models.catalog import Prices
from tests.crash.dying import World
from tests.crash.test_caps import Priced, look, survived, watched
from tests.sound import sound
from tests.test_told import LARGE

a, b, c = (Role(name, tools=(look,)) for name in "abc")
teller = Role("teller", "Tell what came of it.")

RUNS = st.one_of(
    st.integers(14_000, 60_000).map(lambda micro: Budget(usd=f"{micro / 1_000_000:f}")),
    st.integers(12_000, 40_000).map(lambda tokens: Budget(tokens=tokens)),
    st.integers(1, 12).map(lambda calls: Budget(calls=calls)),
    st.integers(1, 12).map(lambda calls: Budget(calls=calls, usd="0.03")),
)
WITHIN = st.integers(6_000, 20_000).map(lambda tokens: Budget(tokens=tokens))
BUDGETS = st.builds(
    replace,
    RUNS,
    strand=st.none() | WITHIN,
    roles=st.dictionaries(st.sampled_from(["a", "b", "teller"]), WITHIN, max_size=2),
)


@settings(max_examples=200)
@given(
    budget=BUDGETS,
    output=st.integers(1, 600),
    looks=st.integers(0, 2),
    ends_at=st.integers(1, 5),
    deaths=st.lists(st.integers(1, 14), max_size=8),
)
def test_a_run_that_could_begin_asks_for_its_answer_whatever_befalls_it(
    budget: Budget, output: int, looks: int, ends_at: int, deaths: list[int]
) -> None:
    world = World()
    model = Priced(world, output, looks)
    graph = Graph(
        start((a, b, c)), handoff((a, b, c), (a, b, c)), finish((a, b, c), when=turns(ends_at)),
        stop(when=turns(6)),
    )  # fmt: skip
    team = Workflow(
        graph, model=model, budget=budget, limits=Limits(output_tokens=600),
        synthesis=WrittenBy(teller),
    )  # fmt: skip
    try:
        team.start("g")
    except DeclarationError:
        assume(False)
    with watched():
        journal = asyncio.run(survived(team, world, deaths))
    record = Record(journal, journal.runs()[0])
    sound(record.entries)
    asked = [e for e in record.board.of_kind(Request) if e.author == "teller"]
    [ended] = record.board.of_kind(Termination)
    [said] = record.board.of_kind(Synthesis)
    assert asked
    assert {entry.address.turn for entry in asked} == {ended.address.turn - 1}
    decided = record.board.at(asked[0].address._replace(strand="", place=(0,)))
    assert decided is not None
    assert isinstance(decided.payload, Decision)
    assert decided.payload.ending is not None
    assert isinstance(ended.payload, Termination)
    assert isinstance(said.payload, Synthesis)
    assert decided.payload.ending.reason == ended.payload.reason
    answers = [e for e in record.entries if e.author == "teller" and e.level == "domain"]
    assert not answers or said.payload.text == "words"
    assert asyncio.run(record.replay(team)).identical


class Dear(Priced):
    """The same at ten times the price."""

    name = "script:dear"
    card = ModelCard("script:dear", prices=Prices.usd(10, 40))


@settings(max_examples=200)
@given(
    budget=BUDGETS,
    output=st.integers(1, 600),
    looks=st.integers(0, 2),
    samples=st.integers(1, 4),
    deaths=st.lists(st.integers(1, 14), max_size=8),
)
def test_a_run_that_dies_takes_the_models_again_that_it_had_taken(
    budget: Budget, output: int, looks: int, samples: int, deaths: list[int]
) -> None:
    world = World()
    models = {"large": Dear(world, output, looks), "small": Priced(world, output, looks)}
    graph = Graph(
        start((a, b), samples=samples), handoff((a, b), c), handoff(c, (a, b), samples=samples),
        finish(c, when=turns(4)), stop(when=turns(6)),
    )  # fmt: skip
    team = Workflow(
        graph, models=models, budget=replace(budget, roles=caps_of("abc", budget)),
        limits=Limits(output_tokens=600), allocator=LARGE,
    )  # fmt: skip
    with watched():
        journal = asyncio.run(survived(team, world, deaths))
    record = Record(journal, journal.runs()[0])
    sound(record.entries)
    refused = {
        entry.address
        for entry in record.board.of_kind(Fault)
        if isinstance(entry.payload, Fault)
        and (entry.payload.code, entry.attempt) == ("budget_exhausted", 0)
    }
    for entry in record.board.of_kind(Decision):
        assert isinstance(entry.payload, Decision)
        for plan in entry.payload.strands:
            address = entry.address._replace(strand=plan.strand, place=(0, 0))
            kept = plan.reserved or plan.reserved_tokens
            assert not kept or address._replace(place=(0, 1)) not in refused
            asked = record.board.at(address)
            if asked is not None and isinstance(asked.payload, Request):
                assert asked.payload.model == plan.model
                assert asked.payload.grant >= plan.reserved
                assert asked.payload.grant_tokens >= plan.reserved_tokens
    assert asyncio.run(record.replay(team)).identical


def caps_of(names: str, budget: Budget) -> dict[str, Budget]:
    """The caps of some roles."""
    return {name: caps for name, caps in budget.roles.items() if name in names}
