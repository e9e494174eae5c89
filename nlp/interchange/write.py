"""A project or codebook as a file that other tools read: LF line ends, no byte-order mark, offsets in UTF-16 units."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from nlp.interchange.archive import packed
from nlp.interchange.offsets import NVIVO, Ruler
from nlp.interchange.project import Case, CodeEntry, CodeSet, Given, Note, Project, Selection, Source, Value, Variable

T = TypeVar("T")
_PROJECT, _CODEBOOK = "urn:QDA-XML:project:1.0", "urn:QDA-XML:codebook:1.0"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_PLACE = f"{_PROJECT} http://schema.qdasoftware.org/versions/Project/v1.0/Project.xsd"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST_NAME = 200


def write_project(project: Project) -> bytes:
    """The project as a `.qdpx`; the same project gives the same bytes.

    A character that XML cannot hold becomes U+FFFD, one for one, so that no offset moves.
    """
    root = Element("Project", {"xmlns": _PROJECT, "xmlns:xsi": _XSI, "xsi:schemaLocation": _PLACE})
    _set(root, name=project.name or "Untitled", origin=project.origin, creationDateTime=project.created)
    for user in _group(root, "Users", project.users):
        _set(SubElement(root[-1], "User"), guid=user.guid, name=user.name)
    if project.codes:
        _nest(SubElement(SubElement(root, "CodeBook"), "Codes"), project.codes)
    kinds = {variable.guid: variable.kind.value for variable in project.variables}
    for variable in _group(root, "Variables", project.variables):
        _variable(root[-1], variable)
    for case in _group(root, "Cases", project.cases):
        _case(root[-1], case, kinds)
    for source in _group(root, "Sources", project.sources):
        _source(root[-1], source, kinds)
    for note in _group(root, "Notes", project.notes):
        _note(root[-1], note)
    for one in _group(root, "Sets", project.sets):
        _set_of(root[-1], one, "targetGUID")
    _describe(root, project.description)
    return packed(_bytes(root), {f"{s.guid}.txt": readable(s.text) for s in project.sources})


def write_codebook(codes: Sequence[CodeEntry], origin: str, sets: Sequence[CodeSet] = ()) -> bytes:
    """The codes as a `.qdc`."""
    root = Element("CodeBook", {"xmlns": _CODEBOOK})
    _set(root, origin=origin)
    _nest(SubElement(root, "Codes"), codes)
    for one in _group(root, "Sets", sets):
        _set_of(root[-1], one, "guid")
    return _bytes(root)


def readable(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return _FORBIDDEN.sub("\ufffd", text)


def _bytes(root: Element) -> bytes:
    indent(root, " ")
    content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _group(root: Element, name: str, things: Sequence[T]) -> Iterable[T]:
    """The things, under an element of that name that is made only where there are any."""
    if things:
        SubElement(root, name)
    return things


def _set(element: Element, **attributes: str) -> Element:
    for name, value in attributes.items():
        if value:
            element.set(name, readable(value))
    return element


def _describe(element: Element, words: str) -> None:
    if words:
        SubElement(element, "Description").text = readable(words)


def _ref(element: Element, name: str, targets: Iterable[str], attribute: str = "targetGUID") -> None:
    for target in targets:
        SubElement(element, name, {attribute: target})


def _nest(root: Element, codes: Sequence[CodeEntry]) -> None:
    under: dict[str, list[CodeEntry]] = defaultdict(list)
    known = {code.guid for code in codes}
    for code in codes:
        under[code.parent if code.parent in known else ""].append(code)
    waiting = [(root, code) for code in reversed(under[""])]
    while waiting:
        above, code = waiting.pop()
        element = _set(SubElement(above, "Code"), guid=code.guid, name=code.name or "Untitled")
        _set(element, isCodable="true" if code.codable else "false", color=code.colour)
        _describe(element, code.description)
        _ref(element, "NoteRef", code.notes)
        waiting += [(element, child) for child in reversed(under[code.guid])]


def _variable(group: Element, variable: Variable) -> None:
    element = _set(SubElement(group, "Variable"), guid=variable.guid, name=variable.name)
    _set(element, typeOfVariable=variable.kind.value)
    _describe(element, variable.description)


def _value(element: Element, values: Iterable[Value], kinds: Mapping[str, str]) -> None:
    for value in values:
        held = SubElement(element, "VariableValue")
        _ref(held, "VariableRef", [value.variable])
        SubElement(held, f"{kinds[value.variable]}Value").text = readable(value.value)


def _case(group: Element, case: Case, kinds: Mapping[str, str]) -> None:
    element = _set(SubElement(group, "Case"), guid=case.guid, name=case.name)
    _describe(element, case.description)
    _ref(element, "CodeRef", case.codes)
    _value(element, case.values, kinds)
    _ref(element, "SourceRef", case.sources)
    _ref(element, "SelectionRef", case.selections)


def _source(group: Element, source: Source, kinds: Mapping[str, str]) -> None:
    element = _set(SubElement(group, "TextSource"), guid=source.guid, name=source.name)
    _set(element, plainTextPath=f"internal://{source.guid}.txt", creatingUser=source.user, creationDateTime=source.at)
    _describe(element, source.description)
    ruler = Ruler(source.text, NVIVO)
    for selection in source.selections:
        _selection(element, source.text, selection, ruler)
    _codings(element, source.given)
    _ref(element, "NoteRef", source.notes)
    _value(element, source.values, kinds)


def _selection(source: Element, text: str, selection: Selection, ruler: Ruler) -> None:
    element = _set(SubElement(source, "PlainTextSelection"), guid=selection.guid)
    _set(element, name=selection.name or _named(text[selection.start : selection.end]))
    _set(element, startPosition=str(ruler.position(selection.start)), endPosition=str(ruler.position(selection.end)))
    _set(element, creatingUser=selection.user, creationDateTime=selection.at)
    _describe(element, selection.description)
    _codings(element, selection.given)
    _ref(element, "NoteRef", selection.notes)


def _named(words: str) -> str:
    """A selection's own words as its name, a long one cut, so that the receiver can check its offsets."""
    plain = " ".join(words.split())
    return plain if len(plain) <= _LONGEST_NAME else f"{plain[:_LONGEST_NAME]}…"


def _codings(element: Element, given: Iterable[Given]) -> None:
    for one in given:
        coding = _set(SubElement(element, "Coding"), guid=one.guid, creatingUser=one.user, creationDateTime=one.at)
        _ref(coding, "CodeRef", [one.code])
        _ref(coding, "NoteRef", one.notes)


def _note(group: Element, note: Note) -> None:
    element = _set(SubElement(group, "Note"), guid=note.guid, name=note.name)
    _set(element, creatingUser=note.user, creationDateTime=note.at)
    SubElement(element, "PlainTextContent").text = readable(note.text)


def _set_of(group: Element, one: CodeSet, attribute: str) -> None:
    element = _set(SubElement(group, "Set"), guid=one.guid, name=one.name)
    _describe(element, one.description)
    _ref(element, "MemberCode", one.codes, attribute)
    if attribute == "targetGUID":
        _ref(element, "MemberSource", one.sources)
        _ref(element, "MemberNote", one.notes)
