"""How many voices may leak: the exact bound, by values that can be looked up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from nlp.deid.assurance import LeakEstimate, expected_leaks, reads_needed
from nlp.types import Detection, Label


@pytest.mark.parametrize(
    ("read", "leaking", "upper"),
    [(0, 0, 1000), (1, 0, 950), (10, 0, 258.9), (59, 0, 49.5), (60, 1, 76.6), (100, 3, 75.7), (5, 5, 1000)],
)
def test_the_bound_is_that_of_clopper_and_pearson(read: int, leaking: int, upper: float) -> None:
    assert LeakEstimate(read, leaking, leaking).upper == pytest.approx(upper, abs=0.06)


@given(st.integers(1, 400), st.data())
def test_at_the_bound_so_few_leaks_would_be_seen_once_in_twenty(read: int, data: st.DataObject) -> None:
    leaking = data.draw(st.integers(0, read - 1))
    upper = LeakEstimate(read, leaking, leaking).upper / 1000

    assert binom.cdf(leaking, read, upper) == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize(("limit", "reads"), [(50, 59), (10, 299), (1, 2995), (999, 1)])
def test_how_many_clean_reads_a_limit_takes(limit: float, reads: int) -> None:
    assert reads_needed(limit) == reads


def test_identifiers_and_voices_are_counted_apart() -> None:
    estimate = LeakEstimate(read=50, leaking=2, missed=5)

    assert estimate.per_thousand == 40
    assert estimate.missed_per_thousand == 100


def test_only_doubts_about_direct_identifiers_are_expected_leaks() -> None:
    doubts = [
        Detection(0, 1, label, score, "test", "test", masked=False)
        for label, score in ((Label.PERSON, 0.25), (Label.PHONE, 0.125), (Label.LOCATION, 0.4))
    ]

    assert expected_leaks(doubts) == 0.375
