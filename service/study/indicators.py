"""Published values that a study holds, each with the file that it stands in. The newest file speaks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from sqlite3 import Connection
from typing import Any

from sqlite_utils import Database

from nlp.findings.indicators import Area, Note, NoteKind, Period, Polarity, Source, Status, Value
from nlp.findings.indicators.geography import place


@dataclass(frozen=True, slots=True)
class Stored:
    """A value and its file."""

    value: Value
    source: Source


@dataclass(frozen=True, slots=True)
class Listed:
    """One indicator in short: how many values of how many places, from when to when."""

    indicator: str
    label: str
    unit: str
    kind: str
    values: int
    shown: int
    places: int
    first: str
    last: str


def keep_indicators(connection: Connection, source: Source, values: Iterable[Value], *, by: str, at: str) -> int:
    """Store values of a file; how many were new. A file that comes again adds only what it did not bring before."""
    connection.execute(
        "INSERT OR IGNORE INTO indicator_files (file, kind, sha256, publisher, licence, url, retrieved_on, by, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            source.file,
            source.kind,
            source.sha256,
            source.publisher,
            source.licence,
            source.url,
            source.retrieved_on,
            by,
            at,
        ),
    )
    (seq,) = connection.execute("SELECT seq FROM indicator_files WHERE sha256 = ?", [source.sha256]).fetchone()
    before = connection.total_changes
    connection.executemany(
        "INSERT OR IGNORE INTO indicator_values VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [_row(seq, v) for v in values]
    )
    return connection.total_changes - before


def _row(file: int, value: Value) -> tuple[Any, ...]:
    return (
        file,
        value.row,
        value.indicator,
        place(value.area),
        value.period.label,
        value.period.order,
        json.dumps(value.filters, ensure_ascii=False),
        value.value,
        json.dumps(asdict(value), ensure_ascii=False),
    )


_NEWEST = """
SELECT v.*, f.file AS name, f.kind, f.sha256, f.publisher, f.licence, f.url, f.retrieved_on FROM (
    SELECT *, row_number() OVER (PARTITION BY indicator, place, period, filters ORDER BY file DESC, row DESC) AS newest
    FROM indicator_values
) v JOIN indicator_files f ON f.seq = v.file WHERE v.newest = 1
"""


def stored_indicators(db: Database, indicator: str, places: Sequence[str] = (), period: str = "") -> list[Stored]:
    """The values of an indicator, of all places or some, by place and period."""
    rows = db.conn.execute(
        f"{_NEWEST} AND v.indicator = ? AND (? = '[]' OR v.place IN (SELECT value FROM json_each(?)))"
        " AND (? = '' OR v.period = ?) ORDER BY v.place, v.filters, v.period_order, v.period",
        [indicator, json.dumps(list(places)), json.dumps(list(places)), period, period],
    )
    return [_stored(row) for row in rows]


def listed_indicators(db: Database) -> list[Listed]:
    """Every indicator that the study holds, by name."""
    rows = db.conn.execute(
        "SELECT indicator, min(json_extract(content, '$.label')) AS label, min(json_extract(content, '$.unit')) AS unit,"
        " min(kind) AS kind, count(*) AS n, count(value) AS shown, count(DISTINCT place) AS places,"
        f" min(period_order) AS first, max(period_order) AS last FROM ({_NEWEST}) GROUP BY indicator ORDER BY indicator"
    )
    return [
        Listed(
            r["indicator"],
            r["label"],
            r["unit"],
            r["kind"],
            r["n"],
            r["shown"],
            r["places"],
            str(r["first"] or ""),
            str(r["last"] or ""),
        )
        for r in rows
    ]


def places_named(db: Database, words: str) -> list[str]:
    """The places that go by a name, a code of any time or an old code; [] for none."""
    rows = db.conn.execute(
        "SELECT DISTINCT place FROM indicator_values WHERE lower(json_extract(content, '$.area.name')) = lower(?)"
        " OR json_extract(content, '$.area.code') = ? OR place = ?",
        [words, words, words],
    ).fetchall()
    known = place(Area(words, "", "", ""))
    return sorted({r["place"] for r in rows} | ({known} if known != words else set()))


def _stored(row: Any) -> Stored:
    source = Source(
        row["name"], row["kind"], row["sha256"], row["publisher"], row["licence"], row["url"], row["retrieved_on"]
    )
    return Stored(_value(json.loads(row["content"])), source)


def _value(raw: dict[str, Any]) -> Value:
    return Value(
        **{
            **raw,
            "area": Area(**raw["area"]),
            "period": Period(**raw["period"]),
            "filters": tuple((name, chosen) for name, chosen in raw["filters"]),
            "polarity": Polarity(raw["polarity"]),
            "status": Status(raw["status"]),
            "numerator_status": Status(raw["numerator_status"]),
            "notes": tuple(Note(NoteKind(n["kind"]), n["words"]) for n in raw["notes"]),
        }
    )
