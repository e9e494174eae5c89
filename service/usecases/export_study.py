"""A whole study as a folder or zip that says itself what is in it, and comes back: the right to leave."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from service.errors import InputError, ServiceError, StudyError
from service.files.packs import Pack, Packing, checked, packing
from service.study.copies import columns, empty_study, fill, finished, rows, shape, waiting
from service.study.database import open_database, write
from service.study.passports import Output, passports
from service.study.runs import add_audit
from service.study.study import STUDY_FILE, VAULT_FILE, Study
from service.usecases.check import require_open
from service.usecases.passport import require_output
from service.usecases.study_files import GOES, left_out, readme, schema

FORMAT = "heard study 1"
_BESIDE = ("README.md", "schema.json", VAULT_FILE)
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Copied:
    """How many rows of which table; `digest` is the SHA-256 of the manifest, by which two copies can be compared."""

    rows: Mapping[str, int]
    waiting: int
    digest: str


def export_study(study: Study, out: Path, *, person: str, now: str, with_vault: bool = False) -> Copied:
    """Write everything but the raw words. GateError while nobody may code yet; StudyError where `out` is already.

    The same study gives the same bytes. `with_vault` adds the vault as it is, sealed.
    """
    require_open(study)
    require_output(study, Output.STUDY, actor=person, now=now)
    with packing(out) as pack:
        done = _pack(study, pack, with_vault)
    with write(study.db) as connection:
        counts = {"files": len(done.rows), "rows": sum(done.rows.values()), "vault": int(with_vault)}
        add_audit(connection, at=now, actor=person, action="export.study", subject=done.digest, counts=counts)
    return done


def _pack(study: Study, pack: Packing, with_vault: bool) -> Copied:
    study.db.conn.execute("BEGIN")  # every table as it was at one moment
    try:
        for table in GOES:
            pack.add(f"{table}.jsonl", _lines(rows(study.db, table)))
        held, fields, shaped = waiting(study.db), {t: columns(study.db, t) for t in GOES}, shape(study.db)
    finally:
        study.db.conn.rollback()
    counts = {table: pack.files[f"{table}.jsonl"]["rows"] for table in GOES}
    if with_vault:
        _add_vault(study, pack)
    pack.add("schema.json", _json(schema(fields)))
    pack.add("README.md", [readme(study.title, counts, waiting=held, with_vault=with_vault).encode()])
    about = {"format": FORMAT, "shape": shaped, "study": {"id": study.id, "title": study.title}}
    digest = pack.close({**about, "left out": left_out(waiting=held, with_vault=with_vault)})
    return Copied(counts, held, digest)


def _lines(found: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    return (json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for row in found)


def _json(content: Any) -> list[bytes]:
    return [(json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()]


def _add_vault(study: Study, pack: Packing) -> None:
    """The vault as it is at one moment: ciphertext goes from file to file and is never opened."""
    with TemporaryDirectory(dir=study.folder) as beside:
        copy = Path(beside, VAULT_FILE)
        vault = open_database(study.vault_file)
        vault.conn.execute("VACUUM INTO ?", [str(copy)])
        vault.close()
        with copy.open("rb") as held:
            pack.add(VAULT_FILE, iter(lambda: held.read(_CHUNK), b""))


def import_study(source: Path, folder: Path, *, person: str, now: str) -> tuple[Study, Copied]:
    """A study as it was exported, in a new folder. InputError for a byte that is missing or changed; nothing is left then.

    Its key is not in the export; the caller sees to that and to the vault.
    """
    pack = checked(source)
    _same_kind(pack)
    db = empty_study(folder, str(pack.about["shape"]))
    try:
        with write(db) as connection:
            connection.execute("PRAGMA defer_foreign_keys = ON")
            for table in _tables(pack):
                fill(connection, table, _fitting(pack, table, [c.name for c in columns(db, table)]))
            add_audit(connection, at=now, actor=person, action="import.study", subject=pack.digest)
        if VAULT_FILE in pack.about["files"]:
            pack.copy(VAULT_FILE, folder / VAULT_FILE)
        study = finished(folder, db)
        passports(study.db)  # what cannot be read as one is refused now, and not on every page
    except BaseException as broken:  # noqa: BLE001 - whatever it was, nothing is left half made
        db.close()
        _remove(folder)
        raise broken if isinstance(broken, ServiceError) or not isinstance(broken, Exception) else _unfit() from None
    counts = {table: pack.about["files"][f"{table}.jsonl"]["rows"] for table in _tables(pack)}
    return study, Copied(counts, waiting(study.db), pack.digest)


def _same_kind(pack: Pack) -> None:
    if pack.about.get("format") != FORMAT:
        raise StudyError("this is no export of a study that this version of Heard reads")
    strange = set(pack.about["files"]) - {f"{t}.jsonl" for t in GOES} - set(_BESIDE)
    if strange:
        raise InputError(file=min(strange), problem="no such file belongs to a study")


def _tables(pack: Pack) -> list[str]:
    return [table for table in GOES if f"{table}.jsonl" in pack.about["files"]]


def _fitting(pack: Pack, table: str, fields: list[str]) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(pack.rows(f"{table}.jsonl"), 1):
        if row.keys() != set(fields):
            raise InputError(file=f"{table}.jsonl", row=number, problem="its fields are not those of this table")
        yield row


def _unfit() -> ServiceError:
    return StudyError("its rows do not fit together as a study's; nothing was taken in")


def _remove(folder: Path) -> None:
    for name in (STUDY_FILE, VAULT_FILE):
        for file in folder.glob(f"{Path(name).stem}.*"):
            file.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()
