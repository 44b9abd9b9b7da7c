"""Signed heads (floor 7): Ed25519 (RFC 8032) over the statement of a head.

A signature says that the holder of a key saw a run with this end. It does not say whether what the
entries tell is true, nor, beyond the signer's own clock, when. Needs the extra `[sign]`.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hive.audit.heads import Head, HeadFile
from hive.errors import SigningError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["load_key", "load_public_key", "make_key", "sign", "unsound"]

MISSING = "signatures need the extra: pip install 'hive-blackboard[sign]'"


def make_key(path: Path) -> Path:
    """Make a key: the private one at `path`, for its owner only, and the public one beside it,
    whose path is given. Both are PEM. Raises SigningError where a file is there already."""
    try:
        from cryptography.hazmat.primitives import serialization as form
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError as error:
        raise SigningError(MISSING) from error
    key = Ed25519PrivateKey.generate()
    public = path.with_name(path.name + ".pub")
    private_pem = key.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
    )
    public_pem = key.public_key().public_bytes(
        form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
    )
    if public.exists():
        raise SigningError(f"{public} is there already; name another file for the new key")
    for file, pem, mode in ((path, private_pem, 0o600), (public, public_pem, 0o644)):
        try:
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
                out.write(pem)
        except FileExistsError:
            raise SigningError(f"{file} is there already; a key is never overwritten") from None
        except OSError as error:
            raise SigningError(f"{file} cannot be written: {error.strerror}") from error
    return public


def load_key(path: Path) -> "Ed25519PrivateKey":
    """The private key in a PEM file. Raises SigningError where there is none."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        raise SigningError(MISSING) from error
    try:
        key = load_pem_private_key(pem_of(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        what = "holds no private key in PEM, or one behind a password"
        raise SigningError(f"{path} {what}; --new-key makes one") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningError(f"{path} holds a key that is not Ed25519; --new-key makes one")
    return key


def load_public_key(path: Path) -> str:
    """The public key in a PEM file, as the hex of its 32 bytes. Raises SigningError."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError as error:
        raise SigningError(MISSING) from error
    try:
        key = load_pem_public_key(pem_of(path))
    except (ValueError, UnsupportedAlgorithm):
        raise SigningError(f"{path} holds no public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise SigningError(f"{path} holds a key that is not Ed25519")
    return key.public_bytes_raw().hex()


def pem_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SigningError(f"{path} cannot be read: {error.strerror}") from error


def sign(head: Head, key: "Ed25519PrivateKey") -> HeadFile:
    """A head with a signature, and the public key that it is checked with."""
    return HeadFile(
        head=head,
        public_key=key.public_key().public_bytes_raw().hex(),
        signature=key.sign(head.statement()).hex(),
    )


def unsound(signed: HeadFile, public_key: str = "") -> str:
    """What is wrong with a signature; "" where it is the one of `public_key` (hex), or without it
    of the key in the file itself, which anybody may have put there. Raises SigningError without the
    extra."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as error:
        raise SigningError(MISSING) from error
    if not signed.is_signed:
        return "the head is not signed" if public_key else ""
    if public_key and signed.public_key != public_key:
        return "the head was signed with another key"
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signed.public_key))
        key.verify(bytes.fromhex(signed.signature), signed.head.statement())
    except (InvalidSignature, ValueError):
        return "the signature is not one of this head: the file was altered"
    return ""
