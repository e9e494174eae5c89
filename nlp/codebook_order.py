"""The order of a codebook's codes: under headings and under one another, and one code past its neighbour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from nlp.errors import EditError
from nlp.types import Code, Codebook


@dataclass(frozen=True, slots=True)
class Entry:
    """A code in its place: how deep it stands under other codes, and whether it is the first or last of its neighbours."""

    code: Code
    depth: int
    first: bool
    last: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with the codes under it; `heading` is empty for codes that stand under none."""

    heading: str
    label: str
    entries: tuple[Entry, ...]


def outline(book: Codebook) -> list[Section]:
    """Every code once: under its heading, each followed by those under it. Headings without codes are left out."""
    under: dict[str, list[Code]] = defaultdict(list)
    for code in book.codes:
        under[code.parent].append(code)
    sections = [Section(f.id, f.label, tuple(_entries(under, f.id))) for f in book.families]
    sections.append(Section("", "", tuple(_entries(under, ""))))
    placed = {e.code.id for s in sections for e in s.entries}
    lost = [code for code in book.codes if code.id not in placed]  # codes under one another in a circle
    sections.append(Section("", "", tuple(Entry(code, 0, first=True, last=True) for code in lost)))
    return [section for section in sections if section.entries]


def _entries(under: Mapping[str, Sequence[Code]], parent: str) -> list[Entry]:
    found, waiting = list[Entry](), list(reversed(_beside(under, parent, 0)))
    while waiting:
        entry = waiting.pop()
        found.append(entry)
        waiting += reversed(_beside(under, entry.code.id, entry.depth + 1))
    return found


def _beside(under: Mapping[str, Sequence[Code]], parent: str, depth: int) -> list[Entry]:
    codes = under.get(parent, ())
    return [Entry(c, depth, i == 0, i == len(codes) - 1) for i, c in enumerate(codes)]


def past_neighbour(book: Codebook, code_id: str, *, up: bool) -> tuple[str, ...]:
    """The ids of all codes in order, with one past the next under the same heading; EditError where there is none."""
    parent = book.code(code_id).parent
    beside = [c.id for c in book.codes if c.parent == parent]
    at = beside.index(code_id)
    other = at - 1 if up else at + 1
    if not 0 <= other < len(beside):
        raise EditError(f"it is the {'first' if up else 'last'} under its heading already", code=code_id)
    swap = {code_id: beside[other], beside[other]: code_id}
    return tuple(swap.get(c.id, c.id) for c in book.codes)


def in_order(codes: Sequence[Code], order: Sequence[str]) -> list[Code]:
    """Codes as `order` has their ids; one that it does not name stays behind the one before it."""
    place = {code_id: i for i, code_id in enumerate(order)}
    followers: dict[int, list[Code]] = defaultdict(list)
    at = -1
    for code in codes:
        at = place.get(code.id, at)
        followers[at].append(code)
    return list(chain.from_iterable(followers[i] for i in sorted(followers)))
