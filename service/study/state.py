"""How far a study has come, to tell whether what was worked out from it still holds."""

from __future__ import annotations

from sqlite_utils import Database

_STATE = (
    "SELECT (SELECT max(seq) FROM audit), (SELECT max(seq) FROM decisions), (SELECT max(seq) FROM checks),"
    " (SELECT max(rowid) FROM runs)"
)


def state_of(db: Database) -> tuple[int | None, ...]:
    """Another value after every act that is audited, run, checked or decided."""
    return tuple(db.conn.execute(_STATE).fetchone())
