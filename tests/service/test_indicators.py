"""Indicators of a study at the terminal: loaded once, shown with their quality, joined over changed codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from nlp.errors import IndicatorError
from service.cli.main import app
from service.errors import ServiceError
from tests.conftest import ROOT, Made

FILES = ROOT / "corpora_sample" / "indicators"
REFERRALS = FILES / "ees_cin_referrals_sample.csv"


def heard(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["indicators", *map(str, arguments)])


def test_a_file_is_loaded_once(made: Made) -> None:
    first = json.loads(heard("load", made.study.folder, REFERRALS, "--json").stdout)
    again = json.loads(heard("load", made.study.folder, REFERRALS, "--json").stdout)
    assert (first["values"], first["new"], again["new"]) == (400, 400, 0)


def test_only_the_areas_asked_for_are_kept(made: Made) -> None:
    came = json.loads(
        heard("load", made.study.folder, REFERRALS, "--area", "E06000065", "--area", "England", "--json").stdout
    )
    assert came["values"] == 2 * 5 * 10


def test_north_yorkshire_is_shown_over_the_change_of_its_code(made: Made) -> None:
    heard("load", made.study.folder, REFERRALS)
    for name in ("North Yorkshire", "E06000065", "E10000023", "815"):
        shown = json.loads(heard("show", made.study.folder, "rereferral_percent", "--area", name, "--json").stdout)
        assert [s["value"]["period"]["label"] for s in shown] == ["2021", "2022", "2023", "2024", "2025"]
        assert {s["value"]["area"]["code"] for s in shown} == {"E10000023", "E06000065"}


def test_hampshires_rate_stands_on_both_bases_with_its_banner(made: Made) -> None:
    heard("load", made.study.folder, FILES / "ees_care_leavers_eet_2025_all_las.csv")
    words = heard("show", made.study.folder, "care_leaver_percent", "--area", "Hampshire").stdout
    assert "28% (207 of 743); 57% of those whose situation is known" in words
    assert "51% of this group is recorded as “information not known”" in words
    assert "Open Government Licence v3.0" in words
    everyone = heard("show", made.study.folder, "care_leaver_percent").stdout
    assert "Areas are not ranked" in everyone
    assert "held back by the publisher" in everyone


def test_what_is_there_is_listed(made: Made) -> None:
    assert "No indicators are loaded yet." in heard("list", made.study.folder).stdout
    heard("load", made.study.folder, REFERRALS)
    words = heard("list", made.study.folder).stdout
    assert "rereferral_percent: rereferral_percent (%; ees), 8 areas, 2021 to 2025" in words


def test_a_newer_file_speaks_before_an_older_one(made: Made, tmp_path: Path) -> None:
    header = "indicator,label,unit,area_code,area_name,period,value,revision\n"
    for name, value, revision in (("a.csv", "5", "provisional"), ("b.csv", "7", "final")):
        (tmp_path / name).write_text(f"{header}m,M,%,E08000004,Oldham,2025,{value},{revision}\n", "utf-8")
        heard("load", made.study.folder, tmp_path / name)
    assert "Oldham (E08000004), 2025, final: 7%" in heard("show", made.study.folder, "m").stdout


def test_a_return_of_ones_own_leaves_no_child_in_the_study(made: Made, tmp_path: Path) -> None:
    file = tmp_path / "oc3.csv"
    rows = [f"SECRET{i},01/05/2005,YES,F2,U1" for i in range(40)] + [
        f"SECRET{i},02/06/2005,NO,G6,S2" for i in range(40, 43)
    ]
    file.write_text("\n".join(["CHILD,DOB,IN_TOUCH,ACTIV,ACCOM", *rows]), "utf-8")
    refused = heard("load", made.study.folder, file)
    assert isinstance(refused.exception, ServiceError)
    assert "needs its area" in str(refused.exception)
    assert heard("load", made.study.folder, file, "--area", "E06000065", "--year", "2025").exit_code == 0
    shown = json.loads(heard("show", made.study.folder, "own_accommodation_percent", "--json").stdout)
    held = [s["value"] for s in shown if s["value"]["status"] == "c"]
    assert held
    assert all(v["value"] is None and v["numerator"] is None for v in held)
    assert {v["area"]["name"] for v in held} == {"North Yorkshire"}
    made.study.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"SECRET" not in made.study.folder.joinpath("study.db").read_bytes()


def test_a_file_that_cannot_be_read_leaves_nothing(made: Made, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(REFERRALS.read_text("utf-8").replace("22.6", "about a fifth", 1), "utf-8")
    refused = heard("load", made.study.folder, file)
    assert isinstance(refused.exception, IndicatorError)
    assert "column “rereferral_percent”" in str(refused.exception)
    assert "a fifth" not in str(refused.exception)
    assert heard("list", made.study.folder).stdout.strip() == "No indicators are loaded yet."


@pytest.mark.parametrize("arguments", [("nothing",), ("rereferral_percent", "--area", "Atlantis")])
def test_what_is_not_loaded_is_said_to_be_so(made: Made, arguments: tuple[str, ...]) -> None:
    heard("load", made.study.folder, REFERRALS)
    refused = heard("show", made.study.folder, *arguments)
    assert isinstance(refused.exception, ServiceError)
    assert "heard indicators list" in str(refused.exception)
