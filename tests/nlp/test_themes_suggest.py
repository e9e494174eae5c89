"""Suggestions after decisions: sharper, with confirmed words and exclude rules beside them, and silent when nothing fits."""

from __future__ import annotations

import numpy as np
import pytest

from nlp.encode import Encoder
from nlp.themes.crossfit import GROUPS
from nlp.themes.learn import Lessons
from nlp.themes.match import Matcher
from nlp.themes.suggest import Decided, Suggester
from nlp.types import Code, Codebook, Exclusion, Span

BOOK = Codebook(
    "b", "B", "0.1.0", "test",
    (
        Code("SAFE", "Feeling safe at home", exclude=(Exclusion("Road safety and traffic outside"),)),
        Code("FOOD", "Food and meals"),
        Code("BUS", "Buses and getting about"),
    ),
)  # fmt: skip
DECIDED = (
    ("Hello there. i put a chair against the door", 0), ("i push my wardrobe across at night", 0),
    ("the pasta is cold every night", 1), ("we had toast for tea again", 1), ("the 42 never comes", 2),
)  # fmt: skip
ASKED = "My name is long. i wedge a chair against the door."


@pytest.fixture(scope="module")
def matcher(minilm: Encoder) -> Matcher:
    return Matcher(BOOK, minilm)


def decided(matcher: Matcher, *, times: int = 1, random: bool = True) -> Decided:
    texts = [t for t, _ in DECIDED] * times
    reading = matcher.read(texts)
    labels = np.eye(3)[[c for _, c in DECIDED] * times]
    lessons = Lessons(reading, matcher.scores(reading), labels, np.ones_like(labels))
    evidence = [{c: Span(13, 43)} if i % 5 == 0 else {c: Span(0, len(t))} for i, (t, c) in enumerate(DECIDED * times)]
    groups = np.arange(len(texts)) % (GROUPS - 1)
    return Decided(lessons, groups, np.full(len(texts), random), evidence)


def test_the_evidence_is_the_sentence_that_speaks_of_the_code(matcher: Matcher) -> None:
    (found,) = Suggester(matcher, decided(matcher)).suggest([ASKED], np.array([9]), threshold=0.05)
    safe = next(s for s in found if s.code == "SAFE")
    assert "chair" in ASKED[safe.start : safe.end]
    assert "name" not in ASKED[safe.start : safe.end]


def test_a_confirmed_excerpt_is_named_where_it_is_closer_than_the_codebook(matcher: Matcher) -> None:
    (found,) = Suggester(matcher, decided(matcher)).suggest([ASKED], np.array([9]), threshold=0.05)
    safe = next(s for s in found if s.code == "SAFE")
    assert safe.like == 0
    assert not safe.nearest
    (own,) = Suggester(matcher, decided(matcher)).suggest([ASKED], np.array([0]), threshold=0.0)
    assert next(s for s in own if s.code == "SAFE").like != 0


def test_the_exclude_rule_is_told_when_it_is_close(matcher: Matcher) -> None:
    (found,) = matcher.suggest(["The traffic and the road outside are dangerous."], threshold=0.0)
    assert next(s for s in found if s.code == "SAFE").against == "Road safety and traffic outside"
    (found,) = matcher.suggest(["I feel safe at home."], threshold=0.0)
    assert not next(s for s in found if s.code == "SAFE").against


def test_probabilities_say_on_how_many_random_reads_they_rest(matcher: Matcher) -> None:
    few = Suggester(matcher, decided(matcher)).suggest([ASKED], np.array([9]), threshold=0.0)
    many = Suggester(matcher, decided(matcher, times=6)).suggest([ASKED], np.array([9]), threshold=0.0)
    shown = Suggester(matcher, decided(matcher, times=6, random=False)).suggest([ASKED], np.array([9]), threshold=0.0)
    assert {s.calibrated_on for s in few[0]} == {0}
    assert {s.calibrated_on for s in many[0]} == {30}
    assert {s.calibrated_on for s in shown[0]} == {0}


def test_nothing_under_the_threshold_is_suggested_and_none_is_padded(matcher: Matcher) -> None:
    suggester = Suggester(matcher, decided(matcher))
    for threshold in (0.0, 0.2, 0.5, 1.01):
        found = suggester.suggest([ASKED, "😀", "x", ""], np.array([1, 2, 3, 4]), threshold=threshold)
        assert all(s.probability >= threshold - 5e-5 for row in found for s in row)
    assert found == [[], [], [], []]
    assert suggester.suggest([], np.array([], np.int64)) == []


def test_a_batch_says_what_each_text_alone_would_be_told(matcher: Matcher) -> None:
    suggester = Suggester(matcher, decided(matcher))
    texts, groups = [ASKED, "toast again", "the bus is late"], np.array([9, 2, 0])
    together = suggester.suggest(texts, groups, threshold=0.1)
    for text, group, found in zip(texts, groups, together, strict=True):
        (alone,) = suggester.suggest([text], np.array([group]), threshold=0.1)
        assert [(s.code, s.start, s.like) for s in alone] == [(s.code, s.start, s.like) for s in found]
        assert [s.probability for s in alone] == pytest.approx([s.probability for s in found], abs=2e-3)
