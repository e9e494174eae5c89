"""Coded sets, and scores small enough to work out by hand."""

from __future__ import annotations

import json
import re
from math import isnan
from pathlib import Path

import numpy as np
import pytest

from nlp.codebook import read_codebook
from nlp.errors import CodebookError, CorpusError
from nlp.themes.corpus import CodedSet, CodedText, read_coded_set
from nlp.themes.evaluate import MIN_POSITIVES, by_voice, recall_at, score
from nlp.types import Code, Codebook, CodeStatus

BOOK = Codebook(
    "b", "B", "0.1.0", "test", (Code("A", "Alpha"), Code("B", "Beta"), Code("C", "Gone", status=CodeStatus.RETIRED))
)

# Three texts, four codes: the code of text 1 is best; of the two of text 2, one is among the best three; text 3 has none.
TRUTH = np.array([[1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0]], dtype=bool)
SAID = np.array([[0.9, 0.1, 0.2, 0.3], [0.8, 0.7, 0.6, 0.5], [0.9, 0.9, 0.9, 0.9]])


def test_recall_at_three_is_the_share_of_a_text_s_codes_among_its_best_three() -> None:
    found = score(TRUTH, SAID)
    assert found.n == 2
    assert found.recall_at_3 == pytest.approx((1 + 1 / 2) / 2)
    assert found.first_right == pytest.approx(1 / 2)


@pytest.mark.parametrize(("k", "share"), [(1, 1 / 2), (2, 3 / 4), (3, 3 / 4), (4, 1.0)])
def test_recall_grows_with_the_number_looked_at(k: int, share: float) -> None:
    assert recall_at(TRUTH, np.argsort(-SAID, axis=1, kind="stable"), k) == pytest.approx(share)


def test_macro_precision_is_that_of_codes_with_at_least_five_texts() -> None:
    common = np.array([1, 0, 1, 1, 1, 1, 0], dtype=bool)
    rare = np.array([0, 1, 0, 0, 0, 0, 0], dtype=bool)
    assert common.sum() == MIN_POSITIVES
    said = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3])
    found = score(np.column_stack([common, rare]), np.column_stack([said, said]))
    assert found.macro_ap == pytest.approx((1 + 2 / 3 + 3 / 4 + 4 / 5 + 5 / 6) / 5)


def test_micro_precision_pools_all_pairs() -> None:
    truth = np.array([[1, 0], [0, 1]], dtype=bool)
    found = score(truth, np.array([[0.9, 0.8], [0.7, 0.6]]))
    assert found.micro_ap == pytest.approx((1 + 2 / 4) / 2)


def test_without_a_coded_text_there_is_no_score() -> None:
    found = score(np.zeros((2, 4), bool), SAID[:2])
    assert found.n == 0
    assert all(map(isnan, (found.recall_at_3, found.first_right, found.macro_ap, found.micro_ap)))


def test_probabilities_that_keep_their_word_have_no_calibration_error() -> None:
    truth = np.array([[True], [False]] * 10)
    assert score(truth, np.full((20, 1), 0.5)).top3_error == pytest.approx(0.0)
    assert score(truth, np.full((20, 1), 0.8)).top3_error == pytest.approx(0.3)
    assert score(truth, truth.astype(float)).top3_error == pytest.approx(0.0)


def test_scores_are_given_for_all_and_for_each_known_voice() -> None:
    texts = [("1", {"A"}, "child"), ("2", {"B"}, "child"), ("3", {"B"}, "practitioner"), ("4", set(), "")]
    coded = CodedSet("set", BOOK, tuple(CodedText(i, "x", frozenset(c), v) for i, c, v in texts))
    found = by_voice(coded, np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.5, 0.5]]))
    assert {voice: (s.n, s.first_right) for voice, s in found.items()} == {
        "all": (3, pytest.approx(2 / 3)),
        "child": (2, 0.5),
        "practitioner": (1, 1.0),
    }


def test_the_truth_has_a_column_for_each_code_still_in_use() -> None:
    coded = CodedSet("set", BOOK, (CodedText("1", "x", frozenset({"B", "C", "Z"})), CodedText("2", "y", frozenset())))
    assert coded.truth().tolist() == [[False, True], [False, False]]
    assert CodedSet("set", BOOK, ()).truth().shape == (0, 2)


# Coded sets


def in_folder(folder: Path, *rows: str) -> Path:
    (folder / "codebook.json").write_text(json.dumps([{"code": "A", "name": "Alpha"}]))
    (folder / "texts.jsonl").write_text("\n".join(rows), "utf-8")
    return folder


GOOD = json.dumps({"id": 1, "text": "hello", "codes": ["A"]})


def test_a_coded_set_is_a_codebook_and_texts(tmp_path: Path) -> None:
    spoken = json.dumps(
        {"id": "2", "text": "one\u2028two", "codes": [{"code": "A", "stance": "worry"}], "voice": "child"},
        ensure_ascii=False,
    )
    found = read_coded_set(in_folder(tmp_path, "\ufeff" + GOOD, "", spoken, ""))
    assert found.name == tmp_path.name
    assert [c.id for c in found.codebook.codes] == ["A"]
    assert found.texts == (
        CodedText("1", "hello", frozenset({"A"})),
        CodedText("2", "one\u2028two", frozenset({"A"}), "child"),
    )


@pytest.mark.parametrize(
    "row",
    [
        "{",
        "[]",
        "7",
        '"words"',
        "null",
        '{"text": "x", "codes": []}',
        '{"id": 1, "codes": []}',
        '{"id": 1, "text": "x"}',
        '{"id": 1, "text": "x", "codes": null}',
        '{"id": 1, "text": "x", "codes": "A"}',
        '{"id": 1, "text": "x", "codes": {"A": 1}}',
        '{"id": 1, "text": "x", "codes": [{"stance": "worry"}]}',
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_number_and_never_quoted(tmp_path: Path, row: str) -> None:
    with pytest.raises(CorpusError) as refused:
        read_coded_set(in_folder(tmp_path, GOOD, "", row))
    assert str(refused.value) == "texts.jsonl, row 3: needs id, text and codes"


def test_a_set_without_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"texts\.jsonl: the file is empty"):
        read_coded_set(in_folder(tmp_path, "", " "))


def test_a_set_without_its_file_or_in_another_encoding_is_refused(tmp_path: Path) -> None:
    folder = in_folder(tmp_path)
    (folder / "texts.jsonl").write_bytes(b'{"text": "caf\xe9"}')
    with pytest.raises(CorpusError, match=re.escape("there is no texts.jsonl in UTF-8")):
        read_coded_set(folder)
    (folder / "texts.jsonl").unlink()
    with pytest.raises(CorpusError, match=re.escape("there is no texts.jsonl in UTF-8")):
        read_coded_set(folder)


def test_a_set_without_a_codebook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match=r"codebook\.json: there is no such file"):
        read_coded_set(tmp_path)


def test_another_codebook_may_be_given(tmp_path: Path) -> None:
    assert read_coded_set(in_folder(tmp_path, GOOD), BOOK).codebook is BOOK


@pytest.mark.parametrize("site", ["hampshire-early-help", "north-yorkshire-care-leavers", "oldham-early-language"])
def test_the_gold_codes_of_a_site_are_codes_of_its_codebook(root: Path, site: str) -> None:
    codebook = read_codebook(root / "codebooks" / site)
    found = read_coded_set(root / "corpora_sample" / site / "gold", codebook)
    used = {code for text in found.texts for code in text.codes} - {"X0"}
    assert used
    assert used <= {code.id for code in codebook.codes}
