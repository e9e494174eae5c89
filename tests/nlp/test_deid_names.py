"""Names: listed in any case, words only with a capital in mid-sentence, anything after a cue."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.deid.allow import is_harmless
from nlp.deid.build_names import build
from nlp.deid.lexicon import listed
from nlp.deid.names import NameDetector
from nlp.types import Label


def marked(text: str) -> str:
    """The text with «…» around each stretch that some rule took for a name."""
    (found,) = NameDetector().detect([text])  # doubts too: the model decides about them
    taken = {i for d in found for i in range(d.start, d.end)}
    out = ""
    for i, ch in enumerate(text):
        out += "«" * (i in taken and i - 1 not in taken) + ch + "»" * (i in taken and i + 1 not in taken)
    return out


@pytest.mark.parametrize(
    "example",
    [
        "«sarah» said so",
        "I met «SARAH» there",
        "«Sarah» said so",
        "then «aarav» cried",
        "«Mohammed's» shoes",
        "«Mary-Jane» came",
        "«ana-maria» came",
        "«Sarah Jones» went",
        "«Sarah J». went",
        "«Sarah» And «Tom»",
        "«Sarah». Jones was late",
        "«sarah» jones went",
        "«Fatima» and «Oluwaseun» and «Zofia»",
    ],
)
def test_a_listed_name_is_found_in_any_case_with_its_family_name(example: str) -> None:
    assert marked(example.replace("«", "").replace("»", "")) == example


@pytest.mark.parametrize(
    "example",
    [
        "the rose was red",
        "we went in summer",
        "I hope so, I will, may I",
        "Summer came late",
        "It rained. Summer was over",
        "He said: “Grace is a virtue”",
        "- Hope\n- Joy",
        "ROSE SAID HI",
        "I asked «Rose» about it",
        "then «Summer» came",
        "Mum told May and «Grace»",
    ],
)
def test_a_name_that_is_a_word_needs_a_capital_in_mid_sentence(example: str) -> None:
    assert marked(example.replace("«", "").replace("»", "")) == example


@pytest.mark.parametrize(
    "example",
    [
        "then Mr «Okonkwo» rang",
        "then MRS. «Okonkwo-Blip» rang",
        "I asked Auntie «Zyx» to come",
        "the boy, called «Zyx», ran",
        "a girl named «Zyx Blip»",
        "his name is «Zyx»",
        "my name is «zyx»",
        "my brother called «zyx»",
        "my social worker «Zyx» said",
        "her mum, «Zyx», said",
        "our dog «Zyx»",
        "SW: «Zyx» to ring",
        "key worker «Zyx» to ring",
        "Thanks,\n«Zyx»",
        "Best wishes\n\n«Zyx Blip»",
        "love from\n«Zyx»",
        "mr «okonkwo» rang",
        "called back later",
        "named it after the day",
        "my social worker Did no",
        "my mum The best",
        "thanks, zyx",
        "from Ofsted",
        "my social worker CAMHS",
    ],
)
def test_a_name_that_no_list_holds_is_found_after_its_cue(example: str) -> None:
    assert marked(example.replace("«", "").replace("»", "")) == example


@pytest.mark.parametrize("text", ["Mum and Dad and Nan", "Early Help and CAMHS", "no one said it", "", "😀", "12 34"])
def test_words_of_family_and_sector_are_no_names(text: str) -> None:
    assert marked(text) == text


@given(
    st.sampled_from(sorted(n for n in listed("forenames") - listed("word_names") if not is_harmless(n))), st.booleans()
)
def test_every_listed_name_that_is_no_word_is_found_alone(name: str, capital: bool) -> None:
    words = name.title() if capital else name
    assert marked(f"we saw {words} there") == f"we saw «{words}» there"


@given(st.text(max_size=100))
def test_every_detection_is_a_person_inside_the_text(text: str) -> None:
    (found,) = NameDetector().detect([text])  # doubts too: the model decides about them
    assert all(0 <= d.start < d.end <= len(text) and d.label is Label.PERSON for d in found)


@pytest.mark.parametrize("text", ["from" + "\n" * 50_000 + "x", "SW" + " " * 50_000 + "x", "thanks" + "," * 50_000])
def test_fifty_thousand_blanks_after_a_cue_are_no_name(text: str) -> None:
    assert NameDetector().detect([text]) == [[]]


def test_the_words_among_the_names_are_all_names() -> None:
    assert {"will", "rose", "hope", "summer", "may"} <= listed("word_names")


def test_the_lists_are_built_from_births_countries_our_own_names_and_the_words_of_comments(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "names").mkdir(parents=True)
    (data / "themes" / "set").mkdir(parents=True)
    (data / "names" / "ons_forenames.csv").write_text(
        "name,births\nJohnx,50\nJohnx,20\nRarex,3\nAlx,900\nMay,100\nTablex,90\n"
    )
    for kind, names in (("forenames", "Aminax\nJo Ann\nXi\n"), ("surnames", "Blipx\n")):
        file = data / "names" / f"common-{kind}-by-country.csv"
        file.write_text(f"Romanized Name\n{names}", "utf-8-sig")
    texts = [json.dumps({"text": "the tablex, a tablex. TABLEX tablex"}), json.dumps({"text": "Johnx aminax the the"})]
    (data / "themes" / "set" / "texts.jsonl").write_text("\n".join(texts))

    counts = build(data, tmp_path / "out")

    lists = {path.stem: set(path.read_text("utf-8").split("\n")) for path in (tmp_path / "out").glob("*.txt")}
    assert {"aminax", "johnx", "tablex", "may", "alx"} <= lists["forenames"] and "rarex" not in lists["forenames"]
    assert {"may", "tablex"} <= lists["word_names"] and "johnx" not in lists["word_names"]
    assert "blipx" in lists["family_names"] and "the" in lists["everyday"] and "thirsk" in lists["places"]
    assert counts["countries"] > 200 and "poland" in lists["countries"]


@pytest.mark.parametrize(
    "example",
    [
        "there is a boy called «zyx blip» and he hits",
        "a girl called «zyx» and me",
        "a lad named «zyx blipp-blop» came",
        "my teecher is mrs «blip» and she is kind",
        "mr «zyx» sed no",
        "Dr «dos Santos» has left",
        "Mr «van der Blip» rang",
        "mr and mrs «blip»",
        "dr said wait",
        "«B Tolley» rang",
        "Yours, «J. Bowditch»",
        "checked by «TA»: done",
        "DSL informed. «RP»",
        "Gave her a sheet. «K.B.»",
        "all agreed. OK",
        "«B»'s 13 and out",
        "It rained. «K» says no",
        "Plan B is to wait",
        "«Zoyas» coat",
    ],
)
def test_titles_initials_and_whoever_is_called_something(example: str) -> None:
    assert marked(example.replace("«", "").replace("»", "")) == example
