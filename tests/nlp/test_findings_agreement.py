"""Agreement: published worked examples, two reference libraries, and what holds whatever coders say."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score

from nlp.errors import EstimateError, SpanError
from nlp.findings.agreement.code_sets import distances
from nlp.findings.agreement.coefficients import (
    NEVER_TWICE,
    NO_CHANCE,
    ONE_PERSON,
    Agreement,
    Coefficient,
    Coefficients,
    agreement,
    shift,
)
from nlp.findings.agreement.readings import NOT_READ, MarkedText, Readings, disagreements, from_sets, from_spans
from nlp.types import Span

EXACT = 1e-9


def readings(said: object, participants: Sequence[str] | None = None) -> Readings:
    """Readings of an array of shape (coders, items, codes)."""
    array = np.asarray(said, np.int8)
    coders, items, codes = array.shape
    return Readings(
        coders=tuple(f"coder {i}" for i in range(coders)),
        items=tuple(f"i{i}" for i in range(items)),
        codes=tuple(f"c{i}" for i in range(codes)),
        participants=tuple(participants or (f"p{i}" for i in range(items))),
        said=array,
    )


def one_of(values: Sequence[Sequence[int | None]]) -> Readings:
    """Coders who put each item in exactly one of several categories; each category is a code."""
    categories = sorted({v for row in values for v in row if v is not None})
    said = [[[NOT_READ] * len(categories) if v is None else [v == c for c in categories] for v in r] for r in values]
    return readings(np.array(said, np.int8))


def from_counts(table: Sequence[Sequence[int]]) -> Readings:
    """So many raters who put each item in each category, in no matter which order."""
    columns = [[category for category, n in enumerate(row) for _ in range(n)] for row in table]
    return one_of(np.array(columns).T.tolist())


def two_by_two(both: int, first: int, second: int, neither: int) -> Readings:
    pairs = [(1, 1)] * both + [(1, 0)] * first + [(0, 1)] * second + [(0, 0)] * neither
    return readings(np.array(pairs, np.int8).T[:, :, None])


def quick(found: Readings) -> Agreement:
    return agreement(found, times=50)


# Published worked examples.


def test_cohen_1960_table_1() -> None:
    table = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
    pairs = [(i, j) for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)]

    found = quick(one_of(np.array(pairs).T.tolist())).overall.coefficients

    assert found.cohen.value == pytest.approx(0.29 / 0.59, abs=EXACT)  # printed as .492


def test_fleiss_1971_thirty_patients_and_six_psychiatrists() -> None:
    table = """00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
               00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"""

    found = quick(from_counts([[int(n) for n in row] for row in table.split()]))

    assert [round(code.prevalence, 3) for code in found.codes] == [0.144, 0.144, 0.167, 0.306, 0.239]
    assert round(found.overall.coefficients.fleiss.value, 3) == 0.430


def test_krippendorff_2011_four_observers_twelve_units_missing_data() -> None:
    said = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    found = quick(one_of([[None if v == "." else int(v) for v in row] for row in said]))

    assert round(found.overall.coefficients.alpha.value, 3) == 0.743


def test_krippendorff_2011_two_observers_binary() -> None:
    one, two = "0100000010", "1110010000"
    found = quick(readings(np.array([[int(v) for v in one], [int(v) for v in two]])[:, :, None]))

    assert round(found.codes[0].coefficients.alpha.value, 3) == 0.095


def test_gwet_2002_kappa_falls_below_nought_while_coders_agree_on_94_in_100() -> None:
    found = quick(two_by_two(118, 5, 2, 0)).codes[0].coefficients

    assert round(found.ac1.value, 4) == 0.9408
    assert round(found.cohen.value, 4) == -0.0234
    assert found.percent.value == pytest.approx(0.944, abs=EXACT)


@pytest.mark.parametrize(
    ("one", "two", "similarity"),
    [
        ("ab", "ab", 1),
        ("ab", "abc", 2 / 3 * 2 / 3),  # one holds the other
        ("abc", "bcd", 1 / 2 * 1 / 3),  # they overlap
        ("ab", "cd", 0),
        ("", "", 1),
        ("", "a", 0),
    ],
)
def test_masi_is_jaccard_times_monotony_as_passonneau_2006_defines_them(one: str, two: str, similarity: float) -> None:
    sets = np.array([[float(c in each) for c in "abcd"] for each in (one, two)])

    assert distances(sets[:1], sets[1:])[0, 0] == pytest.approx(1 - similarity, abs=EXACT)


def test_two_overlapping_spans_in_a_thousand_characters_have_a_kappa_of_0444() -> None:
    """A codes 0 to 100, B codes 50 to 150; a well-known desktop tool prints 0.299."""
    text = MarkedText("t", "p", 1000, {"A": {"c": [Span(0, 100)]}, "B": {"c": [Span(50, 150)]}})

    (code,) = quick(from_spans([text], ["c"])).codes

    assert code.coefficients.cohen.value == pytest.approx(4 / 9, abs=EXACT)
    assert code.coefficients.percent.value == pytest.approx(0.9, abs=EXACT)
    assert (code.units, code.prevalence) == (1000, pytest.approx(0.1))


# Reference libraries.


@st.composite
def any_readings(draw: st.DrawFn, coders: int = 4, missing: bool = True) -> NDArray[np.int8]:
    size = (coders if coders == 2 else draw(st.integers(2, coders)), draw(st.integers(1, 12)), draw(st.integers(1, 4)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    said = (rng.random(size) < draw(st.floats(0, 1))).astype(np.int8)
    if missing:
        said[rng.random(size[:2]) < draw(st.floats(0, 0.6))] = NOT_READ
    return said


def alpha(said: NDArray[np.int8], **how: object) -> float:
    """The `krippendorff` library's nominal alpha of (coders, items); NaN where it refuses or divides by nothing."""
    data = np.where(said == NOT_READ, nan, said)
    with np.errstate(all="ignore"):
        try:
            return float(krippendorff.alpha(data, level_of_measurement="nominal", **how))
        except ValueError:  # one value in the whole domain, or nothing to pair
            return nan


@settings(max_examples=150, deadline=None)
@given(any_readings())
def test_alpha_is_what_the_krippendorff_library_says(said: NDArray[np.int8]) -> None:
    for code in range(said.shape[2]):
        found = quick(readings(said)).codes[code].coefficients.alpha
        assert found.value == pytest.approx(alpha(said[:, :, code]), abs=EXACT, nan_ok=True)


@settings(max_examples=150, deadline=None)
@given(any_readings(coders=2, missing=False))
def test_cohens_kappa_is_what_scikit_learn_says(said: NDArray[np.int8]) -> None:
    for code, found in enumerate(quick(readings(said)).codes):
        one, two = said[:, :, code]
        if len({*one, *two}) > 1:
            assert found.coefficients.cohen.value == pytest.approx(cohen_kappa_score(one, two), abs=EXACT)
        else:
            assert found.coefficients.cohen.why == NO_CHANCE


@settings(max_examples=150, deadline=None)
@given(any_readings())
def test_alpha_on_sets_is_what_the_krippendorff_library_says_with_the_masi_distance(said: NDArray[np.int8]) -> None:
    whole = (said != NOT_READ).all(axis=2)
    number = said.clip(0) @ (2 ** np.arange(said.shape[2]))
    data = np.where(whole, number, nan)
    domain = np.unique(number[whole])
    found = quick(readings(said)).sets
    if (whole.sum(axis=0) > 1).any() and len(domain) > 1:

        def masi(v1: NDArray[np.float64], v2: NDArray[np.float64], **_: object) -> NDArray[np.float64]:
            bits = [
                [(x.astype(int) >> k & 1).astype(float) for k in range(said.shape[2])]
                for x in np.broadcast_arrays(v1, v2)
            ]
            one, two = (np.stack(b, axis=-1) for b in bits)
            shape = one.shape[:-1]
            flat = [
                distances(a[None], b[None])[0, 0]
                for a, b in zip(one.reshape(-1, one.shape[-1]), two.reshape(-1, two.shape[-1]), strict=True)
            ]
            return np.array(flat).reshape(shape)

        with np.errstate(all="ignore"):
            expected = krippendorff.alpha(data, value_domain=domain, level_of_measurement=masi)
        assert found.value == pytest.approx(expected, abs=EXACT, nan_ok=True)
    elif not (whole.sum(axis=0) > 1).any():
        assert found.why == NEVER_TWICE


@settings(max_examples=100, deadline=None)
@given(any_readings())
def test_fleiss_and_ac1_are_as_gwet_writes_them(said: NDArray[np.int8]) -> None:
    for code, found in enumerate(quick(readings(said)).codes):
        column = [[v for v in row if v != NOT_READ] for row in said[:, :, code].T]
        read, twice = [r for r in column if r], [r for r in column if len(r) > 1]
        if not twice:
            continue
        share = np.mean([np.mean(r) for r in read])
        agreed = np.mean(
            [
                (sum(r) * (sum(r) - 1) + (len(r) - sum(r)) * (len(r) - sum(r) - 1)) / (len(r) * (len(r) - 1))
                for r in twice
            ]
        )
        chance = share**2 + (1 - share) ** 2
        by_gwet = 2 * share * (1 - share)
        assert found.prevalence == pytest.approx(share, abs=EXACT)
        assert found.coefficients.percent.value == pytest.approx(agreed, abs=EXACT)
        assert found.coefficients.ac1.value == pytest.approx((agreed - by_gwet) / (1 - by_gwet), abs=EXACT)
        if 0 < share < 1:
            assert found.coefficients.fleiss.value == pytest.approx((agreed - chance) / (1 - chance), abs=EXACT)


@st.composite
def marked(draw: st.DrawFn) -> tuple[int, dict[str, list[Span]]]:
    length = draw(st.integers(1, 60))
    edge = st.integers(0, length)
    span = st.tuples(edge, edge).map(lambda e: Span(min(e), max(e)))
    return length, {coder: draw(st.lists(span, max_size=4)) for coder in "AB"}


@settings(max_examples=150, deadline=None)
@given(st.lists(marked(), min_size=1, max_size=4))
def test_at_span_level_every_character_is_a_unit_however_spans_overlap(
    texts: list[tuple[int, dict[str, list[Span]]]],
) -> None:
    found = quick(
        from_spans(
            [MarkedText(f"t{i}", f"p{i}", n, {c: {"c": s} for c, s in m.items()}) for i, (n, m) in enumerate(texts)],
            ["c"],
        )
    )
    one, two = ([any(s.start <= at < s.end for s in m[c]) for n, m in texts for at in range(n)] for c in "AB")

    (code,) = found.codes
    assert code.units == len(one)
    assert code.coefficients.percent.value == pytest.approx(np.mean(np.array(one) == two), abs=EXACT)
    assert code.coefficients.alpha.value == pytest.approx(alpha(np.array([one, two], np.int8)), abs=EXACT, nan_ok=True)
    if len({*one, *two}) > 1:
        assert code.coefficients.cohen.value == pytest.approx(cohen_kappa_score(one, two), abs=EXACT)


# What holds whatever coders say.


@settings(max_examples=60, deadline=None)
@given(any_readings())
def test_an_interval_holds_its_value_and_what_is_not_defined_says_why(said: NDArray[np.int8]) -> None:
    found = quick(readings(said, [f"p{i // 2}" for i in range(said.shape[1])]))

    for each in (*(c for row in (*found.codes, found.overall) for c in astuples(row.coefficients)), found.sets):
        if each.why:
            assert isnan(each.low) and isnan(each.high)
        else:
            assert each.low <= each.value + EXACT and each.value <= each.high + EXACT
            assert each.low >= min(-1, each.value) and each.high <= 1 + EXACT


def astuples(found: Coefficients) -> list[Coefficient]:
    return [found.percent, found.cohen, found.fleiss, found.alpha, found.ac1]


@settings(max_examples=40, deadline=None)
@given(any_readings(), st.randoms())
def test_the_order_of_coders_and_items_changes_no_value(said: NDArray[np.int8], random: object) -> None:
    rng = np.random.default_rng(1)
    other = said[rng.permutation(said.shape[0])][:, rng.permutation(said.shape[1])]

    for a, b in zip(quick(readings(said)).codes, quick(readings(other)).codes, strict=True):
        for one, two in zip(astuples(a.coefficients), astuples(b.coefficients), strict=True):
            assert one.value == pytest.approx(two.value, abs=EXACT, nan_ok=True)


def test_coders_who_always_agree_reach_one() -> None:
    said = np.random.default_rng(0).integers(0, 2, (1, 40, 3)).repeat(3, axis=0)

    found = agreement(readings(said))

    for each in (*astuples(found.overall.coefficients), found.sets):
        assert each.value == pytest.approx(1)
        assert each.low < 1  # forty people who agree are no proof


def test_the_same_seed_gives_the_same_interval() -> None:
    found = two_by_two(20, 5, 5, 70)

    assert agreement(found, seed=3) == agreement(found, seed=3)


def test_participants_are_drawn_again_whole_so_alike_texts_of_one_person_widen_the_interval() -> None:
    said = np.random.default_rng(4).integers(0, 2, (2, 20, 1)).repeat(5, axis=1)

    texts = agreement(readings(said)).codes[0].coefficients.percent
    people = agreement(readings(said, [f"p{i // 5}" for i in range(100)])).codes[0].coefficients.percent

    assert people.value == texts.value
    assert people.high - people.low > 1.8 * (texts.high - texts.low)


def test_the_interval_by_participant_holds_the_truth_about_95_times_in_100() -> None:
    rng, held, runs = np.random.default_rng(11), 0, 200
    for _ in range(runs):
        truth = rng.random(80) < 0.3
        said = np.stack([np.where(rng.random(80) < 0.15, rng.random(80) < 0.3, truth) for _ in range(2)])
        found = agreement(readings(said[:, :, None]), times=400).codes[0].coefficients.alpha
        held += found.low <= 0.85**2 <= found.high

    assert 0.91 <= held / runs <= 0.99


# Where nothing can be said.


def test_one_coder_alone_agrees_with_nobody() -> None:
    found = quick(readings(np.ones((1, 5, 2))))

    assert {c.why for c in astuples(found.overall.coefficients)} == {NEVER_TWICE}
    assert found.sets.why == NEVER_TWICE
    assert found.codes[0].units == 0
    assert found.codes[0].prevalence == 1


def test_coders_without_an_item_in_common_are_not_compared() -> None:
    said = np.array([[1, 1, NOT_READ, NOT_READ], [NOT_READ, NOT_READ, 0, 1]])[:, :, None]

    assert {c.why for c in astuples(quick(readings(said)).codes[0].coefficients)} == {NEVER_TWICE}


def test_nobody_ever_gave_the_code_so_kappa_is_not_defined_but_percent_and_ac1_are() -> None:
    found = quick(readings(np.zeros((2, 30, 1)))).codes[0].coefficients

    assert {c.why for c in (found.cohen, found.fleiss, found.alpha)} == {NO_CHANCE}
    assert found.percent.value == found.ac1.value == 1
    assert found.percent.low < 1


def test_texts_of_one_person_give_a_value_but_no_interval() -> None:
    found = quick(readings(np.random.default_rng(0).integers(0, 2, (2, 30, 1)), ["p"] * 30)).codes[0].coefficients.alpha

    assert found.why == ONE_PERSON
    assert not isnan(found.value) and isnan(found.low)


def test_no_readings_at_all() -> None:
    found = quick(from_sets({}, {}, ["a"]))

    assert found.overall.coefficients.percent.why == NEVER_TWICE


def test_readings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(EstimateError, match="shape"):
        Readings(("a",), ("i",), ("c",), ("p",), np.zeros((2, 1, 1), np.int8))
    with pytest.raises(EstimateError, match="one participant"):
        Readings(("a",), ("i",), ("c",), (), np.zeros((1, 1, 1), np.int8))
    with pytest.raises(EstimateError, match="yes"):
        readings(np.full((1, 1, 1), 7))
    with pytest.raises(EstimateError, match="item i9"):
        from_sets({("a", "i9"): ["c"]}, {"i": "p"}, ["c"])
    with pytest.raises(EstimateError, match="item t"):
        from_spans([MarkedText("t", "p", 9, {"a": {"x": [Span(0, 1)]}})], ["c"])
    with pytest.raises(SpanError, match="item t"):
        from_spans([MarkedText("t", "p", 9, {"a": {"c": [Span(5, 10)]}})], ["c"])


# What to talk about.


def test_disagreements_name_who_said_yes_and_who_said_no_most_even_splits_first() -> None:
    said = np.array([[1, 1, 0], [1, 0, 0], [0, 0, NOT_READ]])[:, :, None]

    found = disagreements(readings(said))

    assert [(d.item, d.yes, d.no) for d in found] == [
        ("i0", ("coder 0", "coder 1"), ("coder 2",)),
        ("i1", ("coder 0",), ("coder 1", "coder 2")),
    ]


def test_a_disagreement_on_words_is_one_place_though_another_code_cuts_it() -> None:
    text = MarkedText("t", "p", 100, {"A": {"c": [Span(0, 40)], "d": [Span(10, 20)]}, "B": {"d": [Span(10, 20)]}})

    assert [(d.code, d.place) for d in disagreements(from_spans([text], ["c", "d"]))] == [("c", Span(0, 40))]


# Two conditions.


def test_agreement_that_rises_when_suggestions_are_shown_has_a_difference_above_nought() -> None:
    blind, shown = two_by_two(20, 20, 20, 60), two_by_two(40, 2, 2, 76)

    found = shift(blind, shown, times=400)

    assert found.codes[0].difference.alpha.value == pytest.approx(
        found.codes[0].shown.coefficients.alpha.value - found.codes[0].blind.coefficients.alpha.value
    )
    assert found.codes[0].difference.alpha.low > 0
    assert found.overall.difference.percent.low > 0


def test_a_difference_to_what_is_not_defined_is_not_defined() -> None:
    found = shift(two_by_two(0, 0, 0, 20), two_by_two(5, 5, 5, 5), times=50).codes[0].difference

    assert found.alpha.why == NO_CHANCE
    assert isnan(found.alpha.value)
    assert found.percent.why == ""


def test_two_conditions_of_other_codes_are_not_compared() -> None:
    with pytest.raises(EstimateError, match="same codes"):
        shift(readings(np.zeros((2, 2, 1))), readings(np.zeros((2, 2, 2))))


@settings(max_examples=30, deadline=None)
@given(any_readings(coders=2, missing=False))
def test_the_difference_of_a_condition_to_itself_is_nought(said: NDArray[np.int8]) -> None:
    for code in shift(readings(said), readings(said), times=50).codes:
        for each in astuples(code.difference):
            assert each.why or (each.value == 0 and each.low <= 0 <= each.high)
