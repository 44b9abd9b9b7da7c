"""Heads as files, and the signatures over them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.audit.heads import FORM, Head, HeadFile
from hive.audit.signing import load_key, load_public_key, make_key, sign, unsound
from hive.errors import SigningError

HEAD = Head(run="01k8", entries=7, head="ab" * 32, at=1_700_000_000_000_000, hive="0.1.0")
TEXT = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]))
WHOLE = st.integers(1, 2**50)
HEADS = st.builds(Head, run=TEXT, entries=WHOLE, head=TEXT, at=WHOLE, hive=TEXT, form=st.just(FORM))


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "key"
    make_key(path)
    return path


@given(HEADS)
def test_a_signed_head_is_sound_and_read_as_it_was_written(key: Path, head: Head) -> None:
    file = sign(head, load_key(key))
    again = HeadFile.read(file.text())
    assert again == file
    assert unsound(again) == unsound(again, load_public_key(key.with_name("key.pub"))) == ""


@pytest.mark.parametrize(
    "change",
    [{"run": "01k9"}, {"entries": 6}, {"head": "cd" * 32}, {"at": 0}, {"hive": "0.2.0"}],
    ids=str,
)
def test_a_changed_statement_is_not_the_one_that_was_signed(
    key: Path, change: dict[str, object]
) -> None:
    data = sign(HEAD, load_key(key)).as_json()
    data["statement"] |= change
    assert "was altered" in unsound(HeadFile.read(json.dumps(data)))


@pytest.mark.parametrize("field", ["public_key", "signature"])
@pytest.mark.parametrize("value", ["", "zz", "00", "00" * 32, "00" * 64])
def test_a_changed_signature_is_none(key: Path, field: str, value: str) -> None:
    data = sign(HEAD, load_key(key)).as_json() | {field: value}
    file = HeadFile.read(json.dumps(data))
    assert unsound(file, load_public_key(key.with_name("key.pub")))


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"statement": 1}', '{"statement": {"run": "x"}}', "\ufffd",
        HeadFile(head=HEAD._replace(form="hive-head/2")).text(),
        HeadFile(head=HEAD._replace(entries=0)).text(),
        HeadFile(head=HEAD).text().replace(FORM, "").replace('"01k8"', "8"),
    ],
)  # fmt: skip
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(SigningError):
        HeadFile.read(text)


def test_the_private_key_is_its_owners_alone_and_stays(key: Path) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_bytes()
    with pytest.raises(SigningError, match="is there already"):
        make_key(key)
    assert key.read_bytes() == before


def test_other_keys_are_refused_with_what_they_are(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    other = generate_private_key(SECP256R1())
    pem = (form.Encoding.PEM, form.PrivateFormat.PKCS8)
    (tmp_path / "other").write_bytes(other.private_bytes(*pem, form.NoEncryption()))
    public = (form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "other.pub").write_bytes(other.public_key().public_bytes(*public))
    locked = Ed25519PrivateKey.generate()
    (tmp_path / "locked").write_bytes(
        locked.private_bytes(*pem, form.BestAvailableEncryption(b"secret"))
    )
    with pytest.raises(SigningError, match="not Ed25519"):
        load_key(tmp_path / "other")
    with pytest.raises(SigningError, match="not Ed25519"):
        load_public_key(tmp_path / "other.pub")
    with pytest.raises(SigningError, match="behind a password"):
        load_key(tmp_path / "locked")
    with pytest.raises(SigningError, match="cannot be written"):
        make_key(tmp_path / "missing" / "key")
