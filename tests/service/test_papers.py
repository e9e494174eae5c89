"""The papers: every field filled from the study as it is, or said to be the council's own to fill."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from defusedxml.ElementTree import fromstring

from service import wiring
from service.papers.bill import libraries
from service.papers.facts import Facts, facts
from service.papers.write import BILL, PAPERS, TO_FILL, papers
from service.study.study import opened
from tests.conftest import NOW, Made


@pytest.fixture(scope="module")
def found(demo_folder: Path) -> Facts:
    with opened(demo_folder / "north-yorkshire-care-leavers") as study:
        return facts(study, wiring.settings(), person="An officer", now=NOW)


@pytest.fixture(scope="module")
def written(found: Facts) -> dict[str, str]:
    return {paper.name: paper.content.decode() for paper in papers(found)}


def test_there_is_each_paper_and_it_names_the_study_and_the_day(written: dict[str, str], found: Facts) -> None:
    assert set(written) == {*PAPERS, BILL}
    for name, words in written.items():
        if name.endswith(".md"):
            assert found.study.title in words, name
            assert f"{NOW[:10]} by Heard {found.version}" in words, name


def test_no_paper_holds_a_blank_or_a_word_of_the_templates(written: dict[str, str]) -> None:
    for name, words in written.items():
        assert not re.search(r"\{[{%]|None|Undefined|\| +\|(?! \|)", words) or name == BILL, name


def test_what_heard_cannot_know_is_left_to_the_council(written: dict[str, str], found: Facts) -> None:
    assert f"| Where the information comes from | **{TO_FILL}**" in written["dpia.md"]
    counted = {p.name: p.to_fill for p in papers(found)}
    assert all(counted[name] == words.count(f"**{TO_FILL}** ") for name, words in written.items())


def test_the_figures_are_those_of_the_study(written: dict[str, str], found: Facts) -> None:
    assert f"{found.counts.voices:,} voices" in written["dpia.md"]
    assert f"{found.counts.redactions:,} were replaced" in written["dpia.md"]
    everybody = found.by_voice[0]
    assert everybody.missed is not None
    assert everybody.missed.low <= everybody.missed.value <= everybody.missed.high
    assert (
        f"| everybody | {everybody.people} | {everybody.texts} | {everybody.missed.value:.0%} ("
        in written["model_cards.md"]
    )


def test_error_rates_are_of_what_was_read_blind_before_the_machine_was_seen(found: Facts) -> None:
    groups = {rates.group: rates for rates in found.by_voice}
    assert groups["everybody"].texts == sum(r.texts for name, r in groups.items() if name != "everybody")
    assert all(r.missed is None for r in groups.values() if r.people < 10)


def test_an_empty_study_says_that_nothing_is_known_yet(made: Made) -> None:
    words = {p.name: p.content.decode() for p in papers(facts(made.study, wiring.settings(), person="x", now=NOW))}
    assert "no voice of the random check has been read yet" in words["dpia.md"]
    assert "No text has been read blind yet" in words["model_cards.md"]
    assert "no round yet" in words["methods.md"]


def test_the_bill_of_materials_is_of_the_standard_and_holds_what_is_installed(written: dict[str, str]) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(written[BILL]) is None
    held = {one.name for one in libraries()}
    assert {"torch", "fastapi", "cryptography", "numpy"} <= held
    assert "pytest" not in held
    assert all(f'"pkg:pypi/{name}@' in written[BILL] for name in held)


def test_the_picture_says_in_words_what_it_shows(written: dict[str, str]) -> None:
    root = fromstring(written["data_flow.svg"])
    told = {child.tag.rpartition("}")[2]: child.text or "" for child in root}
    assert "destroyed after 90 days" in told["desc"]
    assert told["title"]
