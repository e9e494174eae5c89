"""A study in one sealed file: made while people work, read back before it gets its name, and checked without writing a word.

In it are study.db and vault.db as they were at one moment, the head of the record, mapping profiles, and a manifest with
the SHA-256 of each. The key is not, nor are accounts, which belong to the installation.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, cast

from service.errors import BackupError, KeyFileError, StudyError
from service.files.atomic import whole
from service.study.chain import Head, head_file, kept_head
from service.study.copies import shape
from service.study.database import write
from service.study.runs import add_audit
from service.study.snapshot import SNAPSHOT, at_one_moment, copy_of
from service.study.study import STUDY_FILE, VAULT_FILE, Study
from service.study.withdrawals import withdrawn
from service.usecases.intake import profiles_of
from service.usecases.withdrawn import note_withdrawn
from service.vault.keys import Key
from service.vault.stream import About, Opening, Sealing, about_in, about_now

MADE, CHECKED, RESTORED = "backup study", "verify backup", "restore study"
FORMAT, _MANIFEST, _PROFILES = 1, "manifest.json", "profiles"
_PIECE = 1 << 20
_COUNTED = ("participants", "voices", "decisions")


@dataclass(frozen=True, slots=True)
class Backup:
    """What is in a backup: the study's shape, counts of its rows, the seal of its record, and each file's SHA-256."""

    about: About
    shape: str
    counts: Mapping[str, int]
    head: Head
    digests: Mapping[str, str]


def make_backup(study: Study, out: Path, key: Key, *, list_file: Path, by: str, now: str) -> Backup:
    """Write a backup, sealed under the ring's active key. StudyError where `out` is already, or lies in the study.

    The list of those who have withdrawn is brought up to date outside the study, so that there is one for a restore.
    """
    if out.exists():
        raise StudyError(f"“{out.name}” is there already; a backup never takes another's place")
    if out.resolve().is_relative_to(study.folder):
        raise StudyError("a backup does not belong into the study's own folder; name another place")
    note_withdrawn(list_file, study.id, sorted(withdrawn(study.db)[0]), now=now)
    for unfinished in study.folder.glob(f"{SNAPSHOT}*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    with whole(out) as part, TemporaryDirectory(dir=study.folder, prefix=SNAPSHOT) as beside:
        files, about = _snapshot(study, Path(beside)), about_now(study.id, key, now)
        with part.open("wb") as target:
            _pack(target, key, about, files)
            target.flush()
            os.fsync(target.fileno())
        done = read_backup(part, [key])
    with write(study.db) as connection:
        add_audit(connection, at=now, actor=by, action=MADE, subject=about.id, counts=done.counts)
    return done


def _snapshot(study: Study, into: Path) -> dict[str, Path]:
    """The files of a backup by their names in it, the manifest first."""
    databases = [f for f in (study.folder / STUDY_FILE, study.vault_file) if f.exists()]
    with at_one_moment(databases, lambda: kept_head(head_file(study.folder / STUDY_FILE))) as (seen, head):
        held = seen[0].conn
        counts = {table: held.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _COUNTED}
        for db, file in zip(seen, databases, strict=True):
            copy_of(db, into / file.name)
    files = {file.name: into / file.name for file in databases}
    files |= {f"{_PROFILES}/{file.name}": file for file in sorted(profiles_of(study).glob("*.yaml"))}
    told = {
        "format": FORMAT, "shape": shape(study.db), "counts": counts, "head": [head.count, head.hash] if head else [0, ""],
        "files": {name: _digest(file) for name, file in files.items()},
    }  # fmt: skip
    (into / _MANIFEST).write_text(json.dumps(told), "utf-8")
    return {_MANIFEST: into / _MANIFEST, **files}


def _digest(file: Path) -> str:
    with file.open("rb") as held:
        return hashlib.file_digest(held, "sha256").hexdigest()


def _pack(target: BinaryIO, key: Key, about: About, files: Mapping[str, Path]) -> None:
    sealing = Sealing(target, key, about)
    with tarfile.open(fileobj=cast("Any", sealing), mode="w|", bufsize=_PIECE) as pack:
        for name, file in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = file.stat().st_size, 0o600
            with file.open("rb") as held:
                pack.addfile(entry, held)
    sealing.close()


def read_about(file: Path) -> About:
    """What a backup says of itself before it is opened; BackupError where it is none."""
    with _opened(file) as source:
        return about_in(source)


def read_backup(file: Path, rings: Sequence[Key], put: Callable[[str, BinaryIO], None] | None = None) -> Backup:
    """Open a backup from its first byte to its last and hold every file against the manifest; `put` is given each file
    with its name. BackupError where anything is amiss, KeyFileError where no ring has its key."""
    with _opened(file) as source:
        opening = Opening(source, rings)
        try:
            backup = _read(opening, put)
        except (tarfile.TarError, KeyError, ValueError, TypeError):
            raise BackupError("what is in the backup is not a study; nothing was taken from it") from None
        while opening.read(_PIECE):
            pass
    return backup


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if not file.is_file():
        raise BackupError(f"there is no file “{file.name}”")
    with file.open("rb") as source:
        yield source


def _read(opening: Opening, put: Callable[[str, BinaryIO], None] | None) -> Backup:
    told: dict[str, Any] = {}
    digests: dict[str, str] = {}
    with tarfile.open(fileobj=cast("Any", opening), mode="r|", bufsize=_PIECE) as pack:
        for entry in pack:
            held = pack.extractfile(entry)
            if held is None:
                raise ValueError
            if entry.name == _MANIFEST:
                told = _manifest(json.loads(held.read()))
                continue
            _require_ours(entry.name, told)
            digests[entry.name] = _passed(entry.name, cast("BinaryIO", held), put)
    if digests != told["files"]:
        raise BackupError(
            "a file in the backup is missing, or is not the one that was put in; nothing was taken from it"
        )
    return Backup(opening.about, told["shape"], told["counts"], Head(*told["head"]), digests)


def _manifest(told: dict[str, Any]) -> dict[str, Any]:
    if told["format"] != FORMAT:
        raise BackupError("the backup was made by a newer version of Heard; bring this one up to date first")
    return told


def _require_ours(name: str, told: Mapping[str, Any]) -> None:
    folder, _, last = name.rpartition("/")
    if name not in told["files"] or (name not in (STUDY_FILE, VAULT_FILE) and (folder != _PROFILES or not last)):
        raise ValueError


def _passed(name: str, held: BinaryIO, put: Callable[[str, BinaryIO], None] | None) -> str:
    reader = _Hashing(held)
    if put is not None:
        put(name, cast("BinaryIO", reader))
    while reader.read(_PIECE):
        pass
    return reader.digest.hexdigest()


class _Hashing(BytesIO):
    """A reader that keeps the hash of what was read."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source, self.digest = source, hashlib.sha256()

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes."""
        piece = self._source.read(-1 if size is None else size)
        self.digest.update(piece)
        return piece


def note_checked(study: Study, backup: Backup, *, by: str, now: str) -> None:
    """Record in a study that a backup of it was opened from end to end. StudyError where it is another study's."""
    if backup.about.study != study.id:
        raise StudyError("the backup is of another study; nothing was recorded")
    with write(study.db) as connection:
        add_audit(connection, at=now, actor=by, action=CHECKED, subject=backup.about.id, counts=backup.counts)


def ring_missing(about: About, refused: KeyFileError) -> KeyFileError:
    """The refusal with the study's id, by which its ring is found."""
    return KeyFileError(f"{refused}. The backup is of the study {about.study}", why=refused.why)
