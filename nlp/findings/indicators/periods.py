"""Years, terms and quarters as each publisher writes them, as dates."""

from __future__ import annotations

import re

from nlp.findings.indicators.values import Period

_FAMILIES = {
    "Calendar": ("calendar year",),
    "Reporting": ("reporting year",),
    "Academic": ("academic year", "autumn", "spring", "summer"),
    "Financial": ("financial year", "part 1", "part 2"),
    "Tax": ("tax year",),
    "Week": ("week",),
    "Month": (
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ),
}  # fmt: skip
_STARTS = {"Academic": "09-01", "Financial": "04-01", "Tax": "04-06"}
_ENDS = {"Academic": "08-31", "Financial": "03-31", "Tax": "04-05"}
_TERMS = {"autumn": ("09-01", "12-31"), "spring": ("01-01", "04-15"), "summer": ("04-16", "08-31")}
_SPAN = re.compile(r"^(\d{4})\s*[-/–]\s*(\d{2}|\d{4})$")
_LONG_SPAN = re.compile(r"^(\d{4})(?:/\d{2})?\s*-\s*(\d{2}|\d{4})(?:/(\d{2}))?$")


def family(identifier: str) -> str:
    """The family of a `time_identifier`: a file may mix identifiers of one family only. "" for an unknown one."""
    plain = identifier.strip().casefold()
    return next((name for name, begins in _FAMILIES.items() if plain.startswith(begins)), "")


def ees_period(period: str, identifier: str) -> Period:
    """A `time_period` with its `time_identifier`. ValueError with words when the two do not fit together.

    A reporting year is taken to end on 31 March, as children's social care returns do.
    """
    kind = family(identifier)
    year = int(period[:4]) if re.fullmatch(r"\d{4}|\d{6}", period) else 0
    if not kind or not year:
        raise ValueError("the period is not four or six digits with a known time_identifier")
    if len(period) == 6 and int(period[4:]) != (year + 1) % 100:
        raise ValueError("the period does not name two years that follow each other")
    plain = identifier.strip().casefold()
    if len(period) == 6 and kind in _STARTS:
        start, end = _within(kind, plain, year)
        return Period(f"{period[:4]}/{period[4:]}" + _part(plain), start, end, year + 1)
    if kind in _STARTS:
        raise ValueError(f"a {plain} has six digits, such as 202425")
    if kind == "Reporting":
        return Period(period, f"{year - 1}-04-01", f"{year}-03-31", year)
    if kind == "Calendar":
        return Period(period, f"{year}-01-01", f"{year}-12-31", year)
    return Period(f"{period}, {identifier.strip()}", "", "", year)


def _within(kind: str, identifier: str, year: int) -> tuple[str, str]:
    term = next((t for t in _TERMS if identifier.startswith(t)), "")
    if term:
        start, end = _TERMS[term]
        last = _TERMS["spring"][1] if " and spring" in identifier else end
        return f"{year if term == 'autumn' else year + 1}-{start}", f"{year if last == '12-31' else year + 1}-{last}"
    if identifier.endswith("year"):
        return f"{year}-{_STARTS[kind]}", f"{year + 1}-{_ENDS[kind]}"
    return "", ""


def _part(identifier: str) -> str:
    return "" if identifier.endswith("year") else f", {identifier}"


def lait_period(words: str) -> tuple[Period, str]:
    """A year of the interactive tool and whether it is provisional or revised; `0` is no year.

    The tool writes one year, two years and spans of years alike; what kind of year stands in its dictionary only, so
    no dates are made up.
    """
    marks = re.findall(r"\(([^)]*)\)", words)
    plain = re.sub(r"\s*\([^)]*\)", "", words).strip()
    revision = {"rev": "revised", "prov": "provisional", "p": "provisional"}
    found = next((revision[m.strip().casefold()] for m in marks if m.strip().casefold() in revision), "")
    kept = " ".join(f"({m})" for m in marks if m.strip().casefold() not in revision)
    return Period(f"{plain} {kept}".strip() if plain != "0" else "year not given", "", "", last_year(plain)), found


def last_year(words: str) -> int:
    """The year in which a period ends, for sorting: 2017 for `2016-17`, 2016 for `2013/14-15/16`; 0 for none."""
    if match := _SPAN.match(words):
        return _full(match[1], match[2])
    if match := _LONG_SPAN.match(words):
        return _full(match[1], match[3] or match[2])
    found = re.findall(r"\d{4}", words)
    return int(found[-1]) if found else 0


def _full(first: str, last: str) -> int:
    if len(last) == 4:
        return int(last)
    year = int(first[:2] + last)
    return year if year >= int(first) else year + 100


def plain_period(words: str) -> Period:
    """A period as a person writes it: a year, two years (financial or academic is not guessed), or two ISO dates."""
    match = re.fullmatch(r"(\d{4}-\d{2}-\d{2})\s*(?:to|/)\s*(\d{4}-\d{2}-\d{2})", words)
    if match:
        return Period(words, match[1], match[2], int(match[2][:4]))
    return Period(words, "", "", last_year(words))
