"""What an attacker does not know: whole numbers of people, of which everything released is a sum.

Attributes that were ever counted together stand in one clique; the unknowns of a clique are the people of each
combination of its attributes. Cliques agree on what they share. The attributes' graph is made chordal first, so that
cliques that agree always come from one table of all attributes (a junction tree; Lauritzen 1996): the bounds found
here are those of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nlp.errors import DisclosureError
from nlp.findings.disclosure.tables import Counted, Where

COUNTED_IN = "counted in"
NOW = "now"
TOO_FINE = 50_000
Floats = NDArray[np.float64]


def cliques(together: Iterable[Iterable[str]]) -> list[tuple[str, ...]]:
    """Attributes that must be crossed, by elimination with the fewest added pairs, each clique sorted."""
    near: dict[str, set[str]] = {}
    for names in together:
        for a in names:
            near.setdefault(a, set()).update(set(names) - {a})
    found: list[frozenset[str]] = []
    while near:
        out = min(sorted(near), key=lambda a: sum(c not in near[b] for b, c in combinations(sorted(near[a]), 2)))
        members = near.pop(out)
        for a in members:
            near[a] = (near[a] | members) - {a, out}
        if not any({out, *members} <= other for other in found):
            found.append(frozenset({out, *members}))
    return [tuple(sorted(c)) for c in found] or [()]


def _tree(parts: Sequence[tuple[str, ...]]) -> list[tuple[int, int]]:
    """The pairs of cliques that must agree: a spanning tree of the largest overlaps."""
    joined, pairs = {0}, []
    while len(joined) < len(parts):
        i, j = max(
            ((i, j) for i in joined for j in range(len(parts)) if j not in joined),
            key=lambda ij: len(set(parts[ij[0]]) & set(parts[ij[1]])),
        )
        joined.add(j)
        pairs.append((i, j))
    return pairs


@dataclass(frozen=True, slots=True)
class Space:
    """The unknowns: `domain` of each attribute, cliques with the place of their first unknown, and the true counts."""

    domain: Mapping[str, tuple[str, ...]]
    parts: tuple[tuple[str, ...], ...]
    starts: tuple[int, ...]
    truth: Floats

    def row(self, where: Where) -> Floats:
        """The unknowns that a set of people sums, as 0 and 1. DisclosureError for a set that no clique can tell."""
        named = {attribute for attribute, _ in where}
        fits = [i for i, part in enumerate(self.parts) if named <= set(part)]
        if not fits:
            raise DisclosureError(f"no table crosses {' and '.join(sorted(named))}")
        found = np.zeros(len(self.truth))
        clique = min(fits, key=self._size)
        found[self._slice(clique)] = self._inside(self.parts[clique], dict(where))
        return found

    def rows(self, wheres: Sequence[Where]) -> sparse.csr_array:
        """One row a set of people."""
        return sparse.csr_array(np.array([self.row(w) for w in wheres]).reshape(len(wheres), len(self.truth)))

    def links(self) -> sparse.csr_array:
        """Sums that are nought for every table: what two cliques say of the people that both count."""
        found = []
        for i, j in _tree(self.parts):
            shared = sorted(set(self.parts[i]) & set(self.parts[j]))
            for values in product(*(self.domain[a] for a in shared)):
                chosen = {a: frozenset((v,)) for a, v in zip(shared, values, strict=True)}
                row = np.zeros(len(self.truth))
                row[self._slice(i)] = self._inside(self.parts[i], chosen)
                row[self._slice(j)] = -self._inside(self.parts[j], chosen)
                found.append(row)
        return sparse.csr_array(np.array(found).reshape(len(found), len(self.truth)))

    def _inside(self, part: Sequence[str], chosen: Mapping[str, frozenset[str]]) -> Floats:
        sides = [np.array([a not in chosen or v in chosen[a] for v in self.domain[a]], float) for a in part]
        row: Floats = np.ones(1)
        for side in sides:
            row = np.kron(row, side)
        return row

    def _size(self, clique: int) -> int:
        return int(np.prod([len(self.domain[a]) for a in self.parts[clique]], dtype=int))

    def _slice(self, clique: int) -> slice:
        return slice(self.starts[clique], self.starts[clique] + self._size(clique))


def space(people: Sequence[Counted], domain: Mapping[str, tuple[str, ...]], together: Iterable[Iterable[str]]) -> Space:
    """The unknowns for attributes counted `together`, with the truth from the people.

    DisclosureError for a person without a value, for a value outside the domain, and for more unknowns than
    can be checked.
    """
    parts = tuple(cliques(together))
    sizes = [int(np.prod([len(domain[a]) for a in part], dtype=object)) for part in parts]
    if sum(sizes) > TOO_FINE:
        raise DisclosureError(
            f"these tables cross {sum(sizes):,} kinds of people, too many to check; cross fewer attributes, or group them"
        )
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    truth = np.concatenate([_counts(people, domain, part, size) for part, size in zip(parts, sizes, strict=True)])
    return Space(domain, parts, tuple(starts), truth)


def _counts(people: Sequence[Counted], domain: Mapping[str, tuple[str, ...]], part: Sequence[str], size: int) -> Floats:
    places = {a: {v: i for i, v in enumerate(domain[a])} for a in part}
    found = np.zeros(size)
    for row in people:
        at = 0
        for a in part:
            value = row.values.get(a)
            if value not in places[a]:
                raise DisclosureError(f"someone has no value, or an unknown one, for “{a}”; add a value “not known”")
            at = at * len(domain[a]) + places[a][value]
        found[at] += row.people
    return found
