"""What a reply means: every reply becomes actions, and breaking the rules is one of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive import Finding, Note, Role
from hive.board.contributions import Attachment
from hive.board.records import Fault, Inference
from hive.message import Media, Reply, Text, ToolUse, Usage
from hive.phases.select import Contribute, GoOn, HandOff, Invalid, Pass, UseTool, select
from hive.phases.strand import Limits
from hive.testing import FunctionModel, play
from tests.phases.replies import ROLES, Colour, Short, Size, look, replies


def answered(reply: Reply) -> Inference:
    return Inference(model="m", parts=reply.parts, stop=reply.stop, usage=Usage(), digest="d")


def said(*parts: str | ToolUse | Media, stop: str = "end") -> Inference:
    shown = tuple(Text(text=part) if isinstance(part, str) else part for part in parts)
    return answered(Reply(parts=shown, stop=stop))  # type: ignore[arg-type]  # one of the reasons


def use(name: str, /, malformed: str | None = None, **arguments: object) -> ToolUse:
    return ToolUse(id="1", name=name, arguments=arguments, malformed=malformed)  # type: ignore[arg-type]


@given(st.sampled_from(ROLES), replies, st.booleans(), st.sampled_from([(), ("a",), ("a", "b")]))
@settings(max_examples=400)
def test_every_reply_becomes_at_least_one_action(
    role: Role, reply: Reply, contributed: bool, targets: tuple[str, ...]
) -> None:
    actions = select(role, answered(reply), targets, contributed)
    assert actions
    for action in actions:
        assert isinstance(action, Contribute | UseTool | HandOff | Pass | GoOn | Invalid)
        if isinstance(action, Contribute):
            assert type(action.payload) in role.writes
        if isinstance(action, UseTool):
            assert action.tool in role.tools
        if isinstance(action, HandOff):
            assert action.to in targets
        if isinstance(action, Invalid):
            assert action.message
    if reply.stop in ("refusal", "filter", "overflow"):
        assert [type(action) for action in actions] == [Invalid]
        return
    beside = [a for a in actions if isinstance(a, Contribute) and a.beside]
    if reply.tool_uses:
        assert len(actions) == len(reply.tool_uses) + len(beside)
    else:
        assert len(actions) == 1 + len(beside)


@given(st.sampled_from(ROLES), st.lists(replies, min_size=1, max_size=3))
@settings(max_examples=200)
@pytest.mark.asyncio
async def test_no_reply_ends_a_run_and_none_vanishes(role: Role, said: list[Reply]) -> None:
    lines = iter(said)
    model = FunctionModel(lambda request: next(lines, said[-1]))
    entries = await play(role, model, limits=Limits(steps=4))
    kinds = [entry.kind for entry in entries]
    assert kinds[0] == "Request"
    assert kinds.count("Request") == kinds.count("Inference") + sum(
        isinstance(e.payload, Fault) and e.payload.digest != "" for e in entries
    )
    contributed = [entry for entry in entries if entry.level == "domain"]
    failed = [e for e in entries if isinstance(e.payload, Fault) and e.payload.final]
    passed = any(use.name == "pass" for reply in said for use in reply.tool_uses)
    assert contributed or failed or passed
    assert len(failed) <= 1 + max(len(reply.parts) for reply in said)


def test_plain_text_becomes_a_note() -> None:
    assert select(Role("a"), said("hello"), (), False) == (Contribute(Note(text="hello")),)


@pytest.mark.parametrize(
    "text", ['{"name": "red"}', ' \n{"name": "red"}\n', '```json\n{"name": "red"}\n```']
)
def test_json_becomes_the_kind_that_the_role_writes(text: str) -> None:
    role = Role("a", writes=(Colour,))
    assert select(role, said(text), (), False) == (Contribute(Colour(name="red")),)


def test_what_does_not_fit_is_told_field_by_field() -> None:
    (action,) = select(
        Role("a", writes=(Colour,)), said('{"name": "green", "shades": [1], "x": 0}'), (), False
    )
    assert isinstance(action, Invalid)
    assert action.code == "invalid_output"
    assert action.message.startswith("this is no Colour: name: Input should be 'red' or 'blue'")
    assert "shades.0: Input should be a valid string" in action.message
    assert "x: Extra inputs are not permitted" in action.message


def test_a_text_that_breaks_the_rules_of_its_field_is_told_too() -> None:
    for text in ("a", "far too long"):
        (action,) = select(Role("a", writes=(Short,)), said(text), (), False)
        assert isinstance(action, Invalid)
        assert action.code == "invalid_output"
        assert "this is no Short: text: String should have at" in action.message
    assert select(Role("a", writes=(Short,)), said("fits"), (), False) == (
        Contribute(Short(text="fits")),
    )


def test_a_kind_whose_text_is_no_text_is_answered_in_json() -> None:
    role = Role("a", writes=(Size,))
    assert select(role, said('{"text": 7}'), (), False) == (Contribute(Size(text=7)),)
    (action,) = select(role, said("seven"), (), False)
    assert isinstance(action, Invalid)


MANY = Role("many", writes=(Colour, Finding), tools=(look,))


def test_tools_posts_handoffs_and_passing_are_told_apart_in_the_order_of_the_reply() -> None:
    uses = (
        use("look", where="here"),
        use("post_Finding", claim="c"),
        use("handoff", to="b", reason="r"),
        use("pass", reason="done"),
    )
    assert select(MANY, said("some words", *uses), ("b",), False) == (
        UseTool(look, uses[0]),
        Contribute(Finding(claim="c"), uses[1]),
        HandOff("b", "r", uses[2]),
        Pass("done", uses[3]),
    )


@pytest.mark.parametrize(
    ("call", "code", "says"),
    [
        (use("dig"), "unknown_tool", "role 'many' has no tool 'dig'; it has look"),
        (use("look", malformed="{where"), "malformed_arguments", "are no JSON object: '{where'"),
        (use("post_Note", text="x"), "write_refused", "may not write Note; it writes Colour, Find"),
        (use("post_Colour", name="x"), "invalid_output", "this is no Colour: name: "),
        (use("handoff", to="many"), "handoff_refused", "cannot hand on to 'many', only to b, c"),
        (use("handoff"), "handoff_refused", "cannot hand on to '', only to b, c"),
    ],
)
def test_what_breaks_the_rules_says_what_would_be_right(
    call: ToolUse, code: str, says: str
) -> None:
    (action,) = select(MANY, said(call), ("b", "c"), False)
    assert isinstance(action, Invalid)
    assert action.code == code
    assert says in action.message
    assert action.use == call


def test_silence_is_invalid_until_something_was_posted() -> None:
    (action,) = select(MANY, said(""), (), False)
    assert isinstance(action, Invalid)
    assert "nothing was posted; call post_Colour, post_Finding, or `pass`" in action.message
    assert select(MANY, said("done"), (), True) == (Pass("done"),)
    (action,) = select(Role("a"), said(" \n"), (), True)
    assert isinstance(action, Invalid)
    assert action.code == "empty_reply"


def test_a_reply_that_was_cut_off_is_asked_for_again_shorter() -> None:
    (action,) = select(Role("a"), said("half a sen", stop="length"), (), False)
    assert isinstance(action, Invalid)
    assert (action.code, action.final) == ("truncated", False)
    cut = use("look", where="he")
    (action,) = select(MANY, said(cut, stop="length"), (), False)
    assert isinstance(action, Invalid)
    assert action.use == cut


@pytest.mark.parametrize(
    ("stop", "parts", "message"),
    [
        ("refusal", ("I won't.", use("look")), "the model refused: I won't."),
        ("refusal", (), "the model refused: the model gave no reason"),
        (
            "filter",
            ("Take two",),
            "a content filter of the provider cut the reply off, after: Take two",
        ),
        ("filter", (), "a content filter of the provider cut the reply off"),
    ],
)
def test_a_refusal_ends_the_strand_and_says_whose_it_is(
    stop: str, parts: tuple[str | ToolUse, ...], message: str
) -> None:
    (action,) = select(MANY, said(*parts, stop=stop), (), False)
    assert isinstance(action, Invalid)
    assert (action.code, action.final) == ("refusal", True)
    assert action.message == message


def test_a_full_window_ends_the_strand_for_more_would_not_fit_into_it() -> None:
    (action,) = select(MANY, said("half a sen", use("look"), stop="overflow"), (), True)
    assert isinstance(action, Invalid)
    assert (action.code, action.final) == ("truncated", True)
    assert "the model's window is full" in action.message


def test_a_model_that_was_stopped_for_now_goes_on_and_its_calls_are_made() -> None:
    assert select(MANY, said("let me see", stop="pause"), (), False) == (GoOn(),)
    call = use("look", where="here")
    assert select(MANY, said(call, stop="pause"), (), False) == (UseTool(look, call),)


CHART = Media(media_type="image/png", data="AAAA", name="chart.png")
DRAWN = Contribute(Attachment.of(CHART), beside=True)


def test_an_image_is_posted_beside_what_is_said_and_is_enough_alone() -> None:
    painter = Role("painter", writes=(Note, Attachment))
    assert select(painter, said("see", CHART), (), False) == (
        DRAWN,
        Contribute(Note(text="see")),
    )
    assert select(painter, said(CHART), (), False) == (DRAWN, Pass(""))
    assert select(painter, said(CHART, stop="pause"), (), False) == (DRAWN, GoOn())
    assert select(Role("a", writes=(Attachment,)), said("see", CHART), (), False) == (
        DRAWN,
        Pass("see"),
    )


def test_an_image_beside_calls_ends_nothing() -> None:
    painter = Role("painter", writes=(Note, Attachment), tools=(look,))
    call = use("look", where="here")
    assert select(painter, said(CHART, call), (), False) == (UseTool(look, call), DRAWN)


def test_an_image_of_a_role_that_writes_none_is_no_contribution() -> None:
    assert select(Role("a"), said("see", CHART), (), False) == (Contribute(Note(text="see")),)
    (action,) = select(Role("a"), said(CHART), (), False)
    assert isinstance(action, Invalid)
    assert action.code == "empty_reply"


def test_a_role_that_writes_nothing_but_images_is_asked_for_one() -> None:
    (action,) = select(Role("a", writes=(Attachment,)), said("I cannot draw."), (), False)
    assert isinstance(action, Invalid)
    assert (action.code, action.message) == (
        "empty_reply",
        "nothing was posted; answer with an image or a file",
    )
