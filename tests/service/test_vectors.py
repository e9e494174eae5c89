"""The study's vectors: each text encoded once, one model alone, nothing left of words that a fix removed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from nlp.deid.cascade import Deidentifier
from nlp.encode import CachedEncoder, Encoder, Vectors, text_key
from nlp.types import Label
from service import wiring
from service.errors import StudyError
from service.study.vectors import StudyVectors
from service.usecases.check import next_in_sample, record_reading
from service.usecases.deidentify import deidentify_study
from service.usecases.intake import take_in
from service.usecases.suggest import SuggestReport, suggest_study
from tests.conftest import NOW, Made


def quiet(done: int, total: int) -> None:
    """No progress to show."""


class Counting:
    """An encoder that remembers what it was asked; it may pretend to be another model."""

    def __init__(self, encoder: Encoder, *, fingerprint: str = "", dimension: int = 0) -> None:
        self._encoder = encoder
        self.fingerprint = fingerprint or encoder.fingerprint
        self.dimension = dimension or encoder.dimension
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return self._encoder.encode(texts)[:, : self.dimension]


@pytest.fixture
def loaded(made: Made, tmp_path: Path, cascade: Deidentifier) -> Made:
    file = tmp_path / "in.csv"
    file.write_text(
        "id,text,voice\n1,i put a chair against the door,child\n2,i put a chair against the door,child\n", "utf-8"
    )
    take_in(made.study, file, made.key, now=NOW, keep_raw_days=30, actor="t")
    deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=quiet)
    return made


def suggest(made: Made, encoder: Encoder, *, re_encode: bool = False) -> SuggestReport:
    book = wiring.codebook_named(made.study.codebook)
    return suggest_study(made.study, book, encoder, now=NOW, actor="t", progress=quiet, re_encode=re_encode)


def test_a_text_is_encoded_once_however_often_it_stands(loaded: Made, minilm: Encoder) -> None:
    counting = Counting(minilm)
    suggest(loaded, counting)
    assert counting.asked.count("i put a chair against the door") == 1
    assert len(counting.asked) == len(set(counting.asked))
    again = Counting(minilm)
    suggest(loaded, again)
    assert again.asked == []


def test_vectors_are_those_of_the_encoder_to_sixteen_bits(made: Made, minilm: Encoder) -> None:
    store = StudyVectors(made.study.db, model=minilm.fingerprint, dimension=minilm.dimension)
    cached, texts = CachedEncoder(minilm, store), ["a bus", "", "🙂", "a bus"]
    first, second = cached.encode(texts), cached.encode(texts)
    assert np.array_equal(first, second)
    assert first == pytest.approx(minilm.encode(texts), abs=1e-3)
    assert set(store.get([text_key(t) for t in texts])) == {text_key(t) for t in texts}
    assert cached.encode([]).shape == (0, minilm.dimension)


def test_more_texts_than_one_question_holds_come_back_in_order(made: Made) -> None:
    store = StudyVectors(made.study.db, model="m", dimension=2)
    keys = [text_key(str(i)) for i in range(1203)]
    store.put({key: np.array([i, 1], np.float16) for i, key in enumerate(keys)})
    found = store.get([*keys, text_key("never seen")])
    assert [int(found[key][0]) for key in keys] == [int(np.float16(i)) for i in range(1203)]


@pytest.mark.parametrize("other", [{"fingerprint": "other-model"}, {"dimension": 128}])
def test_another_model_is_refused_by_name_and_re_encodes_only_when_asked(
    loaded: Made, minilm: Encoder, other: dict[str, object]
) -> None:
    suggest(loaded, minilm)
    stranger = Counting(minilm, **other)  # type: ignore[arg-type]
    with pytest.raises(StudyError, match="--re-encode") as refused:
        suggest(loaded, stranger)
    assert minilm.fingerprint in str(refused.value)
    assert stranger.fingerprint in str(refused.value)
    assert stranger.asked == []
    suggest(loaded, stranger, re_encode=True)
    assert "i put a chair against the door" in stranger.asked or "fingerprint" not in other


def test_a_fix_forgets_every_vector(loaded: Made, minilm: Encoder) -> None:
    suggest(loaded, minilm)
    reading = next_in_sample(loaded.study)
    assert reading is not None
    record_reading(
        loaded.study, loaded.key, reading, missed=[("chair", Label.DETAIL)], rejected=[], checker="S", now=NOW
    )
    assert loaded.study.db.conn.execute("SELECT count(*) FROM vectors").fetchone()[0] == 0
