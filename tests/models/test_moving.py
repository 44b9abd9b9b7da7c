"""A conversation that begins with one provider goes on with another."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.message import Media, Message, Part, Request, Text, Thinking, ToolResult, ToolUse
from hive.models import ModelCard, close, resolve
from hive.models.shown import maker_of, shown
from hive.models.wire import Backend
from hive.testing.loopback import loopback
from tests.models.asking import ASK, BACKENDS, KEY, LOOK, ask, each, model_at, use
from tests.models.lawful import LAWS

PNG = Media(media_type="image/png", data="iVBORw0KGgoAAAAA", name="chart.png")
TABLE = Media.of(b"a,b\n1,2\n", "table.csv")
MAKERS = ("openai", "openai-chat", "anthropic", "compatible@127.0.0.1:8000")


def thought(maker: str, text: str) -> Thinking:
    opaque: dict[str, Any] = {
        "openai": {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": text},
        "openai-chat": {"reasoning_content": f"{text}\n"},
        "anthropic": {"type": "thinking", "thinking": text, "signature": f"signed {text}"},
    }
    return Thinking(text=text, provider=maker, opaque=opaque.get(maker, {"reasoning": text}))


def backend(name: str, **options: Any) -> Backend[Any]:
    model = resolve(name, key=KEY, **options)
    assert isinstance(model, Backend)
    return model


def sent(model: Backend[Any], request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What goes over the wire, and what is said to be left out of it."""
    seen, left_out = shown(request, model.rules(), model.maker, None)
    return json.loads(json.dumps(model.params(seen))), left_out


def talk(*messages: Message) -> Request:
    return ASK._replace(messages=messages)


def user(*parts: Part | str) -> Message:
    return Message("user", tuple(Text(text=p) if isinstance(p, str) else p for p in parts))


def assistant(*parts: Part | str) -> Message:
    return Message("assistant", tuple(Text(text=p) if isinstance(p, str) else p for p in parts))


def tool(*results: ToolResult) -> Message:
    return Message("tool", results)


def result(identity: str, text: str = "a wall", **more: Any) -> ToolResult:
    return ToolResult(id=identity, name="look", text=text, **more)


# Any conversation

numbers = st.integers(10**6, 10**7 - 1)  # of one width, so that none stands within another
texts = st.one_of(st.sampled_from(["", " ", "\n\t"]), numbers.map(lambda n: f"said {n}. ☺"))
files = st.one_of(
    numbers.map(lambda n: Media.of(b"\x89PNG\r\n\x1a\n%d" % n, f"{n}.png")),
    numbers.map(lambda n: Media.of(b"%%PDF-1.7 %d" % n, f"{n}.pdf")),
    numbers.map(lambda n: Media.of(b"a,b\n1,%d\n" % n, f"{n}.csv")),
    numbers.map(lambda n: Media.of(b"ID3\0%d" % n, f"{n}.mp3")),
    numbers.map(lambda n: Media.of(b"\0\xff%d" % n, f"{n}.bin")),
    numbers.map(lambda n: Media.of(b"\xff%d" % n, f"{n}.txt")),
    numbers.map(lambda n: Media.of(b"II*\0%d" % n, f"{n}.tiff")),
)
ids = st.sampled_from(["", "call_0", "call_1", "a b", "functions.look:0", "ü" * 30, "x" * 80])
names = st.sampled_from(["look", "look", "functions.look", "", "y" * 99])
uses = st.builds(
    ToolUse,
    id=ids,
    name=names,
    arguments=st.dictionaries(st.just("n"), numbers),
    malformed=st.none(),
)
results = st.builds(
    ToolResult,
    id=ids,
    name=names,
    text=texts,
    error=st.booleans(),
    media=st.lists(files, max_size=2).map(tuple),
)
thoughts = st.builds(
    lambda maker, n: thought(maker, f"thought {n}"), st.sampled_from(MAKERS), numbers
)
said = texts.map(lambda text: Text(text=text))
messages = st.one_of(
    st.builds(lambda parts: user(*parts), st.lists(said | files, max_size=3)),
    st.builds(
        lambda parts: assistant(*parts), st.lists(said | files | uses | thoughts, max_size=5)
    ),
    st.builds(lambda parts: tool(*parts), st.lists(results, max_size=3)),
)
conversations = st.lists(messages, max_size=8).map(lambda drawn: talk(*drawn))


def parts_of(request: Request) -> list[Part]:
    return [part for message in request.messages for part in message.parts]


def media_of(request: Request) -> list[Media]:
    found: list[Media] = []
    for part in parts_of(request):
        if isinstance(part, Media):
            found.append(part)
        elif isinstance(part, ToolResult):
            found += part.media
    return found


@each
@given(request=conversations)
def test_any_conversation_becomes_a_request_that_the_provider_takes(
    name: str, request: Request
) -> None:
    model = backend(name)
    own = [
        dict(part.opaque)
        for part in parts_of(request)
        if isinstance(part, Thinking) and part.provider == model.maker
    ]
    body, _ = sent(model, request)
    LAWS[model.maker](body, own)


@each
@given(request=conversations)
def test_what_is_left_out_is_named_and_all_else_is_sent(name: str, request: Request) -> None:
    model = backend(name)
    body, left_out = sent(model, request)
    written = json.dumps(body, ensure_ascii=False).replace("\\\\n", "\\n")
    seen = 0
    for media in media_of(request):
        as_text = media.media_type == "text/csv" and media.content.decode().strip() != ""
        is_sent = media.data in written or (as_text and f"File {media.name}" in written)
        seen += is_sent
        noted = any(line.startswith(f"{media.description};") for line in left_out)
        assert is_sent != noted, (media, left_out)
    lines = [line for line in left_out if ";" in line]
    assert len(lines) == len(media_of(request)) - seen
    for part in parts_of(request):
        if isinstance(part, Text | ToolResult):
            assert part.text.strip() in written
    made = [part for part in parts_of(request) if isinstance(part, Thinking)]
    counted = dict.fromkeys(MAKERS, 0)
    dangling = 0
    for line in left_out:
        if found := re.fullmatch(r"(\d+) pieces? of thinking by (.+)", line):
            counted[found[2]] += int(found[1])
        elif found := re.fullmatch(r"(\d+) pieces? of thinking that nothing followed", line):
            dangling += int(found[1])
    for maker in MAKERS:
        mine = [part for part in made if part.provider == maker]
        assert counted[maker] == (0 if maker == model.maker else len(mine))
    shown_thoughts = len(re.findall(r"thought \d+", written)) // (2 if name[0] == "a" else 1)
    assert shown_thoughts + dangling + sum(counted.values()) == len(made)


@each
@given(request=conversations, more=messages)
def test_a_longer_conversation_begins_with_the_same_words(
    name: str, request: Request, more: Message
) -> None:
    model = backend(name)
    closed = talk(*request.messages, user("So."))
    before, _ = shown(closed, model.rules(), model.maker, None)
    after, _ = shown(
        talk(*closed.messages, assistant("Yes."), more), model.rules(), model.maker, None
    )
    assert after.messages[: len(before.messages)] == before.messages


# What is put right


@each
@pytest.mark.asyncio
async def test_a_conversation_moves_with_its_calls_images_and_thinking(name: str) -> None:
    request = talk(
        user("Look around.", PNG),
        assistant(
            *[thought(maker, f"a thought by {maker}.") for maker in MAKERS],
            "Let me look.",
            use("functions.look:0", where="left"),
            use("functions.look:1", where="right"),
        ),
        tool(result("functions.look:1", "a door"), result("functions.look:0", "a wall")),
    )
    reply, server = await ask(["So it is."], name, request._replace(tools=(LOOK,)))
    (received,) = server.requests
    mine = maker_of(name)
    assert reply.left_out == tuple(f"1 piece of thinking by {m}" for m in MAKERS if m != mine)
    assert received.results == ["a wall", "a door"]
    written = json.dumps(received, ensure_ascii=False)
    assert PNG.data in written
    assert [maker for maker in MAKERS if f"a thought by {maker}." in written] == [mine]


@each
def test_ids_that_repeat_are_told_apart_and_pair_with_their_own_results(name: str) -> None:
    request = talk(
        user("Look."),
        assistant(use("call_0", n=1)),
        tool(result("call_0", "first")),
        assistant(use("call_0", n=2), use("call_0", n=3)),
        tool(result("call_0", "second"), result("call_0", "third")),
    )
    body, left_out = sent(backend(name), request)
    LAWS[maker_of(name)](body, [])
    written = json.dumps(body)
    order = [written.index(word) for word in ("first", "second", "third")]
    assert order == sorted(order)
    assert left_out == ()


def test_ids_are_left_as_they_are_where_they_fit() -> None:
    request = talk(user("x"), assistant(use("toolu_01AbC")), tool(result("toolu_01AbC")))
    for name in BACKENDS:
        body, _ = sent(backend(name), request)
        assert json.dumps(body).count("toolu_01AbC") == 2


@pytest.mark.parametrize(
    "name",
    ["compatible:mistral-large@http://127.0.0.1:1/v1", "compatible:x@http://api.mistral.ai/v1"],
)
def test_models_of_mistral_get_ids_of_nine_characters(name: str) -> None:
    request = talk(
        user("x"),
        assistant(use("call_abc"), use("abcdefghi")),
        tool(result("call_abc"), result("abcdefghi")),
    )
    body, _ = sent(backend(name), request)
    called = [call["id"] for call in body["messages"][2]["tool_calls"]]
    assert all(re.fullmatch("[a-zA-Z0-9]{9}", identity) for identity in called)
    assert called[1] == "abcdefghi"
    assert [turn["tool_call_id"] for turn in body["messages"][3:]] == called


@each
def test_a_call_without_a_result_gets_one_that_says_so(name: str) -> None:
    body, left_out = sent(backend(name), talk(user("Look."), assistant(use("a")), user("Well?")))
    LAWS[maker_of(name)](body, [])
    assert "No result of this call is known." in json.dumps(body)
    assert left_out == ()


@each
def test_a_result_without_its_call_is_told_by_the_user(name: str) -> None:
    body, _ = sent(backend(name), talk(user("Look."), tool(result("gone", "a wall", media=(PNG,)))))
    LAWS[maker_of(name)](body, [])
    written = json.dumps(body)
    assert "A result of the tool look:\\na wall" in written
    assert PNG.data in written


@each
def test_what_an_assistant_made_is_shown_by_the_user(name: str) -> None:
    request = talk(user("Draw."), assistant("Here.", PNG), user("Larger!"))
    body, left_out = sent(backend(name), request)
    LAWS[maker_of(name)](body, [])
    written = json.dumps(body)
    assert written.index("Here.") < written.index("What the assistant made:")
    assert written.index("What the assistant made:") < written.index(PNG.data)
    assert written.index(PNG.data) < written.index("Larger!")
    assert left_out == ()


@each
def test_a_conversation_that_ends_with_the_assistant_goes_on(name: str) -> None:
    body, _ = sent(backend(name), talk(user("Count."), assistant("One, two")))
    LAWS[maker_of(name)](body, [])
    assert "Go on." in json.dumps(body)


@each
def test_the_parts_that_stay_the_same_are_counted_as_they_are_sent(name: str) -> None:
    model = backend(name)
    first = user("one", " ", TABLE, "two", PNG, "last")
    request = talk(first, assistant("Yes."), user("So."))
    seen, _ = shown(request._replace(stable=4), model.rules(), model.maker, None)
    assert seen.stable == 3
    assert [part.text for part in seen.messages[0].parts[:3] if isinstance(part, Text)] == [
        "one",
        "File table.csv:\na,b\n1,2\n",
        "two",
    ]


def test_two_answers_in_a_row_keep_what_was_thought_in_both() -> None:
    def answer(number: int) -> Message:
        opaque: dict[str, Any] = {
            "reasoning_content": f"thought {number}. ",
            "reasoning_details": [{"text": f"detail {number}"}],
            "extra_content": {f"c{number}": {"signature": number}},
            "effort": number,
        }
        thinking = Thinking(text="", provider="openai-chat", opaque=opaque)
        return assistant(thinking, use(f"c{number}"))

    body, _ = sent(backend("openai-chat:x"), talk(user("x"), answer(1), answer(2)))
    said = body["messages"][2]
    assert said["reasoning_content"] == "thought 1. thought 2. "
    assert said["reasoning_details"] == [{"text": "detail 1"}, {"text": "detail 2"}]
    assert [call["extra_content"]["signature"] for call in said["tool_calls"]] == [1, 2]
    assert said["effort"] == 2


def test_a_conversation_of_words_alone_is_sent_as_it_is() -> None:
    request = talk(user("one", "two"), assistant("three"), user("four"))
    model = backend("openai:gpt-5-mini")
    assert shown(request, model.rules(), model.maker, None)[0] is request


def test_thinking_belongs_to_the_server_that_it_came_from() -> None:
    assert maker_of("compatible:qwen3@http://127.0.0.1:8000/v1") == "compatible@127.0.0.1:8000"
    assert maker_of("anthropic:claude-opus-5") == "anthropic"


@pytest.mark.asyncio
async def test_what_a_model_is_known_not_to_see_is_named_in_its_place() -> None:
    blind = ModelCard("openai:gpt-5-mini", abilities=frozenset({"tools"}))
    async with loopback(["Pity."]) as server:
        model = resolve("openai:gpt-5-mini", base_url=server.base_url, key=KEY, card=blind)
        reply = await model.complete(talk(user("What is this?", PNG, TABLE)))
        await close(model)
    said = "an image: chart.png, image/png, 12 bytes; this model sees no images"
    assert reply.left_out == (said,)
    assert f"[Not shown: {said}.]" in server.requests[0].text
    assert "1,2" in server.requests[0].text


@each
@pytest.mark.asyncio
async def test_every_reply_says_what_its_model_was_not_shown(name: str) -> None:
    request = talk(user("x"), assistant(thought("a stranger", "hm"), "y"), user("z"))
    async with loopback(["one", "two"]) as server, model_at(server, name) as model:
        replies = [await model.complete(request), await model.complete(ASK)]
    assert [reply.left_out for reply in replies] == [("1 piece of thinking by a stranger",), ()]
