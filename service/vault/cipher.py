"""Sealing one field: AES-256-GCM, bound to the place where it is stored, naming the key that it is sealed under."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.errors import KeyFileError
from service.vault.keys import Key, derive

_NONCE = 12
_MARK = b"HRD\x01"
WRONG = "the key does not open this study's vault: it is the wrong key, or the vault was altered"


def named(key_id: str) -> bytes:
    """What every field sealed under that key begins with."""
    raw = key_id.encode()
    return _MARK + bytes([len(raw)]) + raw


def key_named(sealed: bytes) -> str:
    """The id of the key that a field is sealed under; empty in the first form, which named none."""
    if not sealed.startswith(_MARK) or len(sealed) <= len(_MARK):
        return ""
    start = len(_MARK) + 1
    return sealed[start : start + sealed[len(_MARK)]].decode("utf-8", "replace")


class Cipher:
    """Seals fields of one study under the ring's active key and opens those of any key of the ring; a field that was
    moved to another row or column does not open."""

    def __init__(self, key: Key, study_id: str) -> None:
        self._aes = {m.id: AESGCM(derive(m.secret, f"vault/{study_id}")) for m in key.masters}
        self._id, self._study = key.id, study_id

    @property
    def name(self) -> bytes:
        """What a field begins with that is sealed now."""
        return named(self._id)

    def seal(self, words: str, *place: str) -> bytes:
        """The key's name, nonce and ciphertext of the words for that place (table, column, row)."""
        nonce, head = secrets.token_bytes(_NONCE), self.name
        plain = words.encode("utf-8", "surrogatepass")
        return head + nonce + self._aes[self._id].encrypt(nonce, plain, head + self._bound_to(place))

    def open(self, sealed: bytes, *place: str) -> str:
        """The words; KeyFileError when key, study or place are not those it was sealed with."""
        for aes, body, bound in self._ways(sealed, self._bound_to(place)):
            try:
                return aes.decrypt(body[:_NONCE], body[_NONCE:], bound).decode("utf-8", "surrogatepass")
            except (InvalidTag, ValueError):
                continue
        missing = key_named(sealed)
        if missing and missing not in self._aes and missing.isascii() and missing.isalnum():
            raise KeyFileError(
                f"a part of this study's vault is sealed under the key {missing}, which is not in the key ring at hand"
            )
        raise KeyFileError(WRONG)

    def _ways(self, sealed: bytes, place: bytes) -> Iterator[tuple[AESGCM, bytes, bytes]]:
        """As the field says; else as one of the first form, whose nonce may by chance look like a name."""
        id_ = key_named(sealed)
        if id_ in self._aes:
            head = named(id_)
            yield self._aes[id_], sealed[len(head) :], head + place
        yield from ((aes, sealed, place) for aes in self._aes.values())

    def _bound_to(self, place: tuple[str, ...]) -> bytes:
        return "\x1f".join((self._study, *place)).encode()
