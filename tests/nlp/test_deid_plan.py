"""From detections to clean text: one plan, kept to the letter outside it, and the words that stand in."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.deid.apply import apply_plan
from nlp.deid.resolve import resolve
from nlp.deid.surrogates import PLAIN, SURROGATE, neutralise, plan_redactions
from nlp.errors import SpanError
from nlp.types import Detection, Label, Redaction, Span

TEXTS = st.text(st.one_of(st.characters(codec=None), st.sampled_from("Sarah's, .’-\n\ud800")), min_size=1, max_size=40)


def detection(start: int, end: int, label: Label = Label.PERSON, score: float = 0.7, why: str = "") -> Detection:
    return Detection(start, end, label, score, "test.v1", why)


def redaction(start: int, end: int, words: str = "[Person 1]") -> Redaction:
    return Redaction(start, end, Label.PERSON, words, 0.7, "test.v1", "")


@st.composite
def detected(draw: st.DrawFn) -> tuple[str, list[Detection]]:
    """A text with any detections in it."""
    text = draw(TEXTS)
    spans = draw(st.lists(st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text))), max_size=8))
    labels = st.sampled_from(Label)
    scores = st.sampled_from([0.6, 0.7, 0.99])
    return text, [
        detection(s, min(s + n, len(text)), draw(labels), draw(scores), draw(st.sampled_from("ab"))) for s, n in spans
    ]


@st.composite
def planned(draw: st.DrawFn) -> tuple[str, list[Redaction]]:
    """A text with any valid plan for it."""
    text = draw(TEXTS)
    edges = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    surrogate = st.sampled_from(["[Person 1]", "[Place 22]", "[Date]", ""])
    return text, [redaction(a, b, draw(surrogate)) for a, b in zip(edges[::2], edges[1::2], strict=False)]


def outside(text: str, spans: Sequence[Span | Redaction]) -> str:
    hidden = {i for s in spans for i in range(s.start, s.end)}
    return "".join(ch for i, ch in enumerate(text) if i not in hidden)


# resolve


@given(detected())
def test_a_plan_is_sorted_disjoint_and_inside_the_text(given_: tuple[str, list[Detection]]) -> None:
    text, detections = given_
    plan = resolve(text, detections)
    assert all(0 <= d.start < d.end <= len(text) for d in plan)
    assert all(a.end <= b.start for a, b in pairwise(plan))


@given(detected())
def test_a_plan_covers_every_letter_that_was_detected_but_possessives(given_: tuple[str, list[Detection]]) -> None:
    text, detections = given_
    plan = resolve(text, detections)
    for d in detections:
        kept = text[d.start : d.end].rstrip(' \t\r\n.,;:!?"“”()[]{}…–—').removesuffix("'s").removesuffix("’s")
        letters = {d.start + i for i, ch in enumerate(kept) if ch.isalnum()}
        assert all(any(p.start <= i < p.end for p in plan) for i in letters)


@given(detected(), st.randoms(use_true_random=False))
def test_any_order_of_detections_gives_the_same_plan(given_: tuple[str, list[Detection]], random: Random) -> None:
    text, detections = given_
    shuffled = random.sample(detections, len(detections))
    assert resolve(text, shuffled) == resolve(text, detections)


@given(detected())
def test_a_plan_is_as_certain_as_the_most_certain_of_what_it_covers(given_: tuple[str, list[Detection]]) -> None:
    text, detections = given_
    for d in resolve(text, detections):
        inside = [o for o in detections if o.start < d.end and d.start < o.end]
        assert d.score in {o.score for o in inside}
        assert d.label in {o.label for o in inside}


@given(detected())
def test_a_plan_resolves_to_itself(given_: tuple[str, list[Detection]]) -> None:
    text, detections = given_
    plan = resolve(text, [d for d in detections if d.label is not Label.PERSON])
    assert resolve(text, plan) == plan


SARAH = "Sarah Jones's mum, (Leeds)."


@pytest.mark.parametrize(
    ("detections", "plan"),
    [
        ([], []),
        ([(0, 13, Label.PERSON, 0.7)], [("Sarah Jones", Label.PERSON)]),
        ([(0, 5, Label.PERSON, 0.7), (6, 11, Label.PERSON, 0.6)], [("Sarah Jones", Label.PERSON)]),
        ([(0, 5, Label.PERSON, 0.7), (6, 11, Label.ORG, 0.6)], [("Sarah", Label.PERSON), ("Jones", Label.ORG)]),
        ([(0, 8, Label.ORG, 0.6), (6, 11, Label.PERSON, 0.7)], [("Sarah Jones", Label.PERSON)]),
        ([(0, 11, Label.PERSON, 0.7), (6, 11, Label.LOCATION, 0.7)], [("Sarah Jones", Label.PERSON)]),
        ([(0, 5, Label.LOCATION, 0.6), (0, 5, Label.PERSON, 0.7)], [("Sarah", Label.PERSON)]),
        ([(17, 27, Label.LOCATION, 0.6)], [("Leeds", Label.LOCATION)]),
        ([(17, 27, Label.ID, 0.6)], [(", (Leeds).", Label.ID)]),
        ([(11, 13, Label.PERSON, 0.6)], []),
        ([(17, 20, Label.PERSON, 0.6)], []),
    ],
)
def test_overlaps_are_joined_and_edges_tidied(
    detections: list[tuple[int, int, Label, float]], plan: list[tuple[str, Label]]
) -> None:
    found = resolve(SARAH, [detection(*d) for d in detections])
    assert [(SARAH[d.start : d.end], d.label) for d in found] == plan


@pytest.mark.parametrize("text", ["Sarah's bag", "Sarah’s bag"])
def test_the_possessive_stays_outside_the_name(text: str) -> None:
    (found,) = resolve(text, [detection(0, 7)])
    assert text[found.start : found.end] == "Sarah"


@pytest.mark.parametrize("span", [(-1, 2), (3, 3), (4, 2), (0, 99)])
def test_a_detection_outside_its_text_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(SpanError, match=f"{span[0]} to {span[1]} lies outside a text of 5"):
        resolve("hello", [detection(*span)])


# apply


@given(planned())
def test_all_outside_the_plan_is_kept_to_the_letter(given_: tuple[str, list[Redaction]]) -> None:
    text, plan = given_
    clean = apply_plan(text, plan)
    assert outside(clean.text, clean.surrogates) == outside(text, plan)


@given(planned())
def test_nothing_inside_the_plan_is_left_but_the_surrogates(given_: tuple[str, list[Redaction]]) -> None:
    text, plan = given_
    clean = apply_plan(text, plan)
    assert [span.of(clean.text) for span in clean.surrogates] == [r.surrogate for r in plan]
    assert len(clean.text) == len(outside(text, plan)) + sum(len(r.surrogate) for r in plan)


@given(planned())
def test_each_stretch_between_redactions_stands_between_their_surrogates(given_: tuple[str, list[Redaction]]) -> None:
    text, plan = given_
    clean = apply_plan(text, plan)
    starts, ends = [0, *(r.end for r in plan)], [*(r.start for r in plan), len(text)]
    clean_starts = [0, *(s.end for s in clean.surrogates)]
    clean_ends = [*(s.start for s in clean.surrogates), len(clean.text)]
    kept = [text[a:b] for a, b in zip(starts, ends, strict=True)]
    assert [clean.text[a:b] for a, b in zip(clean_starts, clean_ends, strict=True)] == kept


def test_a_plan_is_applied_and_remembered() -> None:
    plan = (redaction(0, 5), redaction(14, 19, "[Place 1]"))
    clean = apply_plan("Sarah lives in Leeds."[:14] + "Leeds.", plan)
    assert clean.text == "[Person 1] lives in[Place 1]."
    assert clean.plan == plan
    assert clean.surrogates == (Span(0, 10), Span(19, 28))


def test_a_text_without_a_plan_is_itself() -> None:
    assert apply_plan("e\u0301\0\ud800", []).text == "e\u0301\0\ud800"


@pytest.mark.parametrize("spans", [[(0, 3), (2, 4)], [(3, 4), (0, 1)], [(0, 6)], [(2, 2)], [(-1, 2)], [(0, 3), (0, 3)]])
def test_a_plan_that_overlaps_or_lies_outside_is_refused(spans: list[tuple[int, int]]) -> None:
    with pytest.raises(SpanError):
        apply_plan("hello", [redaction(*s) for s in spans])


# surrogates


def surrogates(text: str, *names: tuple[str, Label]) -> list[str]:
    """The surrogates of the names, each looked for after the one before."""
    detections, start = [], 0
    for words, label in names:
        start = text.index(words, start)
        detections.append(detection(start, start + len(words), label))
        start += len(words)
    return [r.surrogate for r in plan_redactions(text, detections)]


P, L = Label.PERSON, Label.LOCATION


@pytest.mark.parametrize(
    ("text", "names", "given_"),
    [
        ("Sarah met Tom. Sarah left.", ["Sarah", "Tom", "Sarah"], [1, 2, 1]),
        ("Sarah met SARAH and sarah", ["Sarah", "SARAH", "sarah"], [1, 1, 1]),
        ("Sarah Jones left. Sarah came.", ["Sarah Jones", "Sarah"], [1, 1]),
        ("Sarah left. Sarah Jones came.", ["Sarah", "Sarah Jones"], [1, 1]),
        ("Mary-Jane and Mary Jane", ["Mary-Jane", "Mary Jane"], [1, 1]),
        ("Tom, Ann, Joe, Ann", ["Tom", "Ann", "Joe", "Ann"], [1, 2, 3, 2]),
    ],
)
def test_the_same_name_gets_the_same_number(text: str, names: list[str], given_: list[int]) -> None:
    assert surrogates(text, *((n, P) for n in names)) == [f"[Person {i}]" for i in given_]


def test_people_and_places_are_numbered_apart() -> None:
    found = surrogates(
        "Chelsea left Leeds for Chelsea, Leeds", ("Chelsea", P), ("Leeds", L), ("Chelsea", L), ("Leeds", L)
    )
    assert found == ["[Person 1]", "[Place 1]", "[Place 2]", "[Place 1]"]


def test_places_that_share_a_first_word_are_two_places() -> None:
    assert surrogates("Queens Park, Queens Road", ("Queens Park", L), ("Queens Road", L)) == ["[Place 1]", "[Place 2]"]


@pytest.mark.parametrize(("label", "words"), PLAIN.items())
def test_what_is_no_name_has_no_number(label: Label, words: str) -> None:
    assert surrogates("x and x", ("x", label), ("x", label)) == [words, words]


@pytest.mark.parametrize("label", list(Label))
def test_every_label_has_a_surrogate_with_a_neutral_reading(label: Label) -> None:
    (words,) = surrogates("x", ("x", label))
    assert SURROGATE.fullmatch(words)
    assert neutralise(words).split()[0] in ("a", "an", "someone")


@pytest.mark.parametrize(
    ("clean", "neutral"),
    [
        ("[Person 1] met [Person 12] at [Place 1]", "someone met someone at a place"),
        ("[Person 1]'s mum rang [Phone number] on [Date]", "someone's mum rang a phone number on a date"),
        ("at [Organisation 3], [Age], [Reference]", "at a service, an age, a reference"),
        ("[Email address] or [Web address]", "an email or a website"),
        ("[Person] and [Somebody 1] and person 1", "[Person] and [Somebody 1] and person 1"),
        ("", ""),
    ],
)
def test_neutral_words_stand_for_surrogates_and_nothing_else_changes(clean: str, neutral: str) -> None:
    assert neutralise(clean) == neutral
