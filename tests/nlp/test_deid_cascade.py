"""The cascade as shipped, on what people write and on what no one would."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.deid.cascade import Deidentifier
from nlp.deid.patterns import PatternDetector
from nlp.types import Label

AWKWARD = {
    "empty": "",
    "blank": " \n\t ",
    "null characters": "Sarah\0lives\0 in Leeds\0",
    "lone surrogates": "\ud800Sarah\udfff said \ud83d",
    "right to left": "قالت سارة: رقمي 07700 900123 \u202eSarah\u202c",
    "hebrew": "שרה אמרה sarah שלום",
    "emoji families": "👨‍👩‍👧‍👦 Sarah 👩🏽‍🦱 and 🏳️‍🌈 sarah 🇬🇧",
    "combining marks": "Zoe\u0308 and Sara\u0301h met Zoe\u0308 at jo@example.com",
    "bengali": "আমার নাম sarah, ফোন 07700 900123। \u0995\u09c7\u09be",
    "hangul": "\u1112\u1161\u11ab Sarah \u1100\u1173\u11af",
    "only a name": "Sarah",
    "only a small name": "sarah",
    "one letter": "x",
    "byte order mark": "\ufeffSarah Jones",
    "one long word": "a" * 20_000,
    "line ends": "Sarah\r\nJones\r\n\r\nTom\u2028Ann",
}


@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD.keys())
def test_offsets_lie_inside_the_text_as_given(cascade: Deidentifier, text: str) -> None:
    (clean,) = cascade.deidentify([text])
    assert all(0 <= r.start < r.end <= len(text) for r in clean.plan)
    assert all(a.end <= b.start for a, b in pairwise(clean.plan))
    hidden = {i for r in clean.plan for i in range(r.start, r.end)}
    shown = {i for s in clean.surrogates for i in range(s.start, s.end)}
    kept = "".join(ch for i, ch in enumerate(text) if i not in hidden)
    assert "".join(ch for i, ch in enumerate(clean.text) if i not in shown) == kept


@pytest.mark.parametrize("key", [k for k, v in AWKWARD.items() if "sarah" in v.casefold()])
def test_a_name_is_masked_whatever_stands_around_it(cascade: Deidentifier, key: str) -> None:
    (clean,) = cascade.deidentify([AWKWARD[key]])
    assert "sarah" not in clean.text.casefold()


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Sarah", "[Person 1]"),
        ("sarah", "[Person 1]"),
        ("", ""),
        ("\0", "\0"),
        ("Sarah's mum rang 07700 900123.", "[Person 1]'s mum rang [Phone number]."),
        ("my name is zyx and im 14 and sad", "my name is [Person 1] and im [Aged 11 to 15] and sad"),
        ("Zoe\u0308 came and Zoe\u0308 left", "[Person 1] came and [Person 1] left"),
        (
            "please ring Amina on 0161 496 0000, dob 1/2/2010",
            "please ring [Person 1] on [Phone number], dob [Born 2010 to 2014]",
        ),
        ("I waited 10 minutes on Monday.", "I waited 10 minutes on Monday."),
        ("Mum and the SW went to CAMHS.", "Mum and the SW went to CAMHS."),
        ("He is in KS2 at OL1 1AA", "He is in KS2 at [Postcode]"),
    ],
)
def test_a_text_becomes_its_clean_text(cascade: Deidentifier, text: str, clean: str) -> None:
    assert cascade.deidentify([text])[0].text == clean


@given(texts=st.lists(st.text(st.characters(codec=None), max_size=40), max_size=3))
@settings(max_examples=50)
def test_any_texts_come_back_in_order_with_sound_plans(cascade: Deidentifier, texts: list[str]) -> None:
    clean = cascade.deidentify(texts)
    assert len(clean) == len(texts)
    assert all(0 <= r.start < r.end <= len(t) for t, c in zip(texts, clean, strict=True) for r in c.plan)


def test_a_clean_text_is_the_same_alone_and_among_others(cascade: Deidentifier) -> None:
    texts = [t for t in AWKWARD.values() if len(t) < 1000]
    assert cascade.deidentify(texts) == [cascade.deidentify([t])[0] for t in texts]


def test_every_redaction_says_what_found_it_and_why(cascade: Deidentifier) -> None:
    (clean,) = cascade.deidentify(["Sarah lives at OL1 1AA with Zyx in Scarborough, ref 12345"])
    assert {r.detector.split("/")[0] for r in clean.plan} >= {"patterns.v2", "model.v1"}
    assert all(r.why and 0 < r.score <= 1 for r in clean.plan)


def test_the_fingerprint_names_every_detector_in_order(cascade: Deidentifier) -> None:
    assert cascade.fingerprint.startswith("patterns.v2+names.v2+model.v1-")


def test_a_detector_can_be_run_alone() -> None:
    alone = Deidentifier([PatternDetector()])
    (found,) = alone.detect(["Sarah rang 07700 900123"])
    assert {d.label for d in found} == {Label.PHONE}
    assert alone.deidentify([]) == []
