"""The codebook linter: what it remarks on, and that any codebook gives a defined answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.codebook import read_codebook
from nlp.encode import Encoder
from nlp.themes.lint import Advice, lint
from nlp.types import Code, Codebook, CodeStatus

ROOT = Path(__file__).resolve().parents[2]


def book(*codes: Code) -> Codebook:
    return Codebook("b", "B", "0.1.0", "test", codes)


SAFE = Code("SAFE", "Feeling safe", "How safe the place where one lives feels.", examples=("i feel safe at home",))
FOOD = Code("FOOD", "Food", "What there is to eat.", examples=("the pasta was cold", "we had toast for tea"))


def advice(codebook: Codebook, encoder: Encoder) -> set[tuple[Advice, str, str]]:
    return {(r.advice, r.code, r.other) for r in lint(codebook, encoder)}


def test_a_good_small_codebook_gives_no_remark(minilm: Encoder) -> None:
    assert lint(book(SAFE, FOOD), minilm) == []


def test_two_codes_in_the_same_words_are_named_together(minilm: Encoder) -> None:
    twin = Code(
        "TWIN", "Feeling safe at home", "How safe the home where one lives feels.", examples=("home feels safe",)
    )
    assert (Advice.NEAR, "SAFE", "TWIN") in advice(book(SAFE, FOOD, twin), minilm)


def test_missing_quotes_and_definitions_are_said(minilm: Encoder) -> None:
    bare = Code("BARE", "Buses")
    assert {(Advice.NO_DEFINITION, "BARE", ""), (Advice.NO_QUOTES, "BARE", "")} <= advice(book(SAFE, bare), minilm)


def test_a_definition_that_is_longer_than_it_helps_is_said(minilm: Encoder) -> None:
    long = Code("LONG", "Buses", "It is about buses. " + "There are many buses. " * 20, examples=("the 42 is late",))
    assert (Advice.LONG_DEFINITION, "LONG", "") in advice(book(SAFE, long), minilm)


def test_a_quote_that_belongs_elsewhere_is_named_by_its_number_and_never_quoted(minilm: Encoder) -> None:
    stray = Code("SAFE", SAFE.label, SAFE.definition, examples=("i feel safe at home", "the toast and pasta were cold"))
    found = [r for r in lint(book(stray, FOOD), minilm) if r.advice is Advice.QUOTE_ELSEWHERE]
    assert [r.why for r in found if (r.code, r.other) == ("SAFE", "FOOD")] == [
        "Quote 2 lies closer to the other code than to the rest of its own."
    ]


def test_retired_codes_are_left_alone(minilm: Encoder) -> None:
    gone = Code("GONE", "Buses", status=CodeStatus.RETIRED)
    assert lint(book(SAFE, gone), minilm) == []


@pytest.mark.parametrize("codes", [1, 300])
def test_one_code_and_three_hundred_codes_give_an_answer(minilm: Encoder, codes: int) -> None:
    found = lint(book(*(Code(f"C{i}", f"Number {i}") for i in range(codes))), minilm)
    assert sum(r.advice is Advice.NO_QUOTES for r in found) == codes


@pytest.mark.parametrize("folder", sorted((ROOT / "codebooks").glob("*/codebook.yaml")), ids=lambda p: p.parent.name)
def test_every_shipped_code_has_quotes_and_a_definition(minilm: Encoder, folder: Path) -> None:
    assert not {Advice.NO_QUOTES, Advice.NO_DEFINITION} & {r.advice for r in lint(read_codebook(folder), minilm)}
