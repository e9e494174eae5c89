"""Who did what when: the audit trail, and reading as a line for each coder, round and day."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlite_utils import Database

READ = "read"
# The kind of an act goes by the words it begins or ends with; whatever came later than this list is of the last kind.
_KINDS = {
    "texts": ("intake", "correct", "deidentify", "fix%", "accept risk", "%check", "erase%", "purge%", "%passport",
              "refuse intake"),
    "suggestions": ("suggest%", "%candidate", "%candidates", "discover", "%lessons", "sharpen%"),
    "rounds": ("%round", "%adjudic%"),
    "reading": (READ, "%bulk%", "%accept"),
    "talk": ("%memo", "flag %", "end flag %"),
    "codebook": ("%draft", "%codebook", "%recode%"),
    "findings": ("link%", "%judge%", "%release%", "%pack", "%export%", "refuse output"),
}  # fmt: skip
OTHER = "other"
KINDS = (*_KINDS, OTHER)
_CASES = " ".join(
    f"WHEN action LIKE '{pattern}' THEN '{kind}'" for kind, patterns in _KINDS.items() for pattern in patterns
)
_ACTS = f"""
WITH acts AS (
    SELECT at, actor, action, subject, counts, 1 AS source, seq FROM audit
    UNION ALL
    SELECT max(at), coder, '{READ}', round, json_object('segments', count(DISTINCT segment)), 2, max(seq) FROM standing
    WHERE action = 'close' GROUP BY coder, round, substr(at, 1, 10)
), seen AS (
    SELECT *, CASE {_CASES} ELSE '{OTHER}' END AS kind FROM acts WHERE actor = :me OR NOT (
        subject IN (SELECT value FROM json_each(:hidden))
        OR (action LIKE '%disclosure' AND NOT :disclosures)
        OR (source = 2 AND NOT :reading AND subject NOT IN (SELECT round FROM round_ends))
    )
)
"""
_FITS = "(:kind = '' OR kind = :kind) AND (:actor = '' OR actor = :actor)"


@dataclass(frozen=True, slots=True)
class Act:
    """Something that somebody did, in ids and counts. For reading, `at` is when the day's last item was closed."""

    at: str
    actor: str
    action: str
    subject: str
    counts: Mapping[str, int]
    kind: str


@dataclass(frozen=True, slots=True)
class Sight:
    """Who looks, and what of others' acts they may see: nothing about `hidden` segments, possible disclosures only
    with `disclosures`, and how much others have read in a round that goes on only with `reading`."""

    me: str
    hidden: Collection[str]
    disclosures: bool
    reading: bool


def acts(db: Database, sight: Sight, *, kind: str, actor: str, limit: int, skip: int) -> list[Act]:
    """What this person may see and asks for, newest first; an empty `kind` or `actor` is any."""
    rows = db.conn.execute(
        f"{_ACTS} SELECT at, actor, action, subject, counts, kind FROM seen WHERE {_FITS}"
        " ORDER BY at DESC, source, seq DESC LIMIT :limit OFFSET :skip",
        {**_given(sight), "kind": kind, "actor": actor, "limit": limit, "skip": skip},
    )
    return [Act(**{**dict(row), "counts": json.loads(row["counts"])}) for row in rows]


def count_acts(db: Database, sight: Sight) -> dict[tuple[str, str], int]:
    """How many acts of each kind and actor this person may see."""
    rows = db.conn.execute(f"{_ACTS} SELECT kind, actor, count(*) FROM seen GROUP BY kind, actor", _given(sight))
    return {(kind, actor): count for kind, actor, count in rows}


def _given(sight: Sight) -> dict[str, object]:
    return {
        "me": sight.me, "hidden": json.dumps(sorted(sight.hidden)), "disclosures": int(sight.disclosures),
        "reading": int(sight.reading),
    }  # fmt: skip
