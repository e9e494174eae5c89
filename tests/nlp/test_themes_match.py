"""Matching on the codebook alone: what is suggested, how surely, and which words earned it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.codebook import read_codebook
from nlp.deid.surrogates import neutralise
from nlp.encode import SentenceEncoder
from nlp.text import sentences
from nlp.themes.match import LIKELY_FROM, POSSIBLE_FROM, SHOWN_FROM, Matcher, band
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


@pytest.fixture(scope="module")
def matchers(root: Path, minilm: SentenceEncoder) -> dict[str, Matcher]:
    return {name: Matcher(read_codebook(root / "codebooks" / name), minilm) for name in SITES}


@pytest.fixture(scope="module")
def matcher(matchers: dict[str, Matcher]) -> Matcher:
    return matchers["north-yorkshire-care-leavers"]


@pytest.fixture(scope="module")
def one_code(minilm: SentenceEncoder) -> Matcher:
    return Matcher(book(Code("A", "Feeling safe at home", "Whether people feel safe where they live.")), minilm)


@pytest.mark.parametrize("site", SITES)
def test_an_example_of_a_code_is_suggested_as_that_code(matchers: dict[str, Matcher], site: str) -> None:
    matcher = matchers[site]
    kept = 0
    for code in matcher.codes:
        found = matcher.suggest(code.examples)
        kept += all(code.id in [s.code for s in suggestions] for suggestions in found)
    assert kept >= 0.9 * len(matcher.codes)


def test_the_evidence_is_a_sentence_of_the_text(matcher: Matcher) -> None:
    found = matcher.suggest(WORDS, threshold=0.0)
    for text, suggestions in zip(WORDS, found, strict=True):
        pieces = {span.of(text).strip() for span in sentences(text)}
        assert {text[s.start : s.end] for s in suggestions} <= pieces


@given(text=st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("a .\n"), max_size=40))
@settings(max_examples=25)
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


def test_the_result_is_the_same_whatever_the_batch(matcher: Matcher) -> None:
    together = matcher.probabilities(WORDS)
    alone = np.concatenate([matcher.probabilities([text]) for text in WORDS])
    assert together == pytest.approx(alone, abs=1e-3)
    said = [[(s.code, s.start, s.end, s.nearest) for s in found] for found in matcher.suggest(WORDS)]
    assert said == [[(s.code, s.start, s.end, s.nearest) for s in matcher.suggest([t])[0]] for t in WORDS]


@pytest.mark.parametrize("text", ["", "   \n", "😀😀", "👨‍👩‍👧‍👦", "\0", "12", "ok", "It was a Tuesday."])
def test_a_text_that_says_nothing_has_no_suggestion(matchers: dict[str, Matcher], text: str) -> None:
    assert {site: matcher.suggest([text]) for site, matcher in matchers.items()} == dict.fromkeys(SITES, [[]])


def test_no_texts_have_no_suggestions(matcher: Matcher) -> None:
    assert matcher.suggest([]) == []


def test_a_codebook_of_one_code_tells_it_from_small_talk(one_code: Matcher) -> None:
    safe, pasta = one_code.suggest(["I don't feel safe where I live", "We had pasta for tea."])
    assert [s.code for s in safe] == ["A"]
    assert pasta == []


def test_a_code_without_definition_is_read_by_its_label(minilm: SentenceEncoder) -> None:
    matcher = Matcher(book(Code("A", "Feeling safe"), Code("B", "Learning to cook")), minilm)
    safe, cook = matcher.suggest(["I feel safe", "she is learning to cook"])
    assert (safe[0].code, safe[0].nearest) == ("A", "Feeling safe")
    assert (cook[0].code, cook[0].nearest) == ("B", "Learning to cook")


def test_labels_of_nothing_but_small_words_can_still_be_matched(minilm: SentenceEncoder) -> None:
    table = Matcher(book(Code("A", "the"), Code("B", "and")), minilm).probabilities(["a b"])
    assert np.isfinite(table).all()


def test_a_retired_code_is_never_suggested(minilm: SentenceEncoder) -> None:
    gone = Code("B", "Learning to cook", status=CodeStatus.RETIRED)
    matcher = Matcher(book(Code("A", "Feeling safe"), gone), minilm)
    (found,) = matcher.suggest(["she is learning to cook"], threshold=0.0)
    assert [s.code for s in found] == ["A"]


def test_a_near_miss_makes_its_code_less_likely(minilm: SentenceEncoder) -> None:
    examples = ("the worker was kind", "she was kind to me", "kind people")
    plain = Code("A", "Kindness of workers", examples=examples)
    warned = replace(plain, near_misses=(NearMiss("my dog is kind to me", "B"),))
    other = Code("B", "Pets", examples=("our cat", "the dog", "my hamster"))
    text = ["my dog is kind to me"]
    before, after = (Matcher(book(code, other), minilm).probabilities(text)[0, 0] for code in (plain, warned))
    assert after < before


def test_each_sentence_is_read_as_it_is_told_to_be(root: Path, minilm: SentenceEncoder, matcher: Matcher) -> None:
    codebook = read_codebook(root / "codebooks" / "north-yorkshire-care-leavers")
    clean = "[Person 1] never rings me back. I live at [Place 1] and don't feel safe."
    plain = "someone never rings me back. I live at a place and don't feel safe."
    neutral = Matcher(codebook, minilm, read_as=neutralise)
    assert neutral.probabilities([clean]) == pytest.approx(matcher.probabilities([plain]), abs=1e-4)
    assert neutral.probabilities([clean]) != pytest.approx(matcher.probabilities([clean]), abs=1e-3)
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
