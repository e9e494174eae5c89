"""Court documents: what is telling there and nowhere else."""

from __future__ import annotations

import pytest

from nlp.deid.patterns import PatternDetector
from nlp.deid.patterns.judgments import is_court_document

JUDGMENT = (
    "The case originated in an application (no. 28045/02) lodged with the Court by a British national, Mr Robert İşeri (“the applicant”). "
    "The applicant was born in 1949 and lived in Turkey for eighteen years. The Government paid EUR 4,000. The Court agreed."
)
NOTE = "The court date is in 2025, mum is Turkish and waited eighteen months. The applicant form is filled in."


def found(text: str) -> set[str]:
    return {text[d.start : d.end] for d in PatternDetector().detect([text])[0]}


def test_in_a_court_document_years_countries_and_lengths_of_time_are_masked() -> None:
    assert found(JUDGMENT) >= {
        "28045/02",
        "British national",
        "Mr Robert İşeri",
        "1949",
        "Turkey",
        "eighteen years",
        "EUR 4,000",
    }


def test_in_a_case_note_the_same_words_are_left() -> None:
    assert not found(NOTE) & {"2025", "Turkish", "eighteen months"}


@pytest.mark.parametrize(("text", "is_one"), [(JUDGMENT, True), (NOTE, False), ("", False), ("the Court " * 3, False)])
def test_a_court_document_has_the_words_of_one_again_and_again(text: str, is_one: bool) -> None:
    assert is_court_document(text) is is_one
