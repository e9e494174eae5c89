"""What differs between two versions of a codebook: by code, by field, by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import groupby, zip_longest

from nlp.types import Code, Codebook

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
MOST_COMPARED = 4_000_000  # pairs of words; beyond that a text is shown as taken out and put in whole
ALIKE = 0.4
BOOK_FIELDS = ("title", "provenance", "description")
CODE_FIELDS = (
    "label", "young_label", "parent", "status", "definition", "include", "exclude", "examples", "near_misses", "co_produced_by",
)  # fmt: skip


class Mark(StrEnum):
    """Whether words stand in both versions, only in the first, or only in the second."""

    SAME = "same"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of words with its mark."""

    mark: Mark
    text: str


Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """One field that differs: its lines in order, one for a text and one an entry for a list."""

    field: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class CodeDiff:
    """One code that differs, in its newest words; `mark` is NEW or GONE where only one version has it."""

    code: Code
    mark: Mark
    fields: tuple[FieldDiff, ...]


@dataclass(frozen=True, slots=True)
class BookDiff:
    """What differs, the book's own fields and headings first."""

    book: tuple[FieldDiff, ...]
    codes: tuple[CodeDiff, ...]

    def __bool__(self) -> bool:
        return bool(self.book or self.codes)


def diff(before: Codebook, after: Codebook) -> BookDiff:
    """What differs between two versions; dates, version numbers and the change log apart."""
    fields = [_field(f, [getattr(before, f)], [getattr(after, f)]) for f in BOOK_FIELDS]
    fields.append(_field("families", _families(before), _families(after)))
    fields.append(_order(before, after))
    return BookDiff(tuple(f for f in fields if f is not None), tuple(_codes(before, after)))


def _order(before: Codebook, after: Codebook) -> FieldDiff | None:
    """That codes of both changed places; which, is plain from the codebook itself."""
    both = {code.id for code in before.codes} & {code.id for code in after.codes}
    old, new = ([code.id for code in book.codes if code.id in both] for book in (before, after))
    return None if old == new else FieldDiff("order", ((Piece(Mark.NEW, "Codes stand in another order."),),))


def _families(book: Codebook) -> list[str]:
    return [f"{family.id} {family.label}" for family in book.families]


def _codes(before: Codebook, after: Codebook) -> Iterator[CodeDiff]:
    old = {code.id: code for code in before.codes}
    for code in after.codes:
        was = old.pop(code.id, None)
        fields = _fields(was, code) if was != code else ()
        if fields:
            yield CodeDiff(code, Mark.NEW if was is None else Mark.SAME, fields)
    yield from (CodeDiff(code, Mark.GONE, _fields(code, None)) for code in old.values())


def _fields(before: Code | None, after: Code | None) -> tuple[FieldDiff, ...]:
    found = (_field(f, _lines(before, f), _lines(after, f)) for f in CODE_FIELDS)
    return tuple(f for f in found if f is not None)


def _lines(code: Code | None, field: str) -> list[str]:
    """A field's entries in words; none where there is no code."""
    if code is None:
        return []
    if field == "exclude":
        return [f"{e.text} (use {e.see})" if e.see else e.text for e in code.exclude]
    if field == "near_misses":
        return [" ".join(filter(None, (m.text, m.belongs_to and f"→ {m.belongs_to}", m.why))) for m in code.near_misses]
    value = getattr(code, field)
    return [str(value)] if isinstance(value, str) and value else [] if isinstance(value, str) else list(value)


def _field(name: str, before: Sequence[str], after: Sequence[str]) -> FieldDiff | None:
    return None if list(before) == list(after) else FieldDiff(name, tuple(_aligned(before, after)))


def _aligned(before: Sequence[str], after: Sequence[str]) -> Iterator[Line]:
    """Entries side by side: those in both, those only in one, and those that were reworded."""
    for op, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if op == "equal":
            yield from ((Piece(Mark.SAME, text),) for text in before[a:b])
            continue
        for old, new in zip_longest(before[a:b], after[c:d]):
            yield from _pair(old, new)


def _pair(old: str | None, new: str | None) -> Iterator[Line]:
    line = words(old, new) if old is not None and new is not None else ()
    if line and _alike(line):
        yield line
        return
    if old:
        yield (Piece(Mark.GONE, old),)
    if new:
        yield (Piece(Mark.NEW, new),)


def _alike(line: Line) -> bool:
    shared = sum(len(p.text) for p in line if p.mark is Mark.SAME)
    return shared >= ALIKE * sum(len(p.text) for p in line)


def words(before: str, after: str) -> Line:
    """Two texts as one line of marked words: SAME and GONE make the first, SAME and NEW the second."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    if len(old) * len(new) > MOST_COMPARED:
        return tuple(p for p in (Piece(Mark.GONE, before), Piece(Mark.NEW, after)) if p.text)
    pieces: list[Piece] = []
    for op, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if op == "equal":
            pieces.append(Piece(Mark.SAME, "".join(old[a:b])))
        else:
            pieces += [Piece(Mark.GONE, "".join(old[a:b])), Piece(Mark.NEW, "".join(new[c:d]))]
    return _joined([p for p in pieces if p.text])


def _joined(pieces: Sequence[Piece]) -> Line:
    """Neighbours of one mark as one piece."""
    return tuple(Piece(m, "".join(p.text for p in run)) for m, run in groupby(pieces, key=lambda p: p.mark))
