"""Which voices need a person because of their language: English in every hand is passed, other languages are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.deid.language import languages

ENGLISH = [
    "i liyk wen my mum pleys wiv me",
    "me n jess wnt 2 da park n it woz sik",
    "MR WOZNIAK IS THE BESTEST DINER MAN",
    "Zahra Al-Rubaie DNA x3 - d/c",
    "cc: Moira Ogilvie; Tunde Bakare; file",
    "Attendees: HB, OSM, mum, rep from Oasis. Apologies: health.",
    "wor lass gan yem cos she wes bad like",
    "she dint say owt nobdi dus but i no",
    "TM spoke w/ HV re CIN plan, S47 closed, IRO informed.",
    "we had jollof, plantain and yoghurt and he ate well",
    "Kasia",
    "hola!",
    "ok",
]
FOREIGN = [
    ("pl", "moja córka nie chce chodzić do szkoły i bardzo się martwię"),
    ("pl", "MOJA CÓRKA NIE CHCE CHODZIĆ DO SZKOŁY I BARDZO SIĘ MARTWIĘ"),
    ("ro", "copilul meu nu vrea sa mearga la gradinita si nu stiu ce sa fac"),
    ("pt", "O meu filho não fala muito e eu preciso de ajuda com a escola"),
    ("es", "mi hija no quiere ir al colegio y yo no sé qué hacer"),
    ("tr", "kızım okula gitmek istemiyor ve ne yapacağımı bilmiyorum"),
    ("sq", "djali im nuk flet ende dhe kam shumë frikë për të"),
    ("so", "ilmahaygu ma hadlo oo waan ka walwalsanahay aad"),
    ("vi", "con trai tôi chưa nói được và tôi rất lo lắng"),
    ("cy", "dydy fy merch ddim eisiau mynd i'r ysgol bore fory"),
    ("hu", "a lányom nem akar iskolába menni és nagyon aggódom"),
    ("uk", "моя донька не хоче йти до школи"),
    ("ar", "ابنتي لا تريد الذهاب الى المدرسة"),
    ("ur", "میری بیٹی سکول نہیں جانا چاہتی"),
    ("bn", "আমার মেয়ে স্কুলে যেতে চায় না"),
    ("pa", "ਮੇਰੀ ਧੀ ਸਕੂਲ ਨਹੀਂ ਜਾਣਾ ਚਾਹੁੰਦੀ"),
    ("zh", "我的女儿不想去上学"),
]


@pytest.mark.parametrize("text", ENGLISH)
def test_english_in_any_hand_is_passed(text: str) -> None:
    assert not languages([text])[0].needs_person


@pytest.mark.parametrize(("code", "text"), FOREIGN)
def test_another_language_needs_a_person(code: str, text: str) -> None:
    found = languages([text])[0]

    assert found.needs_person
    assert found.code == code
    assert found.why


@pytest.mark.parametrize(
    "text",
    [
        "meri beti school nahi jana chahti aur mujhe bohat fikar hai",
        "amar meye school e jete chay na ar ami khub chinta kori",
        "mera puttar gal nahi karda te mainu bohat fikar ae",
    ],
)
def test_a_language_in_latin_letters_needs_a_person_whatever_it_is(text: str) -> None:
    assert languages([text])[0].needs_person


def test_one_sentence_among_english_ones_is_enough() -> None:
    text = "The hub is nice. Ale moja siostra nie mogła przyjść bo nie ma biletu na autobus. Thank you."

    assert languages([text])[0].code == "pl"


@pytest.mark.parametrize("text", ["", "   ", "😀👨‍👩‍👧", "12 34", "!!!"])
def test_where_there_are_no_words_no_person_is_needed(text: str) -> None:
    found = languages([text])[0]

    assert (found.code, found.needs_person) == ("und", False)


def test_a_very_long_note_is_read() -> None:
    assert not languages(["The hub helped us a lot. " * 8_000])[0].needs_person
    assert languages(["The hub helped us a lot. " * 8_000 + FOREIGN[0][1]])[0].needs_person


@given(st.lists(st.text(), max_size=4))
def test_any_text_gets_an_answer(texts: list[str]) -> None:
    assert len(languages(texts)) == len(texts)


def test_half_a_surrogate_pair_is_no_obstacle() -> None:
    assert not languages(["we went \ud800 to the park and it was good"])[0].needs_person
