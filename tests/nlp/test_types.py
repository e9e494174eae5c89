"""The library's small data and its errors."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from nlp import errors
from nlp.types import Code, Codebook, CodeStatus, Span


def test_a_span_gives_its_words() -> None:
    assert Span(2, 5).of("a 👨‍👩 b"[:2] + "cde f") == "cde"


def test_data_cannot_be_changed_once_made() -> None:
    with pytest.raises(FrozenInstanceError):
        Span(0, 1).start = 2  # type: ignore[misc]


def test_codes_that_may_still_be_used_are_all_but_the_retired() -> None:
    codes = tuple(Code(status.value, "x", status=status) for status in CodeStatus)
    book = Codebook("b", "B", "0.1.0", "test", codes)
    assert [code.id for code in book.active_codes] == ["draft", "agreed"]
    assert book.code("retired").status is CodeStatus.RETIRED


@pytest.mark.parametrize(
    "name", ["CodebookError", "ModelError", "SpanError", "IndicatorError", "CorpusError", "EstimateError"]
)
def test_every_refusal_of_the_library_is_one_kind_of_error(name: str) -> None:
    assert issubclass(getattr(errors, name), errors.NlpError)
    assert name in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.CodebookError(file="c.yaml", problem="p", remedy="R."), "c.yaml: p. R."),
        (errors.CodebookError(file="c.yaml", problem="p", remedy="R.", line=3), "c.yaml, line 3: p. R."),
        (
            errors.CodebookError(file="c.yaml", problem="p", remedy="R.", line=3, code="A"),
            "c.yaml, line 3: code A: p. R.",
        ),
        (errors.IndicatorError(file="i.csv", problem="p"), "i.csv: p"),
        (errors.IndicatorError(file="i.csv", problem="p", row=2, field="f"), "i.csv, row 2: column “f”: p"),
    ],
)
def test_an_error_says_where_what_and_what_to_do(error: errors.NlpError, words: str) -> None:
    assert str(error) == words
