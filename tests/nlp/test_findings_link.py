"""A theme beside an indicator: a fit is proposed from what was declared before looking, or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nlp.codebook import read_codebook
from nlp.errors import IndicatorError
from nlp.findings.indicators import Figure, Status, pick, read_ees
from nlp.findings.link import SILENT, TOO_WIDE, Expectation, Fit, JointRow, Link, joint_row, read_links
from nlp.findings.prevalence import Estimate
from nlp.intervals import wilson

ENTRY = {
    "id": "L1",
    "title": "A title",
    "code": "A1",
    "stance": "worry",
    "file": "figures.csv",
    "label": "Suitable",
    "group": "19 to 21 years",
    "period": "2025",
    "area_codes": ["E1", "E2"],
    "expectation": "opposite",
    "population_note": "not the same people",
    "period_note": "not the same year",
    "why": "because",
    "author": "a test",
    "date": "2026-01-15",
}
FIGURE = Figure(
    label="Suitable",
    group="19 to 21 years",
    area_code="E1",
    old_area_code="1",
    area="Testshire",
    level="Local authority",
    period="2025",
    count=185,
    count_status=Status.OK,
    percent=95.0,
    percent_status=Status.OK,
    denominator=194,
    not_known_share=0.0,
    source_sha256="",
    row=2,
)


def link(expectation: Expectation) -> Link:
    words = {k: v for k, v in ENTRY.items() if k not in ("area_codes", "expectation")}
    return Link(area_codes=("E1",), expectation=expectation, **words)  # type: ignore[arg-type]


def heard(low: float, high: float) -> Estimate:
    return Estimate((low + high) / 2, low, high, 60, 200, 20)


def row(expectation: Expectation, low: float, high: float, figure: Figure = FIGURE) -> JointRow:
    return joint_row(link(expectation), figure, heard(low, high))


SAME, OPPOSITE, CONTEXT = Expectation.SAME, Expectation.OPPOSITE, Expectation.CONTEXT
MORE, FEWER, ANOTHER_SIDE, BEYOND = (
    Expectation.MORE,
    Expectation.FEWER,
    Expectation.ANOTHER_SIDE,
    Expectation.BEYOND,
)
SITES = ("hampshire-early-help", "north-yorkshire-care-leavers", "oldham-early-language", "rochdale-family-hub")
BY_INTERVALS = (SAME, OPPOSITE, MORE, FEWER, CONTEXT)


# The indicator's interval is 91.4% to 97.5%; its complement 2.5% to 8.6%.
@pytest.mark.parametrize(
    ("expectation", "low", "high", "fit"),
    [
        (OPPOSITE, 0.30, 0.48, Fit.DIVERGENCE),
        (OPPOSITE, 0.05, 0.20, Fit.CONVERGENCE),
        (OPPOSITE, 0.0, 0.01, Fit.DIVERGENCE),
        (OPPOSITE, 0.0, 0.19, Fit.CONVERGENCE),
        (OPPOSITE, 0.0, 0.5, Fit.NOT_JUDGED),
        (OPPOSITE, 0.3, 0.9, Fit.DIVERGENCE),
        (OPPOSITE, 0.92, 0.97, Fit.DIVERGENCE),
        (SAME, 0.30, 0.48, Fit.DIVERGENCE),
        (SAME, 0.90, 0.95, Fit.CONVERGENCE),
        (SAME, 0.98, 1.0, Fit.DIVERGENCE),
        (CONTEXT, 0.30, 0.48, Fit.NOT_JUDGED),
        (CONTEXT, 0.92, 0.97, Fit.NOT_JUDGED),
        (SAME, 0.0, 0.04, Fit.SILENCE),
        (MORE, 0.98, 1.0, Fit.CONVERGENCE),
        (MORE, 0.30, 0.48, Fit.DIVERGENCE),
        (MORE, 0.90, 0.99, Fit.NOT_JUDGED),
        (FEWER, 0.30, 0.48, Fit.CONVERGENCE),
        (FEWER, 0.98, 1.0, Fit.DIVERGENCE),
        (ANOTHER_SIDE, 0.30, 0.48, Fit.COMPLEMENTARITY),
        (ANOTHER_SIDE, 0.0, 0.04, Fit.SILENCE),
        (ANOTHER_SIDE, 0.1, 0.9, Fit.NOT_JUDGED),
        (BEYOND, 0.30, 0.48, Fit.EXPANSION),
        (BEYOND, 0.0, 0.04, Fit.SILENCE),
    ],
)
def test_a_fit_follows_from_the_declared_expectation(
    expectation: Expectation, low: float, high: float, fit: Fit
) -> None:
    assert row(expectation, low, high).proposed is fit


@given(st.sampled_from((SAME, OPPOSITE, CONTEXT)), st.floats(0, 1), st.floats(0, 1), st.integers(0, 400))
def test_divergence_is_proposed_only_when_the_intervals_are_apart(
    expectation: Expectation, one: float, other: float, count: int
) -> None:
    low, high = min(one, other), max(one, other)
    found = row(expectation, low, high, replace(FIGURE, count=count, denominator=400))
    published = wilson(count, 400)
    expected = published if expectation is SAME else (1 - published[1], 1 - published[0])
    apart = high < expected[0] or low > expected[1]
    silent = high < SILENT <= expected[0]
    assert (found.proposed is Fit.DIVERGENCE) == (expectation is not CONTEXT and apart and not silent)
    assert (found.proposed is Fit.SILENCE) == (expectation is not CONTEXT and silent)
    assert (found.proposed is Fit.NOT_JUDGED) == (expectation is CONTEXT or (not apart and high - low > TOO_WIDE))


@pytest.mark.parametrize("expectation", BY_INTERVALS)
@pytest.mark.parametrize(
    "figure",
    [
        replace(FIGURE, count=None, count_status=Status.CONFIDENTIAL),
        replace(FIGURE, denominator=None),
        replace(FIGURE, denominator=0),
        replace(FIGURE, not_known_share=0.51),
        replace(FIGURE, count=15, denominator=18),
        replace(FIGURE, percent_status=Status.UNRELIABLE),
    ],
    ids=["confidential", "no base", "empty base", "half not known", "small group", "unreliable"],
)
def test_a_figure_that_is_missing_or_carries_a_warning_is_not_judged(expectation: Expectation, figure: Figure) -> None:
    found = row(expectation, 0.0, 0.001, figure)
    assert found.proposed is Fit.NOT_JUDGED
    assert found.because.endswith(".")


@pytest.mark.parametrize("expectation", list(Expectation))
def test_a_share_that_was_refused_is_not_judged_and_the_refusal_is_kept(expectation: Expectation) -> None:
    found = joint_row(link(expectation), FIGURE, None, "too few read")
    assert (found.proposed, found.refusal, found.estimate) == (Fit.NOT_JUDGED, "too few read", None)


def test_both_figures_stand_with_their_intervals() -> None:
    found = row(OPPOSITE, 0.30, 0.48)
    assert (found.indicator_low, found.indicator_high) == wilson(185, 194)
    assert found.because == "If both told the same story, 2% to 9% was to be expected; 30% to 48% was heard."


def test_a_figure_without_a_base_has_no_interval() -> None:
    found = row(SAME, 0.3, 0.4, replace(FIGURE, denominator=None))
    assert (found.indicator_low, found.indicator_high) == (None, None)


def test_a_share_too_wide_to_tell_asks_for_more_reading() -> None:
    assert row(SAME, 0.5, 1.0).because.endswith("is too wide to tell; 91% to 98% was to be expected. Read more people.")


# Files of links


@pytest.mark.parametrize("site", SITES)
def test_a_shipped_link_ties_a_code_that_exists_to_a_figure_that_exists(root: Path, site: str) -> None:
    links = read_links(root / "codebooks" / site / "links.yaml")
    codes = {code.id for code in read_codebook(root / "codebooks" / site).codes}
    assert links
    assert {found.code for found in links} <= codes
    for found in links:
        figures = read_ees(root / "corpora_sample" / "indicators" / found.file)
        figure = pick(figures, label=found.label, group=found.group, area_codes=found.area_codes, period=found.period)
        assert figure.percent is not None


def test_each_site_declares_what_it_expects(root: Path) -> None:
    expected = {
        site: [found.expectation for found in read_links(root / "codebooks" / site / "links.yaml")] for site in SITES
    }
    assert set(expected["hampshire-early-help"]) == {CONTEXT}
    assert expected["north-yorkshire-care-leavers"][0] is OPPOSITE
    assert expected["oldham-early-language"] == [ANOTHER_SIDE, BEYOND]
    assert expected["rochdale-family-hub"] == [ANOTHER_SIDE, BEYOND]


def written(folder: Path, content: object) -> Path:
    file = folder / "links.yaml"
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content), "utf-8")
    return file


def test_a_link_is_read_to_the_letter(tmp_path: Path) -> None:
    (found,) = read_links(written(tmp_path, [ENTRY]))
    assert found == replace(link(OPPOSITE), area_codes=("E1", "E2"))


def test_a_file_without_links_has_none(tmp_path: Path) -> None:
    assert read_links(written(tmp_path, "# none yet\n")) == []


@pytest.mark.parametrize("field", ENTRY)
def test_a_link_without_a_field_is_named_by_its_number(tmp_path: Path, field: str) -> None:
    short = {k: v for k, v in ENTRY.items() if k != field}
    with pytest.raises(IndicatorError, match=r"^links\.yaml, row 2: "):
        read_links(written(tmp_path, [ENTRY, short]))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"colour": "red"}, "missing or unknown"),
        ({"expectation": "whatever"}, "missing or unknown"),
        ({"area_codes": "E1"}, "a link needs a list of area codes"),
        ({"area_codes": None}, "a link needs a list of area codes"),
    ],
)
def test_a_link_with_a_wrong_field_is_refused(tmp_path: Path, change: dict[str, object], problem: str) -> None:
    with pytest.raises(IndicatorError, match=problem):
        read_links(written(tmp_path, [{**ENTRY, **change}]))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[", "not readable as YAML"),
        ("a: 1", "expected a list of links"),
        ("just words", "expected a list of links"),
        ("- just words", "row 1: .*a link needs"),
        ("- [a]", "row 1: .*a link needs"),
    ],
)
def test_a_file_that_holds_no_links_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    with pytest.raises(IndicatorError, match=problem):
        read_links(written(tmp_path, content))


def test_a_file_of_links_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IndicatorError, match=r"links\.yaml: not readable"):
        read_links(tmp_path / "links.yaml")
