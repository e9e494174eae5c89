"""A file sealed as it is written, chunk by chunk: AES-256-GCM in the STREAM construction (Hoang, Reyhanitabar, Rogaway and
Vizár 2015), as age uses it. A chunk that was changed, moved, doubled or dropped does not open, nor does a file that was cut
short or added to.

The layout: a mark; the length of what follows (4 bytes) and JSON that says of which study the file is, when it was made and
which key it is sealed under; then chunks of 1 MiB, the last of which may be shorter. The key is derived for the file alone,
so that a chunk's nonce is its number and whether it is the last.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.errors import BackupError, KeyFileError
from service.vault.keys import Key, derive

MARK = b"HEARD BACKUP 1\n"
CHUNK = 1 << 20
_TAG = 16
_LONGEST_HEAD = 4096
_SPOILT = "the backup was changed or cut short, or the key is wrong; nothing was taken from it"


@dataclass(frozen=True, slots=True)
class About:
    """What can be read of a backup without its key. `id` is the backup's own."""

    id: str
    study: str
    made_at: str
    key: str


def about_now(study_id: str, key: Key, now: str) -> About:
    """What a backup that is made now says of itself; it is sealed under the ring's active key."""
    return About(secrets.token_hex(16), study_id, now, key.id)


class Sealing:
    """Something to write to; what is written goes to `out` sealed. It is whole only once it is closed."""

    def __init__(self, out: BinaryIO, key: Key, about: About) -> None:
        head = json.dumps(asdict(about)).encode()
        self._out, self._lot, self._count = out, bytearray(), 0
        self._aes, self._bound = AESGCM(derive(key.secret, f"backup/{about.id}")), _bound(head)
        out.write(MARK + len(head).to_bytes(4, "big") + head)

    def write(self, plain: bytes) -> int:
        """Seal what makes whole chunks; the rest waits."""
        self._lot += plain
        while len(self._lot) > CHUNK:
            self._put(bytes(self._lot[:CHUNK]), last=False)
            del self._lot[:CHUNK]
        return len(plain)

    def close(self) -> None:
        """Seal the last chunk."""
        self._put(bytes(self._lot), last=True)

    def _put(self, plain: bytes, *, last: bool) -> None:
        self._out.write(self._aes.encrypt(_nonce(self._count, last=last), plain, self._bound))
        self._count += 1


class Opening:
    """Something to read from: what `source` holds sealed. BackupError as soon as a byte is not what was sealed, and
    KeyFileError where none of the rings has its key."""

    def __init__(self, source: BinaryIO, rings: Sequence[Key]) -> None:
        self.about, head = _head(source)
        found = {m.id: m.secret for ring in rings for m in ring.masters}.get(self.about.key)
        if found is None:
            raise KeyFileError(
                f"the backup is sealed under the key {self.about.key}, which is not in the key ring at hand; it may have been"
                " retired"
            )
        self._source, self._count, self._plain = source, 0, bytearray()
        self._aes, self._bound = AESGCM(derive(found, f"backup/{self.about.id}")), _bound(head)
        self._next = source.read(CHUNK + _TAG)
        self._over = False

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; nothing at the end."""
        while not self._over and (size < 0 or len(self._plain) < size):
            self._plain += self._open()
        cut = len(self._plain) if size < 0 else size
        given = bytes(self._plain[:cut])
        del self._plain[:cut]
        return given

    def _open(self) -> bytes:
        sealed, self._next = self._next, self._source.read(CHUNK + _TAG)
        self._over = not self._next
        try:
            plain = self._aes.decrypt(_nonce(self._count, last=self._over), sealed, self._bound)
        except (InvalidTag, ValueError):
            raise BackupError(_SPOILT) from None
        self._count += 1
        return plain


def about_in(source: BinaryIO) -> About:
    """What a backup says of itself; BackupError where it is none. Nothing of it is proved before it is opened."""
    return _head(source)[0]


def _head(source: BinaryIO) -> tuple[About, bytes]:
    if source.read(len(MARK)) != MARK:
        raise BackupError("this is no backup that “heard backup” made, or its beginning is damaged")
    length = int.from_bytes(source.read(4), "big")
    head = source.read(min(length, _LONGEST_HEAD))
    try:
        raw = json.loads(head)
        about = About(**{name: str(raw[name]) for name in ("id", "study", "made_at", "key")})
    except (ValueError, KeyError, TypeError):
        raise BackupError("the beginning of the backup is damaged") from None
    if not about.study.isalnum() or not about.study.isascii():
        raise BackupError("the beginning of the backup is damaged")
    return about, head


def _bound(head: bytes) -> bytes:
    return hashlib.sha256(MARK + head).digest()


def _nonce(count: int, *, last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([last])
