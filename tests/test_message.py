"""Images and files as parts of messages."""

import base64
from pathlib import Path

import pytest
from pydantic import ValidationError

from hive.errors import DeclarationError
from hive.message import MOST_BYTES, Attempt, Media

PNG = b"\x89PNG\r\n\x1a\nrest"


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("chart.png", PNG, "image/png"),
        ("a photo with a wrong name.txt", b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        ("small", b"GIF89arest", "image/gif"),
        ("new", b"RIFF\x10\0\0\0WEBPrest", "image/webp"),
        ("paper", b"%PDF-1.7\n", "application/pdf"),
        ("table.csv", b"a,b\n1,2\n", "text/csv"),
        ("data.json", b"{}", "application/json"),
        ("program.ts", b"const x = 1\n", "text/plain"),
        ("no ending", "Grüße".encode(), "text/plain"),
        ("speech.mp3", b"\xff\xfb\x90\0", "audio/mpeg"),
        ("unknown", b"\0\1\2\xff", "application/octet-stream"),
        ("packed.csv.gz", b"\x1f\x8b\x08\0", "application/octet-stream"),
    ],
)
def test_a_file_is_read_with_its_name_and_the_type_that_it_shows(
    tmp_path: Path, name: str, content: bytes, media_type: str
) -> None:
    (tmp_path / name).write_bytes(content)
    media = Media.read(tmp_path / name)
    assert media == Media(media_type=media_type, data=base64.b64encode(content).decode(), name=name)
    assert (media.content, media.size) == (content, len(content))


def test_a_file_that_is_too_large_for_any_model_is_refused_with_the_limit(tmp_path: Path) -> None:
    (tmp_path / "film.png").write_bytes(bytes(MOST_BYTES + 1))
    with pytest.raises(DeclarationError, match=r"film\.png is larger than 33,554,432 bytes"):
        Media.read(tmp_path / "film.png")


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Media.read(tmp_path / "nothing.png")


@pytest.mark.parametrize("data", ["not base64", "abc", "ab-_", "YQ==\n"])
def test_what_is_no_base64_is_no_media(data: str) -> None:
    with pytest.raises(ValidationError):
        Media(media_type="image/png", data=data)


def test_an_attempt_with_an_unknown_word_is_read_as_one_that_failed() -> None:
    assert Attempt.model_validate_json('{"reason": "down"}') == Attempt(reason="failed")
    assert Attempt.model_validate({"reason": "held_back"}).reason == "held_back"
    with pytest.raises(ValidationError):
        Attempt.model_validate({"reason": 7})
