"""Published indicators as they were published: value, status, quality and source, never a bare number.

Read so far: the CSV that Explore Education Statistics publishes for care leavers (long form).
Symbols are kept as statuses (`c` is not 0); the not-known share of a breakdown travels with it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from nlp.errors import IndicatorError

WARN_NOT_KNOWN = 0.2
WARN_DENOMINATOR = 20
_REQUIRED = ("time_period", "time_identifier", "geographic_level", "country_code", "country_name")
_VALUES = ("care_leaver_count", "care_leaver_percent")
_NOT_KNOWN = ("no information", "information not known")


class Status(StrEnum):
    """Why a value is or is not there; the letters are those of government statistics."""

    OK = "ok"
    CONFIDENTIAL = "c"
    NOT_APPLICABLE = "z"
    UNAVAILABLE = "x"
    ROUNDS_TO_ZERO = "k"
    LOW = "low"
    UNRELIABLE = "u"
    MISSING = "missing"


_SYMBOLS = frozenset(s.value for s in Status) - {Status.OK, Status.MISSING}


@dataclass(frozen=True, slots=True)
class Figure:
    """One published value for one area, period and breakdown.

    `percent` and `count` are None unless their status is ok. `denominator` is the published total
    of the same group; `not_known_share` the share of it with no information, where published.
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

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must be told before the value, in plain words."""
        found = []
        if self.not_known_share is not None and self.not_known_share >= WARN_NOT_KNOWN:
            found.append(
                f"{self.not_known_share:.0%} of this group is recorded as “information not known”. "
                "The published rate counts them as if they were not in the category, so it is too low to compare or rank."
            )
        if self.denominator is not None and self.denominator < WARN_DENOMINATOR:
            found.append(f"The group is small ({self.denominator}): one person moves the rate a lot.")
        if Status.UNRELIABLE in (self.count_status, self.percent_status):
            found.append("The publisher marks this value as of low reliability.")
        return tuple(found)

    @property
    def percent_of_known(self) -> float | None:
        """The rate among people whose situation is known, where that can be worked out."""
        if self.count is None or self.denominator is None or self.not_known_share is None:
            return None
        known = self.denominator * (1 - self.not_known_share)
        return 100 * self.count / known if known else None


def read_ees(file: Path) -> list[Figure]:
    """All figures of a care-leaver file from Explore Education Statistics.

    IndicatorError names file, row and column.
    """
    content = _content(file)
    sha256 = hashlib.sha256(content).hexdigest()
    rows = _rows(file, content)
    if not rows:
        raise IndicatorError(file=file.name, problem="the file has no rows")
    for column in (*_REQUIRED, *_VALUES, "breakdown", "care_leaver_age"):
        if column not in rows[0]:
            raise IndicatorError(file=file.name, row=1, field=column, problem="the column is missing")
    for i, row in enumerate(rows, 2):
        if None in row.values():
            raise IndicatorError(file=file.name, row=i, problem="the row is cut short")
    figures = [_figure(file.name, i, row, sha256) for i, row in enumerate(rows, 2)]
    return _with_bases(figures)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise IndicatorError(file=file.name, problem="the file is not there or cannot be read") from None


def _rows(file: Path, content: bytes) -> list[dict[str, str]]:
    try:
        return list(csv.DictReader(io.StringIO(_decoded(file, content), newline="")))
    except csv.Error:
        raise IndicatorError(file=file.name, problem="not readable as CSV; a quotation mark may be missing") from None


def _decoded(file: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise IndicatorError(file=file.name, problem="the file is not UTF-8 text; save it as CSV UTF-8") from None


def _figure(file: str, number: int, row: Mapping[str, str], sha256: str) -> Figure:
    count, count_status = _value(file, number, "care_leaver_count", row["care_leaver_count"])
    percent, percent_status = _value(file, number, "care_leaver_percent", row["care_leaver_percent"])
    return Figure(
        label=row["breakdown"].strip(),
        group=row["care_leaver_age"].strip(),
        area_code=row.get("new_la_code") or row.get("region_code") or row["country_code"],
        old_area_code=row.get("old_la_code") or "",
        area=row.get("la_name") or row.get("region_name") or row["country_name"],
        level=row["geographic_level"].strip(),
        period=row["time_period"].strip(),
        count=None if count is None else round(count),
        count_status=count_status,
        percent=percent,
        percent_status=percent_status,
        denominator=None,
        not_known_share=None,
        source_sha256=sha256,
        row=number,
    )


def _value(file: str, row: int, field: str, words: str | None) -> tuple[float | None, Status]:
    plain = (words or "").strip()
    if not plain:
        return None, Status.MISSING
    if plain in _SYMBOLS:
        return None, Status(plain)
    try:
        number = float(plain.replace(",", "").rstrip("%"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise IndicatorError(
            file=file, row=row, field=field, problem="neither a number nor a known symbol (c, z, x, k, low, u)"
        )
    return number, Status.OK


_Group = tuple[str, str, str]


def _with_bases(figures: Sequence[Figure]) -> list[Figure]:
    totals: dict[_Group, int] = {}
    unknown: dict[_Group, int] = {}
    for figure in figures:
        if figure.count is None:
            continue
        name = figure.label.casefold()
        if name in ("total", "suitability total"):
            totals[_group(figure)] = figure.count
        elif name.startswith(_NOT_KNOWN) or name.removeprefix("total ").startswith(_NOT_KNOWN):
            unknown[_group(figure)] = figure.count
    return [_with_base(f, totals.get(_group(f)), unknown.get(_group(f))) for f in figures]


def _group(figure: Figure) -> _Group:
    return figure.area_code, figure.period, figure.group


def _with_base(figure: Figure, total: int | None, unknown: int | None) -> Figure:
    share = unknown / total if total and unknown is not None else None
    return replace(figure, denominator=total, not_known_share=share)


def pick(figures: Iterable[Figure], *, label: str, group: str, area_codes: Sequence[str], period: str) -> Figure:
    """The one figure asked for; IndicatorError when there is none, or more than one."""
    found = [
        f for f in figures if f.label == label and f.group == group and f.period == period and f.area_code in area_codes
    ]
    if len(found) != 1:
        raise IndicatorError(file="indicators", problem=f"{len(found)} rows match “{label}”, {group}, {period}")
    return found[0]
