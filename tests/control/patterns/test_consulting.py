"""Parallel consultation: one question to several roles or models, blind to each other, then one
answer; read from the board."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from hive import Graph, Note, Role, View, Workflow, finish, latest, start, stop, turns
from hive.audit import Record
from hive.board.records import Decision, StrandPlan, Termination
from hive.control import AcrossModels, OneModel, consultation, rounds_used, worst_case
from hive.errors import DeclarationError, GraphError
from hive.journal.memory import MemoryJournal
from hive.message import Request
from hive.run import Result
from hive.testing import FunctionModel, ScriptedModel
from tests.sound import sound

asker = Role("asker", "Put the question.")
lawyer, doctor, engineer = Role("lawyer"), Role("doctor"), Role("engineer")
merger = Role("merger", "Make one answer of theirs.")
EXPERTS = (lawyer, doctor, engineer)


class Heard:
    """A mind that answers with its role's name, and remembers what each was shown."""

    name = "script:heard"

    def __init__(self, *mute: str) -> None:
        self.mute = mute
        self.shown: dict[str, str] = {}

    async def complete(self, request: Request) -> Any:
        role = request.system.split("'")[1]
        self.shown[f"{role}#{request.sample}"] = str(request.messages[0])
        text = "" if role in self.mute else f"says {role}"
        return await FunctionModel(lambda _: text).complete(request)


def run(graph: Graph, mind: Any, **options: Any) -> Result:
    result = Workflow(graph, model=mind, **options).run_sync("Is it safe?", seed=1)
    sound(result.entries)
    return result


def turns_of(result: Result) -> list[tuple[StrandPlan, ...]]:
    return [e.payload.strands for e in result.entries if isinstance(e.payload, Decision)]


def strands(result: Result) -> list[list[str]]:
    return [[plan.strand for plan in plans] for plans in turns_of(result)]


def ending(result: Result) -> tuple[str, str, str]:
    (end,) = (e.payload for e in result.entries if isinstance(e.payload, Termination))
    return end.outcome, end.reason, end.message


def test_experts_answer_beside_each_other_and_one_role_merges() -> None:
    graph = Graph(start(asker), *consultation(asker, EXPERTS, merger))
    mind = Heard()
    result = run(graph, mind)
    assert strands(result) == [["asker"], ["lawyer", "doctor", "engineer"], ["merger"]]
    assert ending(result)[:2] == ("finished", "goal_reached")
    assert worst_case(graph).turns == 3
    for role in EXPERTS:
        assert "says asker" in mind.shown[f"{role.name}#0"], "they know the question"
        assert all(f"says {other.name}" not in mind.shown[f"{role.name}#0"] for other in EXPERTS), (
            "and nobody knows what another one says"
        )
        assert f"says {role.name}" in mind.shown["merger#0"]


def test_without_an_asker_the_goal_is_the_question_and_the_answer_may_go_on() -> None:
    graph = Graph(*consultation(None, EXPERTS, merger, then=asker), finish(asker))
    assert strands(run(graph, Heard())) == [
        ["lawyer", "doctor", "engineer"],
        ["merger"],
        ["asker"],
    ]


@pytest.mark.parametrize(("quorum", "merged"), [(1, True), (2, True), (3, False)])
def test_the_merger_acts_when_enough_had_something_to_say(quorum: int, merged: bool) -> None:
    experts = tuple(role.with_(corrections=0) for role in EXPERTS)
    graph = Graph(*consultation(None, experts, merger, quorum=quorum))
    result = run(graph, Heard("doctor"))
    assert (strands(result)[-1] == ["merger"]) == merged
    outcome, reason, message = ending(result)
    if merged:
        assert outcome == "finished"
    else:
        assert (outcome, reason) == ("stopped", "no_candidate")
        assert "answered((lawyer, doctor, engineer), 3): 2" in message
        assert "doctor failed: the reply is empty" in message


def test_a_program_may_merge() -> None:
    async def most_frequent(view: View) -> Note:
        texts = [e.payload.text for e in view.entries if isinstance(e.payload, Note)]
        return Note(text=max(sorted(set(texts)), key=texts.count))

    teller = Role("teller", program=most_frequent)
    graph = Graph(*consultation(None, lawyer, teller, samples=3))
    result = run(graph, ScriptedModel(["yes", "no", "yes"]))
    assert strands(result) == [["lawyer#0", "lawyer#1", "lawyer#2"], ["teller"]]
    assert result.text == "yes"


KEYS = ("small", "medium", "large")


def test_the_same_question_goes_to_several_models() -> None:
    graph = Graph(*consultation(None, lawyer, merger, samples=4))
    models = {key: ScriptedModel([f"says {key}"] * 3, key) for key in KEYS}
    team = Workflow(graph, models=models, allocator=AcrossModels(KEYS))
    journal = MemoryJournal()
    result = team.run_sync("g", seed=1, journal=journal)
    sound(result.entries)
    given = turns_of(result)[0]
    assert [plan.key for plan in given] == ["small", "medium", "large", "small"]
    assert [plan.because for plan in given] == [f"sample {n} of 4" for n in (1, 2, 3, 4)]
    (last,) = turns_of(result)[1]
    assert (last.key, last.because) == ("small", ""), "who works alone gets what is within"

    async def again() -> bool:
        return (await Record(journal, result.run).replay(team)).identical

    assert anyio.run(again)


def test_a_model_or_a_tier_of_ones_own_wins_over_the_samples() -> None:
    graph = Graph(*consultation(None, lawyer.with_(tier="large"), merger, samples=3))
    models = {key: ScriptedModel(["so"] * 4, key) for key in KEYS}
    team = Workflow(graph, models=models, allocator=AcrossModels(KEYS))
    assert [plan.key for plan in turns_of(team.run_sync("g"))[0]] == ["large"] * 3
    graph = Graph(*consultation(None, lawyer, merger, samples=2))
    own = {**models, "lawyer": ScriptedModel(["so"] * 4, "own"), "*": ScriptedModel(["so"])}
    team = Workflow(graph, models=own, allocator=AcrossModels(KEYS, within=OneModel("lawyer")))
    assert [plan.key for plan in turns_of(team.run_sync("g"))[0]] == ["lawyer"] * 2


def test_keys_that_do_not_fit_the_models_are_refused() -> None:
    graph = Graph(*consultation(None, lawyer, merger, samples=3))
    models = {key: ScriptedModel([], key) for key in ("small", "large")}
    with pytest.raises(DeclarationError, match="AcrossModels wants a model under 'medium'"):
        Workflow(graph, models=models, allocator=AcrossModels(KEYS))
    for keys in (("small",), ("small", "small"), ()):
        with pytest.raises(DeclarationError, match="give two or more keys of models, each once"):
            AcrossModels(keys)
    with pytest.raises(DeclarationError, match="models names 'tiny'"):
        Workflow(
            graph,
            models={**models, "medium": ScriptedModel([]), "tiny": ScriptedModel([])},
            allocator=AcrossModels(KEYS),
        )


def test_a_question_that_nobody_would_merge_is_refused() -> None:
    with pytest.raises(DeclarationError, match="role 'lawyer' alone leaves nothing to merge"):
        consultation(asker, lawyer, merger)
    with pytest.raises(DeclarationError, match="quorum=4 of 3 strands"):
        consultation(asker, EXPERTS, merger, quorum=4)
    with pytest.raises(DeclarationError, match="are different roles"):
        consultation(asker, EXPERTS, asker)
    with pytest.raises(DeclarationError, match="are different roles"):
        consultation(asker, EXPERTS, doctor)
    with pytest.raises(GraphError, match="role 'asker' is never reached"):
        Graph(start(engineer), *consultation(asker, (lawyer, doctor), merger), finish(engineer))
    with pytest.raises(DeclarationError, match="give a whole number from 1 on"):
        consultation(asker, EXPERTS, merger, quorum=0)


def test_a_consultation_that_is_repeated_must_be_bounded() -> None:
    parts = (start(asker), *consultation(asker, EXPERTS, merger, then=asker))
    with pytest.raises(GraphError, match="can go round for ever"):
        Graph(*parts, finish(asker))
    often = latest(Note, lambda note: note.text == "enough", name="enough", author=asker)
    graph = Graph(*parts, finish(asker, when=often), stop(when=rounds_used(asker, 2) | turns(20)))
    result = run(graph, Heard())
    assert [plans[0].role for plans in turns_of(result)].count("asker") == 3
    assert ending(result)[:2] == ("stopped", "turns_exhausted")
