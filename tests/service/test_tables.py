"""Code-by-case tables: 1 was confirmed, 0 was read and not found, and what nobody read is missing, in every kind of file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from math import isnan
from pathlib import Path

import pyarrow.parquet as pq
import pyreadstat
import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from nlp.types import Code
from service.cli.main import app
from service.errors import GateError
from service.files.grids import Grid, Variable, write_grid
from service.study.codebooks import keep_codebook
from service.study.database import write
from service.study.decisions import Decision, Round, add_decisions
from service.study.publications import use_version
from service.study.study import Study
from service.usecases.check import accept_risk
from service.usecases.tables import _names, export_tables, grids
from tests.conftest import NOW, Made
from tests.service.bare import CODES, bare_study, book, counting_round, plan, review_round


def decide(
    study: Study, round_: Round, segment: str, code: str = "", *, action: str = "close", by: str = "Ann"
) -> None:
    with write(study.db) as connection:
        add_decisions(
            connection,
            [Decision(segment, action, by, NOW, round_.id, "likely", 1.0, "bare", "1.0.0", True, code=code, end=3)],
        )


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """P0 was read and speaks of safety; P1 was read and nothing found; P2 has one text read and one not; P3 none."""
    door, film = "The door.", "A film."
    made = bare_study(tmp_path / "study", [[door], [film], [film, door], [film]])
    accept_risk(made, person="A tester", reason="The people in these tests are fictional.", now=NOW)
    round_ = review_round(made)
    first = {row[0]: row[1] for row in made.db.conn.execute("SELECT participant, min(id) FROM voices GROUP BY 1")}
    people = sorted(first)
    decide(made, round_, f"{first[people[0]]}.0", "SAFE", action="add")
    for person in people[:3]:
        decide(made, round_, f"{first[person]}.0")
    return made


def column(grid: Grid, name: str) -> list[object]:
    at = [v.name for v in grid.variables].index(name)
    return [row[at] for row in grid.rows]


def test_found_is_1_read_and_not_found_is_0_and_what_nobody_read_is_missing(study: Study) -> None:
    voices, people = grids(study, "Ann")
    assert column(voices, "c_SAFE") == [1, 0, 0, None, None]
    assert column(voices, "n_SAFE") == [1, 0, 0, None, None]
    assert column(people, "c_SAFE") == [1, 0, None, None]
    assert column(people, "read") == [1, 1, 1, 0]
    assert column(people, "segments") == [1, 1, 2, 1]


def test_a_code_confirmed_in_a_text_that_is_only_partly_read_is_1_and_its_count_is_missing(study: Study) -> None:
    waiting = study.db.conn.execute(
        "SELECT s.id FROM segments s WHERE NOT EXISTS (SELECT 1 FROM decisions d WHERE d.segment = s.id) ORDER BY s.rowid"
    ).fetchone()[0]
    decide(study, Round("review-1", "review", "segment", 1, "bare", "1.0.0", NOW), waiting, "HOME", action="add")
    _, people = grids(study, "Ann")
    assert (column(people, "c_HOME")[2], column(people, "n_HOME")[2]) == (1, None)


def test_what_others_decided_on_items_that_are_read_blind_is_neither_found_nor_read(study: Study) -> None:
    round_ = counting_round(study, 4)
    plan(study, round_, ["Ann", "Bea"], [(4, "Ann"), (4, "Bea")])
    last = study.db.conn.execute("SELECT id FROM segments ORDER BY rowid DESC").fetchone()[0]
    decide(study, round_, last, by="Bea")
    assert column(grids(study, "Bea")[0], "c_SAFE")[-1] == 0
    assert column(grids(study, "Ann")[0], "c_SAFE")[-1] is None


def test_a_code_that_came_after_the_reading_is_missing_not_0(study: Study) -> None:
    later = book("1.1.0", (*CODES, Code("NEW", "A new code", "Made later.")))
    with write(study.db) as connection:
        keep_codebook(connection, later, NOW)
        use_version(connection, "bare", "1.1.0")
    voices, _ = grids(study, "Ann")
    assert set(column(voices, "c_NEW")) == {None}
    assert column(voices, "c_SAFE")[:2] == [1, 0]


def test_all_kinds_of_file_hold_the_same_cells_with_labels(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "tables"
    done = export_tables(study, out, person="Ann", now=NOW)
    assert {f.name for f in done.files} == {f.name for f in out.iterdir()}
    with (out / "voices.csv").open(encoding="utf-8-sig", newline="") as lines:
        plain = [row["c_SAFE"] for row in csv.DictReader(lines)]
    sheet = list(load_workbook(out / "voices.xlsx")["voices"].values)
    at = sheet[0].index("c_SAFE")
    frame, about = pyreadstat.read_sav(str(out / "voices.sav"))
    assert plain == ["1", "0", "0", "", ""]
    assert [row[at] for row in sheet[1:]] == pq.read_table(out / "voices.parquet")["c_SAFE"].to_pylist()
    assert [None if isnan(x) else int(x) for x in frame["c_SAFE"]] == [1, 0, 0, None, None]
    assert about.variable_value_labels["c_SAFE"] == {0.0: "read, not found", 1.0: "found"}
    assert about.column_names_to_labels["c_SAFE"].startswith("SAFE: Feeling safe where I live")
    with (out / "labels.csv").open(encoding="utf-8-sig", newline="") as lines:
        labels = {(row["table"], row["variable"]): row["values"] for row in csv.DictReader(lines)}
    assert labels["participants", "c_SAFE"] == "0 = read, not found; 1 = found"


def test_a_name_that_begins_like_a_formula_is_never_run(tmp_path: Path) -> None:
    grid = Grid("t", [Variable("question", "=1+1"), Variable("c_A", "A", number=True)], [["=cmd|' /C calc'!A0", None]])
    write_grid(tmp_path, grid)
    assert "'=cmd" in (tmp_path / "t.csv").read_text("utf-8-sig")
    book = load_workbook(tmp_path / "t.xlsx")
    assert book["t"]["A2"].value == "'=cmd|' /C calc'!A0"
    assert book["labels"]["B2"].value == "'=1+1"


@pytest.mark.parametrize("named", [["A-b", "a b", "A_B"], ["x" * 90, "x" * 91], ["é", "ü", ""]])
def test_every_variable_has_a_name_of_its_own_that_spss_takes(named: Sequence[str], tmp_path: Path) -> None:
    names = [name for name, _ in _names("c_", named)]
    assert len({name.casefold() for name in names}) == len(named)
    write_grid(tmp_path, Grid("t", [Variable(n, n) for n in names], [["x"] * len(names)]))
    assert list(pyreadstat.read_sav(str(tmp_path / "t.sav"))[0].columns) == names


def test_tables_of_a_study_without_voices_have_their_columns(tmp_path: Path) -> None:
    empty = bare_study(tmp_path / "empty", [])
    accept_risk(empty, person="A tester", reason="Nobody is in it.", now=NOW)
    export_tables(empty, tmp_path / "out", person="Ann", now=NOW)
    assert "c_SAFE" in pq.read_table(tmp_path / "out" / "voices.parquet").column_names
    assert (tmp_path / "out" / "voices.sav").exists()


def test_nothing_leaves_before_the_check_and_an_export_is_on_record(shut: Made, study: Study, tmp_path: Path) -> None:
    with pytest.raises(GateError):
        export_tables(shut.study, tmp_path / "out", person="Ann", now=NOW)
    assert not (tmp_path / "out").exists()
    ran = CliRunner().invoke(app, ["export", "tables", str(study.folder), str(tmp_path / "out")])
    assert ran.exit_code == 0, ran.output
    assert study.db.conn.execute("SELECT count(*) FROM audit WHERE action = 'export.tables'").fetchone()[0] == 1
