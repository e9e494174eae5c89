"""Random tables over several releases, attacked by another road: what `heard bench disclosure` prints.

Two sides of 2 to 12 values, each in up to three levels; counts clustered as people are. Three releases: the table;
after people joined and left, the same people by one side and a third attribute; then the first side by groups that
overlap the others. The attacker here shares nothing with the planner but the facts in the ledger: it crosses all
attributes in one table and bounds every cell that was left out with all three releases in hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from nlp.errors import DisclosureError
from nlp.findings.disclosure.ledger import Fact, Released
from nlp.findings.disclosure.profile import Profile
from nlp.findings.disclosure.release import Plan, plan
from nlp.findings.disclosure.tables import Axis, Counted, Table, Where

FIRST, SECOND, THIRD = "first", "second", "third"
_STAYS = {"stayed": (FIRST, SECOND, THIRD), "left": (FIRST,), "joined": (SECOND, THIRD)}
NEARLY = 1e-6


@dataclass(frozen=True, slots=True)
class Outcome:
    """One trial: cells, cells too small, cells that went to protect them, the fewest needed, and what was got back.

    `recovered` are sets of people that the attacker bounds tighter than the profile allows, or cells left out whose
    count it finds; `given_away` were bounded by earlier releases alone, and were said to be.
    """

    cells: int
    small: int
    others: int
    least: int
    recovered: int
    given_away: int


@dataclass(frozen=True, slots=True)
class World:
    """People by kind, and the three tables asked for."""

    people: tuple[Counted, ...]
    tables: tuple[Table, Table, Table]


def world(seed: int, top: int = 12) -> World:
    """People and tables drawn from a seed; sides have up to `top` values."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, top + 1, 2)
    a, b = (_axis(rng, name, int(n), int(rng.integers(1, 4))) for name, n in zip("ab", sizes, strict=True))
    c = Axis("c", ("c0", "c1"))
    mean = rng.choice([4.0, 12.0, 40.0])
    people = []
    for i, j, k in product(a.values, b.values, c.values):
        for stay, share in (("stayed", 1.0), ("left", 0.08), ("joined", 0.08)):
            n = int(rng.negative_binomial(0.8, 0.8 / (0.8 + mean * share)))
            if n:
                people.append(Counted({"a": i, "b": j, "c": k, "stay": stay}, people=n))
    return World(tuple(people), (Table("ab", (a, b)), Table("ac", (a, c)), Table("bands", (_bands(a), b))))


def _axis(rng: np.random.Generator, name: str, size: int, levels: int) -> Axis:
    values = tuple(f"{name}{i}" for i in range(size))
    if levels == 1 or size < 4:
        return Axis(name, values)
    cuts = sorted(
        int(n) for n in rng.choice(np.arange(1, size), int(rng.integers(1, max(2, size // 2))), replace=False)
    )
    runs = [values[i:j] for i, j in zip([0, *cuts], [*cuts, size], strict=True)]
    groups = {f"{name} group {i}": run for i, run in enumerate(runs)}
    if levels == 3 and len(runs) >= 4:
        half = len(runs) // 2
        names = tuple(groups)
        groups |= {f"{name} half 0": names[:half], f"{name} half 1": names[half:]}
    return Axis(name, values, groups)


def _bands(axis: Axis) -> Axis:
    """The axis by pairs of values that begin at the second one: groups that cut across the others."""
    rest = axis.values[1:]
    groups = {f"band {i}": rest[i : i + 2] for i in range(0, len(rest), 2)}
    return Axis(axis.name, axis.values, {f"band {axis.values[0]}": axis.values[:1], **groups}, leaves=False)


def trial(seed: int, profile: Profile, top: int = 12) -> Outcome:
    """Plan three releases of a random world, then attack them all at once."""
    made = world(seed, top)
    ledger: list[Released] = []
    plans: list[Plan] = []
    for name, table in zip((FIRST, SECOND, THIRD), made.tables, strict=True):
        people = [_at(row, name) for row in made.people]
        done = plan(people, [table], profile=profile, release=name, ledger=ledger)
        plans.append(done)
        ledger.append(done.entry)
    lost = sum(len(p.given_away) for p in plans)
    return Outcome(
        cells=sum(len(p.cells) for p in plans),
        small=sum(p.small for p in plans),
        others=sum(p.others for p in plans),
        least=sum(p.least for p in plans),
        recovered=max(0, len(recovered(made, ledger, plans)) - lost),
        given_away=lost,
    )


def _at(row: Counted, release: str) -> Counted:
    """The people as a release sees them: who is here now, and which earlier releases counted them."""
    counted_in = _STAYS[row.values["stay"]]
    order = (FIRST, SECOND, THIRD)
    earlier = frozenset(counted_in) & set(order[: order.index(release)])
    values = {k: v for k, v in row.values.items() if k != "stay"}
    return Counted(values, people=row.people, earlier=earlier, now=release in counted_in)


def recovered(made: World, ledger: Sequence[Released], plans: Sequence[Plan]) -> list[str]:
    """What the facts in the ledger give away, in words; [] for a safe ledger."""
    attacker = _Attacker(made, [f for r in ledger for f in r.facts])
    found: list[str] = []
    for entry in ledger:
        found += [
            f"{h.release} less {h.without}: {h.where}"
            for h in entry.hidden
            if attacker.width(h.where, h.release, h.without) < h.need - NEARLY
        ]
    for table, done in zip(made.tables, plans, strict=False):
        out = {c.labels for c in done.cells if c.people is None}
        name = done.entry.release
        found += [
            f"{name}: {labels}"
            for labels, where in table.cells()
            if labels in out and attacker.width(where, name) < 1 - NEARLY
        ]
    return found


class _Attacker:
    """Knows the facts; thinks of every number of people by all attributes and by which releases counted them."""

    def __init__(self, made: World, facts: Iterable[Fact]) -> None:
        first, second, _ = made.tables
        axes = (*first.axes, second.axes[1])
        self._kinds = list(product(*(axis.values for axis in axes), _STAYS))
        self._names = [axis.name for axis in axes]
        known = list(facts)
        self._rows = sparse.csr_array(np.array([self._row(f.where, f.release, "") for f in known]))
        self._low = np.array([f.low for f in known], float)
        self._high = np.array([f.high for f in known], float)

    def width(self, where: Where, release: str, without: str = "") -> float:
        """How far apart the least and the most that a set of people can be."""
        form = self._row(where, release, without)
        return self._most(form) + self._most(-form)

    def _row(self, where: Where, release: str, without: str) -> NDArray[np.float64]:
        chosen = dict(where)
        return np.array([float(self._in(kind, chosen, release, without)) for kind in self._kinds])

    def _in(self, kind: Sequence[str], chosen: dict[str, frozenset[str]], release: str, without: str) -> bool:
        counted = _STAYS[kind[-1]]
        here = release in counted and without not in counted
        return here and all(v in chosen[n] for n, v in zip(self._names, kind[:-1], strict=True) if n in chosen)

    def _most(self, form: NDArray[np.float64]) -> float:
        found = linprog(
            -form,
            A_ub=sparse.vstack([self._rows, -self._rows]),
            b_ub=np.concatenate([self._high, -self._low]),
            bounds=(0, None),
            method="highs",
        )
        if found.status == 3:
            return float("inf")
        if found.x is None:
            raise DisclosureError("the attacker's problem could not be solved")
        return float(-found.fun)
