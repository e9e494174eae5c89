"""Text before meaning: the way back from NFC, and exact tilings."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nlp.errors import SpanError
from nlp.text import RUN_ON_WORDS, SEGMENT_WORDS, normalise, segments, sentences
from nlp.types import Span

# Letters that compose, marks that reorder, Hangul, Bengali, Tibetan vowels that only decompose, and the unreadable.
AWKWARD = (
    "aeşE \u0301\u0308\u0327\u0315\u0323\u1100\u1112\u1161\u11ab\uac00\u0995\u09c7\u09be\u09d7\u0dd9\u0dcf\u0dca"
    "\u0f71\u0f72\u0f73\u212b\ufb2a\U0001d15e\u0344\u0345\0\ud800\udfff\U0001f469\u200d\u200f\n"
)
ANY_TEXT = st.text(st.one_of(st.characters(codec=None), st.sampled_from(AWKWARD)), max_size=60)
WORDS = (
    "word|Mr.|e.g.|ok?!|end.|stop.”|(yes.)|…|😀😀|\n|\n\n|\t|  |but|and then|because|I|no.|...|।|J.|\u2028|\u00a0|p.s."
)
PROSE = st.lists(st.sampled_from(WORDS.split("|")), max_size=200).map(" ".join)


def readable(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else " " if c == "\0" else c for c in text)


def joined(text: str, spans: list[Span]) -> str:
    return "".join(span.of(text) for span in spans)


@given(ANY_TEXT)
@example("\u0f73\u0f74\u0f73")
@example("e\u0315\u0301\u1100\u1161\u11ab")
def test_normalised_text_is_nfc_of_the_readable_text(text: str) -> None:
    assert normalise(text).text == unicodedata.normalize("NFC", readable(text))


@given(ANY_TEXT)
def test_normalised_text_has_no_unreadable_character(text: str) -> None:
    found = normalise(text).text
    found.encode("utf-8")
    assert "\0" not in found


@given(ANY_TEXT)
def test_starts_climb_from_the_beginning_to_the_end_of_the_source(text: str) -> None:
    found = normalise(text)
    assert len(found.starts) == len(found.text) + 1
    assert list(found.starts) == sorted(found.starts)
    assert found.starts[0] == 0
    assert found.starts[-1] == len(text)


@given(ANY_TEXT, st.data())
def test_every_span_leads_back_to_the_source_it_came_from(text: str, data: st.DataObject) -> None:
    found = normalise(text)
    if not found.text:
        assert text == ""
        return
    start = data.draw(st.integers(0, len(found.text) - 1))
    end = data.draw(st.integers(start + 1, len(found.text)))
    source = found.to_source(start, end)
    assert found.text[start:end] in unicodedata.normalize("NFC", readable(source.of(text)))


@given(ANY_TEXT)
def test_the_pieces_of_a_text_lead_back_to_pieces_that_cover_the_source(text: str) -> None:
    found = normalise(text)
    reached = [found.to_source(i, i + 1) for i in range(len(found.text))]
    assert {i for span in reached for i in range(span.start, span.end)} == set(range(len(text)))


@pytest.mark.parametrize(
    ("text", "span", "source"),
    [
        ("Zoe\u0308 left", (0, 3), (0, 4)),
        ("Zoe\u0308 left", (4, 8), (5, 9)),
        ("\u1112\u1161\u11ab x", (0, 1), (0, 3)),
        ("\u0995\u09c7\u09be x", (0, 2), (0, 3)),
        ("\ud800Zoe\0", (1, 4), (1, 4)),
        ("plain", (1, 3), (1, 3)),
        ("\u212b", (0, 1), (0, 1)),
        ("\ufb2a!", (1, 2), (0, 1)),
    ],
)
def test_a_span_takes_whole_clusters_of_the_source(text: str, span: tuple[int, int], source: tuple[int, int]) -> None:
    assert normalise(text).to_source(*span) == Span(*source)


@pytest.mark.parametrize("span", [(-1, 1), (0, 0), (2, 1), (0, 6)])
def test_a_span_outside_the_text_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(SpanError, match=f"{span[0]} to {span[1]} lies outside a text of 5"):
        normalise("hello").to_source(*span)


@given(st.one_of(ANY_TEXT, PROSE))
def test_sentences_tile_any_text_exactly(text: str) -> None:
    tiles = sentences(text)
    assert joined(text, tiles) == (text if text.strip() else "")
    assert all(a.end == b.start for a, b in pairwise(tiles))


@given(st.one_of(ANY_TEXT, PROSE))
def test_no_sentence_is_blank(text: str) -> None:
    assert all(span.of(text).strip() for span in sentences(text))


@given(st.one_of(ANY_TEXT, PROSE), st.integers(1, 100))
def test_segments_tile_any_text_exactly(text: str, limit: int) -> None:
    found = segments(text, max_words=limit)
    assert "".join(s.text for s in found) == (text if text.strip() else "")
    assert [s.position for s in found] == list(range(len(found)))
    assert all(s.text == text[s.start : s.end] for s in found)


@given(st.one_of(ANY_TEXT, PROSE), st.integers(1, 100))
def test_no_segment_is_blank_or_of_more_than_twice_the_limit(text: str, limit: int) -> None:
    assert all(0 < len(s.text.split()) <= 2 * limit for s in segments(text, max_words=limit))


@given(PROSE)
def test_segments_end_where_sentences_end(text: str) -> None:
    ends = {span.end for span in sentences(text)}
    assert {s.end for s in segments(text)} <= ends


@pytest.mark.parametrize(
    ("unit", "count"),
    [
        ("We went to the hub and it was shut. ", 1400),
        ("word ", 10_000),
        ("and then we went ", 3000),
        (".", 50_000),
        ("😀", 50_000),
        ("\n", 49_999),
        ('."', 25_000),
        ("e\u0301", 25_000),
    ],
)
def test_a_text_of_fifty_thousand_characters_is_tiled_exactly(unit: str, count: int) -> None:
    text = unit * count + "x"
    assert joined(text, sentences(text)) == text
    assert "".join(s.text for s in segments(text)) == text


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("It is cold. I am fine!", ["It is cold. ", "I am fine!"]),
        ("Really?! Yes… maybe", ["Really?! ", "Yes… ", "maybe"]),
        ("He said “stop.” Then he left.", ["He said “stop.” ", "Then he left."]),
        ("one\n\n\ntwo\nthree", ["one\n\n\n", "two\n", "three"]),
        ("It was good 😀😀 now it is not", ["It was good 😀😀 ", "now it is not"]),
        ("আমি যাই। তুমি যাও।", ["আমি যাই। ", "তুমি যাও।"]),
        ("ہم گئے۔ وہ آئے", ["ہم گئے۔ ", "وہ آئے"]),
        ("Version 2.5 is out", ["Version 2.5 is out"]),
        ("\n\n  hello  \n", ["\n\n  hello  \n"]),
        ("", []),
        (" \t\n ", []),
    ],
)
def test_sentences_end_at_stops_line_ends_and_emoji(text: str, pieces: list[str]) -> None:
    assert [span.of(text) for span in sentences(text)] == pieces


@pytest.mark.parametrize(
    "text",
    [
        "Mr. Smith rang.",
        "Dr. J. Smith rang.",
        "We saw St. Anne's, e.g. the hall, i.e. the big one.",
        "Tea, cake, etc. was there",
        "Ring tel. 01632 960001",
        "It was Mum vs. the school",
        "dob. 1 May",
        "P.S. come soon",
    ],
)
def test_an_abbreviation_ends_no_sentence(text: str) -> None:
    assert len(sentences(text)) == 1


def test_a_line_end_after_an_abbreviation_still_ends_the_sentence() -> None:
    assert len(sentences("Signed by Dr.\nThe next day we left")) == 2


def test_a_run_on_is_cut_at_its_joints() -> None:
    text = "we went to the shop and it was shut " + "and then we walked home in the rain and got wet " * 5
    pieces = [span.of(text) for span in sentences(text)]
    assert len(pieces) > 1
    assert all(piece.startswith("and then") for piece in pieces[1:])
    assert "".join(pieces) == text


def test_a_sentence_of_forty_words_is_left_whole() -> None:
    text = "and then we " * (RUN_ON_WORDS // 3) + "left."
    assert len(text.split()) == RUN_ON_WORDS
    assert len(sentences(text)) == 1
    assert len(sentences("so " + text)) > 1


def test_a_run_on_without_joints_is_left_whole() -> None:
    assert len(sentences("word " * 100)) == 1


def test_no_piece_of_a_run_on_is_shorter_than_eight_words_but_the_last() -> None:
    text = "but because " * 60
    assert all(len(span.of(text).split()) >= 8 for span in sentences(text)[:-1])


def test_a_segment_takes_whole_sentences_up_to_the_limit() -> None:
    text = "Four words are here. " * 50
    found = segments(text)
    assert [len(s.text.split()) for s in found] == [SEGMENT_WORDS, SEGMENT_WORDS, 40]
    assert all(s.text.startswith("Four words") for s in found)


def test_one_long_sentence_is_a_segment_of_its_own() -> None:
    text = "It was good. " + "word " * (SEGMENT_WORDS + 30) + ". It was bad."
    assert [s.text.split()[0] for s in segments(text)] == ["It", "word", "It"]


def test_a_sentence_of_over_twice_the_limit_is_cut_between_words() -> None:
    found = segments("word " * 400, max_words=80)
    assert [len(s.text.split()) for s in found] == [160, 160, 80]


def test_a_long_text_of_combining_marks_leads_back_to_its_source() -> None:
    found = normalise("e\u0301" * 25_000)
    assert found.text == "é" * 25_000
    assert found.to_source(24_999, 25_000) == Span(49_998, 50_000)
