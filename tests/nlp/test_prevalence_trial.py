"""The trial of intervals: the many-at-once arithmetic is the library's, and a subset of cells keeps its word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.findings.prevalence import Estimate, Method, Plan, Sample, Truth, Unit, estimate
from nlp.findings.prevalence.strata import FIVE, five_classes, from_counts, score, strata_of
from nlp.findings.prevalence.trial import Cell, Kind, Row, cells, mark_cell, methods, real_code, table, wanted
from nlp.findings.prevalence.trial.draws import equally, five, stratified, uniform
from nlp.findings.prevalence.trial.methods import Found
from nlp.findings.prevalence.trial.worlds import Worlds, ever, people, texts

RUNS, FLOOR = 500, 0.915
SMOKE = [replace(c, machine_icc=0.2) for c in cells(Kind.GRID, Kind.HARDER) if c.loaded <= 500][::6]


def alone(worlds: Worlds, read: np.ndarray[tuple[int, int], np.dtype[np.bool_]], run: int, unit: Unit) -> Sample:
    """One of many studies, as the library takes it."""
    y, n = read[run], read.shape[1]
    found = worlds.holds[run] & y
    return Sample(
        unit, worlds.suggested[run], y, found, np.full(n, n / y.sum()), worlds.machine[run], worlds.person[run]
    )


def same(many: Found, run: int, one: Estimate) -> bool:
    found = (many.share[run], many.low[run], many.high[run])
    return found == pytest.approx((one.share, one.low, one.high), abs=1e-9)


@pytest.mark.parametrize("cell", [Cell(0.02, 0.5, 0.9, 200, 80), Cell(0.4, 0.9, 0.99, 300, 110, icc=0)])
def test_many_studies_at_once_come_to_what_each_one_does(cell: Cell) -> None:
    dice = np.random.default_rng(3)
    for unit, worlds, loaded, like in (
        (Unit.TEXT, texts(cell, 8, dice), Truth.TEXTS_LOADED, Truth.TEXTS_LIKE_THESE),
        (Unit.PERSON, people(cell, 8, dice), Truth.PEOPLE_LOADED, Truth.PEOPLE_LIKE_THESE),
    ):
        read, labels = uniform(8, cell.loaded, cell.reads, dice), worlds.suggested.astype(np.int64)
        by_strata, wider = methods.by_strata(worlds, read, labels, 2), methods.like_these(worlds, read)
        plain, tuned = (methods.with_machine(worlds, read, fitted=f) for f in (False, True))
        for run in range(8):
            sample = alone(worlds, read, run, unit)
            assert same(by_strata, run, estimate(sample, loaded))
            assert same(wider, run, estimate(sample, like))
            assert same(plain, run, estimate(sample, loaded, Plan(Method.PPI, expected=1)))
            assert same(tuned, run, estimate(sample, loaded, Plan(Method.PPI_TUNED, expected=1)))


def test_five_strata_at_once_come_to_what_each_study_does() -> None:
    dice, cell = np.random.default_rng(4), Cell(0.08, 0.7, 0.95, 500, 110)
    worlds = texts(cell, 5, dice)
    labels = five(worlds.machine)
    assert all((labels[run] == five_classes(worlds.machine[run])).all() for run in range(5))
    read = uniform(5, 500, 110, dice)
    found = methods.by_strata(worlds, read, labels, FIVE, score)
    assert all(
        same(found, run, estimate(alone(worlds, read, run, Unit.TEXT), Truth.TEXTS_LOADED, Plan(Method.FIVE)))
        for run in range(5)
    )


COUNTS = st.lists(st.tuples(st.integers(0, 40), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=5)


@given(COUNTS, st.booleans())
def test_strata_from_counts_are_those_of_the_units(parts: list[tuple[int, float, float]], finite: bool) -> None:
    size = np.array([n for n, _, _ in parts])
    read = np.array([round(n * part) for n, part, _ in parts])
    positives = np.array([round(n * share) for n, (_, _, share) in zip(read, parts, strict=True)])
    if not read.sum():
        return
    labels = np.repeat(np.arange(len(parts)), size)
    place = np.concatenate([np.arange(n) for n in size])
    seen, held = place < read[labels], place < positives[labels]
    sample = Sample(Unit.TEXT, np.zeros(len(labels), bool), seen, held, np.ones(len(labels)))
    one = strata_of(sample, labels, len(parts), finite=finite)
    other = from_counts(*(v.astype(float) for v in (size, read, positives)), finite=finite)
    for name in ("part", "share", "reads"):
        assert getattr(one, name) == pytest.approx(getattr(other, name)), name


def test_draws_take_as_many_as_were_asked_for_and_everybody_alike() -> None:
    dice, labels = np.random.default_rng(1), np.tile(np.arange(60) % 3, (4000, 1))
    read = uniform(4000, 60, 20, dice)
    assert (read.sum(axis=1) == 20).all()
    assert np.abs(read.mean(axis=0) - 1 / 3).max() < 0.03
    by_label = stratified(labels, 3, np.full(labels.shape, 0.3), 30, dice)
    assert (by_label.sum(axis=1) == 30).all()
    assert np.abs(by_label.mean(axis=0) - 0.5).max() < 0.04
    assert (equally(labels, 3, 7, dice).sum(axis=1) == 21).all()


def test_studies_are_made_as_they_were_ordered() -> None:
    cell, dice = Cell(0.2, 0.7, 0.95, 4000, 200, icc=0.3), np.random.default_rng(2)
    made, whole = texts(cell, 20, dice), people(cell, 20, dice)
    assert made.holds.mean() == pytest.approx(0.2, abs=0.01)
    assert made.suggested[made.holds].mean() == pytest.approx(0.7, abs=0.02)
    assert 1 - made.suggested[~made.holds].mean() == pytest.approx(0.95, abs=0.01)
    assert whole.holds.mean() == pytest.approx(ever(cell), abs=0.01)
    assert 4000 / (made.person.max(axis=1) + 1).mean() == pytest.approx(3.1, abs=0.15)


@pytest.fixture(scope="module")
def smoke() -> list[Row]:
    tried = [*SMOKE, *cells(Kind.FIFTEEN)[::4], *cells(Kind.GROUPS)[:1], *cells(Kind.SHOWN)[3:4]]
    return [Row(cell, mark_cell(cell, runs=RUNS, seed=5)) for cell in tried]


def test_intervals_cover_the_truth_that_they_name_in_every_cell_tried(smoke: list[Row]) -> None:
    by_method = {line.method: line for line in table(smoke)}
    for raw in ("raw suggestions", "confirmed only"):
        assert by_method.pop(f"texts {raw}").mean < 0.5
        assert by_method.pop(f"people {raw}").mean < 0.5
    assert {name: line.worst for name, line in by_method.items() if line.worst < FLOOR} == {}


def test_what_must_be_reached_is_reached_in_the_cells_tried(smoke: list[Row]) -> None:
    assert [want.what for want in wanted(smoke) if not want.reached] == []


def test_the_same_seed_gives_the_same_marks_and_another_gives_others() -> None:
    cell = SMOKE[0]
    assert mark_cell(cell, runs=20, seed=1) == mark_cell(cell, runs=20, seed=1)
    assert mark_cell(cell, runs=20, seed=1) != mark_cell(cell, runs=20, seed=2)


def test_on_texts_that_people_coded_their_codes_are_the_truth() -> None:
    dice = np.random.default_rng(6)
    holds = dice.random(400) < 0.15
    found = real_code(holds, holds ^ (dice.random(400) < 0.1), holds * 0.8, reads=80, runs=RUNS, seed=1)
    assert found.runs == RUNS
    assert found.cover >= FLOOR
    assert abs(found.bias) < 4 * found.bias_error + 1e-9
