"""Which row is the total, which says that nobody knows, and which count a percentage is of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nlp.findings.indicators.values import Value

_NOT_KNOWN = ("no information", "information not known", "not known", "unknown", "not recorded")
LEAST_ROWS = 3
NEARLY = 0.5  # a whole percentage may be half a point from the ratio of its counts; more where counts are rounded
ROUNDED = 10


def is_total(words: str) -> bool:
    """Whether a category is everyone: `Total`, `Suitability total`, `All children`; never `Total in employment`."""
    plain = words.strip().casefold()
    return plain in ("total", "all") or plain.endswith(" total") or plain.startswith("all ")


def is_not_known(words: str) -> bool:
    """Whether a category holds those about whom nobody knows."""
    return words.strip().casefold().removeprefix("total ").startswith(_NOT_KNOWN)


def arithmetic_base(rows: Iterable[Mapping[str, Value]], percent: str, count: str, candidates: Sequence[str]) -> str:
    """The count column of which `count` is `percent` in every row; "" where none or several fit, or rows are few."""
    known = [r for r in rows if r[percent].value is not None and r[count].value]
    if len(known) < LEAST_ROWS:
        return ""
    fits = [c for c in candidates if c != count and all(_fits(r, percent, count, c) for r in known)]
    return fits[0] if len(fits) == 1 else ""


def _fits(row: Mapping[str, Value], percent: str, count: str, base: str) -> bool:
    whole, part, share = row[base].value, row[count].value or 0, row[percent].value or 0
    if not whole:
        return False
    slack = NEARLY + 100 * ROUNDED * (1 + part / whole) / whole
    return abs(100 * part / whole - share) <= slack
