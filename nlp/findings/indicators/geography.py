"""Places over time: codes that changed, names that are spelt in two ways, districts that add up to a county."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nlp.errors import IndicatorError
from nlp.findings.indicators.values import Area, NoteKind, Status, Value

LAST = "9999-12-31"


@dataclass(frozen=True, slots=True)
class Coded:
    """A local authority's code and the days on which it is in force."""

    code: str
    old_code: str
    name: str
    since: str
    until: str = LAST


# Councils whose code changed while their area did not; every other one is known by the code in the file.
CODES = (
    Coded("E10000023", "815", "North Yorkshire", "1974-04-01", "2023-03-31"),
    Coded("E06000065", "815", "North Yorkshire", "2023-04-01"),
    Coded("E10000027", "933", "Somerset", "1974-04-01", "2023-03-31"),
    Coded("E06000066", "933", "Somerset", "2023-04-01"),
    Coded("E10000002", "825", "Buckinghamshire", "1974-04-01", "2020-03-31"),
    Coded("E06000060", "825", "Buckinghamshire", "2020-04-01"),
    Coded("E10000014", "850", "Hampshire", "1974-04-01"),
    Coded("E08000004", "353", "Oldham", "1974-04-01"),
    Coded("E08000005", "354", "Rochdale", "1974-04-01"),
)
ENGLAND = "E92000001"
REGIONS = {
    "north east": "E12000001",
    "north west": "E12000002",
    "yorkshire and the humber": "E12000003",
    "east midlands": "E12000004",
    "west midlands": "E12000005",
    "east of england": "E12000006",
    "london": "E12000007",
    "south east": "E12000008",
    "south west": "E12000009",
    "england": ENGLAND,
}
# Districts of the two counties among the sites; those of North Yorkshire ended with the county on 31 March 2023.
DISTRICTS = {
    "850": tuple(f"E070000{n}" for n in range(84, 95)),
    "815": tuple(f"E07000{n}" for n in range(163, 170)),
}


def place(area: Area) -> str:
    """What stays the same while codes change: the old three-digit code where there is one, else the code."""
    return area.old_code or next((c.old_code for c in CODES if c.code == area.code), area.code)


def code_on(old_code: str, day: str) -> str:
    """The code in force on an ISO day; "" where this list does not hold the place."""
    return next((c.code for c in CODES if c.old_code == old_code and c.since <= day <= c.until), "")


def named(name: str) -> str:
    """The code of England or of a region, however it is capitalised; "" for another place."""
    return REGIONS.get(" ".join(name.split()).casefold(), "")


def roll_up(parts: Sequence[Value], into: Area, expected: Sequence[str]) -> Value:
    """One value for an area from those of its districts, added up as counts: rates are never averaged.

    `expected` are the codes of all its districts. IndicatorError when one is missing, held back or without its counts,
    when one stands twice, or when the parts are not of one indicator, group and period.
    """
    found = [p.area.code for p in parts]
    problem = _unfit(parts, found, expected)
    if problem:
        raise IndicatorError(file=into.name, problem=problem)
    numerator, denominator = sum(p.numerator or 0 for p in parts), sum(p.denominator or 0 for p in parts)
    known = [p.not_known_share for p in parts]
    return replace(
        parts[0],
        area=into,
        value=100 * numerator / denominator if denominator else None,
        status=Status.OK if denominator else Status.NOT_APPLICABLE,
        symbol="" if denominator else "z",
        numerator=numerator,
        numerator_status=Status.OK,
        denominator=denominator,
        low=None,
        high=None,
        not_known_share=_share_of_all(parts, known, denominator),
        notes=tuple(
            dict.fromkeys(n for p in parts for n in p.notes if n.kind not in (NoteKind.SMALL, NoteKind.NOT_KNOWN))
        ),
    )


def _unfit(parts: Sequence[Value], found: Sequence[str], expected: Sequence[str]) -> str:
    if missing := set(expected) - set(found):
        return f"{len(missing)} of {len(expected)} districts are not in the file, so they cannot be added up"
    if len(found) != len(set(found)) or set(found) - set(expected):
        return "a district stands twice, or is not of this area"
    if len({(p.indicator, p.unit, p.period, p.filters) for p in parts}) != 1 or parts[0].unit != "%":
        return "the districts' values are not percentages of one indicator, group and period"
    held = sum(p.numerator is None or p.denominator is None for p in parts)
    if held:
        return (
            f"{held} of {len(expected)} districts have no published count and base; "
            "ask for the counts, since averaging rates would give small districts too much weight"
        )
    return ""


def _share_of_all(parts: Sequence[Value], shares: Sequence[float | None], denominator: float) -> float | None:
    if not denominator or any(s is None for s in shares):
        return None
    return sum((s or 0) * (p.denominator or 0) for p, s in zip(parts, shares, strict=True)) / denominator
