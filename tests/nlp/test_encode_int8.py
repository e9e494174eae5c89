"""The int8 export: made once, on this machine, in agreement with the reference, and left aside where it is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from nlp.encode import SentenceEncoder, bundled_folder, bundled_minilm
from nlp.encode_int8 import TRIAL, Int8Encoder, encoder_in, exported, fastest_encoder
from nlp.errors import ModelError


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    fastest_encoder(bundled_folder(), folder)
    return folder


@pytest.fixture(scope="module")
def int8(exports: Path) -> Int8Encoder:
    return exported(bundled_folder(), next(exports.glob("*.onnx")))


def test_the_export_agrees_with_the_reference(int8: Int8Encoder) -> None:
    cosine = (int8.encode(TRIAL) * bundled_minilm().encode(TRIAL)).sum(axis=1)
    assert cosine.min() > 0.95
    assert cosine.mean() > 0.98


def test_a_text_has_the_same_vector_whatever_is_encoded_beside_it(int8: Int8Encoder) -> None:
    together = int8.encode([*TRIAL, "x", "word " * 400])
    alone = np.concatenate([int8.encode([text]) for text in TRIAL])
    assert np.array_equal(together[: len(TRIAL)], alone)


def test_no_texts_give_no_vectors_and_lengths_are_one(int8: Int8Encoder) -> None:
    assert int8.encode([]).shape == (0, int8.dimension)
    assert np.linalg.norm(int8.encode(["", "🙂🙂", "a" * 50_000]), axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_the_outcome_of_the_trial_decides_and_is_kept(exports: Path) -> None:
    trial = next(exports.glob("*.json"))
    outcome = json.loads(trial.read_text("utf-8"))
    assert outcome["agrees"]
    for agrees, faster, kind in (
        (True, True, Int8Encoder),
        (True, False, SentenceEncoder),
        (False, True, SentenceEncoder),
    ):
        trial.write_text(json.dumps(outcome | {"agrees": agrees, "faster": faster}), "utf-8")
        assert isinstance(fastest_encoder(bundled_folder(), exports), kind)
    trial.write_text(json.dumps(outcome), "utf-8")


def test_where_nothing_can_be_written_the_reference_does_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert isinstance(fastest_encoder(bundled_folder(), tmp_path / "file"), SentenceEncoder)


def test_a_model_of_another_make_is_left_to_sentence_transformers(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(bundled_folder(), folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "mpnet"}), "utf-8")
    assert isinstance(fastest_encoder(folder, tmp_path / "exports"), SentenceEncoder)
    assert not (tmp_path / "exports").exists()


def test_a_missing_model_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model folder “gone”") as refused:
        encoder_in(tmp_path / "gone", tmp_path)
    assert str(tmp_path) not in str(refused.value)
