"""Releases of tables, attacked: no small count can be worked out, within a table or across releases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from nlp.errors import DisclosureError
from nlp.findings.disclosure import (
    DFE,
    LA5,
    PROFILES,
    TRE10,
    Axis,
    Cell,
    Counted,
    Fact,
    Plan,
    Table,
    from_data,
    plan,
    profile,
    to_data,
)
from nlp.findings.disclosure.trial import recovered, trial, world

COLOUR = Axis("colour", ("red", "green", "blue"))
SHAPE = Axis("shape", ("round", "square", "flat"))


def people(counts: Sequence[Sequence[int]]) -> list[Counted]:
    return [
        Counted({"colour": c, "shape": s}, people=counts[i][j])
        for i, c in enumerate(COLOUR.values)
        for j, s in enumerate(SHAPE.values)
    ]


def release(counts: Sequence[Sequence[int]], **changes: object) -> Plan:
    rules = profile("la5", {"round_base": 1, **changes})
    return plan(people(counts), [Table("t", (COLOUR, SHAPE))], profile=rules, release="r")


def shown(done: Plan) -> dict[tuple[str, ...], int | None]:
    return {c.labels: c.people for c in done.cells}


def bounds(cells: Sequence[Cell], aim: tuple[str, str]) -> tuple[float, float]:
    """What anyone with a linear solver works out of one cell from the cells that are shown."""
    inner = list(product(COLOUR.values, SHAPE.values))

    def row(labels: tuple[str, ...]) -> list[float]:
        return [float(labels[0] in (c, "All") and labels[1] in (s, "All")) for c, s in inner]

    known = [(row(c.labels), c.people) for c in cells if c.people is not None]
    form = np.array(row(aim))
    kwargs = {"A_eq": [r for r, _ in known] or None, "b_eq": [n for _, n in known] or None, "bounds": (0, 10_000)}
    low, high = (linprog(sign * form, **kwargs) for sign in (1, -1))
    return low.fun, -high.fun


@given(st.lists(st.lists(st.integers(0, 25), min_size=3, max_size=3), min_size=3, max_size=3))
@settings(max_examples=40)
def test_no_small_cell_is_bounded_tighter_than_allowed_by_anything_in_its_table(counts: list[list[int]]) -> None:
    done = release(counts)
    truth = {(c, s): counts[i][j] for i, c in enumerate(COLOUR.values) for j, s in enumerate(SHAPE.values)}
    for labels, count in truth.items():
        if 0 < count < 6:
            assert shown(done)[labels] is None
            low, high = bounds(done.cells, labels)
            assert high - low >= LA5.protection - 1e-6
            assert low - 1e-6 <= count <= high + 1e-6


@given(st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=2, max_size=2))
@settings(max_examples=15)
def test_every_whole_number_table_that_agrees_leaves_a_small_cell_open(counts: list[list[int]]) -> None:
    pair = Axis("colour", ("red", "green"))
    rows = [
        Counted({"colour": c, "shape": s}, people=counts[i][j])
        for i, c in enumerate(pair.values)
        for j, s in enumerate(SHAPE.values)
    ]
    done = plan(rows, [Table("t", (pair, SHAPE))], profile=profile("la5", {"round_base": 1}), release="r")
    cells = {c.labels: c.people for c in done.cells}
    for i, j in product(range(2), range(3)):
        if not 0 < counts[i][j] < 6:
            continue
        values = set()
        for first in product(range(19), repeat=3):
            found = _fits(first, cells, pair.values)
            values |= {table[i][j] for table in found}
        assert max(values) - min(values) >= 5


def _fits(
    first: tuple[int, ...], cells: dict[tuple[str, ...], int | None], colours: tuple[str, ...]
) -> list[list[list[int]]]:
    """The tables with this first row that agree with what is shown; the second row follows, or runs to 18."""
    found = []
    choices = []
    for j, s in enumerate(SHAPE.values):
        one, two, both = cells[colours[0], s], cells[colours[1], s], cells["All", s]
        if one is not None and one != first[j]:
            return []
        options = range(19) if two is None else [two]
        choices.append([n for n in options if both is None or first[j] + n == both])
    row, other, total = cells[colours[0], "All"], cells[colours[1], "All"], cells["All", "All"]
    if row is not None and sum(first) != row:
        return []
    for second in product(*choices):
        if other is not None and sum(second) != other:
            continue
        if total is None or sum(first) + sum(second) == total:
            found.append([list(first), list(second)])
    return found


@given(st.lists(st.lists(st.integers(0, 15), min_size=3, max_size=3), min_size=3, max_size=3))
@settings(max_examples=8)
def test_no_safe_pattern_loses_fewer_cells(counts: list[list[int]]) -> None:
    done = release(counts)
    lost = {c.labels for c in done.cells if c.people is None}
    assert done.small + done.others == len(lost)
    assert done.least == len(lost)
    small = {
        (c, s): counts[i][j]
        for i, c in enumerate(COLOUR.values)
        for j, s in enumerate(SHAPE.values)
        if 0 < counts[i][j] < 6
    }
    full = {
        (c, s): sum(
            counts[i][j]
            for i, x in enumerate(COLOUR.values)
            for j, y in enumerate(SHAPE.values)
            if c in (x, "All") and s in (y, "All")
        )
        for c, s in product((*COLOUR.values, "All"), (*SHAPE.values, "All"))
    }
    forced = {labels for labels, n in full.items() if 0 < n < 6}
    if not 0 < len(lost) - len(forced) <= 2:
        return
    for extra in combinations(sorted(set(full) - forced), len(lost) - len(forced) - 1):
        cells = [Cell("t", labels, None if labels in forced | set(extra) else n) for labels, n in full.items()]
        widths = [high - low for low, high in (bounds(cells, labels) for labels in small)]
        assert min(widths) < 5


# Several releases at once


@pytest.mark.parametrize("name", list(PROFILES))
@pytest.mark.parametrize("seed", range(8))
def test_three_releases_attacked_together_give_nothing_away(name: str, seed: int) -> None:
    found = trial(seed, PROFILES[name], top=5)
    assert found.recovered == 0
    assert found.small + found.others - found.least <= 0.15 * max(1, found.least)


def test_the_attacker_of_the_trial_does_find_what_an_unguarded_release_gives_away() -> None:
    made = world(0, top=5)
    crowd = [row for row in made.people if row.values["stay"] != "joined"]
    guarded = plan(crowd, [made.tables[0]], profile=LA5, release="first")
    assert not recovered(made, [guarded.entry], [guarded])
    counted = {
        where: sum(row.people for row in crowd if all(row.values[a] in values for a, values in where))
        for _, where in made.tables[0].cells()
    }
    lax = tuple(Fact("first", where, n, n) for where, n in counted.items() if not 0 < n < 6)
    assert len(lax) > len(guarded.entry.facts)
    assert recovered(made, [replace(guarded.entry, facts=lax)], [])


ONE = Axis("home", ("suitable", "not"))


def home(suitable: int, other: int, **more: object) -> list[Counted]:
    return [Counted({"home": "suitable"}, people=suitable, **more), Counted({"home": "not"}, people=other, **more)]  # type: ignore[arg-type]


def test_people_who_joined_cannot_be_told_from_two_releases() -> None:
    table = [Table("t", (ONE,))]
    first = plan(home(20, 20), table, profile=LA5, release="spring")
    assert None not in [c.people for c in first.cells]
    before = frozenset(("spring",))
    later = [*home(20, 20, earlier=before), *home(3, 0)]
    second = plan(later, table, profile=LA5, release="autumn", ledger=[first.entry])
    assert None in [c.people for c in second.cells]
    alone = plan(later, table, profile=LA5, release="autumn")
    assert None not in [c.people for c in alone.cells]


def test_groups_that_differ_by_a_few_people_are_not_both_shown() -> None:
    narrow = Axis("age", ("16", "17", "18"), {"16 and 17": ("16", "17")}, leaves=False)
    wide = Axis("age", ("16", "17", "18"), {"16 to 18": ("16", "17", "18")}, total="Everyone", leaves=False)
    crowd = [Counted({"age": a}, people=n) for a, n in (("16", 20), ("17", 20), ("18", 2))]
    first = plan(crowd, [Table("narrow", (narrow,))], profile=LA5, release="one")
    both = [(c.labels[0], c.people) for c in first.cells]
    assert ("16 and 17", None) in both or ("All", None) in both
    second = plan(
        [Counted(c.values, people=c.people, earlier=frozenset(("one",))) for c in crowd],
        [Table("wide", (wide,))],
        profile=LA5,
        release="two",
        ledger=[first.entry],
    )
    released = {n for n in (*[n for _, n in both], *[c.people for c in second.cells]) if n is not None}
    assert not {42, 40} <= released


def test_the_ledger_is_kept_as_plain_data_and_read_back_the_same() -> None:
    entry = release([[3, 20, 20], [20, 20, 20], [20, 20, 20]]).entry
    assert from_data(json.loads(json.dumps(to_data(entry)))) == entry
    with pytest.raises(DisclosureError, match="not readable"):
        from_data({"release": "x"})


def test_a_release_is_in_the_ledger_once_and_agrees_with_its_people() -> None:
    table = [Table("t", (ONE,))]
    first = plan(home(20, 20), table, profile=LA5, release="spring")
    with pytest.raises(DisclosureError, match="in the ledger already"):
        plan(home(20, 20), table, profile=LA5, release="spring", ledger=[first.entry])
    changed = home(21, 19, earlier=frozenset(("spring",)))
    with pytest.raises(DisclosureError, match="does not agree with these people"):
        plan(changed, table, profile=LA5, release="autumn", ledger=[first.entry])


# Rules of the profiles


def test_rochdale_cannot_publish_one_of_its_two_held_back_cells() -> None:
    activity = Axis(
        "activity",
        ("education", "work", "higher education", "apprenticeship", "not in any", "not known"),
        {"in any": ("education", "work", "higher education", "apprenticeship")},
        total="Total",
    )
    counts = {
        "education": 33,
        "work": 39,
        "higher education": 21,
        "apprenticeship": 4,
        "not in any": 100,
        "not known": 13,
    }
    done = plan(
        [Counted({"activity": a}, people=n) for a, n in counts.items()],
        [Table("t", (activity,))],
        profile=DFE,
        release="r",
    )
    cells = {c.labels[0]: c.people for c in done.cells}
    assert (cells["Total"], cells["in any"]) == (210, 97)
    assert cells["apprenticeship"] is None
    assert sum(n is None for n in cells.values()) == 2


def test_a_count_of_few_families_or_of_one_that_dominates_is_too_small() -> None:
    ten_of_two = [Counted({"home": "suitable"}, family=f, people=5) for f in ("A", "B")]
    dominated = [Counted({"home": "not"}, family="C", people=28), Counted({"home": "not"}, family="D", people=20)]
    dominated += [Counted({"home": "not"}, family=f"E{i}") for i in range(5)]
    done = plan([*ten_of_two, *dominated], [Table("t", (ONE,))], profile=LA5, release="r")
    assert [c.people for c in done.cells if c.labels != ("All",)] == [None, None]
    assert LA5.unsafe(10, [5, 5])
    assert LA5.unsafe(53, [28, 20, 1, 1, 1, 1, 1])
    assert not LA5.unsafe(53, [20, 20, 5, 5, 3])


def test_nobody_and_everybody_are_held_back_where_the_profile_says_so() -> None:
    telling = Axis("home", ("suitable", "not"), telling=frozenset(("not",)))
    done = plan(home(0, 30), [Table("t", (telling,))], profile=LA5, release="r")
    assert {c.labels[0]: c.people for c in done.cells}["not"] is None
    zero = plan(home(0, 30), [Table("t", (ONE,))], profile=TRE10, release="r")
    assert {c.labels[0]: c.people for c in zero.cells}["suitable"] is None
    assert {c.labels[0]: c.people for c in plan(home(0, 30), [Table("t", (ONE,))], profile=DFE, release="r").cells}[
        "not"
    ] == 30


def test_a_finer_table_that_is_only_crossed_is_protected_too() -> None:
    counts = [[2, 20, 20], [20, 20, 20], [20, 20, 20]]
    by_one = [Table("colour", (COLOUR,)), Table("shape", (SHAPE,))]
    rules = profile("la5", {"round_base": 1})
    done = plan(people(counts), by_one, profile=rules, release="r", crossed=[Table("both", (COLOUR, SHAPE))])
    assert any(dict(h.where) for h in done.entry.hidden)
    assert all(c.people is not None for c in done.cells)


@pytest.mark.parametrize(("count", "base", "rounded"), [(7, 5, 5), (8, 5, 10), (12, 5, 10), (13, 1, 13), (15, 10, 20)])
def test_counts_are_rounded_to_the_nearest_multiple_when_all_else_is_done(count: int, base: int, rounded: int) -> None:
    assert profile("la5", {"round_base": base}).rounded(count) == rounded


@pytest.mark.parametrize(
    "changes",
    [
        {"safe_threshold": 1},
        {"safe_family_threshold": 9},
        {"protection": 7},
        {"round_base": 0},
        {"safe_nk_k": 0},
        {"colour": 1},
    ],
)
def test_a_profile_that_would_not_protect_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(DisclosureError):
        profile("la5", changes)


def test_an_unknown_profile_names_those_that_there_are() -> None:
    with pytest.raises(DisclosureError, match="dfe, la5, tre10"):
        profile("lax")
    assert profile("la5", {"safe_threshold": 8}).name == "la5, changed"


@pytest.mark.parametrize(
    ("axis", "problem"),
    [
        (("x", ("a", "a")), "not all different"),
        (("x", ()), "empty"),
        (("x", ("a",), {"g": ("g",)}), "part of itself"),
        (("x", ("a",), {"g": ("z",)}), "no value"),
        (("x", ("a",), {}, "All", frozenset("z")), "has no value"),
    ],
)
def test_an_axis_that_contradicts_itself_is_refused(axis: tuple[object, ...], problem: str) -> None:
    with pytest.raises(DisclosureError, match=problem):
        Axis(*axis)  # type: ignore[arg-type]


def test_people_without_a_value_and_tables_too_fine_to_check_are_refused() -> None:
    with pytest.raises(DisclosureError, match="has no value, or an unknown one"):
        plan([Counted({})], [Table("t", (ONE,))], profile=LA5, release="r")
    sides = tuple(Axis(f"s{i}", tuple(f"{i}{n}" for n in range(60))) for i in range(3))
    with pytest.raises(DisclosureError, match="too many to check"):
        plan([], [Table("t", sides)], profile=LA5, release="r")
