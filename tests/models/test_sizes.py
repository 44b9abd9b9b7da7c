"""What images and PDFs may cost, as far as their bytes say."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.message import Media, Message, Request
from hive.models import input_bound
from hive.models.sizes import pages, picture

sides = st.integers(1, 16_383)


def png(width: int, height: int) -> Media:
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    return Media.of(head + width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\2\0\0\0")


def gif(width: int, height: int) -> Media:
    return Media.of(b"GIF89a" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\0")


def jpeg(width: int, height: int) -> Media:
    preview = b"\xff\xe1" + (70).to_bytes(2, "big") + b"\xff\xc0" * 34
    frame = b"\xff\xc2\0\x11\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return Media.of(b"\xff\xd8" + preview + frame + b"\3\1\x22\0")


def webp(kind: bytes, rest: bytes) -> Media:
    return Media.of(b"RIFF\x40\0\0\0WEBP" + kind + b"\x30\0\0\0" + rest + bytes(16))


def lossy(width: int, height: int) -> Media:
    start = bytes(3) + b"\x9d\x01\x2a"
    return webp(b"VP8 ", start + width.to_bytes(2, "little") + height.to_bytes(2, "little"))


def lossless(width: int, height: int) -> Media:
    bits = width - 1 | (height - 1) << 14
    return webp(b"VP8L", b"\x2f" + bits.to_bytes(4, "little"))


def extended(width: int, height: int) -> Media:
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return webp(b"VP8X", bytes(4) + canvas)


@pytest.mark.parametrize("written", [png, gif, jpeg, lossy, lossless, extended])
@given(width=sides, height=sides)
def test_a_picture_says_how_large_it_is(written: object, width: int, height: int) -> None:
    assert callable(written)
    assert picture(written(width, height)) == (width, height)


@pytest.mark.parametrize(
    "media_type", ["image/png", "image/jpeg", "image/gif", "image/webp", "image/tiff"]
)
@given(content=st.binary(max_size=64))
def test_a_picture_that_is_none_says_nothing_wrong(media_type: str, content: bytes) -> None:
    media = Media.of(content).model_copy(update={"media_type": media_type})
    found = picture(media)
    assert found is None or all(side > 0 for side in found)


def bound(media: Media, model: str = "openai:gpt-5-mini") -> int:
    def of(*parts: Media) -> int:
        return input_bound(Request(model, "", (Message("user", parts),)))

    return of(media) - of()


@given(width=sides, height=sides)
def test_no_published_formula_gives_more_for_a_picture(width: int, height: int) -> None:
    def squares(side: int) -> int:
        return -(-width // side) * -(-height // side)

    claude = min(squares(28), 4_784)
    whole = squares(32) * 1.2 if squares(32) <= 30_000 else 0  # larger ones are refused
    large = min(squares(32), 10_000)
    small = min(squares(32), 1_536) * 2.46
    gemini = 2_240
    pixtral = squares(16) if max(width, height) <= 1024 else 4_096
    assert bound(png(width, height)) >= max(claude, whole, large, small, gemini, pixtral)


def test_the_tiles_of_an_old_model_cost_more_than_any_other_picture() -> None:
    assert bound(png(1, 1), "openai-chat:gpt-4o-mini") >= 2_833 + 8 * 5_667


def test_a_picture_that_does_not_say_how_large_it_is_counts_as_the_largest() -> None:
    nothing = Media.of(b"\x89PNG\r\n\x1a\n")
    assert bound(nothing) >= bound(png(16_383, 16_383)) >= 30_000 * 1.2


PAGE = b"<< /Type /Page /Parent 2 0 R >>\n"
TREE = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>\n"


def packed(objects: bytes) -> bytes:
    head = b"<< /Type /ObjStm /N 9 /First 40 /Filter /FlateDecode /Length 99 >>\nstream\r\n"
    return head + zlib.compress(objects) + b"\r\nendstream\n"


@pytest.mark.parametrize("plain", [0, 1, 7])
@pytest.mark.parametrize("hidden", [0, 3])
def test_pages_are_counted_also_where_they_are_packed(plain: int, hidden: int) -> None:
    content = b"%PDF-1.7\n" + TREE + PAGE * plain + packed(TREE + PAGE * hidden) + packed(b"")
    media = Media.of(content, "paper.pdf")
    assert pages(media.data) == plain + hidden
    if plain + hidden:
        assert bound(media) // (plain + hidden) in range(8_192, 8_400)


def test_a_pdf_that_hides_its_pages_counts_by_its_bytes() -> None:
    hidden = b"<< /Type /ObjStm >>\nstream\n" + b"sealed" * 2_000 + b"endstream"
    media = Media.of(b"%PDF-1.7\n" + hidden)
    assert pages(media.data) == 0
    assert bound(media) >= 8_192 * (media.size // 1024)


def test_no_pdf_counts_for_more_pages_than_anybody_takes() -> None:
    assert bound(Media.of(b"%PDF-1.7\n" + PAGE * 5_000)) < 8_192 * 601
