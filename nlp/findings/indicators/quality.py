"""Quality notes, raised by rule: what must be said before a value, and when areas must not be ranked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nlp.findings.indicators.bases import is_total
from nlp.findings.indicators.geography import place
from nlp.findings.indicators.known import BREAKS, MEANINGS
from nlp.findings.indicators.values import Note, NoteKind, Status, Value

WARN_NOT_KNOWN = 0.2
WARN_DENOMINATOR = 20
ROUNDING = 10


def with_notes(values: Sequence[Value]) -> list[Value]:
    """The values with every note that the rules raise, after those that the publisher gave."""
    rules = (_retired(values), _not_every_period(values), _gaps(values), _smaller_than_a_part(values))
    return [
        replace(v, notes=tuple(dict.fromkeys([*v.notes, *_own(v), *_known(v), *_by_rule(v, rules)]))) for v in values
    ]


_Notes = Mapping[Any, Note]


def _by_rule(value: Value, rules: tuple[_Notes, _Notes, _Notes, _Notes]) -> Iterator[Note]:
    retired, broken, gaps, parts = rules
    if _category(value) in retired:
        yield retired[_category(value)]
    elif _series(value) in broken:
        yield broken[_series(value)]
    if (_series(value), value.period.order) in gaps:
        yield gaps[_series(value), value.period.order]
    if _total_group(value) in parts:
        yield parts[_total_group(value)]


def not_known_note(share: float) -> Note:
    """What a large share of people of whom nothing is known means for a rate."""
    return Note(
        NoteKind.NOT_KNOWN,
        f"{share:.0%} of this group is recorded as “information not known”. "
        "The published rate counts them as if they were not in the category, so it is too low to compare or rank.",
    )


def small_note(denominator: float) -> Note:
    """What a small group means for a rate."""
    return Note(NoteKind.SMALL, f"The group is small ({denominator:g}): one person moves the rate a lot.")


UNRELIABLE = Note(NoteKind.UNRELIABLE, "The publisher marks this value as of low reliability.")


def refuse_ranking(values: Iterable[Value]) -> str:
    """Why these areas must not be put in order, and what would make it possible; "" where nothing speaks against it."""
    values = list(values)
    worst = max((v.not_known_share or 0 for v in values), default=0)
    if worst >= WARN_NOT_KNOWN:
        return (
            f"Areas are not ranked: in one of them {worst:.0%} of the group is “information not known”, so an order would "
            "be an order of what is recorded. It becomes possible when fewer than a fifth are not known everywhere."
        )
    held = sum(v.value is None for v in values)
    if held:
        return f"Areas are not ranked: {held} of {len(values)} values are not published, so no place in an order is certain."
    return ""


def _own(value: Value) -> list[Note]:
    found = []
    if value.not_known_share is not None and value.not_known_share >= WARN_NOT_KNOWN and value.unit == "%":
        found.append(not_known_note(value.not_known_share))
    if value.denominator is not None and value.denominator < WARN_DENOMINATOR and value.unit == "%":
        found.append(small_note(value.denominator))
    if Status.UNRELIABLE in (value.status, value.numerator_status):
        found.append(UNRELIABLE)
    return found


def _known(value: Value) -> list[Note]:
    name = value.indicator.casefold()
    found = [Note(NoteKind.MEANING, words) for key, words in MEANINGS.items() if key == name]
    return found + [Note(NoteKind.BREAK, b.words) for b in BREAKS if name.startswith(b.begins)]


def _series(value: Value) -> tuple[object, ...]:
    return value.indicator, value.filters


def _category(value: Value) -> tuple[object, ...]:
    return value.indicator, value.filters, value.period.label


def _retired(values: Sequence[Value]) -> dict[tuple[object, ...], Note]:
    """Categories that are `z` for every area of a period while the file has numbers for it in the same period."""
    marks: dict[tuple[object, ...], set[bool]] = defaultdict(set)
    published: dict[tuple[str, str], bool] = defaultdict(bool)
    for v in values:
        marks[_category(v)].add(v.status is Status.NOT_APPLICABLE)
        published[v.indicator, v.period.label] |= v.value is not None
    note = Note(NoteKind.RETIRED, "This category was not counted in this period: it is in the file as a name only.")
    return {key: note for key, found in marks.items() if found == {True} and published[str(key[0]), str(key[2])]}


def _not_every_period(values: Sequence[Value]) -> dict[tuple[object, ...], Note]:
    """Series of a category that is counted in some periods and not in others."""
    retired = _retired(values)
    out: dict[tuple[object, ...], set[str]] = defaultdict(set)
    for indicator, filters, period in retired:
        out[indicator, filters].add(str(period))
    counted = {_series(v) for v in values if v.value is not None}
    return {
        series: Note(
            NoteKind.BREAK,
            f"This category was not counted in {', '.join(sorted(periods))}: where it went, other categories changed too.",
        )
        for series, periods in out.items()
        if series in counted
    }


def _gaps(values: Sequence[Value]) -> dict[tuple[object, int], Note]:
    """Periods that come after ones for which nothing at all was published."""
    seen: dict[tuple[object, ...], dict[int, bool]] = defaultdict(dict)
    labels = {v.period.order: v.period.label for v in values}
    for v in values:
        had = seen[_series(v)]
        had[v.period.order] = had.get(v.period.order, False) or v.value is not None
    found: dict[tuple[object, int], Note] = {}
    for measure, periods in seen.items():
        empty: list[int] = []
        before = False
        for order in sorted(periods):
            if not periods[order]:
                empty += [order] if before else []
                continue
            if empty:
                words = f"Nothing was published for {' and '.join(labels[o] for o in empty)}: the series has a gap before this."
                found[measure, order] = Note(NoteKind.BREAK, words)
            empty, before = [], True
    return found


def _total_group(value: Value) -> tuple[object, ...]:
    return place(value.area), value.period.label, value.indicator, value.filters[:-1]


def _smaller_than_a_part(values: Sequence[Value]) -> dict[tuple[object, ...], Note]:
    """Groups of counts in which a part is greater than the total, by more than rounding does."""
    totals = {_total_group(v): v.value for v in values if _counts(v) and is_total(v.filters[-1][1])}
    note = Note(
        NoteKind.PARTS, "In this group a part is greater than the total that is published: one of them is wrong."
    )
    return {
        _total_group(v): note
        for v in values
        if _counts(v) and (v.value or 0) > (totals.get(_total_group(v)) or float("inf")) + _slack(v)
    }


def _counts(value: Value) -> bool:
    return value.unit == "count" and bool(value.filters) and value.value is not None


def _slack(value: Value) -> float:
    return value.rounding_base if value.rounding_base and value.rounding_base > 1 else 0
