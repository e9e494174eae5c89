"""The key ring of a study, kept outside its folder: one key seals, older ones still open, everything else is derived."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.errors import KeyFileError

_BYTES = 32
_LONGEST_ID = 64  # bytes
_FORM = 1


def derive(secret: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose (HKDF-SHA256, RFC 5869)."""
    return HKDF(hashes.SHA256(), _BYTES, salt=None, info=f"heard/{purpose}".encode()).derive(secret)


@dataclass(frozen=True, slots=True, repr=False)
class Master:
    """One key of a ring and its public id. It has no printable form."""

    id: str
    secret: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A key ring. `id` and `secret` are of the key that seals now; `older` ones, oldest first, still open. It has no
    printable form.

    `names` is what pseudonyms and the like are made of, so that they stay when the key that seals changes; empty in a
    ring that began as a single key and still is one, whose names are made of that key.
    """

    id: str
    secret: bytes
    older: tuple[Master, ...] = ()
    names: bytes = b""

    @property
    def masters(self) -> tuple[Master, ...]:
        """Every key, the one that seals last."""
        return (*self.older, Master(self.id, self.secret))

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for a purpose that outlives rotation."""
        return derive(self.names or self.secret, purpose)

    def pseudonym(self, kind: str, *parts: str) -> str:
        """A stable name for a record: a keyed hash, useless without the key."""
        message = json.dumps(parts).encode()
        digest = hmac.new(self.derive(f"pseudonym/{kind}"), message, hashlib.sha256).digest()
        return f"{kind}-{base64.b32encode(digest)[:12].decode().lower()}"

    def with_new(self) -> Key:
        """The ring with a new key that seals from now on."""
        fresh = _fresh()
        return Key(fresh.id, fresh.secret, self.masters, self.names or self.secret)

    def without(self, key_id: str) -> Key:
        """The ring without an older key."""
        return Key(self.id, self.secret, tuple(m for m in self.older if m.id != key_id), self.names or self.secret)


def new_ring() -> Key:
    """A ring of one new key."""
    fresh = _fresh()
    return Key(fresh.id, fresh.secret, names=secrets.token_bytes(_BYTES))


def _fresh() -> Master:
    return Master(secrets.token_hex(4), secrets.token_bytes(_BYTES))


def as_text(key: Key) -> str:
    """A ring as it is kept in a file, an environment variable or a key store: JSON, secrets in base64."""
    keys = [{"id": m.id, "secret": _coded(m.secret)} for m in key.masters]
    return json.dumps({"heard_keys": _FORM, "active": key.id, "keys": keys, "names": _coded(key.names or key.secret)})


def _coded(secret: bytes) -> str:
    return base64.b64encode(secret).decode()


def from_text(text: str, where: str) -> Key:
    """A ring as `as_text` wrote it, or a single key of the first form; KeyFileError names `where` it is malformed."""
    try:
        raw = json.loads(text)
        key = Key(_id(raw["heard_key"]), _secret(raw["secret"])) if "heard_key" in raw else _ring(raw)
    except (ValueError, KeyError, TypeError):
        raise KeyFileError(f"{where} is not one that “heard init” made, or it is damaged", why="damaged") from None
    if not all(len(one) == _BYTES for one in (*(m.secret for m in key.masters), key.names or key.secret)):
        raise KeyFileError(f"{where} is cut short or damaged", why="damaged")
    return key


def _ring(raw: Mapping[str, Any]) -> Key:
    masters = {_id(one["id"]): _secret(one["secret"]) for one in raw["keys"]}
    active = masters.pop(_id(raw["active"]))
    if raw["heard_keys"] != _FORM or len(masters) + 1 != len(raw["keys"]):
        raise ValueError
    return Key(raw["active"], active, tuple(Master(*one) for one in masters.items()), _secret(raw["names"]))


def _id(raw: Any) -> str:
    if not isinstance(raw, str) or not 0 < len(raw.encode()) <= _LONGEST_ID:
        raise ValueError
    return raw


def _secret(raw: Any) -> bytes:
    return base64.b64decode(raw, validate=True)


def create_key(file: Path) -> Key:
    """Make a file with a ring of one key that only its owner can read; KeyFileError if the file is already there."""
    key = new_ring()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _write(file, as_text(key), os.O_EXCL)
    except FileExistsError:
        raise KeyFileError("the key file is already there; name another with HEARD_KEY_FILE") from None
    return key


def read_key(file: Path) -> Key:
    """The ring in a file; KeyFileError when it is missing or malformed."""
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        raise KeyFileError(
            "the key file of this study is missing; name it with HEARD_KEY_FILE", why="missing"
        ) from None
    except (OSError, ValueError):
        raise KeyFileError("the key file cannot be read, or it is damaged", why="damaged") from None
    return from_text(text, "the key file")


def replace_key(file: Path, key: Key) -> None:
    """Put a changed ring in its file's place, whole and on the disk before this returns: a key that was lost after
    words were sealed under it would be words lost."""
    part = file.with_name(f".{file.name}.part")
    _write(part, as_text(key), os.O_TRUNC)
    part.replace(file)
    if os.name == "posix":
        folder = os.open(file.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def _write(file: Path, text: str, how: int) -> None:
    handle = os.open(file, os.O_CREAT | os.O_WRONLY | how, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
