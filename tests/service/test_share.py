"""Sharing lessons: only where governance allows, without a word of anyone's, and only between studies that fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from nlp.errors import LessonError
from nlp.themes.share import HALVED_AT, borrowed, from_bytes, to_bytes
from service import wiring
from service.errors import StudyError
from service.settings import Settings
from service.study.suggestions import suggestions_of_segment
from service.study.voices import segments
from service.usecases.check import accept_risk
from service.usecases.deidentify import deidentify_study
from service.usecases.intake import take_in
from service.usecases.lessons import Trust
from service.usecases.share import borrow_lessons, export_lessons
from tests.conftest import NOW, Made, give_passport
from tests.service.reading import heard_chair, quiet, read_blind, suggest


def export(made: Made, encoder: Encoder, out: Path, *, allowed: bool = True) -> int:
    book = wiring.codebook_named(made.study.codebook)
    return export_lessons(made.study, book, encoder, Trust(), out, allowed=allowed, now=NOW, actor="t")


@pytest.fixture
def other(tmp_path: Path, settings: Settings, cascade: Deidentifier, minilm: Encoder) -> Made:
    """A second study of the same codebook, in which nothing is decided."""
    study, key = wiring.make_study(
        tmp_path / "other", title="Other", codebook="north-yorkshire-care-leavers", now=NOW, settings=settings
    )
    give_passport(study)
    accept_risk(study, person="A tester", reason="The people in these tests are fictional.", now=NOW)
    file = tmp_path / "other.csv"
    file.write_text(
        "id,text,voice,participant\n1,a chair goes against the door each night,child,Q1\n2,we had pasta for tea,child,Q2\n",
        "utf-8",
    )
    take_in(study, file, key, now=NOW, keep_raw_days=30, actor="t")
    deidentify_study(study, key, cascade, now=NOW, actor="t", progress=quiet)
    return Made(study, key)


def test_nothing_leaves_unless_governance_allows_it(loaded: Made, minilm: Encoder, tmp_path: Path) -> None:
    read_blind(loaded, 5, heard_chair)
    with pytest.raises(StudyError, match="HEARD_SHARE_LESSONS"):
        export(loaded, minilm, tmp_path / "x", allowed=False)
    assert not (tmp_path / "x").exists()


def test_nothing_decided_is_nothing_to_share(loaded: Made, minilm: Encoder, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="nothing is decided"):
        export(loaded, minilm, tmp_path / "x")


def test_another_study_learns_from_it_and_the_file_holds_no_words(
    loaded: Made, other: Made, minilm: Encoder, tmp_path: Path
) -> None:
    suggest(other, minilm)
    chair = next(s for s in segments(other.study.db) if "chair" in s.text)
    before = {s.code: s.probability for s in suggestions_of_segment(other.study.db, chair.id)}
    read_blind(loaded, 40, heard_chair)
    file = tmp_path / "lessons"

    count = export(loaded, minilm, file)
    assert borrow_lessons(other.study, file, minilm, now=NOW, actor="t") == count == 40
    suggest(other, minilm)

    after = suggestions_of_segment(other.study.db, chair.id)
    assert {s.code: s.probability for s in after}["CL5"] > before.get("CL5", 0)
    assert "learn" in after[0].method
    assert all(s.nearest_segment == "" for s in after)
    held = from_bytes(file.read_bytes())
    for word in (b"chair", b"pasta", b"P1", *(s.id.encode() for s in segments(loaded.study.db))):
        assert word not in b"".join([file.read_bytes(), *(getattr(held, a).tobytes() for a in ("labels", "match"))])


def test_lessons_of_another_codebook_or_encoder_are_refused_by_name(
    loaded: Made, other: Made, minilm: Encoder, tmp_path: Path
) -> None:
    read_blind(loaded, 5, heard_chair)
    export(loaded, minilm, tmp_path / "x")
    held = from_bytes((tmp_path / "x").read_bytes())
    for change, wrong in (({"codebook": "hampshire-early-help"}, "hampshire"), ({"model": "another"}, "another")):
        (tmp_path / "y").write_bytes(to_bytes(replace(held, **change)))
        with pytest.raises(StudyError, match=wrong):
            borrow_lessons(other.study, tmp_path / "y", minilm, now=NOW, actor="t")


def test_borrowed_lessons_count_for_less_the_more_a_study_has_of_its_own(
    loaded: Made, minilm: Encoder, tmp_path: Path
) -> None:
    read_blind(loaded, 5, heard_chair)
    export(loaded, minilm, tmp_path / "x")
    held = from_bytes((tmp_path / "x").read_bytes())

    none, many = (borrowed(held, codes=[*held.codes[::-1], "NEW"], model=held.model, own=n) for n in (0, HALVED_AT))

    assert np.allclose(none.weights, 2 * many.weights)
    assert np.array_equal(none.labels[:, 0], held.labels[:, -1])
    assert not none.weights[:, -1].any()


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=300))
def test_any_other_file_is_refused(content: bytes) -> None:
    with pytest.raises(LessonError, match=r"no shared lessons|damaged"):
        from_bytes(content)
