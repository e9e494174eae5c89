"""Intake: every kind of file that is read, and every kind that is refused with nothing taken in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.errors import InputError
from service.files.tables import read_table
from service.study.voices import all_voices
from service.usecases.intake import IntakeReport, take_in
from service.vault.store import Vault
from tests.conftest import NOW, ROOT, Made

CORPORA = ROOT / "corpora_sample"


def take(made: Made, file: Path, *, text_column: str | None = None, profile: Path | None = None) -> IntakeReport:
    return take_in(
        made.study, file, made.key, now=NOW, keep_raw_days=30, actor="test", text_column=text_column, profile=profile
    )


def raw_texts(made: Made) -> list[str]:
    with Vault(made.study.vault_file, made.key, made.study.id) as vault:
        return list(vault.texts([v.id for v in all_voices(made.study.db)]).values())


def everything(made: Made) -> tuple[int, int, int]:
    count = made.study.db.conn.execute
    with Vault(made.study.vault_file, made.key, made.study.id) as vault:
        sealed = vault._db.conn.execute("SELECT count(*) FROM raw").fetchone()[0]
    return (
        count("SELECT count(*) FROM voices").fetchone()[0],
        count("SELECT count(*) FROM runs").fetchone()[0],
        sealed,
    )


@pytest.mark.parametrize(
    ("file", "profile", "rows", "voices", "confidential"),
    [
        ("hampshire-early-help/case-notes.csv", "case-notes-early-help", 264, 258, 6),
        ("north-yorkshire-care-leavers/survey-and-plans.xlsx", "care-leaver-survey", 272, 270, 0),
        ("oldham-early-language/interviews.txt", "early-language-notes", 110, 109, 0),
        ("rochdale-family-hub/family-hub-form.xlsx", "family-hub-forms", 44, 149, 0),
        ("rochdale-family-hub/family-hub-panel.csv", "family-hub-panel", 45, 150, 0),
    ],
)
def test_each_sites_export_is_recognised_and_taken_whole(
    made: Made, file: str, profile: str, rows: int, voices: int, confidential: int
) -> None:
    report = take(made, CORPORA / file)

    assert (report.profile, report.rows, report.voices, report.confidential) == (profile, rows, voices, confidential)
    assert len(raw_texts(made)) == voices


def test_a_windows_file_keeps_its_curly_quotes(made: Made, tmp_path: Path) -> None:
    file = tmp_path / "notes.csv"
    file.write_bytes("text\r\n“Fine” she said – for £5\r\n".encode("cp1252"))

    report = take(made, file)

    assert raw_texts(made) == ["“Fine” she said – for £5"]
    assert report.notes[0] == "The file is not UTF-8; it was read as Windows-1252."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_usual_encodings_and_delimiters_give_the_same_words(
    made: Made, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    file = tmp_path / "notes.csv"
    file.write_bytes(f'id{delimiter}text\r\n7{delimiter}"i like it 😀{delimiter} mum\ndoes too"\r\n'.encode(encoding))

    take(made, file)

    assert raw_texts(made) == [f"i like it 😀{delimiter} mum\ndoes too"]


def test_the_same_file_again_changes_nothing(made: Made) -> None:
    file = CORPORA / "rochdale-family-hub" / "family-hub-panel.csv"
    first = take(made, file)

    second = take(made, file)

    assert (second.voices, second.known) == (0, first.voices)
    assert everything(made)[0] == first.voices


def test_columns_that_no_profile_names_are_dropped(made: Made) -> None:
    take(made, CORPORA / "rochdale-family-hub" / "family-hub-form.xlsx")

    stored = json.dumps([list(row) for row in made.study.db.conn.execute("SELECT * FROM voices")])

    assert "@example" not in stored
    assert "P01" not in stored


def test_record_and_person_references_are_not_in_the_study(made: Made) -> None:
    take(made, CORPORA / "hampshire-early-help" / "case-notes.csv")

    content = (made.study.folder / "study.db").read_bytes() + (made.study.folder / "study.db-wal").read_bytes()

    assert b"HA-A" not in content


def csv_file(tmp_path: Path, words: str | bytes) -> Path:
    file = tmp_path / "in.csv"
    file.write_bytes(words if isinstance(words, bytes) else words.encode())
    return file


SECRET = "Zebedee Quartermain"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", ["in.csv", "empty"]),
        ("   \n", ["in.csv", "empty"]),
        ("id,text\n", ["in.csv", "no rows"]),
        (f"id,age\n1,{SECRET}\n", ["in.csv", "row 1", "no column of text"]),
        (f"id,text\n1,a\n2,b\n1,{SECRET}\n", ["row 4", "“id”", "stands twice (first in row 2)"]),
        (f"id,text\n,{SECRET}\n", ["row 2", "“id”", "no id"]),
        (f"id,text\n1,{SECRET * 60_000}\n", ["row 2", "“text”", "1,140,000 characters"]),
        (f"id,text\n1,ok\n2,\x81{SECRET}\n".encode("latin-1"), ["row 3", "wrong encoding"]),
        (f"id,text\n1,{SECRET}\n".encode("utf-16-le"), ["wrong encoding"]),
        (f'id,text\n1,"{SECRET}\n', ["row 2", "quotation mark"]),
        (f"id,text\n1,a,{SECRET}\n", ["row 2", "more cells"]),
        ("id,text,text\n1,a,b\n", ["row 1", "columns 2 and 3 have the same name"]),
    ],
    ids=["empty", "blank", "no rows", "no text column", "double id", "no id", "huge cell", "wrong encoding", "utf-16 without mark",
         "open quote", "too many cells", "double header"],
)  # fmt: skip
def test_a_bad_file_is_refused_by_place_with_nothing_taken_in(
    made: Made, tmp_path: Path, words: str | bytes, says: list[str]
) -> None:
    before = everything(made)

    with pytest.raises(InputError) as refused:
        take(made, csv_file(tmp_path, words))

    message = str(refused.value)
    assert all(part in message for part in says), message
    assert "Zebedee" not in message
    assert everything(made) == before


def test_a_value_outside_the_profiles_list_names_row_and_column(made: Made, tmp_path: Path) -> None:
    good = (CORPORA / "hampshire-early-help" / "case-notes.csv").read_bytes()
    file = csv_file(tmp_path, good.replace(b"Analysis only", b"Perhaps", 1))

    with pytest.raises(InputError, match="row \\d+: column “Consent”: the value is not one of: Analysis only"):
        take(made, file)

    assert everything(made) == (0, 0, 0)


def test_a_file_that_is_no_workbook_is_refused(made: Made, tmp_path: Path) -> None:
    file = tmp_path / "x.xlsx"
    file.write_bytes(b"not a zip")

    with pytest.raises(InputError, match="not readable as an Excel workbook"):
        take(made, file)


def test_a_json_line_cut_in_half_is_refused_by_row(made: Made, tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"id": "1", "text": "a"}\n{"id": "2", "te', "utf-8")

    with pytest.raises(InputError, match="row 2: the line is not whole JSON"):
        take(made, file)


def test_confidential_rows_never_reach_the_vault(made: Made) -> None:
    take(made, CORPORA / "hampshire-early-help" / "case-notes.csv")
    rows = read_table(CORPORA / "hampshire-early-help" / "case-notes.csv").rows()
    secret = [r.cells["Case Note Detail"].strip() for r in rows if r.cells["ICS-Confidential"] == "Y"]

    assert secret
    assert not set(secret) & set(raw_texts(made))
