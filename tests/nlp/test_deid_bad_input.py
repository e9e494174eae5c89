"""Whatever a council's export holds: no crash, offsets right, time that grows no faster than the text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.deid.apply import apply_plan
from nlp.deid.cascade import Deidentifier
from nlp.types import Label, Redaction

RTF = r"{\rtf1\ansi\deff0 {\fonttbl {\f0 Arial;}} \f0\fs24 Saw Oluwaseun at home.\par Rang 07700 900123\par}"
HTML = "<p>Dear <b>Kasia</b>,<br/>ring me on&nbsp;07700&nbsp;900123 &amp; bring Oluwaseun&#39;s form</p>"
QUOTED = (
    "Thanks, will do.\n\nRegards,\nAdaeze Okonkwo\nFamily Support Worker | 01632 960123\n\n"
    "> From: Kasia Nowak <kasia.nowak@example.org>\n> Sent: 12 March 2024 09:14\n>\n> Can you ring Tadhg's mum?\n> K"
)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        (RTF, ["Oluwaseun", "07700 900123"]),
        (HTML, ["Kasia", "Oluwaseun"]),
        (QUOTED, ["Adaeze", "Okonkwo", "01632 960123", "Nowak", "kasia.nowak@example.org", "12 March 2024", "Tadhg"]),
        ("Kas\u200bia said no", ["Kas", "ia said"]),
        ("met Kasia\x00Nowak there", ["Kasia"]),
        ("met Kasia \ud83d there", ["Kasia"]),
        ("👩‍👩‍👧‍👦 Kasia 👨🏿‍🦽 came", ["Kasia"]),
        ("\u202bKasia\u202c أتت מאוחר Oluwaseun", ["Kasia", "Oluwaseun"]),
        ("Kasia", ["Kasia"]),
        ("KASIA", ["KASIA"]),
        ("kasia!!!", ["kasia"]),
        ("Kaaaaasia", ["Kaaaaasia"]),
        ("ZoÃ« and RenÃ©e came", ["ZoÃ«", "RenÃ©e"]),
        ("\ufeffKasia came", ["Kasia"]),
        ("met Kasia\r\nand Oluwaseun\r\n", ["Kasia", "Oluwaseun"]),
    ],
)
def test_identifiers_go_whatever_stands_around_them(cascade: Deidentifier, text: str, gone: list[str]) -> None:
    (clean,) = cascade.deidentify([text])

    assert [words for words in gone if words in clean.text] == []
    assert clean == apply_plan(text, clean.plan) or clean.doubts


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        " ",
        "\n",
        "0",
        "9 ",
        "Kasia ",
        "kasia and ",
        "07700 ",
        "@",
        "1/2/",
        "\x00",
        "'s ",
        "(",
        "St ",
        "mr ",
        "😀",
        "Mum 19. ",
    ],
)
def test_a_note_of_200_000_characters_is_read(cascade: Deidentifier, unit: str) -> None:
    text = unit * (200_000 // len(unit))

    (clean,) = cascade.deidentify([text])

    assert "Kasia" not in clean.text
    assert len(clean.surrogates) == len(clean.plan)


@given(st.text(st.characters(codec=None), max_size=60), st.data())
def test_for_any_text_and_any_plan_all_outside_is_kept_and_nothing_inside_survives(
    text: str, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8, unique=True)))
    plan = [
        Redaction(a, b, Label.PERSON, "[Person 1]", 1.0, "test", "test")
        for a, b in zip(cuts[::2], cuts[1::2], strict=False)
    ]

    clean = apply_plan(text, plan)

    outside = [
        text[a:b] for a, b in zip([0, *(r.end for r in plan)], [*(r.start for r in plan), len(text)], strict=True)
    ]
    assert clean.text == "[Person 1]".join(outside)


NAMES = st.sampled_from(["Oluwaseun", "Kasia", "Tadhg", "Nasreen", "Mei-Ling", "Zofia"])
CASINGS = st.sampled_from([str, str.lower, str.upper, str.title])
WORDS = st.sampled_from("we saw went with and the to her his school was sad not there then . , \n".split(" "))


@settings(max_examples=60)
@given(NAMES, st.lists(st.one_of(WORDS, CASINGS), min_size=3, max_size=14))
def test_a_name_found_once_survives_in_no_casing(cascade: Deidentifier, name: str, parts: list[object]) -> None:
    words = [part if isinstance(part, str) else part(name) for part in parts]  # type: ignore[operator]
    text = f"Mrs {name} came. " + " ".join(words)

    (clean,) = cascade.deidentify([text])

    assert name.casefold() not in clean.text.casefold()


@given(st.lists(st.text(st.characters(codec=None), max_size=80), max_size=3))
@settings(max_examples=60)
def test_doubts_stand_outside_surrogates_and_inside_the_clean_text(cascade: Deidentifier, texts: list[str]) -> None:
    for clean in cascade.deidentify(texts):
        for doubt in clean.doubts:
            assert 0 <= doubt.start < doubt.end <= len(clean.text)
            assert not any(doubt.start < s.end and s.start < doubt.end for s in clean.surrogates)
