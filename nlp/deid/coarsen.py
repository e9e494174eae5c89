"""Dates to their month, birth dates and ages to bands, postcodes to their district."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS = "January February March April May June July August September October November December".split()
_SHORT = {m[:3].casefold(): i + 1 for i, m in enumerate(_MONTHS)}
_NAMED = re.compile(r"(?i)\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*")
_NUMERIC = re.compile(r"(\d{1,4})[\s./-](\d{1,2})(?:[\s./-](\d{2,4}))?")
_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty"
).split()
_BANDS = ((0, 0, "under 1"), (1, 4, "1 to 4"), (5, 10, "5 to 10"), (11, 15, "11 to 15"), (16, 17, "16 to 17"),
          (18, 24, "18 to 24"), (25, 44, "25 to 44"), (45, 64, "45 to 64"), (65, 150, "65 or over"))  # fmt: skip
_WEEKS_A_YEAR, _MONTHS_A_YEAR, _DAYS_A_YEAR = 52, 12, 365


@dataclass(frozen=True, slots=True)
class Parts:
    """What a written date says; 0 where it does not."""

    day: int
    month: int
    year: int


def date_parts(words: str) -> Parts | None:
    """Day, month and year of a British date, in figures or with the month's name; None when it is neither."""
    named = _NAMED.search(words)
    if named:
        numbers = re.findall(r"\d+", words)
        years = [n for n in numbers if len(n) == 4] or [n for n in numbers[1:] if len(n) == 2]
        days = [n for n in numbers if len(n) <= 2 and n not in years]
        return _parts(days[0] if days else "0", str(_SHORT[named[1].casefold()]), years[0] if years else "0")
    figures = _NUMERIC.search(words)
    if figures is None:
        return None
    first, second, third = figures[1], figures[2], figures[3] or "0"
    return _parts(third, second, first) if len(first) == 4 else _parts(first, second, third)


def _parts(day: str, month: str, year: str) -> Parts | None:
    full = int(year) + (2000 if len(year) == 2 and int(year) < 40 else 1900 if len(year) == 2 else 0)
    sound = 0 <= int(day) <= 31 and 1 <= int(month) <= 12
    return Parts(int(day), int(month), full) if sound else None


def month_of(words: str) -> str:
    """“March 2024”, “March”, or nothing when the date cannot be read."""
    parts = date_parts(words)
    if parts is None:
        return ""
    return f"{_MONTHS[parts.month - 1]} {parts.year or ''}".strip()


def shifted(words: str, days: int) -> str:
    """The date moved by some days, written out; nothing when it cannot be read in full."""
    parts = date_parts(words)
    if parts is None or not (parts.day and parts.year):
        return ""
    try:
        moved = date(parts.year, parts.month, parts.day) + timedelta(days=days)
    except (ValueError, OverflowError):
        return ""
    return f"{moved.day} {_MONTHS[moved.month - 1]} {moved.year}"


def birth_band(words: str) -> str:
    """“2015 to 2019” for a date in 2016; nothing without a year."""
    parts = date_parts(words)
    if parts is None or not parts.year:
        return ""
    first = parts.year - parts.year % 5
    return f"{first} to {first + 4}"


def age_band(words: str) -> str:
    """“5 to 10” for “seven”, “under 1” for “11 weeks”; nothing when no number can be read."""
    text = words.casefold()
    figures = re.search(r"\d+", text)
    spelt = [w for w in re.findall(r"[a-z]+", text) if w in _WORDS]
    if not figures and not spelt:
        return ""
    number = int(figures[0]) if figures else _WORDS.index(spelt[0])
    years = _in_years(number, text[figures.end() :] if figures else text)
    return next((name for low, high, name in _BANDS if low <= years <= high), "")


def _in_years(number: int, rest: str) -> int:
    if re.match(r"\W*(?:y|ye|and a half)", rest):
        return number
    if re.search(r"\bm(?:o|n?ths?|onths?)?\b|/12", rest):
        return number // _MONTHS_A_YEAR
    if re.search(r"\bw(?:ks?|eeks?)\b", rest):
        return number // _WEEKS_A_YEAR
    return number // _DAYS_A_YEAR if re.search(r"\bdays?\b", rest) else number


def district(words: str) -> str:
    """“OL4” for “ol4 2qd”; nothing for a shape that is no postcode."""
    match = re.fullmatch(r"\s*([A-Za-z]{1,2}\d[A-Za-z\d]?)\s*(?:\d[A-Za-z]{0,2})?\s*", words)
    return match[1].upper() if match else ""
