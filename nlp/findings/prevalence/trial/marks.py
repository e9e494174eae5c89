"""What intervals are marked by: how often they cover, how far the share is off, how wide they are beside plain reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nlp.findings.prevalence.sample import Floats
from nlp.findings.prevalence.trial.cells import Cell, Kind
from nlp.findings.prevalence.trial.methods import Found

ALONE = "blind reads alone"
UNCORRECTED = ("raw suggestions", "confirmed only")
FLOOR, SMOKE_FLOOR, RUNS_FOR_FLOOR = 0.93, 0.915, 2000
_NEARLY = 1e-9


@dataclass(frozen=True, slots=True)
class Mark:
    """A method in a cell. Shares 0 to 1: `cover` of the runs, mean `bias` with its Monte Carlo error, mean `width`."""

    runs: int
    cover: float
    bias: float
    bias_error: float
    width: float


@dataclass(frozen=True, slots=True)
class Row:
    """A cell with the marks of all its methods."""

    cell: Cell
    marks: dict[str, Mark]

    def ratio(self, method: str) -> float | None:
        """Its mean width over that of as many blind uniform reads, None where none stands beside it."""
        alone = self.marks.get(f"{method.split(maxsplit=1)[0]} {ALONE}")
        return self.marks[method].width / alone.width if alone and method in self.marks else None


def mark(parts: Sequence[tuple[Found, Floats]]) -> Mark:
    """The marks of what was found beside what was true."""
    share, low, high = (np.concatenate([getattr(f, a) for f, _ in parts]) for a in ("share", "low", "high"))
    truth = np.concatenate([t for _, t in parts])
    covered = (low <= truth + _NEARLY) & (truth <= high + _NEARLY)
    off = share - truth
    error = off.std() / np.sqrt(len(off))
    return Mark(len(off), float(covered.mean()), float(off.mean()), float(error), float((high - low).mean()))


@dataclass(frozen=True, slots=True)
class Line:
    """A method over its cells; `bias` is the worst, with its error; ratios of width None where nothing stands beside."""

    method: str
    cells: int
    worst: float
    mean: float
    under: int
    bias: float
    bias_error: float
    ratio: float | None
    most: float | None


def floor(runs: int) -> float:
    """How often intervals must cover in every cell; fewer runs leave more to chance."""
    return FLOOR if runs >= RUNS_FOR_FLOOR else SMOKE_FLOOR


def table(rows: Sequence[Row]) -> list[Line]:
    """A line a method, in the order in which they came."""
    names = dict.fromkeys(name for row in rows for name in row.marks)
    return [_line(name, [row for row in rows if name in row.marks]) for name in names]


def _line(name: str, rows: Sequence[Row]) -> Line:
    marks = [row.marks[name] for row in rows]
    worst = max(marks, key=lambda m: abs(m.bias))
    ratios = [r for row in rows if (r := row.ratio(name)) is not None]
    cover = np.array([m.cover for m in marks])
    return Line(
        name, len(marks), float(cover.min()), float(cover.mean()), sum(m.cover < floor(m.runs) for m in marks),
        worst.bias, worst.bias_error, float(np.median(ratios)) if ratios else None, max(ratios, default=None),
    )  # fmt: skip


def by_share(rows: Sequence[Row], method: str) -> dict[float, dict[tuple[float, float], tuple[float, float]]]:
    """Of the grid, by share and by (sensitivity, specificity): the worst coverage, and the median ratio of widths."""
    found: dict[float, dict[tuple[float, float], list[Row]]] = {}
    for row in rows:
        if row.cell.kind is Kind.GRID and method in row.marks:
            machine = (row.cell.sensitivity, row.cell.specificity)
            found.setdefault(row.cell.share, {}).setdefault(machine, []).append(row)
    return {share: {m: _worst_and_width(held, method) for m, held in of.items()} for share, of in found.items()}


def _worst_and_width(rows: Sequence[Row], method: str) -> tuple[float, float]:
    return min(r.marks[method].cover for r in rows), float(np.median([r.ratio(method) or np.nan for r in rows]))


def under_floor(rows: Sequence[Row]) -> list[tuple[Row, str]]:
    """Cells and methods whose intervals cover too seldom, be it by chance."""
    return [(r, n) for r in rows for n, m in _corrected([r]) if m.cover < floor(m.runs)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A number that must be reached, and whether it is."""

    what: str
    found: str
    reached: bool


def wanted(rows: Sequence[Row]) -> list[Wanted]:
    """All that must be reached and that these cells can tell of."""
    return [*_coverage(rows), *_bias(rows), *_widths(rows)]


def _corrected(rows: Sequence[Row]) -> list[tuple[str, Mark]]:
    return [(n, m) for row in rows for n, m in row.marks.items() if not n.endswith((ALONE, *UNCORRECTED))]


def _coverage(rows: Sequence[Row]) -> Iterator[Wanted]:
    marks = [m for _, m in _corrected(rows)]
    if not marks:
        return
    least, mean = min(m.cover for m in marks), float(np.mean([m.cover for m in marks]))
    wants = floor(marks[0].runs)
    yield Wanted(
        f"every method covers its own truth in every cell: {wants} or more", f"{least:.4f} at least", least >= wants
    )
    yield Wanted("and no more than .97 on average", f"{mean:.4f}", mean <= 0.97)


def _bias(rows: Sequence[Row]) -> Iterator[Wanted]:
    """Of the default alone: under .3 points, or 3 Monte Carlo errors."""
    found = [m for n, m in _corrected(rows) if "default" in n]
    if found:
        over = sum(abs(m.bias) >= max(0.003, 3 * m.bias_error) for m in found)
        worst = max(found, key=lambda m: abs(m.bias))
        words = (
            f"{over} of {len(found)} over; {100 * worst.bias:+.2f} points at most (error {100 * worst.bias_error:.2f})"
        )
        yield Wanted("bias of the default: under .3 points or 3 errors", words, over == 0)


def _widths(rows: Sequence[Row]) -> Iterator[Wanted]:
    """Width over that of as many blind uniform reads."""
    middle = [row for row in rows if row.cell.middle]
    fifteen = [row for row in rows if row.cell.kind is Kind.FIFTEEN]
    grid = [row for row in rows if row.cell.kind in (Kind.GRID, Kind.HARDER)]
    yield from _width("one focus code, p .08, .70/.95", middle, "texts default, strata of one code", 0.75)
    yield from _width("the same, narrow option", middle, "texts five strata of one code", 0.70)
    yield from _width("15 codes in one read", fifteen, "texts default, 15 codes", 0.83, 0.95)
    yield from _width("people, one read for every code", grid, "people default, one read for every code", 0.85, 1.06)
    yield from _width("people, strata of one code", grid, "people default, strata of one code", 0.85, 1.06)


def _width(what: str, rows: Sequence[Row], method: str, median: float, most: float | None = None) -> Iterator[Wanted]:
    ratios = [r for row in rows if (r := row.ratio(method)) is not None]
    if not ratios:
        return
    words = f"width, {what}: median {median} or less" + (f", none over {most}" if most else "")
    reached = float(np.median(ratios)) <= median and (most is None or max(ratios) <= most)
    yield Wanted(words, f"median {np.median(ratios):.3f}, most {max(ratios):.3f}", reached)
