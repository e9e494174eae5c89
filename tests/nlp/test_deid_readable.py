"""The reading copy: easier words for the detectors, with a way back for every offset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.deid.readable import readable


@pytest.mark.parametrize(
    ("text", "copy"),
    [
        ("don’t say “Kasia”", 'don\'t say "Kasia"'),
        ("Mary–Jane", "Mary-Jane"),
        ("Kas\u200bia", "Kasia"),
        ("soft\u00adhyphen", "softhyphen"),
        ("Kaaaasia and mmmmum", "Kasia and mum"),
        ("Annie, Aaron, see", "Annie, Aaron, see"),
        ("ZoÃ«", "Zoë"),
        ("itâ€™s", "it's"),
        ("a\u00a0b\tc", "a b c"),
        ("０７７００", "07700"),
        ("𝓚𝓪𝓼𝓲𝓪", "Kasia"),
        ("plain words", "plain words"),
        ("see www.example.org", "see www.example.org"),
        ("", ""),
    ],
)
def test_what_stands_in_the_way_of_reading_is_put_right(text: str, copy: str) -> None:
    assert readable(text).text == copy


@pytest.mark.parametrize(
    ("text", "word"),
    [("my Kas\u200bia came", "Kas\u200bia"), ("my ZoÃ« came", "ZoÃ«"), ("my Kaaaasia came", "Kaaaasia")],
)
def test_a_word_of_the_copy_leads_back_to_all_of_the_word_it_came_from(text: str, word: str) -> None:
    copy = readable(text)
    start = copy.text.index(copy.text.split()[1])

    span = copy.to_source(start, start + len(copy.text.split()[1]))

    assert text[span.start : span.end] == word


@given(st.text(st.characters(codec=None)))
def test_offsets_climb_and_stay_in_the_text(text: str) -> None:
    copy = readable(text)

    assert len(copy.starts) >= len(copy.text)
    assert list(copy.starts) == sorted(copy.starts)
    assert all(0 <= start <= len(text) for start in copy.starts)


@given(st.text(st.characters(codec=None), min_size=1), st.data())
def test_any_span_of_the_copy_leads_back_into_the_text(text: str, data: st.DataObject) -> None:
    copy = readable(text)
    if not copy.text:
        return
    start = data.draw(st.integers(0, len(copy.text) - 1))
    end = data.draw(st.integers(start + 1, len(copy.text)))

    span = copy.to_source(start, end)

    assert 0 <= span.start < span.end <= len(text)
