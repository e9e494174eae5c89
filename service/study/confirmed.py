"""What stands confirmed: coders' codings, and in their place what an adjudication settled."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from service.study.publications import COUNTS_AS
from service.study.voices import NEWEST

# One row a coder and code of a segment, under the code that it counts under today; none where it must be read again.
# Where a round's item was adjudicated for a code, the newest adjudication alone.
CONFIRMED = f"""
(
    SELECT * FROM (
    SELECT segment, {COUNTS_AS} AS code, stance, start, "end", coder, at, 0 AS settled, bulk FROM codings k WHERE NOT EXISTS
        (SELECT 1 FROM adjudications a WHERE a.round = k.round AND a.segment = k.segment AND a.code = k.code)
    UNION ALL
    SELECT segment, {COUNTS_AS}, stance, start, "end", by, at, 1, 0 FROM adjudications k WHERE given = 1 AND seq =
        (SELECT max(seq) FROM adjudications n WHERE n.round = k.round AND n.segment = k.segment AND n.code = k.code)
    ) WHERE code <> ''
)
"""
_SEEN = "(k.coder = ? OR k.segment NOT IN (SELECT value FROM json_each(?)))"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A code that stands for a segment, by one coder or, where `settled`, by adjudication; `bulk` where nobody read it."""

    segment: str
    code: str
    stance: str
    start: int
    end: int
    coder: str
    at: str
    settled: bool
    bulk: bool


@dataclass(frozen=True, slots=True)
class CodedVoice:
    """A code that stands for a segment, with the voice it is in; `first` and `last` are the segment's bounds."""

    participant: str
    voice_id: str
    segment: str
    position: int
    first: int
    last: int
    start: int
    end: int
    stance: str
    coder: str
    settled: bool
    bulk: bool
    speaker: str
    age_band: str
    area: str
    period: str
    provenance: str
    consent: str


def confirmed(
    db: Database, person: str, hidden: Collection[str], where: str = "1", parameters: Sequence[object] = ()
) -> list[Confirmed]:
    """What stands confirmed, as far as this person may see it: not others' codings of the `hidden` segments.

    `where` is a condition on the columns of `k`.
    """
    rows = db.conn.execute(
        f"SELECT * FROM {CONFIRMED} k WHERE {_SEEN} AND ({where}) ORDER BY k.at, k.segment, k.code",
        [person, json.dumps(sorted(hidden)), *parameters],
    )
    return [Confirmed(**{**dict(row), "settled": bool(row["settled"]), "bulk": bool(row["bulk"])}) for row in rows]


def coded_voices(db: Database, person: str, hidden: Collection[str], code: str) -> list[CodedVoice]:
    """Where a code stands, as far as this person may see it: person after person in the order of intake."""
    rows = db.conn.execute(
        'SELECT v.participant, v.id AS voice_id, s.id AS segment, s.position, s.start AS first, s."end" AS last, k.start,'
        ' k."end", k.stance, k.coder, k.settled, k.bulk, v.voice AS speaker, v.age_band, v.area, v.period, v.provenance,'
        " v.consent"
        f" FROM {CONFIRMED} k JOIN segments s ON s.id = k.segment JOIN voices v ON v.id = s.voice"
        f" JOIN clean_texts c ON c.voice = s.voice AND c.version = s.version AND c.version = {NEWEST} AND c.held = ''"
        f" WHERE k.code = ? AND {_SEEN}"
        " ORDER BY (SELECT min(o.rowid) FROM voices o WHERE o.participant = v.participant), v.rowid, s.position, k.at",
        [code, person, json.dumps(sorted(hidden))],
    )
    return [CodedVoice(**{**dict(row), "settled": bool(row["settled"]), "bulk": bool(row["bulk"])}) for row in rows]


def counts_by_code(db: Database, person: str, hidden: Collection[str]) -> dict[str, tuple[int, int]]:
    """For each code that stands anywhere this person may see, in how many segments and people."""
    rows = db.conn.execute(
        "SELECT k.code, count(DISTINCT k.segment), count(DISTINCT v.participant)"
        f" FROM {CONFIRMED} k JOIN segments s ON s.id = k.segment JOIN voices v ON v.id = s.voice"
        f" JOIN clean_texts c ON c.voice = s.voice AND c.version = s.version AND c.version = {NEWEST} AND c.held = ''"
        f" WHERE {_SEEN} GROUP BY k.code",
        [person, json.dumps(sorted(hidden))],
    )
    return {code: (segments, people) for code, segments, people in rows}
