"""Codebook versions that the study has used; a version, once stored, never changes."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from functools import lru_cache

from sqlite_utils import Database

from nlp.codebook_meaning import numbers
from nlp.types import Change, Code, Codebook, CodeStatus, Exclusion, Family, NearMiss
from service.errors import RecordError, StudyError


def keep_codebook(connection: sqlite3.Connection, codebook: Codebook, now: str) -> None:
    """Store a version once; StudyError when another text already goes by that version."""
    row = connection.execute(
        "SELECT fingerprint FROM codebooks WHERE id = ? AND version = ?", (codebook.id, codebook.version)
    ).fetchone()
    if row is None:
        content = json.dumps(asdict(codebook), ensure_ascii=False)
        connection.execute(
            "INSERT INTO codebooks VALUES (?, ?, ?, ?, ?)",
            (codebook.id, codebook.version, codebook.fingerprint, content, now),
        )
    elif row["fingerprint"] != codebook.fingerprint:
        raise StudyError(
            f"version {codebook.version} of “{codebook.id}” is already in use with other words; raise its version number"
        )


def newest_codebook(db: Database) -> Codebook:
    """The version that people code with: the last that was published here or that suggestions were made with.

    RecordError before the first `suggest`.
    """
    row = db.conn.execute(
        "SELECT b.content FROM codebooks b JOIN current_reading r ON r.codebook = b.id AND r.codebook_version = b.version"
    ).fetchone()
    if row is None:
        raise RecordError("no codebook has been used in this study yet; run “heard suggest” first")
    return _read(row["content"])


@lru_cache(maxsize=8)
def _read(content: str) -> Codebook:
    """A stored codebook; read once, since a version never changes and a large one takes long to read."""
    return _codebook(json.loads(content))


def all_codebooks(db: Database, codebook: str) -> list[Codebook]:
    """Every version that the study keeps, in the order in which they came."""
    rows = db.conn.execute("SELECT content FROM codebooks WHERE id = ? ORDER BY rowid", [codebook])
    return [_read(row["content"]) for row in rows]


def codebook_version(db: Database, codebook: str, version: str) -> Codebook:
    """One version that the study keeps; RecordError when it keeps none of that number."""
    row = db.conn.execute("SELECT content FROM codebooks WHERE id = ? AND version = ?", (codebook, version)).fetchone()
    if row is None:
        raise RecordError("this study keeps no version of its codebook under that number")
    return _read(row["content"])


def latest_codebook(db: Database, codebook: str) -> Codebook | None:
    """The version with the highest number that the study keeps, be it in use or not yet; None when it keeps none."""
    held = [row["version"] for row in db.conn.execute("SELECT version FROM codebooks WHERE id = ?", [codebook])]
    return codebook_version(db, codebook, max(held, key=numbers)) if held else None


def active_codes_by_version(db: Database, codebook: str) -> dict[str, frozenset[str]]:
    """For each version that the study has used, the codes that could be given then."""
    return {book.version: frozenset(c.id for c in book.active_codes) for book in all_codebooks(db, codebook)}


def _codebook(raw: dict[str, object]) -> Codebook:
    fields = dict(raw)
    fields["codes"] = tuple(code_from(c) for c in raw["codes"])  # type: ignore[attr-defined]
    fields["families"] = tuple(Family(**f) for f in raw["families"])  # type: ignore[attr-defined]
    fields["changes"] = tuple(Change(**c) for c in raw["changes"])  # type: ignore[attr-defined]
    return Codebook(**fields)  # type: ignore[arg-type]


def code_from(raw: dict[str, object]) -> Code:
    """A code from its stored form."""
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
    fields["exclude"] = tuple(Exclusion(**e) for e in raw["exclude"])  # type: ignore[attr-defined]
    fields["near_misses"] = tuple(NearMiss(**n) for n in raw["near_misses"])  # type: ignore[attr-defined]
    fields["status"] = CodeStatus(str(raw["status"]))
    return Code(**fields)  # type: ignore[arg-type]
