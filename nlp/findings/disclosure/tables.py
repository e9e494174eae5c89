"""Tables of people with all their margins: axes that may be grouped into three levels, and what is counted on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from nlp.errors import DisclosureError

Where = tuple[tuple[str, frozenset[str]], ...]
"""A set of people: for each attribute named, the values that they may have. Empty means everyone."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One attribute of people as a side of a table.

    `groups` names what stands over several values, or over other groups: total, group and value make three levels.
    `telling` values say something about a person that a whole group must not be known to share. Without `leaves`
    the table shows only the groups.
    """

    name: str
    values: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    total: str = "All"
    telling: frozenset[str] = frozenset()
    leaves: bool = True

    def __post_init__(self) -> None:
        names = (self.total, *self.groups, *self.values)
        if not self.values or len(set(names)) != len(names):
            raise DisclosureError(f"the values and groups of “{self.name}” are empty or not all different")
        if unknown := self.telling - set(self.values):
            raise DisclosureError(f"“{self.name}” has no value “{min(unknown)}”")
        self.nodes()

    def nodes(self) -> dict[str, frozenset[str]]:
        """Total, groups and values, each with the values under it."""
        shown = (*self.groups, *(self.values if self.leaves else ()))
        return {self.total: frozenset(self.values)} | {n: self._under(n, ()) for n in shown}

    def _under(self, node: str, above: tuple[str, ...]) -> frozenset[str]:
        if node in self.values:
            return frozenset((node,))
        if node in above or node not in self.groups or not self.groups[node]:
            raise DisclosureError(f"“{node}” of “{self.name}” is no value, an empty group or a part of itself")
        return frozenset().union(*(self._under(part, (*above, node)) for part in self.groups[node]))

    def sums(self) -> list[tuple[str, tuple[str, ...]]]:
        """Every node that is the sum of others, with those: total of groups, group of values."""
        inside = {part for parts in self.groups.values() for part in parts}
        nodes = self.nodes()
        tops = tuple(n for n in nodes if n not in inside and n != self.total)
        families = [(self.total, tops), *((n, p) for n, p in self.groups.items() if nodes.keys() >= set(p))]
        return [(n, parts) for n, parts in families if sum(len(nodes[p]) for p in parts) == len(nodes[n])]


@dataclass(frozen=True, slots=True)
class Table:
    """A table to be released: every combination of the nodes of its axes is a cell."""

    name: str
    axes: tuple[Axis, ...]

    def cells(self) -> list[tuple[tuple[str, ...], Where]]:
        """Labels (one an axis) and the people that each cell counts."""
        sides = [axis.nodes() for axis in self.axes]
        return [
            (labels, chosen_people(self.axes, [side[n] for side, n in zip(sides, labels, strict=True)]))
            for labels in product(*sides)
        ]

    def sums(self) -> list[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
        """Every cell that is the sum of others along one axis, with those."""
        found = []
        sides = [tuple(axis.nodes()) for axis in self.axes]
        for i, axis in enumerate(self.axes):
            for rest in product(*(side for j, side in enumerate(sides) if j != i)):
                for node, parts in axis.sums():
                    found.append(((*rest[:i], node, *rest[i:]), [(*rest[:i], p, *rest[i:]) for p in parts]))
        return found


def chosen_people(axes: Sequence[Axis], chosen: Sequence[frozenset[str]]) -> Where:
    """The people whose value on each axis is one of those chosen; an axis chosen whole says nothing."""
    pairs = [(a.name, c) for a, c in zip(axes, chosen, strict=True) if c != frozenset(a.values)]
    return tuple(sorted(pairs, key=lambda pair: pair[0]))


@dataclass(frozen=True, slots=True)
class Counted:
    """People who are counted alike: their attributes, their family, and the earlier releases that counted them.

    `family` "" means that nobody else here is of the same family. `now` is False for people whom an earlier
    release counted and this one does not.
    """

    values: Mapping[str, str]
    family: str = ""
    people: int = 1
    earlier: frozenset[str] = frozenset()
    now: bool = True
