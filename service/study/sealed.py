"""What a coder must not see yet: suggestions and others' decisions on items of a round that are still to be read.

A counting round is read blind, and items that two coders read are settled only when both are done. Every page and
address that shows suggestions or codings of a segment to a person asks here first.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlite_utils import Database

# An item is open until its coder (two, where two are assigned) has finished it, or its round has ended.
_OPEN_ITEMS = """
WITH items AS (
    SELECT s.id AS segment, d.round, d.position, r.kind,
        (SELECT count(*) FROM assignments a WHERE a.round = d.round AND a.position = d.position) AS wanted
    FROM segments s JOIN frames f ON f.voice = s.voice JOIN draws d ON d.round = f.round AND d.unit = f.unit
    JOIN rounds r ON r.id = d.round
    WHERE s.id IN ({ids}) AND r.unit <> 'segment' AND NOT EXISTS (SELECT 1 FROM round_ends e WHERE e.round = d.round)
    UNION ALL
    SELECT s.id, d.round, d.position, r.kind,
        (SELECT count(*) FROM assignments a WHERE a.round = d.round AND a.position = d.position)
    FROM segments s JOIN draws d ON d.unit = s.id JOIN rounds r ON r.id = d.round
    WHERE s.id IN ({ids}) AND r.unit = 'segment' AND NOT EXISTS (SELECT 1 FROM round_ends e WHERE e.round = d.round)
), open_items AS (
    SELECT * FROM items i WHERE
        (SELECT count(*) FROM finished f WHERE f.round = i.round AND f.segment = i.segment) < max(1, i.wanted)
)
"""
_MINE = "EXISTS (SELECT 1 FROM finished f WHERE f.round = o.round AND f.segment = o.segment AND f.coder = ?)"


def without_suggestions(db: Database, coder: str, segments: Sequence[str]) -> set[str]:
    """Those of the segments whose suggestions are kept from this coder: not yet read blind, by this coder or at all."""
    return _select(db, segments, f"o.kind = 'counting' AND NOT {_MINE}", coder)


def without_others(db: Database, coder: str, segments: Sequence[str]) -> set[str]:
    """Those of the segments where others' decisions are kept from this coder: two read them, or they are read blind."""
    return _select(db, segments, f"o.wanted > 1 OR (o.kind = 'counting' AND NOT {_MINE})", coder)


def _select(db: Database, segments: Sequence[str], where: str, coder: str) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(segments), 400):
        part = list(segments[start : start + 400])
        marks = ",".join("?" * len(part))
        query = _OPEN_ITEMS.format(ids=marks) + f"SELECT DISTINCT segment FROM open_items o WHERE {where}"
        found |= {row[0] for row in db.conn.execute(query, [*part, *part, coder])}
    return found
