"""What a lead settled where coders disagreed. Every row stays; for each item and code the newest counts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Adjudication:
    """Whether a code stands for an item, by whom and why; `considered` are the decisions that were weighed."""

    round: str
    segment: str
    code: str
    given: bool
    stance: str
    start: int
    end: int
    reason: str
    considered: tuple[int, ...]
    by: str
    at: str
    codebook_version: str
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """One code that one coder gave an item, and the decision that says so."""

    code: str
    stance: str
    start: int
    end: int
    seq: int


@dataclass(frozen=True, slots=True)
class Read:
    """One coder's finished reading of an item; `seqs` are all the decisions that it rests on."""

    coder: str
    judgements: tuple[Judgement, ...]
    seqs: tuple[int, ...]


def add_adjudications(connection: sqlite3.Connection, settled: Sequence[Adjudication]) -> None:
    """Append, in the caller's transaction."""
    connection.executemany(
        'INSERT INTO adjudications (round, segment, code, given, stance, start, "end", reason, considered, by, at,'
        " codebook_version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (a.round, a.segment, a.code, int(a.given), a.stance, a.start, a.end, a.reason, json.dumps(a.considered),
             a.by, a.at, a.codebook_version)
            for a in settled
        ],
    )  # fmt: skip


def adjudications(db: Database, where: str = "1", parameters: Sequence[object] = ()) -> list[Adjudication]:
    """All that meet a condition on the table's columns, oldest first."""
    rows = db.conn.execute(f"SELECT * FROM adjudications WHERE {where} ORDER BY seq", parameters)
    return [_adjudication(row) for row in rows]


def _adjudication(row: sqlite3.Row) -> Adjudication:
    held = {**dict(row), "given": bool(row["given"]), "considered": tuple(json.loads(row["considered"]))}
    return Adjudication(**held)


def shared_reads(db: Database, round_id: str, segment: str = "") -> dict[str, list[Read]]:
    """For each item of a round that two coders or more have read to the end, what each holds of it now."""
    asked = {"round": round_id, "segment": segment}
    closed: dict[str, dict[str, int]] = {}
    for row in db.conn.execute(
        "SELECT segment, coder, max(seq) AS seq FROM standing WHERE round = :round AND action = 'close'"
        " AND :segment IN ('', segment) GROUP BY segment, coder ORDER BY segment, coder",
        asked,
    ):
        closed.setdefault(row["segment"], {})[row["coder"]] = row["seq"]
    given: dict[tuple[str, str], list[Judgement]] = {}
    for row in db.conn.execute(
        'SELECT segment, coder, code, stance, start, "end", seq FROM codings WHERE round = :round'
        " AND :segment IN ('', segment) ORDER BY start, code",
        asked,
    ):
        judgement = Judgement(row["code"], row["stance"], row["start"], row["end"], row["seq"])
        given.setdefault((row["segment"], row["coder"]), []).append(judgement)
    return {
        s: [_read(coder, given.get((s, coder), []), seq) for coder, seq in by.items()]
        for s, by in closed.items()
        if len(by) > 1
    }


def _read(coder: str, judgements: Sequence[Judgement], closed: int) -> Read:
    return Read(coder, tuple(judgements), tuple(sorted([closed, *(j.seq for j in judgements)])))
