"""The chain as an auditor reads it: by kind, person and day, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlite_utils import Database

from service.study.chain import Entry

# The kind of an entry goes by the words it begins with.
_KINDS = {
    "view": ("view%",),
    "decide": ("decide%", "adjudicate%"),
    "export": ("export%", "share lessons", "backup study", "restore study", "verify backup"),
    "release": ("release%", "%release"),
    "sign-in": ("sign %", "refuse sign-in", "lock account", "unlock account", "end session%"),
    "settings": (
        "make %",
        "add account%",
        "end account",
        "change password",
        "%key",
        "%second step%",
        "start %",
        "%reseal%",
        "set passport",
    ),
}
OTHER = "other"
KINDS = (*_KINDS, OTHER)
_KIND = " ".join(f"WHEN action LIKE '{p}' THEN '{kind}'" for kind, patterns in _KINDS.items() for p in patterns)
_SEEN = f"(SELECT *, CASE {_KIND} ELSE '{OTHER}' END AS kind FROM chain)"
_FITS = (
    "(:kind = '' OR kind = :kind) AND (:actor = '' OR actor = :actor) AND (:first = '' OR at >= :first)"
    " AND (:last = '' OR substr(at, 1, 10) <= :last)"
)
_ENTRY = "seq, at, actor, action, subject, counts, source, number, digest, hash"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an auditor asks for; empty is any. `first` and `last` are days, as 2026-01-31."""

    kind: str = ""
    actor: str = ""
    first: str = ""
    last: str = ""

    @property
    def given(self) -> dict[str, object]:
        """As parameters of a query."""
        return {"kind": self.kind, "actor": self.actor, "first": self.first, "last": self.last}


def trail(db: Database, wanted: Wanted, *, limit: int = -1, skip: int = 0) -> Iterator[Entry]:
    """The entries that fit, newest first."""
    rows = db.conn.execute(
        f"SELECT {_ENTRY} FROM {_SEEN} WHERE {_FITS} ORDER BY seq DESC LIMIT :limit OFFSET :skip",
        {**wanted.given, "limit": limit, "skip": skip},
    )
    return (Entry(*row) for row in rows)


def count_trail(db: Database, wanted: Wanted) -> int:
    """How many entries fit."""
    count: int = db.conn.execute(f"SELECT count(*) FROM {_SEEN} WHERE {_FITS}", wanted.given).fetchone()[0]
    return count


def actors(db: Database) -> list[str]:
    """Everybody who did anything, by name."""
    return [row[0] for row in db.conn.execute("SELECT DISTINCT actor FROM chain ORDER BY actor")]
