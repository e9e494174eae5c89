"""Who is heard: groups are told apart, and a gap that chance would not give is called out."""

from __future__ import annotations

import numpy as np
import pytest

from nlp.encode import bundled_folder, known_words
from nlp.themes.corpus import CodedSet, CodedText
from nlp.themes.groups import by_group, length_of, spelling_of
from nlp.types import Code, Codebook

BOOK = Codebook("b", "b", "1", "", tuple(Code(c, c) for c in "abcdef"))


def coded(voices: list[str]) -> CodedSet:
    return CodedSet("s", BOOK, tuple(CodedText(str(i), "it was fine", frozenset("a"), v) for i, v in enumerate(voices)))


def scores(right: list[bool]) -> np.ndarray:
    return np.array([[0.9 if r else 0.1, 0.5, 0.5, 0.5, 0.5, 0.5] for r in right])


def test_a_group_that_is_heard_worse_is_called_out() -> None:
    voices = ["child"] * 40 + ["practitioner"] * 40
    rows = {r.group: r for r in by_group(coded(voices), scores([i % 4 == 0 for i in range(40)] + [True] * 40))}

    assert rows["voice: child"].worse
    assert rows["voice: child"].recall_at_3 == pytest.approx(0.25)
    assert rows["voice: child"].others == 1
    assert not rows["voice: practitioner"].worse


def test_few_texts_never_raise_the_warning_and_one_group_has_no_others() -> None:
    few = {r.group: r for r in by_group(coded(["child"] * 5 + ["x"] * 40), scores([False] * 5 + [True] * 40))}
    assert not few["voice: child"].worse
    alone = {r.group: r for r in by_group(coded(["child"] * 30), scores([True] * 30))}
    assert np.isnan(alone["voice: child"].others)


@pytest.mark.parametrize(
    ("text", "length"),
    [("no", "under 12 words"), ("a " * 12, "12 to 39 words"), ("a " * 40, "40 words and more")],
)
def test_lengths(text: str, length: str) -> None:
    assert length_of(text) == length


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("my sister says it is fine at school", "as in the dictionary"),
        ("my sista sez its fyn at skool", "many words unlike the dictionary's"),
        ("🙂 ok", ""),
    ],
)
def test_spelling(text: str, wanted: str) -> None:
    assert spelling_of(text, known_words(bundled_folder())) == wanted
