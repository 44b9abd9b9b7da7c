"""`hive why`, as a user calls it: what a decision was made of, read from the record."""

from __future__ import annotations

from typing import Any

import pytest

from hive.audit import Record
from hive.audit.reasons import deciding_turns, why
from tests.cli.conftest import Here

TEAM = """
from hive import *
from hive.control import *
from hive.message import Reply, Text, Usage
from hive.errors import ServerFailed
from hive.models import FunctionModel, ModelCard, Retrying
from hive.models.catalog import Prices

figures = (
    Figure("openai:cheap", accuracy=0.6, usd=0.001, seconds=2),
    Figure("openai:dear", accuracy=0.9, usd=0.1, seconds=20, judged=20),
    Figure("openai:bad", accuracy=0.5, usd=0.2, seconds=30),
)

class Mind:
    def __init__(self, name, price=1):
        self.name = "openai:" + name
        self.card = ModelCard(self.name, prices=Prices.usd(price, price))
    async def complete(self, request):
        return Reply(parts=(Text(text="the same"),), usage=Usage(input=100, output=20))

minds = {"cheap": Mind("cheap"), "dear": Mind("dear", 50), "bad": Mind("bad")}
writer, second = Role("writer"), Role("second")
graph = Graph(
    start(writer), handoff(writer, writer), handoff(writer, second),
    finish(second), stop(when=turns(5)),
)
team = Workflow(
    graph, models=minds, allocator=ByPreference("thrifty", figures), budget=Budget(usd=1)
)
both = Graph(start((writer, second)), finish((writer, second)))
tight = team.with_(graph=both, budget=Budget(usd="0.003"))
tighter = tight.with_(budget=Budget(usd="0.0012"))
poor = tight.with_(allocator=ByPreference("quality", figures))
stuck = team.with_(watches=(Watch(looped(times=2), "Think again.", patience=1),))
plain = Workflow(writer, model=minds["dear"])

class Unsure(Mind):
    async def complete(self, request):
        said = Text(text='{"claim": "it leaks", "confidence": "low"}')
        return Reply(parts=(said,), usage=Usage(input=100, output=20))

clerk = Role("clerk", writes=(Finding,))
rungs = {name: Unsure(name) for name in ("cheap", "dear", "bad")}

def climbing(ladder):
    graph = Graph(start(clerk), *escalating(clerk, ladder))
    return Workflow(graph, models=rungs, allocator=ladder)

ladder = climbing(Escalation(("cheap", "bad", "dear"), unsure(), figures=figures))
within = climbing(
    Escalation(("cheap", "bad", "dear"), unsure(), within=ByPreference("thrifty", figures))
)

told = team.with_(synthesis=WrittenBy(Role("teller")))

class Greedy(Mind):
    async def complete(self, request):
        return Reply(parts=(Text(text="much"),), usage=Usage(input=100, output=90_000))

greedy = Workflow(writer, model=Greedy("greedy"), budget=Budget(usd=1))

class Flaky(Mind):
    calls = 0
    async def complete(self, request):
        self.calls += 1
        if self.calls == 1:
            raise ServerFailed("down")
        return await super().complete(request)

again = Workflow(writer, model=Retrying(Flaky("flaky"), first=0), budget=Budget(usd=1))

class Judging(Mind):
    async def complete(self, request):
        said = '{"complexity": "complex", "confidence": 0.8, "reasons": []}'
        picks = '{"move": "second", "reason": "it is enough"}'
        text = said if self.name == "openai:judge" else picks
        return Reply(parts=(Text(text=text),), usage=Usage(input=100, output=20))

asking = plain.with_(
    graph=graph, estimator=ModelEstimator(), policy=Chooser(),
    models={"*": minds["dear"], "assessor": Judging("judge"), "chooser": Judging("pick")},
)

class Weighing:
    name = "weighing"
    def decide(self, situation):
        number = len(situation.candidates)
        parts = tuple({"hope": 0.5, "price": -0.1 * n} for n in range(number))
        scores = tuple(sum(each.values()) for each in parts)
        shares = (1.0,) if number == 1 else (0.75, 0.25)
        return Choice(0, shares, scores, "the best in sight", number == 1, parts)

weighing = team.with_(policy=Weighing())
"""


@pytest.fixture
def home(here: Here) -> Here:
    (here.folder / "team5.py").write_text(TEAM)
    return here


def run(home: Here, team: str, *more: str) -> None:
    assert home.hive("run", f"./team5.py:{team}", "mend the broken pump", *more).code in (0, 1)


def test_the_moves_the_work_and_the_model_are_told_with_their_numbers(home: Here) -> None:
    run(home, "team")
    out = home.hive("why", "last", "2").out
    assert out.startswith("turn 2  writer\n")
    assert "the first of 2 moves allowed: writer → writer; by graph order" in out
    assert "  2 moves allowed\n" in out
    assert "    * writer  p=1  score=1\n" in out
    assert "      second  p=0  score=0\n" in out
    assert "known then: candidates 2, contributions 2, faults 0, frontier writer" in out
    assert ", spent $0.0001, " in out
    assert "faults 0, frontier none, " in home.hive("why", "last", "1").out
    assert "kind: mend +0.5 ±" in out
    assert "from trivial to critical: " in out
    assert "writer gets openai:cheap, found under 'cheap' for tier cheap, p=1" in out
    assert "    * cheap: openai:cheap (accuracy 0.6, $ 0.001, seconds 2)  p=1  score=0.1" in out
    assert "bad: openai:bad (accuracy 0.5, $ 0.2, seconds 30)  openai:cheap is better" in out
    assert "tokens reserved, settled at $0.0001 and 120 tokens" in out


def test_it_says_what_another_preference_would_have_taken(home: Here) -> None:
    run(home, "team")
    out = home.hive("why", "last", "2", "--prefer", "latency=1,accuracy=1,spread=3").out
    lines = out.partition("by another preference\n")[2].splitlines()
    assert lines[:3] == [
        "      quality: dear, openai:dear",
        "      balanced: cheap, openai:cheap",
        "      thrifty: cheap, openai:cheap",
    ]
    assert lines[-1].startswith("      latency=1,accuracy=1,spread=3: ")
    impossible = home.hive("why", "last", "2", "--prefer", "quality,most_usd=0.0001").out
    assert "cannot be told: no model keeps the limits of the preference" in impossible


def test_each_score_is_told_with_what_went_into_it(home: Here) -> None:
    run(home, "weighing")
    out = home.hive("why", "last", "2").out
    assert "  2 moves allowed, drawn by these probabilities\n" in out
    assert "    * writer  p=0.75  score=0.5\n        of hope 0.5, price 0\n" in out
    assert "      second  p=0.25  score=0.4\n        of hope 0.5, price -0.1\n" in out


def test_json_has_the_same(home: Here) -> None:
    run(home, "weighing")
    told = home.hive("why", "last", "2", "--json", "--prefer", "accuracy>cost").json
    assert (told["turn"], told["address"], told["policy"]) == (2, "2//0", "weighing")
    first, second = told["candidates"]
    assert first["parts"] == {"hope": 0.5, "price": 0}
    assert (first["chosen"], second["chosen"]) == (True, False)
    assert told["complexity"]["signals"]["kind: mend"] == 0.5
    (strand,) = told["strands"]
    assert strand["model"] == "openai:cheap"
    assert strand["reserved_usd"] == 0, "money is plenty"
    assert [option["key"] for option in strand["options"]] == ["cheap", "dear", "bad"]
    assert strand["options"][0]["usd"] == 0.001
    (call,) = strand["calls"]
    assert call["granted_usd"] >= call["cost_usd"] == 0.00012
    assert call["tokens"] == 120
    taken = {each["preference"]: each["taken"][0]["key"] for each in strand["otherwise"]}
    assert taken["thrifty"] == "cheap"
    assert taken["quality"] == taken["accuracy>cost"] == "dear"


def test_without_a_turn_the_last_decision_is_told(home: Here) -> None:
    run(home, "team")
    assert home.hive("why").out == home.hive("why", "last", "5").out


def test_where_nothing_was_weighed_it_says_so(home: Here) -> None:
    run(home, "plain")
    out = home.hive("why", "last", "1").out
    assert "what another preference would take is not on record" in out
    assert home.hive("why", "--json").json["strands"][0]["otherwise"] == []


def test_a_preference_takes_no_rung_below_the_one_that_was_climbed_to(home: Here) -> None:
    run(home, "within")
    (strand,) = home.hive("why", "last", "2", "--json").json["strands"]
    assert strand["because"].startswith("rung 2 of 3: ")
    taken = {
        each["preference"]: [one["key"] for one in each["taken"]] for each in strand["otherwise"]
    }
    assert taken == {"quality": ["dear"], "balanced": ["bad"], "thrifty": ["bad"], "fast": ["bad"]}


def test_of_a_ladder_without_a_preference_no_other_one_is_made_up(home: Here) -> None:
    run(home, "ladder")
    out = home.hive("why", "last", "2").out
    assert "an escalation ladder gave it, and no preference: another one would take the same" in out
    assert "by another preference" not in out
    assert "* bad: openai:bad (accuracy 0.5, $ 0.2, seconds 30)  p=1\n" in out
    assert home.hive("why", "last", "2", "--json").json["strands"][0]["otherwise"] == []


def test_what_those_cost_who_were_asked_before_is_told(home: Here) -> None:
    run(home, "asking")
    out = home.hive("why", "last", "1").out
    assert out.startswith("turn 1  assessor alone\n")
    assert "  assessor asked openai:judge\n    [1/assessor/0.0] $" in out
    chosen = home.hive("why", "last", "3")
    assert "chooser chose second: it is enough; chosen by chooser\n" in chosen.out
    (asked,) = home.hive("why", "last", "3", "--json").json["consulted"]
    assert asked["strand"] == "chooser"
    assert [call["cost_usd"] for call in asked["calls"]] == [0.00012]


def test_what_a_server_used_beyond_its_grant_is_told(home: Here) -> None:
    run(home, "greedy")
    told = home.hive("why", "last", "1", "--json").json
    (over,) = told["overruns"]
    assert over["used"] > over["granted"]
    assert "  overrun of " in home.hive("why", "last", "1").out


def test_what_was_reserved_for_a_further_attempt_counts(home: Here) -> None:
    run(home, "again")
    (strand,) = home.hive("why", "last", "1", "--json").json["strands"]
    (call,) = strand["calls"]
    shown = home.hive("show", "last", "--json").json["entries"]
    (asked,) = [entry["payload"] for entry in shown if entry["kind"] == "Request"]
    assert call["granted_tokens"] == 2 * asked["grant_tokens"]
    assert call["granted_usd"] == pytest.approx(2 * asked["grant"] / 10**9)


def test_that_the_run_was_about_to_end_is_told(home: Here) -> None:
    run(home, "told")
    assert "  the run was about to end: " in home.hive("why", "last", "last").out
    assert "about to end" not in home.hive("why", "last", "1").out


def test_what_the_budget_kept_back_and_what_it_refused_is_told(home: Here) -> None:
    run(home, "tight")
    out = home.hive("why", "last", "1").out
    assert out.count("kept back for its first call: $0.001, ") == 2
    assert home.hive("why", "--json").json["strands"][0]["reserved_usd"] == pytest.approx(
        0.001, 0.1
    )
    run(home, "tighter")
    out = home.hive("why", "last", "1").out
    assert "not called: the run may spend $0.0012; $0 is spent, " in out


def test_who_got_a_cheaper_model_for_want_of_budget_is_told_with_the_reason(home: Here) -> None:
    run(home, "poor")
    out = home.hive("why", "last", "1").out
    assert "  no room in the budget\n    second with dear: the run may spend $0.003" in out
    assert "writer gets openai:cheap" in out
    assert home.hive("why", "--json").json["shortage"]["roles"]["writer"].keys() == {"dear"}


def test_what_was_said_to_a_run_that_is_stuck_is_told(home: Here) -> None:
    run(home, "stuck")
    told = [home.hive("why", "last", str(turn)).out for turn in (3, 4)]
    assert "told beside what they see\n    Think again. (Seen: looped(times=2): 2" in told[0]
    assert "another role than the last time, since looped(times=2) held" in told[1]
    assert "turn 4  second" in told[1]
    assert "change role" in told[1]
    shown = home.hive("show", "last", "--turn", "3").out
    assert "\n  told: Think again. (Seen: looped(times=2): 2" in shown


def test_check_says_what_is_watched(home: Here) -> None:
    out = home.hive("check", "./team5.py:stuck").out
    assert "looped(times=2)  a nudge; 1 turn later another way; 1 turn after that the run" in out
    told = home.hive("check", "./team5.py:stuck", "--json").json["watches"]
    assert told == ["looped(times=2), patience=1: Think again."]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("last", "9"), 2, "nothing was decided in turn 9 of run"),
        (("last", "9"), 2, "its decisions are in turns 1 to 5"),
        (("last", "0"), 2, "nothing was decided in turn 0"),
        (("last", "first"), 2, "TURN is 'first': give a number from 1 to 5, or last"),
        (("nobody", "1"), 2, "nobody"),
        (("last", "1", "--prefer", "cheapest"), 2, "there is no profile 'cheapest'"),
    ],
)
def test_what_cannot_be_told_ends_in_a_sentence(
    home: Here, arguments: tuple[str, ...], code: int, said: str
) -> None:
    run(home, "team")
    answer = home.hive("why", *arguments)
    assert answer.code == code
    assert said in answer.err
    assert not answer.out


def test_a_decision_that_was_erased_is_said_to_be(home: Here) -> None:
    run(home, "team")
    assert home.hive("redact", "last", "2//0", "--why", "a name in it", "--yes").code == 0
    answer = home.hive("why", "last", "2")
    assert answer.code == 2
    assert "the decision of turn 2 cannot be told any more: [redacted: a name in it]" in answer.err


def test_it_is_a_pure_function_of_the_record(home: Here) -> None:
    run(home, "team")
    with Record.open(".hive/journal.db", home.runs()[0]["id"]) as record:
        assert deciding_turns(record.entries) == [1, 2, 3, 4, 5]
        one: Any = why(record.id, record.entries, 2)
        assert one == why(record.id, record.entries, 2)
        assert one.as_json() == home.hive("why", "last", "2", "--json").json
        assert why(record.id, record.entries, 0) is None
