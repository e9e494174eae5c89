"""What can be worked out from everything released: the tightest bounds of any sum of people, by linear programming.

The attacker knows every released sum exactly (or within the range released) and that no count is below nought.
A range is certified by two whole-number tables that agree with everything released, so knowing that people come
whole does not help either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from nlp.errors import DisclosureError

Floats = NDArray[np.float64]
NEARLY = 1e-6


@dataclass(frozen=True, slots=True)
class Known:
    """Released sums: `rows` of unknowns, each known to lie from `low` to `high`."""

    rows: sparse.csr_array
    low: Floats
    high: Floats

    def and_also(self, rows: sparse.csr_array, values: Floats) -> Known:
        """These and further sums known exactly."""
        return Known(
            sparse.csr_array(sparse.vstack([self.rows, rows])),
            np.concatenate([self.low, values]),
            np.concatenate([self.high, values]),
        )


class Attack:
    """An attacker who knows `known`, beside the true table, which serves as the first witness."""

    def __init__(self, known: Known, truth: Floats) -> None:
        self._truth = truth
        self._free = _not_settled(known, truth)
        rows = known.rows[:, self._free]
        kept = np.diff(rows.indptr) > 0
        shift = known.rows @ np.where(self._free, 0, truth)
        self._rows = sparse.csr_array(rows[kept])
        self._low, self._high = (known.low - shift)[kept], (known.high - shift)[kept]
        self._top = float(truth.sum()) + 1e4

    def witness(self, aim: Floats) -> Floats:
        """A whole-number table that agrees with everything known and in which `aim` is greatest."""
        if not self._free.any():
            return self._truth
        for whole in (0, 1):
            found = self._solve(aim[self._free], whole)
            if np.abs(found - np.rint(found)).max(initial=0) < NEARLY:
                break
        table = self._truth.copy()
        table[self._free] = np.rint(found)
        return table

    def _solve(self, aim: Floats, whole: int) -> Floats:
        limits = () if not self._rows.shape[0] else LinearConstraint(self._rows, self._low, self._high)
        result = milp(-aim, integrality=np.full(len(aim), whole), bounds=Bounds(0, self._top), constraints=limits)
        if result.x is None:
            raise DisclosureError(
                "what was released before does not agree with these people; if their answers changed, "
                "name the attribute anew (for example with the codebook's version)"
            )
        return np.asarray(result.x, float)

    def bounds(self, form: Floats) -> tuple[int, int]:
        """The least and the most that a sum can be; 10,000 above everyone means that nothing bounds it."""
        return round(float(form @ self.witness(-form))), round(float(form @ self.witness(form)))

    def narrow(self, forms: sparse.csr_array, needs: Floats, seen: tuple[Floats, Floats]) -> NDArray[np.intp]:
        """The forms whose range is narrower than needed.

        `seen` holds the least and greatest value of each form in any witness so far, and is widened in place:
        one witness may certify many forms, so that only those still in doubt are solved for on their own.
        """
        low, high = seen
        for sign in (1.0, -1.0, 1.0, -1.0):
            doubt = high - low < needs
            if not doubt.any():
                break
            self._widen(forms, sign * np.asarray(forms[doubt].sum(axis=0)).ravel(), low, high)
        for k in np.flatnonzero(high - low < needs):
            form = forms[[k]].toarray().ravel()
            for sign in (1.0, -1.0):
                if high[k] - low[k] < needs[k]:
                    self._widen(forms, sign * form, low, high)
        return np.flatnonzero(high - low < needs)

    def _widen(self, forms: sparse.csr_array, aim: Floats, low: Floats, high: Floats) -> None:
        values = forms @ self.witness(aim)
        np.minimum(low, values, out=low)
        np.maximum(high, values, out=high)


def _not_settled(known: Known, truth: Floats) -> NDArray[np.bool_]:
    """Which unknowns are left when sums of nought, and sums with one unknown left, have been taken out."""
    exact = sparse.csr_array(known.rows[known.low == known.high])
    plain = exact[np.flatnonzero(np.asarray(exact.min(axis=1).todense()).ravel() >= 0)] if exact.shape[0] else exact
    free = np.ones(len(truth), bool)
    while plain.shape[0]:
        left = plain @ free.astype(float)
        done = (left > 0) & ((left == 1) | (plain @ (truth * free) == 0))
        if not done.any():
            break
        free &= np.asarray(plain[done].sum(axis=0)).ravel() == 0
    return free


def first_seen(forms: sparse.csr_array, truth: Floats) -> tuple[Floats, Floats]:
    """The values of the forms in the true table: where every search for witnesses begins."""
    values = np.asarray(forms @ truth, float)
    return values.copy(), values.copy()


def known_nothing(size: int) -> Known:
    """An attacker before any release."""
    return Known(sparse.csr_array((0, size)), np.zeros(0), np.zeros(0))
