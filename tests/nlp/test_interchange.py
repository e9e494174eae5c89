"""REFI-QDA: other tools' offsets are found out, nothing shifts silently, and what goes out comes back."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from nlp.codebook import read_codebook as read_file
from nlp.errors import InterchangeError
from nlp.interchange.codes import coded, entries
from nlp.interchange.offsets import ATLAS, NVIVO, READINGS, Reading, Ruler, with_lf
from nlp.interchange.project import (
    Case,
    CodeEntry,
    CodeSet,
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
from nlp.interchange.read import read_codebook, read_project
from nlp.interchange.write import readable, write_codebook, write_project
from tests.conftest import ROOT

XSD = ROOT.parent / "shared" / "data" / "refi" / "Project.xsd"
NAMESPACE = "urn:QDA-XML:project:1.0"
STORY = "we moved 😀 again\r\nnobody asked me 🏠🏠\r\n\r\ni like my room now 😀\r\nthe end"
HOME, ASKED = guid("t", "home"), guid("t", "asked")


@dataclass(frozen=True, slots=True)
class Habit:
    """How a tool writes its files."""

    origin: str
    reading: Reading
    named: bool = False
    bom: str = ""
    folder: str = "Sources"
    qde: str = "project.qde"
    upper: bool = False


NVIVO_WINDOWS = Habit("NVivo for Windows 12.6", NVIVO, bom="\ufeff")
ATLAS_TI = Habit("ATLAS.ti 8.4.0", ATLAS, named=True, qde="Project.qde", upper=True)
MAXQDA = Habit("MAXQDA 2022", NVIVO, named=True, folder="sources")
QUALCODER = Habit("QualCoder 3.5", Reading(utf16=False, crlf=2), named=True, folder="sources")
QC = Habit("qc 1.3.2", Reading(utf16=False, crlf=1), folder="sources")


def written_by(habit: Habit, text: str, words: list[str], *, name: str = "") -> bytes:
    """A project as the tool would write it, with a code on each of the words of a text that has CR LF."""
    plain, ruler = with_lf(text), Ruler(text, habit.reading)
    selections = []
    for n, quote in enumerate(words):
        at = plain.index(quote)
        start, end = ruler.position(at), ruler.position(at + len(quote))
        called = f' name="{name or quote}"' if habit.named else ""
        selections.append(
            f'<PlainTextSelection guid="{{{guid("s", str(n))}}}"{called} startPosition="{start}" endPosition="{end}">'
            f'<Coding guid="{guid("c", str(n))}"><CodeRef targetGUID="{HOME.upper() if habit.upper else HOME}"/></Coding>'
            "</PlainTextSelection>"
        )
    file = f"{guid('source')}.txt"
    xml = (
        f'{habit.bom}<?xml version="1.0" encoding="utf-8"?><Project xmlns="{NAMESPACE}" name="t" origin="{habit.origin}">'
        f'<CodeBook><Codes><Code guid="{HOME}" name="Home" isCodable="true"/></Codes></CodeBook><Sources>'
        f'<TextSource guid="{guid("source")}" name="one" plainTextPath="internal://{file}">{"".join(selections)}'
        "</TextSource></Sources></Project>"
    )
    return zipped({habit.qde: xml.encode(), f"{habit.folder}/{file}": (habit.bom + text).encode()})


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def quotes(project: Project) -> list[str]:
    return [s.text[one.start : one.end] for s in project.sources for one in s.selections]


@pytest.mark.parametrize("habit", [NVIVO_WINDOWS, ATLAS_TI, MAXQDA, QUALCODER, QC], ids=lambda h: h.origin)
def test_selections_keep_their_words_however_a_tool_counts(habit: Habit) -> None:
    words = ["we moved 😀 again", "nobody asked me", "i like my room now", "the end"]
    project, fidelity = read_project(written_by(habit, STORY, words))
    assert quotes(project) == words
    assert (fidelity.reading, fidelity.kept, fidelity.doubts) == (str(habit.reading), 1.0, ())
    assert [g.code for s in project.sources for one in s.selections for g in one.given] == [HOME] * 4


def test_a_selection_that_is_not_what_the_file_names_is_told() -> None:
    content = written_by(MAXQDA, STORY, ["we moved", "nobody asked me", "i like my room"])
    damaged = zipfile.ZipFile(io.BytesIO(content))
    xml = damaged.read("project.qde").replace(b'name="nobody asked me"', b'name="somebody asked him"')
    parts = {name: damaged.read(name) for name in damaged.namelist()}
    project, fidelity = read_project(zipped({**parts, "project.qde": xml}))
    assert [d.problem for d in fidelity.doubts] == ["its words are not those that the file names it with"]
    assert (len(quotes(project)), round(fidelity.kept, 2)) == (3, 0.67)


def test_a_selection_outside_its_text_is_told_and_left_out() -> None:
    content = zipfile.ZipFile(io.BytesIO(written_by(NVIVO_WINDOWS, STORY, ["we moved", "the end"])))
    xml = content.read("project.qde").replace(b'endPosition="8"', b'endPosition="99999"')
    parts = {name: content.read(name) for name in content.namelist()}
    project, fidelity = read_project(zipped({**parts, "project.qde": xml}))
    assert quotes(project) == ["the end"]
    assert [(d.problem, d.lost) for d in fidelity.doubts] == [
        ("its ends lie outside the text, or inside a character", True)
    ]


def test_a_source_without_its_text_does_not_stop_the_others() -> None:
    one = zipfile.ZipFile(io.BytesIO(written_by(NVIVO_WINDOWS, STORY, ["the end"])))
    project, fidelity = read_project(zipped({"project.qde": one.read("project.qde")}))
    assert [s.text for s in project.sources] == [""]
    assert [d.problem for d in fidelity.doubts] == [
        "the file does not hold this source's text",
        "its ends lie outside the text, or inside a character",
    ]


@given(st.text(st.sampled_from("ab 😀é\r\n"), max_size=40), st.sampled_from(READINGS))
def test_every_offset_of_a_text_has_a_position_and_comes_back(text: str, reading: Reading) -> None:
    plain, ruler = with_lf(text), Ruler(text, reading)
    if "\r" in text.replace("\r\n", ""):
        return
    positions = [ruler.position(i) for i in range(len(plain) + 1)]
    assert positions == sorted(set(positions))
    assert [ruler.index(p) for p in positions] == list(range(len(plain) + 1))
    width = len(text.encode("utf-16-le")) // 2 if reading.utf16 else len(text)
    assert positions[-1] == (width if reading.crlf == 2 else width - text.count("\r\n"))


def project_of(text: str, spans: list[tuple[int, int]]) -> Project:
    """A project with a bit of everything."""
    user, case, kind = guid("user"), guid("case"), guid("variable")
    source = Source(
        guid("source"),
        "one",
        text,
        selections=tuple(
            Selection(guid("s", str(n)), a, b, given=(Given(guid("g", str(n)), HOME, user, "2026-01-01T00:00:00Z"),))
            for n, (a, b) in enumerate(spans)
        ),
        given=(Given(guid("whole"), ASKED, user),),
        values=(Value(kind, "3"),),
        notes=(guid("note"),),
    )
    return Project(
        "A project & <co>", "Heard 0", "2026-01-01T00:00:00Z", "About it",
        users=(User(user, "coder A"),),
        codes=(CodeEntry(guid("head"), "Heads", codable=False), CodeEntry(HOME, "Home", "In\nlines", parent=guid("head")),
               CodeEntry(ASKED, "Asked", colour="#AA3300")),
        variables=(Variable(kind, "moves", Kind.INTEGER),),
        cases=(Case(case, "P-1", values=(Value(kind, "2"),), sources=(source.guid,)),),
        sources=(source,),
        notes=(Note(guid("note"), "a memo", "I wonder\nwhy", user),),
        sets=(CodeSet(guid("set"), "A set", codes=(HOME,), sources=(source.guid,)),),
    )  # fmt: skip


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).map(lambda t: with_lf(readable(t)))


@given(TEXT, st.data())
def test_a_round_trip_is_identity(text: str, data: st.DataObject) -> None:
    if text.startswith("\ufeff"):
        return
    ends = st.integers(0, len(text) - 1).flatmap(lambda a: st.integers(a + 1, len(text)).map(lambda b: (a, b)))
    project = project_of(text, data.draw(st.lists(ends, max_size=5)))
    written = write_project(project)
    assert quotes(read_project(written)[0]) == quotes(project)
    assert read_project(written)[0] == project
    assert write_project(project) == written


def test_what_goes_out_is_valid_by_the_published_schema() -> None:
    if not XSD.exists():
        pytest.skip("the published schema lies in the shared folder, which is not here")
    content = zipfile.ZipFile(io.BytesIO(write_project(project_of("one two 😀", [(0, 3), (4, 9)]))))
    assert list(xmlschema.XMLSchema(XSD).iter_errors(io.BytesIO(content.read("project.qde")))) == []


def test_a_codebook_goes_out_and_comes_back_whole() -> None:
    book = read_file(ROOT / "codebooks" / "rochdale-family-hub")
    back = read_codebook(write_codebook(entries(book), "Heard"))
    made = coded(back.codes, book_id=book.id, title=book.title, date=book.date, origin="Heard").book
    assert set(made.codes) == set(book.codes)
    assert made.families == book.families


def test_a_flat_list_of_paths_is_split_as_taguette_means_it() -> None:
    flat = (CodeEntry(HOME, "Home"), CodeEntry(ASKED, "Home\\Asked"), CodeEntry(guid("x"), "School\\Lunch"))
    back = read_codebook(write_codebook(flat, "taguette"))
    names = {code.guid: code.name for code in back.codes}
    assert [(names.get(code.parent, ""), code.name) for code in back.codes] == [
        ("", "Home"),
        ("Home", "Asked"),
        ("", "School"),
        ("School", "Lunch"),
    ]


@pytest.mark.parametrize(
    "namespace", ["urn:QDA-XML:codebook:1.0", "urn:QDA-XML:codebook:0:4", "urn:QDA-XML:codebook:0.4"]
)
def test_old_codebooks_are_read_too(namespace: str) -> None:
    xml = f'<CodeBook xmlns="{namespace}" origin="x"><Codes><Code guid="{HOME}" name="Home" isCodable="true"/></Codes></CodeBook>'
    assert [code.name for code in read_codebook(b"\xef\xbb\xbf" + xml.encode()).codes] == ["Home"]


ENTITIES = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><Project name="&y;"/>'
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Project name="&x;"/>'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a zip"),
        (b"PK\x03\x04 cut off", "not a zip"),
        (zipped({"notes.txt": b"x"}), "no project.qde"),
        (zipped({"project.qde": b"<Project"}), "damaged"),
        (zipped({"project.qde": b"<Other/>"}), "not a QDA-XML project"),
        (zipped({"project.qde": ENTITIES}), "entities"),
        (zipped({"project.qde": OUTSIDE}), "entities"),
        (zipped({"project.qde": b"<Project/>", "../../evil.txt": b"x"}), "outside"),
        (zipped({"project.qde": b"<Project/>", "/etc/evil": b"x"}), "outside"),
        (zipped({"project.qde": b"<Project/>", "C:\\evil": b"x"}), "outside"),
        (zipped({"project.qde": b" " * 60_000_000}), "far more"),
    ],
)  # fmt: skip
def test_a_malicious_or_damaged_file_is_refused_plainly(content: bytes, why: str) -> None:
    with pytest.raises(InterchangeError, match=why):
        read_project(content)


def test_a_part_whose_size_is_a_lie_is_refused() -> None:
    content = bytearray(zipped({"project.qde": b"<Project/>" + b" " * 5000}))
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    with pytest.raises(InterchangeError):
        read_project(bytes(content))


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    for reader, bytes_ in (
        (read_project, content),
        (read_project, zipped({"project.qde": content})),
        (read_codebook, content),
    ):
        with suppress(InterchangeError):
            assert isinstance(reader(bytes_), tuple | Project)


def test_words_that_xml_cannot_hold_move_no_offset() -> None:
    project = project_of("a\x00b\x0bcd", [(4, 6)])
    back = read_project(write_project(project))[0]
    assert (back.sources[0].text, quotes(back)) == ("a\ufffdb\ufffdcd", ["cd"])
    assert back == replace(project, sources=(replace(project.sources[0], text="a\ufffdb\ufffdcd"),))
