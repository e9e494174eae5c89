"""What comes next and how it is decided: order, plans and leases, blind first, nothing lost or doubled."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlp.intervals import reads_for, wilson
from nlp.types import CodeStatus
from service.errors import ConflictError, RecordError, StudyError
from service.study.codebooks import keep_codebook
from service.study.database import write
from service.study.decisions import Round, blind_codings, codings
from service.study.study import Study, opened
from service.study.suggestions import set_current_reading
from service.usecases.lessons import Trust, taught
from service.usecases.queue import Item, hold, item_at, next_item, round_to_code, rounds_to_code, tally
from service.usecases.review import Choice, decide, revise, undo
from service.usecases.review import given as codes_given
from tests.conftest import NOW
from tests.service.bare import CODES, READING, bare_study, book, counting_round, plan, review_round, said

SOON, LATER = "2026-01-15T10:09:00.000+00:00", "2026-01-15T10:11:00.000+00:00"


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    """Twelve people, every third with three texts."""
    texts = iter(said(20))
    made = bare_study(tmp_path / "bare", [[next(texts) for _ in range(1 if p % 3 else 3)] for p in range(12)])
    yield made
    made.db.close()


def upcoming(study: Study, round_: Round, coder: str, **where: object) -> Item:
    item = next_item(study, round_, coder, **{"now": NOW, **where})  # type: ignore[arg-type]
    assert item is not None
    return item


def close(study: Study, item: Item, coder: str, *choices: Choice, **more: object) -> list[int]:
    return decide(study, item, coder=coder, choices=choices, seconds=1, **{"now": NOW, **more})  # type: ignore[arg-type]


def read_all(study: Study, round_: Round, coder: str) -> list[str]:
    seen, after, past = [], 0, ""
    while (item := next_item(study, round_, coder, after=after, past=past, now=NOW)) is not None:
        seen.append(item.segment.id)
        close(study, item, coder)
        after, past = item.position, item.segment.id
    return seen


def test_without_a_plan_every_coder_reads_a_round_whole(study: Study) -> None:
    round_ = review_round(study)

    first, second = read_all(study, round_, "Ann"), read_all(study, round_, "Ben")

    assert first == second
    assert len(first) == len(set(first)) == 20


def test_a_persons_texts_come_together_and_in_order(study: Study) -> None:
    round_ = counting_round(study, 4)

    items, after, past = [], 0, ""
    while (item := next_item(study, round_, "Ann", after=after, past=past)) is not None:
        items.append((item.position, item.part, item.parts))
        close(study, item, "Ann")
        after, past = item.position, item.segment.id

    assert items == [(1, 1, 3), (1, 2, 3), (1, 3, 3), (2, 1, 1), (3, 1, 1), (4, 1, 3), (4, 2, 3), (4, 3, 3)]


def test_the_walk_goes_on_from_where_one_is_and_comes_round_once_for_what_was_passed_over(study: Study) -> None:
    round_ = review_round(study)

    middle = upcoming(study, round_, "Ann", after=10)
    close(study, middle, "Ann")
    last = upcoming(study, round_, "Ann", after=19)
    again = upcoming(study, round_, "Ann", after=20, past=last.segment.id)

    assert (middle.position, last.position, again.position) == (11, 20, 1)


def test_the_item_in_hand_is_not_offered_as_the_next_one(study: Study) -> None:
    round_ = review_round(study)
    for item in iter(lambda: next_item(study, round_, "Ann", after=1), None):
        if item.position == 1:
            break
        close(study, item, "Ann")
    left = upcoming(study, round_, "Ann")

    assert next_item(study, round_, "Ann", after=left.position, past=left.segment.id) is None


def test_a_voice_that_waits_for_a_person_is_passed_over(study: Study) -> None:
    round_ = review_round(study)
    first = upcoming(study, round_, "Ann")
    study.db.conn.execute("UPDATE clean_texts SET held = 'cy' WHERE voice = ?", [first.segment.voice])
    study.db.conn.commit()

    assert upcoming(study, round_, "Ann").segment.voice != first.segment.voice
    with pytest.raises(RecordError, match="no longer in the round"):
        item_at(study, round_, "Ann", first.segment.id, now=NOW)


def test_with_a_plan_only_its_coders_read_and_assigned_items_go_to_exactly_those(study: Study) -> None:
    round_ = review_round(study)
    plan(study, round_, ["Ann", "Ben", "Cy"], [(1, "Ann"), (1, "Ben"), (2, "Cy")])

    ann, ben, cy = (set(read_all(study, round_, coder)) for coder in ("Ann", "Ben", "Cy"))

    ids = [row["unit"] for row in study.db.conn.execute("SELECT unit FROM draws ORDER BY position")]
    assert next_item(study, round_, "Eve", now=NOW) is None
    assert ann & ben == {ids[0]}
    assert ann - ben == set(ids[2:])
    assert cy == {ids[1]}
    with pytest.raises(StudyError, match="not among the coders"):
        round_to_code(study, round_.id, "Eve")
    assert rounds_to_code(study, "Eve") == []


def test_a_pool_item_is_held_for_ten_minutes_and_longer_while_its_coder_is_at_it(study: Study) -> None:
    round_ = review_round(study)
    plan(study, round_, ["Ann", "Ben"])

    mine = upcoming(study, round_, "Ann")
    assert upcoming(study, round_, "Ben").position == 2
    with pytest.raises(StudyError, match="another coder"):
        item_at(study, round_, "Ben", mine.segment.id, now=NOW)

    hold(study, mine, "Ann", now=SOON)
    assert upcoming(study, round_, "Ben", now=LATER).position == 2
    assert upcoming(study, round_, "Ben", now="2026-01-15T10:20:00.000+00:00").segment.id == mine.segment.id


def test_what_one_coder_finished_is_gone_for_the_others(study: Study) -> None:
    round_ = review_round(study)
    plan(study, round_, ["Ann", "Ben"])

    close(study, upcoming(study, round_, "Ann"), "Ann")

    assert upcoming(study, round_, "Ben", now=LATER).position == 2


def test_a_person_begun_by_one_coder_and_left_is_read_whole_by_another(study: Study) -> None:
    round_ = counting_round(study, 4)
    plan(study, round_, ["Ann", "Ben"])
    begun = upcoming(study, round_, "Ann")
    close(study, begun, "Ann")
    assert upcoming(study, round_, "Ben").position == 2

    taken = upcoming(study, round_, "Ben", now=LATER)

    assert (taken.position, taken.part) == (1, 1)
    assert upcoming(study, round_, "Ann", after=1, past=begun.segment.id, now=LATER).position == 2
    assert tally(study, round_, "Ben").units == 0


def test_coders_at_once_never_get_the_same_pool_item(tmp_path: Path) -> None:
    made = bare_study(tmp_path / "many", [[text] for text in said(60)])
    round_ = review_round(made)
    coders = ["Ann", "Ben", "Cy", "Di"]
    plan(made, round_, coders)
    got: dict[str, list[str]] = {coder: [] for coder in coders}

    def work(coder: str) -> None:
        with opened(made.folder) as own:
            got[coder] = read_all(own, round_, coder)

    threads = [threading.Thread(target=work, args=[coder]) for coder in coders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    counts = Counter(segment for ids in got.values() for segment in ids)
    assert len(counts) == 60
    assert set(counts.values()) == {1}
    made.db.close()


def test_a_round_that_is_over_is_not_offered(study: Study) -> None:
    round_ = review_round(study)
    study.db.conn.execute("INSERT INTO round_ends VALUES (?, 'Lead', ?)", [round_.id, NOW])
    study.db.conn.commit()

    assert rounds_to_code(study, "Ann") == []
    with pytest.raises(StudyError, match="over"):
        round_to_code(study, round_.id, "Ann")


def test_a_retry_with_the_same_token_stores_nothing_and_answers_the_same(study: Study) -> None:
    item = upcoming(study, review_round(study), "Ann")
    token = str(uuid4())

    first = close(study, item, "Ann", Choice("SAFE"), token=token)
    again = close(study, item, "Ann", Choice("SAFE"), token=token)

    assert first == again
    assert study.db.conn.execute("SELECT count(*) FROM decisions").fetchone()[0] == 2
    with pytest.raises(ConflictError, match="another one"):
        close(study, item, "Ben", token=token)


def test_saves_sent_at_once_and_again_and_again_store_each_decision_once(tmp_path: Path) -> None:
    made = bare_study(tmp_path / "many", [[text] for text in said(8)])
    round_ = review_round(made)
    items = [item_at(made, round_, "Ann", f"v{n:05}-0.0", now=NOW) for n in range(8)]
    tokens = {item.segment.id: str(uuid4()) for item in items}
    answers: list[tuple[str, tuple[int, ...]]] = []

    def work() -> None:
        with opened(made.folder) as own:
            for item in items:
                stored = close(own, item, "Ann", Choice("FOOD"), token=tokens[item.segment.id])
                answers.append((item.segment.id, tuple(stored)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(answers) == 32
    assert len(set(answers)) == 8
    assert made.db.conn.execute("SELECT count(*) FROM decisions").fetchone()[0] == 16
    made.db.close()


def test_another_tab_cannot_decide_the_same_text_again(study: Study) -> None:
    item = upcoming(study, review_round(study), "Ann")
    close(study, item, "Ann", Choice("SAFE"))

    with pytest.raises(ConflictError, match="already decided"):
        close(study, item, "Ann", Choice("HOME"))
    assert [c.code for c in codings(study.db)] == ["SAFE"]


@pytest.mark.parametrize(
    ("choice", "refused", "why"),
    [
        (Choice("SAFE", start=5, end=5_000), StudyError, "beyond this text"),
        (Choice("SAFE", start=9, end=3), StudyError, "beyond this text"),
        (Choice("SAFE", start=-4, end=3), StudyError, "beyond this text"),
        (Choice("SAFE", start=0, end=5, quote="other"), ConflictError, "been changed"),
        (Choice("NOPE"), StudyError, "no code"),
        (Choice("SAFE", "angry"), StudyError, "no such stance"),
        (Choice("SAFE", suggestion=999), ConflictError, "no longer as it was"),
    ],
)
def test_a_choice_that_does_not_fit_the_text_or_the_codebook_is_refused_whole(
    study: Study, choice: Choice, refused: type[Exception], why: str
) -> None:
    item = upcoming(study, review_round(study), "Ann")

    with pytest.raises(refused, match=why):
        close(study, item, "Ann", Choice("HOME"), choice)
    assert study.db.conn.execute("SELECT count(*) FROM decisions").fetchone()[0] == 0
    assert item.segment.text not in why


def test_a_code_retired_since_and_a_newer_codebook_are_told_in_words(study: Study) -> None:
    item = upcoming(study, review_round(study), "Ann")
    retired = replace(CODES[1], status=CodeStatus.RETIRED)
    with write(study.db) as connection:
        keep_codebook(connection, book("2.0.0", (CODES[0], retired, *CODES[2:])), NOW)
        set_current_reading(connection, READING, "bare", "2.0.0")

    with pytest.raises(ConflictError, match="now version 2.0.0"):
        close(study, item, "Ann", Choice("SAFE"), codebook="1.0.0")
    with pytest.raises(StudyError, match="“My place being a home” has been retired"):
        close(study, item, "Ann", Choice("HOME"), codebook="2.0.0")
    close(study, item, "Ann", Choice("SAFE"), codebook="2.0.0")
    assert [c.codebook_version for c in codings(study.db)] == ["2.0.0"]


def test_a_suggestion_with_other_words_is_a_change_and_with_its_own_an_accept(study: Study) -> None:
    round_ = review_round(study)
    item = upcoming(study, round_, "Ann")
    (s,) = item.suggestions

    close(study, item, "Ann", Choice(s.code, "worry", s.start, s.end, s.id))
    other = upcoming(study, round_, "Ann")
    (t,) = other.suggestions
    close(study, other, "Ann", Choice(t.code, "", other.segment.start, t.end, t.id), Choice("C4"))

    acts = [(r["action"], r["code"], r["shown"]) for r in study.db.conn.execute("SELECT * FROM decisions")]
    assert acts == [
        ("accept", "SAFE", 1), ("close", "", 1), ("change", "HOME", 1), ("add", "C4", 1), ("close", "", 1),
    ]  # fmt: skip


def test_a_blind_item_has_no_suggestion_until_its_coder_has_decided(study: Study) -> None:
    round_ = counting_round(study, 4)
    item = upcoming(study, round_, "Ann")

    assert item.suggestions == ()
    assert item_at(study, round_, "Ann", item.segment.id, now=NOW).suggestions == ()
    close(study, item, "Ann")
    assert item_at(study, round_, "Ann", item.segment.id, now=NOW).suggestions
    assert item_at(study, round_, "Ben", item.segment.id, now=NOW).suggestions == ()


def test_a_review_keeps_back_what_a_counting_round_will_ask_for_blind(study: Study) -> None:
    counting, review = counting_round(study, 2), review_round(study)

    kept_back = upcoming(study, review, "Ann")
    close(study, upcoming(study, counting, "Ann"), "Ann")

    assert kept_back.sealed
    assert kept_back.suggestions == ()
    assert upcoming(study, review, "Ann").suggestions


def test_a_revision_is_kept_apart_from_what_was_decided_blind(study: Study) -> None:
    round_ = counting_round(study, 4)
    item = upcoming(study, round_, "Ann")
    close(study, item, "Ann", Choice("C4"), Choice("C5", "worry"))
    shown = item_at(study, round_, "Ann", item.segment.id, now=NOW)
    (s,) = shown.suggestions

    token = str(uuid4())
    choices = [Choice("C5", "mixed"), Choice(s.code, "", s.start, s.end, s.id)]
    first = revise(study, shown, coder="Ann", choices=choices, seconds=2, now=NOW, token=token)
    again = revise(study, shown, coder="Ann", choices=choices, seconds=2, now=NOW, token=token)

    assert first == again
    assert sorted(c.code for c in blind_codings(study.db, round_.id)) == ["C4", "C5"]
    assert {(c.code, c.stance, c.shown) for c in codes_given(study, shown, "Ann")} == {
        ("C5", "mixed", True), (s.code, "", True),
    }  # fmt: skip
    assert revise(study, shown, coder="Ann", choices=choices, seconds=2, now=NOW) == []


def test_a_revision_teaches_nothing_that_the_suggestion_said_first(study: Study) -> None:
    round_ = counting_round(study, 4)
    item = upcoming(study, round_, "Ann")
    close(study, item, "Ann", Choice("C4"))
    shown = item_at(study, round_, "Ann", item.segment.id, now=NOW)
    revise(study, shown, coder="Ann", choices=[Choice("SAFE")], seconds=2, now=NOW)

    words = taught(study, book(), Trust()).words[item.segment.id]

    assert (words["C4"].label, words["SAFE"].label) == (1.0, 0.0)


def test_a_blind_decision_is_made_once_and_cannot_be_undone_after_the_reveal(study: Study) -> None:
    round_ = counting_round(study, 4)
    item = upcoming(study, round_, "Ann")
    close(study, item, "Ann")

    with pytest.raises(ConflictError, match="already decided"):
        close(study, item, "Ann", Choice("SAFE"))
    with pytest.raises(ConflictError, match="no longer be blind"):
        undo(study, round_, "Ann", now=NOW)
    with pytest.raises(ConflictError, match="no blind decision"):
        revise(study, upcoming(study, round_, "Ann"), coder="Ann", choices=[], seconds=1, now=NOW)


def test_a_text_whose_suggestions_were_seen_is_never_read_blind_again(study: Study) -> None:
    round_ = counting_round(study, 4)
    item = upcoming(study, round_, "Ann")
    seqs = close(study, item, "Ann")
    with write(study.db) as connection:  # as an earlier version could undo it
        connection.execute(
            "INSERT INTO decisions (segment, action, code, stance, start, end, undoes, coder, at, seconds, shown, round,"
            " stream, probability, codebook, codebook_version, model) SELECT segment, 'undo', '', '', 0, 0, seq, coder, at,"
            " 0, 0, round, stream, probability, codebook, codebook_version, '' FROM decisions WHERE seq = ?",
            [seqs[-1]],
        )

    with pytest.raises(ConflictError, match="no longer be read blind"):
        close(study, item, "Ann")


def test_a_skipped_blind_item_shows_nothing_and_may_be_taken_back(study: Study) -> None:
    round_ = counting_round(study, 4)
    item = upcoming(study, round_, "Ann")
    close(study, item, "Ann", skip=True)

    assert item_at(study, round_, "Ann", item.segment.id, now=NOW).suggestions == ()
    assert undo(study, round_, "Ann", now=NOW) == item.segment.id
    assert upcoming(study, round_, "Ann").segment.id == item.segment.id
    close(study, item, "Ann", Choice("SAFE"))


def test_a_review_is_undone_item_by_item_as_far_back_as_one_likes(study: Study) -> None:
    round_ = review_round(study)
    order = [close(study, item, "Ann", Choice("C4")) and item.segment.id for item in _first(study, round_, 3)]

    undone = [undo(study, round_, "Ann", now=NOW) for _ in range(4)]

    assert undone == [*reversed(order), None]
    assert codings(study.db) == []


def _first(study: Study, round_: Round, number: int) -> Iterator[Item]:
    for _ in range(number):
        yield upcoming(study, round_, "Ann")


def test_the_tally_counts_whole_people_and_says_how_many_more_the_width_needs(study: Study) -> None:
    round_ = counting_round(study, 4)
    before = tally(study, round_, "Ann")
    close(study, upcoming(study, round_, "Ann"), "Ann")
    begun = tally(study, round_, "Ann")
    read_all(study, round_, "Ann")
    after = tally(study, round_, "Ben")

    assert (before.reads, before.needed, before.total) == (0, reads_for(0.1, 12), 4)
    assert (begun.mine, begun.reads) == (1, 0)
    assert (after.mine, after.units, after.reads, after.needed) == (0, 4, 4, reads_for(0.1, 12) - 4)


@given(half=st.floats(0.03, 0.3), size=st.integers(0, 1_000_000))
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_reads_for_a_width_keep_it_and_never_exceed_what_is_there(half: float, size: int) -> None:
    reads = reads_for(half, size)

    assert 0 <= reads <= size
    if size > 100_000:
        low, high = wilson(reads // 2, reads)
        assert (high - low) / 2 <= half + 0.002
