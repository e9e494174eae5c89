"""What is flagged because it could single somebody out, and what is ordinary life. All people are fictional."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.deid.risk import QuasiKind, quasi_identifiers, shared_by, smallest_groups

EVENT, JOB, ILLNESS, SIBLINGS, AGE, ONLY = QuasiKind


@pytest.mark.parametrize(
    ("kind", "example"),
    [
        (EVENT, "our «house burnt down» at Easter"),
        (EVENT, "are «ous burnt down» and my toys"),
        (EVENT, "there was a «flat fire» upstairs"),
        (EVENT, "her cousin «was stabbed» outside the shop"),
        (EVENT, "her partner «took his own life» in March"),
        (EVENT, "my «dad is in prisun» so nan has us"),
        (EVENT, "my «dad went to prison»"),
        (EVENT, "«Mum was sent to jail» for it"),
        (EVENT, "he was «released from custody» Friday"),
        (EVENT, "it «was on the news» and everybody knew"),
        (EVENT, "we were in a «car crash» last year"),
        (EVENT, "they «fled the war» with one bag"),
        (EVENT, "the «air ambulance» landed on the field"),
        (EVENT, "waiting for the «inquest» to finish"),
        (JOB, "grandad is the «vicar» at the church"),
        (JOB, "mum is a «barrister» and never home"),
        (JOB, "his dad is a «professional footballer»"),
        (JOB, "he's a «gamekeeper» on the moor"),
        (ILLNESS, "she has «cystic fibrosis» and a tube"),
        (ILLNESS, "brother with «sickle cell» in and out of hospital"),
        (ILLNESS, "in remission from «leukaemia»"),
        (ILLNESS, "Barnaby has «Down's syndrome»"),
        (ILLNESS, "waiting for a «kidney transplant»"),
        (SIBLINGS, "I am the «youngest of nine»"),
        (SIBLINGS, "there are «nine of us kids» and one bathroom"),
        (SIBLINGS, "it gets loud, «seven of us in that house»"),
        (SIBLINGS, "i «got 7 brothers» and no room"),
        (SIBLINGS, "Mum «has eight children» at home"),
        (SIBLINGS, "the «twins» kick off at tea"),
        (AGE, "it started «when I was seven»"),
        (AGE, "He «turned 17» and it stopped"),
        (AGE, "she is «34 years old» now"),
        (ONLY, "he's «the only boy in a wheelchair» at our school"),
        (ONLY, "we are «the only black family on the estate»"),
        (ONLY, "she was made «head girl» in June"),
    ],
)
def test_what_few_people_share_is_flagged(kind: QuasiKind, example: str) -> None:
    text = example.replace("«", "").replace("»", "")

    found = quasi_identifiers(text)

    shown = text
    for q in reversed(found):
        shown = f"{shown[: q.start]}«{shown[q.start : q.end]}»{shown[q.end :]}"
    assert shown == example
    assert {q.kind for q in found} == {kind}
    assert all(q.term and q.why for q in found)


@pytest.mark.parametrize(
    "text",
    [
        "my fire engine toy",
        "I could murder a brew",
        "we built a prison on minecraft",
        "she is a nurse and he drives a bus",
        "dad works in a shop, mum is a cleaner",
        "new twin beds came on Tuesday",
        "I have two sisters and a dog",
        "there were five of us at the group",
        "waited seven weeks for an answer",
        "asthma, eczema, ADHD and a bad chest",
        "hearing aids fitted in December",
        "she dont judge me",
        "the only thing I want is a room",
        "the only good thing about school is lunch",
        "it was the best day of my life",
        "we read the newspaper at nan's",
        "he is on his own most nights",
        "Year 9 is killing me",
        "I was at school when she rang",
        "nobody was told",
        "the teacher's desk",
    ],
)
def test_ordinary_life_is_not(text: str) -> None:
    assert quasi_identifiers(text) == []


def test_what_a_surrogate_says_is_no_longer_telling() -> None:
    assert quasi_identifiers("[Sister 1] is [Aged 5 to 10] and lives at [Home 1]") == []


def test_the_same_thing_said_in_two_ways_has_one_term() -> None:
    found = {"p1": quasi_identifiers("our house burnt down"), "p2": quasi_identifiers("since the flat fire")}

    assert shared_by(found) == {(EVENT, "house fire"): 2}


def test_k_counts_the_people_with_the_same_attributes() -> None:
    people = {
        "a": {"area": "North", "age_band": "16 to 17"},
        "b": {"area": "North", "age_band": "16 to 17"},
        "c": {"area": "South", "age_band": "16 to 17"},
        "d": {"area": "", "age_band": ""},
    }

    assert smallest_groups(people) == {"a": 2, "b": 2, "c": 1}


@given(st.text())
def test_offsets_are_valid_and_disjoint_for_any_text(text: str) -> None:
    found = quasi_identifiers(text)

    places = [place for q in found for place in (q.start, q.end)]
    assert places == sorted(places)
    assert all(0 <= q.start < q.end <= len(text) for q in found)


@pytest.mark.parametrize("unit", ["he was ", "the only girl ", "five ", "a", "[Sister 1]", " "])
def test_a_very_long_text_is_read_to_its_end(unit: str) -> None:
    text = unit * (200_000 // len(unit)) + " our house burnt down"

    assert quasi_identifiers(text)[-1].term == "house fire"
