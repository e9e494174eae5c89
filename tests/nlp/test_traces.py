"""A person's words are taken out of what others wrote, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.traces import GONE, Traces

SAID = "My nan sits by the yellow door until Philomena comes home. I lock it twice."
WORDS = st.lists(st.sampled_from("the cat sat on a mat and we had tea by blue doors".split()), max_size=30)


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("She said “sits by the yellow door until” it was late.", f"She said “{GONE}” it was late."),
        ("I lock it twice", GONE),
        ("SITS BY THE YELLOW DOOR UNTIL Philomena", GONE),
        ("We had tea by the yellow door.", "We had tea by the yellow door."),
        ("ask Philomena", f"ask {GONE}"),
        ("Philomenas are others", "Philomenas are others"),
        ("", ""),
    ],
)
def test_quotations_go_and_what_everybody_says_stays(written: str, left: str) -> None:
    assert Traces([SAID], ["Philomena"]).without(written) == left


def test_names_are_left_where_they_are_words_like_any_other() -> None:
    assert Traces([SAID], ["Hope"]).without("Hope for the future", names=False) == "Hope for the future"


@given(before=WORDS, said=WORDS, after=WORDS)
def test_no_run_of_six_words_of_theirs_is_ever_left(before: list[str], said: list[str], after: list[str]) -> None:
    left = Traces([" ".join(said)]).without(" ".join([*before, *said, *after]))

    runs = {" ".join(said[i : i + 6]) for i in range(len(said) - 5)}
    assert not [run for run in runs if run in left]
