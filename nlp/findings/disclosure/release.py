"""A release of tables, planned whole: what is shown, what is left out, and what it adds to the ledger of known facts.

Everything released before counts as known, also when people joined or left since: the people counted by each release
are told apart, so a difference between two releases is a sum like any other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import sparse

from nlp.errors import DisclosureError
from nlp.findings.disclosure.attack import Floats, Known, known_nothing
from nlp.findings.disclosure.ledger import Fact, Hidden, Released
from nlp.findings.disclosure.profile import Profile
from nlp.findings.disclosure.space import COUNTED_IN, space
from nlp.findings.disclosure.suppress import ROUNDS, Problem, fewest
from nlp.findings.disclosure.tables import Axis, Counted, Table, Where, chosen_people


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as it may leave: `people` is None when it is not shown, and nothing else here tells the count."""

    table: str
    labels: tuple[str, ...]
    people: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A release that is safe, and how many cells it cost.

    `small` cells were too small themselves; `others` went to protect them; no safe release loses fewer than `least`
    in all. `given_away` names sets of people that earlier releases alone already bound too tightly.
    """

    cells: tuple[Cell, ...]
    entry: Released
    small: int
    others: int
    least: int
    given_away: tuple[str, ...]


def plan(
    people: Sequence[Counted],
    tables: Sequence[Table],
    *,
    profile: Profile,
    release: str,
    ledger: Sequence[Released] = (),
    crossed: Sequence[Table] = (),
    rounds: int = ROUNDS,
) -> Plan:
    """What of `tables` may be shown beside everything in the ledger.

    `crossed` tables are not released, but their small cells are protected as well (a theme by an indicator's
    category). DisclosureError when the ledger does not agree with the people, or the tables cross too many kinds.
    """
    return _Planner(people, tables, crossed, profile, release, ledger).plan(rounds)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A set of people as this release counts it."""

    where: Where
    people: int
    unsafe: bool


class _Planner:
    def __init__(
        self,
        people: Sequence[Counted],
        tables: Sequence[Table],
        crossed: Sequence[Table],
        profile: Profile,
        release: str,
        ledger: Sequence[Released],
    ) -> None:
        if release in {r.release for r in ledger}:
            raise DisclosureError(f"a release called “{release}” is in the ledger already")
        self._profile, self._release, self._ledger = profile, release, ledger
        self._tables, self._crossed = tables, crossed
        axes = _axes([*tables, *crossed])
        self._people = [_labelled(row, release, ledger) for row in people if row.now or ledger]
        self._domain = _domain(axes, self._people, ledger)
        self._several = len(self._domain[COUNTED_IN]) > 1
        self._space = space(self._people, self._domain, self._together())
        self._wheres = {cell[1]: None for table in tables for cell in table.cells()}
        self._cells = self._space.rows([self._among(w, release) for w in self._wheres])
        self._apart = self._between()
        self._families = any(row.family for row in people)

    def plan(self, rounds: int) -> Plan:
        wanted = [self._counted(w, self._release) for w in self._wheres]
        hidden = [*self._small(wanted), *self._whole_groups(), *self._differences(), *self._from_crossed()]
        hidden += self._small(self._counted(w, self._release) for w in self._apart)
        old = [h for r in self._ledger for h in r.hidden]
        forced = np.array([w.unsafe for w in wanted]) | self._telling()
        problem, given_away = self._possible(forced, hidden, old)
        pattern = fewest(problem, rounds)
        shown = {w.where: w.people for w, out in zip(wanted, pattern.out, strict=True) if not out}
        cells = tuple(Cell(t.name, labels, shown.get(w)) for t in self._tables for labels, w in t.cells())
        facts = tuple(Fact(self._release, w, n, n) for w, n in shown.items())
        return Plan(
            cells,
            Released(self._release, self._profile.name, facts, tuple(hidden)),
            small=int(forced.sum()),
            others=int(pattern.out.sum() - forced.sum()),
            least=pattern.least,
            given_away=given_away,
        )

    def _together(self) -> list[set[str]]:
        wheres = [w for r in self._ledger for w in r.wheres]
        sets = [{a for a, _ in w} for w in wheres] + [{a.name for a in t.axes} for t in (*self._tables, *self._crossed)]
        return [s | {COUNTED_IN} for s in sets] if self._several else sets

    def _among(self, these: Where, release: str, without: str = "") -> Where:
        """The same people as one release counted them, less those whom another counted too."""
        if not self._several:
            return these
        labels = frozenset(
            label
            for label in self._domain[COUNTED_IN]
            if release in label.split("; ") and without not in label.split("; ")
        )
        return tuple(sorted((*these, (COUNTED_IN, labels)), key=lambda pair: pair[0]))

    def _counted(self, where: Where, release: str, without: str = "") -> _Wanted:
        among = self._among(where, release, without)
        people = round(float(self._space.row(among) @ self._space.truth))
        families = self._families_of(among) if self._families and people else [1] * people
        return _Wanted(where, people, self._profile.unsafe(people, families))

    def _families_of(self, where: Where) -> list[int]:
        rows = [r for r in self._people if all(r.values[a] in values for a, values in where)]
        sizes: Counter[str] = Counter()
        for r in rows:
            sizes[r.family] += r.people
        alone = sizes.pop("", 0)
        return [*sizes.values(), *[1] * alone]

    def _small(self, wanted: Iterable[_Wanted]) -> list[Hidden]:
        return [Hidden(self._release, "", w.where, self._profile.protection) for w in wanted if w.unsafe]

    def _from_crossed(self) -> list[Hidden]:
        wheres = {where for table in self._crossed for _, where in table.cells()} - set(self._wheres)
        return self._small(self._counted(w, self._release) for w in sorted(wheres, key=_spelt))

    def _between(self) -> dict[Where, None]:
        """Sets that the groups shown tell apart without showing them: everyone less a group, say."""
        found = (
            chosen_people(table.axes, chosen)
            for table in self._tables
            for chosen in product(*(self._told_apart(axis) for axis in table.axes))
        )
        return {w: None for w in found if w not in self._wheres}

    def _told_apart(self, axis: Axis) -> list[frozenset[str]]:
        """The values of an axis by what this and earlier releases tell apart, and all of them."""
        sets = {s for t in self._tables for a in t.axes if a.name == axis.name for s in a.nodes().values()}
        sets |= {values for r in self._ledger for f in r.facts for name, values in f.where if name == axis.name}
        kinds: dict[tuple[bool, ...], set[str]] = {}
        for value in axis.values:
            kinds.setdefault(tuple(value in s for s in sets), set()).add(value)
        return [frozenset(axis.values), *map(frozenset, kinds.values())]

    def _differences(self) -> list[Hidden]:
        """Few people who joined or left since an earlier release, by each cell of this one."""
        found = []
        pairs = [p for r in self._ledger for p in ((self._release, r.release), (r.release, self._release))]
        for release, without in pairs if self._several else ():
            for where in (*self._wheres, *self._apart):
                change = self._counted(where, release, without)
                if where and change.people and change.unsafe:
                    found.append(Hidden(release, without, where, self._profile.protection))
        return found

    def _whole_groups(self) -> list[Hidden]:
        """Everyone else in a group that gave one telling answer whole: it must not be known that there is no one."""
        return [
            Hidden(self._release, "", rest, self._profile.protection)
            for table in self._tables
            for _, rest in self._whole(table)
        ]

    def _telling(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        out = {where for table in self._tables for where, _ in self._whole(table)}
        return np.array([w in out for w in self._wheres])

    def _whole(self, table: Table) -> list[tuple[Where, Where]]:
        if not self._profile.whole_groups_are_disclosive:
            return []
        found = []
        for axis in table.axes:
            for _, where in table.cells():
                chosen = dict(where).get(axis.name, frozenset())
                rest = _with(where, axis.name, frozenset(axis.values) - chosen)
                if chosen and chosen <= axis.telling and self._counted(where, self._release).people:
                    found += [(where, rest)] if not self._counted(rest, self._release).people else []
        return found

    def _possible(
        self, forced: np.ndarray[tuple[int], np.dtype[np.bool_]], new: Sequence[Hidden], old: Sequence[Hidden]
    ) -> tuple[Problem, tuple[str, ...]]:
        """The problem without what earlier releases gave away, and what that was."""
        hidden = [*new, *old]
        forms = self._space.rows([self._among(h.where, h.release, h.without) for h in hidden])
        needs = np.array([h.need for h in hidden], float)
        problem = self._problem(forced, forms, needs)
        lost = set(problem.exposed(np.ones(len(forced), bool))) if len(needs) else set()
        kept = [i for i in range(len(hidden)) if i not in lost]
        named = tuple(_said(hidden[i]) for i in sorted(lost) if hidden[i].where)
        return self._problem(forced, sparse.csr_array(forms[kept]), needs[kept]), named

    def _problem(
        self, forced: np.ndarray[tuple[int], np.dtype[np.bool_]], forms: sparse.csr_array, needs: Floats
    ) -> Problem:
        return Problem(
            self._space.truth, self._cells, forced, forms, needs, self._fixed(), self._covers(forced), self._dear()
        )

    def _fixed(self) -> Known:
        facts = [f for r in self._ledger for f in r.facts]
        links = self._space.links()
        known = known_nothing(len(self._space.truth)).and_also(links, np.zeros(links.shape[0]))
        if not facts:
            return known
        rows = self._space.rows([self._among(f.where, f.release) for f in facts])
        low, high = np.array([f.low for f in facts], float), np.array([f.high for f in facts], float)
        at = rows @ self._space.truth
        if (at < low).any() or (at > high).any():
            raise DisclosureError(
                "what was released before does not agree with these people; if their answers changed, name the "
                "attribute anew (for example with the codebook's version)"
            )
        return Known(
            sparse.csr_array(sparse.vstack([known.rows, rows])),
            np.concatenate([known.low, low]),
            np.concatenate([known.high, high]),
        )

    def _covers(self, forced: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[tuple[int, ...], ...]:
        """A cell that is out and alone in a sum could be got back: one more of the sum must go."""
        place = {w: i for i, w in enumerate(self._wheres)}
        found = []
        for table in self._tables:
            named = dict(table.cells())
            for whole, parts in table.sums():
                cells = {place[named[labels]] for labels in (whole, *parts)}
                out = [c for c in cells if forced[c]]
                if len(out) == 1 and len(cells) > 1:
                    found.append(tuple(sorted(cells - set(out))))
        return tuple(found)

    def _dear(self) -> Floats:
        """Totals are read most: between patterns of one size, the one that keeps them is taken."""
        axes = max((len(t.axes) for t in self._tables), default=0)
        return np.array([axes - len(w) for w in self._wheres], float)


def _axes(tables: Iterable[Table]) -> dict[str, Axis]:
    found: dict[str, Axis] = {}
    for axis in (axis for table in tables for axis in table.axes):
        if axis.name == COUNTED_IN or found.setdefault(axis.name, axis).values != axis.values:
            raise DisclosureError(f"two tables give “{axis.name}” different values; use one list, and groups of it")
    return found


def _labelled(row: Counted, release: str, ledger: Sequence[Released]) -> Counted:
    known = [r.release for r in ledger if r.release in row.earlier] + ([release] if row.now else [])
    return Counted({**row.values, COUNTED_IN: "; ".join(known)}, row.family, row.people, row.earlier, row.now)


def _domain(
    axes: Mapping[str, Axis], people: Sequence[Counted], ledger: Sequence[Released]
) -> dict[str, tuple[str, ...]]:
    found = {name: axis.values for name, axis in axes.items()}
    found[COUNTED_IN] = tuple(sorted({row.values[COUNTED_IN] for row in people}))
    for where in (w for r in ledger for w in r.wheres):
        for attribute, values in where:
            if attribute in axes and not values <= set(axes[attribute].values):
                raise DisclosureError(
                    f"an earlier release counted “{attribute}” by values that are not in use any more"
                )
            if attribute not in axes:
                had = {row.values.get(attribute, "") for row in people}
                found[attribute] = tuple(sorted(set(found.get(attribute, ())) | values | had))
    return found


def _with(where: Where, attribute: str, values: frozenset[str]) -> Where:
    return tuple(sorted((*(p for p in where if p[0] != attribute), (attribute, values)), key=lambda pair: pair[0]))


def _spelt(where: Where) -> list[tuple[str, list[str]]]:
    return [(a, sorted(v)) for a, v in where]


def _said(hidden: Hidden) -> str:
    people = "; ".join(f"{a}: {', '.join(sorted(v))}" for a, v in hidden.where)
    return f"{people} (counted in {hidden.release}{f', not in {hidden.without}' if hidden.without else ''})"
