"""Small counts: one to five people are never shown, nor can they be worked out from a share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.findings.disclosure import SUPPRESSED, may_show_share, shown_count


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_one_to_five_are_never_shown(count: int) -> None:
    shown = shown_count(count)
    assert (shown.value, shown.words) == (None, SUPPRESSED)
    assert str(count) not in shown.words


@pytest.mark.parametrize(("count", "words"), [(0, "0"), (6, "6"), (194, "194"), (1234, "1,234")])
def test_none_and_six_upwards_are_shown(count: int, words: str) -> None:
    shown = shown_count(count)
    assert (shown.value, shown.words) == (count, words)


@pytest.mark.parametrize(
    ("positive", "total", "shown"),
    [
        (0, 5, False),
        (0, 6, True),
        (6, 6, True),
        (3, 60, False),
        (57, 60, False),
        (6, 60, True),
        (54, 60, True),
        (55, 60, False),
        (6, 12, True),
        (6, 11, False),
        (0, 0, False),
    ],
)
def test_a_share_is_shown_when_it_gives_no_small_count_away(positive: int, total: int, shown: bool) -> None:
    assert may_show_share(positive, total) is shown


@given(st.integers(0, 500), st.integers(0, 500))
def test_what_a_shown_share_gives_away_may_be_shown(positive: int, negative: int) -> None:
    counts = [shown_count(n).value for n in (positive, negative, positive + negative)]
    if may_show_share(positive, positive + negative):
        assert None not in counts
    else:
        assert None in counts or positive + negative == 0
