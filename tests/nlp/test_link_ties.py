"""A link is a reasoned, versioned tie to a code in use; what is said of it keeps to what its level carries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from nlp.codebook import read_codebook
from nlp.errors import IndicatorError
from nlp.findings.link import Level, check_links, fingerprint, read_links, too_strong
from nlp.findings.link.levels import RULES
from nlp.types import CodeStatus
from tests.conftest import ROOT
from tests.nlp.test_findings_link import ENTRY, SITES


def written(folder: Path, *entries: dict[str, object]) -> Path:
    file = folder / "links.yaml"
    file.write_text(yaml.safe_dump(list(entries)), "utf-8")
    return file


@pytest.mark.parametrize("site", SITES)
def test_every_sample_codebook_ties_codes_in_use_to_indicators_with_its_reasoning(site: str) -> None:
    links = read_links(ROOT / "codebooks" / site / "links.yaml")
    codebook = read_codebook(ROOT / "codebooks" / site)

    check_links(links, codebook)

    assert links
    assert all(len(link.why) > 80 and len(link.population_note) > 40 and link.period_note for link in links)


def test_a_link_to_a_retired_code_is_refused_with_what_to_do(tmp_path: Path) -> None:
    book = read_codebook(ROOT / "codebooks" / "north-yorkshire-care-leavers")
    retired = replace(
        book, codes=tuple(replace(c, status=CodeStatus.RETIRED) if c.id == "CL1" else c for c in book.codes)
    )
    links = read_links(written(tmp_path, {**ENTRY, "code": "CL2"}, {**ENTRY, "id": "L2", "code": "CL1"}))

    with pytest.raises(IndicatorError, match=r"row 2: link L2 ties CL1, which version .* retired.*Tie the indicator"):
        check_links(links, retired)


def test_a_link_to_a_code_that_was_never_there_is_refused(tmp_path: Path) -> None:
    book = read_codebook(ROOT / "codebooks" / "north-yorkshire-care-leavers")

    with pytest.raises(IndicatorError, match="ties ZZ1, which this codebook does not have"):
        check_links(read_links(written(tmp_path, {**ENTRY, "code": "ZZ1"})), book)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"id": "a b"}, "an id is a letter"),
        ({"id": "../x"}, "an id is a letter"),
        ({"stance": "angry"}, "the stance is none of"),
        ({"level": "L9"}, "the level is none of"),
        ({"version": "0"}, "whole number from 1"),
        ({"version": "two"}, "whole number from 1"),
        ({"version": "2"}, "a later version needs"),
        ({"why": "  "}, "a tie without its reasoning"),
        ({"date": "15/01/2026"}, "not of the form"),
    ],
)
def test_a_link_that_contradicts_itself_is_named(tmp_path: Path, change: dict[str, object], problem: str) -> None:
    with pytest.raises(IndicatorError, match=f"row 1: .*{problem}"):
        read_links(written(tmp_path, {**ENTRY, **change}))


def test_two_links_of_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IndicatorError, match="row 2: two links have this id"):
        read_links(written(tmp_path, ENTRY, ENTRY))


def test_a_fingerprint_changes_with_any_word_and_only_then(tmp_path: Path) -> None:
    (one,) = read_links(written(tmp_path, ENTRY))
    (same,) = read_links(written(tmp_path, dict(reversed(ENTRY.items()))))

    assert fingerprint(one) == fingerprint(same)
    assert fingerprint(one) != fingerprint(replace(one, why=one.why + "."))


@pytest.mark.parametrize(
    ("level", "words", "found"),
    [
        (Level.CONTEXT, "The figure stands beside what was heard.", ()),
        (Level.CONTEXT, "Bad housing causes worry and is correlated with it.", ("causes", "correlated")),
        (Level.CONTEXT, "They differ: suitable on paper, unsafe in fact.", ()),
        (Level.AREAS, "It is associated with the rate, across areas.", ()),
        (Level.AREAS, "This led to worry.", ("led to",)),
        (Level.GROUPS, "Girls are more likely to say so.", ()),
        (Level.GROUPS, "Age is associated with it.", ("associated",)),
        (Level.PEOPLE, "Among these people it is associated with the code.", ()),
        (Level.PEOPLE, "It PROVES that moves lead to worry.", ("PROVES", "lead to")),
    ],
)
def test_words_that_say_more_than_the_level_carries_are_found(level: Level, words: str, found: tuple[str, ...]) -> None:
    assert too_strong(level, words) == found


def test_no_level_permits_a_word_of_cause_and_each_keeps_its_own_verbs() -> None:
    for level, rule in RULES.items():
        assert not any(too_strong(level, verb) for verb in rule.verbs)
        assert too_strong(level, "it causes that")
