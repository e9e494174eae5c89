"""How many express a theme: the published fixtures, what is refused, and intervals that keep their word."""

from __future__ import annotations

from math import isfinite

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from nlp.errors import EstimateError
from nlp.findings.prevalence import Estimate, Read, Stratum, estimate_share, from_draw
from nlp.intervals import mid_p, wilson


def stratum(size: int, read: int, positive: int, *, suggested: bool) -> list[Read]:
    return [Read(suggested, i < positive, size / read) for i in range(read)]


def draw(suggested: tuple[int, int, int], other: tuple[int, int, int]) -> Estimate:
    """The estimate from (size, read, positive) among suggested and among other units."""
    reads = stratum(*suggested, suggested=True) + stratum(*other, suggested=False)
    return from_draw(reads, suggested_loaded=suggested[0], loaded=suggested[0] + other[0])


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
def test_the_published_fixtures_hold(
    suggested: tuple[int, int, int], other: tuple[int, int, int], share: float, low: float, high: float
) -> None:
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
    reads = [Read(suggested=False, positive=True, weight=loaded / read) for _ in range(read)]
    with pytest.raises(EstimateError, match=f"^{read} read so far; read at least {missing} more"):
        from_draw(reads, suggested_loaded=0, loaded=loaded)


def test_thirty_reads_are_enough_and_so_are_all_where_fewer_exist() -> None:
    assert draw((0, 0, 0), (500, 30, 3)).share == pytest.approx(0.1)
    assert draw((5, 5, 5), (15, 15, 0)).share == pytest.approx(0.25)


def test_positives_are_no_condition_of_a_share() -> None:
    none, all_ = draw((0, 0, 0), (500, 40, 0)), draw((0, 0, 0), (500, 40, 40))
    assert (none.share, none.low) == (0.0, 0.0)
    assert (all_.share, all_.high) == (1.0, 1.0)
    assert none.high == pytest.approx(1 - all_.low)
    assert 0 < none.high < 0.1


def test_nothing_read_supports_no_share() -> None:
    with pytest.raises(EstimateError, match="nothing has been read yet"):
        estimate_share([Stratum(10, 0.0, 0.0), Stratum(90, 0.0, 0.0)])


def test_a_stratum_without_a_read_is_merged_with_the_other() -> None:
    assert estimate_share([Stratum(10, 0.0, 0.0), Stratum(90, 50.0, 5.0)]) == estimate_share([Stratum(100, 50.0, 5.0)])


@given(st.integers(0, 40), st.integers(0, 40), st.data())
def test_everything_read_leaves_no_width(suggested: int, other: int, data: st.DataObject) -> None:
    if suggested + other == 0:
        return
    found_here, found_there = data.draw(st.integers(0, suggested)), data.draw(st.integers(0, other))
    reads = [Read(suggested=True, positive=i < found_here, weight=1.0) for i in range(suggested)]
    reads += [Read(suggested=False, positive=i < found_there, weight=1.0) for i in range(other)]
    found = from_draw(reads, suggested_loaded=suggested, loaded=suggested + other)
    truth = (found_here + found_there) / (suggested + other)
    assert (found.share, found.low, found.high) == pytest.approx((truth, truth, truth))


STRATA = st.integers(1, 400).flatmap(
    lambda size: st.integers(1, size).flatmap(
        lambda read: st.tuples(st.just(size), st.just(read), st.integers(0, read))
    )
)


@given(STRATA, STRATA)
def test_the_interval_holds_the_share_and_never_denies_what_was_seen(
    suggested: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    loaded, read = suggested[0] + other[0], suggested[1] + other[1]
    positives = suggested[2] + other[2]
    if read < min(30, loaded):
        return
    found = draw(suggested, other)
    assert 0 <= found.low <= found.share <= found.high <= 1
    assert found.low >= positives / loaded - 1e-9
    assert found.high <= 1 - (read - positives) / loaded + 1e-9


READS = st.builds(
    Read, suggested=st.booleans(), positive=st.booleans(), weight=st.sampled_from([1.0, 1.01, 2.0, 40.0, 500.0])
)


@given(st.lists(READS, min_size=30, max_size=60), st.integers(0, 500), st.integers(0, 500))
def test_any_weights_give_an_interval_that_holds_the_share(reads: list[Read], more: int, others: int) -> None:
    suggested = sum(r.suggested for r in reads) + more
    loaded = len(reads) + more + others
    found = from_draw(reads, suggested_loaded=suggested, loaded=loaded)
    assert all(isfinite(x) for x in (found.share, found.low, found.high))
    assert 0 <= found.low <= found.share <= found.high <= 1


def test_a_draw_read_in_part_counts_for_no_more_than_was_read() -> None:
    """Sixty people, all of them drawn, forty read: as good as forty drawn and read, and no better."""
    half_way = [Read(suggested=False, positive=i < 10, weight=1.0) for i in range(40)]
    assert from_draw(half_way, suggested_loaded=0, loaded=60) == draw((0, 0, 0), (60, 40, 10))


@pytest.mark.parametrize(
    ("size", "drawn", "read", "share"),
    [(500, 110, 110, 0.08), (500, 110, 110, 0.4), (60, 60, 35, 0.3), (200, 150, 50, 0.2)],
)
def test_the_interval_covers_the_truth_in_about_ninety_five_of_a_hundred_studies(
    size: int, drawn: int, read: int, share: float
) -> None:
    rng = np.random.default_rng(20)
    covered = 0
    for _ in range(500):
        truth = rng.random(size) < share
        suggested = np.where(truth, rng.random(size) < 0.7, rng.random(size) > 0.95)
        units = rng.permutation(size)[:drawn][:read]
        reads = [Read(bool(suggested[i]), bool(truth[i]), size / drawn) for i in units]
        found = from_draw(reads, suggested_loaded=int(suggested.sum()), loaded=size)
        covered += found.low <= truth.mean() + 1e-12 and truth.mean() - 1e-12 <= found.high
    assert covered >= 0.915 * 500


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
