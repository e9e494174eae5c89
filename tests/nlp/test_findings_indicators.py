"""Published indicators: the real files, with every symbol, share of not known and warning kept."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import replace
from pathlib import Path

import pytest

from nlp.errors import IndicatorError
from nlp.findings.indicators import Figure, Status, pick, read_ees

NORTH_YORKSHIRE = ("E06000065", "E10000023")
HAMPSHIRE = ("E10000014",)
OLDER = "19 to 21 years"
SUITABLE = "Accommodation considered suitable"
IN_WORK = "Total in education, employment or training"


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "corpora_sample" / "indicators"


@pytest.fixture(scope="module")
def homes(folder: Path) -> list[Figure]:
    return read_ees(folder / "ees_care_leavers_accommodation_sample.csv")


@pytest.fixture(scope="module")
def work(folder: Path) -> list[Figure]:
    return read_ees(folder / "ees_care_leavers_eet_2025_all_las.csv")


@pytest.fixture(scope="module")
def activity(folder: Path) -> list[Figure]:
    return read_ees(folder / "ees_care_leavers_activity_sample.csv")


def one(figures: list[Figure], label: str, areas: tuple[str, ...], group: str = OLDER) -> Figure:
    return pick(figures, label=label, group=group, area_codes=areas, period="2025")


def test_north_yorkshire_publishes_185_of_194_in_suitable_homes(homes: list[Figure]) -> None:
    figure = one(homes, SUITABLE, NORTH_YORKSHIRE)
    assert (figure.count, figure.denominator, figure.percent) == (185, 194, 95.0)
    assert (figure.area, figure.area_code, figure.old_area_code) == ("North Yorkshire", "E06000065", "815")
    assert figure.warnings == ()


def test_half_of_hampshire_is_not_known_and_the_reader_is_told_first(work: list[Figure]) -> None:
    figure = one(work, IN_WORK, HAMPSHIRE)
    assert (figure.count, figure.denominator) == (207, 743)
    assert figure.not_known_share == pytest.approx(378 / 743)
    (warning,) = figure.warnings
    assert warning.startswith("51% of this group is recorded as “information not known”.")
    assert "too low to compare or rank" in warning


def test_hampshire_is_28_per_cent_as_published_and_57_of_those_known(work: list[Figure]) -> None:
    figure = one(work, IN_WORK, HAMPSHIRE)
    assert figure.percent == 28.0
    assert figure.percent_of_known is not None
    assert round(figure.percent_of_known) == 57


def test_the_sample_of_all_activities_says_the_same_of_hampshire(activity: list[Figure], work: list[Figure]) -> None:
    wide, narrow = one(activity, IN_WORK, HAMPSHIRE), one(work, IN_WORK, HAMPSHIRE)
    assert (wide.count, wide.percent, wide.warnings) == (narrow.count, narrow.percent, narrow.warnings)


def test_suitable_homes_know_their_share_of_no_information(homes: list[Figure]) -> None:
    assert one(homes, SUITABLE, HAMPSHIRE).not_known_share == pytest.approx(378 / 743)
    assert one(homes, SUITABLE, NORTH_YORKSHIRE).not_known_share is None


@pytest.mark.parametrize(
    ("label", "areas", "status"),
    [
        ("Higher education i.e. studies beyond A level", NORTH_YORKSHIRE, Status.CONFIDENTIAL),
        ("In training or employment", NORTH_YORKSHIRE, Status.NOT_APPLICABLE),
    ],
)
def test_a_symbol_is_a_status_and_never_a_nought(
    activity: list[Figure], label: str, areas: tuple[str, ...], status: Status
) -> None:
    figure = one(activity, label, areas)
    assert (figure.count, figure.percent) == (None, None)
    assert (figure.count_status, figure.percent_status) == (status, status)
    assert figure.percent_of_known is None


@pytest.mark.parametrize("name", ["accommodation_sample", "activity_sample", "eet_2025_all_las"])
def test_every_symbol_of_a_real_file_is_kept(folder: Path, name: str) -> None:
    file = folder / f"ees_care_leavers_{name}.csv"
    figures = read_ees(file)
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    assert len(figures) == len(rows)
    for figure, row in zip(figures, rows, strict=True):
        for written, value, status in (
            (row["care_leaver_count"], figure.count, figure.count_status),
            (row["care_leaver_percent"], figure.percent, figure.percent_status),
        ):
            assert (written == status.value and value is None) or (status is Status.OK and value == float(written))


def test_a_figure_knows_its_row_and_the_hash_of_its_file(folder: Path, homes: list[Figure]) -> None:
    file = folder / "ees_care_leavers_accommodation_sample.csv"
    figure = one(homes, SUITABLE, NORTH_YORKSHIRE)
    line = file.read_text("utf-8").splitlines()[figure.row - 1]
    assert "North Yorkshire" in line
    assert line.endswith("185,95")
    assert figure.source_sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_area_of_a_national_or_regional_figure_is_the_nation_or_region(homes: list[Figure]) -> None:
    assert one(homes, SUITABLE, ("E92000001",)).area == "England"
    assert one(homes, SUITABLE, ("E12000002",)).area == "North West"


def test_exactly_one_figure_is_picked(homes: list[Figure]) -> None:
    with pytest.raises(IndicatorError, match="0 rows match “Accommodation considered palatial”, 19 to 21 years, 2025"):
        one(homes, "Accommodation considered palatial", HAMPSHIRE)
    with pytest.raises(IndicatorError, match="2 rows match"):
        one(homes, SUITABLE, (*HAMPSHIRE, "E06000065"))


# Files made for a purpose

HEADER = (
    "time_period,time_identifier,geographic_level,country_code,country_name,old_la_code,la_name,new_la_code,"
    "care_leaver_age,breakdown,care_leaver_count,care_leaver_percent"
)
PLACE = "2025,Reporting year,Local authority,E92000001,England,999,Testshire,E99,19 to 21 years"


def written(folder: Path, *rows: str, header: str = HEADER) -> Path:
    file = folder / "figures.csv"
    file.write_text("\n".join((header, *rows)) + "\n", "utf-8")
    return file


def values(count: str, percent: str, label: str = "Total") -> str:
    return f'{PLACE},{label},"{count}",{percent}'


@pytest.mark.parametrize("column", HEADER.split(",")[:5])
def test_a_column_that_every_file_must_have_is_named(tmp_path: Path, column: str) -> None:
    with pytest.raises(IndicatorError, match=f"^figures.csv, row 1: column “{column}”: the column is missing$"):
        read_ees(written(tmp_path, values("1", "2"), header=HEADER.replace(column, "other", 1)))


@pytest.mark.parametrize("column", ["la_name", "new_la_code"])
def test_an_area_without_name_or_code_is_refused_by_row(tmp_path: Path, column: str) -> None:
    with pytest.raises(IndicatorError, match=f"row 2: column “{column}”: the area is blank"):
        read_ees(written(tmp_path, values("1", "2").replace("Testshire" if column == "la_name" else "E99", "")))


@pytest.mark.parametrize("bad", ["about 5", "c z", "nan", "inf", "1.2.3", "=1+1", "#DIV/0!"])
def test_a_value_that_is_neither_number_nor_symbol_is_named_by_row_and_column(tmp_path: Path, bad: str) -> None:
    with pytest.raises(
        IndicatorError, match=r"^figures\.csv, row 3: column “care_leaver_count”: neither a number"
    ) as refused:
        read_ees(written(tmp_path, values("1", "2"), values(bad, "2")))
    assert str(refused.value).endswith("neither a number nor a known symbol (c, z, x, k, low, u)")
    with pytest.raises(IndicatorError, match=r"row 2: column “care_leaver_percent”"):
        read_ees(written(tmp_path, values("1", bad)))


@pytest.mark.parametrize(
    ("words", "value", "status"),
    [
        ("0", 0, Status.OK),
        ("1,234", 1234, Status.OK),
        (" 7 ", 7, Status.OK),
        ("c", None, Status.CONFIDENTIAL),
        ("z", None, Status.NOT_APPLICABLE),
        ("x", None, Status.UNAVAILABLE),
        ("k", None, Status.ROUNDS_TO_ZERO),
        ("low", None, Status.LOW),
        ("u", None, Status.UNRELIABLE),
        ("", None, Status.MISSING),
        ("-", None, Status.MISSING),
        (":", None, Status.UNAVAILABLE),
        ("~", None, Status.MISSING),
        ("C", None, Status.CONFIDENTIAL),
        ("[z]", None, Status.NOT_APPLICABLE),
    ],
)
def test_a_count_is_read_with_its_status(tmp_path: Path, words: str, value: int | None, status: Status) -> None:
    (figure,) = read_ees(written(tmp_path, values(words, "5%")))
    assert (figure.count, figure.count_status) == (value, status)
    assert (figure.percent, figure.percent_status) == (5.0, Status.OK)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file has no rows"),
        (HEADER.encode(), "the file has no rows"),
        (HEADER.encode() + b"\n\x81", "not text that can be read; save it as CSV UTF-8"),
        ((HEADER + "\n" + PLACE).encode(), "row 2: the row is cut short"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    file = tmp_path / "figures.csv"
    file.write_bytes(content)
    with pytest.raises(IndicatorError) as refused:
        read_ees(file)
    assert str(refused.value).startswith("figures.csv")
    assert problem in str(refused.value)


def test_a_field_too_long_to_be_one_is_refused(tmp_path: Path) -> None:
    limit = csv.field_size_limit(100)
    try:
        with pytest.raises(IndicatorError, match=r"figures\.csv: not readable as CSV; a quotation mark may be missing"):
            read_ees(written(tmp_path, values("1", "2", "a" * 200)))
    finally:
        csv.field_size_limit(limit)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(IndicatorError, match=r"figures\.csv: the file is not there"):
        read_ees(tmp_path / "figures.csv")


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    file = tmp_path / "figures.csv"
    file.write_bytes(io.StringIO("\ufeff" + HEADER + "\n" + values("3", "4")).read().encode())
    assert read_ees(file)[0].count == 3


def test_totals_belong_to_their_own_area_period_and_group(tmp_path: Path) -> None:
    other = PLACE.replace("E99", "E98")
    rows = [
        values("50", "100"),
        values("10", "20", "In work"),
        f"{other},In work,5,10",
        values("5", "10", "Total information not known"),
    ]
    total, mine, theirs, unknown = read_ees(written(tmp_path, *rows))
    assert (mine.denominator, mine.not_known_share) == (50, 0.1)
    assert (theirs.denominator, theirs.not_known_share) == (None, None)
    assert total.denominator == unknown.denominator == 50


@pytest.fixture
def figure(tmp_path: Path) -> Figure:
    return read_ees(written(tmp_path, values("50", "100")))[0]


@pytest.mark.parametrize(
    ("share", "denominator", "status", "words"),
    [
        (0.19, 50, Status.OK, []),
        (0.2, 50, Status.OK, ["20% of this group"]),
        (None, 19, Status.OK, ["The group is small (19)"]),
        (None, 20, Status.OK, []),
        (None, None, Status.OK, []),
        (None, 50, Status.UNRELIABLE, ["low reliability"]),
        (0.5, 8, Status.UNRELIABLE, ["50% of this group", "small (8)", "low reliability"]),
    ],
)
def test_a_warning_says_what_must_be_known_before_the_value(
    figure: Figure, share: float | None, denominator: int | None, status: Status, words: list[str]
) -> None:
    changed = replace(figure, not_known_share=share, denominator=denominator, percent_status=status)
    assert len(changed.warnings) == len(words)
    assert all(word in warning for word, warning in zip(words, changed.warnings, strict=True))


@pytest.mark.parametrize(
    ("count", "denominator", "share", "percent"),
    [
        (10, 40, 0.5, 50.0),
        (10, 40, 0.0, 25.0),
        (0, 40, 0.5, 0.0),
        (10, 40, 1.0, None),
        (None, 40, 0.5, None),
        (10, None, 0.5, None),
        (10, 40, None, None),
    ],
)
def test_the_rate_of_those_known_is_worked_out_where_it_can_be(
    figure: Figure, count: int | None, denominator: int | None, share: float | None, percent: float | None
) -> None:
    changed = replace(figure, count=count, denominator=denominator, not_known_share=share)
    assert changed.percent_of_known == percent
