"""Packs of other councils that a study holds, as they came."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sqlite_utils import Database

from nlp.findings.pack import Signed, read_pack


@dataclass(frozen=True, slots=True)
class HeldPack:
    """A pack; `confirmed` where a person compared its key's fingerprint with the council that made it."""

    sha256: str
    signed: Signed
    confirmed: bool
    by: str
    at: str


def add_pack(connection: sqlite3.Connection, sha256: str, content: bytes, *, confirmed: bool, by: str, at: str) -> None:
    """Keep a pack, in the caller's transaction; one that is there already is only confirmed, never doubted."""
    connection.execute(
        "INSERT INTO packs (sha256, content, confirmed, by, at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (sha256) DO UPDATE SET confirmed = max(confirmed, excluded.confirmed)",
        (sha256, content, int(confirmed), by, at),
    )


def held_packs(db: Database) -> list[HeldPack]:
    """All that came, in that order."""
    rows = db.conn.execute("SELECT sha256, content, confirmed, by, at FROM packs ORDER BY seq")
    return [
        HeldPack(row["sha256"], read_pack(row["content"]), bool(row["confirmed"]), row["by"], row["at"]) for row in rows
    ]
