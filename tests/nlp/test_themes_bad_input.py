"""Codebooks and texts of odd sizes have defined results and never an exception."""

from __future__ import annotations

import time

import numpy as np
import pytest

from nlp.encode import Encoder
from nlp.themes.match import Matcher
from nlp.types import Code, Codebook

ODD_TEXTS = ("no", "🙂🙂🙂", "…", "   ", "a" * 3000, "i dont feel safe. " * 2800, "\n\n\n", "١٢٣", "x\u0301" * 50)


def book(*codes: Code) -> Codebook:
    return Codebook("odd", "Odd", "1", "", codes)


BOOKS = {
    "one code": book(Code("a", "Feeling safe")),
    "one code, no letters": book(Code("a", "???")),
    "labels alone": book(*(Code(c, w) for c, w in (("a", "Feeling safe"), ("b", "Waiting"), ("c", "Money")))),
    "the same label twice": book(Code("a", "Feeling safe"), Code("b", "Feeling safe")),
    "300 codes": book(*(Code(f"c{i}", f"Theme {i}", f"What people say about thing number {i}.") for i in range(300))),
}


@pytest.mark.parametrize("name", BOOKS)
def test_odd_texts_under_odd_codebooks_have_suggestions_inside_them_or_none(name: str, minilm: Encoder) -> None:
    matcher = Matcher(BOOKS[name], minilm)

    found = matcher.suggest(ODD_TEXTS, threshold=0.0)

    assert len(found) == len(ODD_TEXTS)
    for text, suggestions in zip(ODD_TEXTS, found, strict=True):
        assert len(suggestions) == len(matcher.codes)
        assert all(0 <= s.start <= s.end <= len(text) for s in suggestions)
        assert all(0 <= s.probability <= 1 for s in suggestions)


def test_a_text_of_fifty_thousand_characters_is_read_in_reasonable_time(minilm: Encoder) -> None:
    matcher = Matcher(BOOKS["labels alone"], minilm)
    text = "They moved me again and nobody asked. I put a chair against the door. " * 720
    began = time.monotonic()

    (found,) = matcher.suggest([text])

    assert len(text) > 50_000
    assert np.all([s.end <= len(text) for s in found])
    assert time.monotonic() - began < 60
