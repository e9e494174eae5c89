"""Known people, however they are written, and names carried through a case."""

from __future__ import annotations

import time

import pytest

from nlp.deid.cascade import Deidentifier
from nlp.deid.known import find_people, name_parts
from nlp.deid.patterns import PatternDetector
from nlp.deid.propagate import propagate
from nlp.types import Detection, Label


def found(text: str, *names: str) -> list[str]:
    return [text[d.start : d.end] for d in find_people(text, name_parts(names), why="known")]


@pytest.mark.parametrize(
    ("text", "names", "words"),
    [
        ("Kasia's bag", ["Kasia Nowak"], ["Kasia"]),
        ("kasias bag and nowak", ["Kasia Nowak"], ["kasias", "nowak"]),
        ("spoke to KN today", ["Kasia Nowak"], ["KN"]),
        ("Zoë and zoe", ["Zoe"], ["Zoë", "zoe"]),
        ("Paweł, pawel", ["Pawel Wójcik"], ["Paweł", "pawel"]),
        ("oluwasuen came", ["Oluwaseun"], ["oluwasuen"]),
        ("seun came, tobi not", ["Oluwaseun Ade"], ["seun"]),
        ("debs said", ["Deborah Long"], ["debs"]),
        ("a long day", ["Deborah Long"], []),
        ("asked Long about it", ["Deborah Long"], ["Long"]),
        ("the lovely day", ["Love"], []),
        ("Amina and Anina and Maria", ["Amina"], ["Amina", "Anina"]),
        ("nothing here", [], []),
    ],
)
def test_a_known_person_is_found(text: str, names: list[str], words: list[str]) -> None:
    assert found(text, *names) == words


def test_what_was_found_once_is_found_throughout_the_case_and_not_in_another() -> None:
    texts = ["Mrs Okonkwo came; okonkwo left", "then okonkwo's car", "okonkwo again"]
    first = [Detection(4, 11, Label.PERSON, 0.9, "test.v1", "")]
    assert [len(d) for d in propagate(texts[:2], [first, []])] == [1, 1]
    assert propagate(texts[2:], [[]]) == [[]]


def test_a_school_found_once_is_found_in_lower_case() -> None:
    texts = ["at Hob Moor Juniors", "hob moor juniors is ok"]
    more = propagate(texts, [[Detection(3, 19, Label.ORG, 0.9, "test.v1", "")], []])
    assert [(d.start, d.end, d.label) for d in more[1]] == [(0, 16, Label.ORG)]


def test_an_unsure_name_and_a_sector_word_are_not_carried() -> None:
    texts = ["Zyx is TM", "zyx, tm"]
    unsure = [Detection(0, 3, Label.PERSON, 0.45, "t", ""), Detection(7, 9, Label.PERSON, 0.9, "t", "")]
    assert propagate(texts, [unsure, []]) == [[], []]


def test_the_cascade_masks_known_people_in_their_case_only() -> None:
    alone = Deidentifier([PatternDetector()])
    clean = alone.deidentify(["zyxa came", "zyxa came"], ["P1", "P2"], {"P1": ["Zyxa Blip"]})
    assert [c.text for c in clean] == ["[Person 1] came", "zyxa came"]


def test_time_grows_linearly_with_known_names() -> None:
    text = "then kasia went to the hub and came home. " * 2500
    names = name_parts(["Kasia Nowak", "Oluwaseun Adebayo", "Mohammed Iqbal"])
    began = time.perf_counter()
    assert sum(1 for _ in find_people(text, names, why="")) == 2500
    assert time.perf_counter() - began < 20
