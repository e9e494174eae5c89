"""Candidate themes in a study: found in what no code fits, and settled by people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from service.errors import RecordError, StudyError
from service.study.candidates import acts
from service.study.codebooks import all_codebooks
from service.usecases import discover
from service.usecases.deidentify import deidentify_study
from service.usecases.intake import take_in
from service.usecases.suggest import suggest_study
from service.wiring import codebook_named
from tests.conftest import NOW, Made
from tests.service.reading import quiet

PETS = (
    "they made me leave my rabbit", "my dog had to go when we moved", "nobody asked about the cat", "i miss the rabbit so much",
    "the dog is at my nans now", "what about the hamster they said no pets", "no pets allowed they said about the rabbit",
    "my dog was given away", "the cat went to a shelter", "i want my dog back", "we could not bring the rabbit with us",
)  # fmt: skip
BUS = (
    "the 42 bus is red", "a bus has wheels", "red bus blue bus", "buses have numbers on the front", "the bus is long",
    "i can count six buses", "bus bus bus goes the song", "double decker buses are tall", "the wheels on the bus",
)  # fmt: skip


@pytest.fixture
def searched(made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder) -> Made:
    """A study in which nothing is suggested, and a search over it."""
    file = tmp_path / "in.csv"
    rows = [f"{i},{text},child,P{i}" for i, text in enumerate((*PETS, *BUS))]
    file.write_text("\n".join(["id,text,voice,participant", *rows]) + "\n", "utf-8")
    take_in(made.study, file, made.key, now=NOW, keep_raw_days=30, actor="t")
    deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=quiet)
    silent = replace(made.study, threshold=0.99)
    suggest_study(silent, codebook_named(silent.codebook), minilm, now=NOW, actor="t", progress=quiet)
    discover.find_candidates(silent, minilm, seed=1, now=NOW, actor="t")
    return Made(silent, made.key)


def test_candidates_are_found_stored_and_shown_with_their_words(searched: Made) -> None:
    found, held, words = discover.shown(searched.study)

    assert found.leftovers == len(PETS) + len(BUS)
    assert held
    assert all(segment in words for one in held for segment in one.candidate.central)
    assert held[0].candidate.people >= 2


def test_adopting_makes_a_draft_code_with_quotes_in_a_new_version_and_it_is_suggested(
    searched: Made, minilm: Encoder
) -> None:
    _, held, words = discover.shown(searched.study)
    before = codebook_named(searched.study.codebook)

    book = discover.adopt(searched.study, held[0].id, label="Leaving a pet behind", definition="", by="Sam", now=NOW)
    used = discover.codebook_in_use(searched.study, before)

    code = book.code("T1")
    assert (before.version, book.version) == ("0.1.0", "0.2.0")
    assert code.examples == tuple(words[s] for s in held[0].candidate.central[:3])
    assert code.status == "draft"
    assert used == book
    assert {c.id for c in before.codes} < {c.id for c in book.codes}
    report = suggest_study(searched.study, used, minilm, now=NOW, actor="t", progress=quiet)
    assert report.segments == len(PETS) + len(BUS)
    assert [a.act for a in acts(searched.study.db)] == ["adopt"]


def test_two_adoptions_before_the_next_suggestions_both_stand(searched: Made) -> None:
    _, held, _ = discover.shown(searched.study)
    part = discover.split(searched.study, held[0].id, held[0].candidate.members[:2], by="Sam", now=NOW)

    for n, one in enumerate(part):
        discover.adopt(searched.study, one.id, label=f"Theme {n}", definition="", by="Sam", now=NOW)

    versions = {b.version: {c.id for c in b.codes} for b in all_codebooks(searched.study.db, searched.study.codebook)}
    assert {"T1", "T2"} <= versions["0.3.0"]
    assert "T2" not in versions["0.2.0"]


def test_a_split_and_its_merge_keep_every_segment_and_the_record(searched: Made) -> None:
    _, held, _ = discover.shown(searched.study)
    whole = held[0].candidate

    parts = discover.split(searched.study, held[0].id, whole.members[:2], by="Sam", now=NOW)
    again = discover.merge(searched.study, [p.id for p in parts], by="Sam", now=NOW)

    assert [len(p.candidate.members) for p in parts] == [2, len(whole.members) - 2]
    assert set(again.candidate.members) == set(whole.members)
    assert again.candidate.people == whole.people
    assert again.came_from == tuple(p.id for p in parts)
    assert [a.act for a in acts(searched.study.db)] == ["split", "merge", "merge"]


def test_what_is_settled_is_not_settled_twice_and_is_no_longer_shown(searched: Made) -> None:
    _, held, _ = discover.shown(searched.study)

    discover.dismiss(searched.study, held[0].id, by="Sam", now=NOW, note="Only greetings")

    assert held[0].id not in {one.id for one in discover.shown(searched.study)[1]}
    with pytest.raises(RecordError, match="already settled"):
        discover.adopt(searched.study, held[0].id, label="Pets", definition="", by="Sam", now=NOW)
    assert len(all_codebooks(searched.study.db, searched.study.codebook)) == 1


def test_faults_are_named(searched: Made, made: Made) -> None:
    _, held, _ = discover.shown(searched.study)
    with pytest.raises(RecordError, match="no candidate theme 999"):
        discover.dismiss(searched.study, 999, by="Sam", now=NOW, note="x")
    with pytest.raises(StudyError, match="say why"):
        discover.dismiss(searched.study, held[0].id, by="Sam", now=NOW, note=" ")
    with pytest.raises(StudyError, match="needs a name"):
        discover.adopt(searched.study, held[0].id, label=" ", definition="", by="Sam", now=NOW)
    with pytest.raises(StudyError, match="some, but not all"):
        discover.split(searched.study, held[0].id, held[0].candidate.members, by="Sam", now=NOW)
    with pytest.raises(StudyError, match="two or more"):
        discover.merge(searched.study, [held[0].id], by="Sam", now=NOW)


def test_a_newer_codebook_file_without_the_adopted_code_is_refused(searched: Made) -> None:
    _, held, _ = discover.shown(searched.study)
    discover.adopt(searched.study, held[0].id, label="Pets", definition="", by="Sam", now=NOW)

    with pytest.raises(StudyError, match="lacks T1"):
        discover.codebook_in_use(searched.study, replace(codebook_named(searched.study.codebook), version="0.10.0"))
