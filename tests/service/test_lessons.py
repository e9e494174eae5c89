"""Learning in a study: what each kind of decision teaches, and that suggestions are made without hindsight."""

from __future__ import annotations

from dataclasses import replace

from nlp.encode import Encoder
from nlp.themes.crossfit import group_of
from nlp.types import Code
from service import wiring
from service.study.database import write
from service.study.decisions import add_decisions
from service.study.suggestions import newest_reading, suggestions_of_segment
from service.usecases.lessons import Taught, Trust, taught
from service.usecases.queue import next_item
from service.usecases.review import Choice, _choice, _decision, decide, undo
from service.usecases.rounds import draw_review_round
from tests.conftest import NOW, Made
from tests.service.reading import heard_chair, read_blind, suggest, take_back


def lessons(made: Made, trust: Trust = Trust()) -> Taught:  # noqa: B008
    return taught(made.study, wiring.codebook_named(made.study.codebook), trust)


def test_a_blind_reading_is_a_word_on_every_code(loaded: Made) -> None:
    read_blind(loaded, 4, heard_chair)
    found = lessons(loaded)
    codes = {c.id for c in wiring.codebook_named(loaded.study.codebook).active_codes}
    assert len(found.segments) == 4
    for segment in found.segments:
        words = found.words[segment.id]
        assert words.keys() == codes
        assert {w.weight for w in words.values()} == {1.0}
        assert {c for c, w in words.items() if w.label} == ({"CL5"} if "chair" in segment.text else set())
    assert found.random == {s.id for s in found.segments}


def test_a_reading_with_suggestions_on_screen_counts_for_less_and_is_not_random(loaded: Made) -> None:
    round_ = draw_review_round(loaded.study, seed=1, now=NOW, actor="t")
    item = next_item(loaded.study, round_, "Ann")
    assert item is not None
    assert item.suggestions
    wrong = item.suggestions[0]
    decide(
        loaded.study, item, coder="Ann", choices=[Choice("CL9")], rejected=[wrong], seconds=1, now=NOW,
    )  # fmt: skip
    found = lessons(loaded, Trust(1.0, 0.6, 0.2))
    words = found.words[item.segment.id]
    assert (words["CL9"].label, words["CL9"].weight) == (1.0, 0.6)
    assert (words[wrong.code].label, words[wrong.code].weight) == (0.0, 0.6)
    assert {w.weight for c, w in words.items() if c not in ("CL9", wrong.code)} == {0.2}
    assert not found.random


def test_a_skip_and_an_undone_reading_teach_nothing(loaded: Made) -> None:
    round_ = draw_review_round(loaded.study, seed=1, now=NOW, actor="t")
    first = next_item(loaded.study, round_, "Ann")
    assert first is not None
    decide(loaded.study, first, coder="Ann", choices=[], skip=True, seconds=1, now=NOW)
    second = next_item(loaded.study, round_, "Ann")
    assert second is not None
    decide(loaded.study, second, coder="Ann", choices=[Choice("CL5")], seconds=1, now=NOW)
    assert [s.id for s in lessons(loaded).segments] == [second.segment.id]
    undo(loaded.study, round_, "Ann", now=NOW)
    assert lessons(loaded).digest == ""


def test_what_is_accepted_in_bulk_is_never_learnt_from(loaded: Made) -> None:
    round_ = draw_review_round(loaded.study, seed=1, now=NOW, actor="t")
    item = next_item(loaded.study, round_, "Ann")
    assert item is not None
    made = [_choice(item, Choice("CL5"), "Ann", NOW, 0.0), _decision(item, "close", "Ann", NOW, 0.0)]
    with write(loaded.study.db) as connection:
        add_decisions(connection, [replace(d, bulk=True) for d in made])
    assert lessons(loaded).segments == ()


def test_coders_who_differ_leave_a_segment_in_between(loaded: Made) -> None:
    round_ = read_blind(loaded, 2, lambda _: [Choice("CL5")])
    while (item := next_item(loaded.study, round_, "Ben")) is not None:
        decide(loaded.study, item, coder="Ben", choices=[], seconds=1, now=NOW)
    for words in lessons(loaded).words.values():
        assert (words["CL5"].label, words["CL5"].weight) == (0.5, 1.0)
        assert (words["CL1"].label, words["CL1"].weight) == (0.0, 1.0)


def test_a_code_that_did_not_exist_yet_was_not_rejected(loaded: Made) -> None:
    read_blind(loaded, 4, heard_chair)
    book = wiring.codebook_named(loaded.study.codebook)
    newer = replace(book, version="9.0.0", codes=(*book.codes, Code("NEW1", "Pasta")))
    found = taught(loaded.study, newer, Trust())
    assert all("NEW1" not in words for words in found.words.values())
    assert all("CL5" in words for words in found.words.values())


def test_suggestions_learn_and_say_so_and_the_earlier_ones_stay(loaded: Made, minilm: Encoder) -> None:
    before = newest_reading(loaded.study.db)
    count = loaded.study.db.conn.execute("SELECT count(*) FROM suggestions").fetchone()[0]
    round_ = read_blind(loaded, 30, heard_chair)
    done = suggest(loaded, minilm)
    assert (done.segments, done.learnt_from) == (40, 30)
    assert newest_reading(loaded.study.db) != before
    kept = loaded.study.db.conn.execute("SELECT count(*) FROM suggestions WHERE reading = ?", [before]).fetchone()[0]
    assert kept == count
    read = {d["segment"] for d in loaded.study.db.conn.execute("SELECT segment FROM decisions")}
    unread = loaded.study.db.conn.execute("SELECT id FROM segments").fetchall()
    for row in unread:
        if row["id"] in read:
            continue
        found = suggestions_of_segment(loaded.study.db, row["id"])
        text = loaded.study.db.conn.execute(
            "SELECT text FROM clean_texts WHERE voice = ?", [row["id"].rpartition(".")[0]]
        ).fetchone()["text"]
        if "chair" in text:
            assert found[0].code == "CL5"
            assert found[0].calibrated_on == 30
            assert found[0].nearest or found[0].nearest_segment in read
    again = suggest(loaded, minilm)
    assert again.segments == 0
    take_back(loaded, round_, "Ann")
    assert suggest(loaded, minilm).learnt_from == 29


def test_nobodys_suggestions_rest_on_their_own_words(loaded: Made, minilm: Encoder) -> None:
    read_blind(loaded, 40, heard_chair)
    suggest(loaded, minilm)
    people = dict(loaded.study.db.conn.execute("SELECT id, participant FROM voices").fetchall())
    rows = loaded.study.db.conn.execute(
        "SELECT segment, nearest_segment FROM suggestions WHERE nearest_segment <> '' AND reading = ?",
        [newest_reading(loaded.study.db)],
    ).fetchall()
    assert rows
    for row in rows:
        mine, theirs = (people[row[c].rpartition(".")[0]] for c in ("segment", "nearest_segment"))
        assert group_of(mine) != group_of(theirs)


def test_everything_rejected_leaves_nothing_to_suggest(loaded: Made, minilm: Encoder) -> None:
    read_blind(loaded, 40, lambda _: [])
    done = suggest(loaded, minilm)
    assert done.learnt_from == 40
    assert done.silent == 40
