"""The token model: what it reads, what it masks and what it only doubts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from nlp.deid.lexicon import flags_of, listed, without
from nlp.deid.tagger import ModelDetector, Tagger, Weights, letter_groups, passages, shape_of
from nlp.errors import ModelError
from nlp.types import Label


@pytest.fixture(scope="module")
def model() -> ModelDetector:
    return ModelDetector()


def test_missing_or_damaged_weights_are_said_to_be_so(tmp_path: Path) -> None:
    damaged = tmp_path / "weights.npz"
    damaged.write_bytes(b"PK no")

    for path in (damaged, tmp_path / "none.npz"):
        with pytest.raises(ModelError, match="missing or damaged"):
            ModelDetector(path).detect(["Kasia"])


def test_the_fingerprint_changes_with_the_weights(model: ModelDetector) -> None:
    assert model.fingerprint.startswith("model.v1-")
    assert len(model.fingerprint) == len("model.v1-") + 12


def test_the_weights_are_small_enough_to_ship() -> None:
    assert (Path(__file__).parents[2] / "nlp" / "models" / "deid" / "weights.npz").stat().st_size < 30_000_000


def test_a_text_is_read_the_same_alone_and_among_others(model: ModelDetector) -> None:
    texts = ["Mrs Okonkwo rang kasia", "", "at Holmbrook Primary on 3 May", "she is 7"]

    together = model.detect(texts)

    assert together == [model.detect([text])[0] for text in texts]


def test_probabilities_are_shares_of_one(model: ModelDetector) -> None:
    p = model._tagger.probabilities(["Mrs", "Okonkwo", "rang"], [3])

    assert p.shape[0] == 3
    assert p.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_a_word_met_again_after_the_table_was_emptied_means_the_same(
    model: ModelDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    tagger = Tagger(Weights.load(Path(__file__).parents[2] / "nlp" / "models" / "deid" / "weights.npz"))
    first = tagger.probabilities(["Mrs", "Okonkwo", "rang"], [2, 1])
    monkeypatch.setattr("nlp.deid.tagger.WORDS_KEPT", 1)
    tagger.probabilities(["something", "else", "entirely"], [3])

    again = tagger.probabilities(["Mrs", "Okonkwo", "rang"], [2, 1])

    assert again == pytest.approx(first, abs=1e-6)


def test_doubts_are_given_apart_and_never_overlap_what_is_masked(model: ModelDetector) -> None:
    for found in model.detect(["will says he saw robin n dawn by the brook wiv shaz", "B's 13 & out till 11 w/ lads"]):
        places = [i for d in found for i in range(d.start, d.end)]
        assert len(places) == len(set(places))
        assert all(d.score >= 0.05 for d in found)


@pytest.mark.parametrize(("label", "text"), [(Label.PERSON, "spoke to Mrs Okonkwo today"), (Label.ORG, "he goes to Holmbrook Primary School")])  # fmt: skip
def test_what_it_finds_has_a_label_and_a_reason(model: ModelDetector, label: Label, text: str) -> None:
    found = [d for d in model.detect([text])[0] if d.masked]

    assert label in {d.label for d in found}
    assert all(d.why and d.detector == "model.v1" for d in found)


def test_long_texts_are_cut_at_line_ends_or_stops_into_passages_that_tile_them() -> None:
    tokens = [("word", 0, 0)] * 100 + [(".", 0, 0)] + [("word", 0, 0)] * 400

    cuts = list(passages(tokens, 150))

    assert cuts[0] == (0, 101)
    assert [a for a, _ in cuts[1:]] == [b for _, b in cuts[:-1]]
    assert cuts[-1][1] == 501


def test_letter_groups_are_the_same_on_every_machine() -> None:
    assert letter_groups("kasia")[:3] == [2476, 63788, 45148]


@pytest.mark.parametrize(("token", "shape"), [("\n", 0), ("7", 1), ("2024", 4), ("123456", 4), (".", 5), ("K", 6), ("k", 7),
                                              ("JL", 8), ("KASIA", 9), ("Kasia", 10), ("kasia", 11)])  # fmt: skip
def test_shapes(token: str, shape: int) -> None:
    assert shape_of(token) == shape


def test_a_measurement_can_be_made_as_though_a_name_were_on_no_list() -> None:
    assert "kasia" in listed("forenames")
    with without(frozenset({"kasia"})):
        assert "kasia" not in listed("forenames")
        assert 0 not in flags_of("kasia")
    assert "kasia" in listed("forenames")


def test_threads_that_ask_at_once_get_what_each_would_get_alone() -> None:
    weights = Weights.load(Path(__file__).parents[2] / "nlp" / "models" / "deid" / "weights.npz")
    asked = [[f"word{i}x{j}" for j in range(40)] for i in range(60)]
    alone = [Tagger(weights).probabilities(words, [40]) for words in asked]
    shared = Tagger(weights)

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda words: shared.probabilities(words, [40]), asked))

    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(alone, together, strict=True))
