"""A project or codebook file of any tool as data, with a report of what did not come in as it stands there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from nlp.errors import InterchangeError
from nlp.interchange.archive import Archive, parsed
from nlp.interchange.offsets import (
    Raw,
    Reading,
    Words,
    at_edge,
    best_reading,
    names_are_words,
    with_lf,
)
from nlp.interchange.project import (
    Case,
    CodeEntry,
    CodeSet,
    Doubt,
    Fidelity,
    Given,
    Kind,
    Note,
    Project,
    Selection,
    Source,
    User,
    Value,
    Variable,
    guid,
)

_MEDIA = ("PictureSource", "PDFSource", "AudioSource", "VideoSource")
_WORDS_OF_MEDIA = ("TextDescription", "Representation", "Transcript")
_UNREAD = ("Links", "Graphs")


@dataclass(frozen=True, slots=True, repr=False)
class _RawSource:
    element: Element
    guid: str
    name: str
    text: str | None
    words: Words

    def selections(self) -> Iterator[tuple[Element, Raw]]:
        for one in _all(self.element, "PlainTextSelection"):
            start, end = _number(one, "startPosition"), _number(one, "endPosition")
            yield one, Raw(self.words, start, end, one.get("name", ""))


def read_project(content: bytes) -> tuple[Project, Fidelity]:
    """A `.qdpx` as data, with how faithfully; InterchangeError where it is none, or is damaged or malicious.

    A source without its text comes in empty, and what was given in it is told as lost.
    """
    archive = Archive(content)
    root = archive.project()
    if _local(root) != "Project":
        raise InterchangeError("its XML is not a QDA-XML project")
    raw = list(_raw_sources(archive, root))
    origin = root.get("origin", "")
    flat = [one for source in raw for _, one in source.selections()]
    reading = best_reading(flat, origin)
    named = names_are_words(flat, reading)
    doubts: list[Doubt] = []
    sources = tuple(_source(one, reading, named, doubts) for one in raw)
    project = Project(
        name=root.get("name", ""),
        origin=origin,
        created=root.get("creationDateTime", ""),
        description=_words(root, "Description"),
        users=tuple(User(_guid(u), u.get("name", "")) for u in _under(root, "Users", "User")),
        codes=tuple(_codes(root)),
        variables=tuple(_variable(v) for v in _under(root, "Variables", "Variable")),
        cases=tuple(_case(c) for c in _under(root, "Cases", "Case")),
        sources=sources,
        notes=tuple(_note(_raw_source(archive, note)) for note in _under(root, "Notes", "Note")),
        sets=tuple(_set(one) for one in _under(root, "Sets", "Set")),
    )
    return project, Fidelity(str(reading), len(flat), _share_of_words(flat, reading), tuple(doubts), _left_out(root))


def read_codebook(content: bytes) -> Project:
    """A `.qdc` codebook (any version of its form) as a project that has codes and sets alone."""
    root = parsed(content)
    if _local(root) != "CodeBook":
        raise InterchangeError("its XML is not a QDA-XML codebook")
    sets = tuple(_set(one) for one in _under(root, "Sets", "Set"))
    return Project("", origin=root.get("origin", ""), codes=tuple(_parted(list(_nested(root, "")))), sets=sets)


def _local(element: Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def _all(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element if _local(child) == name)


def _first(element: Element, name: str) -> Element | None:
    return next(_all(element, name), None)


def _under(root: Element, group: str, name: str) -> Iterator[Element]:
    for held in _all(root, group):
        yield from _all(held, name)


def _words(element: Element, name: str) -> str:
    held = _first(element, name)
    return with_lf(held.text or "") if held is not None else ""


def _guid(element: Element, name: str = "guid") -> str:
    """In small letters without braces, as they are compared."""
    return element.get(name, "").strip("{}").casefold()


def _refs(element: Element, name: str) -> tuple[str, ...]:
    """What elements of a name point to; a codebook's sets write `guid` where a project's write `targetGUID`."""
    return tuple(_guid(ref, "targetGUID") or _guid(ref) for ref in _all(element, name))


def _codes(root: Element) -> Iterator[CodeEntry]:
    for book in _all(root, "CodeBook"):
        yield from _parted(list(_nested(book, "")))


def _nested(element: Element, parent: str) -> Iterator[CodeEntry]:
    waiting = [(held, parent) for group in _all(element, "Codes") for held in _all(group, "Code")]
    waiting.reverse()
    while waiting:
        code, above = waiting.pop()
        codable = code.get("isCodable", "true").casefold() not in ("false", "0")
        name, words = code.get("name", "").strip(), _words(code, "Description")
        yield CodeEntry(_guid(code), name, words, codable, code.get("color", ""), above, _refs(code, "NoteRef"))
        waiting += [(child, _guid(code)) for child in reversed(list(_all(code, "Code")))]


def _parted(codes: Sequence[CodeEntry]) -> Iterator[CodeEntry]:
    r"""Codes whose place is in a flat list of names (`parent\child`, as Taguette writes) under one another."""
    if any(code.parent for code in codes) or not any("\\" in code.name for code in codes):
        yield from codes
        return
    at = {code.name: code.guid for code in codes}
    for code in codes:
        above, _, name = code.name.rpartition("\\")
        for depth in range(1, above.count("\\") + 2 if above else 1):
            path = "\\".join(above.split("\\")[:depth])
            if path not in at:
                at[path] = guid("path", path)
                over, _, last = path.rpartition("\\")
                yield CodeEntry(at[path], last, codable=False, parent=at.get(over, ""))
        yield CodeEntry(code.guid, name or code.name, code.description, code.codable, code.colour, at.get(above, ""))


def _variable(element: Element) -> Variable:
    kind = element.get("typeOfVariable", "Text")
    known = Kind(kind) if kind in set(Kind) else Kind.TEXT
    return Variable(_guid(element), element.get("name", ""), known, _words(element, "Description"))


def _values(element: Element) -> tuple[Value, ...]:
    found = []
    for one in _all(element, "VariableValue"):
        variable = next(iter(_refs(one, "VariableRef")), "")
        value = next((with_lf(v.text or "") for v in one if _local(v).endswith("Value")), "")
        if variable and value:
            found.append(Value(variable, value))
    return tuple(found)


def _case(element: Element) -> Case:
    return Case(
        _guid(element), element.get("name", ""), _words(element, "Description"), _values(element),
        _refs(element, "SourceRef"), _refs(element, "CodeRef"), _refs(element, "SelectionRef"),
    )  # fmt: skip


def _set(element: Element) -> CodeSet:
    return CodeSet(
        _guid(element), element.get("name", ""), _words(element, "Description"),
        _refs(element, "MemberCode"), _refs(element, "MemberSource"), _refs(element, "MemberNote"),
    )  # fmt: skip


def _raw_sources(archive: Archive, root: Element) -> Iterator[_RawSource]:
    for element in (child for group in _all(root, "Sources") for child in group):
        kind = _local(element)
        if kind == "TextSource":
            yield _raw_source(archive, element)
        elif kind in _MEDIA:
            for words in (w for name in _WORDS_OF_MEDIA for w in _all(element, name)):
                yield _raw_source(archive, words, element)


def _raw_source(archive: Archive, element: Element, whole: Element | None = None) -> _RawSource:
    """`whole` is the source that a text is only the words of."""
    text, outer = _text(archive, element), element if whole is None else whole
    name = element.get("name", "") or outer.get("name", "")
    return _RawSource(element, _guid(element) or _guid(outer), name, text, Words(text or ""))


def _text(archive: Archive, element: Element) -> str | None:
    held = _first(element, "PlainTextContent")
    if held is not None:
        return held.text or ""
    path = element.get("plainTextPath", "")
    return archive.text(path) if path else None


def _note(one: _RawSource) -> Note:
    return Note(one.guid, one.name, one.words.plain, _guid(one.element, "creatingUser"), _at(one.element))


def _at(element: Element) -> str:
    return element.get("creationDateTime", "")


def _number(element: Element, name: str) -> int:
    """−1, which no position has, for what is not a whole number."""
    words = element.get(name, "").strip()
    return int(words) if words.isascii() and words.isdigit() and len(words) < 12 else -1


def _share_of_words(flat: Sequence[Raw], reading: Reading) -> float:
    if not flat:
        return 1.0
    return sum(one.is_named(reading) or one.edges(reading) == 2 for one in flat) / len(flat)


def _source(one: _RawSource, reading: Reading, named: bool, doubts: list[Doubt]) -> Source:
    if one.text is None:
        doubts.append(Doubt(one.guid, "", "the file does not hold this source's text", lost=True))
    selections = []
    for element, raw in one.selections():
        start, end = raw.placed(reading)
        problem = _problem(raw, reading, named)
        kept = start is not None and end is not None and start < end
        if problem:
            doubts.append(Doubt(one.guid, _guid(element), problem, lost=not kept))
        if kept:
            name = "" if raw.is_named(reading) else raw.name
            selections.append(_selection(element, name, start or 0, end or 0))
    return Source(
        guid=one.guid, name=one.name, text=one.words.plain, description=_words(one.element, "Description"),
        user=_guid(one.element, "creatingUser"), at=_at(one.element), selections=tuple(selections),
        given=_given(one.element), values=_values(one.element), notes=_refs(one.element, "NoteRef"),
    )  # fmt: skip


def _problem(raw: Raw, reading: Reading, named: bool) -> str:
    """Why a selection may not be the words that were meant; empty where nothing speaks against it."""
    start, end = raw.placed(reading)
    if start is None or end is None:
        return "its ends lie outside the text, or inside a character"
    if start >= end:
        return "it holds no words"
    if named and raw.name:
        return "" if raw.is_named(reading) else "its words are not those that the file names it with"
    inside = [word for word, at in (("begins", start), ("ends", end)) if not at_edge(raw.words.plain, at)]
    return f"it {' and '.join(inside)} inside a word" if inside else ""


def _selection(element: Element, name: str, start: int, end: int) -> Selection:
    return Selection(
        guid=_guid(element), start=start, end=end, name=name,
        description=_words(element, "Description"), user=_guid(element, "creatingUser"), at=_at(element),
        given=_given(element), notes=_refs(element, "NoteRef"),
    )  # fmt: skip


def _given(element: Element) -> tuple[Given, ...]:
    found = []
    for coding in _all(element, "Coding"):
        for code in _refs(coding, "CodeRef"):
            user = _guid(coding, "creatingUser") or _guid(element, "creatingUser")
            found.append(Given(_guid(coding), code, user, _at(coding) or _at(element), _refs(coding, "NoteRef")))
    return tuple(found)


def _left_out(root: Element) -> Counter[str]:
    """Parts of kinds that are not read, with how many."""
    found = Counter(_local(child) for group in _all(root, "Sources") for child in group if _local(child) in _MEDIA)
    for name in _UNREAD:
        found[name] += sum(len(group) for group in _all(root, name))
    return +found
