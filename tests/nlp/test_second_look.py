"""The second look before words are quoted: it shows whatever may identify, and what is quoted ties nothing together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.deid.second_look import plain, second_look
from nlp.deid.wording import shared_with
from nlp.encode import bundled_folder, known_words

KNOWN = known_words(bundled_folder())


def look(text: str) -> list[tuple[str, str]]:
    return [(text[t.start : t.end], t.why) for t in second_look(text, KNOWN.__contains__)]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("i told kayleigh that it was cold", "kayleigh"),
        ("then Zahra took my hand", "Zahra"),
        ("we went to Brackenfield and back", "Brackenfield"),
        ("abdirahman was there too", "abdirahman"),
        ("my mum's mate oisín came round", "oisín"),
        ("they moved me 14 times", "14"),
        ("it is on insta at me@here.example", "me@here.example"),
        ("the thing called grimblesnatch ate it", "grimblesnatch"),
    ],
)
def test_what_may_identify_is_shown_however_it_is_written(text: str, word: str) -> None:
    assert word in {found for found, _ in look(text)}


@pytest.mark.parametrize(
    "text",
    [
        "I put a chair against the door. Nobody asked me why.",
        "i dont feel safe at night and I'm always tired",
        "They said OK, and then it was NOT okay.",
        "[Person 1] over the road was kind. [March 2023] was bad.",
        "“My worker listens.” Some days that is all.",
    ],
)
def test_plain_words_are_left_alone(text: str) -> None:
    assert look(text) == []


@given(st.text(max_size=300))
def test_it_never_fails_and_its_stretches_lie_in_order_in_the_text(text: str) -> None:
    found = second_look(text, KNOWN.__contains__)
    edges = [edge for t in found for edge in (t.start, t.end)]
    assert edges == sorted(edges)
    assert all(0 <= t.start < t.end <= len(text) for t in found)


def test_what_is_quoted_has_no_number_year_or_band_that_ties_it_to_another_quotation() -> None:
    said = "[Person 2] left in [March 2023], [Aged 12 to 14], for [School 1] in [LS6]; [Phone number]"
    assert plain(said) == "[person] left in [date], [age], for [school] in [place]; [phone number]"


def test_a_run_of_six_words_is_found_elsewhere_whatever_its_case_and_marks() -> None:
    said = "I put a chair against the door"
    assert shared_with(said, ["well, i PUT a chair – against the door, always", "a chair, the door", ""]) == 1
    assert shared_with("a short one", ["a short one"]) == 0
