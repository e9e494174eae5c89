"""What is worked out at each level, and what is refused with the way to make it possible."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nlp.errors import LinkError
from nlp.findings.link import AreaPair, Comparison, Family, Level, People, associate, differences, regress
from nlp.findings.prevalence import Estimate

RNG = np.random.default_rng


def areas(seed: int, count: int, slope: float, *, error: float = 0.03, spread: float = 0.1) -> list[AreaPair]:
    rng = RNG(seed)
    true = 0.5 + spread * rng.standard_normal(count)
    heard = 0.3 + slope * (true - 0.5) + 0.02 * rng.standard_normal(count)
    x, y = true + error * rng.standard_normal(count), heard + error * rng.standard_normal(count)
    arm = 1.96 * error
    return [AreaPair(f"A{i}", "2025", y[i], y[i] - arm, y[i] + arm, x[i], x[i] - arm, x[i] + arm) for i in range(count)]


def test_under_ten_areas_there_is_no_association_and_the_refusal_says_how_many_more() -> None:
    with pytest.raises(LinkError, match=r"4 areas can line up by chance.*6 more areas, 10 in all"):
        associate(areas(1, 4, 1.0), level=Level.AREAS, seed=1)


def test_a_link_of_context_carries_no_association() -> None:
    with pytest.raises(LinkError, match="the link is of level L0 .*It becomes possible with a link of level L1"):
        associate(areas(1, 30, 1.0), level=Level.CONTEXT, seed=1)


def test_areas_of_which_much_is_not_known_or_of_several_years_are_not_lined_up() -> None:
    pairs = areas(1, 30, 1.0)

    with pytest.raises(LinkError, match="51% of the group is “information not known”"):
        associate([replace(pairs[0], not_known=0.51), *pairs[1:]], level=Level.AREAS, seed=1)
    with pytest.raises(LinkError, match="2 different periods"):
        associate([replace(pairs[0], period="2024"), *pairs[1:]], level=Level.AREAS, seed=1)


def test_figures_that_are_all_error_are_not_lined_up() -> None:
    with pytest.raises(LinkError, match="as wide as the differences between areas"):
        associate(areas(1, 30, 1.0, error=0.2), level=Level.AREAS, seed=1)


def test_errors_in_the_indicator_do_not_flatten_the_slope_and_its_interval_covers() -> None:
    runs = [associate(areas(seed, 40, 1.0, error=0.05), level=Level.AREAS, seed=1) for seed in range(150)]
    covered = np.mean([a.low <= 1.0 <= a.high for a in runs])

    assert abs(np.median([a.slope for a in runs]) - 1.0) < 0.06  # plain least squares: about .80
    assert covered > 0.9
    assert np.mean([a.p < 0.05 for a in runs]) > 0.95


def test_where_nothing_goes_together_chance_is_called_chance() -> None:
    runs = [associate(areas(seed, 12, 0.0), level=Level.AREAS, seed=1) for seed in range(200)]

    assert 0.02 <= np.mean([a.p < 0.05 for a in runs]) <= 0.085
    assert all("not people" in a.warning for a in runs)


def share(point: float, low: float, high: float, read: int = 60) -> Estimate:
    return Estimate(point, low, high, read, 200, 10)


FAMILY = Family(
    (Comparison("A", "girls", "boys"), Comparison("B", "girls", "boys"), Comparison("C", "girls", "boys")),
    by="Lead",
    declared_at="2026-01-01",
)
SHARES = {
    ("A", "girls"): share(0.5, 0.4, 0.6), ("A", "boys"): share(0.2, 0.12, 0.3),
    ("B", "girls"): share(0.3, 0.2, 0.4), ("B", "boys"): share(0.3, 0.2, 0.4),
    ("C", "girls"): share(0.3, 0.2, 0.4), ("C", "boys"): share(0.1, 0.02, 0.3, read=12),
}  # fmt: skip


def test_a_family_is_tested_whole_and_what_was_refused_still_counts_in_it() -> None:
    first, second, third = differences(FAMILY, SHARES, level=Level.GROUPS, first_read_at="2026-01-02")

    assert first.difference == pytest.approx(0.3)
    assert first.low is not None and first.low > 0.15
    assert first.p is not None and first.q == pytest.approx(3 * first.p)
    assert second.q == 1.0
    assert third.difference is None
    assert "12" not in third.refusal and "18 more of them" in third.refusal


def test_an_interval_that_just_touches_nought_has_a_p_of_one_in_twenty() -> None:
    pair = {("A", "girls"): share(0.3, 0.2, 0.4), ("A", "boys"): share(0.2, 0.2, 0.2)}
    family = Family((Comparison("A", "girls", "boys"),), by="Lead", declared_at="2026-01-01")

    (found,) = differences(family, pair, level=Level.GROUPS, first_read_at="2026-01-02")

    assert found.low == pytest.approx(0)
    assert found.p == pytest.approx(0.05, abs=1e-6)


def test_a_family_that_was_declared_after_a_look_is_refused() -> None:
    with pytest.raises(LinkError, match="declared after reading had begun"):
        differences(FAMILY, SHARES, level=Level.GROUPS, first_read_at="2025-12-31")


def people(seed: int, count: int, *, slope: float, read: int) -> tuple[People, np.ndarray]:  # type: ignore[type-arg]
    """Families of two; the machine hears the theme less well where the measure is high."""
    rng = RNG(seed)
    family = np.arange(count) // 2
    measure = rng.standard_normal(count)
    chance = 1 / (1 + np.exp(-(-1.0 + slope * measure + 0.5 * rng.standard_normal(count // 2 + 1)[family])))
    theme = rng.random(count) < chance
    heard = np.where(theme, rng.random(count) < np.where(measure > 0, 0.5, 0.9), rng.random(count) < 0.05)
    drawn = np.zeros(count, bool)
    drawn[rng.choice(count, read, replace=False)] = True
    return People(heard.astype(float), drawn, theme & drawn, np.full(count, read / count), family), measure[:, None]


def fit(seed: int, slope: float, read: int = 250) -> tuple[float, float, float]:
    group, measure = people(seed, 1000, slope=slope, read=read)
    (term,) = regress(group, measure, ["measure"], level=Level.PEOPLE, consented=True, expected=0.25).terms
    return float(np.log(term.odds_ratio)), float(np.log(term.low)), float(np.log(term.high))


def test_a_model_is_right_although_the_machine_hears_some_people_less_well() -> None:
    runs = np.array([fit(seed, 0.0) for seed in range(120)])
    group, measure = people(0, 40_000, slope=0.0, read=1000)
    naive = np.corrcoef(group.machine, measure[:, 0])[0, 1]

    assert naive < -0.1  # the machine alone would find that the measure goes with less of the theme
    assert abs(runs[:, 0].mean()) < 0.08
    assert np.mean((runs[:, 1] <= 0) & (runs[:, 2] >= 0)) > 0.9


def test_with_everybody_read_the_machine_does_not_matter() -> None:
    group, measure = people(3, 400, slope=0.8, read=400)
    other = replace(group, machine=1 - group.machine)
    ask = {"level": Level.PEOPLE, "consented": True, "expected": 0.25}

    one, two = (regress(g, measure, ["measure"], **ask) for g in (group, other))  # type: ignore[arg-type]

    assert one.terms[0].odds_ratio == pytest.approx(two.terms[0].odds_ratio)
    assert one.terms[0].low > 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"level": Level.GROUPS}, "a consented link between voices and measures"),
        ({"consented": False}, "their consent"),
        ({"expected": 0.02}, "1 terms need 10 people expected"),
    ],
)
def test_a_model_is_refused_with_what_would_make_it_possible(change: dict[str, object], problem: str) -> None:
    group, measure = people(1, 400, slope=0.0, read=100)

    with pytest.raises(LinkError, match=problem) as refused:
        regress(group, measure, ["m"], **{"level": Level.PEOPLE, "consented": True, "expected": 0.25, **change})  # type: ignore[arg-type]

    assert "It becomes possible with" in str(refused.value)


def test_a_measure_that_is_blank_or_the_same_for_all_is_refused() -> None:
    group, measure = people(1, 400, slope=0.0, read=100)
    ask = {"level": Level.PEOPLE, "consented": True, "expected": 0.25}

    with pytest.raises(LinkError, match="blank"):
        regress(group, np.full_like(measure, np.nan), ["m"], **ask)  # type: ignore[arg-type]
    with pytest.raises(LinkError, match="the same for everybody"):
        regress(group, np.ones_like(measure), ["m"], **ask)  # type: ignore[arg-type]
