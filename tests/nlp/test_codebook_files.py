"""A codebook written and read again is the same; two versions side by side; the rules in memory are the schema's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from nlp.codebook import SCHEMA, fingerprint, read_codebook
from nlp.codebook_diff import BookDiff, Mark, Piece, diff, words
from nlp.codebook_rules import LONGEST_ITEM, code_problems, problems, too_long
from nlp.codebook_write import as_yaml
from nlp.errors import CodebookError
from nlp.types import Change, Code, Codebook, CodeStatus, Exclusion, Family, NearMiss
from tests.nlp.test_codebook import SHIPPED

LETTERS = st.characters(exclude_categories=("Cs",)) | st.sampled_from(" \n\t\x85\u2028:#-'\"&*!|>%@`{}[],?=~\r\ufeff")
WORDS = st.lists(st.sampled_from(["one", "two:", "- three", " ", "#four", "\n"]), min_size=40, max_size=60).map(
    " ".join
)
TEXT = st.text(LETTERS, min_size=2, max_size=40) | WORDS
LONG = st.text(LETTERS, min_size=10, max_size=60).map(lambda s: " ".join(s.split())).filter(lambda s: len(s) >= 10)
DAY = st.dates().map(str)
IDS = ("A1", "A2", "B_3", "c-4", "null", "yes")
KNOWN = st.sampled_from(("", *IDS))


def codes(id_: str) -> st.SearchStrategy[Code]:
    return st.builds(
        Code, id=st.just(id_), label=TEXT, definition=LONG, young_label=TEXT,
        include=st.lists(TEXT, min_size=1, max_size=3).map(tuple),
        exclude=st.lists(st.builds(Exclusion, TEXT, KNOWN), max_size=3).map(tuple),
        examples=st.lists(TEXT, min_size=3, max_size=4).map(tuple),
        near_misses=st.lists(st.builds(NearMiss, TEXT, KNOWN, st.text(LETTERS, max_size=9)), min_size=1, max_size=2).map(tuple),
        parent=st.sampled_from(("", "FAM", *IDS)), status=st.sampled_from(CodeStatus),
        co_produced_by=st.lists(TEXT, min_size=1, max_size=2).map(tuple), date=DAY,
    )  # fmt: skip


@st.composite
def books(draw: st.DrawFn) -> Codebook:
    held = draw(st.tuples(*map(codes, IDS)))
    changes = draw(
        st.lists(st.builds(Change, st.text(LETTERS, max_size=6), DAY, st.text(LETTERS, min_size=3)), min_size=1)
    )
    return Codebook(
        id="any-book", title=draw(TEXT.filter(lambda t: len(t) >= 3)), version=draw(st.sampled_from(["0.1.0", "10.2.33"])),
        provenance=draw(st.text(LETTERS, min_size=3, max_size=20)), codes=held,
        families=draw(st.sampled_from([(), (Family("FAM", "a family"),)])) or (Family("FAM", draw(TEXT)),),
        changes=tuple(changes), description=draw(st.text(LETTERS, max_size=50)), date=draw(DAY), fingerprint=fingerprint(held),
    )  # fmt: skip


@given(books())
@settings(max_examples=60)
def test_any_codebook_written_and_read_again_is_the_same(tmp_path: Path, book: Codebook) -> None:
    file = tmp_path / "codebook.yaml"
    file.write_text(as_yaml(book), "utf-8", newline="")

    assert read_codebook(file) == book


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_codebook_written_and_read_again_is_the_same(root: Path, tmp_path: Path, name: str) -> None:
    book = read_codebook(root / "codebooks" / name)
    (tmp_path / "codebook.yaml").write_text(as_yaml(book), "utf-8")

    again = read_codebook(tmp_path)

    assert again == book
    assert as_yaml(again) == as_yaml(book)


def test_what_would_not_be_read_again_is_not_written(root: Path) -> None:
    book = read_codebook(root / "codebooks" / "information-use")
    bare = replace(book, codes=(*book.codes, Code("T1", "Adopted", "A definition that is long enough.")))

    with pytest.raises(CodebookError, match=r"code T1: the name in young people's words is missing"):
        as_yaml(bare)


# The rules


def breaks_schema(code: Code) -> bool:
    schema = yaml.safe_load(SCHEMA.read_text("utf-8"))
    raw = {
        "id": code.id, "label": code.label, "young_label": code.young_label, "parent": code.parent, "status": code.status.value,
        "definition": code.definition, "include": list(code.include), "exclude": [{"text": e.text} for e in code.exclude],
        "examples": list(code.examples), "near_misses": [{"text": n.text} for n in code.near_misses],
        "co_produced_by": list(code.co_produced_by), "date": code.date,
    }  # fmt: skip
    rule = {**schema["$defs"]["code"], "$defs": schema["$defs"]}
    return not Draft202012Validator(rule).is_valid(raw)


SHORT = st.text(max_size=4)


@given(
    st.builds(
        Code, id=SHORT, label=SHORT, definition=st.text(max_size=12), young_label=SHORT, status=st.sampled_from(CodeStatus),
        include=st.lists(SHORT, max_size=2).map(tuple), exclude=st.lists(st.builds(Exclusion, SHORT), max_size=2).map(tuple),
        examples=st.lists(SHORT, max_size=4).map(tuple), near_misses=st.lists(st.builds(NearMiss, SHORT), max_size=2).map(tuple),
        co_produced_by=st.lists(SHORT, max_size=1).map(tuple), date=DAY | SHORT,
    )
)  # fmt: skip
@settings(max_examples=200)
def test_the_rules_in_memory_are_those_of_the_schema(code: Code) -> None:
    assert bool(code_problems(code)) == breaks_schema(code)


def test_a_broken_rule_is_told_by_code_and_field_and_never_with_its_words(root: Path) -> None:
    book = read_codebook(root / "codebooks" / "information-use")
    bad = replace(
        book.codes[0], label="", examples=("qzx one",), parent="ZZ", exclude=(Exclusion("qzx two", "ZZ"),),
        near_misses=(NearMiss("qzx three", "ZZ"),),
    )  # fmt: skip
    found = problems(replace(book, codes=(bad, *book.codes[1:], book.codes[1])))

    assert [(p.code, p.field) for p in found] == [
        ("IU1", "label"), ("IU1", "examples"), ("IU1", "parent"), ("IU1", "see"), ("IU1", "belongs_to"), ("IU2", "id"),
    ]  # fmt: skip
    assert "qzx" not in str(found)
    assert found[1].words == "has 1 and needs 3 or more"


def test_over_long_fields_are_named_with_how_long_they_may_be() -> None:
    code = Code("A1", "x" * 121, examples=("fine", "y" * (LONGEST_ITEM + 1)), include=("z",) * 41)

    assert [(p.field, p.words) for p in too_long(code)] == [
        ("label", "has 121 characters and may have 120"),
        ("include", "has 41 entries and may have 40"),
        ("examples", "has 601 characters in entry 2 and may have 600"),
    ]


# Two versions side by side


def side(line: tuple[Piece, ...], mark: Mark) -> str:
    return "".join(p.text for p in line if p.mark in (Mark.SAME, mark))


@given(st.text(max_size=60), st.text(max_size=60))
def test_marked_words_give_back_both_texts(before: str, after: str) -> None:
    line = words(before, after)

    assert (side(line, Mark.GONE), side(line, Mark.NEW)) == (before, after)


def test_words_are_marked_one_by_one() -> None:
    line = words("Feeling safe where I live", "Feeling safe where I sleep")

    assert [(p.mark, p.text) for p in line] == [
        ("same", "Feeling safe where I "), ("gone", "live"), ("new", "sleep"),
    ]  # fmt: skip


def test_very_long_texts_are_compared_whole_and_at_once() -> None:
    line = words("a b " * 5000, "c d " * 5000)

    assert [p.mark for p in line] == ["gone", "new"]


def test_versions_differ_by_code_and_field(root: Path) -> None:
    book = read_codebook(root / "codebooks" / "information-use")
    first, second, *rest = book.codes
    changed = replace(
        first, label="Telling it again", examples=("new one", *first.examples[1:]), status=CodeStatus.AGREED
    )
    new = Code("IU9", "Added", "Something that was added.")

    found = diff(book, replace(book, codes=(changed, *rest, new), families=(*book.families, Family("N", "New"))))

    assert [f.field for f in found.book] == ["families"]
    assert [(c.code.id, c.mark) for c in found.codes] == [("IU1", "same"), ("IU9", "new"), (second.id, "gone")]
    assert [f.field for f in found.codes[0].fields] == ["label", "status", "examples"]
    assert found.codes[0].fields[1].lines == ((Piece(Mark.GONE, "draft"),), (Piece(Mark.NEW, "agreed"),))


def test_the_same_version_does_not_differ_from_itself(root: Path) -> None:
    book = read_codebook(root / "codebooks" / "information-use")

    assert not diff(book, replace(book, version="9.9.9", date="2030-01-01"))
    assert diff(book, book) == BookDiff((), ())
