"""Learning: from the first decision on, never below the codebook alone, and deaf to what nobody decided."""

from __future__ import annotations

import numpy as np
import pytest

from nlp.encode import Encoder
from nlp.errors import LessonError
from nlp.themes.calibrate import FEWEST_TEXTS, calibrate
from nlp.themes.crossfit import GROUPS, CrossFitted, group_of
from nlp.themes.learn import Learned, Lessons
from nlp.themes.match import Matcher
from nlp.themes.views import Matrix
from nlp.types import Code, Codebook

BOOK = Codebook("b", "B", "0.1.0", "test", (Code("SAFE", "Feeling safe"), Code("FOOD", "Food"), Code("BUS", "Buses")))
TEXTS = (
    "i put a chair against the door", "i push my wardrobe across at night", "a chair goes under the handle",
    "the pasta is cold every night", "we had toast for tea again", "the 42 never comes", "waited an hour at the stop",
    "my chair is under the door handle", "cold pasta again",
)  # fmt: skip
SAFE, FOOD, BUS = range(3)
GIVEN = (SAFE, SAFE, SAFE, FOOD, FOOD, BUS, BUS, SAFE, FOOD)


@pytest.fixture(scope="module")
def matcher(minilm: Encoder) -> Matcher:
    return Matcher(BOOK, minilm)


def lessons(matcher: Matcher, texts: tuple[str, ...], given: tuple[int, ...], weights: Matrix | None = None) -> Lessons:
    reading = matcher.read(texts)
    labels = np.eye(3)[list(given)]
    return Lessons(reading, matcher.scores(reading), labels, np.ones_like(labels) if weights is None else weights)


def fitted(taught: Lessons) -> CrossFitted:
    """One group after the other."""
    return CrossFitted(taught, np.arange(len(taught.match)) % GROUPS)


def asked(matcher: Matcher, learned: Learned, *texts: str) -> Matrix:
    reading = matcher.read(texts)
    return learned.score(matcher.scores(reading), reading)


def test_a_few_confirmations_teach_what_the_codebook_does_not_say(matcher: Matcher) -> None:
    before = matcher.scores(matcher.read(["he wedges the chair at the door"]))[0]
    after = asked(matcher, Learned(lessons(matcher, TEXTS[:7], GIVEN[:7])), "he wedges the chair at the door")[0]
    assert after[SAFE] - max(after[FOOD], after[BUS]) > before[SAFE] - max(before[FOOD], before[BUS]) + 0.5
    assert after.argmax() == SAFE


def test_one_decision_is_enough_to_begin(matcher: Matcher) -> None:
    one = lessons(matcher, TEXTS[:1], GIVEN[:1])
    before = matcher.scores(matcher.read([TEXTS[7]]))[0, SAFE]
    assert asked(matcher, Learned(one), TEXTS[7])[0, SAFE] > before


def test_what_nobody_decided_teaches_nothing(matcher: Matcher) -> None:
    weights = np.ones((7, 3))
    weights[3:] = 0.0
    some = asked(matcher, Learned(lessons(matcher, TEXTS[:7], GIVEN[:7], weights)), *TEXTS)
    other = (SAFE, SAFE, SAFE, BUS, SAFE, FOOD, SAFE)
    assert asked(matcher, Learned(lessons(matcher, TEXTS[:7], other, weights)), *TEXTS) == pytest.approx(some, abs=1e-3)


def test_everything_rejected_lowers_every_code(matcher: Matcher) -> None:
    reading = matcher.read(TEXTS)
    match = matcher.scores(reading)
    learned = Learned(Lessons(reading, match, np.zeros_like(match), np.ones_like(match)))
    assert (learned.score(match, reading) < match).all()


def test_contradictory_decisions_leave_a_text_in_between(matcher: Matcher) -> None:
    reading = matcher.read([TEXTS[0], TEXTS[0]])
    match = matcher.scores(reading)
    labels = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    both = Learned(Lessons(reading, match, labels, np.ones_like(labels))).score(match, reading)
    sure = asked(matcher, Learned(lessons(matcher, TEXTS[:1], GIVEN[:1])), TEXTS[0])
    assert np.isfinite(both).all()
    assert both[0, SAFE] < sure[0, SAFE]


def test_the_score_of_a_text_does_not_depend_on_its_neighbours(matcher: Matcher) -> None:
    learned = Learned(lessons(matcher, TEXTS[:7], GIVEN[:7]))
    together = asked(matcher, learned, *TEXTS)
    alone = np.concatenate([asked(matcher, learned, text) for text in TEXTS])
    assert together == pytest.approx(alone, abs=1e-4)


def test_nothing_decided_is_said_so(matcher: Matcher) -> None:
    with pytest.raises(LessonError, match="nothing is decided"):
        Learned(lessons(matcher, TEXTS[:2], GIVEN[:2], np.zeros((2, 3))))


def test_shapes_that_do_not_fit_are_refused(matcher: Matcher) -> None:
    reading = matcher.read(TEXTS[:2])
    with pytest.raises(LessonError, match="one row a text"):
        Lessons(reading, np.zeros((2, 3)), np.zeros((2, 2)), np.zeros((2, 3)))


def test_percentages_wait_for_enough_random_reads(matcher: Matcher) -> None:
    many = TEXTS * 4
    taught = lessons(matcher, many, GIVEN * 4)
    random = np.zeros(len(many), bool)
    random[: FEWEST_TEXTS - 1] = True
    few = calibrate(fitted(taught), random)
    assert not few.enough
    assert few.texts == FEWEST_TEXTS - 1
    scores = np.linspace(-20, 20, 9)
    assert few.probabilities(scores) == pytest.approx(1 / (1 + np.exp(-scores)))
    random[:] = True
    enough = calibrate(fitted(taught), random)
    assert enough.enough
    assert enough.texts == len(many)


def test_calibrated_probabilities_keep_the_order_of_the_scores(matcher: Matcher) -> None:
    found = calibrate(fitted(lessons(matcher, TEXTS * 4, GIVEN * 4)), np.ones(36, bool))
    scores = np.linspace(-6, 6, 50)
    assert (np.diff(found.probabilities(scores)) > 0).all()


def test_a_person_is_never_scored_by_what_was_decided_of_their_own_group(matcher: Matcher) -> None:
    taught = lessons(matcher, TEXTS, GIVEN)
    groups = np.arange(len(TEXTS), dtype=np.int64)
    turned = taught.labels.copy()
    turned[0] = 1 - turned[0]
    other = Lessons(taught.reading, taught.match, turned, taught.weights)
    row = np.array([0])
    assert (CrossFitted(taught, groups).held_out(row) == CrossFitted(other, groups).held_out(row)).all()
    assert (CrossFitted(taught, groups).held_out(row + 1) != CrossFitted(other, groups).held_out(row + 1)).any()


def test_with_nothing_else_to_learn_from_the_codebook_speaks_alone(matcher: Matcher) -> None:
    taught = lessons(matcher, TEXTS[:1], GIVEN[:1])
    assert (CrossFitted(taught, np.array([3])).held_out(np.array([0])) == taught.match).all()


def test_groups_of_people_are_the_same_everywhere() -> None:
    assert [group_of(p) for p in ("p1", "p2", "p3")] == [group_of(p) for p in ("p1", "p2", "p3")]
    assert {group_of(f"p{i}") for i in range(200)} == set(range(GROUPS))
