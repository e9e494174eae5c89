"""Editing a codebook: a draft becomes the next version, and what was coded before keeps or loses its meaning by rule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp import codebook_edit as edit
from nlp.codebook import fingerprint, read_codebook
from nlp.codebook_edit import Draft, Level
from nlp.codebook_look import worth_a_look
from nlp.codebook_meaning import Meanings, Turn, Turned
from nlp.codebook_rules import problems
from nlp.errors import EditError
from nlp.types import Code, Codebook, CodeStatus, Exclusion, NearMiss

WHY = "the group asked for it"


@pytest.fixture(scope="module")
def book(root: Path) -> Codebook:
    return read_codebook(root / "codebooks" / "north-yorkshire-care-leavers")


@pytest.fixture
def draft(book: Codebook) -> Draft:
    return Draft(book.version)


def published(book: Codebook, draft: Draft, same: dict[str, str] | None = None) -> tuple[Codebook, tuple[Turned, ...]]:
    return edit.as_version(book, draft, date="2026-02-01", note="a test", groups=["Panel"], same=same)


def parts(draft: Draft, code: str) -> tuple[str, ...]:
    return next(o.into for o in draft.turned if o.code == code)


def test_wording_and_examples_make_a_patch(book: Codebook, draft: Draft) -> None:
    code = replace(book.code("CL1"), label="Being safe at home", examples=("a", "b", "c"))

    new, turned = published(book, edit.change(book, draft, code))

    assert (book.version, new.version) == ("0.1.0", "0.1.1")
    assert new.code("CL1") == replace(code, date="2026-02-01")
    assert turned == ()
    assert new.changes[0].note == "a test"
    assert new.fingerprint == fingerprint(new.codes)
    assert [c.date for c in new.codes if c.id != "CL1"] == [c.date for c in book.codes if c.id != "CL1"]


def test_other_words_for_what_belongs_need_a_word_on_whether_it_still_means_the_same(
    book: Codebook, draft: Draft
) -> None:
    code = replace(book.code("CL1"), definition="Whether the young person feels safe anywhere at all.")
    with pytest.raises(EditError, match="CL1: say whether it still means the same"):
        edit.change(book, draft, code)
    with pytest.raises(EditError, match="give a reason"):
        edit.change(book, draft, code, declared=Turn.REDEFINE)

    same = edit.change(book, draft, code, declared=Turn.REWORD, why=WHY)
    other = edit.change(book, same, code, declared=Turn.REDEFINE, why=WHY)

    assert published(book, same)[0].version == "0.1.1"
    assert published(book, other)[0].version == "1.0.0"
    assert [o.turn for o in other.turned] == [Turn.REDEFINE]


def test_changing_a_code_back_leaves_nothing_to_publish(book: Codebook, draft: Draft) -> None:
    code = replace(book.code("CL1"), include=("Other things",))
    changed = edit.change(book, draft, code, declared=Turn.REDEFINE, why=WHY)

    again = edit.change(book, changed, book.code("CL1"))

    assert again == draft
    assert edit.level(book, again) is None
    with pytest.raises(EditError, match="nothing in this draft differs"):
        published(book, again)


def test_a_new_code_makes_a_minor_version_takes_the_next_number_and_stands_under_its_heading(
    book: Codebook, draft: Draft
) -> None:
    draft, new_id = edit.add(book, draft, label="Pets", parent="CL")

    new, _ = published(book, draft)

    assert (new_id, new.version) == ("CL14", "0.2.0")
    ids = [c.id for c in new.codes]
    assert ids.index("CL14") == ids.index("CL13") + 1
    assert new.code("CL14").co_produced_by == ("Panel",)
    assert {(p.code, p.field) for p in problems(new)} == {
        ("CL14", field) for field in ("young_label", "definition", "include", "examples", "near_misses")
    }


def test_a_split_retires_the_code_and_begins_each_part_in_its_words(book: Codebook, draft: Draft) -> None:
    draft = edit.split(book, draft, "CL1", ["Safe indoors", "Safe outside"], why=WHY)
    new, turned = published(book, draft)

    one, two = (new.code(i) for i in parts(draft, "CL1"))

    assert new.version == "1.0.0"
    assert new.code("CL1").status is CodeStatus.RETIRED
    assert (one.label, two.label) == ("Safe indoors", "Safe outside")
    assert one.definition == two.definition == book.code("CL1").definition
    assert one.young_label == ""
    assert turned == (Turned("CL1", Turn.SPLIT, (one.id, two.id), WHY, version="1.0.0"),)
    remarks = {(p.code, p.field) for p in worth_a_look(book, draft)}
    assert {(one.id, "examples"), (two.id, "definition"), ("CL2", "see")} <= remarks


def test_a_merge_into_one_of_them_takes_in_what_all_had_and_others_point_to_it(book: Codebook, draft: Draft) -> None:
    draft = edit.merge(book, draft, ["CL1", "CL2"], into="CL2", why=WHY)
    new, turned = published(book, draft)

    code = new.code("CL2")

    assert new.code("CL1").status is CodeStatus.RETIRED
    assert set(code.examples) == {*book.code("CL1").examples, *book.code("CL2").examples}
    assert not [e for e in code.exclude if e.see in ("CL1", "CL2")]
    assert not [c for c in new.active_codes for e in c.exclude if e.see == "CL1"]
    assert {(o.code, o.into, o.same_meaning) for o in turned} == {("CL1", ("CL2",), False), ("CL2", ("CL2",), False)}


def test_a_merge_into_a_new_code_retires_all_its_sources(book: Codebook, draft: Draft) -> None:
    draft = edit.merge(book, draft, ["CL1", "CL2"], label="Home and safety", why=WHY)
    new, turned = published(book, draft, same={"CL14": "it is all of both and nothing else"})

    assert {new.code(i).status for i in ("CL1", "CL2")} == {CodeStatus.RETIRED}
    assert new.code("CL14").label == "Home and safety"
    assert all(o.same_meaning and o.why == "it is all of both and nothing else" for o in turned)


def test_a_move_is_a_patch_and_never_a_circle(book: Codebook, draft: Draft) -> None:
    moved = edit.move(book, draft, "CL1", "CL2")
    assert published(book, moved)[0].version == "0.1.1"
    assert edit.drafted(book, moved).code("CL1").parent == "CL2"
    with pytest.raises(EditError, match="cannot stand under itself"):
        edit.move(book, moved, "CL2", "CL1")
    with pytest.raises(EditError, match="no such heading or code"):
        edit.move(book, draft, "CL1", "ZZ")

    new_heading = edit.drafted(book, edit.move(book, draft, "CL1", "", heading="Safety first"))

    assert (new_heading.families[-1].id, new_heading.families[-1].label) == ("SF", "Safety first")
    assert new_heading.code("CL1").parent == "SF"


def test_a_retired_code_can_be_brought_back_by_a_later_version(book: Codebook, draft: Draft) -> None:
    retired, turned = published(book, edit.retire(book, draft, "CL9", why=WHY))
    back, _ = published(retired, edit.bring_back(retired, Draft(retired.version), "CL9"))

    assert (retired.version, back.version) == ("1.0.0", "1.1.0")
    assert [o.turn for o in turned] == [Turn.RETIRE]
    assert back.code("CL9").status is CodeStatus.DRAFT
    assert Meanings(turned).now("0.1.0", "CL9") == "CL9"


@pytest.mark.parametrize("code", ["CL1", "CL2", "CL14"])
def test_taking_back_any_part_of_a_merge_takes_back_all_of_it(book: Codebook, draft: Draft, code: str) -> None:
    merged = edit.merge(book, draft, ["CL1", "CL2"], label="Home", why=WHY)
    edited = edit.change(book, merged, replace(edit.code_in(book, merged, "CL14"), definition="It is all about home."))

    assert edit.take_back(book, edited, code) == draft


def test_taking_back_any_part_of_a_split_takes_back_all_of_it(book: Codebook, draft: Draft) -> None:
    done = edit.split(book, draft, "CL1", ["One thing", "Another"], why=WHY)

    assert all(edit.take_back(book, done, code) == draft for code in ("CL1", *parts(done, "CL1")))


def test_what_is_split_merged_or_retired_is_changed_no_further_in_the_same_draft(book: Codebook, draft: Draft) -> None:
    split = edit.split(book, draft, "CL1", ["One thing", "Another"], why=WHY)
    with pytest.raises(EditError, match="CL1: it is split in this draft"):
        edit.change(book, split, replace(book.code("CL1"), label="Other"))
    with pytest.raises(EditError, match="new in this draft"):
        edit.retire(book, split, parts(split, "CL1")[0], why=WHY)
    merged = edit.merge(book, draft, ["CL1", "CL2"], into="CL1", why=WHY)
    with pytest.raises(EditError, match="CL2: it is merged into another code"):
        edit.split(book, merged, "CL2", ["One thing", "Another"], why=WHY)
    with pytest.raises(EditError, match="CL1: others are merged into it"):
        edit.retire(book, merged, "CL1", why=WHY)


@pytest.mark.parametrize("names", [[], ["One"], ["One", " one "], ["One", ""], [f"part {n}" for n in range(10)]])
def test_a_split_needs_two_names_that_differ(book: Codebook, draft: Draft, names: list[str]) -> None:
    with pytest.raises(EditError, match="give two to 9 names that differ"):
        edit.split(book, draft, "CL1", names, why=WHY)


def test_a_merge_needs_two_codes_and_a_target_among_them(book: Codebook, draft: Draft) -> None:
    for ids, into in ((["CL1"], "CL1"), (["CL1", "CL1"], "CL1"), (["CL1", "CL2"], "CL3")):
        with pytest.raises(EditError, match="choose two codes or more"):
            edit.merge(book, draft, ids, into=into, why=WHY)
    with pytest.raises(EditError, match="no such code"):
        edit.merge(book, draft, ["CL1", "ZZ"], into="CL1", why=WHY)


def test_a_draft_moves_to_a_newer_version_field_by_field(book: Codebook, draft: Draft) -> None:
    ours = edit.change(book, draft, replace(book.code("CL1"), label="Ours"))
    theirs, _ = published(book, edit.change(book, draft, replace(book.code("CL1"), young_label="Theirs")))

    moved = edit.rebased(book, ours, theirs)

    code = edit.drafted(theirs, moved).code("CL1")
    assert (code.label, code.young_label) == ("Ours", "Theirs")
    assert published(theirs, moved)[0].version == "0.1.2"


def test_a_draft_cannot_move_onto_a_version_that_took_its_new_id(book: Codebook, draft: Draft) -> None:
    ours, _ = edit.add(book, draft, label="Ours", parent="CL")
    theirs, _ = published(book, edit.add(book, draft, label="Theirs", parent="CL")[0])

    with pytest.raises(EditError, match="CL14: the newer version has a code of its own"):
        edit.rebased(book, ours, theirs)


@pytest.mark.parametrize(
    ("version", "how", "after"),
    [
        ("0.1.0", Level.MAJOR, "1.0.0"),
        ("1.9.3", Level.MINOR, "1.10.0"),
        ("1.9.3", Level.PATCH, "1.9.4"),
        ("2", Level.PATCH, "2.0.1"),
    ],
)
def test_version_numbers_go_up_by_what_changed(version: str, how: Level, after: str) -> None:
    assert edit.next_version(version, how) == after


# What a code means under a later version


SPLIT = Turned("A", Turn.SPLIT, ("B", "C"), version="1.0.0")
SAME = [Turned(c, Turn.MERGE, ("M",), same_meaning=True, version="2.0.0") for c in ("A", "D")]
BACK = Turned("M", Turn.REREAD, (), version="3.0.0", of_version="2.0.0")


@pytest.mark.parametrize(
    ("turned", "version", "code", "now"),
    [
        ([], "0.1.0", "A", "A"),
        ([SPLIT], "0.1.0", "A", ""),
        ([SPLIT], "1.0.0", "B", "B"),
        ([SPLIT], "0.1.0", "D", "D"),
        ([Turned("A", Turn.RETIRE, version="1.0.0")], "0.1.0", "A", "A"),
        ([Turned("A", Turn.REWORD, ("A",), same_meaning=True, version="0.1.1")], "0.1.0", "A", "A"),
        ([Turned("A", Turn.REDEFINE, ("A",), version="1.0.0")], "0.1.0", "A", ""),
        ([Turned("A", Turn.REDEFINE, ("A",), version="1.0.0")], "1.0.0", "A", "A"),
        (SAME, "1.5.0", "D", "M"),
        ([replace(o, same_meaning=False) for o in SAME], "1.5.0", "D", ""),
        ([*SAME, BACK], "1.5.0", "D", ""),
        ([*SAME, BACK], "2.0.0", "M", "M"),
        ([*SAME, Turned("M", Turn.MERGE, ("N",), same_meaning=True, version="10.0.0")], "0.1.0", "A", "N"),
    ],
)
def test_a_word_counts_under_what_its_code_means_now(turned: list[Turned], version: str, code: str, now: str) -> None:
    assert Meanings(turned).now(version, code) == now


@pytest.mark.parametrize(
    ("turned", "then", "whole"),
    [
        ([], "AD", "AD"),
        ([SPLIT], "AD", "D"),
        (SAME, "ADE", "ME"),
        (SAME, "AE", "E"),  # D could not be given yet, so a text without A may still be an M
        ([*SAME, BACK], "ADE", "E"),
        ([Turned(c, Turn.MERGE, ("A",), same_meaning=True, version="1.0.0") for c in "AD"], "ADE", "AE"),
        ([Turned(c, Turn.MERGE, ("A",), version="1.0.0") for c in "AD"], "ADE", "E"),
    ],
)
def test_a_reading_says_no_only_to_codes_that_it_could_have_given(turned: list[Turned], then: str, whole: str) -> None:
    assert Meanings(turned).whole("0.1.0", then) == frozenset(whole)


# Any run of edits


@given(st.data())
def test_no_run_of_edits_loses_a_code_or_an_id_and_all_of_it_can_be_taken_back(
    book: Codebook, data: st.DataObject
) -> None:
    draft = Draft(book.version)
    for _ in range(data.draw(st.integers(1, 6))):
        try:
            draft = any_edit(book, draft, data)
        except EditError:
            continue
    now = edit.drafted(book, draft)
    ids = [c.id for c in now.codes]
    assert len(set(ids)) == len(ids)
    assert {c.id for c in book.codes} <= set(ids)
    assert not [p for p in problems(now) if p.field in ("parent", "see", "belongs_to", "id")]
    for code in (*ids, *ids):
        if code in {c.id for c in edit.drafted(book, draft).codes}:
            draft = edit.take_back(book, draft, code)
    assert (draft.edited, draft.turned) == ((), ())


def any_edit(book: Codebook, draft: Draft, data: st.DataObject) -> Draft:
    ids = st.sampled_from([c.id for c in edit.drafted(book, draft).codes])
    kind = data.draw(st.sampled_from(["change", "add", "split", "merge", "move", "retire", "take back"]))
    one, two = data.draw(ids), data.draw(ids)
    return {
        "change": lambda: edit.change(
            book, draft, reworded(edit.code_in(book, draft, one)), declared=Turn.REDEFINE, why=WHY
        ),
        "add": lambda: edit.add(book, draft, label="New", parent="CL")[0],
        "split": lambda: edit.split(book, draft, one, ["First part", "Second part"], why=WHY),
        "merge": lambda: edit.merge(book, draft, [one, two], into=data.draw(st.sampled_from([one, ""])), label="Both", why=WHY),
        "move": lambda: edit.move(book, draft, one, two),
        "retire": lambda: edit.retire(book, draft, one, why=WHY),
        "take back": lambda: edit.take_back(book, draft, one),
    }[kind]()  # fmt: skip


def reworded(code: Code) -> Code:
    return replace(
        code,
        definition="Another thing altogether, at length.",
        exclude=(Exclusion("x y"),),
        near_misses=(NearMiss("n m"),),
    )
