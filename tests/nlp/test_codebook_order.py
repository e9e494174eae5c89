"""The order of codes: every code stands once, and one passes its neighbour at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp import codebook_edit as edit
from nlp.codebook import read_codebook
from nlp.codebook_diff import diff
from nlp.codebook_edit import Draft, Level
from nlp.codebook_order import in_order, outline
from nlp.errors import EditError
from nlp.types import Code, Codebook, Family


@pytest.fixture(scope="module")
def book(root: Path) -> Codebook:
    return read_codebook(root / "codebooks" / "north-yorkshire-care-leavers")


def shifted(book: Codebook, draft: Draft, code: str, *, up: bool) -> tuple[Draft, list[str]]:
    draft = edit.shift(book, draft, code, up=up)
    return draft, [c.id for c in edit.drafted(book, draft).codes]


def test_a_code_passes_its_neighbour_and_comes_back(book: Codebook) -> None:
    before = [c.id for c in book.codes]
    draft, after = shifted(book, Draft(book.version), "CL2", up=True)

    assert (after.index("CL2"), after.index("CL1")) == (before.index("CL1"), before.index("CL2"))
    assert sorted(after) == sorted(before)
    assert edit.level(book, draft) is Level.PATCH
    assert [f.field for f in diff(book, edit.drafted(book, draft)).book] == ["order"]
    assert shifted(book, draft, "CL2", up=False)[0] == Draft(book.version)


def test_the_first_goes_no_further_up(book: Codebook) -> None:
    with pytest.raises(EditError, match="first under its heading"):
        edit.shift(book, Draft(book.version), "CL1", up=True)


def test_a_new_code_that_was_moved_and_taken_out_leaves_nothing_to_publish(book: Codebook) -> None:
    draft, new = edit.add(book, Draft(book.version), label="Pets", parent="CL")
    draft = edit.take_back(book, edit.shift(book, draft, new, up=True), new)

    assert edit.level(book, draft) is None


IDS = [f"c{i}" for i in range(8)]


@given(st.lists(st.sampled_from(["", "f", "g", *IDS]), min_size=8, max_size=8))
def test_an_outline_has_each_code_once_even_where_codes_stand_in_a_circle(parents: list[str]) -> None:
    codes = tuple(Code(id_, id_, parent=parent) for id_, parent in zip(IDS, parents, strict=True))
    found = outline(Codebook("b", "B", "1.0.0", "", codes, (Family("f", "F"), Family("g", "G"))))

    assert sorted(e.code.id for s in found for e in s.entries) == sorted(IDS)


@given(st.permutations(IDS), st.sets(st.sampled_from(IDS)))
def test_an_order_loses_no_code_whatever_it_names(order: list[str], left_out: set[str]) -> None:
    named = [i for i in order if i not in left_out]
    found = [c.id for c in in_order([Code(i, i) for i in IDS], named)]

    assert sorted(found) == sorted(IDS)
    assert [i for i in found if i in named] == named
