"""The whole job on real files with the real models: from an export to a first finding, offline."""

from __future__ import annotations

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from service import wiring
from service.errors import RecordError
from service.study.decisions import draws
from service.study.study import open_study, opened
from service.study.voices import all_voices, clean_text
from service.usecases.deidentify import deidentify_study
from service.usecases.findings import joint_display, links_file, load_links, overview
from service.usecases.intake import take_in
from service.usecases.prevalence import theme_shares
from service.usecases.queue import next_item
from service.usecases.review import Choice, decide, undo
from service.usecases.rounds import draw_counting_round, draw_review_round, people_in_scope
from service.usecases.suggest import suggest_study
from service.vault.store import Vault
from tests.conftest import NOW, ROOT, Made

NY = ROOT / "corpora_sample" / "north-yorkshire-care-leavers" / "survey-and-plans.xlsx"


def quiet(done: int, total: int) -> None:
    """No progress to show."""


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("something tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def small_file(tmp_path: Path, rows: int = 12) -> Path:
    texts = [
        "i put a chair against the door every night. Marlon next door bangs on it",
        "my PA Kirsty is class, rings me on 07700 900123",
        "n/a",
        "third pa this year 😀 and nobody told me",
    ]
    file = tmp_path / "in.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "text", "voice"])
        writer.writerows([i, f"{texts[i % 4]} {'!' * i}" if i % 4 != 2 else "n/a", "young_person"] for i in range(rows))
    return file


def prepared(made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder) -> Made:
    take_in(made.study, small_file(tmp_path), made.key, now=NOW, keep_raw_days=30, actor="test")
    deidentify_study(made.study, made.key, cascade, now=NOW, actor="test", progress=quiet)
    codebook = wiring.codebook_named(made.study.codebook)
    suggest_study(made.study, codebook, minilm, now=NOW, actor="test", progress=quiet)
    return made


@pytest.mark.usefixtures("no_network")
def test_from_export_to_finding_without_any_network(made: Made, cascade: Deidentifier, minilm: Encoder) -> None:
    study = made.study
    taken = take_in(study, NY, made.key, now=NOW, keep_raw_days=30, actor="test")
    deidentify_study(study, made.key, cascade, now=NOW, actor="test", progress=quiet)
    codebook = wiring.codebook_named(study.codebook)
    suggest_study(study, codebook, minilm, now=NOW, actor="test", progress=quiet)
    loaded = load_links(
        study,
        links_file(ROOT / "codebooks", study.codebook),
        ROOT / "corpora_sample" / "indicators",
        now=NOW,
        actor="t",
    )

    seen = overview(study)
    rows = joint_display(study)

    assert (taken.voices, seen.voices, seen.clean, loaded) == (270, 270, 270, 1)
    assert seen.suggestions > 270
    assert (rows[0].figure.count, rows[0].figure.denominator) == (185, 194)
    assert rows[0].estimate is None
    assert "No counting round" in rows[0].refusal


def test_study_db_holds_none_of_the_identifiers_that_were_found(
    made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder
) -> None:
    prepared(made, tmp_path, cascade, minilm)

    content = b"".join(p.read_bytes() for p in made.study.folder.iterdir())

    assert not [w for w in ("Marlon", "Kirsty", "07700", "900123") if w.encode() in content]


def test_the_offset_map_leads_from_clean_text_back_to_the_words(
    made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder
) -> None:
    prepared(made, tmp_path, cascade, minilm)
    voice = all_voices(made.study.db)[0].id
    with Vault(made.study.vault_file, made.key, made.study.id) as vault:
        raw = vault.texts([voice])[voice]
        row = vault._db.conn.execute("SELECT map FROM offset_maps WHERE voice = ?", [voice]).fetchone()
        spans = json.loads(vault._cipher.open(row["map"], "offset_maps", "map", f"{voice}.1"))

    clean = clean_text(made.study.db, voice)

    assert [(raw[a:b], clean[c:d]) for a, b, c, d in spans] == [("Marlon", "[Person 1]")]


def test_running_everything_again_adds_nothing(
    made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder
) -> None:
    prepared(made, tmp_path, cascade, minilm)
    before = overview(made.study)

    prepared(made, tmp_path, cascade, minilm)

    assert overview(made.study) == before


def test_every_suggestion_points_at_words_in_its_segment(demo_folder: Path) -> None:
    with opened(demo_folder / "north-yorkshire-care-leavers") as study:
        rows = study.db.conn.execute(
            'SELECT g.start, g."end", g.quote, s.start AS low, s."end" AS high, c.text FROM suggestions g'
            " JOIN segments s ON s.id = g.segment JOIN clean_texts c ON c.voice = s.voice AND c.version = s.version"
        ).fetchall()

    assert len(rows) > 300
    assert all(r["low"] <= r["start"] < r["end"] <= r["high"] for r in rows)
    assert all(r["text"][r["start"] : r["end"]] == r["quote"] for r in rows)


def test_north_yorkshires_first_finding_is_a_proposed_divergence(demo_folder: Path) -> None:
    with opened(demo_folder / "north-yorkshire-care-leavers") as study:
        row = joint_display(study)[0]

    assert row.proposed == "divergence"
    assert (row.figure.count, row.figure.denominator, row.figure.percent) == (185, 194, 95)
    assert row.estimate is not None
    assert row.estimate.read == 60
    assert 0.2 < row.estimate.low < row.estimate.share < row.estimate.high < 0.55


def test_hampshire_warns_that_half_is_not_known_and_proposes_nothing(demo_folder: Path) -> None:
    with opened(demo_folder / "hampshire-early-help") as study:
        row = joint_display(study)[0]

    assert row.figure.warnings[0].startswith("51% of this group")
    assert round(row.figure.percent_of_known or 0) == 57
    assert row.proposed == "not judged"


def test_no_share_of_fewer_than_six_people_is_given(demo_folder: Path) -> None:
    with opened(demo_folder / "hampshire-early-help") as study:
        shares = theme_shares(study)

    shown = [s.estimate for s in shares if s.estimate is not None]
    assert shown
    assert all(e.positives_read == 0 or 6 <= e.positives_read <= e.read - 6 for e in shown)
    assert len(shown) < len(shares)


def test_ai_drafted_text_and_practitioners_own_views_are_not_counted_as_peoples_voices(demo_folder: Path) -> None:
    with opened(demo_folder / "north-yorkshire-care-leavers") as study:
        voices = {v.id: v for v in all_voices(study.db)}
        counted = [voices[v] for ids in people_in_scope(study).values() for v in ids]

    assert {v.voice for v in counted} == {"young_person"}
    assert "ai_drafted" not in {v.provenance for v in counted}


def test_a_counting_item_comes_without_suggestions_and_a_review_item_with_them(
    made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder
) -> None:
    study = prepared(made, tmp_path, cascade, minilm).study
    counting = draw_counting_round(study, people=4, seed=1, now=NOW, actor="t")
    review = draw_review_round(study, seed=1, now=NOW, actor="t")

    blind, shown = next_item(study, counting, "Sam"), next_item(study, review, "Sam")

    assert blind is not None
    assert shown is not None
    assert blind.suggestions == ()
    assert shown.suggestions
    assert blind.draw.probability == pytest.approx(4 / 9)


def test_a_draw_is_logged_whole_and_the_same_for_the_same_seed(
    made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder
) -> None:
    study = prepared(made, tmp_path, cascade, minilm).study
    drawn = [draw_counting_round(study, people=5, seed=seed, now=NOW, actor="t") for seed in (7, 7, 8)]

    units = [[d.unit for d in draws(study.db, r.id)] for r in drawn]

    assert units[0] == units[1] != units[2]
    assert len(units[0]) == 5


def test_decide_then_undo_leaves_no_coding_but_keeps_the_acts(
    made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder
) -> None:
    study = prepared(made, tmp_path, cascade, minilm).study
    round_ = draw_review_round(study, seed=1, now=NOW, actor="t")
    item = next_item(study, round_, "Sam")
    assert item is not None
    first = item.suggestions[0]
    decide(
        study, item, coder="Sam", choices=[Choice(first.code, "worry", first.start, first.end, first.id)],
        rejected=item.suggestions[1:], seconds=2.5, now=NOW,
    )  # fmt: skip
    count = study.db.conn.execute
    assert count("SELECT count(*) FROM codings").fetchone()[0] == 1
    acts = count("SELECT count(*) FROM decisions").fetchone()[0]

    undone = undo(study, round_, "Sam", now=NOW)

    again = next_item(study, round_, "Sam")
    assert undone == item.segment.id
    assert again is not None
    assert again.segment.id == item.segment.id
    assert count("SELECT count(*) FROM codings").fetchone()[0] == 0
    assert count("SELECT count(*) FROM decisions").fetchone()[0] == 2 * acts


def test_a_skip_says_nothing_of_any_code_and_does_not_count_as_read(
    made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder
) -> None:
    study = prepared(made, tmp_path, cascade, minilm).study
    round_ = draw_counting_round(study, people=1, seed=1, now=NOW, actor="t")
    item = next_item(study, round_, "Sam")
    assert item is not None

    decide(study, item, coder="Sam", choices=[], skip=True, seconds=1, now=NOW)

    assert next_item(study, round_, "Sam") is None
    assert overview(study).read == 0


def test_two_coders_each_get_every_item(made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder) -> None:
    study = prepared(made, tmp_path, cascade, minilm).study
    round_ = draw_counting_round(study, people=2, seed=1, now=NOW, actor="t")
    item = next_item(study, round_, "Sam")
    assert item is not None
    decide(study, item, coder="Sam", choices=[Choice("CL1")], seconds=1, now=NOW)

    other = next_item(study, round_, "Ade")

    assert other is not None
    assert other.segment.id == item.segment.id


def test_decisions_and_suggestions_are_for_ever(demo_folder: Path) -> None:
    with opened(demo_folder / "north-yorkshire-care-leavers") as study:
        for table in ("decisions", "suggestions", "clean_texts", "draws"):
            with pytest.raises(Exception, match="append-only"):
                study.db.conn.execute(f"DELETE FROM {table}")
            study.db.conn.rollback()


def test_each_decision_says_who_when_on_which_version_and_how_it_was_drawn(demo_folder: Path) -> None:
    with opened(demo_folder / "north-yorkshire-care-leavers") as study:
        rows = study.db.conn.execute("SELECT * FROM decisions").fetchall()

    assert rows
    assert {r["coder"] for r in rows} == {"Demo coder (fictional)"}
    assert {(r["codebook"], r["codebook_version"]) for r in rows} == {("north-yorkshire-care-leavers", "0.1.0")}
    assert {(r["shown"], r["stream"]) for r in rows} == {(0, "uniform")}
    assert {round(r["probability"], 6) for r in rows} == {round(60 / 131, 6)}


def test_a_killed_deidentification_goes_on_where_it_stopped(made: Made, tmp_path: Path, cascade: Deidentifier) -> None:
    take_in(made.study, NY, made.key, now=NOW, keep_raw_days=30, actor="test")

    def stop_after_one(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=stop_after_one)
    part = overview(made.study).clean
    deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=quiet)

    assert (part, overview(made.study).clean) == (200, 270)


def test_kill_minus_nine_in_the_middle_loses_and_doubles_nothing(made: Made, tmp_path: Path) -> None:
    take_in(made.study, NY, made.key, now=NOW, keep_raw_days=3650, actor="test")
    environment = {**os.environ, "HEARD_KEY_FILE": str(next((tmp_path / "keys").iterdir()))}
    command = [sys.executable, "-m", "service", "deidentify", str(made.study.folder)]
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as running:
        while running.poll() is None and overview(made.study).clean == 0:
            pass
        running.kill()

    again = subprocess.run(command, env=environment, cwd=ROOT, check=False, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr

    assert overview(made.study).clean == 270
    assert made.study.db.conn.execute("SELECT count(*) FROM clean_texts").fetchone()[0] == 270


def test_a_voice_whose_raw_text_was_purged_is_told_and_not_invented(
    made: Made, tmp_path: Path, cascade: Deidentifier
) -> None:
    take_in(made.study, NY, made.key, now=NOW, keep_raw_days=1, actor="test")

    done = deidentify_study(made.study, made.key, cascade, now="2026-03-01T00:00:00", actor="t", progress=quiet)

    assert (done.voices, done.purged) == (0, 270)
    with pytest.raises(RecordError, match="not de-identified"):
        clean_text(made.study.db, all_voices(made.study.db)[0].id)


def test_a_changed_codebook_under_the_same_version_is_refused(
    made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder
) -> None:
    study = prepared(made, tmp_path, cascade, minilm).study
    shutil.copytree(ROOT / "codebooks", tmp_path / "books")
    file = tmp_path / "books" / study.codebook / "codebook.yaml"
    file.write_text(file.read_text("utf-8").replace("I put a chair against the door.", "I lock it twice."), "utf-8")

    with pytest.raises(Exception, match="raise its version number"):
        suggest_study(study, wiring.codebook_named(str(file)), minilm, now=NOW, actor="t", progress=quiet)


def test_opening_a_study_again_finds_what_was_stored(made: Made, tmp_path: Path) -> None:
    take_in(made.study, small_file(tmp_path), made.key, now=NOW, keep_raw_days=30, actor="test")

    again = open_study(made.study.folder)

    assert (again.id, again.codebook, overview(again).voices) == (made.study.id, made.study.codebook, 9)
    again.db.close()
