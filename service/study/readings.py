"""Readings: who read which segment to the end in which round, what they gave it, and what the machine had said before."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from service.study.decisions import Coding, blind_codings, codings
from service.study.voices import NEWEST


@dataclass(frozen=True, slots=True)
class Reading:
    """A segment that a coder closed; `start` and `end` bound it in the clean text, `seq` numbers the decision to close.

    `machine` names the suggestions that were made last before it, of the same codebook version; empty where none were.
    """

    seq: int
    segment: str
    coder: str
    round: str
    blind: bool
    participant: str
    codebook_version: str
    start: int
    end: int
    machine: str


_READINGS = f"""
SELECT x.seq, x.segment, x.coder, x.round, r.kind = 'counting' AS blind, v.participant, x.codebook_version, s.start, s."end",
    coalesce((SELECT m.reading FROM matched m JOIN runs u ON u.id = m.run WHERE m.segment = x.segment
        AND u.finished_at <= x.at AND u.codebook_version = x.codebook_version ORDER BY u.rowid DESC LIMIT 1), '') AS machine
FROM standing x JOIN rounds r ON r.id = x.round JOIN segments s ON s.id = x.segment JOIN voices v ON v.id = s.voice
JOIN clean_texts c ON c.voice = s.voice AND c.version = s.version AND c.version = {NEWEST} AND c.held = ''
WHERE x.action = 'close' AND x.bulk = 0
"""


def readings(db: Database, where: str = "1", parameters: Sequence[object] = ()) -> list[Reading]:
    """Readings that meet a condition on `x` (decisions), oldest first; what was accepted in bulk, nobody read."""
    rows = db.conn.execute(f"{_READINGS} AND ({where}) ORDER BY x.seq", parameters)
    return [Reading(**{**dict(row), "blind": bool(row["blind"])}) for row in rows]


def given_in(db: Database, round_id: str, *, blind: bool) -> dict[tuple[str, str], list[Coding]]:
    """What each coder gave each segment of a round; with `blind`, before they saw any suggestion."""
    found: dict[tuple[str, str], list[Coding]] = {}
    for coding in blind_codings(db, round_id) if blind else codings(db, "round = ?", [round_id]):
        found.setdefault((coding.coder, coding.segment), []).append(coding)
    return found


def suggested(db: Database, asked: Sequence[Reading]) -> dict[int, dict[str, float]]:
    """For each of the readings that the machine went before: the codes it suggested, with their probabilities."""
    found: dict[int, dict[str, float]] = {}
    for one in asked:
        if one.machine:
            rows = db.conn.execute(
                "SELECT code, probability FROM suggestions WHERE segment = ? AND reading = ?",
                [one.segment, one.machine],
            )
            found[one.seq] = {row["code"]: row["probability"] for row in rows}
    return found


def twice_read(db: Database) -> dict[str, int]:
    """The rounds with segments that two coders or more have read, newest first, with how many."""
    rows = db.conn.execute(
        "SELECT round, count(*) AS twice FROM (SELECT round, segment FROM standing WHERE action = 'close' AND bulk = 0"
        " GROUP BY round, segment HAVING count(DISTINCT coder) > 1) t JOIN rounds r ON r.id = t.round"
        " GROUP BY round ORDER BY r.rowid DESC"
    )
    return {row["round"]: row["twice"] for row in rows}


def segments_of_round(db: Database, round_id: str) -> set[str]:
    """The ids of all segments that are read in a round."""
    rows = db.conn.execute(
        "SELECT s.id FROM draws d JOIN segments s ON s.id = d.unit WHERE d.round = :round UNION"
        " SELECT s.id FROM draws d JOIN frames f ON f.round = d.round AND f.unit = d.unit JOIN segments s ON s.voice = f.voice"
        " WHERE d.round = :round",
        {"round": round_id},
    )
    return {row["id"] for row in rows}


def versions_read(db: Database, person: str, hidden: Collection[str]) -> dict[str, set[str]]:
    """The codebook versions under which somebody read each segment to the end; of the `hidden` ones, this person alone."""
    found: dict[str, set[str]] = {}
    rows = db.conn.execute(
        "SELECT DISTINCT segment, codebook_version FROM standing WHERE action = 'close' AND bulk = 0"
        " AND (coder = ? OR segment NOT IN (SELECT value FROM json_each(?)))",
        [person, json.dumps(sorted(hidden))],
    )
    for segment, version in rows:
        found.setdefault(segment, set()).add(version)
    return found
