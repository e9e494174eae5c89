"""Runs (one method over one corpus) and the audit trail (who did what, in ids and counts)."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Run:
    """What was done, with which method, model and codebook, to which input, with what counts."""

    id: str
    kind: str
    method: str
    model: str
    codebook: str
    codebook_version: str
    input_hash: str
    counts: Mapping[str, int]
    started_at: str
    finished_at: str


def new_run_id(kind: str, now: str) -> str:
    """A name for a run that is about to begin."""
    return f"{kind}-{now}-{secrets.token_hex(3)}"


def add_run(connection: sqlite3.Connection, run: Run) -> None:
    """Record a run, inside the caller's transaction."""
    connection.execute(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run.id, run.kind, run.method, run.model, run.codebook, run.codebook_version, run.input_hash,
            json.dumps(dict(run.counts)), run.started_at, run.finished_at,
        ),
    )  # fmt: skip


def add_audit(
    connection: sqlite3.Connection,
    *,
    at: str,
    actor: str,
    action: str,
    subject: str,
    counts: Mapping[str, int] | None = None,
) -> None:
    """Record an act, inside the caller's transaction: ids and counts only."""
    connection.execute(
        "INSERT INTO audit (at, actor, action, subject, counts) VALUES (?, ?, ?, ?, ?)",
        (at, actor, action, subject, json.dumps(dict(counts or {}))),
    )


def all_runs(db: Database) -> list[Run]:
    """Every run, oldest first."""
    rows = db.conn.execute("SELECT * FROM runs ORDER BY started_at, rowid").fetchall()
    return [Run(**{**dict(row), "counts": json.loads(row["counts"])}) for row in rows]
