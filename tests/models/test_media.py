"""Images and files go in and come out on every wire, plain and streamed."""

import base64
import json
from typing import Any

import pytest

from hive.errors import BadReply
from hive.message import Media, Message, Part, Reply, Text, Thinking, ToolResult
from hive.testing.faults import raw
from hive.testing.loopback import loopback
from tests.models.asking import ASK, LOOK, ask, each, model_at, use

PNG = Media(media_type="image/png", data="iVBORw0KGgoAAAAA", name="chart.png")
JPEG = Media(media_type="image/jpeg", data="/9j/AAAA")
PDF = Media.of(b"%PDF-1.7 a paper", "paper.pdf")
MP3 = Media.of(b"ID3\0a song", "song.mp3")
WORD = Media(
    media_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    data="UEsDBAAA",
    name="letter.docx",
)
streaming = pytest.mark.parametrize("streamed", [False, True])


def shown_in(kind: str, media: Media) -> dict[str, Any]:
    """An image or a PDF as its wire format writes it."""
    address = f"data:{media.media_type};base64,{media.data}"
    source = {"type": "base64", "media_type": media.media_type, "data": media.data}
    file = {"filename": media.name, "file_data": address}
    image: dict[str, dict[str, Any]] = {
        "openai": {"type": "input_image", "image_url": address, "detail": "auto"},
        "openai-chat": {"type": "image_url", "image_url": {"url": address}},
        "anthropic": {"type": "image", "source": source},
    }
    document: dict[str, dict[str, Any]] = {
        "openai": {"type": "input_file", **file},
        "openai-chat": {"type": "file", "file": file},
        "anthropic": {"type": "document", "source": source, "title": media.name},
    }
    return (image if media.is_image else document)[kind]


def words_in(kind: str, text: str) -> dict[str, Any]:
    return {"type": "input_text" if kind == "openai" else "text", "text": text}


def kind_of(name: str) -> str:
    return name.partition(":")[0]


async def sent(name: str, *messages: Message) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    reply, server = await ask(["I see."], name, ASK._replace(messages=messages, tools=(LOOK,)))
    return server.requests[0].turns, reply.left_out


# In


@each
@pytest.mark.asyncio
async def test_images_and_files_of_the_user_stand_between_the_words(name: str) -> None:
    kind = kind_of(name)
    parts: tuple[Part, ...] = (Text(text="This:"), PNG, Text(text="and this?"), JPEG, PDF)
    turns, left_out = await sent(name, Message("user", parts))
    (turn,) = turns
    assert turn["role"] == "user"
    assert turn["content"] == [
        words_in(kind, "This:"),
        shown_in(kind, PNG),
        words_in(kind, "and this?"),
        shown_in(kind, JPEG),
        shown_in(kind, PDF),
    ]
    assert left_out == ()


@each
@pytest.mark.asyncio
async def test_what_tools_give_stays_with_its_call_in_their_order(name: str) -> None:
    kind = kind_of(name)
    turns, left_out = await sent(
        name,
        *ASK.messages,
        Message("assistant", (use("a"), use("b"), use("c"))),
        Message(
            "tool",
            (
                ToolResult(id="a", name="look", text="the left", media=(PNG, PDF)),
                ToolResult(id="b", name="look", text="nothing", error=True),
                ToolResult(id="c", name="look", text="", media=(JPEG,)),
            ),
        ),
    )
    assert left_out == ()
    pictures = [shown_in(kind, PNG), shown_in(kind, PDF)]
    if kind == "openai":
        assert [turn["output"] for turn in turns[-3:]] == [
            [words_in(kind, "the left"), *pictures],
            "Error: nothing",
            [shown_in(kind, JPEG)],
        ]
    elif kind == "anthropic":
        assert [block["content"] for block in turns[-1]["content"]] == [
            [words_in(kind, "the left"), *pictures],
            "nothing",
            [shown_in(kind, JPEG)],
        ]
    else:
        *results, after = turns[-4:]
        assert [turn["content"] for turn in results] == ["the left", "Error: nothing", ""]
        assert after == {
            "role": "user",
            "content": [
                words_in(kind, "From the tool look (call a):"),
                *pictures,
                words_in(kind, "From the tool look (call c):"),
                shown_in(kind, JPEG),
            ],
        }


@each
@pytest.mark.parametrize(
    ("name_of_file", "content"),
    [
        ("table.csv", "a,b\n1,ü\n"),
        ("data.json", '{"a": 1}'),
        ("page.xml", "<a/>"),
        ("drawing.svg", "<svg/>"),
        ("main.py", "print('☺')"),
        ("main.rs", "fn main() {}"),
    ],
)
@pytest.mark.asyncio
async def test_a_file_that_is_text_is_read_as_text_by_any_model(
    name: str, name_of_file: str, content: str
) -> None:
    media = Media.of(content.encode(), name_of_file)
    result = ToolResult(id="a", name="look", text="Found:", media=(media,))
    called = Message("assistant", (use("a"),))
    turns, left_out = await sent(
        name, Message("user", (media,)), called, Message("tool", (result,))
    )
    written = json.dumps(turns, ensure_ascii=False)
    told = json.dumps(f"File {name_of_file}:\n{content}", ensure_ascii=False)[1:-1]
    assert written.count(told) == 2
    assert json.dumps("Found:\n\n")[1:-1] + told in written
    assert left_out == ()


@each
@pytest.mark.asyncio
async def test_text_is_known_by_its_type_whatever_else_that_says(name: str) -> None:
    marked = Media.of(b"\xef\xbb\xbfa;b", "excel.csv")
    charset = marked.model_copy(
        update={"media_type": "application/json; charset=utf-8", "name": "b"}
    )
    turns, left_out = await sent(name, Message("user", (marked, charset)))
    written = json.dumps(turns, ensure_ascii=False)
    assert "File excel.csv:\\na;b" in written
    assert "File b:\\na;b" in written
    assert left_out == ()


@pytest.mark.asyncio
async def test_what_tools_gave_stands_before_what_the_user_says_then() -> None:
    result = ToolResult(id="a", name="look", text="the left", media=(PNG,))
    said = Message("tool", (result,)), Message("user", (Text(text="And now?"), JPEG))
    turns, _ = await sent("openai-chat:x", *ASK.messages, Message("assistant", (use("a"),)), *said)
    assert turns[-1]["content"] == [
        words_in("openai-chat", "From the tool look (call a):"),
        shown_in("openai-chat", PNG),
        words_in("openai-chat", "And now?"),
        shown_in("openai-chat", JPEG),
    ]


@each
@pytest.mark.asyncio
async def test_what_the_api_does_not_take_is_named_in_its_place(name: str) -> None:
    odd = Media(media_type="image/tiff", data="SUkqAA==", name="scan.tiff")
    wrong = Media(media_type="text/plain", data="/w==", name="latin.txt")
    packed = Media.of(b"\x1f\x8b\x08\0", "all.gz")
    huge = Media(media_type="image/png", data="A" * (50 * 2**20 + 4), name="huge.png")
    turns, left_out = await sent(name, Message("user", (odd, wrong, packed, huge)))
    assert [line.partition(";")[0] for line in left_out] == [
        "an image: scan.tiff, image/tiff, 4 bytes",
        "a file: latin.txt, text/plain, 1 bytes",
        "a file: all.gz, application/octet-stream, 4 bytes",
        "an image: huge.png, image/png, 39,321,603 bytes",
    ]
    written = json.dumps(turns)
    for line in left_out:
        assert f"[Not shown: {line}.]" in written


@each
@pytest.mark.parametrize("media", [WORD, MP3])
@pytest.mark.asyncio
async def test_files_of_other_kinds_go_where_they_are_understood(name: str, media: Media) -> None:
    takes = {"openai": WORD, "openai-chat": MP3}.get(kind_of(name))
    turns, left_out = await sent(name, Message("user", (media,)))
    assert (media.data in json.dumps(turns)) == (media is takes)
    assert (left_out == ()) == (media is takes)


def picture(width: int, height: int, name: str) -> Media:
    sides = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return Media.of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + sides, name)


@pytest.mark.asyncio
async def test_sides_that_anthropic_refuses_are_named() -> None:
    wide, large, small = picture(8001, 9, "w"), picture(9, 2001, "l"), picture(9, 2000, "s")
    name = "anthropic:claude-opus-5"
    _, left_out = await sent(name, Message("user", (wide, large, small)))
    assert [line[:11] for line in left_out] == ["an image: w"]
    assert left_out[0].endswith("this API takes no images of more than 8,000 pixels a side")
    result = ToolResult(id="a", name="look", text="", media=(small,) * 18)
    many = Message("assistant", (use("a"),)), Message("tool", (result,))
    _, left_out = await sent(name, Message("user", (wide, large, small)), *many)
    assert [line[:11] for line in left_out] == ["an image: w", "an image: l"]
    assert left_out[1].endswith("more than 2,000 pixels a side")


@pytest.mark.parametrize(
    ("width", "height", "detail"), [(6400, 4800, "auto"), (6401, 4800, "high")]
)
@pytest.mark.asyncio
async def test_openai_may_make_a_picture_smaller_that_it_would_refuse(
    width: int, height: int, detail: str
) -> None:
    message = Message("user", (picture(width, height, "x"),))
    turns, _ = await sent("openai:gpt-5-mini", message)
    assert turns[0]["content"][0]["detail"] == detail
    turns, _ = await sent("openai-chat:gpt-5-mini", message)
    assert turns[0]["content"][0]["image_url"].get("detail", "auto") == detail


@pytest.mark.asyncio
async def test_sound_is_sent_as_sound() -> None:
    turns, _ = await sent("openai-chat:gpt-audio", Message("user", (MP3,)))
    sound = {"data": MP3.data, "format": "mp3"}
    assert turns[0]["content"] == [{"type": "input_audio", "input_audio": sound}]


@pytest.mark.asyncio
async def test_a_file_without_a_name_gets_one_that_tells_its_type() -> None:
    nameless = PDF.model_copy(update={"name": None})
    turns, _ = await sent("openai:gpt-5-mini", Message("user", (nameless,)))
    assert turns[0]["content"][0]["filename"] == "file.pdf"
    turns, _ = await sent("anthropic:claude-opus-5", Message("user", (nameless,)))
    assert "title" not in turns[0]["content"][0]


# Out


def chat_body(message: dict[str, Any]) -> dict[str, Any]:
    said = {"role": "assistant", **message}
    choice: dict[str, Any] = {"index": 0, "message": said, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    return {"id": "1", "model": "m", "choices": [choice], "usage": usage}


def chat_stream(*deltas: dict[str, Any]) -> bytes:
    choices: list[dict[str, Any]] = [
        {"index": 0, "delta": delta, "finish_reason": None} for delta in deltas
    ]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    chunks = [{"id": "1", "model": "m", "choices": [choice]} for choice in choices]
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


async def answered(name: str, body: dict[str, Any] | bytes) -> tuple[Reply, str]:
    """The reply to a body as it stands, and what was heard of it while it came."""
    heard: list[str] = []
    if isinstance(body, bytes):
        line, request = raw(body, "text/event-stream"), ASK._replace(delta=heard.append)
    else:
        line, request = raw(json.dumps(body).encode(), "application/json"), ASK
    async with loopback([line]) as server, model_at(server, name) as model:
        return await model.complete(request), "".join(heard)


def openrouters(media: Media) -> dict[str, Any]:
    address = f"data:{media.media_type};base64,{media.data}"
    return {"type": "image_url", "image_url": {"url": address}}


NAMELESS = PNG.model_copy(update={"name": None})


@streaming
@pytest.mark.parametrize("name", ["openai:gpt-5-mini", "openai-chat:gpt-5-mini"])
@pytest.mark.asyncio
async def test_what_a_model_made_goes_back_to_it_by_the_user(name: str, streamed: bool) -> None:
    line = Reply(parts=(Text(text="Here."), NAMELESS, JPEG))
    request = ASK._replace(delta=(lambda piece: None) if streamed else None)
    async with loopback([line, "As you like."]) as server, model_at(server, name) as model:
        reply = await model.complete(request)
        assert reply.parts == line.parts
        said = (*ASK.messages, Message("assistant", reply.parts))
        again = await model.complete(ASK._replace(messages=(*said, *ASK.messages)))
    assert again.left_out == ()
    assert server.requests[1].turns[-1]["content"] == [
        words_in(kind_of(name), "What the assistant made:"),
        shown_in(kind_of(name), PNG),
        words_in(kind_of(name), "What the assistant made:"),
        shown_in(kind_of(name), JPEG),
        words_in(kind_of(name), "How are you?"),
    ]


@streaming
@pytest.mark.asyncio
async def test_images_beside_the_text_of_a_completion(streamed: bool) -> None:
    images = [openrouters(NAMELESS), openrouters(JPEG)]
    body = (
        chat_stream(
            {"content": "He"}, {"content": "re."}, {"images": images[:1]}, {"images": images[1:]}
        )
        if streamed
        else chat_body({"content": "Here.", "images": images})
    )
    reply, heard = await answered("openai-chat:x", body)
    assert reply.parts == (Text(text="Here."), NAMELESS, JPEG)
    assert heard == ("Here." if streamed else "")


@streaming
@pytest.mark.asyncio
async def test_parts_of_a_completion(streamed: bool) -> None:
    content = [
        {"type": "text", "text": "One"},
        {"type": "text", "text": " and"},
        {"type": "image_url", "image_url": f"data:image/png;base64,{PNG.data}"},
    ]
    body = chat_stream({"content": content}) if streamed else chat_body({"content": content})
    reply, _ = await answered("openai-chat:x", body)
    assert reply.parts == (Text(text="One and"), NAMELESS)


@streaming
@pytest.mark.asyncio
async def test_what_mistrals_models_think_goes_back_as_it_came(streamed: bool) -> None:
    def thinking(text: str) -> dict[str, Any]:
        return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}

    whole = [thinking("Let me see."), {"type": "text", "text": "Two."}]
    body = (
        chat_stream(
            {"content": [thinking("Let me ")]}, {"content": [thinking("see.")]}, {"content": "Two."}
        )
        if streamed
        else chat_body({"content": whole})
    )
    name = "openai-chat:magistral-medium"
    reply, _ = await answered(name, body)
    assert isinstance(reply.parts[0], Thinking)
    assert (reply.parts[0].text, reply.text) == ("Let me see.", "Two.")
    said = Message("assistant", reply.parts)
    turns, left_out = await sent(name, *ASK.messages, said, *ASK.messages)
    assert turns[1] == {"role": "assistant", "content": whole}
    assert left_out == ()


@streaming
@pytest.mark.asyncio
async def test_signatures_of_calls_go_back_with_them(streamed: bool) -> None:
    extra = {"google": {"thought_signature": "c2VhbGVk"}}
    function = {"name": "look", "arguments": "{}"}
    calls = [
        {"index": 0, "id": "a", "type": "function", "function": function, "extra_content": extra},
        {"index": 1, "id": "b", "type": "function", "function": function},
    ]
    body = chat_stream({"tool_calls": calls}) if streamed else chat_body({"tool_calls": calls})
    reply, _ = await answered("openai-chat:x", body)
    assert [call.id for call in reply.tool_uses] == ["a", "b"]
    said = Message("assistant", reply.parts)
    turns, _ = await sent("openai-chat:x", *ASK.messages, said)
    sent_calls = turns[1]["tool_calls"]
    assert [call.get("extra_content") for call in sent_calls] == [extra, None]
    turns, left_out = await sent("openai:gpt-5-mini", *ASK.messages, said)
    assert "c2VhbGVk" not in json.dumps(turns)
    assert left_out == ("1 piece of thinking by openai-chat",)


@streaming
@pytest.mark.asyncio
async def test_what_is_spoken_comes_as_words_and_sound(streamed: bool) -> None:
    wave = b"RIFF\x10\0\0\0WAVEfmt and so on"
    halves = [base64.b64encode(half).decode() for half in (wave[:13], wave[13:])]
    body = (
        chat_stream(
            {"audio": {"id": "a"}},
            {"audio": {"transcript": "Good "}},
            {"audio": {"data": halves[0], "transcript": "morning."}},
            {"audio": {"data": halves[1], "expires_at": 1}},
        )
        if streamed
        else chat_body(
            {
                "content": None,
                "audio": {
                    "id": "a",
                    "expires_at": 1,
                    "data": base64.b64encode(wave).decode(),
                    "transcript": "Good morning.",
                },
            }
        )
    )
    reply, heard = await answered("openai-chat:x", body)
    sound = Media(media_type="audio/wav", data=base64.b64encode(wave).decode())
    assert reply.parts == (Text(text="Good morning."), sound)
    assert heard == ("Good morning." if streamed else "")


def response_body(*output: dict[str, Any]) -> dict[str, Any]:
    usage = {"input_tokens": 1, "output_tokens": 1}
    return {"id": "1", "model": "m", "status": "completed", "output": output, "usage": usage}


def response_stream(*output: dict[str, Any]) -> bytes:
    begun: list[dict[str, Any]] = [
        {"type": "response.output_item.done", "item": item} for item in output
    ]
    partial: dict[str, Any] = {
        "type": "response.image_generation_call.partial_image",
        "partial_image_b64": "AAAA",
    }
    closing: dict[str, Any] = {"type": "response.completed", "response": response_body(*output)}
    events = [partial, *begun, closing]
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events).encode()


@streaming
@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ({"result": PNG.data, "output_format": "png"}, NAMELESS),
        ({"result": PNG.data}, NAMELESS),
        ({"result": JPEG.data, "output_format": "jpeg"}, JPEG),
        ({"result": f"data:image/jpeg;base64,{JPEG.data}"}, JPEG),
        ({"result": f"{PNG.data[:8]}\n{PNG.data[8:]}\n"}, NAMELESS),
        ({"result": None, "status": "failed"}, Text(text="[No image was made]")),
        (
            {"status": "failed", "error": {"message": "It shows a face.", "type": "moderation"}},
            Text(text="[No image was made: It shows a face.]"),
        ),
    ],
)
@pytest.mark.asyncio
async def test_images_that_a_response_makes(
    streamed: bool, made: dict[str, Any], expected: Part
) -> None:
    item = {"type": "image_generation_call", "id": "ig_1", "status": "completed", **made}
    body = response_stream(item) if streamed else response_body(item)
    reply, _ = await answered("openai:gpt-5-mini", body)
    assert reply.parts == (expected,)


@pytest.mark.asyncio
async def test_what_stands_elsewhere_is_named_and_not_fetched() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://images.example/1.png"}}
    reply, _ = await answered("openai-chat:x", chat_body({"content": None, "images": [image]}))
    said = "[The model made a file of the type image/png: https://images.example/1.png]"
    assert reply.parts == (Text(text=said),)


@pytest.mark.asyncio
async def test_an_image_that_is_no_base64_is_a_bad_reply() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,???"}}
    with pytest.raises(BadReply, match="unexpected shape at data"):
        await answered("openai-chat:x", chat_body({"content": None, "images": [image]}))
