"""A published percentage and the count behind it as one figure: what stands beside a theme."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp.errors import IndicatorError
from nlp.findings.indicators.quality import UNRELIABLE, WARN_DENOMINATOR, WARN_NOT_KNOWN, not_known_note, small_note
from nlp.findings.indicators.read import read_indicators
from nlp.findings.indicators.values import NoteKind, Status, Value

_BY_NUMBERS = (NoteKind.NOT_KNOWN, NoteKind.SMALL, NoteKind.UNRELIABLE)


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure for one area, period and breakdown.

    `percent` and `count` are None unless their status is ok. `denominator` is the published total
    of the same group; `not_known_share` the share of it with no information, where published; `low` and `high` the
    publisher's own 95% interval in percent. `notes` are quality notes that the numbers alone do not tell.
    """

    label: str
    group: str
    area_code: str
    old_area_code: str
    area: str
    level: str
    period: str
    count: int | None
    count_status: Status
    percent: float | None
    percent_status: Status
    denominator: int | None
    not_known_share: float | None
    source_sha256: str
    row: int
    low: float | None = None
    high: float | None = None
    notes: Sequence[str] = ()
    polarity: str = ""
    publisher: str = ""
    licence: str = ""
    revision: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must be told before the value, in plain words."""
        found = []
        if self.not_known_share is not None and self.not_known_share >= WARN_NOT_KNOWN:
            found.append(not_known_note(self.not_known_share).words)
        if self.denominator is not None and self.denominator < WARN_DENOMINATOR:
            found.append(small_note(self.denominator).words)
        if Status.UNRELIABLE in (self.count_status, self.percent_status):
            found.append(UNRELIABLE.words)
        return tuple(found)

    @property
    def percent_of_known(self) -> float | None:
        """The rate among people whose situation is known, where that can be worked out."""
        if self.count is None or self.denominator is None or self.not_known_share is None:
            return None
        known = self.denominator * (1 - self.not_known_share)
        return 100 * self.count / known if known else None


def read_ees(file: Path) -> list[Figure]:
    """All figures of an indicator file of any kind that is read. IndicatorError names file, row and column."""
    loaded = read_indicators(file)
    by_row: dict[int, list[Value]] = defaultdict(list)
    for value in loaded.values:
        by_row[value.row].append(value)
    source = (loaded.source.sha256, loaded.source.publisher, loaded.source.licence)
    return [figure for values in by_row.values() for figure in _figures(values, source)]


def _figures(values: Sequence[Value], source: tuple[str, str, str]) -> list[Figure]:
    """One figure a percentage, or a count that no percentage of the row rests on."""
    percents = [v for v in values if v.unit == "%"]
    long = len(percents) == 1 and bool(percents[0].filters)
    if long:
        return [_figure(percents[0], source, long=True)]
    lone = [v for v in values if v.unit != "%" and not any(p.numerator == v.value is not None for p in percents)]
    return [_figure(v, source, long=False) for v in (*percents, *lone)]


def _figure(value: Value, source: tuple[str, str, str], *, long: bool) -> Figure:
    filters = [chosen for _, chosen in value.filters]
    is_percent = value.unit == "%"
    count = value.numerator if is_percent else value.value
    return Figure(
        label=filters[-1] if long else value.label,
        group="; ".join(filters[:-1] if long else filters),
        area_code=value.area.code,
        old_area_code=value.area.old_code,
        area=value.area.name,
        level=value.area.level,
        period=value.period.label,
        count=None if count is None else round(count),
        count_status=value.numerator_status if is_percent else value.status,
        percent=value.value if is_percent else None,
        percent_status=value.status if is_percent else Status.MISSING,
        denominator=None if value.denominator is None else round(value.denominator),
        not_known_share=value.not_known_share,
        source_sha256=source[0],
        row=value.row,
        low=value.low,
        high=value.high,
        notes=tuple(n.words for n in value.notes if n.kind not in _BY_NUMBERS),
        polarity=value.polarity,
        publisher=source[1],
        licence=source[2],
        revision=value.revision,
    )


def pick(figures: Iterable[Figure], *, label: str, group: str, area_codes: Sequence[str], period: str) -> Figure:
    """The one figure asked for; IndicatorError when there is none, or more than one."""
    found = [
        f for f in figures if f.label == label and f.group == group and f.period == period and f.area_code in area_codes
    ]
    if len(found) != 1:
        raise IndicatorError(file="indicators", problem=f"{len(found)} rows match “{label}”, {group}, {period}")
    return found[0]
