"""What stands confirmed: coders' codings, and in their place what an adjudication settled."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

# One row a coder and code of a segment. Where a round's item was adjudicated for a code, the newest adjudication alone.
CONFIRMED = """
(
    SELECT segment, code, stance, start, "end", coder, at, 0 AS settled FROM codings k WHERE NOT EXISTS
        (SELECT 1 FROM adjudications a WHERE a.round = k.round AND a.segment = k.segment AND a.code = k.code)
    UNION ALL
    SELECT segment, code, stance, start, "end", by, at, 1 FROM adjudications a WHERE given = 1 AND seq =
        (SELECT max(seq) FROM adjudications n WHERE n.round = a.round AND n.segment = a.segment AND n.code = a.code)
)
"""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A code that stands for a segment, by one coder or, where `settled`, by adjudication."""

    segment: str
    code: str
    stance: str
    start: int
    end: int
    coder: str
    at: str
    settled: bool


def confirmed(
    db: Database, person: str, hidden: Collection[str], where: str = "1", parameters: Sequence[object] = ()
) -> list[Confirmed]:
    """What stands confirmed, as far as this person may see it: not others' codings of the `hidden` segments.

    `where` is a condition on the columns of `k`.
    """
    rows = db.conn.execute(
        f"SELECT * FROM {CONFIRMED} k WHERE (k.coder = ? OR k.segment NOT IN (SELECT value FROM json_each(?)))"
        f" AND ({where}) ORDER BY k.at, k.segment, k.code",
        [person, json.dumps(sorted(hidden)), *parameters],
    )
    return [Confirmed(**{**dict(row), "settled": bool(row["settled"])}) for row in rows]
