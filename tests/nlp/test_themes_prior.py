"""The prior: more likeness never means less probability; and it is fitted on one half only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nlp.encode import SentenceEncoder, Vectors
from nlp.themes.corpus import CodedSet, CodedText
from nlp.themes.fit_prior import fit_prior, pool_half
from nlp.themes.prior import Prior, load_prior, save_prior
from nlp.types import Code, Codebook

VIEWS = st.lists(st.floats(-5, 5), min_size=10, max_size=10).map(lambda v: np.array(v).reshape(1, 1, 10))
STEPS = st.lists(st.floats(0, 5), min_size=10, max_size=10).map(lambda v: np.array(v).reshape(1, 1, 10))


def test_the_shipped_prior_counts_no_view_against_a_code() -> None:
    prior = load_prior()
    assert len(prior.weights) == 10
    assert min(prior.weights) >= 0
    assert "pool half" in prior.fitted_on


@given(VIEWS, STEPS)
def test_more_likeness_never_means_less_probability(views: NDArray[np.float64], more: NDArray[np.float64]) -> None:
    prior = load_prior()
    assert prior.probabilities(views + more) >= prior.probabilities(views)


@given(VIEWS)
def test_a_probability_lies_between_none_and_all(views: NDArray[np.float64]) -> None:
    assert 0 <= load_prior().probabilities(views)[0, 0] <= 1


def test_a_prior_is_a_logistic_curve() -> None:
    prior = Prior((1.0, 2.0), -1.0, "")
    assert prior.probabilities(np.array([[[1.0, 0.0]], [[1.0, 1.0]]]))[:, 0] == pytest.approx([0.5, 0.880797])


def test_a_prior_is_read_as_it_was_written(tmp_path: Path) -> None:
    prior = Prior((0.5, 0.25), -0.125, "a set (pool half)")
    save_prior(prior, tmp_path / "prior.json")
    assert load_prior(tmp_path / "prior.json") == prior


@given(st.integers(0, 500))
def test_the_pool_half_is_half_and_in_order(count: int) -> None:
    half = pool_half(count).tolist()
    assert len(half) == (count + 1) // 2
    assert half == sorted(set(half))
    assert set(half) <= set(range(count))


def test_the_pool_half_is_the_same_each_time() -> None:
    assert pool_half(12).tolist() == pool_half(12).tolist() == [2, 3, 4, 5, 6, 9]
    assert pool_half(12).tolist() != pool_half(12, seed=1).tolist()


class Listener:
    """An encoder that remembers what it was given."""

    fingerprint = "listener"

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = encoder
        self.heard: set[str] = set()

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.heard |= set(texts)
        return self._encoder.encode(texts)


@pytest.fixture(scope="module")
def coded() -> CodedSet:
    book = Codebook("b", "B", "0.1.0", "test", (Code("A", "Feeling safe"), Code("B", "Learning to cook")))
    texts = [(f"I feel safe in place {i}", "A") if i % 2 else (f"I cook dish {i}", "B") for i in range(20)]
    return CodedSet("small", book, tuple(CodedText(str(i), t, frozenset({c})) for i, (t, c) in enumerate(texts)))


def test_fitting_never_reads_the_held_out_half(coded: CodedSet, minilm: SentenceEncoder) -> None:
    listener = Listener(minilm)
    fit_prior([coded], listener)
    pool = set(pool_half(len(coded.texts)).tolist())
    assert {i for i, t in enumerate(coded.texts) if t.text in listener.heard} == pool


def test_a_fitted_prior_counts_no_view_against_a_code_and_says_its_source(
    coded: CodedSet, minilm: SentenceEncoder
) -> None:
    prior = fit_prior([coded, coded], minilm)
    assert len(prior.weights) == 10
    assert min(prior.weights) >= 0
    assert max(prior.weights) > 0
    assert prior.fitted_on == "small (pool half), small (pool half)"
