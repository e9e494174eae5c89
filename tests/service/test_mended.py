"""One test for each fault that was found and mended, so that it stays mended."""

from __future__ import annotations

import io
import json
import re
import sys
import zipfile
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from openpyxl import Workbook

from nlp.deid.cascade import Deidentifier
from nlp.deid.surrogates import plan_redactions
from nlp.encode import Encoder
from nlp.types import Detection, Label
from service import wiring
from service.app import build_app
from service.cli.main import main
from service.errors import InputError, StudyError
from service.files.tables import read_table
from service.study.codebooks import newest_codebook
from service.usecases.deidentify import deidentify_lines, deidentify_study
from service.usecases.findings import overview
from service.usecases.intake import IntakeReport, take_in
from service.usecases.prevalence import theme_shares
from service.usecases.queue import next_item
from service.usecases.review import Choice, decide
from service.usecases.rounds import draw_counting_round, draw_review_round, people_in_scope
from service.usecases.suggest import suggest_lines, suggest_study
from tests.conftest import NOW, ROOT, Made, sign_in_as


def QUIET(done: int, total: int) -> None:  # noqa: N802 - stands for a constant
    """No progress to show."""


def take(made: Made, folder: Path, words: str, name: str = "in.csv", **options: str) -> IntakeReport:
    file = folder / name
    file.write_text(words, "utf-8")
    return take_in(made.study, file, made.key, now=NOW, keep_raw_days=30, actor="t", **options)  # type: ignore[arg-type]


@pytest.fixture
def counted(made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder) -> Made:
    """Forty young people, of whom every other one puts a chair against the door."""
    texts = ("i put a chair against the door", "i had beans for tea")
    rows = "".join(f"{i},{texts[i % 2]} number {i},young_person\n" for i in range(40))
    take(made, tmp_path, "id,text,voice\n" + rows)
    deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=QUIET)
    suggest_study(made.study, wiring.codebook_named(made.study.codebook), minilm, now=NOW, actor="t", progress=QUIET)
    return made


def read_round(made: Made, coder: str, code: str, words: str) -> None:
    """Read the counting round; give the code to the texts that hold the words."""
    from service.usecases.rounds import round_for

    round_ = round_for(made.study, "counting") or draw_counting_round(made.study, people=40, seed=1, now=NOW, actor="t")
    while (item := next_item(made.study, round_, coder)) is not None:
        choices = [Choice(code)] if words in item.segment.text else []
        decide(made.study, item, coder=coder, choices=choices, seconds=1, now=NOW)


def share_of(made: Made, code: str) -> float | None:
    estimate = next(s.estimate for s in theme_shares(made.study) if s.code.id == code)
    return None if estimate is None else estimate.share


def test_a_later_review_round_does_not_change_a_blind_estimate(counted: Made) -> None:
    read_round(counted, "Sam", "CL1", "chair")
    before = share_of(counted, "CL1")
    round_ = draw_review_round(counted.study, seed=1, now=NOW, actor="t")
    while (item := next_item(counted.study, round_, "Sam")) is not None:
        decide(counted.study, item, coder="Sam", choices=[], rejected=item.suggestions, seconds=1, now=NOW)

    assert before == pytest.approx(0.5)
    assert share_of(counted, "CL1") == before


def test_a_second_coder_does_not_add_to_what_the_first_one_counted(counted: Made) -> None:
    read_round(counted, "Sam", "CL1", "chair")
    read_round(counted, "Ade", "CL1", "number")

    assert share_of(counted, "CL1") == pytest.approx(0.5)


def test_people_who_came_after_the_draw_are_not_counted_as_loaded(
    counted: Made, tmp_path: Path, cascade: Deidentifier
) -> None:
    read_round(counted, "Sam", "CL1", "chair")
    take(counted, tmp_path, "id,text,voice\n900,i came later,young_person\n", "later.csv")
    deidentify_study(counted.study, counted.key, cascade, now=NOW, actor="t", progress=QUIET)

    estimate = next(s.estimate for s in theme_shares(counted.study) if s.code.id == "CL1")

    assert estimate is not None
    assert (estimate.read, estimate.loaded) == (40, 40)


def test_another_record_under_a_known_id_is_refused_and_not_taken_for_known(made: Made, tmp_path: Path) -> None:
    take(made, tmp_path, "id,text\n1,the first words\n")

    with pytest.raises(InputError, match="row 2: column “id”: a record of this id was taken in before"):
        take(made, tmp_path, "id,text\n1,quite other words\n", "second.csv")


def test_rows_without_ids_are_never_taken_for_rows_of_another_file(made: Made, tmp_path: Path) -> None:
    first = take(made, tmp_path, "text\nfine thanks\n")
    second = take(made, tmp_path, "text\nfine thanks\nno\n", "second.csv")

    assert (first.voices, second.voices, second.known) == (1, 2, 0)
    assert "no record ids" in " ".join(second.notes)


def test_a_voice_purged_before_it_was_read_can_be_taken_in_again(
    made: Made, tmp_path: Path, cascade: Deidentifier
) -> None:
    take(made, tmp_path, "id,text\n1,hello\n")
    lost = deidentify_study(made.study, made.key, cascade, now="2026-12-01", actor="t", progress=QUIET)
    again = take(made, tmp_path, "id,text\n1,hello\n")
    found = deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=QUIET)

    assert (lost.purged, again.known, found.voices) == (1, 1, 1)


def test_keeping_raw_text_for_no_day_at_all_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from service.settings import Settings

    monkeypatch.setenv("HEARD_KEEP_RAW_DAYS", "0")
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Settings()


def test_what_deidentify_writes_suggest_reads(tmp_path: Path, cascade: Deidentifier, minilm: Encoder) -> None:
    source, clean, out = (tmp_path / n for n in ("in.jsonl", "clean.jsonl", "out.jsonl"))
    source.write_text('{"id": "1", "text": "i put a chair against the door", "voice": "child"}\n', "utf-8")
    book = wiring.codebook_named("north-yorkshire-care-leavers")

    deidentify_lines(source, clean, cascade, spans=True, progress=QUIET)
    suggest_lines(book, minilm, clean, out, every_code=False, progress=QUIET)

    assert json.loads(out.read_text("utf-8"))["suggestions"][0]["code"] == "CL1"


def test_a_confidential_mark_that_nobody_knows_is_refused_and_not_let_through(made: Made, tmp_path: Path) -> None:
    good = (ROOT / "corpora_sample" / "hampshire-early-help" / "case-notes.csv").read_bytes()
    file = tmp_path / "x.csv"
    file.write_bytes(re.sub(rb",N,", b",Y*,", good, count=1))

    with pytest.raises(
        InputError, match="column “ICS-Confidential”: it is not known whether this mark means confidential"
    ):
        take_in(made.study, file, made.key, now=NOW, keep_raw_days=30, actor="t")


@pytest.mark.parametrize("value", ["07700 900123", "14 Bury Road", "OL11 4AB", "me@example.org"])
def test_an_attribute_that_holds_an_identifier_is_refused(made: Made, tmp_path: Path, value: str) -> None:
    profile = tmp_path / "p.yaml"
    profile.write_text("name: p\ntexts: [text]\nrecord_id: id\narea: {column: area}\n", "utf-8")
    file = tmp_path / "x.csv"
    file.write_text(f"id,text,area\n1,hello,{value}\n", "utf-8")

    with pytest.raises(InputError, match="row 2: column “area”: it holds what looks like an identifier") as refused:
        take_in(made.study, file, made.key, now=NOW, keep_raw_days=30, actor="t", profile=profile)
    assert value not in str(refused.value)


def test_another_codebook_is_refused_and_the_study_keeps_its_own(counted: Made, minilm: Encoder) -> None:
    other = wiring.codebook_named("rochdale-family-hub")

    with pytest.raises(StudyError, match="codes with “north-yorkshire-care-leavers”"):
        suggest_study(counted.study, other, minilm, now=NOW, actor="t", progress=QUIET)
    assert newest_codebook(counted.study.db).id == "north-yorkshire-care-leavers"


def test_a_workbook_that_states_too_small_a_range_loses_no_row(tmp_path: Path) -> None:
    book = Workbook()
    for row in [["id", "text"], *([str(i), f"words {i}"] for i in range(9))]:
        book.worksheets[0].append(row)
    whole = io.BytesIO()
    book.save(whole)
    file = tmp_path / "x.xlsx"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(file, "w") as new:
        for item in old.namelist():
            new.writestr(item, old.read(item).replace(b'ref="A1:B10"', b'ref="A1:B4"'))

    assert len(list(read_table(file).rows())) == 9


@pytest.mark.parametrize("line", ["[" * 100_000, '{"id": ' + "9" * 5000 + "}"])
def test_monstrous_json_is_refused_by_row(tmp_path: Path, line: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(line, "utf-8")

    with pytest.raises(InputError, match="row 1: the line is not whole JSON"):
        read_table(file)


def test_a_file_without_a_header_does_not_have_its_words_repeated(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("Zebedee said hi,Zebedee said hi\na,b\n", "utf-8")

    with pytest.raises(InputError) as refused:
        read_table(file)
    assert "Zebedee" not in str(refused.value)


def test_an_unexpected_error_shows_and_logs_an_incident_number_alone(
    demo_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app: FastAPI = build_app(demo_folder)

    @app.get("/v1/broken")
    def broken() -> None:
        raise ValueError("Zebedee lives at number 4")

    answer = TestClient(app, raise_server_exceptions=False).get("/v1/broken")

    assert answer.status_code == 500
    assert answer.headers["Cache-Control"] == "no-store"
    incident = answer.json()["detail"].split()[-1].rstrip(".")
    [logged] = [r for r in caplog.records if r.name == "heard"]
    assert (logged.__dict__["incident"], logged.__dict__["error"], logged.exc_info) == (incident, "ValueError", None)
    assert "Zebedee" not in answer.text + caplog.text


def test_two_full_names_with_one_first_name_are_two_people() -> None:
    text = "Sarah Jones met Sarah Smith. Then Sarah left."
    spans = [(0, 11), (16, 27), (34, 39)]
    found = [Detection(a, b, Label.PERSON, 1.0, "d", "w") for a, b in spans]

    assert [r.surrogate for r in plan_redactions(text, found)] == ["[Person 1]", "[Person 2]", "[Person 2]"]


def test_the_api_never_gives_the_count_behind_a_share(demo_folder: Path) -> None:
    client = sign_in_as(demo_folder, "Lead (demo)")
    answers = [client.get(f"/v1/studies/hampshire-early-help{p}").text for p in ("", "/themes", "/findings")]

    assert "positives_read" not in "".join(answers)
    by_voice = json.loads(answers[0])["by_voice"]
    assert by_voice["child"] == [{"value": None, "words": "fewer than 6"}] * 2


def test_a_plain_file_says_that_nobody_is_known_to_speak(made: Made, tmp_path: Path, cascade: Deidentifier) -> None:
    report = take(made, tmp_path, "id,text\n1,hello\n")
    deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=QUIET)

    assert "Give --voice" in " ".join(report.notes)
    with pytest.raises(StudyError, match="known to be a child's"):
        draw_counting_round(made.study, people=5, seed=1, now=NOW, actor="t")
    assert overview(made.study).voices == 1


def test_a_speaker_named_for_the_whole_file_counts(made: Made, tmp_path: Path, cascade: Deidentifier) -> None:
    take(made, tmp_path, "id,text\n1,hello\n", speaker="parent_carer")
    deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=QUIET)

    assert len(people_in_scope(made.study)) == 1


def test_init_with_a_damaged_key_file_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.key").write_text("{}", "utf-8")
    monkeypatch.setenv("HEARD_KEY_FILE", str(tmp_path / "bad.key"))
    monkeypatch.setattr(sys.modules["service.cli.main"], "harden", lambda: None)  # it is for a process of its own
    monkeypatch.setattr("sys.argv", ["heard", "init", str(tmp_path / "s"), "--codebook", "rochdale-family-hub"])
    wiring.settings.cache_clear()

    with pytest.raises(SystemExit) as stopped:
        main()
    wiring.settings.cache_clear()

    assert stopped.value.code == 1
    assert not (tmp_path / "s").exists()
