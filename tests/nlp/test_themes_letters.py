"""Runs of letters: to the bit what scikit-learn gives, whatever is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from nlp.themes import letters
from nlp.themes.letters import LetterRuns

KNOWN = ("My worker listened, and it was good.", "Nobody rang back for six weeks", "ΑΣ σας café i̇x", "no")


@given(st.lists(st.text(max_size=60) | st.sampled_from([*KNOWN, "", " ", "a  b", "\u00a0ΑΣ Σ İx", "rang\trang\nrang"])))
@pytest.mark.parametrize(("shortest", "longest"), [(3, 5), (2, 5)])
def test_it_gives_the_bits_that_scikit_learn_gives(shortest: int, longest: int, texts: list[str]) -> None:
    theirs = TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(shortest, longest))
    ours = LetterRuns(shortest, longest)
    assert (theirs.fit_transform(KNOWN) != ours.fit_transform(KNOWN)).nnz == 0
    if not texts:
        return

    for _ in range(2):  # the second time the words are remembered
        wanted, found = theirs.transform(texts), ours.transform(texts)
        assert (wanted.data.tobytes(), wanted.indices.tolist(), wanted.indptr.tolist()) == (
            found.data.tobytes(), found.indices.tolist(), found.indptr.tolist(),
        )  # fmt: skip


def test_no_more_words_are_remembered_than_memory_should_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "WORDS_KEPT", 3)
    runs = LetterRuns(2, 5)
    runs.fit_transform(KNOWN)

    runs.transform(["one two three four five"])

    assert len(runs._met) <= 3
