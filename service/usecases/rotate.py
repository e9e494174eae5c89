"""The key ring of a study: which keys there are, a new one, and letting an old one go.

A rotation goes: the new ring is kept, the vault takes the new key up, every field is sealed anew. Asked again after a
kill it goes on where it was; only once all is done does asking again make another key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path

from service.errors import KeyFileError
from service.study.database import write
from service.study.runs import add_audit
from service.study.study import Study
from service.vault.keys import Key, as_text
from service.vault.rotation import Progress, Rotation, uses
from service.vault.sources import KeySource

BEGUN, DONE, STOPPED, RETIRED, REFUSED = "rotate key", "reseal vault", "stop resealing", "retire key", "refuse key"


@dataclass(frozen=True, slots=True)
class KeyInUse:
    """A key of the ring by its id, how many fields of the vault are sealed under it, whether it is the active one."""

    id: str
    fields: int
    active: bool


@dataclass(frozen=True, slots=True, repr=False)
class Rotated:
    """What a rotation did. `to_keep` is the new ring as text where only people can put it in its place; nothing is
    sealed anew before they have. `scrubbed` is False where somebody was reading, so that the log keeps old ciphertext until
    the vault is next closed by all."""

    key_id: str
    fields: int
    finished_earlier: bool
    to_keep: str = ""
    scrubbed: bool = True


@dataclass(frozen=True, slots=True, repr=False)
class Retired:
    """`to_keep` as in `Rotated`. `still_names` says that a ring that began with this key alone keeps its secret, since
    the study's pseudonyms are made of it."""

    to_keep: str
    still_names: bool


def keys_in_use(study: Study, source: KeySource) -> list[KeyInUse]:
    """The keys of the ring, the active one last."""
    key = source.read()
    with Rotation(study.vault_file, key, study.id) as vault:
        counts = vault.counts()
    return [KeyInUse(m.id, counts.get(m.id, 0), m.id == key.id) for m in key.masters]


def rotate(study: Study, source: KeySource, *, by: str, now: str, progress: Progress) -> Rotated:
    """A new key for the vault, and every field sealed under it; or the end of a rotation that was cut short.

    KeyFileError for a key that does not open the vault, and for a field that does not open: what was sealed anew by
    then stays so, and both keys stay in the ring.
    """
    key = source.read()
    finishing = _unfinished(study, key)
    if not finishing:
        fresh: list[Key] = []
        with Rotation(study.vault_file, key, study.id) as vault:
            key = vault.exchange(source.read, lambda ring: fresh.append(ring) if not source.keep(ring) else None)
        if fresh:
            return Rotated(key.id, 0, finished_earlier=False, to_keep=as_text(key))
    with Rotation(study.vault_file, key, study.id) as vault:
        vault.take_up()
        _note(study, BEGUN, key.id, by, now)
        try:
            fields = vault.reseal(progress)
        except KeyFileError:
            _note(study, STOPPED, key.id, by, now, left=vault.left())
            raise
    _note(study, DONE, key.id, by, now, fields=fields)
    return Rotated(key.id, fields, finished_earlier=finishing, scrubbed=vault.scrubbed)


def _unfinished(study: Study, key: Key) -> bool:
    with Rotation(study.vault_file, key, study.id) as vault:
        if vault.key_id != key.id or vault.left():
            return True
    return _noted(study, BEGUN, key.id) and not _noted(study, DONE, key.id)


def _noted(study: Study, action: str, key_id: str) -> bool:
    found = study.db.conn.execute("SELECT 1 FROM audit WHERE action = ? AND subject = ?", [action, key_id])
    return found.fetchone() is not None


def _note(study: Study, action: str, key_id: str, by: str, now: str, **counts: int) -> None:
    if action == BEGUN and _noted(study, action, key_id):
        return
    with write(study.db) as connection:
        add_audit(connection, at=now, actor=by, action=action, subject=key_id, counts=counts)


def retire(study: Study, source: KeySource, key_id: str, *, beside: Iterable[Path], by: str, now: str) -> Retired:
    """Take a key out of the ring for good, once nothing is sealed under it.

    `beside` are the vaults of other studies that may share the ring. KeyFileError where one is sealed under the key.
    """
    key = source.read()
    if key_id not in {m.id for m in key.masters}:
        raise KeyFileError(f"there is no key {key_id} in the ring; “heard vault keys” says which there are")
    if others := sorted(file.parent.name for file in beside if uses(file, key_id)):
        raise KeyFileError(f"the study “{others[0]}” is sealed under the key {key_id} too; nothing was retired")
    with Rotation(study.vault_file, key, study.id) as vault:
        vault.retire(key_id)
    left = key.without(key_id)
    kept = source.keep(left)
    _note(study, RETIRED, key_id, by, now)
    still_names = any(m.id == key_id and compare_digest(m.secret, left.names) for m in key.masters)
    return Retired("" if kept else as_text(left), still_names)


def note_refused(study: Study, refused: KeyFileError, *, by: str, now: str) -> None:
    """Record that a study was opened with a key that is not its own; once while nothing else happens between."""
    last = study.db.conn.execute("SELECT action, subject, actor FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    if last is None or tuple(last) != (REFUSED, refused.why, by):
        with write(study.db) as connection:
            add_audit(connection, at=now, actor=by, action=REFUSED, subject=refused.why)
