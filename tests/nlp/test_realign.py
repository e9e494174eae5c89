"""A stretch of a text moves to a corrected text with exactly its words, or not at all."""

from __future__ import annotations

import re
import time

from hypothesis import given
from hypothesis import strategies as st

from nlp.realign import realign, respelt, same_words
from nlp.types import Span

WORDS = st.lists(st.sampled_from(["the", "door", "cold", "é", "👧", "it's", "I", ".", "\n", "Ben", "not"]), max_size=25)
TEXTS = WORDS.map(" ".join) | st.text(alphabet="ab .\n'é👧", max_size=40)


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


@given(TEXTS, TEXTS, st.integers(0, 60), st.integers(0, 60))
def test_a_moved_span_has_exactly_the_same_words(old: str, new: str, one: int, other: int) -> None:
    start, end = sorted((min(one, len(old)), min(other, len(old))))

    moved = realign(old, new).moved(start, end)

    if moved is not None:
        assert 0 <= moved.start < moved.end <= len(new)
        assert words(moved.of(new)) == words(old[start:end])


@given(TEXTS, st.integers(0, 60), st.integers(0, 60))
def test_in_a_text_that_did_not_change_whatever_has_words_stays(text: str, one: int, other: int) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))

    moved = realign(text, text).moved(start, end)

    assert (moved is None) == (not words(text[start:end]))
    assert moved is None or start <= moved.start < moved.end <= end


@given(TEXTS, TEXTS, st.lists(st.integers(0, 60), max_size=6))
def test_cuts_keep_their_order_and_the_ends_stay_the_ends(old: str, new: str, places: list[int]) -> None:
    aligned = realign(old, new)
    cuts = sorted({0, len(old), *(min(p, len(old)) for p in places)})

    moved = [aligned.boundary(cut) for cut in cuts]

    assert moved == sorted(moved)
    assert moved[0] == 0
    assert not old or moved[-1] == len(new)


@given(TEXTS, TEXTS)
def test_words_before_and_after_what_changed_stay_where_they_are(before: str, after: str) -> None:
    old, new = f"{before} red {after}", f"{before} dark blue {after}"
    aligned = realign(old, new)

    for text, shift in ((before, 0), (after, len("dark blue") - len("red"))):
        at = 0 if text is before else len(before) + 5
        if words(text):
            moved = aligned.moved(at, at + len(text))
            assert moved is None or words(moved.of(new)) == words(text)
            assert moved is None or shift or moved.start >= 0


def test_a_note_with_a_sentence_put_in_keeps_its_stretches() -> None:
    old = "I hide at night. My flat is cold."
    new = "On Monday I hide at night! Then it rained. My flat is cold. Nobody came."
    aligned = realign(old, new)

    assert [s and s.of(new) for s in (aligned.moved(2, 15), aligned.moved(17, 33), aligned.moved(0, 33))] == [
        "hide at night", "My flat is cold", None,
    ]  # fmt: skip
    assert new[aligned.boundary(17) :].startswith("My flat")
    assert aligned.appended() == new.index("Nobody")
    assert aligned.moved(15, 16) is None  # a full stop has no place of its own


def test_words_that_came_apart_are_not_the_same_stretch() -> None:
    assert realign("cold and dark here", "cold but not and dark here").moved(0, 8) is None
    assert realign("a b", "a b").moved(0, 3) == Span(0, 3)


def test_spelling_is_told_from_other_words() -> None:
    assert respelt("my frend is Kind", "my friend is kind")
    assert not respelt("I was not safe there", "I was very safe there")
    assert not respelt("a chair", "a chair here")
    assert same_words("I see. You!", "I see, you".replace("you", "You"))
    assert not same_words("a b", "b a")


def test_a_very_long_text_is_aligned_in_moments() -> None:
    old = " ".join(f"the cat {n} sat on the mat and it was" for n in range(5000))
    begun = time.perf_counter()

    moved = realign(old, old.replace("cat 7 ", "dog 7 ").replace("cat 4990 ", "dog 4990 ")).moved(
        len(old) - 20, len(old)
    )

    assert moved == Span(len(old) - 20, len(old))
    assert time.perf_counter() - begun < 20
