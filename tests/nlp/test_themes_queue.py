"""What to read next: draws whose probabilities are true, the same for a seed, and reviews that stay in one idea."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import EstimateError
from nlp.findings.prevalence import Sample, Truth, Unit, estimate
from nlp.themes.queue import (
    Focus,
    Stream,
    counting,
    diverse,
    person_shares,
    rare,
    review_order,
    still_missed,
    uncertain,
)  # fmt: skip

UNITS = [f"u{i}" for i in range(200)]


def shares(codes: int = 1, count: int = 200, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).beta(0.5, 3, size=(count, codes))


def test_a_plain_counting_draw_is_uniform_over_everything() -> None:
    drawn = counting(UNITS, reads=60, seed=1)
    assert len({d.unit for d in drawn}) == 60
    assert [d.probability for d in drawn] == pytest.approx([0.3] * 60)
    assert {d.streams for d in drawn} == {(Stream.UNIFORM,)}


def test_the_same_seed_draws_the_same_in_the_same_order_and_another_does_not() -> None:
    focus = Focus(shares(3), 40, 0.2)
    assert counting(UNITS, reads=30, seed=5, focus=focus) == counting(UNITS, reads=30, seed=5, focus=focus)
    assert counting(UNITS, reads=30, seed=5) != counting(UNITS, reads=30, seed=6)


@pytest.mark.parametrize("codes", [1, 3])
def test_logged_probabilities_are_how_often_units_are_really_read(codes: int) -> None:
    focus, runs = Focus(shares(codes), 40, 0.2), 3000
    times, said = dict.fromkeys(UNITS, 0), {}
    for seed in range(runs):
        for d in counting(UNITS, reads=30, seed=seed, focus=focus):
            times[d.unit] += 1
            said[d.unit] = d.probability
    off = [(times[u] / runs - p) / np.sqrt(p * (1 - p) / runs) for u, p in said.items()]
    assert len(said) == 200
    assert np.abs(off).max() < 4.5
    assert np.std(off) == pytest.approx(1, abs=0.2)


def test_what_is_read_by_choice_is_certain_and_keeps_every_stream_it_came_by() -> None:
    drawn = counting(UNITS, reads=199, seed=1, chosen={Stream.DIVERSE: UNITS[:5], Stream.RARE: UNITS[4:6]})
    by = {d.unit: d for d in drawn}
    assert all(by[u].probability == 1 for u in UNITS[:6])
    assert {Stream.DIVERSE, Stream.RARE} <= set(by["u4"].streams)
    assert sum(d.probability < 1 for d in drawn) >= 190


def test_the_reading_order_tells_nothing_of_the_stream() -> None:
    places = []
    for seed in range(200):
        drawn = counting(UNITS, reads=20, seed=seed, chosen={Stream.DIVERSE: UNITS[:20]})
        places += [i / len(drawn) for i, d in enumerate(drawn) if Stream.DIVERSE in d.streams]
    assert np.mean(places) == pytest.approx(0.49, abs=0.02)


def test_one_focus_code_is_read_more_where_it_is_suggested() -> None:
    p = np.where(np.arange(200) < 30, 0.6, 0.03)[:, None]
    drawn = counting(UNITS, reads=1, seed=1, focus=Focus(p, 50, 0.2))
    suggested = [d for d in drawn if int(d.unit[1:]) < 30 and Stream.FOCUS in d.streams]
    rest = [d for d in drawn if int(d.unit[1:]) >= 30 and Stream.FOCUS in d.streams]
    assert len(suggested) / 30 > 1.5 * len(rest) / 170
    assert len(rest) >= 5


@pytest.mark.parametrize("with_focus", [False, True])
def test_estimates_from_such_draws_cover_the_truth(with_focus: bool) -> None:
    dice = np.random.default_rng(3)
    p = shares(1, 400, seed=4)
    truth = dice.random(400) < p[:, 0]
    units = [f"u{i}" for i in range(400)]
    suggested = p[:, 0] >= 0.2
    covered = 0
    for seed in range(300):
        focus = Focus(p, 40, 0.2) if with_focus else None
        drawn = counting(units, reads=60, seed=seed, focus=focus, chosen={Stream.DIVERSE: units[:10]})
        rows = [int(d.unit[1:]) for d in drawn]
        read, weight = np.zeros(400, bool), np.ones(400)
        read[rows], weight[rows] = True, [1 / d.probability for d in drawn]
        found = estimate(Sample(Unit.TEXT, suggested, read, truth & read, weight), Truth.TEXTS_LOADED)
        covered += found.low <= truth.mean() <= found.high
    assert covered / 300 >= 0.92


def test_designs_that_cannot_be_are_refused() -> None:
    with pytest.raises(EstimateError):
        counting([], reads=3, seed=1)
    with pytest.raises(EstimateError, match="one to 5"):
        counting(UNITS, reads=3, seed=1, focus=Focus(shares(6), 10, 0.2))
    with pytest.raises(EstimateError):
        counting(UNITS, reads=3, seed=1, focus=Focus(shares(1, 10), 10, 0.2))


@given(st.integers(1, 60), st.integers(1, 80), st.integers(0, 4), st.integers(0, 9))
def test_every_unit_comes_at_most_once_with_a_probability_that_can_be_divided_by(
    count: int, reads: int, codes: int, seed: int
) -> None:
    units = UNITS[:count]
    focus = Focus(shares(codes, count, seed), 12, 0.2) if codes else None
    drawn = counting(units, reads=reads, seed=seed, focus=focus, chosen={Stream.UNCERTAIN: units[:2]})
    assert len({d.unit for d in drawn}) == len(drawn) >= min(reads, count)
    assert all(0 < d.probability <= 1 for d in drawn)
    assert all(d.streams for d in drawn)


def test_a_person_holds_what_any_of_their_texts_holds() -> None:
    assert person_shares(np.array([[0.5, 0.0], [0.5, 0.2]])) == pytest.approx([0.75, 0.2])


def test_a_diverse_start_takes_one_of_each_kind_and_no_text_twice() -> None:
    kinds = np.eye(8, dtype=np.float32)
    vectors = np.repeat(kinds, 10, axis=0)
    vectors[:, 0] += np.arange(80) * 1e-4
    found = diverse([str(i) for i in range(80)], vectors, seed=1, count=8)
    assert {int(i) // 10 for i in found} == set(range(8))
    assert diverse(["a", "b"], np.ones((2, 3), np.float32), seed=1) == ["a"]


def test_rare_codes_ask_in_turn_for_their_best_unit() -> None:
    p = np.array([[0.9, 0.1], [0.8, 0.7], [0.1, 0.6]])
    assert rare(["a", "b", "c"], p, np.array([9, 0]), count=2) == ["b", "c"]
    assert sorted(rare(["a", "b", "c"], p, np.array([0, 0]), count=9)) == ["a", "b", "c"]


def test_uncertain_units_are_those_nearest_to_even_odds() -> None:
    p = np.array([[0.95, 0.1], [0.45, 0.2], [0.05, 0.3]])
    assert uncertain(["a", "b", "c"], p, count=2) == ["b", "c"]
    assert uncertain([], np.zeros((0, 2)), count=2) == []


def test_a_review_stays_in_one_idea() -> None:
    p = np.array([[0.9, 0.1], [0.1, 0.8], [0.1, 0.95], [0.5, 0.2], [0.05, 0.1], [0.7, 0.2], [0.75, 0.1]])
    ids = list("abcdefg")
    order = review_order(ids, p, likely_from=0.7, possible_from=0.3, start=["e"])
    assert order[0] == ("e", Stream.DIVERSE)
    assert [u for u, s in order if s is Stream.LIKELY] == ["a", "g", "f", "c", "b"]
    assert order[-1] == ("d", Stream.POSSIBLE)


@given(st.integers(0, 30), st.integers(1, 5), st.integers(0, 9))
def test_a_review_holds_every_unit_once(count: int, codes: int, seed: int) -> None:
    ids = UNITS[:count]
    order = review_order(ids, shares(codes, count, seed), likely_from=0.5, possible_from=0.2, start=ids[3:5])
    assert sorted(u for u, _ in order) == sorted(ids)


def test_what_is_still_missed_has_an_interval_that_closes_when_all_is_read() -> None:
    suggested = np.zeros((100, 1), bool)
    found = np.zeros((100, 1), bool)
    found[:3] = True
    read = np.arange(100) < 50
    (half,) = still_missed(suggested, found, read, np.full(100, 2.0))
    assert half.unread == 50
    assert half.estimate == pytest.approx(3.0)
    assert 0 <= half.low < 3 < half.high < 15
    (all_,) = still_missed(suggested, found, np.ones(100, bool), np.ones(100))
    assert (all_.estimate, all_.low, all_.high) == (0, 0, 0)
    (none,) = still_missed(suggested, found, np.zeros(100, bool), np.ones(100))
    assert np.isnan(none.estimate)
    assert (none.low, none.high) == (0, 100)


def test_the_interval_of_what_is_missed_covers_it() -> None:
    dice = np.random.default_rng(1)
    truth = dice.random((500, 1)) < 0.06
    suggested = truth & (dice.random((500, 1)) < 0.6)
    covered = 0
    for _ in range(300):
        read = np.zeros(500, bool)
        read[dice.choice(500, 100, replace=False)] = True
        (found,) = still_missed(suggested, truth, read, np.full(500, 5.0))
        covered += found.low <= (truth & ~suggested)[~read].sum() <= found.high
    assert covered / 300 >= 0.93
