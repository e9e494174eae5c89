"""What a browser has sent to be saved, by its token, so that a retry after a lost answer stores nothing twice."""

from __future__ import annotations

import json
import sqlite3

from service.errors import ConflictError


def saved_under(
    connection: sqlite3.Connection, token: str, *, coder: str, round_: str, segment: str
) -> list[int] | None:
    """The decisions stored under a token; None when it is new. ConflictError when it was used for something else."""
    row = connection.execute("SELECT * FROM saves WHERE token = ?", [token]).fetchone()
    if row is None:
        return None
    if (row["coder"], row["round"], row["segment"]) != (coder, round_, segment):
        raise ConflictError("this save goes by the name of another one; load the page again")
    return [int(seq) for seq in json.loads(row["decisions"])]


def add_save(
    connection: sqlite3.Connection, token: str, *, coder: str, round_: str, segment: str, decisions: list[int], at: str
) -> None:
    """Remember what was stored under a token, in the caller's transaction."""
    row = (token, coder, round_, segment, json.dumps(decisions), at)
    connection.execute("INSERT INTO saves VALUES (?, ?, ?, ?, ?, ?)", row)
