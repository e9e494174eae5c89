"""The sample corpora: what the exports hold is what was written, gold fits the text, and no two texts are alike."""

from __future__ import annotations

import collections
import importlib.util
import json
import re
import types
from pathlib import Path
from typing import Any

import pytest

from nlp.codebook import read_codebook
from nlp.types import Label, Stance, Voice
from tests.conftest import ROOT

CORPORA = ROOT / "corpora_sample"
SITES = ("hampshire-early-help", "north-yorkshire-care-leavers", "oldham-early-language", "rochdale-family-hub")
RUN = 8


def exporter() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("make_exports", CORPORA / "make_exports.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def written(site: str) -> list[dict[str, Any]]:
    make = exporter()
    found: list[dict[str, Any]] = make.written(make.SITES[site][0])
    return found


@pytest.mark.parametrize("site", SITES)
def test_exports_and_gold_are_those_that_the_written_texts_make(site: str) -> None:
    make = exporter()
    prefix, exports = make.SITES[site]

    for name, content in {**exports(), **make.gold(prefix)}.items():
        if not name.endswith(".xlsx"):  # a workbook holds the time of its making
            assert (CORPORA / site / name).read_bytes() == content


@pytest.mark.parametrize("site", SITES)
def test_each_site_has_at_least_250_voices_of_known_kinds(site: str) -> None:
    entries = written(site)

    assert len(entries) >= 250
    assert len({e["id"] for e in entries}) == len(entries)
    assert {e["voice"] for e in entries} <= set(Voice)
    assert {e["consent"] for e in entries} == {"analysis_only", "analysis_and_quotes"}
    assert all(e[k] for e in entries for k in ("participant", "via", "provenance", "age_band", "area", "period"))


@pytest.mark.parametrize("site", SITES)
def test_gold_spans_hold_their_words_and_do_not_overlap(site: str) -> None:
    for row in rows(CORPORA / site / "gold" / "spans.jsonl"):
        end = 0
        for span in row["spans"]:
            words = row["text"][span["start"] : span["end"]]
            assert end <= span["start"] < span["end"] <= len(row["text"])
            assert words == words.strip()
            assert span["label"] in set(Label)
            assert ("origin" in span) == (span["label"] == "PERSON")
            end = span["end"]


@pytest.mark.parametrize("site", SITES)
def test_gold_codes_are_of_the_sites_codebook_with_evidence_and_stance(site: str) -> None:
    known = {c.id for c in read_codebook(ROOT / "codebooks" / site).codes}
    used = collections.Counter[str]()
    for row in rows(CORPORA / site / "gold" / "texts.jsonl"):
        assert len(row["codes"]) <= 4
        for code in row["codes"]:
            used[code["code"]] += 1
            if code["code"] != "X0":
                assert code["stance"] in set(Stance)
                assert row["text"][code["start"] : code["end"]].strip()

    assert set(used) == known
    assert min(used.values()) >= 4


def test_no_two_texts_share_eight_words_in_a_row_but_the_cloned_notes() -> None:
    seen: dict[str, str] = {}
    shared = []
    for entry in (e for site in SITES for e in written(site) if "cloned_from" not in e):
        words = re.findall(r"\w+", entry["plain"].casefold())
        for run in (" ".join(words[i : i + RUN]) for i in range(len(words) - RUN + 1)):
            if seen.setdefault(run, entry["id"]) != entry["id"]:
                shared.append((seen[run], entry["id"]))

    assert shared == []


def test_cloned_notes_are_meant_and_belong_to_the_same_person() -> None:
    entries = {e["id"]: e for e in written("hampshire-early-help")}
    clones = [e for e in entries.values() if "cloned_from" in e]

    assert len(clones) == 12
    assert all(entries[e["cloned_from"]]["participant"] == e["participant"] for e in clones)


def test_no_text_repeats_a_codebooks_example() -> None:
    quotes = {
        " ".join(re.findall(r"\w+", example.casefold()))
        for site in SITES
        for code in read_codebook(ROOT / "codebooks" / site).codes
        for example in code.examples
        if len(example.split()) >= 6
    }
    texts = [" ".join(re.findall(r"\w+", e["plain"].casefold())) for site in SITES for e in written(site)]

    assert not [q for q in quotes if any(q in t for t in texts)]


def test_contact_details_are_of_ranges_kept_for_fiction() -> None:
    for site in SITES:
        for row in rows(CORPORA / site / "gold" / "spans.jsonl"):
            for span in row["spans"]:
                words = row["text"][span["start"] : span["end"]]
                if span["label"] == "EMAIL":
                    assert re.search(r"@\s?example\.(?:org|com|net)$", words, re.I), (row["id"], span)
                if span["label"] == "PHONE":
                    digits = re.sub(r"\D", "", words).replace("447700", "07700").replace("441632", "01632")
                    assert re.match(r"07700900|01632960", digits) or len(digits) <= 6, (row["id"], span)
