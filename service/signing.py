"""Signatures of aggregate packs (Ed25519). Nothing is kept secret here but the key that signs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from service.errors import KeyFileError


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """The key pair of whoever runs this Heard. It has no printable form; `public` is the public key, 32 bytes."""

    key: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """What others verify with."""
        return self.key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self.key.sign(message)


def signer_in(file: Path) -> Signer:
    """The key pair in a file, made on first use; KeyFileError when the file is damaged."""
    if not file.exists():
        _make(file)
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), None)
    except (ValueError, TypeError, OSError):
        raise KeyFileError("the key that signs packs is damaged; restore its file from a backup") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError("the key that signs packs is of another kind; restore its file from a backup")
    return Signer(key)


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(pem)


def holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the message was signed with the private half of that key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
