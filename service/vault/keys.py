"""The key of a study: one file, kept outside the study's folder; everything else is derived from it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.errors import KeyFileError

_BYTES = 32


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A master key and its public id. It has no printable form."""

    id: str
    secret: bytes

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose (HKDF-SHA256)."""
        return HKDF(hashes.SHA256(), _BYTES, salt=None, info=f"heard/{purpose}".encode()).derive(self.secret)

    def pseudonym(self, kind: str, *parts: str) -> str:
        """A stable name for a record: a keyed hash, useless without the key."""
        message = json.dumps(parts).encode()
        digest = hmac.new(self.derive(f"pseudonym/{kind}"), message, hashlib.sha256).digest()
        return f"{kind}-{base64.b32encode(digest)[:12].decode().lower()}"


def create_key(file: Path) -> Key:
    """Make a key file that only its owner can read; KeyFileError if the file is already there."""
    key = Key(secrets.token_hex(4), secrets.token_bytes(_BYTES))
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = json.dumps({"heard_key": key.id, "secret": base64.b64encode(key.secret).decode()})
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise KeyFileError("the key file is already there; name another with HEARD_KEY_FILE") from None
    with os.fdopen(handle, "w") as out:
        out.write(content)
    return key


def read_key(file: Path) -> Key:
    """The key in a file; KeyFileError when it is missing or malformed."""
    try:
        raw = json.loads(file.read_text("utf-8"))
        key = Key(str(raw["heard_key"]), base64.b64decode(raw["secret"], validate=True))
    except FileNotFoundError:
        raise KeyFileError("the key file of this study is missing; name it with HEARD_KEY_FILE") from None
    except (ValueError, KeyError, TypeError, OSError):
        raise KeyFileError("the key file is not one that “heard init” made, or it is damaged") from None
    if len(key.secret) != _BYTES:
        raise KeyFileError("the key file is cut short or damaged")
    return key
