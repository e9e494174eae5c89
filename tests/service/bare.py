"""A study made by its stores alone, in moments: people with texts, a small codebook, suggestions where a word says so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from nlp.text import segments as cut
from nlp.types import Code, Codebook, Exclusion
from service.study.codebooks import keep_codebook
from service.study.database import write
from service.study.decisions import Draw, Round, add_frame, add_round
from service.study.runs import Run, add_run
from service.study.study import Study, create_study
from service.study.suggestions import add_suggestions, set_current_reading
from service.study.voices import NewCleanText, VoiceRecord, add_clean_text, add_voices
from tests.conftest import NOW

READING = "bare"
CODES = (
    Code(
        "SAFE", "Feeling safe where I live", "Whether the place feels safe.", "Do I feel safe here?",
        include=("Locks, doors, strangers",), exclude=(Exclusion("Damp or repairs", "HOME"),), examples=("I lock it.",),
    ),
    Code("HOME", "My place being a home", "Whether the place is decent.", "Is it a home?"),
    Code("FOOD", "Food and money", "Having enough to eat."),
    *(Code(f"C{n}", f"Code number {n}", f"The {n}th idea.") for n in range(4, 13)),
)  # fmt: skip
WORDS = {"door": "SAFE", "damp": "HOME", "tea": "FOOD"}


def book(version: str = "1.0.0", codes: Sequence[Code] = CODES) -> Codebook:
    return Codebook("bare", "A small codebook", version, "a test", tuple(codes), fingerprint=version)


def bare_study(folder: Path, people: Sequence[Sequence[str]], codebook: Codebook | None = None) -> Study:
    """One participant for each of `people`, with those texts. A text with one of WORDS is suggested its code."""
    study = create_study(folder, title="A bare study", codebook="bare", now=NOW, fictional=True)
    codebook = codebook or book()
    with write(study.db) as connection:
        for kind in ("intake", "deidentify", "suggest"):
            add_run(connection, Run(kind, kind, "test.v1", "", "bare", codebook.version, "", {}, NOW, NOW))
        keep_codebook(connection, codebook, NOW)
        set_current_reading(connection, READING, codebook.id, codebook.version)
        for p, texts in enumerate(people):
            for t, text in enumerate(texts):
                _add(study, f"v{p:05}-{t}", f"P{p:05}", text, codebook)
    return study


def _add(study: Study, voice: str, person: str, text: str, codebook: Codebook) -> None:
    connection = study.db.conn
    record = VoiceRecord(
        voice, person, "young_person", "self", "verbatim", "analysis_and_quotes", "How is it where you live?", "16-17",
        "Harrogate", "2026", {}, "intake", 0, "",
    )  # fmt: skip
    add_voices(connection, [record])
    parts = cut(text)
    add_clean_text(connection, NewCleanText(voice, text, (), (), 0.0), run="deidentify", segments=parts)
    rows = [
        ("suggest", READING, f"{voice}.{s.position}", code, 0.7, "likely", s.start + at, s.start + at + len(word), word,
         f"like {word}", codebook.id, codebook.version, "test.v1", "m", "", "", 0)
        for s in parts for word, code in WORDS.items() if (at := s.text.find(word)) >= 0
    ]  # fmt: skip
    add_suggestions(connection, run="suggest", reading=READING, seen=[f"{voice}.{s.position}" for s in parts], new=rows)


def review_round(study: Study, name: str = "review-1") -> Round:
    """Every segment, in order."""
    ids = [row["id"] for row in study.db.conn.execute("SELECT id FROM segments ORDER BY rowid")]
    return _round(study, Round(name, "review", "segment", 1, "bare", "1.0.0", NOW), ids, {})


def counting_round(study: Study, people: int, unit: str = "participant", name: str = "counting-1") -> Round:
    """The first people of the study, as though they had been drawn."""
    scope: dict[str, list[str]] = {}
    for row in study.db.conn.execute("SELECT id, participant FROM voices ORDER BY rowid"):
        scope.setdefault(row["participant"] if unit == "participant" else row["id"], []).append(row["id"])
    round_ = Round(name, "counting", unit, 1, "bare", "1.0.0", NOW)
    return _round(study, round_, list(scope)[:people], scope)


def _round(study: Study, round_: Round, units: Sequence[str], scope: dict[str, list[str]]) -> Round:
    stream = "uniform" if round_.kind == "counting" else "likely"
    with write(study.db) as connection:
        add_round(connection, round_, [Draw(i, unit, stream, 1.0) for i, unit in enumerate(units, 1)])
        add_frame(connection, round_.id, scope)
    return round_


def plan(study: Study, round_: Round, coders: Sequence[str], assigned: Sequence[tuple[int, str]] = ()) -> None:
    """Who reads the round; `assigned` positions go to those coders."""
    with write(study.db) as connection:
        connection.execute(
            "INSERT INTO plans VALUES (?, ?, 0.2, 'Lead', ?)", (round_.id, json.dumps(list(coders)), NOW)
        )
        connection.executemany("INSERT INTO assignments VALUES (?, ?, ?)", [(round_.id, p, c) for p, c in assigned])


def said(number: int) -> Iterator[str]:
    """Texts of which some speak of a door, of damp or of tea."""
    endings = ("by the door at night.", "and the damp is back.", "then we had tea.", "and nothing else.")
    for n in range(number):
        yield f"I sat down number {n} {endings[n % 4]}"
