"""What counts as too small to show. Parameter names are ACRO's where they fit (AI-SDC/ACRO, acro/default.yaml)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nlp.errors import DisclosureError


@dataclass(frozen=True, slots=True)
class Profile:
    """The rules of one disclosure regime.

    * `safe_threshold`: the fewest distinct people that may be shown; `safe_family_threshold`: the fewest families.
    * `safe_nk_n`, `safe_nk_k`: the so many largest families may make up at most this share of a count (dominance).
    * `zeros_are_disclosive`: nought is not shown either.
    * `whole_groups_are_disclosive`: it is not shown that a whole group gave one telling answer.
    * `protection`: nothing released may bound a cell that is too small to a range narrower than this.
    * `round_base`: counts are shown to the nearest of this, after everything was worked out; 1 is no rounding.
    * `symbol`: what stands for a value that is not shown; `below_half`: for a share that rounds to nought but is not.
    """

    name: str
    safe_threshold: int
    safe_family_threshold: int
    zeros_are_disclosive: bool
    whole_groups_are_disclosive: bool
    protection: int
    round_base: int = 1
    symbol: str = "c"
    below_half: str = ""
    words: str = "not shown, so that nobody can be recognised"
    safe_nk_n: int = 2
    safe_nk_k: float = 0.9

    def __post_init__(self) -> None:
        if not 2 <= self.safe_threshold <= 1000 or not 1 <= self.safe_family_threshold <= self.safe_threshold:
            raise DisclosureError("safe_threshold must be 2 to 1000, and safe_family_threshold 1 up to it")
        if self.safe_nk_n < 1 or not 0 < self.safe_nk_k <= 1:
            raise DisclosureError("safe_nk_n must be 1 or more, and safe_nk_k above 0 up to 1")
        if not 1 <= self.protection <= self.safe_threshold or not 1 <= self.round_base <= 1000:
            raise DisclosureError("protection must be 1 up to safe_threshold, and round_base 1 to 1000")

    def unsafe(self, people: int, families: Sequence[int]) -> bool:
        """Whether a count is too small to show, or rests on too few families. `families` are their sizes in it."""
        if people == 0:
            return self.zeros_are_disclosive
        largest = sum(sorted(families)[-self.safe_nk_n :])
        few = people < self.safe_threshold or len(families) < self.safe_family_threshold
        return few or largest > self.safe_nk_k * people

    def rounded(self, count: int) -> int:
        """A count as it is shown: to the nearest multiple of the base, halves up."""
        return (2 * count + self.round_base) // (2 * self.round_base) * self.round_base


DFE = Profile("dfe", 6, 1, zeros_are_disclosive=False, whole_groups_are_disclosive=False, protection=5, below_half="k")
LA5 = Profile("la5", 6, 3, zeros_are_disclosive=False, whole_groups_are_disclosive=True, protection=5, round_base=5)
TRE10 = Profile("tre10", 10, 10, zeros_are_disclosive=True, whole_groups_are_disclosive=True, protection=9)
PROFILES = {p.name: p for p in (DFE, LA5, TRE10)}


def profile(name: str, changes: Mapping[str, Any] | None = None) -> Profile:
    """A profile by name; with changes it is a custom one, and is called so. DisclosureError for what it is not."""
    base = PROFILES.get(name)
    if base is None:
        raise DisclosureError(f"no disclosure profile is called so; there are {', '.join(PROFILES)}")
    if not changes:
        return base
    try:
        return replace(base, **{"name": f"{name}, changed", **changes})
    except TypeError:
        raise DisclosureError("a disclosure profile has no such parameter, or its value is of the wrong kind") from None
