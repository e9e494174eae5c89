"""Sealing one field: AES-256-GCM, bound to the place where it is stored."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.errors import KeyFileError
from service.vault.keys import Key

_NONCE = 12


class Cipher:
    """Seals and opens fields of one study; a field moved to another row or column does not open."""

    def __init__(self, key: Key, study_id: str) -> None:
        self._aes = AESGCM(key.derive(f"vault/{study_id}"))
        self._study = study_id

    def seal(self, words: str, *place: str) -> bytes:
        """Nonce and ciphertext of the words for that place (table, column, row)."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._aes.encrypt(nonce, words.encode("utf-8", "surrogatepass"), self._bound_to(place))

    def open(self, sealed: bytes, *place: str) -> str:
        """The words; KeyFileError when key, study or place are not those it was sealed with."""
        try:
            plain = self._aes.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._bound_to(place))
        except InvalidTag:
            raise KeyFileError(
                "the key does not open this study's vault: it is the wrong key, or the vault was altered"
            ) from None
        return plain.decode("utf-8", "surrogatepass")

    def _bound_to(self, place: tuple[str, ...]) -> bytes:
        return "\x1f".join((self._study, *place)).encode()
