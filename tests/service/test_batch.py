"""Batch: every answer comes out once and in order, the same wherever it was worked on, and a killed run goes on."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from service.batch.engines import Engine, engine
from service.batch.run import Asked, BatchReport, run_batch
from service.batch.window import Settings, Window, WindowResult, code_window
from service.errors import InputError, StudyError
from service.files.cells import harmless
from service.usecases.answers import Answer
from tests.conftest import NOW, ROOT

CODEBOOK = "rochdale-family-hub"
HERE = engine("local", workers=1, scheduler="")
WORDS = (
    "My worker Siobhan Okonjo got us the food bank voucher the same day",
    "=cmd|' /C calc'!A0 nobody rang back for six weeks",
    "n/a",
    "i like the stay and play coz my baby can crawl with the others",
    "The forms are only in English and my mum cannot read them. Tell them to ring me on 07700 900123.",
    "hodi bana aapki madad ke liye bahut shukriya mere bachche ab khush hain",
    "Parking is awful, the ladies at the hub are lovely",
)


def responses(folder: Path, rows: int = 14) -> Path:
    file = folder / "responses.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        lines = csv.writer(out)
        lines.writerow(["id", "text", "voice"])
        lines.writerows([f"R{i:03}", WORDS[i % len(WORDS)], "parent_carer"] for i in range(rows))
    return file


def coded(source: Path, out: Path, run_on: Engine = HERE, *, top: int = 3, window: int = 4) -> BatchReport:
    asked = Asked(source, out, CODEBOOK, top=top, rows_a_window=window)
    return run_batch(asked, run_on, now=NOW, progress=lambda *_: None)


def rows_in(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def left_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()} - {"responses.csv"}


def test_every_answer_comes_out_once_in_order_without_its_names_and_with_its_themes(tmp_path: Path) -> None:
    report = coded(responses(tmp_path), tmp_path / "out.csv")

    rows = rows_in(tmp_path / "out.csv")
    assert [row["record"] for row in rows] == [f"R{i:03}" for i in range(14) if i % 7 != 2]
    assert (report.size.rows, report.written) == (14, 12)
    words = (tmp_path / "out.csv").read_text("utf-8")
    assert "Okonjo" not in words
    assert "07700 900123" not in words
    themed = [row for row in rows if row["code_1"]]
    assert themed
    assert all(row["evidence_1"] in row["clean_text"].removeprefix("'") for row in themed)
    assert all(0 < float(row["probability_1"]) < 1 and row["band_1"] for row in themed)
    assert left_in(tmp_path) == {"out.csv", "out.csv.run.json"}


def test_an_answer_in_another_language_is_left_for_a_person_and_shows_no_words(tmp_path: Path) -> None:
    report = coded(responses(tmp_path), tmp_path / "out.csv")

    held = [row for row in rows_in(tmp_path / "out.csv") if row["held"]]
    assert len(held) == report.held == 2
    assert {(row["clean_text"], row["code_1"]) for row in held} == {("", "")}


def test_all_four_kinds_of_file_say_the_same(tmp_path: Path) -> None:
    source = responses(tmp_path)
    for kind in ("csv", "xlsx", "jsonl", "parquet"):
        coded(source, tmp_path / f"out.{kind}")

    plain = rows_in(tmp_path / "out.csv")
    sheet = [[cell.value for cell in row] for row in load_workbook(tmp_path / "out.xlsx").active.iter_rows()]  # type: ignore[union-attr]
    parquet = pq.read_table(tmp_path / "out.parquet").to_pylist()
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert sheet[0] == list(plain[0])
    assert [row[2] for row in sheet[1:]] == [r["record"] for r in plain]
    assert [r["record"] for r in parquet] == [r["record"] for r in lines] == [r["record"] for r in plain]
    assert [r["code_1"] or "" for r in parquet] == [r["code_1"] for r in plain]
    assert [r["themes"][0]["code"] if r["themes"] else "" for r in lines] == [r["code_1"] for r in plain]
    assert [r["clean_text"] for r in parquet] == [r["clean_text"] for r in lines]


def test_no_spreadsheet_takes_an_answer_for_a_formula(tmp_path: Path) -> None:
    coded(responses(tmp_path), tmp_path / "out.csv")

    assert sum(row["clean_text"].startswith("'=cmd") for row in rows_in(tmp_path / "out.csv")) == 2
    assert [harmless(cell) for cell in ("+1", "-2", "@x", "\tx", "plain", None, 3)] == [
        "'+1", "'-2", "'@x", "'\tx", "plain", None, 3,
    ]  # fmt: skip


def test_the_run_record_says_what_made_the_file_and_that_nothing_is_coded_yet(tmp_path: Path) -> None:
    coded(responses(tmp_path), tmp_path / "out.jsonl", top=2)

    record = json.loads((tmp_path / "out.jsonl.run.json").read_text("utf-8"))
    assert record["counts"]["written"] == 12
    assert record["codebook"]["id"] == CODEBOOK
    assert record["suggestions"]["model"].startswith("heard-matcher-")
    assert "Nothing is coded until a person says so" in record["read this"]


@pytest.mark.parametrize("window", [1, 2, 7, 100])
def test_how_the_rows_are_cut_changes_nothing_for_people_with_one_answer(tmp_path: Path, window: int) -> None:
    source = responses(tmp_path)
    coded(source, tmp_path / "whole.jsonl", window=1000)

    coded(source, tmp_path / "cut.jsonl", window=window)

    assert (tmp_path / "cut.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.parametrize(("kind", "workers"), [("local", 2), ("dask", 2)])
def test_processes_and_dask_give_the_same_bytes_as_this_process_even_when_one_is_killed(
    tmp_path: Path, kind: str, workers: int
) -> None:
    source = responses(tmp_path, 42)
    coded(source, tmp_path / "here.jsonl", window=3)

    coded(source, tmp_path / "there.jsonl", with_a_killing(engine(kind, workers=workers, scheduler="")), window=3)

    assert (tmp_path / "there.jsonl").read_bytes() == (tmp_path / "here.jsonl").read_bytes()


def with_a_killing(run_on: Engine) -> Engine:
    """After the third window one of the processes that work is killed."""

    def run(windows: Iterable[Window], settings: Settings) -> Iterator[WindowResult]:
        for number, result in enumerate(run_on(windows, settings)):
            if number == 2:
                workers = [
                    p for p in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(p.cmdline())
                ]
                workers[-1].kill()
            yield result

    return run


def test_a_killed_run_leaves_no_file_and_goes_on_where_it_was(tmp_path: Path) -> None:
    source = responses(tmp_path, 280)
    coded(source, tmp_path / "whole.jsonl", window=1000)
    out = tmp_path / "out.jsonl"
    command = [sys.executable, "-c", RUN, str(source), str(out)]
    parts = tmp_path / ".out.jsonl.parts"

    with subprocess.Popen(command, cwd=ROOT) as run:
        wait_for(lambda: len(list(parts.glob("[0-9]*.jsonl"))) >= 3)
        run.send_signal(signal.SIGKILL)
    done = len(list(parts.glob("[0-9]*.jsonl")))

    assert not out.exists()
    assert 3 <= done < 140
    assert coded(source, out, window=2).resumed == done * 2
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not parts.exists()


RUN = """
import sys
from pathlib import Path
from tests.service.test_batch import coded
coded(Path(sys.argv[1]), Path(sys.argv[2]), window=2)
"""


def wait_for(there: object) -> None:
    until = time.monotonic() + 60
    while not there():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_run_that_was_not_finished_is_never_mixed_with_another(tmp_path: Path) -> None:
    source = responses(tmp_path)

    def broken(windows: Iterable[Window], settings: Settings) -> Iterator[WindowResult]:
        yield code_window(next(iter(windows)), settings)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        coded(source, tmp_path / "out.csv", broken)

    with pytest.raises(StudyError, match="not finished"):
        coded(source, tmp_path / "out.csv", top=1)
    assert coded(source, tmp_path / "out.csv").resumed == 4


def test_a_fault_in_the_last_row_is_named_before_anything_is_worked_on(tmp_path: Path) -> None:
    source = responses(tmp_path)
    with source.open("a", encoding="utf-8") as out:
        out.write("R000,words that stand under an id that was there,parent_carer\n")

    with pytest.raises(InputError, match=r"row 16: column “id”: the id stands twice \(first in row 2\)"):
        coded(source, tmp_path / "out.csv")

    assert left_in(tmp_path) == set()


def test_a_kind_of_file_that_is_not_written_is_refused_first(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"out.docx.*\.csv"):
        coded(responses(tmp_path), tmp_path / "out.docx")


def test_a_folder_is_read_file_after_file(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    responses(folder, 3).rename(folder / "b.csv")
    responses(folder, 2).rename(folder / "a.csv")
    (folder / "notes.bin").write_bytes(b"\0")

    coded(folder, tmp_path / "out.csv")

    assert [(row["file"], row["row"]) for row in rows_in(tmp_path / "out.csv")] == [
        ("a.csv", "2"), ("a.csv", "3"), ("b.csv", "2"), ("b.csv", "3"),
    ]  # fmt: skip


@pytest.mark.parametrize("address", ["tcp://10.0.0.4:8786", "scheduler:8786", "tcp://scheduler.example:8786"])
def test_raw_words_are_not_sent_over_an_open_network(address: str) -> None:
    with pytest.raises(StudyError, match="unencrypted"):
        engine("dask", workers=1, scheduler=address)


def test_what_a_queue_prints_of_its_work_shows_neither_words_nor_the_secret() -> None:
    answer = Answer(
        1, 0, "text", "Okonjo", "R1", "P1", ("Okonjo",), "child", "self", "verbatim", "analysis_only", "", "", "", "", {}
    )  # fmt: skip

    shown = repr((Window(0, "file", 1, [answer]), [answer], Settings("c", 3, 0.2, b"secret")))

    assert "Okonjo" not in shown
    assert "secret" not in shown


def test_the_written_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        coded(responses(tmp_path), tmp_path / "out.csv")
    finally:
        os.umask(before)

    assert (tmp_path / "out.csv").stat().st_mode & 0o077 == 0
