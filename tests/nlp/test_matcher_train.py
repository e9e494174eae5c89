"""Teaching the matcher: what a step may see, that it is repeatable, and what ships."""

from __future__ import annotations

import random

import numpy as np
import pytest

from nlp.encode import bundled_folder
from nlp.encode_int8 import MATCHER, MATCHER_NAME, heard_matcher
from nlp.errors import ModelError
from nlp.models.matcher.fields import Field, Given, WrittenText
from nlp.models.matcher.train import Drawer, Stage, of_hands, teach
from nlp.types import Code, Codebook

LARGEST = 30_000_000


def small_field() -> Field:
    codes = (
        Code(
            "safe", "Feeling safe", "Whether home feels safe.", include=("locks",), examples=("i push the chest over",)
        ),
        Code("food", "Food", "Meals.", examples=("cold pasta again",)),
        Code("bus", "Buses"),
    )
    texts = tuple(
        WrittenText(f"t{i}", f"{words} {i}", "child", "plain", "W1", (Given(code, words, implied=True),), ())
        for i, (code, words) in enumerate(
            [("safe", "chair by the door"), ("food", "toast for tea"), ("bus", "it never came")] * 4
        )
    )
    return Field("small", Codebook("small", "Small", "1", "", codes), {"safe": ("being ok at home",)}, texts)


def test_a_step_never_shows_a_code_by_words_of_the_texts_it_asks_about() -> None:
    field = small_field()
    drawer = Drawer(field, random.Random(1))
    everyone = frozenset(t.id for t in field.texts)
    said = {g.evidence for t in field.texts for g in t.given}

    lines = {line for _ in range(200) for line in drawer.lines(field.codebook.codes, everyone)}

    assert not lines & said
    assert {"being ok at home", "cold pasta again", "locks"} <= lines


def test_a_clause_keeps_the_codes_that_it_shows_and_steps_hold_every_text_once() -> None:
    field = small_field()
    drawer = Drawer(field, random.Random(2))
    for text in field.texts:
        words, codes = drawer.wording(text)
        assert words
        assert codes == text.codes
    assert sorted(t.id for step in drawer.steps() for t in step) == sorted(t.id for t in field.texts)


def test_texts_of_some_hands_are_taken_alone() -> None:
    field = small_field()
    assert of_hands([field], frozenset({"W2"})) == []
    assert of_hands([field], frozenset()) == [field]


def test_teaching_is_repeatable_and_brings_a_code_nearer_to_what_is_said_of_it() -> None:
    stage = Stage(passes=2, rate=1e-4)
    once, again = (teach(bundled_folder(), [small_field()], stage, say=lambda _: None) for _ in range(2))

    vectors = [
        model.encode(["chair by the door", "Feeling safe"], normalize_embeddings=True) for model in (once, again)
    ]

    assert np.array_equal(vectors[0], vectors[1])


def test_the_matcher_that_ships_is_small_and_knows_itself() -> None:
    encoder = heard_matcher()
    vectors = encoder.encode(["i put a chair against the door", "", "🙂", "word " * 2000])

    assert (MATCHER / "weights.onnx").stat().st_size < LARGEST
    assert encoder.fingerprint.startswith(MATCHER_NAME)
    assert vectors.shape == (4, encoder.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


def test_missing_weights_are_said_plainly() -> None:
    with pytest.raises(ModelError, match="heard train matcher"):
        heard_matcher(MATCHER / "nowhere")
