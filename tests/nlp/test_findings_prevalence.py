"""How many express a theme: the published fixtures, what is refused, and intervals that keep their word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from nlp.errors import EstimateError
from nlp.findings.prevalence import Estimate, Method, Plan, Sample, Truth, Unit, estimate, raw
from nlp.findings.prevalence.strata import Strata, five_classes, mover, score
from nlp.intervals import mid_p, mid_p_bounds, wilson, wilson_bounds
from tests.nlp.samples import sample, study, uniform

Counts = tuple[int, int, int]


def draw(suggested: Counts, other: Counts, truth: Truth = Truth.TEXTS_LOADED) -> Estimate:
    """The estimate from (size, read, positive) among suggested and among other units."""
    return estimate(sample(suggested, other, truth.unit), truth)


# The six fixtures of the simulation study: (size, read, positive) in each stratum, then share, low and high.
@pytest.mark.parametrize(
    ("suggested", "other", "share", "low", "high"),
    [
        ((51, 51, 28), (449, 60, 1), 0.07097, 0.05800, 0.12143),
        ((51, 51, 28), (449, 60, 0), 0.05600, 0.05600, 0.09402),
        ((204, 80, 44), (1796, 120, 3), 0.07855, 0.06000, 0.11512),
        ((510, 100, 55), (4490, 250, 6), 0.07765, 0.06225, 0.10119),
        ((0, 0, 0), (500, 60, 0), 0.0, 0.0, 0.04299),
        ((10, 10, 2), (190, 190, 3), 0.02500, 0.02500, 0.02500),
    ],
)
def test_the_published_fixtures_hold(suggested: Counts, other: Counts, share: float, low: float, high: float) -> None:
    found = draw(suggested, other)
    assert (found.share, found.low, found.high) == pytest.approx((share, low, high), abs=1e-4)
    assert found.read == suggested[1] + other[1]
    assert found.loaded == suggested[0] + other[0]
    assert found.positives_read == suggested[2] + other[2]


@pytest.mark.parametrize(
    ("read", "loaded", "missing"),
    [(0, 500, 30), (29, 500, 1), (29, 30, 1), (10, 20, 10), (19, 20, 1)],
)
def test_too_few_reads_are_refused_with_how_many_are_missing(read: int, loaded: int, missing: int) -> None:
    with pytest.raises(EstimateError, match=f"^{read} read so far; read at least {missing} more"):
        draw((0, 0, 0), (loaded, read, read))


def test_thirty_reads_are_enough_and_so_are_all_where_fewer_exist() -> None:
    assert draw((0, 0, 0), (500, 30, 3)).share == pytest.approx(0.1)
    assert draw((5, 5, 5), (15, 15, 0)).share == pytest.approx(0.25)


def test_where_the_draw_was_by_suggestion_ten_suggested_and_thirty_others_are_needed() -> None:
    def by_suggestion(suggested: Counts, other: Counts) -> Estimate:
        return estimate(replace(sample(suggested, other, Unit.TEXT), by_suggestion=True), Truth.TEXTS_LOADED)

    assert by_suggestion((100, 10, 3), (400, 30, 0)).read == 40
    with pytest.raises(EstimateError, match="9 of those suggested read so far; read at least 1 more"):
        by_suggestion((100, 9, 3), (400, 30, 0))
    with pytest.raises(EstimateError, match="29 of those not suggested read so far; read at least 1 more"):
        by_suggestion((100, 40, 3), (400, 29, 0))


def test_in_a_draw_over_everything_a_code_may_be_as_rare_as_it_is() -> None:
    found = draw((3, 0, 0), (497, 110, 0))
    assert found.share == 0
    assert 0 < found.high < 0.03


def test_positives_are_no_condition_of_a_share() -> None:
    none, all_ = draw((0, 0, 0), (500, 40, 0)), draw((0, 0, 0), (500, 40, 40))
    assert (none.share, none.low) == (0.0, 0.0)
    assert (all_.share, all_.high) == (1.0, 1.0)
    assert none.high == pytest.approx(1 - all_.low)
    assert 0 < none.high < 0.1


def test_a_stratum_without_a_read_is_merged_with_the_other() -> None:
    merged, whole = draw((10, 0, 0), (90, 50, 5)), draw((0, 0, 0), (100, 50, 5))
    assert (merged.share, merged.low, merged.high) == pytest.approx((whole.share, whole.low, whole.high))


@given(st.integers(0, 40), st.integers(0, 40), st.data())
def test_everything_read_leaves_no_width(suggested: int, other: int, data: st.DataObject) -> None:
    if suggested + other == 0:
        return
    here, there = data.draw(st.integers(0, suggested)), data.draw(st.integers(0, other))
    found = draw((suggested, suggested, here), (other, other, there))
    truth = (here + there) / (suggested + other)
    assert (found.share, found.low, found.high) == pytest.approx((truth, truth, truth))
    assert found.to_halve == 0


STRATA = st.integers(1, 400).flatmap(
    lambda size: st.integers(1, size).flatmap(
        lambda read: st.tuples(st.just(size), st.just(read), st.integers(0, read))
    )
)


@given(STRATA, STRATA, st.sampled_from([Truth.TEXTS_LOADED, Truth.PEOPLE_LOADED, Truth.PEOPLE_LIKE_THESE]))
def test_the_interval_holds_the_share_and_never_denies_what_was_seen(
    suggested: Counts, other: Counts, truth: Truth
) -> None:
    loaded, read = suggested[0] + other[0], suggested[1] + other[1]
    try:
        found = draw(suggested, other, truth)
    except EstimateError:
        return
    assert 0 <= found.low <= found.share <= found.high <= 1
    if not truth.wider:
        assert found.low >= found.positives_read / loaded - 1e-9
        assert found.high <= 1 - (read - found.positives_read) / loaded + 1e-9


WEIGHTS = st.sampled_from([1.0, 1.01, 2.0, 40.0, 500.0])
UNITS = st.lists(st.tuples(st.booleans(), st.booleans(), WEIGHTS), min_size=40, max_size=60)


@given(UNITS, st.integers(0, 500), st.integers(0, 500))
def test_any_weights_give_an_interval_that_holds_the_share(
    units: list[tuple[bool, bool, float]], more: int, others: int
) -> None:
    suggested = np.array([*(u[0] for u in units), *[True] * more, *[False] * others])
    positive = np.array([*(u[1] for u in units), *[False] * (more + others)])
    weight = np.array([*(u[2] for u in units), *[1.0] * (more + others)])
    read = np.arange(len(suggested)) < len(units)
    try:
        found = estimate(Sample(Unit.TEXT, suggested, read, positive, weight), Truth.TEXTS_LOADED)
    except EstimateError:
        return
    assert 0 <= found.low <= found.share <= found.high <= 1


def test_a_draw_read_in_part_counts_for_no_more_than_was_read() -> None:
    """Sixty people, all of them drawn, forty read: as good as forty drawn and read, and no better."""
    half_way = sample((0, 0, 0), (60, 40, 10), Unit.PERSON)
    drawn_whole = Sample(Unit.PERSON, half_way.suggested, half_way.read, half_way.positive, np.ones(60))
    assert estimate(drawn_whole, Truth.PEOPLE_LOADED) == estimate(half_way, Truth.PEOPLE_LOADED)


def test_a_probability_outside_nought_to_one_is_no_probability() -> None:
    with pytest.raises(EstimateError, match="probability"):
        Sample(Unit.TEXT, np.zeros(3, bool), np.ones(3, bool), np.zeros(3, bool), np.full(3, 0.5))


# What a share is a share of


def test_ever_said_is_refused_from_a_sample_of_texts_with_the_reason() -> None:
    with pytest.raises(EstimateError, match="drew texts, not people.*draw people and read all that each of them said"):
        estimate(sample((50, 40, 20), (450, 60, 2), Unit.TEXT), Truth.PEOPLE_LOADED)
    with pytest.raises(EstimateError, match="drew texts, not people"):
        estimate(sample((50, 40, 20), (450, 60, 2), Unit.TEXT), Truth.PEOPLE_LIKE_THESE)


def test_every_share_names_its_truth_its_method_its_assumptions_and_the_reads_that_would_halve_it() -> None:
    found = draw((51, 51, 28), (449, 60, 1), Truth.PEOPLE_LOADED)
    assert found.truth == "the people loaded here"
    assert found.method.startswith("two strata by the code's own suggestion")
    assert any("drawn at random" in a for a in found.assumptions)
    assert any("saw no suggestion" in a for a in found.assumptions)
    assert found.to_halve is not None
    again = draw((51, 51, 28), (449, 60 + found.to_halve, round(1 + found.to_halve / 60)), Truth.PEOPLE_LOADED)
    assert (again.high - again.low) / (found.high - found.low) == pytest.approx(0.5, abs=0.05)


def test_people_like_these_are_told_of_less_surely_than_the_people_loaded() -> None:
    loaded, like = (draw((60, 60, 30), (40, 40, 1), t) for t in (Truth.PEOPLE_LOADED, Truth.PEOPLE_LIKE_THESE))
    assert loaded.high == loaded.low == loaded.share == like.share
    assert like.low < like.share - 0.05
    assert like.high > like.share + 0.05


def test_texts_that_hang_together_within_a_person_widen_the_share_for_people_like_these() -> None:
    dice = np.random.default_rng(5)
    said, suggested, machine, person = study(dice, 600, share=0.2, together=0.9)
    read, weight = uniform(dice, 600, 200)
    clustered = Sample(Unit.TEXT, suggested, read, said & read, weight, machine, person)
    apart = Sample(Unit.TEXT, suggested, read, said & read, weight, machine)
    one, other = (estimate(s, Truth.TEXTS_LIKE_THESE) for s in (clustered, apart))
    assert one.share == other.share
    assert one.high - one.low > 1.2 * (other.high - other.low)
    assert estimate(clustered, Truth.TEXTS_LOADED).high < one.high


def test_one_person_alone_tells_nothing_of_people_like_them() -> None:
    held = sample((0, 0, 0), (50, 40, 3), Unit.TEXT)
    alone = Sample(Unit.TEXT, held.suggested, held.read, held.positive, held.weight, cluster=np.zeros(50, np.int64))
    with pytest.raises(EstimateError, match="one person alone"):
        estimate(alone, Truth.TEXTS_LIKE_THESE)


def test_raw_counts_are_the_machines_and_the_confirmed_and_no_more() -> None:
    held = sample((20, 10, 5), (80, 30, 2), Unit.TEXT)
    found = raw(held, np.arange(100) < 12)
    assert (found.suggested, found.confirmed) == (0.2, 0.12)


# Narrower, by choice made before reading


def test_a_correction_of_the_machine_is_gated_on_what_was_expected_and_never_on_what_was_found() -> None:
    none_found = sample((100, 20, 0), (400, 80, 0), Unit.TEXT)
    for method in (Method.PPI, Method.PPI_TUNED):
        found = estimate(none_found, Truth.TEXTS_LOADED, Plan(method, expected=0.25))
        assert found.method == method
        assert found.low <= found.share <= found.high
        with pytest.raises(EstimateError, match="needs 20 expected among the reads, by what was known before them; 10"):
            estimate(sample((100, 40, 40), (400, 60, 60), Unit.TEXT), Truth.TEXTS_LOADED, Plan(method, expected=0.1))


def test_a_correction_of_the_machine_is_its_mean_plus_what_reading_found_it_wrong_by() -> None:
    held = sample((100, 20, 16), (400, 80, 4), Unit.TEXT)
    found = estimate(held, Truth.TEXTS_LOADED, Plan(Method.PPI, expected=0.2))
    machine, wrong = 100 / 500, np.r_[np.full(16, 0), np.full(4, -1), np.full(4, 1), np.zeros(76)].mean()
    assert found.share == pytest.approx(machine + wrong)
    assert found.low < found.share < found.high


def test_a_machine_that_knows_nothing_is_not_leant_on() -> None:
    held = sample((0, 0, 0), (500, 200, 60), Unit.TEXT)
    found = estimate(held, Truth.TEXTS_LOADED, Plan(Method.PPI_TUNED, expected=0.3))
    low, high = wilson_bounds(0.3, 200 * 500 / 300)
    assert (found.share, found.low, found.high) == pytest.approx((0.3, low, high), abs=2e-3)


def test_five_strata_need_a_hundred_reads_and_other_methods_speak_of_what_is_loaded() -> None:
    held = sample((50, 30, 15), (450, 60, 2), Unit.TEXT)
    with pytest.raises(EstimateError, match="five strata need 100 reads; 90 were read"):
        estimate(held, Truth.TEXTS_LOADED, Plan(Method.FIVE))
    with pytest.raises(EstimateError, match="by the default method alone"):
        estimate(held, Truth.TEXTS_LIKE_THESE, Plan(Method.PPI, expected=0.9))


def test_five_classes_hold_about_as_much_expected_spread_each() -> None:
    machine = np.random.default_rng(1).beta(0.2, 2, 3000)
    labels = five_classes(machine)
    spread = np.sqrt(np.clip(machine, 0.01, 0.99) * (1 - np.clip(machine, 0.01, 0.99)))
    sums = np.bincount(labels, spread)
    assert len(sums) == 5
    assert sums.min() > 0.95 * sums.max()
    assert all(machine[labels == h].max() <= machine[labels == h + 1].min() for h in range(4))


PARTS = st.lists(st.tuples(st.floats(0.05, 1), st.floats(0, 1), st.floats(5, 400)), min_size=1, max_size=5)


@given(PARTS)
def test_the_score_interval_is_where_one_fit_for_all_strata_is_a_fortieth_away(
    parts: list[tuple[float, float, float]],
) -> None:
    size, share, reads = (np.array(v) for v in zip(*parts, strict=True))
    strata = Strata(size / size.sum(), share, reads)
    low, high = (float(v) for v in score(strata))
    assert -1e-9 <= low <= strata.estimate + 1e-9 <= high + 2e-9 <= 1 + 1e-8
    if len(parts) == 1:
        assert (low, high) == pytest.approx(tuple(float(v[0]) for v in wilson_bounds(share, reads)), abs=1e-6)


def test_over_five_strata_the_score_interval_is_narrower_than_the_added_bounds() -> None:
    strata = Strata(np.full(5, 0.2), np.array([0, 0, 0.02, 0.1, 0.6]), np.full(5, 50.0))
    by_score, added = score(strata), mover(strata)
    assert by_score[1] - by_score[0] < added[1] - added[0]


@pytest.mark.parametrize("truth", [Truth.TEXTS_LOADED, Truth.TEXTS_LIKE_THESE])
@pytest.mark.parametrize(("size", "read", "share"), [(500, 110, 0.08), (500, 110, 0.4), (200, 60, 0.2)])
def test_the_interval_covers_its_truth_in_about_ninety_five_of_a_hundred_studies(
    size: int, read: int, share: float, truth: Truth
) -> None:
    dice = np.random.default_rng(20)
    covered = 0
    for _ in range(400):
        said, suggested, machine, person = study(dice, size, share=share, together=0.3)
        drawn, weight = uniform(dice, size, read)
        found = estimate(Sample(Unit.TEXT, suggested, drawn, said & drawn, weight, machine, person), truth)
        named = share if truth.wider else said.mean()
        covered += found.low <= named + 1e-12 and named - 1e-12 <= found.high
    assert covered >= 0.915 * 400


# The bounds of one share


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_mid_p_bounds_are_where_the_mid_p_tails_are_a_fortieth(pair: tuple[int, int]) -> None:
    x, n = pair
    low, high = mid_p(x, n)
    assert 0 <= low <= x / n <= high <= 1
    if 0 < x < n:
        assert binom.sf(x, n, low) + binom.pmf(x, n, low) / 2 == pytest.approx(0.025, abs=1e-6)
        assert binom.cdf(x - 1, n, high) + binom.pmf(x, n, high) / 2 == pytest.approx(0.025, abs=1e-6)


@pytest.mark.parametrize(("positives", "bounds"), [(0, (0.0, 1 - 0.05**0.02)), (50, (0.05**0.02, 1.0))])
def test_mid_p_has_one_open_side_when_none_or_all_are_positive(positives: int, bounds: tuple[float, float]) -> None:
    assert mid_p(positives, 50) == pytest.approx(bounds)


@given(st.floats(0.1, 500), st.floats(0, 1))
def test_mid_p_takes_fractions(reads: float, share: float) -> None:
    low, high = mid_p(share * reads, reads)
    assert 0 <= low <= high <= 1
    assert low <= share + 1e-9
    assert share - 1e-9 <= high


def test_the_wilson_interval_of_north_yorkshire_is_91_to_98_per_cent() -> None:
    assert wilson(185, 194) == pytest.approx((0.91419, 0.97538), abs=1e-4)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(pair: tuple[int, int]) -> None:
    x, n = pair
    reference = binomtest(x, n).proportion_ci(method="wilson")
    assert wilson(x, n) == pytest.approx((reference.low, reference.high), abs=1e-6)


@given(st.lists(st.tuples(st.floats(0.5, 300), st.floats(0, 1)), min_size=1, max_size=6))
def test_bounds_of_many_shares_are_those_of_each(pairs: list[tuple[float, float]]) -> None:
    n = np.array([reads for reads, _ in pairs])
    x = np.array([reads * share for reads, share in pairs])
    low, high = mid_p_bounds(x, n)
    assert [(a, b) for a, b in zip(low, high, strict=True)] == [
        pytest.approx(mid_p(a, b), abs=1e-9) for a, b in zip(x, n, strict=True)
    ]
