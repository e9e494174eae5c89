"""The kinds of study that are tried."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

SHARES = (0.02, 0.08, 0.20, 0.40)
MACHINES = ((0.5, 0.90), (0.7, 0.95), (0.9, 0.99), (0.5, 0.99), (0.9, 0.90))
DESIGNS = ((200, 80), (500, 110), (2000, 200), (5000, 350))
TOGETHER = (0.2, 0.0, 0.4)
FIFTEEN = np.geomspace(0.02, 0.40, 15)


class Kind(StrEnum):
    """What a cell is there for."""

    GRID = "grid"
    HARDER = "harder"
    FIFTEEN = "fifteen codes"
    GROUPS = "groups"
    SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of study. `loaded` units, of which `reads` are read; `share` of texts hold the theme.

    `icc` and `machine_icc` say how far the theme, and the machine's errors, hang together within a person of at most
    `most_texts`. `slope` and `shift` bend the machine's probabilities. Of a third of the people the machine misses
    `worse_group` more. `accepts` is the part of wrong suggestions that a coder takes over when they are shown.
    """

    share: float
    sensitivity: float
    specificity: float
    loaded: int
    reads: int
    icc: float = 0.2
    machine_icc: float = 0.2
    most_texts: int = 8
    slope: float = 1.0
    shift: float = 0.0
    worse_group: float = 0.0
    accepts: float = 0.0
    kind: Kind = Kind.GRID

    @property
    def middle(self) -> bool:
        """Whether it is one of those by which widths are judged."""
        return self.kind is Kind.GRID and (self.share, self.sensitivity, self.specificity) == (0.08, 0.7, 0.95)


def cells(*kinds: Kind) -> list[Cell]:
    """All cells, or those of some kinds: the grid, 16 harder in one way each, 15 codes of one read, groups, shown decisions."""
    every = [*_grid(), *_harder(), *_fifteen(), *_groups(), *_shown()]
    return [cell for cell in every if not kinds or cell.kind in kinds]


def _grid() -> list[Cell]:
    plain = [Cell(p, *machine, *design) for p in SHARES for machine in MACHINES for design in DESIGNS]
    return [replace(c, icc=TOGETHER[i % 3], machine_icc=TOGETHER[i // 3 % 3]) for i, c in enumerate(plain)]


def _harder() -> list[Cell]:
    one = Cell(0.08, 0.7, 0.95, 500, 110, kind=Kind.HARDER)
    other = replace(one, share=0.2, loaded=2000, reads=200)
    return [
        *(replace(c, icc=i, machine_icc=i) for c in (one, other) for i in (0.0, 0.4)),
        *(replace(one, share=p, most_texts=1) for p in (0.08, 0.2)),
        *(replace(one, slope=a, shift=b) for a, b in ((0.5, 0.0), (2.0, 0.0), (1.0, 1.5), (1.0, -1.5))),
        *(replace(one, loaded=n, reads=b) for n, b in ((500, 60), (500, 200), (5000, 60), (200, 60))),
        *(replace(c, worse_group=0.2) for c in (one, other)),
    ]


def _fifteen() -> list[Cell]:
    return [Cell(float(p), 0.7, 0.95, 2000, 200, kind=Kind.FIFTEEN) for p in FIFTEEN]


def _groups() -> list[Cell]:
    return [Cell(p, 0.7, 0.95, n, 300, worse_group=0.2, kind=Kind.GROUPS) for p in (0.15, 0.3) for n in (1000, 3000)]


def _shown() -> list[Cell]:
    return [
        Cell(0.08, *machine, 1000, 200, accepts=a, kind=Kind.SHOWN)
        for machine in ((0.7, 0.95), (0.9, 0.90))
        for a in (0.0, 0.1, 0.2, 0.3)
    ]
