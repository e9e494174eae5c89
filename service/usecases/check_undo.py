"""Taking checks of de-identification back, as many as somebody made, newest first: texts read again as they did."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from service.errors import ConflictError, StudyError
from service.study.checks import Check, MadeEdit, edits_of, last_check, same_version, take_back
from service.study.database import write
from service.study.fixes import Edit, store_back
from service.study.runs import add_audit
from service.study.study import Study
from service.study.voices import NewCleanText, hold_voice, newest_version, past_version
from service.usecases.check import behind
from service.vault.keys import Key
from service.vault.store import Vault

LATER = "this person’s texts were changed after your check, so it cannot be taken back; mark what is wrong anew"
PURGED = "the raw words are purged, so this mask cannot be opened any more"


def undo_check(study: Study, key: Key, *, checker: str, now: str) -> Check | None:
    """Take back the last check of somebody, with all that it changed; None when none is left.

    ConflictError when a text was changed since by another check; StudyError when the words it masked are purged.
    """
    last = last_check(study.db, checker)
    if last is None:
        return None
    number, check = last
    edits = edits_of(study.db, number)
    before = {check.voice: check.version, **{e.voice: e.version - 1 for e in edits}}
    texts = [newest_version(study.db, voice) for voice in before]
    for text in texts:
        _require_latest(study, text, before[text.voice] + any(e.voice == text.voice for e in edits))
    with Vault(study.vault_file, key, study.id) as vault:
        back = {t.voice: [_inverse(vault, t, e) for e in edits if e.voice == t.voice] for t in texts}
        with write(study.db) as connection:
            if not take_back(connection, number, by=checker, at=now):
                return None
            for text in texts:
                _restore(study, connection, vault, text, back[text.voice], before[text.voice], checker, now)
            if check.held:
                hold_voice(connection, check.voice, check.held)
            add_audit(connection, at=now, actor=checker, action="take back check", subject=check.voice)
    return check


def _require_latest(study: Study, text: NewCleanText, made: int) -> None:
    """What the check left is what stands now, apart from what was changed since and taken back."""
    if same_version(study.db, text.voice, text.version) != same_version(study.db, text.voice, made):
        raise ConflictError(LATER)


def _inverse(vault: Vault, text: NewCleanText, edit: MadeEdit) -> Edit:
    span = edit.span
    words = edit.surrogate or behind(vault, text, span)
    if not words:
        raise StudyError(PURGED)
    return Edit(span.start, span.end, words)


def _restore(
    study: Study, connection: sqlite3.Connection, vault: Vault, text: NewCleanText, edits: Sequence[Edit], before: int,
    checker: str, now: str,
) -> None:  # fmt: skip
    if text.version == before:
        return
    then = past_version(study.db, text.voice, before)
    version = store_back(study.db, connection, text, edits, then, checker=checker, now=now)
    vault.put_offset_maps([(text.voice, vault.offset_map(text.voice, before))], version)
