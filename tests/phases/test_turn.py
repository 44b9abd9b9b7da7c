"""A strand from its first step to its last: what a role says, what it is told, and how it ends."""

import re

import pytest
from pydantic import JsonValue

from hive import Finding, Limits, Note, Payload, Plan, Role, Task, View
from hive.board.entry import Entry
from hive.board.records import Fault, Handoff, Inference, Observation, Request
from hive.errors import ModelError
from hive.message import Message, Reply, Text, Thinking, ToolResult, ToolUse
from hive.message import Request as Asked
from hive.models.scripted import Line
from hive.testing import FunctionModel, ScriptedModel, play
from tests.board.values import Renamed
from tests.phases.replies import Colour, look

pytestmark = pytest.mark.asyncio


def use(name: str, /, identity: str = "1", **arguments: object) -> ToolUse:
    return ToolUse(id=identity, name=name, arguments=arguments)  # type: ignore[arg-type]


async def played(
    role: Role, *lines: Line, limits: Limits | None = None
) -> tuple[list[Entry], list[Asked]]:
    model = ScriptedModel(lines)
    return await play(role, model, limits=limits), model.requests


def shown(entries: list[Entry]) -> list[str]:
    return [f"{'.'.join(map(str, entry.address.place))} {entry.kind}" for entry in entries]


def faults(entries: list[Entry]) -> list[Fault]:
    return [entry.payload for entry in entries if isinstance(entry.payload, Fault)]


def posted(entries: list[Entry]) -> list[Payload]:
    return [entry.payload for entry in entries if entry.level == "domain"]


async def test_a_text_ends_the_turn_of_a_role_that_writes_notes() -> None:
    entries, requests = await played(Role("a"), "hello")
    assert shown(entries) == ["0.0 Request", "0.1 Inference", "0.2 Note"]
    assert posted(entries) == [Note(text="hello")]
    assert len(requests) == 1
    assert [entry.origin for entry in entries] == [
        "coordinator", "model:script:replies", "model:script:replies",
    ]  # fmt: skip
    assert {entry.author for entry in entries} == {"a"}
    assert [entry.causes for entry in entries[1:]] == [("1/a/0.0",), ("1/a/0.1",)]
    assert entries[0].causes == ("0//1", "1//0")


async def test_a_reply_that_breaks_the_rules_is_sent_back_with_the_reason() -> None:
    role = Role("a", writes=(Colour,), corrections=2)
    entries, requests = await played(role, "red", '{"name": "green"}', '{"name": "red"}')
    assert shown(entries) == [
        "0.0 Request", "0.1 Inference", "0.2 Fault",
        "1.0 Request", "1.1 Inference", "1.2 Fault",
        "2.0 Request", "2.1 Inference", "2.2 Colour",
    ]  # fmt: skip
    assert [fault.final for fault in faults(entries)] == [False, False]
    assistant, told = requests[1].messages[1:]
    assert assistant == Message("assistant", (Text(text="red"),))
    assert told.role == "user"
    assert "this is no Colour: the whole: Invalid JSON" in told.text
    assert "name: Input should be 'red' or 'blue'" in requests[2].messages[-1].text
    assert entries[3].causes == ("1/a/0.1", "1/a/0.2")


@pytest.mark.parametrize("corrections", [0, 1, 3])
async def test_corrections_are_bounded(corrections: int) -> None:
    role = Role("a", writes=(Colour,), corrections=corrections)
    entries, requests = await played(role, *["nonsense"] * 10)
    assert len(requests) == corrections + 1
    assert [fault.final for fault in faults(entries)] == [False] * corrections + [True]
    assert posted(entries) == []


async def test_several_wrong_parts_of_one_reply_are_one_correction_and_each_is_told() -> None:
    role = Role("a", writes=(Colour, Finding), tools=(look,), corrections=1)
    entries, requests = await played(
        role,
        [use("dig", "1"), use("post_Note", "2", text="x"), use("look", "3", where="ab")],
        [use("post_Finding", "4", claim="c"), use("pass", "5", reason="done")],
    )
    assert [fault.code for fault in faults(entries)] == ["unknown_tool", "write_refused"]
    told = requests[1].messages[-1]
    assert told.role == "tool"
    assert [(part.id, part.error) for part in results(told)] == [
        ("1", True), ("2", True), ("3", False),
    ]  # fmt: skip
    assert posted(entries) == [Finding(claim="c")]


def results(message: Message) -> list[ToolResult]:
    return [part for part in message.parts if isinstance(part, ToolResult)]


async def test_a_refused_write_can_be_read_on_the_board_and_by_the_role() -> None:
    role = Role("a", writes=(Colour, Finding))
    entries, requests = await played(
        role, use("post_Plan", summary="s"), [use("post_Colour", name="red"), use("pass")]
    )
    (fault,) = faults(entries)
    assert fault.message == "role 'a' may not write Plan; it writes Colour, Finding"
    assert results(requests[1].messages[-1])[0].text == fault.message
    assert posted(entries) == [Colour(name="red")]


async def test_a_post_does_not_end_the_turn_and_says_where_it_stands() -> None:
    role = Role("a", writes=(Colour, Finding))
    entries, requests = await played(
        role, [use("post_Colour", "1", name="red"), use("post_Finding", "2", claim="c")], "done"
    )
    assert posted(entries) == [Colour(name="red"), Finding(claim="c")]
    assert [part.text for part in results(requests[1].messages[-1])] == [
        "posted as [1/a/0.2]", "posted as [1/a/0.3]",
    ]  # fmt: skip


async def test_a_final_answer_beside_posts_is_the_output() -> None:
    role = Role("a", writes=(Colour, Finding), output=Finding)
    entries, requests = await played(role, use("post_Colour", name="red"), '{"claim": "c"}')
    assert posted(entries) == [Colour(name="red"), Finding(claim="c")]
    output = requests[0].output
    assert output is not None
    assert output.name == "Finding"
    assert [tool.name for tool in requests[0].tools] == ["post_Colour", "pass"]


async def test_what_a_contribution_unfolds_into_stands_beside_it() -> None:
    plan = Plan(
        summary="s", done_when="d", tasks=(Task(id="T1", title="a"), Task(id="T2", title="b"))
    )
    entries, _ = await played(Role("a", writes=(Plan,)), plan.model_dump_json())
    assert shown(entries)[2:] == ["0.2 Plan", "0.2.2 Task", "0.2.3 Task"]
    assert posted(entries) == [plan, *plan.tasks]
    assert entries[3].causes == ("1/a/0.2",)


class Bundle(Payload):
    """Brings along more than it declares."""

    name: str

    def unfold(self) -> tuple[Payload, ...]:
        return (Note(text="undeclared"),)


async def test_what_may_not_be_unfolded_is_refused_as_a_whole_and_at_its_own_address() -> None:
    role = Role("a", writes=(Bundle,), corrections=0)
    entries, _ = await played(role, '{"name": "n"}')
    addresses = [(entry.address, entry.attempt) for entry in entries]
    assert len(set(addresses)) == len(addresses)
    assert posted(entries) == []
    (fault,) = faults(entries)
    assert fault.code == "write_refused"
    assert fault.message == "role 'a' may not write Note; it writes Bundle"


async def test_passing_ends_the_turn_with_a_reason() -> None:
    role = Role("a", writes=(Colour, Finding))
    entries, requests = await played(role, use("pass", reason="nothing to add"))
    assert shown(entries) == ["0.0 Request", "0.1 Inference"]
    assert len(requests) == 1


async def test_refusals_fail_the_strand_without_a_correction() -> None:
    refusal = Reply(parts=(Text(text="I will not."),), stop="refusal")
    entries, requests = await played(Role("a", corrections=3), refusal, "never asked")
    (fault,) = faults(entries)
    assert (fault.code, fault.final, len(requests)) == ("refusal", True, 1)
    assert "I will not." in fault.message


async def test_a_role_that_never_ends_is_ended() -> None:
    role = Role("a", writes=(Colour, Finding), tools=(look,))
    entries, requests = await played(role, *[use("look", where="x")] * 10, limits=Limits(steps=3))
    assert len(requests) == 3
    (fault,) = faults(entries)
    assert (fault.code, fault.final) == ("steps_exhausted", True)
    assert fault.message == "role 'a' did not end its turn in 3 steps"
    assert shown(entries)[-1] == "3.0 Fault"


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (ModelError("the server is on fire"), "model_error", "ModelError: the server is on fire"),
        (ValueError("a bug"), "model_error", "ValueError: a bug"),
    ],
)
async def test_a_model_that_fails_leaves_a_fault(error: Exception, code: str, says: str) -> None:
    entries, _ = await played(Role("a"), error)
    assert shown(entries) == ["0.0 Request", "0.1 Fault"]
    (fault,) = faults(entries)
    assert (fault.code, fault.message, fault.final) == (code, says, True)
    request = entries[0].payload
    assert isinstance(request, Request)
    assert fault.digest == request.digest
    assert entries[1].causes == ("1/a/0.0",)


async def test_before_it_has_read_anything_a_model_speaks_for_itself_and_then_for_outside() -> None:
    role = Role("a", writes=(Colour, Finding), tools=(look,))
    entries, _ = await played(
        role,
        [use("post_Colour", "0", name="red"), use("look", "1", where="x")],
        [use("post_Finding", "2", claim="c"), use("pass", "3")],
    )
    labels = {str(entry.address): entry.label for entry in entries}
    assert [labels[f"1/a/0.{slot}"] for slot in (0, 1, 2, 3)] == ["model"] * 4
    assert labels["1/a/0.3.1"] == "outside"
    assert labels["1/a/1.1"] == labels["1/a/1.2"] == "outside"


async def test_a_conversation_keeps_everything_its_provider_gave() -> None:
    thinking = Thinking(text="hm", provider="x", opaque={"signature": "s"})
    role = Role("a", writes=(Colour, Finding), tools=(look,))
    call = use("look", where="x")
    _, requests = await played(role, [thinking, "so", call], use("pass"))
    assert requests[1].messages[1] == Message("assistant", (thinking, Text(text="so"), call))
    assert requests[1].messages[0] == requests[0].messages[0]
    assert requests[1].system == requests[0].system
    assert requests[1].digest != requests[0].digest


async def test_a_handoff_is_recorded_and_ends_the_turn() -> None:
    from hive import Graph, Workflow, finish, handoff, start, stop, turns

    a = Role("a", writes=(Colour, Finding))
    b, c = Role("b"), Role("c")
    graph = Graph(start(a), handoff(a, b), handoff(a, c), finish(b), finish(c), stop(when=turns(4)))
    model = ScriptedModel([use("handoff", to="c", reason="c knows"), "b said"])
    result = await Workflow(graph, model=model).run("g")
    (asked,) = [entry for entry in result.entries if isinstance(entry.payload, Handoff)]
    assert asked.payload == Handoff(to="c", reason="c knows")
    assert str(asked.address) == "1/a/0.2"
    assert result.entries[-2].address.turn == 3
    assert [tool.name for tool in model.requests[0].tools] == [
        "post_Colour", "post_Finding", "handoff", "pass",
    ]  # fmt: skip
    assert "handoff" not in [tool.name for tool in model.requests[1].tools]


async def test_a_kind_of_any_name_can_be_posted_by_a_tool_of_a_lawful_name() -> None:
    role = Role("a", writes=(Renamed, Finding))
    arguments: dict[str, JsonValue] = {"from": "here", "Inner": {"name": "n"}}
    entries, requests = await played(
        role, ToolUse(id="1", name="post_user_renamed", arguments=arguments), use("pass")
    )
    (kind,) = posted(entries)
    assert kind == Renamed.model_validate(arguments)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", tool.name) for tool in requests[0].tools)

    async def program(view: View) -> Renamed:
        return Renamed.model_validate(arguments)

    assert posted(await play(role.with_(program=program))) == [kind]


async def test_a_delta_is_heard_and_is_no_entry() -> None:
    entries = await play(Role("a"), FunctionModel(lambda request: "quiet"))
    assert [entry.kind for entry in entries] == ["Request", "Inference", "Note"]
    assert isinstance(entries[1].payload, Inference)
    assert not any(isinstance(entry.payload, Observation) for entry in entries)


async def test_a_model_that_was_stopped_for_now_is_asked_to_go_on_from_what_it_said() -> None:
    thought = Thinking(text="hm", provider="p", opaque={"signature": "s"})
    entries, requests = await played(
        Role("a"), Reply(parts=(thought, Text(text="So far.")), stop="pause"), "The answer."
    )
    assert shown(entries) == [
        "0.0 Request", "0.1 Inference", "1.0 Request", "1.1 Inference", "1.2 Note",
    ]  # fmt: skip
    assert requests[1].messages[1:] == (Message("assistant", (thought, Text(text="So far."))),)
    assert requests[0].digest != requests[1].digest
    assert entries[2].causes == ("1/a/0.1",)
    assert posted(entries) == [Note(text="The answer.")]


async def test_a_model_that_never_comes_to_an_end_is_asked_so_many_times() -> None:
    pause = Reply(parts=(Text(text="Wait."),), stop="pause")
    entries, requests = await played(Role("a"), *[pause] * 9, limits=Limits(steps=3))
    assert len(requests) == 3
    assert [fault.code for fault in faults(entries)] == ["steps_exhausted"]
