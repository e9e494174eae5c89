"""A corrected file: other words for records that are here, with codings on theirs, and a list of those that lost them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nlp.deid.cascade import Deidentifier
from nlp.types import Label
from service import wiring
from service.cli.main import app
from service.errors import InputError
from service.study.codebooks import keep_codebook
from service.study.corrections import last_unkept
from service.study.database import write
from service.study.decisions import Round, codings, rounds
from service.study.suggestions import set_current_reading
from service.study.voices import all_voices, clean_text, newest_version, segments
from service.usecases.check import gate, next_in_sample, record_reading
from service.usecases.correct import CorrectReport, correct_table
from service.usecases.intake import IntakeReport, dry_run, file_hash, look_at, take_in
from service.usecases.queue import next_item
from service.usecases.review import Choice, decide
from service.usecases.rounds import draw_counting_round, draw_review_round
from service.vault.store import Vault
from tests.conftest import NOW, Made
from tests.service.reading import quiet
from tests.service.test_check import Deaf, deidentify

SAID = "I hide at night. My flat is cold and dark. Nobody listens to me there."
LATER = "2026-01-16T10:00:00.000+00:00"


def file_of(tmp_path: Path, *texts: str, **more: str) -> Path:
    file = tmp_path / "notes.jsonl"
    rows = [
        {"id": str(i), "text": t, "voice": "child", "colour": more.get("colour", "red")} for i, t in enumerate(texts)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (tmp_path / "p.yaml").write_text(
        "name: notes\nrecord_id: id\ntexts: [text]\nvoice: {column: voice}\nattributes: [colour]\n", "utf-8"
    )
    return file


@pytest.fixture
def heard(made: Made, tmp_path: Path) -> Made:
    """Two people, ready to be coded."""
    take_in(
        made.study, file_of(tmp_path, SAID, "We like the park and the slide."), made.key, now=NOW, keep_raw_days=30, actor="t",
        profile=tmp_path / "p.yaml",
    )  # fmt: skip
    deidentify(made, Deaf("Zorblax"))
    book = wiring.codebook_named(made.study.codebook)
    with write(made.study.db) as connection:
        keep_codebook(connection, book, NOW)
        set_current_reading(connection, "r", book.id, book.version)
    return made


def correct(made: Made, tmp_path: Path, *texts: str, colour: str = "red") -> CorrectReport:
    file = file_of(tmp_path, *texts, colour=colour)
    table, chosen = look_at(made.study, file, profile=tmp_path / "p.yaml")
    return correct_table(
        made.study, table, chosen, made.key, Deidentifier([Deaf("Zorblax")]), input_hash=file_hash(file), now=LATER,
        keep_raw_days=30, actor="Dee", progress=quiet,
    )  # fmt: skip


def code(made: Made, round_: Round, *stretches: str) -> None:
    """Read the round whole; each stretch is worth a code."""
    while (item := next_item(made.study, round_, "Ann")) is not None:
        text, base = item.segment.text, item.segment.start
        found = [(base + text.index(s), base + text.index(s) + len(s)) for s in stretches if s in text]
        choices = [Choice(f"CL{n}", "", start, end) for n, (start, end) in enumerate(found, 1)]
        decide(made.study, item, coder="Ann", choices=choices, seconds=1, now=NOW)


def coded(made: Made) -> list[str]:
    first = all_voices(made.study.db)[0].id
    text = clean_text(made.study.db, first)
    return [text[c.start : c.end] for c in codings(made.study.db) if c.segment.startswith(first)]


PARK = "We like the park and the slide."


def test_codings_stay_on_their_words_and_the_others_are_listed_and_read_again(heard: Made, tmp_path: Path) -> None:
    round_ = draw_review_round(heard.study, seed=1, now=NOW, actor="t")
    code(heard, round_, "hide at night", "cold and dark")
    before = decisions(heard)

    done = correct(heard, tmp_path, "On Monday I hide at night! My flat is warm. Nobody listens to me there.", PARK)

    assert coded(heard) == ["hide at night"]
    assert [(u.code, u.round, u.again) for u in done.unkept] == [("CL2", round_.id, "review-2")]
    assert last_unkept(heard.study.db, 10) == list(done.unkept)
    assert done.round == "review-2"
    assert decisions(heard)[: len(before)] == before  # what was decided is as it was; it was taken back by another act
    assert [(d["action"], d["coder"]) for d in decisions(heard)[len(before) :]] == [("undo", "Dee")]
    item = next_item(heard.study, rounds(heard.study.db)[-1], "Bo")
    assert item is not None
    assert "warm" in item.segment.text


def decisions(made: Made) -> list[sqlite3.Row]:
    return made.study.db.conn.execute("SELECT seq, action, code, start, coder FROM decisions ORDER BY seq").fetchall()


def test_a_blind_reading_of_other_words_comes_again_blind_and_a_spelling_does_not(heard: Made, tmp_path: Path) -> None:
    round_ = draw_counting_round(heard.study, people=2, seed=1, now=NOW, actor="t")
    code(heard, round_, "hide at night")
    correct(heard, tmp_path, SAID.replace("Nobody", "Noboddy"), PARK)
    assert coded(heard) == ["hide at night"]
    assert next_item(heard.study, round_, "Ann") is None

    done = correct(heard, tmp_path, SAID.replace("Nobody listens", "My uncle hits"), PARK)

    assert coded(heard) == []
    assert [(u.code, u.again) for u in done.unkept] == [("CL1", round_.id)]
    assert done.round == ""
    item = next_item(heard.study, round_, "Ann")
    assert item is not None
    assert item.suggestions == ()
    code(heard, round_, "uncle hits")
    assert coded(heard) == ["uncle hits"]


def test_the_same_file_again_changes_nothing(heard: Made, tmp_path: Path) -> None:
    code(heard, draw_review_round(heard.study, seed=1, now=NOW, actor="t"), "cold and dark")
    dump = everything(heard)

    done = correct(heard, tmp_path, SAID, PARK)
    once = correct(heard, tmp_path, SAID + " More.", PARK)
    again = everything(heard)
    twice = correct(heard, tmp_path, SAID + " More.", PARK)

    assert (done.intake.corrected, once.intake.corrected, twice.intake.corrected) == (0, 1, 0)
    assert dump != again == everything(heard)


def everything(made: Made) -> list[list[tuple[object, ...]]]:
    """All that a file may change, apart from the trace of each reading."""
    tables = (
        "voices",
        "clean_texts",
        "segments",
        "decisions",
        "moved",
        "corrections",
        "unkept",
        "rounds",
        "participants",
    )
    return [[tuple(row) for row in made.study.db.conn.execute(f"SELECT * FROM {t}")] for t in tables]


def test_particulars_alone_are_updated_and_codings_untouched(heard: Made, tmp_path: Path) -> None:
    code(heard, draw_review_round(heard.study, seed=1, now=NOW, actor="t"), "cold and dark")
    before = [*decisions(heard)]

    done = correct(heard, tmp_path, SAID, PARK, colour="blue")

    assert (done.intake.corrected, done.intake.updated, done.unkept) == (0, 2, ())
    assert {v.attributes["colour"] for v in all_voices(heard.study.db)} == {"blue"}
    assert decisions(heard) == before
    assert [newest_version(heard.study.db, v.id).version for v in all_voices(heard.study.db)] == [1, 1]


def test_other_words_are_refused_unless_the_file_is_said_to_correct(heard: Made, tmp_path: Path) -> None:
    file, before = file_of(tmp_path, "Other words.", PARK), everything(heard)

    with pytest.raises(InputError, match="say that the file is a corrected one"):
        _take(heard, file, tmp_path)
    table, chosen = look_at(heard.study, file, profile=tmp_path / "p.yaml")
    told = dry_run(heard.study, table, chosen, heard.key, input_hash="", now=NOW, correct=True)

    assert (told.corrected, told.updated, told.voices) == (1, 0, 0)
    assert everything(heard) == before


def _take(made: Made, file: Path, tmp_path: Path) -> IntakeReport:
    return take_in(made.study, file, made.key, now=NOW, keep_raw_days=30, actor="t", profile=tmp_path / "p.yaml")


def test_a_record_without_an_id_or_of_another_person_cannot_be_corrected(heard: Made, tmp_path: Path) -> None:
    file = file_of(tmp_path, "Other words.", PARK)
    for extra, why in (("participant: colour\n", "another person's"), ("", "needs a column of record ids")):
        (tmp_path / "p.yaml").write_text(
            f"name: notes\n{'record_id: id' if extra else 'mend_letters: false'}\ntexts: [text]\n{extra}", "utf-8"
        )
        table, chosen = look_at(heard.study, file, profile=tmp_path / "p.yaml")
        with pytest.raises(InputError, match=why):
            dry_run(heard.study, table, chosen, heard.key, input_hash="", now=NOW, correct=True)


def test_segments_tile_the_new_text_and_what_is_written_on_becomes_new_ones(heard: Made, tmp_path: Path) -> None:
    long = " ".join(f"Then on day {n} we went to see the new flat and it was far away." for n in range(12))
    voice = all_voices(heard.study.db)[0].id
    before = [s.id for s in segments(heard.study.db, "s.voice = ?", [voice])]

    for text in (f"{SAID} {long}", "Nothing of it is left.", f"Well. {SAID}"):
        correct(heard, tmp_path, text, PARK)
        clean, parts = clean_text(heard.study.db, voice), segments(heard.study.db, "s.voice = ?", [voice])

        assert clean == text
        assert "".join(s.text for s in sorted(parts, key=lambda s: s.start)) == text
        assert len(parts) > len(before) or "day" not in text


def test_earlier_words_are_gone_from_both_stores_and_masks_made_by_hand_stay(heard: Made, tmp_path: Path) -> None:
    study, voice = heard.study, all_voices(heard.study.db)[0].id
    while (item := next_in_sample(study)) is not None:
        missed = [("cold", Label.PERSON)] if item.record.id == voice else []
        record_reading(study, heard.key, item, missed=missed, rejected=[], checker="Ann", now=NOW)
    assert "cold" not in clean_text(study.db, voice)
    read = gate(study).overall.read

    done = correct(
        heard, tmp_path, SAID.replace("hide at night", "sleep early").replace("Nobody", "Cold Zorblax"), PARK
    )

    text = clean_text(study.db, voice)
    assert "cold" not in text.casefold()  # masked by a person before, so masked in the new words too
    assert "Zorblax" not in text
    assert "sleep early" in text
    assert done.look_again == ()
    assert gate(study).overall.read == read - 1  # nobody has looked at the new words
    assert [r["text"] for r in study.db.conn.execute("SELECT text FROM clean_texts WHERE voice = ?", [voice])][:-1] == [
        "",
        "",
    ]
    with Vault(study.vault_file, heard.key, study.id) as vault:
        raw = vault.texts([voice])[voice]
        version = newest_version(study.db, voice)
        assert "sleep early" in raw
        masked = [raw[a:b] for a, b, _, _ in vault.offset_map(voice, version.version)]
    assert sorted(masked) == ["Cold Zorblax", "cold"]


def test_what_waits_to_be_de_identified_takes_its_new_words(made: Made, tmp_path: Path) -> None:
    _take(made, file_of(tmp_path, SAID, PARK), tmp_path)

    done = correct(made, tmp_path, SAID + " More.", PARK)
    deidentify(made, Deaf("Zorblax"))

    assert (done.intake.corrected, done.unkept) == (1, ())
    assert clean_text(made.study.db, all_voices(made.study.db)[0].id).endswith("More.")


def words_of(rows: Sequence[sqlite3.Row]) -> str:
    return json.dumps([dict(row) for row in rows])


def test_what_is_stored_of_it_holds_ids_and_counts_alone(heard: Made, tmp_path: Path) -> None:
    code(heard, draw_review_round(heard.study, seed=1, now=NOW, actor="t"), "cold and dark")
    correct(heard, tmp_path, SAID.replace("cold and dark", "warm"), PARK)

    kept = "".join(
        words_of(heard.study.db.conn.execute(f"SELECT * FROM {t}").fetchall())
        for t in ("unkept", "corrections", "rereads", "audit", "runs", "recodes")
    )

    assert "warm" not in kept
    assert "cold" not in kept
    for table in ("unkept", "corrections"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            heard.study.db.conn.execute(f"DELETE FROM {table}")


def test_the_command_prints_what_could_not_be_kept_in_ids(
    heard: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code(heard, draw_review_round(heard.study, seed=1, now=NOW, actor="t"), "cold and dark")
    file = file_of(tmp_path, SAID.replace("cold and dark", "warm"), PARK)
    monkeypatch.setattr(wiring, "key_of", lambda _: heard.key)
    monkeypatch.setattr(wiring, "deidentifier", lambda: Deidentifier([Deaf("Zorblax")]))

    done = CliRunner().invoke(
        app, ["intake", str(heard.study.folder), str(file), "--profile", str(tmp_path / "p.yaml"), "--correct"]
    )

    assert done.exit_code == 0, done.output
    assert "1 given other words, 0 other particulars" in done.output
    assert "not kept: decision 1, code CL1 of segment" in done.stderr
    assert "read again in review-2" in done.stderr
    assert "warm" not in done.output
