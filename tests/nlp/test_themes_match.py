"""Matching on the codebook alone: what is suggested, how surely, and which words earned it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.codebook import read_codebook
from nlp.deid.surrogates import neutralise
from nlp.encode import SentenceEncoder, Vectors
from nlp.text import sentences
from nlp.themes.explain import LIKELY_FROM, POSSIBLE_FROM, band
from nlp.themes.match import SHOWN_FROM, Matcher
from nlp.types import Band, Code, Codebook, CodeStatus, NearMiss

SITES = (
    "hampshire-early-help",
    "information-use",
    "north-yorkshire-care-leavers",
    "oldham-early-language",
    "rochdale-family-hub",
)
WORDS = (
    "I had to tell my story again to a new worker. We had pasta for tea.",
    "the lock on my door is broke and there's shouting at night, i dont feel safe. no one rang me back",
    "lovely staff, they remembered my scan!",
    "ok",
    "Nobody asked me what I want. They wrote it down wrong. \n\nThe bus was late.",
)


def book(*codes: Code) -> Codebook:
    return Codebook(id="small", title="Small", version="0.1.0", provenance="test", codes=codes)


class Remembering:
    """The real encoder, asked once for each text: the sites share many."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}
        self.fingerprint, self.dimension = encoder.fingerprint, encoder.dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._encoder.encode(new), strict=True))
        return np.array([self._known[text] for text in texts], np.float32).reshape(len(texts), self.dimension)


@pytest.fixture(scope="module")
def encoder(minilm: SentenceEncoder) -> Remembering:
    return Remembering(minilm)


@pytest.fixture(scope="module")
def site(root: Path, encoder: Remembering) -> Callable[[str], Matcher]:
    return cache(lambda name: Matcher(read_codebook(root / "codebooks" / name), encoder))


@pytest.fixture(scope="module")
def matcher(site: Callable[[str], Matcher]) -> Matcher:
    return site("north-yorkshire-care-leavers")


@pytest.fixture(scope="module")
def one_code(encoder: Remembering) -> Matcher:
    return Matcher(book(Code("A", "Feeling safe at home", "Whether people feel safe where they live.")), encoder)


@pytest.mark.parametrize("name", SITES)
def test_an_example_of_a_code_is_suggested_as_that_code(site: Callable[[str], Matcher], name: str) -> None:
    matcher = site(name)
    found = matcher.suggest([code.examples[0] for code in matcher.codes])
    kept = [code.id in {s.code for s in mine} for code, mine in zip(matcher.codes, found, strict=True)]
    assert sum(kept) >= 0.9 * len(kept)


def test_the_evidence_is_a_sentence_of_the_text(matcher: Matcher) -> None:
    found = matcher.suggest(WORDS, threshold=0.0)
    for text, suggestions in zip(WORDS, found, strict=True):
        pieces = {span.of(text).strip() for span in sentences(text)}
        assert {text[s.start : s.end] for s in suggestions} <= pieces


@given(text=st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("a .\n"), max_size=20))
@settings(max_examples=15)
def test_the_evidence_of_any_text_lies_inside_it(one_code: Matcher, text: str) -> None:
    (found,) = one_code.suggest([text], threshold=0.0)
    assert [s.code for s in found] == ["A"]
    assert all(0 <= s.start <= s.end <= len(text) for s in found)
    assert not text.strip() or all(text[s.start : s.end].strip() for s in found)


def test_the_evidence_is_the_sentence_that_speaks_of_the_code(matcher: Matcher) -> None:
    code = matcher.codes[0]
    text = f"We had pasta for tea.  {code.examples[0]}\nThe form has two pages."
    (found,) = matcher.suggest([text])
    best = next(s for s in found if s.code == code.id)
    assert text[best.start : best.end] == code.examples[0]
    assert best.nearest == code.examples[0]


def test_the_nearest_words_are_the_code_s_own_and_no_near_miss(matcher: Matcher) -> None:
    codes = {code.id: code for code in matcher.codes}
    for suggestion in matcher.suggest([" ".join(WORDS)], threshold=0.0)[0]:
        code = codes[suggestion.code]
        own = {code.label, code.young_label, *code.include, *code.examples}
        assert suggestion.nearest in own or suggestion.nearest.startswith(f"{code.label}.")


def test_suggestions_come_best_first(matcher: Matcher) -> None:
    for found in matcher.suggest(WORDS, threshold=0.0):
        assert [s.probability for s in found] == sorted((s.probability for s in found), reverse=True)
        assert len({s.code for s in found}) == len(matcher.codes)


@pytest.mark.parametrize("threshold", [0.0, 0.1, SHOWN_FROM, 0.5, 1.0])
def test_no_suggestion_lies_below_the_threshold_and_none_above_it_is_left_out(
    matcher: Matcher, threshold: float
) -> None:
    found = matcher.suggest(WORDS, threshold=threshold)
    counts = (matcher.probabilities(WORDS) >= threshold).sum(axis=1)
    assert [len(suggestions) for suggestions in found] == counts.tolist()
    assert all(s.probability >= threshold - 5e-5 for suggestions in found for s in suggestions)


def test_what_is_suggested_is_what_the_probabilities_say(matcher: Matcher) -> None:
    ids = [code.id for code in matcher.codes]
    table = matcher.probabilities(WORDS)
    for row, found in zip(table, matcher.suggest(WORDS), strict=True):
        assert all(s.probability == pytest.approx(row[ids.index(s.code)], abs=1e-4) for s in found)
    assert table.shape == (len(WORDS), len(ids))
    assert ((table > 0) & (table < 1)).all()


def test_the_result_is_the_same_whatever_the_batch(minilm: SentenceEncoder) -> None:
    matcher = Matcher(
        book(Code("A", "Feeling safe"), Code("B", "Having to repeat my story"), Code("C", "Staff")), minilm
    )
    together = matcher.probabilities(WORDS)
    alone = np.concatenate([matcher.probabilities([text]) for text in WORDS])
    assert together == pytest.approx(alone, abs=1e-3)
    said = [[(s.code, s.start, s.end, s.nearest) for s in found] for found in matcher.suggest(WORDS)]
    assert said == [[(s.code, s.start, s.end, s.nearest) for s in matcher.suggest([t])[0]] for t in WORDS]


@pytest.mark.parametrize("text", ["", "   \n", "😀😀", "👨‍👩‍👧‍👦", "\0", "12", "ok", "It was a Tuesday."])
def test_a_text_that_says_nothing_has_no_suggestion(matcher: Matcher, one_code: Matcher, text: str) -> None:
    assert matcher.suggest([text]) == one_code.suggest([text]) == [[]]


def test_no_texts_have_no_suggestions(matcher: Matcher) -> None:
    assert matcher.suggest([]) == []


def test_a_codebook_of_one_code_tells_it_from_small_talk(one_code: Matcher) -> None:
    safe, pasta = one_code.suggest(["I don't feel safe where I live", "We had pasta for tea."])
    assert [s.code for s in safe] == ["A"]
    assert pasta == []


def test_a_code_without_definition_is_read_by_its_label(encoder: Remembering) -> None:
    matcher = Matcher(book(Code("A", "Feeling safe"), Code("B", "Learning to cook")), encoder)
    safe, cook = matcher.suggest(["I feel safe", "she is learning to cook"])
    assert (safe[0].code, safe[0].nearest) == ("A", "Feeling safe")
    assert cook[0].code == "B"


def test_labels_of_nothing_but_small_words_can_still_be_matched(encoder: Remembering) -> None:
    table = Matcher(book(Code("A", "the"), Code("B", "and")), encoder).probabilities(["a b"])
    assert np.isfinite(table).all()


def test_a_retired_code_is_never_suggested(encoder: Remembering) -> None:
    gone = Code("B", "Learning to cook", status=CodeStatus.RETIRED)
    matcher = Matcher(book(Code("A", "Feeling safe"), gone), encoder)
    (found,) = matcher.suggest(["she is learning to cook"], threshold=0.0)
    assert [s.code for s in found] == ["A"]


def test_a_near_miss_makes_its_code_less_likely(encoder: Remembering) -> None:
    examples = ("the worker was kind", "she was kind to me", "kind people")
    plain = Code("A", "Kindness of workers", examples=examples)
    warned = replace(plain, near_misses=(NearMiss("my dog is kind to me", "B"),))
    other = Code("B", "Pets", examples=("our cat", "the dog", "my hamster"))
    text = ["my dog is kind to me"]
    before, after = (Matcher(book(code, other), encoder).probabilities(text)[0, 0] for code in (plain, warned))
    assert after < before


def test_each_sentence_is_read_as_it_is_told_to_be(encoder: Remembering) -> None:
    codebook = book(Code("A", "Feeling safe where I live"), Code("B", "Workers who ring back"))
    as_written, neutral = Matcher(codebook, encoder), Matcher(codebook, encoder, read_as=neutralise)
    clean = "[Person 1] never rings me back. I live at [Place 1] and don't feel safe."
    plain = "someone never rings me back. I live at a place and don't feel safe."
    assert neutral.probabilities([clean]) == pytest.approx(as_written.probabilities([plain]), abs=1e-4)
    assert neutral.probabilities([clean]) != pytest.approx(as_written.probabilities([clean]), abs=1e-3)
    said = {clean[s.start : s.end] for s in neutral.suggest([clean])[0]}
    assert said <= {span.of(clean).strip() for span in sentences(clean)}


@pytest.mark.parametrize(
    ("probability", "word"),
    [
        (1.0, Band.LIKELY),
        (LIKELY_FROM, Band.LIKELY),
        (LIKELY_FROM - 0.001, Band.POSSIBLE),
        (POSSIBLE_FROM, Band.POSSIBLE),
        (POSSIBLE_FROM - 0.001, Band.UNSURE),
        (0.0, Band.UNSURE),
    ],
)
def test_a_probability_has_a_word(probability: float, word: Band) -> None:
    assert band(probability) is word
