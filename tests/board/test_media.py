"""Images and files in entries: found by what classes declare, counted, told without their bytes."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, JsonValue

from hive.board.contributions import Attachment, Goal, Note
from hive.board.media import (
    FILE_TOKENS,
    IMAGE_TOKENS,
    media_in,
    media_tokens,
    without_bytes,
)
from hive.board.payload import Payload
from hive.board.records import Observation, ToolCall
from hive.board.view import show, tokens_of
from hive.message import Media
from tests.board import values as drawn
from tests.board.boards import board, close, post
from tests.pictures import BEES, CHART, PHOTO, altered

SHOWN = frozenset({"Goal", "Note", "Attachment"})


class Album(Payload):
    """A kind of one's own that holds images where its class says so."""

    title: str
    cover: Media | None = None
    pages: tuple[Media, ...] = ()
    free: dict[str, JsonValue] = Field(default_factory=dict)


def test_they_are_found_wherever_a_class_declares_them_and_know_their_entry() -> None:
    album = Album(title="t", pages=(CHART, BEES), cover=PHOTO)
    for payload, found in (
        (Attachment.of(PHOTO), (PHOTO,)),
        (Observation(id="1", tool="t", text="", media=(CHART, BEES)), (CHART, BEES)),
        (album, (PHOTO, CHART, BEES)),
        (Note(text='{"media_type": "image/png"}'), ()),
    ):
        entry = post(board(), payload, "3/a/4.2")
        assert media_in(entry) == tuple(
            media.model_copy(update={"source": "3/a/4.2"}) for media in found
        )


def test_what_only_looks_like_one_is_none() -> None:
    looks = PHOTO.model_dump()
    call = ToolCall(
        id="1", tool="t", arguments={"it": looks}, effect="read", repeat="safe", key="k"
    )
    assert media_in(post(board(), call, "3/a/4.2")) == ()
    assert media_in(post(board(), Album(title="t", free={"it": looks}), "3/a/4.2")) == ()


def test_an_image_counts_a_constant_and_a_text_its_length() -> None:
    assert media_tokens(PHOTO) == media_tokens(CHART) == IMAGE_TOKENS
    assert media_tokens(Media.of(b"x" * 8000, "long.txt")) == 2000
    assert media_tokens(Media.of(b"%PDF-1.7", "paper.pdf")) == FILE_TOKENS
    shown = show(post(board(), Attachment.of(PHOTO), "3/a/4.2"))
    assert shown.tokens == tokens_of(shown.part.text) + IMAGE_TOKENS


@given(drawn.values | drawn.payloads(Attachment).map(lambda made: made.model_dump()))
def test_what_is_told_of_an_entry_is_json_without_any_bytes(data: JsonValue) -> None:
    told = json.dumps(without_bytes({"it": [data]}))
    assert isinstance(json.loads(told), dict)
    if isinstance(data, dict) and "media_type" in data and isinstance(data.get("data"), str):
        assert "data" not in json.loads(told)["it"][0]


def test_values_without_any_are_told_as_they_are() -> None:
    data = {"data": "x", "list": [{"media_type": "image/png"}, {"data": 7, "media_type": "a"}]}
    assert without_bytes(data) == data


@given(st.lists(st.sampled_from([CHART, None]), max_size=30), st.integers(2000, 8000))
def test_a_window_holds_as_many_images_as_its_budget_lets_it(
    given: list[Media | None], budget: int
) -> None:
    target = board()
    post(target, Goal(text="the goal"), "0//1")
    post(target, Attachment.of(PHOTO), "0//2.0")
    target.close_turn()
    for media in given:
        close(target, Note(text="x" * 100) if media is None else Attachment.of(media))
        view = target.view(SHOWN, budget)
        counted = [item for item in view.shown if item.address not in ("0//1", "0//2.0")]
        assert [str(entry.address) for entry in view.entries[:2]] == ["0//1", "0//2.0"]
        assert sum(item.tokens for item in counted) <= budget or len(counted) == 1
        assert len(view.causes) == len(view.shown)
        assert view.parts == tuple(part for item in view.shown for part in item.parts)
    fresh = target.view(SHOWN, budget + 10**6)
    assert len(fresh.shown) == len(given) + 2


def test_the_digest_of_a_view_covers_the_bytes() -> None:
    def digest(media: Media) -> bytes:
        target = board()
        post(target, Attachment.of(media), "0//2.0")
        target.close_turn()
        return target.view(SHOWN, 9999).digest

    other = altered(CHART)
    assert Attachment.of(other).text == Attachment.of(CHART).text
    assert digest(CHART) == digest(CHART) != digest(other)
