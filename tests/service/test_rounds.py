"""Rounds by design: who may come, how probably, and what an estimate may rest on."""

from __future__ import annotations

import pytest

from nlp.encode import Encoder
from service.errors import StudyError
from service.study.decisions import draws, frame, is_uniform
from service.usecases.prevalence import TEXTS_ONLY, theme_shares
from service.usecases.progress import progress
from service.usecases.queue import next_item
from service.usecases.review import decide
from service.usecases.rounds import ByChoice, draw_counting_round, draw_review_round, people_in_scope
from service.usecases.sharpen import Sharpener
from service.wiring import codebook_named, trust
from tests.conftest import NOW, Made
from tests.service.reading import heard_chair, read_blind, suggest


def test_a_round_by_text_draws_texts_and_is_refused_for_shares_of_people(loaded: Made) -> None:
    round_ = draw_counting_round(loaded.study, people=10, seed=1, now=NOW, actor="t", by="text")

    units = {d.unit for d in draws(loaded.study.db, round_.id)}
    texts = {v for voices in people_in_scope(loaded.study).values() for v in voices}

    assert len(units) == 10
    assert units <= texts
    assert frame(loaded.study.db, round_.id).keys() == texts
    assert {s.refusal for s in theme_shares(loaded.study)} == {TEXTS_ONLY}


def test_what_is_read_by_choice_is_logged_with_its_probability_and_no_estimate_rests_on_it(loaded: Made) -> None:
    choice = ByChoice(focus=("CL5",), focus_reads=10, start=5, rare=2, uncertain=2)

    round_ = draw_counting_round(loaded.study, people=10, seed=1, now=NOW, actor="t", choice=choice)

    drawn = draws(loaded.study.db, round_.id)
    streams = {stream for d in drawn for stream in d.stream.split("+")}
    assert streams == {"uniform", "focus", "diverse", "rare", "uncertain"}
    assert sum(is_uniform(d) for d in drawn) == 10
    assert all(0 < d.probability <= 1 for d in drawn)
    assert any(d.probability == 1 for d in drawn)
    assert any(d.probability < 1 for d in drawn)
    while (item := next_item(loaded.study, round_, "Ann")) is not None:
        decide(loaded.study, item, coder="Ann", choices=heard_chair(item.segment.text), seconds=1, now=NOW)
    estimates = [s.estimate for s in theme_shares(loaded.study) if s.estimate]
    assert all(e.read == 10 and e.loaded == 40 for e in estimates)


def test_a_focus_on_a_code_that_is_not_there_is_refused(loaded: Made) -> None:
    with pytest.raises(StudyError, match="NOPE"):
        draw_counting_round(loaded.study, people=5, seed=1, now=NOW, actor="t", choice=ByChoice(focus=("NOPE",)))


def test_a_review_reads_everything_once_and_may_begin_with_what_lies_far_apart(loaded: Made) -> None:
    round_ = draw_review_round(loaded.study, seed=1, now=NOW, actor="t", start=6)

    drawn = draws(loaded.study.db, round_.id)

    assert len(drawn) == len({d.unit for d in drawn}) == 40
    assert [d.stream for d in drawn[:6]] == ["diverse"] * 6
    assert "diverse" not in {d.stream for d in drawn[6:]}


def test_progress_says_what_is_missed_and_when_reading_may_stop(loaded: Made) -> None:
    before = progress(loaded.study)
    assert before.unseen == ()
    assert before.saturation.read == 0

    read_blind(loaded, 30, heard_chair)
    found = progress(loaded.study)

    by_code = {u.code.id: u.missed for u in found.unseen}
    assert by_code["CL5"].low <= by_code["CL5"].estimate <= by_code["CL5"].high <= by_code["CL5"].unread <= 40
    assert {u.unit for u in found.unseen} == {"people"}
    assert found.saturation.read == 30
    assert found.saturation.seen == 1
    assert found.saturation.needed == 0


def test_the_next_item_already_knows_the_last_decision(loaded: Made, minilm: Encoder) -> None:
    """The pasta texts are given a code of their own; the suggestions for the next of them follow within the round."""
    book = codebook_named(loaded.study.codebook)
    sharpen = Sharpener(loaded.study, book, minilm, trust())
    round_ = draw_review_round(loaded.study, seed=1, now=NOW, actor="t")
    first = next_item(loaded.study, round_, "Ann", fresh=lambda s: sharpen(s, NOW))
    assert first is not None
    assert {s.method for s in first.suggestions} <= {"themes.match.v2"}
    shown = first
    for _ in range(12):
        item = next_item(loaded.study, round_, "Ann", fresh=lambda s: sharpen(s, NOW))
        assert item is not None
        shown = item
        decide(loaded.study, item, coder="Ann", choices=heard_chair(item.segment.text), seconds=1, now=NOW)

    assert shown.suggestions
    assert "learn" in shown.suggestions[0].method
    chair = [s for s in shown.suggestions if s.code == "CL5"] if "chair" in shown.segment.text else []
    assert not chair or chair[0].probability > 0.2


def test_fresh_suggestions_leave_the_strata_of_the_estimate_alone(loaded: Made, minilm: Encoder) -> None:
    suggest(loaded, minilm)
    before = loaded.study.db.conn.execute("SELECT reading FROM current_reading").fetchone()[0]
    read_blind(loaded, 5, heard_chair)
    sharpen = Sharpener(loaded.study, codebook_named(loaded.study.codebook), minilm, trust())
    round_ = draw_review_round(loaded.study, seed=1, now=NOW, actor="t")

    item = next_item(loaded.study, round_, "Ann", fresh=lambda s: sharpen(s, NOW))
    again = next_item(loaded.study, round_, "Ann", fresh=lambda s: sharpen(s, NOW))

    assert item is not None
    assert again is not None
    assert [s.id for s in item.suggestions] == [s.id for s in again.suggestions]
    assert loaded.study.db.conn.execute("SELECT reading FROM current_reading").fetchone()[0] == before


def test_a_round_that_nobody_has_begun_takes_no_finding_away(loaded: Made) -> None:
    read_blind(loaded, 30, heard_chair)
    before = [(s.code.id, s.estimate, s.refusal) for s in theme_shares(loaded.study)]

    draw_counting_round(loaded.study, people=10, seed=2, now=NOW, actor="t")

    assert [(s.code.id, s.estimate, s.refusal) for s in theme_shares(loaded.study)] == before
    assert progress(loaded.study).unseen


def test_the_next_suggestions_for_everybody_read_what_was_freshly_suggested_too(loaded: Made, minilm: Encoder) -> None:
    read_blind(loaded, 5, heard_chair)
    sharpen = Sharpener(loaded.study, codebook_named(loaded.study.codebook), minilm, trust())
    round_ = draw_review_round(loaded.study, seed=1, now=NOW, actor="t")
    assert next_item(loaded.study, round_, "Ann", fresh=lambda s: sharpen(s, NOW)) is not None

    assert suggest(loaded, minilm).segments == 40
