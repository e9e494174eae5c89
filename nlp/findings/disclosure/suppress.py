"""The fewest cells to leave out so that no small count can be bounded tighter than allowed.

Cutting planes (Fischetti and Salazar 2001): a pattern is proposed by a small set-cover problem; the attacker is run
against it; each sum that can be bounded too tightly gives, from the attacker's own dual, an inequality that every
safe pattern obeys; and so on until a pattern is safe, which is then optimal. When the rounds run out, the last
pattern is mended cell by cell, pruned, and reported with the lower bound reached.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from nlp.errors import DisclosureError
from nlp.findings.disclosure.attack import NEARLY, Attack, Floats, Known, first_seen

ROUNDS = 60
MOVE = 4  # how far a cell may move in the search, in multiples of the greatest width needed
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Problem:
    """Cells that may be shown, those that must not, and the sums to protect, all as rows of unknowns.

    `covers` are sets of cells of which one must go (known beforehand, to save rounds); `dear` breaks ties between
    patterns of equal size: the higher, the rather shown.
    """

    truth: Floats
    cells: sparse.csr_array
    forced: Bools
    forms: sparse.csr_array
    needs: Floats
    fixed: Known
    covers: tuple[tuple[int, ...], ...]
    dear: Floats

    @cached_property
    def values(self) -> Floats:
        """The true value of each cell."""
        return np.asarray(self.cells @ self.truth, float)

    @cached_property
    def price(self) -> Floats:
        """One a cell, and so little more for a dear one that no pattern ever loses a cell more for it."""
        top = max(float(self.dear.max(initial=0)), 1.0)
        return 1 + self.dear / (2 * top * max(len(self.dear), 1))

    def attack(self, out: Bools) -> Attack:
        """The attacker who sees every cell that is not out."""
        return Attack(self.fixed.and_also(self.cells[~out], self.values[~out]), self.truth)

    def exposed(self, out: Bools) -> NDArray[np.intp]:
        """The forms that the shown cells bound too tightly."""
        return self.attack(out).narrow(self.forms, self.needs, first_seen(self.forms, self.truth))


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which cells are out; `least` is a number of cells that no safe pattern goes below."""

    out: Bools
    least: int


def fewest(problem: Problem, rounds: int = ROUNDS) -> Pattern:
    """A safe pattern with the fewest cells out, or near it. DisclosureError when even an empty release is unsafe."""
    out, least = problem.forced.copy(), int(problem.forced.sum())
    if not len(problem.needs):
        return Pattern(out, least)
    search = _Search(problem)
    for _ in range(rounds):
        out, least = search.propose()
        exposed = problem.exposed(out)
        if not len(exposed):
            return Pattern(out, int(out.sum()))
        for k in exposed:
            search.learn(int(k), out)
    return Pattern(_pruned(problem, _mended(problem, out)), least)


class _Search:
    """The inequalities that every safe pattern obeys, as far as found."""

    def __init__(self, problem: Problem) -> None:
        self._p = problem
        self._cuts: list[Floats] = []
        self._cover(problem.covers)
        self._sides = sparse.csr_array(sparse.vstack([problem.cells, -problem.cells]))
        reach = MOVE * float(problem.needs.max())
        self._reach = np.concatenate([np.full(len(problem.values), reach), np.minimum(problem.values, reach)])
        fixed, at = problem.fixed, problem.fixed.rows @ problem.truth
        equal = fixed.low == fixed.high
        self._equal = fixed.rows[equal]
        self._rest = sparse.csr_array(sparse.vstack([fixed.rows[~equal], -fixed.rows[~equal]]))
        self._slack = np.concatenate([(fixed.high - at)[~equal], (at - fixed.low)[~equal]])

    def _cover(self, sets: Iterable[tuple[int, ...]]) -> None:
        for cells in sets:
            if not self._p.forced[list(cells)].any():
                cut = np.zeros(len(self._p.values))
                cut[list(cells)] = 1
                self._cuts.append(cut)

    def propose(self) -> tuple[Bools, int]:
        """The cheapest pattern that obeys every inequality so far, and its number of cells."""
        forced = self._p.forced.astype(float)
        if not self._cuts:
            return self._p.forced.copy(), int(forced.sum())
        cuts = LinearConstraint(sparse.csr_array(np.array(self._cuts)), 1 - NEARLY, np.inf)
        found = milp(self._p.price, integrality=np.ones(len(forced)), bounds=Bounds(forced, 1), constraints=cuts)
        if found.x is None:
            raise DisclosureError("no pattern of suppression makes this release safe")
        return found.x > 0.5, int(np.floor(found.mip_dual_bound + NEARLY))

    def learn(self, k: int, out: Bools) -> None:
        """What the attacker's success on form `k` tells of every safe pattern."""
        need = float(self._p.needs[k])
        form = self._p.forms[[k]].toarray().ravel()
        up, spare_up = self._dual(form, need, out)
        down, spare_down = self._dual(-form, need, out)
        effect, lacking = up + down, need - spare_up - spare_down
        if effect[out].sum() >= lacking - NEARLY:  # tight only for people who come whole: one more cell must go
            effect, lacking = (~out).astype(float), 1.0
        lacking -= effect[self._p.forced].sum()
        effect[self._p.forced] = 0
        self._cuts.append(np.minimum(effect / lacking, 1))

    def _dual(self, form: Floats, need: float, out: Bools) -> tuple[Floats, float]:
        """How far each cell, if out, and what is fixed let `form` rise at most: the dual of the attacker's problem."""
        limit = self._reach * np.tile(out, 2)
        found = linprog(
            -form,
            A_ub=sparse.vstack([self._sides, self._rest, form[None]]),
            b_ub=np.concatenate([limit, self._slack, [need]]),
            A_eq=self._equal if self._equal.shape[0] else None,
            b_eq=np.zeros(self._equal.shape[0]) if self._equal.shape[0] else None,
            bounds=np.column_stack([-self._p.truth, np.full(len(form), np.inf)]),
            method="highs",
        )
        if found.x is None:
            raise DisclosureError("the attacker's problem could not be solved")
        weight, size = -found.ineqlin.marginals, len(self._reach)
        spare = weight[size:-1] @ self._slack + weight[-1] * need + found.lower.marginals @ self._p.truth
        return (weight[:size] * self._reach).reshape(2, -1).sum(axis=0), float(spare)


def _mended(problem: Problem, out: Bools) -> Bools:
    """A safe pattern from an unsafe one: for each exposed form, the cells of the cheapest two tables that hide it."""
    out = out.copy()
    while len(exposed := problem.exposed(out)):
        used = _hiding(problem, int(exposed[0]), out)
        if not (used & ~out).any():
            used = ~out  # tight only for people who come whole; rare, and never wrong
        out |= used
    return out


def _hiding(problem: Problem, k: int, out: Bools) -> Bools:
    """The cells that differ between two tables in which form `k` is as far apart as needed, few of them shown now."""
    shown = problem.cells[~out]
    n, m = len(problem.truth), shown.shape[0]
    moved = sparse.hstack([shown, -sparse.eye_array(m), sparse.eye_array(m)])
    steady = sparse.hstack([problem.fixed.rows, sparse.csr_array((problem.fixed.rows.shape[0], 2 * m))])
    form = np.concatenate([problem.forms[[k]].toarray().ravel(), np.zeros(2 * m)])
    at = problem.fixed.rows @ problem.truth
    one_low = np.concatenate([np.zeros(m), problem.fixed.low - at])
    one_high = np.concatenate([np.zeros(m), problem.fixed.high - at])
    one = sparse.vstack([moved, steady])
    rows = sparse.vstack([sparse.block_diag([one, one]), np.concatenate([form, -form])[None]])
    low, need = np.concatenate([-problem.truth, np.zeros(2 * m)]), problem.needs[k]
    price = np.concatenate([np.zeros(n), np.tile(problem.price[~out], 2)])
    found = milp(
        np.tile(price, 2),
        bounds=Bounds(np.tile(low, 2), np.inf),
        constraints=LinearConstraint(
            sparse.csr_array(rows),
            np.concatenate([one_low, one_low, [need]]),
            np.concatenate([one_high, one_high, [np.inf]]),
        ),
    )
    if found.x is None:
        raise DisclosureError("no pattern of suppression makes this release safe")
    change = found.x.reshape(2, -1)[:, :n]
    return np.asarray((np.abs(problem.cells @ change.T) > NEARLY).any(axis=1))


def _pruned(problem: Problem, out: Bools) -> Bools:
    """The pattern with every cell shown again that need not be out, the largest first."""
    out = out.copy()
    extra = np.flatnonzero(out & ~problem.forced)
    for cell in sorted(extra, key=lambda c: (-problem.price[c], -problem.values[c])):
        out[cell] = False
        if len(problem.exposed(out)):
            out[cell] = True
    return out
