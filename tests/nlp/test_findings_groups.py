"""Groups, areas, weights, second readings: shares that rest on more than one draw over everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import EstimateError
from nlp.findings.prevalence import (
    Area,
    Blind,
    Estimate,
    Sample,
    Shown,
    TextsOfPeople,
    Truth,
    Unit,
    by_group,
    compare,
    equal_reads,
    estimate,
    pooled,
    rake,
    texts_from_people,
    with_shown,
)  # fmt: skip
from tests.nlp.samples import sample, study, uniform


def test_each_group_is_corrected_by_its_own_error_rates() -> None:
    """The machine hears nothing of the second group; one correction for both would share out what it heard of the first."""
    first, second = sample((50, 40, 40), (50, 40, 0), Unit.TEXT), sample((0, 0, 0), (100, 80, 40), Unit.TEXT)
    both = Sample(Unit.TEXT, *(np.concatenate([getattr(s, part) for s in (first, second)])
                               for part in ("suggested", "read", "positive", "weight")))  # fmt: skip
    rows = np.arange(200) < 100
    found = by_group(both, {"first": rows, "second": ~rows}, Truth.TEXTS_LOADED)
    assert isinstance(found["first"], Estimate)
    assert isinstance(found["second"], Estimate)
    assert (found["first"].share, found["second"].share) == pytest.approx((0.5, 0.5))
    assert compare(found["first"], found["second"], declared=True).difference == pytest.approx(0)


def test_a_group_of_whom_too_few_were_read_says_so_and_the_others_are_shown() -> None:
    held = sample((0, 0, 0), (200, 60, 6), Unit.TEXT)
    found = by_group(held, {"many": np.arange(200) < 150, "few": np.arange(200) > 50}, Truth.TEXTS_LOADED)
    assert isinstance(found["many"], Estimate)
    assert str(found["few"]).startswith("9 read so far; read at least 21 more")


def heard(share: float, low: float, high: float, read: int = 60) -> Estimate:
    return Estimate(share, low, high, read, 500, 10)


def test_a_difference_of_groups_puts_both_intervals_together() -> None:
    found = compare(heard(0.3, 0.26, 0.37), heard(0.1, 0.07, 0.13), declared=True)
    assert (found.difference, found.low, found.high) == pytest.approx((0.2, 0.15, 0.2 + np.hypot(0.07, 0.03)))


def test_groups_that_were_not_declared_before_reading_or_read_too_little_are_not_compared() -> None:
    with pytest.raises(EstimateError, match="declared before"):
        compare(heard(0.3, 0.2, 0.4), heard(0.1, 0, 0.2), declared=False)
    with pytest.raises(EstimateError, match="29 of one group were read; read at least 1 more"):
        compare(heard(0.3, 0.2, 0.4, read=29), heard(0.1, 0, 0.2), declared=True)


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 200), min_size=1, max_size=6), st.integers(0, 900)
)
def test_reads_are_spread_equally_over_groups_as_far_as_they_reach(sizes: dict[str, int], reads: int) -> None:
    given_ = equal_reads(sizes, reads)
    assert list(given_) == list(sizes)
    assert all(0 <= given_[name] <= size for name, size in sizes.items())
    assert sum(given_.values()) <= reads
    open_ = [given_[name] for name, size in sizes.items() if given_[name] < size]
    assert not open_ or max(open_) - min(open_) <= 1


# Decisions made with a suggestion on screen


def leaning(dice: np.random.Generator, accepts: float) -> tuple[Shown, Blind, float]:
    """A study of 1,000 whose coder accepts a part of wrong suggestions; half of what was shown is read again blind."""
    said, suggested, _, _ = study(dice, 1000, share=0.08, together=0.2)
    here, rest = np.flatnonzero(suggested), np.flatnonzero(~suggested)
    first = said[here] | (dice.random(len(here)) < accepts)
    twice = dice.permutation(len(here))[: len(here) // 2]
    blind = dice.choice(rest, 100, replace=False)
    found = Shown(len(here), first, first[twice], said[here][twice])
    return found, Blind(len(rest), 100, int(said[blind].sum())), float(said.mean())


@pytest.mark.parametrize("accepts", [0.0, 0.1, 0.3])
def test_shown_decisions_cover_the_truth_however_far_the_coder_leans(accepts: float) -> None:
    dice, covered, bias = np.random.default_rng(8), 0, []
    for _ in range(120):
        shown, blind, truth = leaning(dice, accepts)
        share, low, high = with_shown(shown, blind)
        covered += low <= truth <= high
        bias.append(share - truth)
    assert covered >= 0.9 * 120
    assert abs(np.mean(bias)) < 0.005


def test_shown_decisions_without_twenty_read_twice_count_for_nothing() -> None:
    yes = np.ones(60, bool)
    with pytest.raises(EstimateError, match="19 read twice so far; read at least 1 more blind"):
        with_shown(Shown(60, yes, yes[:19], yes[:19]), Blind(400, 60, 2))
    with pytest.raises(EstimateError, match="none of those not suggested"):
        with_shown(Shown(60, yes, yes[:20], yes[:20]), Blind(400, 0, 0))


def test_everything_shown_and_read_twice_is_what_the_second_reading_says() -> None:
    first, second = np.arange(50) < 30, np.arange(50) < 20
    assert with_shown(Shown(50, first, first, second), Blind(150, 150, 4)) == pytest.approx((0.12, 0.12, 0.12))


# Areas


def test_areas_of_few_reads_are_drawn_to_the_others_and_those_of_many_hardly() -> None:
    areas = {f"a{i}": Area(40.0, float(x)) for i, x in enumerate((2, 4, 5, 6, 8, 9, 11, 12))}
    areas |= {"tiny": Area(3.0, 3.0), "large": Area(4000.0, 2000.0), "unread": Area(0.0, 0.0)}
    found = pooled(areas)
    assert 0.2 < found["tiny"].share < 0.9
    assert found["large"].share == pytest.approx(0.5, abs=0.01)
    assert found["large"].own > 0.95 > found["a0"].own > found["tiny"].own > found["unread"].own == 0
    assert all(0 <= f.low <= f.share <= f.high <= 1 for f in found.values())


def test_areas_that_do_not_differ_are_drawn_together() -> None:
    found = pooled({f"a{i}": Area(50.0, 5.0 + (i % 2)) for i in range(10)})
    shares = [f.share for f in found.values()]
    assert max(shares) - min(shares) < 0.01


def test_under_eight_areas_nothing_is_borrowed() -> None:
    with pytest.raises(EstimateError, match="7 areas have reads; 8 are needed"):
        pooled({f"a{i}": Area(30.0, 3.0) for i in range(7)} | {"unread": Area(0.0, 0.0)})


def test_the_common_part_is_found_again() -> None:
    dice = np.random.default_rng(2)
    truth = dice.beta(4, 16, 120)
    found = pooled({str(i): Area(60.0, float(dice.binomial(60, p))) for i, p in enumerate(truth)})
    covered = np.mean([found[str(i)].low <= p <= found[str(i)].high for i, p in enumerate(truth)])
    error = np.mean([(found[str(i)].share - p) ** 2 for i, p in enumerate(truth)])
    assert covered >= 0.9
    assert error < 0.2 * 0.8 / 60


# Weights to a population


def test_raked_weights_give_the_populations_shares_and_say_what_they_cost() -> None:
    of = {"age": ["young"] * 60 + ["old"] * 40, "place": (["n", "s"] * 50)}
    raked = rake(of, {"age": {"young": 0.5, "old": 0.5}, "place": {"n": 3, "s": 1}})
    young, north = np.array(of["age"]) == "young", np.array(of["place"]) == "n"
    assert raked.weights[young].sum() / 100 == pytest.approx(0.5)
    assert raked.weights[north].sum() / 100 == pytest.approx(0.75)
    assert raked.weights.mean() == pytest.approx(1)
    assert raked.worth < 100
    assert not raked.heavy


def test_few_who_speak_for_many_are_said_to() -> None:
    assert rake({"age": ["young"] * 99 + ["old"]}, {"age": {"young": 0.5, "old": 0.5}}).heavy


def test_margins_that_do_not_fit_the_study_are_refused() -> None:
    with pytest.raises(EstimateError, match="only one of study and population"):
        rake({"age": ["young", "old"]}, {"age": {"young": 0.5, "middle": 0.5}})
    with pytest.raises(EstimateError, match="a value for every unit"):
        rake({"age": ["young"]}, {"age": {"young": 1}, "place": {"n": 1}})
    with pytest.raises(EstimateError, match="holds no shares"):
        rake({"age": ["young"]}, {"age": {"young": 0}})


def test_weighting_moves_a_share_to_the_population() -> None:
    counts = np.where(np.arange(200) < 50, 3.0, 1 / 3)
    held = sample((0, 0, 0), (200, 200, 50), Unit.PERSON)
    weighted = Sample(Unit.PERSON, held.suggested, held.read, held.positive, held.weight, counts_for=counts)
    assert estimate(weighted, Truth.PEOPLE_LOADED).share == pytest.approx(0.75)


def test_weighting_widens_a_share_and_says_what_it_assumes() -> None:
    held = sample((0, 0, 0), (200, 200, 100), Unit.PERSON)
    with_half = sample((0, 0, 0), (200, 100, 50), Unit.PERSON)
    counts = np.where(np.arange(200) % 4 == 0, 3.0, 1 / 3)
    weighted = Sample(Unit.PERSON, held.suggested, held.read, held.positive, held.weight, counts_for=counts)
    partly = Sample(
        Unit.PERSON, held.suggested, with_half.read, with_half.positive, with_half.weight, counts_for=counts
    )
    whole = estimate(weighted, Truth.PEOPLE_LOADED)
    assert whole.share == pytest.approx(0.5)
    assert whole.low == whole.high
    plain, found = (estimate(s, Truth.PEOPLE_LOADED) for s in (with_half, partly))
    assert found.high - found.low > plain.high - plain.low
    assert any("weighted to the make-up" in a for a in found.assumptions)


# Texts of people drawn whole


def test_the_share_of_texts_from_people_is_a_second_figure_that_covers() -> None:
    dice, covered = np.random.default_rng(4), 0
    for _ in range(200):
        said, suggested, _, person = study(dice, 900, share=0.2, together=0.3)
        people = person.max() + 1
        drawn, _ = uniform(dice, people, 80)
        texts = TextsOfPeople(person, suggested, drawn[person], said, np.full(900, people / 80))
        found = texts_from_people(texts)
        assert found.read == drawn[person].sum()
        covered += found.low <= said.mean() <= found.high
    assert covered >= 0.9 * 200
    assert found.truth is Truth.TEXTS_LOADED


def test_all_people_read_leave_no_doubt_of_their_texts_and_too_few_are_refused() -> None:
    person, yes = np.arange(60) // 2, np.arange(60) % 4 == 0
    every = TextsOfPeople(person, yes, np.ones(60, bool), yes, np.ones(60))
    found = texts_from_people(every)
    assert (found.low, found.share, found.high) == (0.25, 0.25, 0.25)
    with pytest.raises(EstimateError, match="29 read so far; read at least 1 more"):
        texts_from_people(TextsOfPeople(person, yes, person < 29, yes, np.ones(60)))
