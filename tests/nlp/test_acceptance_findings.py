"""The acceptance cases of the findings that need no study: 2 to 7 (6 and 7 as the simulations of the estimators have them).

The other four are in `tests/service/test_acceptance_cases.py`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nlp.findings.disclosure import DFE, Axis, Counted, Table, plan
from nlp.findings.indicators import Status, read_indicators
from nlp.findings.indicators.geography import place
from nlp.findings.indicators.quality import refuse_ranking
from nlp.findings.indicators.values import Value
from nlp.findings.prevalence.trial import Cell, Kind, mark_cell
from nlp.findings.prevalence.trial import methods as by
from nlp.findings.prevalence.trial.draws import uniform
from nlp.findings.prevalence.trial.worlds import texts

EET = "Total in education, employment or training"
RUNS = 500
HEADER = "time_period,time_identifier,geographic_level,country_code,country_name,old_la_code,new_la_code,la_name"
PLACE = "202425,Academic year,Local authority,E92000001,England,815,E06000065,North Yorkshire"


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "corpora_sample" / "indicators"


def test_case_2_hampshire_stands_under_its_banner_on_both_bases_and_is_not_ranked(folder: Path) -> None:
    values = [
        v
        for v in read_indicators(folder / "ees_care_leavers_eet_2025_all_las.csv").values
        if v.unit == "%" and EET in dict(v.filters).values()
    ]
    (hampshire,) = [v for v in values if v.area.name == "Hampshire"]
    assert "51%" in hampshire.notes[0].words
    assert "information not known" in hampshire.notes[0].words
    assert hampshire.value == 28
    assert round(hampshire.percent_of_known or 0) == 57
    assert refuse_ranking(values).startswith("Areas are not ranked: in one of them 51% of the group")


def test_case_3_north_yorkshire_joins_across_both_of_its_codes(folder: Path) -> None:
    found = read_indicators(folder / "ees_cin_referrals_sample.csv").values
    there = [v for v in found if v.area.code in ("E10000023", "E06000065")]
    assert {v.area.code for v in there} == {"E10000023", "E06000065"}
    assert {place(v.area) for v in there} == {"815"}
    assert sorted({v.period.label for v in there}) == sorted({v.period.label for v in found})


def test_case_4_neither_of_rochdales_two_held_back_cells_can_be_got_back() -> None:
    parts = {"education": 33, "work": 39, "higher education": 21, "apprenticeship": 4}
    counts = {**parts, "not in any": 100, "not known": 13}
    activity = Axis("activity", tuple(counts), {"in any": tuple(parts)}, total="Total")
    people = [Counted({"activity": a}, people=n) for a, n in counts.items()]
    done = plan(people, [Table("t", (activity,))], profile=DFE, release="r")
    shown = {c.labels[0]: c.people for c in done.cells}

    out = [name for name, n in shown.items() if n is None]
    assert len(out) == 2
    assert "apprenticeship" in out
    assert (shown["Total"], shown["in any"]) == (210, 97)
    told = [sum(counts[v] for v in values) for f in done.entry.facts for _, values in f.where if values & {*out}]
    assert all(set(out) <= values for f in done.entry.facts for _, values in f.where if values & {*out})
    assert sum(counts[name] for name in out) >= DFE.protection  # all that is told is their sum, so each has that range
    assert told == [97]


@pytest.mark.parametrize(
    ("symbol", "status"),
    [
        ("c", Status.CONFIDENTIAL), ("z", Status.NOT_APPLICABLE), ("x", Status.UNAVAILABLE), ("k", Status.ROUNDS_TO_ZERO),
        ("low", Status.LOW), ("u", Status.UNRELIABLE), ("-", Status.MISSING), (":", Status.UNAVAILABLE), ("", Status.MISSING),
    ],
)  # fmt: skip
def test_case_5_every_symbol_is_a_status_and_a_blank_is_missing_and_none_is_nought(
    tmp_path: Path, symbol: str, status: Status
) -> None:
    value = first(tmp_path, f"{PLACE},all,{symbol}", "utf-8")
    assert (value.value, value.status) == (None, status)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_case_5_every_encoding_and_a_line_break_in_a_cell_come_through(tmp_path: Path, encoding: str) -> None:
    value = first(tmp_path, f'{PLACE},"“Ynys Môn”,\r\nall of it",12', encoding)
    (held,) = dict(value.filters).values()
    assert " ".join(held.split()) == "“Ynys Môn”, all of it"
    assert value.value == 12


def first(folder: Path, row: str, encoding: str) -> Value:
    file = folder / "a.csv"
    file.write_bytes(f"{HEADER},group,n_count\r\n{row}\r\n{PLACE},others,7\r\n".encode(encoding))
    return read_indicators(file).values[0]


def test_case_6_the_corrected_interval_covers_and_what_was_only_confirmed_does_not() -> None:
    marks = mark_cell(Cell(0.08, 0.7, 0.95, loaded=500, reads=60, kind=Kind.HARDER), runs=RUNS, seed=6)
    for name in ("default, one read for every code", "default, strata of one code"):
        assert marks[f"texts {name}"].cover >= 0.93
        assert abs(marks[f"texts {name}"].bias) < 0.006
    assert marks["texts confirmed only"].cover < 0.2
    assert marks["texts confirmed only"].bias == pytest.approx(-0.024, abs=0.004)
    assert marks["texts raw suggestions"].bias == pytest.approx(0.022, abs=0.004)


def test_case_7_texts_of_one_person_widen_the_share_for_people_like_these_and_not_that_of_the_texts_loaded() -> None:
    """The interval of what is loaded covers its own truth at any clustering; only the wider truth needs persons together."""
    cell = Cell(0.2, 0.7, 0.95, loaded=500, reads=200, icc=0.3, machine_icc=0.3, kind=Kind.HARDER)
    marks = mark_cell(cell, runs=RUNS, seed=7)
    assert marks["texts default, one read for every code"].cover >= 0.93
    assert marks["texts like these"].cover >= 0.93

    dice = np.random.default_rng(7)
    worlds = texts(cell, RUNS, dice)
    read = uniform(RUNS, cell.loaded, cell.reads, dice)
    alone = by.by_strata(worlds, read, worlds.suggested.astype(np.int64), 2)
    covered = float(((alone.low <= cell.share) & (cell.share <= alone.high)).mean())
    assert covered < 0.9  # taken for people like these, the texts' own interval misses far too often

    apart = mark_cell(replace(cell, icc=0.0, machine_icc=0.0), runs=RUNS, seed=7)
    assert marks["texts like these"].width > 1.1 * apart["texts like these"].width
