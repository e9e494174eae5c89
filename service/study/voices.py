"""Voices: contributions with who speaks, and their clean texts, redactions and segments."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from nlp.types import Segment, Span
from service.errors import RecordError


@dataclass(frozen=True, slots=True)
class VoiceRecord:
    """One contribution, without its words. `participant` is a pseudonym."""

    id: str
    participant: str
    voice: str
    via: str
    provenance: str
    consent: str
    question: str
    age_band: str
    area: str
    period: str
    attributes: Mapping[str, str]
    intake: str
    position: int
    digest: str


@dataclass(frozen=True, slots=True)
class StoredRedaction:
    """Where a surrogate stands in the clean text, and why it is there."""

    start: int
    end: int
    label: str
    score: float
    detector: str
    why: str


@dataclass(frozen=True, slots=True)
class StoredDoubt:
    """A stretch of the clean text that may be an identifier and was left as it stands."""

    start: int
    end: int
    label: str
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class NewCleanText:
    """A version of a clean text with all that is stored beside it. `held` is the language that a person must see to."""

    voice: str
    text: str
    redactions: tuple[StoredRedaction, ...]
    doubts: tuple[StoredDoubt, ...]
    expected_leaks: float
    held: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment with its words; offsets lie in the voice's clean text."""

    id: str
    voice: str
    position: int
    start: int
    end: int
    text: str


_VOICE_COLUMNS = (
    "id, participant, voice, via, provenance, consent, question, age_band, area, period, attributes, intake,"
    " position, digest"
)
NEWEST = "(SELECT max(version) FROM clean_texts n WHERE n.voice = c.voice)"


def add_voices(connection: sqlite3.Connection, voices: Sequence[VoiceRecord]) -> None:
    """Add voices and, where new, their participants, inside the caller's transaction."""
    connection.executemany("INSERT OR IGNORE INTO participants VALUES (?)", [(v.participant,) for v in voices])
    connection.executemany(
        f"INSERT INTO voices ({_VOICE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                v.id, v.participant, v.voice, v.via, v.provenance, v.consent, v.question, v.age_band, v.area, v.period,
                json.dumps(dict(v.attributes), ensure_ascii=False), v.intake, v.position, v.digest,
            )
            for v in voices
        ],
    )  # fmt: skip


def update_voices(connection: sqlite3.Connection, voices: Sequence[VoiceRecord]) -> None:
    """What a corrected file says of voices that are there, in the caller's transaction; whose they are stays."""
    connection.executemany(
        "UPDATE voices SET voice = ?, via = ?, provenance = ?, consent = ?, question = ?, age_band = ?, area = ?,"
        " period = ?, attributes = ?, digest = ? WHERE id = ?",
        [
            (
                v.voice, v.via, v.provenance, v.consent, v.question, v.age_band, v.area, v.period,
                json.dumps(dict(v.attributes), ensure_ascii=False), v.digest, v.id,
            )
            for v in voices
        ],
    )  # fmt: skip


def known_voices(db: Database, ids: Iterable[str]) -> dict[str, VoiceRecord]:
    """Those of the ids that are already in the study, with what is known of them."""
    wanted = list(ids)
    found: dict[str, VoiceRecord] = {}
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        marks = ",".join("?" * len(part))
        rows = db.conn.execute(f"SELECT {_VOICE_COLUMNS} FROM voices WHERE id IN ({marks})", part)
        found |= {row["id"]: _voice(row) for row in rows}
    return found


def voices_without_clean_text(db: Database) -> list[str]:
    """Ids of voices that wait for de-identification, in the order of intake."""
    rows = db.conn.execute(
        "SELECT id FROM voices v WHERE NOT EXISTS (SELECT 1 FROM clean_texts c WHERE c.voice = v.id) ORDER BY rowid"
    )
    return [row[0] for row in rows]


def voices_held(db: Database) -> dict[str, str]:
    """Voices that wait for a person because of their language, with its code."""
    rows = db.conn.execute(
        f"SELECT c.voice, c.held FROM clean_texts c JOIN voices v ON v.id = c.voice"
        f" WHERE c.version = {NEWEST} AND c.held <> '' ORDER BY v.rowid"
    )
    return {row["voice"]: row["held"] for row in rows}


def release_voice(connection: sqlite3.Connection, voice_id: str) -> None:
    """A person has looked at a voice in another language, inside the caller's transaction."""
    connection.execute("UPDATE clean_texts SET held = '' WHERE voice = ?", [voice_id])


def hold_voice(connection: sqlite3.Connection, voice_id: str, language: str) -> None:
    """A voice waits for a person again, inside the caller's transaction."""
    connection.execute("UPDATE clean_texts SET held = ? WHERE voice = ?", [language, voice_id])


def participants(db: Database) -> dict[str, str]:
    """The participant of every voice."""
    return dict(db.conn.execute("SELECT id, participant FROM voices").fetchall())


def participants_of(db: Database, voice_ids: Sequence[str]) -> dict[str, str]:
    """The participant of each voice."""
    everyone = participants(db)
    return {v: everyone[v] for v in voice_ids}


def voices_of(db: Database, participant: str) -> list[str]:
    """A participant's de-identified voices, in the order of intake."""
    rows = db.conn.execute(
        "SELECT id FROM voices v WHERE participant = ? AND EXISTS (SELECT 1 FROM clean_texts c WHERE c.voice = v.id)"
        " ORDER BY rowid",
        [participant],
    )
    return [row["id"] for row in rows]


def voice(db: Database, voice_id: str) -> VoiceRecord:
    """One voice; RecordError when there is none of that id."""
    row = db.conn.execute(f"SELECT {_VOICE_COLUMNS} FROM voices WHERE id = ?", [voice_id]).fetchone()
    if row is None:
        raise RecordError("there is no voice of that id in this study")
    return _voice(row)


def all_voices(db: Database) -> list[VoiceRecord]:
    """Every voice, in the order of intake."""
    return [_voice(row) for row in db.conn.execute(f"SELECT {_VOICE_COLUMNS} FROM voices ORDER BY rowid")]


def _voice(row: sqlite3.Row) -> VoiceRecord:
    return VoiceRecord(**{**dict(row), "attributes": json.loads(row["attributes"])})


def add_clean_text(
    connection: sqlite3.Connection, clean: NewCleanText, *, run: str, segments: Sequence[Segment] = ()
) -> None:
    """Store a version of a clean text with its redactions and doubts, in the caller's transaction.

    The first version comes with its segments; later ones move those that are there.
    """
    key = (clean.voice, clean.version)
    connection.execute(
        "INSERT INTO clean_texts VALUES (?, ?, ?, ?, ?, ?)", (*key, clean.text, run, clean.held, clean.expected_leaks)
    )
    connection.executemany(
        "INSERT INTO redactions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(*key, r.start, r.end, r.label, r.score, r.detector, r.why) for r in clean.redactions],
    )
    connection.executemany(
        "INSERT INTO doubts VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(*key, d.start, d.end, d.label, d.score, d.why) for d in clean.doubts],
    )
    connection.executemany(
        "INSERT INTO segments VALUES (?, ?, 1, ?, ?, ?)",
        [(f"{clean.voice}.{s.position}", clean.voice, s.position, s.start, s.end) for s in segments],
    )


def clean_text(db: Database, voice_id: str) -> str:
    """The newest clean text; RecordError when the voice is not de-identified yet, or waits for a person."""
    row = _newest(db, voice_id)
    if row["held"]:
        raise RecordError("this voice waits for a person: it is not in a language that the machine protects")
    return str(row["text"])


def clean_texts_of(db: Database, voice_ids: Sequence[str]) -> dict[str, str]:
    """The newest clean texts of some voices, without those that wait for a person."""
    marks = ",".join("?" * len(voice_ids))
    rows = db.conn.execute(
        f"SELECT c.voice, c.text FROM clean_texts c WHERE c.voice IN ({marks}) AND c.version = {NEWEST} AND c.held = ''",
        list(voice_ids),
    )
    return dict(rows.fetchall())


def newest_version(db: Database, voice_id: str) -> NewCleanText:
    """The newest version with all that is stored beside it, whether or not it waits for a person."""
    row = _newest(db, voice_id)
    return NewCleanText(
        voice_id, row["text"], tuple(redactions(db, voice_id)), tuple(doubts(db, voice_id)), row["expected_leaks"],
        row["held"], row["version"],
    )  # fmt: skip


def past_version(db: Database, voice_id: str, version: int) -> NewCleanText:
    """What is stored beside an earlier version, whose words are gone where a fix took them out."""
    row = db.conn.execute("SELECT * FROM clean_texts WHERE voice = ? AND version = ?", [voice_id, version]).fetchone()
    masks = db.conn.execute(
        'SELECT start, "end", label, score, detector, why FROM redactions WHERE voice = ? AND version = ? ORDER BY start',
        [voice_id, version],
    )
    doubted = db.conn.execute(
        'SELECT start, "end", label, score, why FROM doubts WHERE voice = ? AND version = ? ORDER BY start',
        [voice_id, version],
    )
    return NewCleanText(
        voice_id, row["text"], tuple(StoredRedaction(**dict(r)) for r in masks),
        tuple(StoredDoubt(**dict(d)) for d in doubted), row["expected_leaks"], row["held"], version,
    )  # fmt: skip


def voices_in_order(db: Database) -> list[str]:
    """The ids of all voices, in the order of intake."""
    return [row["id"] for row in db.conn.execute("SELECT id FROM voices ORDER BY rowid")]


def _newest(db: Database, voice_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.conn.execute(
        "SELECT * FROM clean_texts WHERE voice = ? ORDER BY version DESC LIMIT 1", [voice_id]
    ).fetchone()
    if row is None:
        raise RecordError("this voice is not de-identified yet")
    return row


def doubts(db: Database, voice_id: str) -> list[StoredDoubt]:
    """What was left unmasked in the newest clean text though it may identify someone, in text order."""
    rows = db.conn.execute(
        'SELECT start, "end", label, score, why FROM doubts d WHERE voice = ?'
        " AND version = (SELECT max(version) FROM clean_texts WHERE voice = d.voice) ORDER BY start",
        [voice_id],
    )
    return [StoredDoubt(**dict(row)) for row in rows]


def redactions(db: Database, voice_id: str) -> list[StoredRedaction]:
    """The redactions of the newest clean text, in text order."""
    rows = db.conn.execute(
        'SELECT start, "end", label, score, detector, why FROM redactions r WHERE voice = ?'
        " AND version = (SELECT max(version) FROM clean_texts WHERE voice = r.voice) ORDER BY start",
        [voice_id],
    )
    return [StoredRedaction(**dict(row)) for row in rows]


def segments(db: Database, where: str = "1", parameters: Sequence[object] = ()) -> list[StoredSegment]:
    """Segments of the newest clean texts that meet a condition on `s` (segments) or `c` (clean texts)."""
    rows = db.conn.execute(
        'SELECT s.id, s.voice, s.position, s.start, s."end", substr(c.text, s.start + 1, s."end" - s.start) AS text'
        " FROM segments s JOIN clean_texts c ON c.voice = s.voice AND c.version = s.version"
        f" JOIN voices v ON v.id = s.voice WHERE c.version = {NEWEST} AND c.held = '' AND s.\"end\" > s.start AND ({where})"
        " ORDER BY v.rowid, s.position",
        parameters,
    )
    return [StoredSegment(**dict(row)) for row in rows]


def segments_by_voice(db: Database) -> dict[str, list[str]]:
    """The ids of the segments of every newest clean text that does not wait for a person, in the order of intake."""
    found: dict[str, list[str]] = {}
    rows = db.conn.execute(
        "SELECT s.voice, s.id FROM segments s JOIN clean_texts c ON c.voice = s.voice AND c.version = s.version"
        f" JOIN voices v ON v.id = s.voice WHERE c.version = {NEWEST} AND c.held = '' ORDER BY v.rowid, s.position"
    )
    for voice_id, segment in rows:
        found.setdefault(voice_id, []).append(segment)
    return found


def span_in(text: str, span: Span, quote: str) -> Span:
    """The span, after checking that it still holds its quote; RecordError otherwise."""
    if span.of(text) != quote:
        raise RecordError("a stored quote no longer matches its text")
    return span
