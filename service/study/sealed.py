"""What a coder must not see yet: suggestions and others' decisions on items of a round that are still to be read.

A counting round is read blind, and items that two coders read are settled only when both are done. Every page and
address that shows suggestions or codings of a segment to a person asks here first.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlite_utils import Database

# An item is open until its coder (two, where two are assigned) has read it, or its round has ended. A skip is no
# reading: it can be taken back, and the item read blind after all.
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
        (SELECT count(DISTINCT x.coder) FROM standing x WHERE x.round = i.round AND x.segment = i.segment AND x.action = 'close')
        < max(1, i.wanted)
)
"""
_MINE = (
    "EXISTS (SELECT 1 FROM standing x WHERE x.round = o.round AND x.segment = o.segment AND x.coder = ?"
    " AND x.action = 'close')"
)


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


# The same over the whole study at once, for filters and counts: only items that may be kept from somebody are looked at.
_ALL_OPEN = """
WITH going AS (
    SELECT id, kind, unit FROM rounds r WHERE NOT EXISTS (SELECT 1 FROM round_ends e WHERE e.round = r.id)
), shared AS (
    SELECT round, position, count(*) AS wanted FROM assignments WHERE round IN (SELECT id FROM going) GROUP BY round, position
), items AS (
    SELECT s.id AS segment, g.id AS round, g.kind, coalesce(a.wanted, 0) AS wanted
    FROM going g JOIN frames f ON f.round = g.id CROSS JOIN draws d ON d.round = g.id AND d.unit = f.unit
    LEFT JOIN shared a ON a.round = g.id AND a.position = d.position JOIN segments s ON s.voice = f.voice
    WHERE g.unit <> 'segment' AND (g.kind = 'counting' OR a.wanted > 1)
    UNION ALL
    SELECT d.unit, g.id, g.kind, a.wanted
    FROM going g JOIN shared a ON a.round = g.id JOIN draws d ON d.round = g.id AND d.position = a.position
    WHERE g.unit = 'segment' AND a.wanted > 1
    UNION ALL
    SELECT d.unit, g.id, g.kind, coalesce(a.wanted, 0)
    FROM going g JOIN draws d ON d.round = g.id LEFT JOIN shared a ON a.round = g.id AND a.position = d.position
    WHERE g.unit = 'segment' AND g.kind = 'counting' AND coalesce(a.wanted, 0) <= 1
), readers AS (
    SELECT round, segment, count(DISTINCT coder) AS done, max(coder = :coder) AS mine FROM standing
    WHERE action = 'close' AND round IN (SELECT id FROM going) GROUP BY round, segment
)
SELECT DISTINCT i.segment FROM items i LEFT JOIN readers r ON r.round = i.round AND r.segment = i.segment
WHERE coalesce(r.done, 0) < max(1, i.wanted) AND
"""
_UNREAD = "(i.kind = 'counting' AND NOT coalesce(r.mine, 0))"


def all_without_suggestions(db: Database, coder: str) -> set[str]:
    """Every segment of the study whose suggestions are kept from this coder."""
    return {row[0] for row in db.conn.execute(_ALL_OPEN + _UNREAD, {"coder": coder})}


def all_without_others(db: Database, coder: str) -> set[str]:
    """Every segment of the study where others' decisions are kept from this coder."""
    return {row[0] for row in db.conn.execute(_ALL_OPEN + f"(i.wanted > 1 OR {_UNREAD})", {"coder": coder})}
