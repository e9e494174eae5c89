"""How protection is measured, by examples small enough to count by hand."""

from __future__ import annotations

import pytest

from nlp.deid.evaluate import GoldSpan, GoldText, Row, evaluate, is_covered
from nlp.types import Label, Span

TEXT = "sarah met Tom in Leeds"
SARAH = GoldSpan(0, 5, Label.PERSON, "white_british")
TOM = GoldSpan(10, 13, Label.PERSON)
LEEDS = GoldSpan(17, 22, Label.LOCATION)


def table(
    masks: list[Span], spans: tuple[GoldSpan, ...] = (SARAH, TOM, LEEDS), text: str = TEXT
) -> dict[tuple[str, str], Row]:
    rows = evaluate([GoldText("1", text, "child", spans)], [masks])
    return {(r.measure, r.group): r for r in rows}


@pytest.mark.parametrize(
    ("masks", "covered"),
    [
        ([Span(0, 5)], True),
        ([Span(0, 22)], True),
        ([Span(0, 2), Span(2, 5)], True),
        ([Span(0, 4)], False),
        ([Span(1, 5)], False),
        ([], False),
    ],
)
def test_a_span_is_covered_when_every_letter_is_masked(masks: list[Span], covered: bool) -> None:
    assert is_covered(TEXT, SARAH, masks) is covered


def test_punctuation_of_a_span_need_not_be_masked() -> None:
    assert is_covered("(Tom).", GoldSpan(0, 6, Label.PERSON), [Span(1, 4)])
    assert not is_covered("(Tom7).", GoldSpan(0, 7, Label.PERSON), [Span(1, 4)])


def test_recall_is_counted_by_label_voice_case_and_origin() -> None:
    rows = table([Span(0, 5), Span(17, 22)])
    assert rows["recall PERSON", "all"] == Row("recall PERSON", "all", 0.5, 2)
    assert rows["recall PERSON", "voice: child"].value == 0.5
    assert rows["recall PERSON", "lower case"] == Row("recall PERSON", "lower case", 1.0, 1)
    assert rows["recall PERSON", "origin: white_british"].n == 1
    assert rows["recall LOCATION", "all"].value == 1.0
    assert ("recall LOCATION", "voice: child") not in rows


def test_a_text_is_safe_when_no_direct_identifier_is_left() -> None:
    measure = "texts with no direct identifier left"
    assert table([Span(0, 5), Span(10, 13)])[measure, "all"].value == 1.0
    assert table([Span(0, 5), Span(17, 22)])[measure, "all"].value == 0.0
    assert (measure, "all") not in table([], (LEEDS,))


def test_precision_counts_masked_words_that_are_gold() -> None:
    rows = table([Span(0, 9)], (SARAH,))
    assert rows["token precision", "all"] == Row("token precision", "all", 0.5, 2)
    assert rows["harmless words masked", "all"] == Row("harmless words masked", "all", 0.25, 4)


def test_a_text_with_nothing_to_hide_should_be_left_untouched() -> None:
    measure = "texts with nothing to hide left untouched"
    assert table([], ())[measure, "all"] == Row(measure, "all", 1.0, 1)
    assert table([Span(0, 5)], ())[measure, "all"] == Row(measure, "all", 0.0, 1)
    assert table([])[measure, "all"].n == 0


def test_rows_add_up_over_texts() -> None:
    texts = [
        GoldText(str(i), "Tom", "child" if i else "practitioner", (GoldSpan(0, 3, Label.PERSON),)) for i in range(4)
    ]
    rows = {(r.measure, r.group): r for r in evaluate(texts, [[Span(0, 3)], [Span(0, 3)], [], []])}
    assert rows["recall PERSON", "all"] == Row("recall PERSON", "all", 0.5, 4)
    assert rows["recall PERSON", "voice: practitioner"] == Row("recall PERSON", "voice: practitioner", 1.0, 1)
    assert rows["recall PERSON", "voice: child"].value == pytest.approx(1 / 3)


def test_texts_and_masks_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="shorter"):
        evaluate([GoldText("1", TEXT, "child", ())], [])
