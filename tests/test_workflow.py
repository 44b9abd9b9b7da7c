"""Workflows: the declaration of a team, checked when it is made, compared before it goes on."""

import sys
from pathlib import Path
from typing import Any

import pytest

from hive import (
    Budget,
    ByComplexity,
    Finding,
    Graph,
    GraphOrder,
    Limits,
    Note,
    Payload,
    Plan,
    Review,
    Role,
    RoundRobin,
    State,
    Tally,
    Task,
    TestReport,
    Workflow,
    finish,
    guard,
    handoff,
    posted,
    start,
    stop,
    tool,
    turns,
)
from hive.board.canonical import decode
from hive.board.records import Complexity, Decision
from hive.control import Allocation, Chooser, EpsilonGreedy, OneModel
from hive.errors import DeclarationError, GraphError, JournalError, MissingKey, UnknownModel
from hive.fingerprint import differences
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import SQLiteJournal
from hive.models import Model
from hive.testing import FunctionModel, ScriptedModel

a, b = Role("a"), Role("b")
TALK = FunctionModel(lambda request: "said", "talk")


def team(*roles: Role, **options: Any) -> Workflow:
    options.setdefault("model", TALK)
    graph = Graph(start(roles), finish(roles), stop(when=turns(3)))
    return Workflow(graph, **options)


def test_a_role_or_a_chain_gets_bounds_that_are_said() -> None:
    for written in (a, a >> b):
        workflow = Workflow(written, model=TALK)
        assert workflow.bounds == ("turns(40)", "elapsed(minutes=30)")
        assert "stop(when=turns(40) | elapsed(minutes=30))" in str(workflow.graph)
    graph = workflow.graph
    assert Workflow(graph, model=TALK).bounds == ()
    assert Workflow(graph, model=TALK).graph is graph


@pytest.mark.parametrize("graph", [None, "a >> b", (a, b), 7])
def test_what_is_no_graph_is_refused(graph: Any) -> None:
    with pytest.raises(DeclarationError, match="give a Graph, a chain of roles or one Role"):
        Workflow(graph, model=TALK)


def test_a_workflow_without_any_model_is_given_them_before_it_starts() -> None:
    seatless = Workflow(a, budget=Budget(calls=3))
    with pytest.raises(DeclarationError, match=r"role 'a' has no model: .* needs the key 'a'"):
        seatless.start("g")
    with pytest.raises(DeclarationError, match="role 'a' has no model"):
        seatless.with_(budget=Budget(calls=4)).team()
    assert seatless.with_(model=TALK).run_sync("g").outcome == "finished"


def test_a_role_without_a_model_is_refused() -> None:
    with pytest.raises(DeclarationError, match="role 'a' has no model"):
        Workflow(a >> b, models={"b": TALK})
    with pytest.raises(UnknownModel, match="nobody"):
        Workflow(a, model="nobody:knows")
    with pytest.raises(DeclarationError, match=r"models\['b'\] is 7, which is neither a name nor"):
        Workflow(a, model=TALK, models={"b": 7})  # type: ignore[dict-item]  # what is tested


def test_a_package_that_is_missing_is_said_when_a_team_starts_and_not_where_it_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "hive.models.anthropic_messages.backend", None)
    team = Workflow(Role("a"), model="anthropic:claude-opus-5")
    with pytest.raises(UnknownModel, match="needs the package"):
        team.run_sync("Say it.")
    assert team.with_(model=ScriptedModel(["Said."])).run_sync("Say it.").text == "Said."


def test_a_model_that_nobody_gets_needs_neither_a_key_nor_a_price(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    chain = Role("a") >> Role("b")
    team = Workflow(chain, model="openai:no-such", models={"large": "openai:no-such"})
    hired = team.with_models(a=ScriptedModel(["One."]), b=ScriptedModel(["Two."]))
    assert sorted(hired.needed) == ["a", "b"]
    assert hired.with_(budget=Budget(usd=1)).run_sync("Say it.").text == "Two."
    with pytest.raises(MissingKey, match="OPENAI_API_KEY"):
        team.with_models(a=ScriptedModel(["One."])).run_sync("Say it.")


@pytest.mark.parametrize("models", ["ollama:qwen3", ["ollama:qwen3"]])
def test_models_that_are_not_given_by_key_are_refused(models: Any) -> None:
    with pytest.raises(DeclarationError, match="give a mapping from roles or tiers to models"):
        Workflow(Role("a"), models=models)


def test_everyones_model_is_changed_by_one_word() -> None:
    team = Workflow(Role("a") >> Role("b"), model="openai:gpt-5", models={"a": "openai:gpt-5-mini"})
    changed = team.with_models(default="ollama:qwen3")
    assert changed.assigned == {"*": "ollama:qwen3", "a": "openai:gpt-5-mini"}
    assert changed.with_models(default="vllm:x").assigned["*"] == "vllm:x"
    assert team.with_(model="ollama:qwen3", models={}).assigned == {"*": "ollama:qwen3"}


def test_programs_need_no_model() -> None:
    async def work(view: Any) -> Note:
        return Note(text="done")

    assert Workflow(Role("a", program=work)).run_sync("g").text == "done"


class Own(Payload):
    kind = "Task"


def test_two_classes_of_one_kind_in_a_team_are_refused() -> None:
    with pytest.raises(DeclarationError, match="are both of kind 'Task'"):
        team(Role("a", writes=(Task,)), Role("b", writes=(Own,)))
    with pytest.raises(DeclarationError, match="are both of kind 'Task'"):
        team(Role("a", writes=(Plan,)), Role("b", reads=(Own,)))


def test_an_advisor_may_not_share_its_name_with_a_role() -> None:
    with pytest.raises(DeclarationError, match="advisor and a role of the graph are both named"):
        team(Role("chooser"), policy=Chooser())


anything: Any = EpsilonGreedy


@pytest.mark.parametrize(
    "wrong",
    ["round robin", RoundRobin, EpsilonGreedy, object(), anything(RoundRobin)],
)
def test_what_is_no_policy_is_refused(wrong: Any) -> None:
    with pytest.raises(DeclarationError, match=r"give an object with a name and decide"):
        Workflow(Role("a"), policy=wrong)


@pytest.mark.parametrize("wrong", ["by rules", RoundRobin, OneModel, RoundRobin()])
def test_what_is_no_estimator_and_no_allocator_is_refused(wrong: Any) -> None:
    with pytest.raises(DeclarationError, match=r"^estimator=.*: give an object with estimate\("):
        Workflow(Role("a"), estimator=wrong)
    with pytest.raises(DeclarationError, match=r"^allocator=.*: give an object with allocate\("):
        Workflow(Role("a"), allocator=wrong)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("hard", "estimator Wrong judged 'hard'; give a Complexity"),
        (
            Complexity(level="simple", score=1, probabilities=(0.5, 0.5)),
            "estimator Wrong gave 2 probabilities; give one for each of trivial, simple",
        ),
    ],
)
def test_what_is_no_judgement_is_said_to_be_none(said: Any, told: str) -> None:
    class Wrong:
        def estimate(self, goal: str, state: State) -> Any:
            return said

    result = Workflow(Role("a"), model=TALK, estimator=Wrong()).run_sync("goal")
    assert (result.outcome, result.reason) == ("failed", "policy_error")
    assert told in result.message


def test_a_bad_graph_is_refused_where_it_is_written() -> None:
    with pytest.raises(GraphError):
        Graph(start(a), handoff(a, b), handoff(b, a), finish(a, when=posted(Finding)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"strands": 0}, {"steps": 0}, {"output_tokens": 0}, {"view_tokens": -1},
        {"call_seconds": 0}, {"observation_chars": 0}, {"steps": 1.5},
    ],
)  # fmt: skip
def test_limits_without_room_are_refused(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(DeclarationError, match=rf"Limits\({name}="):
        Limits(**wrong)


def test_the_vocabulary_is_the_union_of_what_the_roles_declare() -> None:
    planner = Role("planner", writes=(Plan,))
    critic = Role("critic", reads=(Finding, Decision), writes=(Review,))
    vocabulary = team(planner, critic).vocabulary
    assert {"Goal", "Plan", "Task", "Finding", "Review", "Decision", "Inference"} <= set(vocabulary)
    assert "TestReport" not in vocabulary
    assert vocabulary["Plan"] is Plan


def test_what_roles_write_read_and_hand_on_to_is_known_beforehand() -> None:
    planner = Role("planner", writes=(Plan,))
    critic = Role("critic", reads=(Finding, Decision))
    graph = Graph(
        start(planner), handoff(planner, critic), handoff(critic, planner), finish(critic),
        stop(when=turns(5)),
    )  # fmt: skip
    workflow = Workflow(graph, model=TALK)
    assert workflow.writers == {"planner": {"Plan", "Task"}, "critic": {"Note"}}
    assert workflow.reads["critic"] == {"Goal", "UserMessage", "Finding", "Decision"}
    said = {"Goal", "UserMessage", "Attachment", "Finding", "Plan", "Task", "Note", "Fault"}
    assert workflow.reads["planner"] == said
    assert workflow.readable == {"Decision"}
    assert workflow.targets == {"planner": ("critic",), "critic": ("planner",)}


def test_tallies_of_guards_and_policies_are_folded() -> None:
    tally = Tally("seen", 0, lambda value, entry: 1)

    class Remembering:
        name = "remembering"
        tallies = (Tally("own", 0, lambda value, entry: 2),)

        def decide(self, situation: Any) -> Any:
            return GraphOrder().decide(situation)

    seen = guard("seen", tallies=[tally])(lambda state: state.tallies["seen"] == 1)
    graph = Graph(start(a), finish(a, when=seen), stop(when=turns(3)))
    workflow = Workflow(graph, model=TALK, policy=Remembering())
    assert {"seen", "own"} <= {tally.name for tally in workflow.folding.tallies}
    result = workflow.run_sync("g")
    assert result.finished
    assert (result.state.tallies["seen"], result.state.tallies["own"]) == (1, 2)


def test_a_team_with_a_test_tool_measures_progress_by_tests() -> None:
    @tool(effect="read", posts=(TestReport,))
    async def check() -> str:
        """Check."""
        return ""

    assert team(Role("a", tools=(check,))).folding.tested
    assert not team(a).folding.tested


def test_changes_make_another_workflow_that_is_checked_again() -> None:
    workflow = Workflow(a >> b, model=TALK, budget=Budget(calls=3))
    other = workflow.with_(policy=RoundRobin(), limits=Limits(steps=3))
    assert (other.policy.name, other.limits.steps, other.budget.calls) == ("round robin", 3, 3)
    assert workflow.policy.name == "graph order"
    assert workflow.with_models(b=ScriptedModel(["x"])).run_sync("g").text == "x"
    with pytest.raises(UnknownModel):
        workflow.with_models(b="nobody:knows")


class Mine:
    """A user's allocator, estimator and synthesis without a word of their own on what they are."""

    def allocate(self, *given: Any) -> Allocation:
        return Allocation("*")

    def estimate(self, goal: str, state: State) -> Complexity:
        return Complexity(level="simple", score=1)

    def synthesise(self, board: Any, ending: Any) -> str:
        return "mine"


def test_the_same_declaration_has_the_same_fingerprint_in_every_process() -> None:
    def declared() -> Workflow:
        mine: Any = Mine()
        return team(Role("a", "x", writes=(Plan,)), allocator=mine, estimator=mine, synthesis=mine)

    assert declared().manifest_bytes == declared().manifest_bytes
    assert declared().vocabulary_bytes == declared().vocabulary_bytes


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"policy": RoundRobin()}, "policy"),
        ({"budget": Budget(calls=9)}, "budget"),
        ({"limits": Limits(steps=9)}, "limits"),
        ({"allocator": OneModel("*")}, "allocator"),
        ({"synthesis": Mine()}, "synthesis"),
        ({"estimator": Mine()}, "estimator"),
        ({"model": FunctionModel(lambda request: "x", "other")}, "model *"),
        ({"models": {"a": TALK}}, "model a"),
        ({"graph": Graph(start(a), finish(a), stop(when=turns(4)))}, "graph"),
    ],
)
def test_every_part_of_a_workflow_counts_in_its_fingerprint(
    change: dict[str, Any], part: str
) -> None:
    before = Workflow(Graph(start(a), finish(a), stop(when=turns(3))), model=TALK)
    changed = differences(
        decode(before.manifest_bytes), decode(before.with_(**change).manifest_bytes)
    )
    assert [line.partition(": ")[0] for line in changed] == [part]


@pytest.mark.parametrize(
    "change",
    [
        {"instructions": "Other."}, {"reads": (Note,)}, {"writes": (Note, Finding)},
        {"tier": "large"}, {"corrections": 0}, {"output": Note},
    ],
)  # fmt: skip
def test_every_part_of_a_role_counts_in_its_fingerprint(change: dict[str, Any]) -> None:
    before, after = team(a), team(a.with_(**change))
    changed = differences(decode(before.manifest_bytes), decode(after.manifest_bytes))
    assert "role a" in {line.partition(": ")[0] for line in changed}


def test_a_run_is_not_resumed_under_other_approvals_of_a_tool(tmp_path: Path) -> None:
    """Approvals are the operator's, not the workflow's: who rules may change while a run waits."""
    journal = MemoryJournal()
    from hive.message import ToolUse
    from hive.tools import allow, deny

    @tool(effect="irreversible")
    async def fire() -> str:
        """Fire."""
        return "fired"

    role = Role("a", tools=(fire,))
    model = ScriptedModel([ToolUse(id="1", name="fire"), "done"])
    waiting = Workflow(role, model=model).run_sync("g", journal=journal)
    assert waiting.outcome == "waiting"
    import asyncio

    async def go_on() -> str:
        workflow = Workflow(role, model=model, approvals=deny())
        result = await workflow.resume(waiting.run, journal=journal, approvals=allow()).result()
        return result.text

    assert asyncio.run(go_on()) == "done"


def test_a_start_that_is_refused_leaves_no_journal_open_and_no_run_held(tmp_path: Path) -> None:
    class Unpriced:
        name = "openai:nobody-knows-this-one"

        async def complete(self, request: Any) -> Any:
            raise NotImplementedError

    unpriced: Model = Unpriced()
    journal = SQLiteJournal(tmp_path / "journal.db")
    workflow = Workflow(a, model=unpriced, budget=Budget(usd=1))
    for where in (journal, f"sqlite:{tmp_path / 'other.db'}"):
        with pytest.raises(DeclarationError, match="is not known"):
            workflow.start("g", journal=where)
    assert journal.runs() == []
    journal.close()
    with pytest.raises(JournalError, match="no journal answers to"):
        Workflow(a, model=TALK).start("g", journal="mysql:x")


def test_by_default_work_is_allotted_by_complexity_in_the_order_of_the_graph() -> None:
    workflow = Workflow(a, model=TALK)
    assert isinstance(workflow.allocator, ByComplexity)
    assert workflow.policy == GraphOrder()
    assert workflow.limits == Limits()
    assert workflow.budget == Budget()
