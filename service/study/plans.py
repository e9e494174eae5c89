"""Who reads what in a round: its plan, the positions that belong to certain coders, and whether it has ended.

A round without a plan is read whole by every coder. In one with a plan, positions with assignments belong to exactly
those coders; all others are a pool.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Plan:
    """The coders of a round, and the share of its units that two of them read."""

    coders: tuple[str, ...]
    twice: float


@dataclass(frozen=True, slots=True)
class End:
    """A round was ended, by whom and when."""

    by: str
    at: str


def add_plan(
    connection: sqlite3.Connection, round_id: str, plan: Plan, assigned: Mapping[int, Sequence[str]], *, by: str, at: str
) -> None:  # fmt: skip
    """Store a round's plan and whom each position belongs to, in the caller's transaction."""
    connection.execute(
        "INSERT INTO plans VALUES (?, ?, ?, ?, ?)",
        (round_id, json.dumps(list(plan.coders), ensure_ascii=False), plan.twice, by, at),
    )
    rows = [(round_id, position, coder) for position, coders in assigned.items() for coder in coders]
    connection.executemany("INSERT INTO assignments VALUES (?, ?, ?)", rows)


def plan_of(db: Database, round_id: str) -> Plan | None:
    """A round's plan; None where everybody reads it whole."""
    row = db.conn.execute("SELECT coders, twice FROM plans WHERE round = ?", [round_id]).fetchone()
    return None if row is None else Plan(tuple(json.loads(row["coders"])), row["twice"])


def assigned(db: Database, round_id: str) -> dict[int, tuple[str, ...]]:
    """Positions that belong to certain coders, with those coders."""
    found: dict[int, tuple[str, ...]] = {}
    rows = db.conn.execute("SELECT position, coder FROM assignments WHERE round = ? ORDER BY rowid", [round_id])
    for row in rows:
        found[row["position"]] = (*found.get(row["position"], ()), row["coder"])
    return found


def add_end(connection: sqlite3.Connection, round_id: str, *, by: str, at: str) -> bool:
    """End a round, in the caller's transaction; False when it had ended before."""
    cursor = connection.execute("INSERT OR IGNORE INTO round_ends VALUES (?, ?, ?)", (round_id, by, at))
    return cursor.rowcount > 0


def ends(db: Database) -> dict[str, End]:
    """The rounds that have ended."""
    return {row["round"]: End(row["by"], row["at"]) for row in db.conn.execute("SELECT * FROM round_ends")}


def leases_now(db: Database, round_id: str, now: str) -> dict[str, int]:
    """How many units each coder holds at this moment."""
    rows = db.conn.execute(
        "SELECT coder, count(*) AS held FROM leases WHERE round = ? AND until > ? GROUP BY coder", [round_id, now]
    )
    return {row["coder"]: row["held"] for row in rows}
