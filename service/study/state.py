"""How far a study has come, to tell whether what was worked out from it still holds."""

from __future__ import annotations

from sqlite_utils import Database

_ACTS = "(SELECT max(seq) FROM audit), (SELECT max(seq) FROM checks), (SELECT max(rowid) FROM runs)"
_DECIDED = "(SELECT max(seq) FROM decisions), (SELECT max(seq) FROM adjudications)"


def state_of(db: Database, *, decided: bool) -> tuple[int | None, ...]:
    """Another value after every act that is audited, run or checked and, with `decided`, after every decision."""
    return tuple(db.conn.execute(f"SELECT {_ACTS}{f', {_DECIDED}' if decided else ''}").fetchone())
