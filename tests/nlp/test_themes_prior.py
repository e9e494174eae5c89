"""The prior: more likeness never means less probability."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nlp.encode import Encoder
from nlp.themes.corpus import CodedSet, CodedText
from nlp.themes.fit_prior import fit, pairs_of
from nlp.themes.prior import Prior, load_prior, save_prior
from nlp.themes.views import VIEWS as VIEW_NAMES
from nlp.types import Code, Codebook

VIEWS = st.lists(st.floats(-5, 5), min_size=13, max_size=13).map(lambda v: np.array(v).reshape(1, 1, 13))
STEPS = st.lists(st.floats(0, 5), min_size=13, max_size=13).map(lambda v: np.array(v).reshape(1, 1, 13))


def test_the_shipped_prior_counts_no_view_against_a_code() -> None:
    prior = load_prior()
    assert len(prior.weights) == len(VIEW_NAMES)
    assert min(prior.weights) >= 0
    assert "nhs-fft-neas" not in prior.fitted_on  # what the bench measures on was never read
    assert "sight" not in prior.fitted_on


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


@pytest.fixture(scope="module")
def coded() -> CodedSet:
    book = Codebook("b", "B", "0.1.0", "test", (Code("A", "Feeling safe"), Code("B", "Learning to cook")))
    texts = [(f"I feel safe in place {i}", "A") if i % 2 else (f"I cook dish {i}", "B") for i in range(20)]
    return CodedSet("small", book, tuple(CodedText(str(i), t, frozenset({c})) for i, (t, c) in enumerate(texts)))


def test_a_codebook_with_quotes_is_read_whole_without_them_and_by_its_definitions_alone(
    coded: CodedSet, minilm: Encoder
) -> None:
    assert len(pairs_of(coded, minilm)) == 1
    quoted = replace(coded.codebook.codes[0], examples=("nobody gets in here",))
    book = replace(coded.codebook, codes=(quoted, coded.codebook.codes[1]))
    assert len(pairs_of(replace(coded, codebook=book), minilm)) == 3


def test_a_fitted_prior_counts_no_view_against_a_code_and_tells_them_apart(coded: CodedSet, minilm: Encoder) -> None:
    pairs = pairs_of(coded, minilm)
    weights, intercept = fit([pairs, pairs])
    assert weights.shape == (len(VIEW_NAMES),)
    assert weights.min() >= 0
    views, truth = pairs[0]
    said = views @ weights + intercept
    assert said[truth].min() > said[~truth].max()
