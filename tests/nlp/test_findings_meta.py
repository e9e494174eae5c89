"""Shares of several councils put together: held to published worked examples, and refused where it would mislead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import EstimateError
from nlp.findings.meta import Told, dersimonian_laird, effective_number, random_effects, reml, together
from nlp.intervals import mid_p, wilson

# Thirteen trials of BCG vaccine: cases and others among vaccinated, cases and others among not (Colditz et al. 1994,
# as metafor ships them in dat.bcg).
BCG = np.array(
    [
        (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
        (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600),
        (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
    ],
    float,
).T  # fmt: skip


def risk_ratios() -> tuple[np.ndarray, np.ndarray]:
    a, b, c, d = BCG
    return np.log(a / (a + b)) - np.log(c / (c + d)), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def odds_ratios() -> tuple[np.ndarray, np.ndarray]:
    a, b, c, d = BCG
    return np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d


def test_the_vaccine_trials_come_to_what_metafor_prints() -> None:
    y, v = risk_ratios()
    model = random_effects(y, v)

    assert round(dersimonian_laird(y, v), 4) == 0.3088
    assert round(model.tau2, 4) == 0.3132
    assert (round(model.mean, 4), round(100 * model.i2, 2)) == (-0.7145, 92.22)
    assert (round(model.q, 4), model.df) == (152.2330, 12)
    assert (round(model.error, 4), round(model.low, 4), round(model.high, 4)) == (0.1808, -1.1084, -0.3206)

    w = 1 / (v + dersimonian_laird(y, v))
    assert round(float(w @ y / w.sum()), 4) == -0.7141


def test_the_same_trials_as_odds_ratios() -> None:
    y, v = odds_ratios()
    assert round(dersimonian_laird(y, v), 4) == 0.3663
    assert (round(reml(y, v), 4), round(random_effects(y, v).mean, 4)) == (0.3378, -0.7452)
    assert round(random_effects(y, v).q, 4) == 163.1649


def test_viechtbauers_ten_studies_have_his_variances() -> None:
    y = np.array([-0.581, 0.530, 0.771, 1.031, 0.553, 0.295, 0.078, 0.573, -0.176, -0.232])  # Viechtbauer 2005, p. 271
    v = np.array([0.023, 0.052, 0.060, 0.115, 0.095, 0.203, 0.200, 0.211, 0.051, 0.040])
    assert (round(dersimonian_laird(y, v), 4), round(reml(y, v), 4)) == (0.2768, 0.2232)
    assert round(100 * random_effects(y, v).i2, 2) == 76.84


def test_four_proportions_on_the_logit_scale_come_to_prometars() -> None:
    """ProMetaR's vignette: 12 of 100, 25 of 150, 18 of 120, 40 of 200."""
    x, n = np.array([12, 25, 18, 40.0]), np.array([100, 150, 120, 200.0])
    model = random_effects(np.log(x / (n - x)), 1 / x + 1 / (n - x))
    assert (round(model.tau2, 4), round(model.q, 4), round(model.p, 4)) == (0.0086, 3.3643, 0.3388)


def test_where_studies_agree_more_than_chance_the_interval_is_not_narrowed() -> None:
    y, v = np.array([0.1, 0.1, 0.1]), np.full(3, 0.04)
    model = random_effects(y, v)
    assert model.tau2 == 0
    assert model.error == pytest.approx(np.sqrt(0.04 / 3))
    assert model.low > model.next_low


def told(council: str, yes: int, read: int, **other: str) -> Told:
    return Told(council, other.get("meaning", "m"), other.get("of", "people like these"), yes / read, *mid_p(yes, read))


def test_councils_are_put_together_with_their_weights_and_what_a_further_one_may_find() -> None:
    found = together([told("A", 12, 100), told("B", 40, 120), told("C", 55, 110)])

    assert 0 < found.low < 0.12 < found.share < 0.5 < found.high < 1
    assert found.next_low < found.low
    assert found.next_high > found.high
    assert [name for name, _ in found.councils] == ["A", "B", "C"]
    assert sum(w for _, w in found.councils) == pytest.approx(1)
    assert found.model.i2 > 0.8


def test_nobody_found_is_a_share_like_any_other() -> None:
    found = together([told("A", 0, 100), told("B", 2, 100), told("C", 4, 100)])
    assert 0 < found.share < 0.04


def test_nobody_found_anywhere_is_told_as_nearly_none() -> None:
    found = together([told(council, 0, 40) for council in "ABCD"])
    assert found.model.tau2 == 0
    assert found.low < 0.01 < found.share < 0.02 < found.high < 0.13


def test_everybody_and_nobody_are_mirror_images() -> None:
    some, others = [0, 3, 9], [60, 57, 51]
    one = together([told(c, y, 60) for c, y in zip("ABC", some, strict=True)])
    other = together([told(c, y, 60) for c, y in zip("ABC", others, strict=True)])
    assert other.share == pytest.approx(1 - one.share)
    assert other.low == pytest.approx(1 - one.high)


def test_what_is_held_back_is_left_out_and_named() -> None:
    held = Told("D", "m", "people like these", held_back="held back: too few people to show")
    found = together([told("A", 12, 100), held, told("B", 40, 120), told("C", 55, 110)])
    assert found.left_out == (("D", "held back: too few people to show"),)
    assert found.share == together([told("A", 12, 100), told("B", 40, 120), told("C", 55, 110)]).share


@pytest.mark.parametrize(
    ("councils", "why"),
    [
        ([told("A", 12, 100), told("B", 40, 120)], "from 3 councils on; 2 show this one"),
        ([told("A", 12, 100), Told("B", "m", "people like these", held_back="x")], "1 shows this one"),
        ([], "none shows this one"),
        (
            [told("A", 9, 90), told("B", 9, 90), told("C", 9, 90, meaning="n")],
            "the code does not mean the same everywhere: A and B apart from C. Agree on one version of it",
        ),
        (
            [told("A", 9, 90), told("B", 9, 90), told("C", 9, 90, of="the people loaded here")],
            "C tells of the people loaded here",
        ),
        ([told("A", 9, 90), told("B", 9, 90), told("A", 9, 90)], "“A” is there twice"),
        (
            [told("A", 9, 90), told("B", 9, 90), Told("C", "m", "people like these", 0.1, 0.1, 0.1)],
            "the interval of “C” says nothing, or everything",
        ),
    ],
)
def test_what_would_mislead_is_refused_with_the_reason(councils: list[Told], why: str) -> None:
    with pytest.raises(EstimateError) as refused:
        together(councils)
    assert why in str(refused.value)


@given(st.integers(20, 400), st.floats(0, 1))
def test_the_effective_number_of_a_plain_blind_read_is_what_was_read(read: int, part: float) -> None:
    yes = round(part * read)
    n = effective_number(yes / read, *(mid_p if yes in (0, read) else wilson)(yes, read))
    assert n == pytest.approx(read)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(60, 200)), min_size=3, max_size=8))
def test_shares_and_bounds_are_ordered_and_between_nothing_and_everything(counts: list[tuple[int, int]]) -> None:
    found = together([told(str(i), yes, read) for i, (yes, read) in enumerate(counts)])
    assert 0 <= found.next_low <= found.low <= found.share <= found.high <= found.next_high <= 1
    assert 0 <= found.model.i2 <= 1
    shares = [(yes + 0.5) / (read + 1) for yes, read in counts]
    assert min(shares) - 0.01 < found.share < max(shares) + 0.01
