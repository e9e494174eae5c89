"""A study comes back from a backup, without those who have withdrawn since.

All is done in a hidden folder beside the one that was asked for, which gets its name last: a restore that is refused or
killed leaves no study. Who has withdrawn is not in the backup: the list beside the key says it, or one that was kept with it.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from service.errors import BackupError, StudyError
from service.study import jobs
from service.study.chain import WITHDRAWN, faults
from service.study.copies import shapes
from service.study.database import write
from service.study.erasure import person_of
from service.study.runs import add_audit
from service.study.study import STUDY_FILE, Study, open_study, opened
from service.study.withdrawals import Receipt, add_withdrawal, withdrawal_of, withdrawn
from service.usecases.backup import RESTORED, Backup, read_backup
from service.usecases.withdraw import withdraw
from service.usecases.withdrawn import WithdrawnList, note_withdrawn, read_list
from service.vault.keys import Key
from service.vault.store import Vault


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back: how many were withdrawn again, how many raw texts were past their date, what is wrong with the
    record as the backup has it, and whether the vault is sealed under an older key of the ring."""

    backup: Backup
    withdrawn: int
    purged: int
    faults: tuple[str, ...]
    as_of: str


def list_from(place: Path, study_id: str, *, now: str) -> WithdrawnList:
    """Who has withdrawn, from a list that was kept or from the study itself where it still is; StudyError for another's."""
    if (place / STUDY_FILE).is_file():
        with opened(place) as live:
            held: WithdrawnList | None = WithdrawnList(live.id, now, tuple(sorted(withdrawn(live.db)[0])))
    else:
        held = read_list(place)
    if held is None:
        raise StudyError(f"there is no list of those who have withdrawn at “{place.name}”; nothing was restored")
    if held.study not in ("", study_id):
        raise StudyError("the list of those who have withdrawn is another study's; nothing was restored")
    return held


def restore(
    file: Path, folder: Path, key: Key, rings: Sequence[Key], gone: WithdrawnList | None, *, list_file: Path, books: Path,
    by: str, now: str,
) -> Restored:  # fmt: skip
    """Make a study of a backup. `key` is the study's ring, `rings` are those that may open the backup.

    `gone` are those who have withdrawn; None where somebody answers for it that nobody has since the backup, which goes on
    record. StudyError where the folder holds something, or the list is older than the backup. BackupError, KeyFileError: see
    `read_backup`. Whatever it was, no study is left.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StudyError(f"the folder “{folder.name}” holds something; a study is restored into a new one")
    folder = folder.resolve()
    hidden = folder.with_name(f".{folder.name}.restoring")
    making = hidden / "study"  # a step further down, where no server that runs finds a study
    shutil.rmtree(hidden, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    hidden.mkdir(mode=0o700)
    making.mkdir(mode=0o700)
    try:
        backup = read_backup(file, rings, lambda name, held: _put(making / name, held))
        done = _made(making, backup, key, gone, list_file, books, by, now)
        if folder.exists():
            folder.rmdir()
        making.rename(folder)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
    return done


def _put(file: Path, held: BinaryIO) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    with file.open("wb") as out:
        shutil.copyfileobj(held, out, 1 << 20)
    file.chmod(0o600)


def _made(
    folder: Path, backup: Backup, key: Key, gone: WithdrawnList | None, list_file: Path, books: Path, by: str, now: str
) -> Restored:
    if backup.shape not in shapes():
        raise BackupError("the backup was made by a newer version of Heard; bring this one up to date first")
    study = open_study(folder)
    try:
        if study.id != backup.about.study:
            raise BackupError("the backup says that it is of another study than it is; nothing was taken from it")
        return _settled(study, backup, key, gone, list_file, books, by, now)
    finally:
        study.db.close()


def _settled(
    study: Study, backup: Backup, key: Key, gone: WithdrawnList | None, list_file: Path, books: Path, by: str, now: str
) -> Restored:
    with Vault(study.vault_file, key, study.id) as vault:
        purged = vault.purge(now[:10])
    amiss = tuple(f"entry {one.seq}: {one.problem}" for one in faults(study.db, [backup.head]))
    jobs.cancel_all(study.db, now=now)  # what ran then runs no more, and its files are not here
    known = gone or WithdrawnList(study.id, backup.about.made_at, ())
    if gone is not None:
        _require_newer(study, backup, gone)
    note_withdrawn(list_file, study.id, {*known.participants, *withdrawn(study.db)[0]}, now=known.as_of)
    count = _withdraw_again(study, key, known.participants, books, by, now)
    counts = {
        **backup.counts,
        "withdrawn": count,
        "purged": purged,
        "faults": len(amiss),
        "list": int(gone is not None),
    }
    with write(study.db) as connection:
        add_audit(connection, at=now, actor=by, action=RESTORED, subject=backup.about.id, counts=counts)
    return Restored(backup, count, purged, amiss, known.as_of)


def _require_newer(study: Study, backup: Backup, gone: WithdrawnList) -> None:
    """A list that knows less than the backup is an older copy, and cannot say who has withdrawn since."""
    if gone.as_of < backup.about.made_at or not withdrawn(study.db)[0] <= set(gone.participants):
        raise StudyError(
            "the list of those who have withdrawn is older than the backup, so that it cannot tell who has withdrawn since."
            " Give the newest one with --withdrawals; nothing was restored"
        )


def _withdraw_again(study: Study, key: Key, participants: Sequence[str], books: Path, by: str, now: str) -> int:
    """Withdraw everybody of the list who is here; who came later than the backup is noted, so as not to come in again."""
    asked, count, scratch = 0, 0, study.folder / "withdrawn.json"
    for person in participants:
        if _is_here(study, key, person):
            done = withdraw(study, key, person, by=by, now=now, list_file=scratch, books=books)
            if asked and done.job:
                jobs.cancel(study.db, asked, now=now)  # one new set of suggestions is enough for all of them
            asked, count = done.job or asked, count + 1
        elif withdrawal_of(study.db, person) is None:
            with write(study.db) as connection:
                add_withdrawal(connection, Receipt(person, (), {}, 0, (), (), (), (), by, now))
                add_audit(connection, at=now, actor=by, action=WITHDRAWN, subject=person)
    scratch.unlink(missing_ok=True)
    return count


def _is_here(study: Study, key: Key, person: str) -> bool:
    """Whether anything of them is; a backup may have been made while they were being withdrawn."""
    earlier = withdrawal_of(study.db, person)
    if earlier is None:
        return person_of(study.db, person) is not None
    with Vault(study.vault_file, key, study.id) as vault:
        return bool(vault.texts(earlier.voices) or vault.ledgers([person]))
