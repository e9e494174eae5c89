"""Finding voices by their words, by who speaks and by codes; the words are looked up in the table `words` (FTS5)."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass

from sqlite_utils import Database

from nlp.text import normalise
from service.study.confirmed import CONFIRMED
from service.study.suggestions import newest_reading
from service.study.voices import NEWEST

LONGEST_QUERY, MOST_TERMS, PREFIX_FROM = 300, 12, 3
OPENS, CLOSES = "\x02", "\x03"
_FEW = 'CREATE VIRTUAL TABLE few USING fts5(text, voice UNINDEXED, tokenize = "unicode61 remove_diacritics 2")'
_TERM = re.compile(r"[\"“”]([^\"“”]*)[\"“”]|([^\s\"“”]+)")

SORTS = {
    "intake": "v.rowid",
    "voice": "v.voice, v.rowid",
    "age_band": "v.age_band, v.rowid",
    "area": "v.area, v.rowid",
    "period": "v.period DESC, v.rowid",
    "best": "words.rank, v.rowid",
}
ATTRIBUTES = ("voice", "age_band", "area", "period", "via", "provenance")


@dataclass(frozen=True, slots=True)
class VoiceFilter:
    """Which voices; empty means any. `words` are searched for, `confirmed` and `suggested` are ids of codes.

    `silent` are those for which nothing was suggested, `flagged` those with an open flag to talk about.
    """

    words: str = ""
    voice: str = ""
    age_band: str = ""
    area: str = ""
    period: str = ""
    via: str = ""
    provenance: str = ""
    confirmed: str = ""
    suggested: str = ""
    silent: bool = False
    flagged: bool = False
    sort: str = "intake"


@dataclass(frozen=True, slots=True)
class Hidden:
    """Segments whose suggestions, and whose codings by others, are kept from `person`."""

    person: str
    suggestions: Collection[str]
    others: Collection[str]


def match_of(words: str) -> str:
    """An FTS5 expression for whatever somebody typed; empty when there is no word in it.

    All words must be there. Each also stands for what begins with it, from three letters on; words between
    quotation marks stand as they are, next to one another.
    """
    readable = normalise(words[:LONGEST_QUERY]).text
    found = [_term(phrase, word) for phrase, word in _TERM.findall(readable)]
    return " ".join([term for term in found if term][:MOST_TERMS])


def _term(phrase: str, word: str) -> str:
    said = phrase or word
    letters = sum(ch.isalnum() for ch in said)
    if not letters:
        return ""
    begins = bool(word) and (letters >= PREFIX_FROM or word.endswith("*"))
    return f'"{said}"' + (" *" if begins else "")


def find_voices(db: Database, wanted: VoiceFilter, hidden: Hidden) -> list[str]:
    """Ids of the de-identified voices that fit, sorted. Nothing that is hidden makes a voice fit or not."""
    match = match_of(wanted.words)
    if wanted.words.strip() and not match:
        return []
    source = f"voices v JOIN clean_texts c ON c.voice = v.id AND c.version = {NEWEST} AND c.held = ''"
    parts = _conditions(db, wanted, hidden)
    if match:  # in `words` stand the newest texts alone, and none that is held
        source = "words JOIN worded ON worded.id = words.rowid JOIN voices v ON v.id = worded.voice"
        parts.append(("words MATCH ?", [match]))
    sort = SORTS["best"] if match and wanted.sort == "best" else SORTS.get(wanted.sort, SORTS["intake"])
    order = SORTS["intake"] if wanted.sort == "best" and not match else sort
    where = " AND ".join(["1", *(condition for condition, _ in parts)])
    rows = db.conn.execute(
        f"SELECT v.id FROM {source} WHERE {where} ORDER BY {order}", [p for _, held in parts for p in held]
    )
    return [row[0] for row in rows]


def _conditions(db: Database, wanted: VoiceFilter, hidden: Hidden) -> list[tuple[str, list[object]]]:
    parts: list[tuple[str, list[object]]] = [
        (f"v.{name} = ?", [value]) for name in ATTRIBUTES if (value := getattr(wanted, name))
    ]
    others, unseen = json.dumps(sorted(hidden.others)), json.dumps(sorted(hidden.suggestions))
    mine_or_open = "(x.{by} = ? OR x.segment NOT IN (SELECT value FROM json_each(?)))"
    if wanted.confirmed:
        held = f"SELECT x.segment FROM {CONFIRMED} x WHERE x.code = ? AND {mine_or_open.format(by='coder')}"
        parts.append((_in_segments(held), [wanted.confirmed, hidden.person, others]))
    if wanted.suggested:
        held = (
            "SELECT x.segment FROM suggestions x WHERE x.reading = ? AND x.code = ?"
            " AND x.segment NOT IN (SELECT value FROM json_each(?))"
        )
        parts.append((_in_segments(held), [newest_reading(db), wanted.suggested, unseen]))
    if wanted.silent:
        parts += _silent(newest_reading(db), unseen)
    if wanted.flagged:
        held = (
            "SELECT x.segment FROM flags x WHERE x.kind = 'discuss' AND NOT EXISTS"
            f" (SELECT 1 FROM flag_ends e WHERE e.flag = x.seq) AND {mine_or_open.format(by='by')}"
        )
        parts.append((_in_segments(held), [hidden.person, others]))
    return parts


def _in_segments(segments: str) -> str:
    return f"v.id IN (SELECT s.voice FROM segments s WHERE s.id IN ({segments}))"


def _silent(reading: str, unseen: str) -> list[tuple[str, list[object]]]:
    """Read whole by the machine, and nothing suggested; where suggestions are hidden nobody can tell."""
    every = "NOT EXISTS (SELECT 1 FROM segments s {join} WHERE s.voice = v.id AND {fault})"
    matched = "NOT EXISTS (SELECT 1 FROM matched m WHERE m.segment = s.id AND m.reading = ?)"
    return [
        (every.format(join="JOIN suggestions g ON g.segment = s.id", fault="g.reading = ?"), [reading]),
        (every.format(join="", fault=matched), [reading]),
        (every.format(join="", fault="s.id IN (SELECT value FROM json_each(?))"), [unseen]),
    ]


def snippets(db: Database, words: str, voice_ids: Sequence[str]) -> dict[str, str]:
    """For each voice in which the words were found, a stretch of its text with `OPENS` and `CLOSES` around them."""
    match = match_of(words)
    if not match or not voice_ids:
        return {}
    marks = ",".join("?" * len(voice_ids))
    texts = db.conn.execute(
        f"SELECT worded.id, text, voice FROM worded JOIN words ON words.rowid = worded.id WHERE voice IN ({marks})",
        list(voice_ids),
    ).fetchall()
    with closing(
        sqlite3.connect(":memory:")
    ) as apart:  # looks at these texts alone, however many others have the words
        apart.execute(_FEW)
        apart.executemany("INSERT INTO few VALUES (?, ?)", [(row["text"], row["voice"]) for row in texts])
        return dict(
            apart.execute(
                "SELECT voice, snippet(few, 0, ?, ?, '…', 40) FROM few WHERE few MATCH ?", [OPENS, CLOSES, match]
            ).fetchall()
        )


def attribute_values(db: Database) -> dict[str, list[str]]:
    """The values that each attribute of the voices takes, in order."""
    rows = db.conn.execute(f"SELECT DISTINCT {', '.join(ATTRIBUTES)} FROM voices").fetchall()
    return {name: sorted({row[name] for row in rows}) for name in ATTRIBUTES}
