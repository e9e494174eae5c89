"""Who has withdrawn: pseudonyms and counts, kept so that nobody comes back with the next file or from a backup."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class GivenOut:
    """Something that had left the study when the person withdrew: an entry of the record, by its number."""

    entry: int
    at: str
    actor: str
    action: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done for one withdrawal, in ids and counts.

    `rounds` had drawn the person, `judged` are links judged on figures with them, `given_out` left the study with them in
    it, `files` are codebook files outside the study that quote them.
    """

    participant: str
    voices: tuple[str, ...]
    counts: Mapping[str, int]
    sealed: int
    rounds: tuple[str, ...]
    judged: tuple[str, ...]
    given_out: tuple[GivenOut, ...]
    files: tuple[str, ...]
    by: str
    at: str


def add_withdrawal(connection: sqlite3.Connection, receipt: Receipt) -> None:
    """Record a withdrawal, in the caller's transaction."""
    told = {
        "counts": dict(receipt.counts), "sealed": receipt.sealed, "rounds": receipt.rounds, "judged": receipt.judged,
        "given_out": [[g.entry, g.at, g.actor, g.action] for g in receipt.given_out], "files": receipt.files,
    }  # fmt: skip
    connection.execute(
        "INSERT INTO withdrawals (participant, voices, receipt, by, at) VALUES (?, ?, ?, ?, ?)",
        (receipt.participant, json.dumps(receipt.voices), json.dumps(told), receipt.by, receipt.at),
    )


def withdrawals(db: Database) -> list[Receipt]:
    """Every receipt, newest first."""
    return [_receipt(row) for row in db.conn.execute("SELECT * FROM withdrawals ORDER BY seq DESC")]


def withdrawal_of(db: Database, id_: str) -> Receipt | None:
    """The receipt of a pseudonym, or of a voice that was theirs."""
    row = db.conn.execute(
        "SELECT * FROM withdrawals WHERE participant = ?1 OR EXISTS"
        " (SELECT 1 FROM json_each(voices) v WHERE v.value = ?1)",
        [id_],
    ).fetchone()
    return None if row is None else _receipt(row)


def withdrawn(db: Database) -> tuple[frozenset[str], frozenset[str]]:
    """The participants who have withdrawn, and the voices that were theirs."""
    held = withdrawals(db)
    return frozenset(r.participant for r in held), frozenset(v for r in held for v in r.voices)


def _receipt(row: sqlite3.Row) -> Receipt:
    told = json.loads(row["receipt"])
    return Receipt(
        row["participant"], tuple(json.loads(row["voices"])), told["counts"], told["sealed"], tuple(told["rounds"]),
        tuple(told["judged"]), tuple(GivenOut(*g) for g in told["given_out"]), tuple(told["files"]), row["by"], row["at"],
    )  # fmt: skip


def given_out_since(db: Database, voices: Sequence[str]) -> tuple[GivenOut, ...]:
    """What has left the study since the first of these voices came in."""
    rows = db.conn.execute(
        "SELECT seq, at, actor, action FROM audit WHERE (action LIKE '%export%' OR action LIKE '%release%'"
        " OR action LIKE '%report%' OR action LIKE 'share%' OR action = 'backup study')"
        " AND (action <> 'release quotation' OR subject IN"
        " (SELECT s.id FROM segments s JOIN json_each(?1) v ON v.value = s.voice))"
        " AND at >= coalesce((SELECT min(r.started_at) FROM voices v"
        " JOIN runs r ON r.id = v.intake WHERE v.id IN (SELECT value FROM json_each(?1))), '') ORDER BY seq",
        [json.dumps(list(voices))],
    )
    return tuple(GivenOut(*row) for row in rows)


def rounds_with(db: Database, voices: Sequence[str]) -> tuple[str, ...]:
    """The rounds that had drawn one of these voices, a part of it or who said it."""
    rows = db.conn.execute(
        "SELECT DISTINCT d.round FROM draws d LEFT JOIN frames f ON f.round = d.round AND f.unit = d.unit"
        " LEFT JOIN segments s ON s.id = d.unit JOIN json_each(?) v ON v.value IN (f.voice, s.voice) ORDER BY 1",
        [json.dumps(list(voices))],
    )
    return tuple(row[0] for row in rows)
