"""Indicator files of every kind: the real ones, and each trap of the publishers' layouts."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import IndicatorError
from nlp.findings.disclosure import LA5
from nlp.findings.indicators import Area, Loaded, NoteKind, Polarity, Status, Value, read_indicators
from nlp.findings.indicators.cells import cell
from nlp.findings.indicators.geography import DISTRICTS, code_on, place, roll_up
from nlp.findings.indicators.oc3 import OLDER, read_oc3
from nlp.findings.indicators.periods import ees_period, lait_period, plain_period
from nlp.findings.indicators.quality import refuse_ranking

EET = "Total in education, employment or training"


@pytest.fixture(scope="module")
def real(root: Path) -> dict[str, Loaded]:
    folder = root / "corpora_sample" / "indicators"
    return {file.stem: read_indicators(file) for file in folder.glob("*.csv")}


def of(loaded: Loaded, area: str, *chosen: str, indicator: str = "", period: str = "2025") -> Value:
    (found,) = [
        v
        for v in loaded.values
        if area in (v.area.name, v.area.code)
        and v.period.label == period
        and {*chosen} <= {c for _, c in v.filters}
        and indicator in ("", v.indicator)
    ]
    return found


# The real files


def test_a_long_file_gives_a_percentage_with_its_count_base_and_share_not_known(real: dict[str, Loaded]) -> None:
    value = of(real["ees_care_leavers_eet_2025_all_las"], "Hampshire", EET, indicator="care_leaver_percent")
    assert (value.value, value.unit, value.numerator, value.denominator) == (28.0, "%", 207, 743)
    assert value.not_known_share == pytest.approx(378 / 743)
    assert value.percent_of_known == pytest.approx(100 * 207 / 365)
    assert [n.kind for n in value.notes] == [NoteKind.NOT_KNOWN]
    assert "51%" in value.notes[0].words
    assert value.polarity is Polarity.HIGHER
    assert (value.period.start, value.period.end) == ("2024-04-01", "2025-03-31")


def test_a_wide_file_gives_every_column_with_its_status(real: dict[str, Loaded]) -> None:
    loaded = real["ees_cin_assessment_factors_sample"]
    assert len({v.indicator for v in loaded.values}) == 40
    assert {v.status for v in loaded.values} == {Status.OK, Status.CONFIDENTIAL, Status.UNAVAILABLE, Status.UNRELIABLE}
    assert all((v.value is None) == (v.status is not Status.OK) and v.unit == "count" for v in loaded.values)
    assert all(v.symbol == v.status.value for v in loaded.values if v.status is not Status.OK)


def test_the_base_of_a_wide_percentage_is_the_one_column_that_gives_it_in_every_row(real: dict[str, Loaded]) -> None:
    value = of(real["ees_cin_referrals_sample"], "England", indicator="rereferral_percent")
    assert (value.value, value.numerator, value.denominator) == (22.6, 142900, 632830)
    child = of(real["ees_cin_referrals_sample"], "England", indicator="rereferral_child_percent")
    assert (child.numerator, child.denominator) == (116950, 557810)


def test_national_counts_are_seen_to_be_rounded_to_ten_and_those_of_authorities_not(real: dict[str, Loaded]) -> None:
    for name in ("ees_cin_referrals_sample", "ees_care_leavers_accommodation_sample"):
        bases = {(v.area.level, v.rounding_base) for v in real[name].values}
        assert bases == {("National", 10), ("Regional", 10), ("Local authority", 1)}


def test_north_yorkshire_is_one_place_under_both_of_its_codes(real: dict[str, Loaded]) -> None:
    found = [v for v in real["ees_cin_referrals_sample"].values if v.area.name == "North Yorkshire"]
    assert {v.area.code for v in found} == {"E10000023", "E06000065"}
    assert {place(v.area) for v in found} == {"815"}
    assert sorted({v.period.label for v in found}) == ["2021", "2022", "2023", "2024", "2025"]
    by_code = {v.period.label: v.area.code for v in found}
    assert all(by_code[year] == code_on("815", f"{year}-03-31") for year in by_code)


def test_a_code_without_its_old_one_is_the_same_place() -> None:
    assert (
        place(Area("E10000023", "", "North Yorkshire", ""))
        == place(Area("E06000065", "", "North Yorkshire", ""))
        == "815"
    )
    assert place(Area("E08000001", "", "Bolton", "")) == "E08000001"


def test_a_category_that_is_not_counted_any_more_is_said_to_be_so(real: dict[str, Loaded]) -> None:
    values = real["ees_care_leavers_activity_sample"].values
    retired = [v for v in values if any(n.kind is NoteKind.RETIRED for n in v.notes)]
    assert retired
    assert {v.status for v in retired} == {Status.NOT_APPLICABLE}
    old = of(
        real["ees_care_leavers_activity_sample"],
        "England",
        "In training or employment",
        OLDER,
        indicator="care_leaver_count",
    )
    assert old in retired
    broken = {dict(v.filters)["breakdown"] for v in values if any(n.kind is NoteKind.BREAK for n in v.notes)}
    assert "In training or employment (excl. apprenticeship)" in broken
    assert EET not in broken


def test_two_files_that_count_one_group_differently_keep_their_own_bases(real: dict[str, Loaded]) -> None:
    home = of(
        real["ees_care_leavers_accommodation_sample"],
        "Oldham",
        "Accommodation considered suitable",
        OLDER,
        indicator="care_leaver_percent",
    )
    work = of(real["ees_care_leavers_activity_sample"], "Oldham", EET, OLDER, indicator="care_leaver_percent")
    assert (home.denominator, work.denominator) == (206, 207)


def test_ranking_is_refused_where_too_many_are_not_known_and_says_what_would_help(real: dict[str, Loaded]) -> None:
    values = [
        v for v in real["ees_care_leavers_eet_2025_all_las"].values if v.unit == "%" and EET in dict(v.filters).values()
    ]
    refusal = refuse_ranking(values)
    assert "51%" in refusal
    assert "It becomes possible when" in refusal
    fine = [v for v in values if v.value is not None and (v.not_known_share or 0) < 0.2]
    assert refuse_ranking(fine) == ""


def test_spreadsheet_dust_regions_and_breaks_of_the_interactive_tool(real: dict[str, Loaded]) -> None:
    loaded = real["lait_bds_long_early_years_sample"]
    value = of(loaded, "Oldham", indicator="FSP_NEW_COMMS")
    assert (value.value, value.unit, value.area.code, value.area.old_code) == (72.9, "%", "E08000004", "353")
    assert value.label == "FSP (NEW) - Comms & Lang"
    assert [n.kind for n in value.notes] == [NoteKind.BREAK]
    assert "2019" in value.notes[0].words
    assert {place(v.area) for v in loaded.values if v.area.name == "Yorkshire and the Humber"} == {"E12000003"}
    assert sum(v.status is Status.MISSING for v in loaded.values) == 78
    assert any(n.kind is NoteKind.MEANING for n in of(loaded, "Rochdale", indicator="HCP_PHOF", period="2024").notes)


def test_every_value_knows_its_file_row_and_licence(real: dict[str, Loaded], root: Path) -> None:
    for name, loaded in real.items():
        lines = (root / "corpora_sample" / "indicators" / f"{name}.csv").read_text("utf-8").splitlines()
        assert loaded.source.licence == "Open Government Licence v3.0"
        assert len(loaded.source.sha256) == 64
        assert all(v.area.name in lines[v.row - 1] for v in loaded.values)


# Layouts of Explore Education Statistics

HEADER = "time_period,time_identifier,geographic_level,country_code,country_name,old_la_code,new_la_code,la_name"
PLACE = "202425,Academic year,Local authority,E92000001,England,815,E06000065,North Yorkshire"


def written(folder: Path, header: str, *rows: str, name: str = "a.csv", encoding: str = "utf-8") -> Path:
    file = folder / name
    file.write_text("\n".join((header, *rows)) + "\n", encoding, newline="")
    return file


def test_a_metadata_twin_says_what_is_a_filter_and_in_what_unit(tmp_path: Path) -> None:
    written(
        tmp_path,
        "col_name,col_type,label,indicator_grouping,indicator_unit,indicator_dp,filter_hint,filter_grouping_column",
        "year_group,Filter,Year group,,,,,",
        "Score_avg,Indicator,Average score,,pp,1,,",
        name="a.meta.csv",
    )
    loaded = read_indicators(written(tmp_path, f"{HEADER},year_group,Score_avg", f"{PLACE},7,3.5", f"{PLACE},8,4.5"))
    assert [(v.label, v.unit, v.filters, v.value) for v in loaded.values] == [
        ("Average score", "pp", (("year_group", "7"),), 3.5),
        ("Average score", "pp", (("year_group", "8"),), 4.5),
    ]
    assert loaded.values[0].period.label == "2024/25"
    assert (loaded.values[0].period.start, loaded.values[0].period.end) == ("2024-09-01", "2025-08-31")


@pytest.mark.parametrize(
    ("line", "problem"),
    [("nothing,Filter,x", "the data file has no such column"), ("n_count,Other,x", "neither Filter nor Indicator")],
)
def test_a_twin_that_does_not_fit_is_refused(tmp_path: Path, line: str, problem: str) -> None:
    written(tmp_path, "col_name,col_type,label", line, name="a.meta.csv")
    with pytest.raises(IndicatorError, match=f"^a.meta.csv, row 2: .*{problem}"):
        read_indicators(written(tmp_path, f"{HEADER},n_count", f"{PLACE},7"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_every_usual_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    rows = f"{PLACE},“Ynys Môn”,12"
    (value,) = read_indicators(written(tmp_path, f"{HEADER},group,n_count", rows, encoding=encoding)).values
    assert (value.filters, value.value) == ((("group", "“Ynys Môn”"),), 12.0)


def test_titles_above_a_second_header_and_a_line_break_in_a_cell_are_no_matter(tmp_path: Path) -> None:
    second = "Year,Kind,Level,Code,Country,Old,New,Name,Group,Children"
    file = written(
        tmp_path,
        "Published on Thursday",
        f"{HEADER},group,n_count",
        second,
        f'{PLACE},"All\r\nof them",12',
        ",,,,,,,,,",
    )
    loaded = read_indicators(file)
    assert [v.value for v in loaded.values] == [12.0]
    assert len(loaded.remarks) == 2


def test_the_demo_files_own_spelling_of_the_level_is_read(tmp_path: Path) -> None:
    header = HEADER.replace("geographic_level", "geographical_level")
    assert read_indicators(written(tmp_path, f"{header},n_count", f"{PLACE},12")).values[0].value == 12


@pytest.mark.parametrize(
    ("header", "row", "problem"),
    [
        (f"{HEADER},n_count", f"{PLACE.replace('202425', '202426')},1", "row 2: .*two years that follow"),
        (f"{HEADER},n_count", f"{PLACE.replace('202425', '2024')},1", "row 2: .*six digits"),
        (f"{HEADER},n_count", f"{PLACE.replace('Academic', 'Martian')},1", "row 2: .*time_identifier"),
        (f"{HEADER},n_count", f"{PLACE.replace('Local authority', 'Galaxy')},1", "row 2: .*a level that is not read"),
        (f"{HEADER},n_count,n_count", f"{PLACE},1,2", "row 1: column “n_count”: the column stands twice"),
        (f"{HEADER},n_count", f"{PLACE},1,2", "row 2: the row has more cells than the header"),
        (f"{HEADER},group", f"{PLACE},words", "row 1: no column holds numbers"),
    ],
)
def test_a_layout_that_cannot_be_trusted_is_refused_by_place(
    tmp_path: Path, header: str, row: str, problem: str
) -> None:
    with pytest.raises(IndicatorError, match=f"^a.csv, {problem}"):
        read_indicators(written(tmp_path, header, row))


def test_two_kinds_of_period_in_one_file_are_refused(tmp_path: Path) -> None:
    other = PLACE.replace("202425,Academic", "2025,Calendar")
    with pytest.raises(IndicatorError, match="row 3: column “time_identifier”: the file mixes two kinds of period"):
        read_indicators(written(tmp_path, f"{HEADER},n_count", f"{PLACE},1", f"{other},2"))


def test_a_part_greater_than_its_total_is_said_and_still_read(tmp_path: Path) -> None:
    rows = (f"{PLACE},Total,10", f"{PLACE},In work,12", f"{PLACE},Not known,1")
    loaded = read_indicators(written(tmp_path, f"{HEADER},group,n_count", *rows))
    assert [v.value for v in loaded.values] == [10, 12, 1]
    assert all([n.kind for n in v.notes] == [NoteKind.PARTS] for v in loaded.values)


def test_a_header_of_no_kind_names_a_column_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(IndicatorError, match="row 1: column “.*”: the column is missing"):
        read_indicators(written(tmp_path, "colour,size", "red,1"))


def test_a_long_gap_in_a_series_is_said(tmp_path: Path) -> None:
    years = [("2018", "5"), ("2019", "x"), ("2020", "x"), ("2021", "6")]
    rows = [f"{PLACE.replace('202425,Academic', f'{y},Calendar')},{n}" for y, n in years]
    *_, last = read_indicators(written(tmp_path, f"{HEADER},n_count", *rows)).values
    assert last.notes[0].words == "Nothing was published for 2019 and 2020: the series has a gap before this."


# Periods


@pytest.mark.parametrize(
    ("words", "label", "order", "revision"),
    [
        ("2016-17", "2016-17", 2017, ""),
        ("2023/24", "2023/24", 2024, ""),
        ("2025 (Rev)", "2025", 2025, "revised"),
        ("2016-17 (OT)", "2016-17 (OT)", 2017, ""),
        ("2013/14-15/16", "2013/14-15/16", 2016, ""),
        ("1999-00", "1999-00", 2000, ""),
        ("0", "year not given", 0, ""),
    ],
)
def test_years_of_the_interactive_tool_are_told_apart(words: str, label: str, order: int, revision: str) -> None:
    period, found = lait_period(words)
    assert (period.label, period.order, found) == (label, order, revision)


@pytest.mark.parametrize(
    ("period", "identifier", "start", "end"),
    [
        ("2025", "Calendar year", "2025-01-01", "2025-12-31"),
        ("202425", "Financial year", "2024-04-01", "2025-03-31"),
        ("202425", "Tax year", "2024-04-06", "2025-04-05"),
        ("202425", "Autumn term", "2024-09-01", "2024-12-31"),
        ("202425", "Spring term", "2025-01-01", "2025-04-15"),
        ("202425", "Autumn and spring term", "2024-09-01", "2025-04-15"),
        ("202425", "Financial year Q1", "", ""),
        ("2025", "Week 12", "", ""),
    ],
)
def test_periods_have_dates_where_the_identifier_says_them(period: str, identifier: str, start: str, end: str) -> None:
    found = ees_period(period, identifier)
    assert (found.start, found.end) == (start, end)


@given(st.integers(1990, 2090))
def test_periods_sort_by_the_year_in_which_they_end(year: int) -> None:
    later = f"{year}{(year + 1) % 100:02d}"
    orders = [ees_period(str(year), "Reporting year").order, ees_period(later, "Academic year").order]
    assert all(a < b for a, b in pairwise(orders))
    assert (
        lait_period(f"{year}-{(year + 1) % 100:02d}")[0].order == plain_period(f"{year}/{year + 1}").order == year + 1
    )


@given(st.floats(-1e9, 1e9).map(lambda x: float(f"{x:.6g}")))
def test_a_number_survives_however_a_spreadsheet_writes_it(number: float) -> None:
    for words in (repr(number), f"{number:.17g}", f" {number!r}%", f"{number:,.6f}"):
        assert cell("a.csv", 2, "n", words).value == pytest.approx(number, abs=1e-6, rel=1e-9)


# Fingertips

TIPS = (
    "Indicator ID,Indicator Name,Parent Code,Parent Name,Area Code,Area Name,Area Type,Sex,Age,Category Type,Category,Time period,"
    "Value,Lower CI 95.0 limit,Upper CI 95.0 limit,Lower CI 99.8 limit,Upper CI 99.8 limit,Count,Denominator,Value note,"
    "Recent Trend,Compared to England value or percentiles,Compared to Region,Time period Sortable,New data,Compared to goal"
)


def tips(code: str, value: str, count: str, base: str, note: str = "", category: str = "") -> str:
    return (
        f"93436,ASQ-3,E12000008,South East,{code},Testham,District,Persons,2 yrs,{category},{category},2023/24,"
        f"{value},80.1,85.2,,,{count},{base},{note},,,,20230000,,"
    )


def test_fingertips_keep_interval_count_and_note_and_drop_rows_by_category(tmp_path: Path) -> None:
    rows = [
        tips("E07000084", "82.5", "825", "1000", "Interpret with extreme caution"),
        tips("E07000085", "", "", "", "Value suppressed for disclosure control"),
        tips("E07000086", "", "", "", "Not published for data quality reasons"),
        tips("E07000087", "", "", ""),
        tips("E07000084", "70", "70", "100", category="Deprivation"),
    ]
    loaded = read_indicators(written(tmp_path, TIPS, *rows))
    first = loaded.values[0]
    assert (first.value, first.unit, first.low, first.high, first.numerator, first.denominator) == (
        82.5,
        "%",
        80.1,
        85.2,
        825,
        1000,
    )
    assert [n.kind for n in first.notes] == [NoteKind.PUBLISHER]
    assert [v.status for v in loaded.values] == [Status.OK, Status.CONFIDENTIAL, Status.UNRELIABLE, Status.MISSING]
    assert loaded.remarks == ("1 rows that split an area by a category were passed over.",)


COUNTY = Area("E10000014", "850", "Hampshire", "County")


def districts(tmp_path: Path) -> list[Value]:
    counts = [(100 * (i + 1), 50 + i) for i in range(11)]
    rows = [
        tips(code, f"{100 * n / base:.10f}", str(n), str(base))
        for code, (base, n) in zip(DISTRICTS["850"], counts, strict=True)
    ]
    return list(read_indicators(written(tmp_path, TIPS, *rows)).values)


def test_districts_add_up_as_counts_and_never_as_averaged_rates(tmp_path: Path) -> None:
    parts = districts(tmp_path)
    whole = roll_up(parts, COUNTY, DISTRICTS["850"])
    assert (whole.numerator, whole.denominator) == (sum(50 + i for i in range(11)), 6600)
    assert whole.value == pytest.approx(100 * 605 / 6600)
    assert whole.value != pytest.approx(sum(p.value or 0 for p in parts) / 11)
    assert (whole.low, whole.high, whole.area) == (None, None, COUNTY)


def test_districts_are_not_added_up_when_one_is_missing_held_back_or_twice(tmp_path: Path) -> None:
    parts = districts(tmp_path)
    with pytest.raises(IndicatorError, match="1 of 11 districts are not in the file"):
        roll_up(parts[1:], COUNTY, DISTRICTS["850"])
    with pytest.raises(IndicatorError, match="1 of 11 districts have no published count and base; ask for the counts"):
        roll_up([replace(parts[0], numerator=None), *parts[1:]], COUNTY, DISTRICTS["850"])
    with pytest.raises(IndicatorError, match="stands twice"):
        roll_up([*parts, parts[0]], COUNTY, DISTRICTS["850"])
    with pytest.raises(IndicatorError, match="one indicator, group and period"):
        roll_up([replace(parts[0], filters=()), *parts[1:]], COUNTY, DISTRICTS["850"])


# Care leavers' own return (OC3)

OWN = Area("E06000065", "815", "North Yorkshire", "Local authority")
OC3 = "CHILD,DOB,IN_TOUCH,ACTIV,ACCOM"


def oc3(tmp_path: Path, *rows: str) -> Loaded:
    return read_oc3(written(tmp_path, OC3, *rows), area=OWN, year=2025, profile=LA5)


def people(n: int, code: str, home: str, start: int = 0, born: str = "01/05/2005") -> list[str]:
    return [f"SECRET{start + i},{born},YES,{code},{home}" for i in range(n)]


def test_a_return_is_counted_in_the_categories_that_are_published(tmp_path: Path) -> None:
    loaded = oc3(tmp_path, *people(30, "F2", "U1"), *people(12, "G5", "X2", 30), *people(8, "0", "R1", 42))
    suitable = of(loaded, "North Yorkshire", "Accommodation considered suitable", OLDER)
    assert (suitable.numerator, suitable.denominator, suitable.value) == (30, 50, 60.0)
    assert suitable.not_known_share == pytest.approx(8 / 50)
    assert of(loaded, "North Yorkshire", EET, OLDER).numerator == 30
    assert "SECRET" not in repr(loaded)


def test_small_counts_of_a_return_never_come_in_nor_can_they_be_worked_out(tmp_path: Path) -> None:
    loaded = oc3(tmp_path, *people(30, "F2", "U1"), *people(2, "G6", "U1", 30), *people(20, "G5", "U2", 40))
    held = of(
        loaded, "North Yorkshire", "Not in education, training or employment, owing to pregnancy or parenting", OLDER
    )
    assert (held.value, held.numerator, held.status) == (None, None, Status.CONFIDENTIAL)
    neet = [
        v
        for v in loaded.values
        if dict(v.filters)["care_leaver_age"] == OLDER and "ot in education" in dict(v.filters)["breakdown"]
    ]
    assert sum(v.status is Status.CONFIDENTIAL for v in neet) >= 2


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("A,01/05/2005,YES,F2,U1", "row 3: column “CHILD”: the same person as in row 2"),
        (",01/05/2005,YES,F2,U1", "row 3: column “CHILD”: the cell is blank"),
        ("B,2005,YES,F2,U1", "row 3: column “DOB”: no date as dd/mm/yyyy"),
        ("B,31/02/2005,YES,F2,U1", "row 3: column “DOB”: no date as dd/mm/yyyy"),
    ],
)
def test_a_row_of_a_return_that_cannot_be_counted_is_named_by_place_alone(
    tmp_path: Path, row: str, problem: str
) -> None:
    with pytest.raises(IndicatorError, match=problem):
        oc3(tmp_path, "A,01/05/2005,YES,F2,U1", row)


def test_retired_and_invalid_codes_are_counted_apart(tmp_path: Path) -> None:
    loaded = oc3(tmp_path, *people(9, "P3", "01"), *people(20, "F2", "S1", 10))
    assert of(loaded, "North Yorkshire", "Code not in use", OLDER, indicator="own_activity_percent").numerator == 9
    assert (
        of(loaded, "North Yorkshire", "Code not in use", OLDER, indicator="own_accommodation_percent").numerator == 29
    )
    assert len(loaded.remarks) == 2


def test_age_is_that_on_the_last_day_of_the_year(tmp_path: Path) -> None:
    loaded = oc3(tmp_path, *people(10, "F2", "U1", born="31/03/2006"), *people(20, "F2", "U1", 20, born="01/04/2006"))
    assert of(loaded, "North Yorkshire", "Suitability total", OLDER).numerator == 10


# The plain form

PLAIN = "indicator,label,unit,polarity,area_code,area_name,period,value,numerator,denominator,not_known,group:Age,note"


def test_the_plain_form_holds_everything(tmp_path: Path) -> None:
    row = "hub,Felt welcome,%,higher,E08000005,Rochdale,2024/25,80,80,100,30,Under 2,From our own survey"
    loaded = read_indicators(written(tmp_path, PLAIN, row, "hub,,%,,E08000005,Rochdale,2025,-,,,,Under 2,"))
    first, second = loaded.values
    assert (first.value, first.numerator, first.denominator, first.not_known_share) == (80, 80, 100, 0.3)
    assert (first.filters, first.polarity, place(first.area)) == ((("Age", "Under 2"),), Polarity.HIGHER, "354")
    assert [n.kind for n in first.notes] == [NoteKind.PUBLISHER, NoteKind.NOT_KNOWN]
    assert (second.value, second.status) == (None, Status.MISSING)


@pytest.mark.parametrize(
    ("header", "row", "problem"),
    [
        (PLAIN + ",colour", "a,a,%,,E1,A,2025,1,,,,x,,red", "row 1: column “colour”: no column of the plain form"),
        (PLAIN, "a,a,%,up,E1,A,2025,1,,,,x,", "row 2: column “polarity”: higher, lower, neither or blank"),
        (PLAIN, "a,a,%,,,A,2025,1,,,,x,", "row 2: column “area_code”: the area is blank"),
        (PLAIN, ",a,%,,E1,A,2025,1,,,,x,", "row 2: column “indicator”: the cell is blank"),
        (PLAIN, "a,a,%,,E1,A,2025,1,1,10,11,x,", "row 2: column “not_known”: more people than the denominator"),
    ],
)
def test_a_plain_form_that_is_not_filled_in_right_is_refused_by_place(
    tmp_path: Path, header: str, row: str, problem: str
) -> None:
    with pytest.raises(IndicatorError, match=problem):
        read_indicators(written(tmp_path, header, row))


# The interactive tool's oddities

LAIT = "Short Desc,Data item,Years,LA and Regions,Values,LA Number,Region"


def test_oddities_of_the_interactive_tool_are_read_as_what_they_are(tmp_path: Path) -> None:
    dictionary = written(tmp_path, "Measure_short,Polarity,Year_Type", "M,Low,Academic", name="dictionary.csv")
    rows = [
        "M,A measure (%),2025 (Rev),North Yorkshire,7.0000000000000007E-2,815.0,Yorkshire and The Humber",
        "M,,2018,Northamptonshire (Pre LG),-,928,East Midlands",
        "M,,0,Kingston upon Thames,5,314,London",
    ]
    loaded = read_indicators(written(tmp_path, LAIT, *rows), meta=dictionary)
    first, before, third = loaded.values
    assert (first.value, first.revision, first.polarity, first.area.code) == (
        0.07,
        "revised",
        Polarity.LOWER,
        "E06000065",
    )
    assert (before.status, before.symbol, place(before.area)) == (Status.MISSING, "-", "928 before reorganisation")
    assert (third.period.label, place(third.area)) == ("year not given", "314")
