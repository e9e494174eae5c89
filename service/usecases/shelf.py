"""Reading a study's codebook: found by words a page at a time, and the history of its versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nlp.codebook_order import Entry, Section, outline
from nlp.types import Change, Code, Codebook
from service.study.codebooks import all_codebooks
from service.study.publications import Publication, publications, recode_counts
from service.study.study import Study

PAGE = 100


@dataclass(frozen=True, slots=True)
class Shelf:
    """One page of a codebook's codes under their headings."""

    sections: tuple[Section, ...]
    page: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class Edition:
    """A version that the study keeps, with its change note; `before` is the version that it can be compared with.

    `published` is None where it came from a file; `again` segments are read again because of it.
    """

    version: str
    change: Change | None
    before: str
    published: Publication | None
    again: int


def shelf(book: Codebook, *, find: str = "", page: int = 1, code: str = "") -> Shelf:
    """The codes in which all the words begin some word, in order; past the last page, the last. With `code`, its page."""
    sections = _found(outline(book), find)
    ids = [entry.code.id for section in sections for entry in section.entries]
    pages = max(1, -(-len(ids) // PAGE))
    at = ids.index(code) // PAGE + 1 if code in ids else min(max(page, 1), pages)
    return Shelf(tuple(_cut(sections, PAGE * (at - 1), PAGE * at)), at, pages, len(ids))


def _found(sections: Sequence[Section], find: str) -> list[Section]:
    terms = find.casefold().split()
    if not terms:
        return list(sections)
    kept = (replace(s, entries=tuple(e for e in s.entries if _holds(e.code, terms))) for s in sections)
    return [section for section in kept if section.entries]


def _holds(code: Code, terms: Sequence[str]) -> bool:
    words = " ".join(("", code.id, code.label, code.young_label, code.definition, *code.include)).casefold()
    return all(f" {term}" in words for term in terms)


def _cut(sections: Sequence[Section], start: int, end: int) -> list[Section]:
    found, at = list[Section](), 0
    for section in sections:
        entries: tuple[Entry, ...] = section.entries[max(0, start - at) : max(0, end - at)]
        at += len(section.entries)
        if entries:
            found.append(replace(section, entries=entries))
    return found


def editions(study: Study) -> list[Edition]:
    """Every version that the study keeps, newest first."""
    books, made = all_codebooks(study.db, study.codebook), {p.version: p for p in publications(study.db)}
    again = recode_counts(study.db)
    found = []
    for number, book in enumerate(books):
        published = made.get(book.version)
        before = published.based_on if published else books[number - 1].version if number else ""
        change = next((c for c in book.changes if c.version == book.version), None)
        found.append(
            Edition(book.version, change, before, published, again.get(published.round, 0) if published else 0)
        )
    return found[::-1]
