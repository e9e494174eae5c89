"""The matcher's corpus: large, of several hands, diverse, and apart from what the matcher is measured on."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.codebook import read_codebook
from nlp.errors import CorpusError
from nlp.models.matcher.fields import (
    HELD_OUT,
    HELD_OUT_HAND,
    Field,
    _runs,
    content_words,
    diversity,
    is_wordless,
    read_field,
    read_fields,
)
from nlp.models.matcher.noise import flattened, respelt
from nlp.models.matcher.train import for_training
from tests.conftest import ROOT

SITES = (
    "hampshire-early-help",
    "north-yorkshire-care-leavers",
    "oldham-early-language",
    "rochdale-family-hub",
    "information-use",
)


@pytest.fixture(scope="module")
def fields() -> list[Field]:
    return read_fields()


def test_the_corpus_is_as_large_and_as_diverse_as_its_datasheet_says(fields: list[Field]) -> None:
    found = diversity(fields)
    assert found.fields >= 24
    assert found.texts >= 5000
    assert found.positives >= 9000
    assert found.wordless >= found.positives / 3
    assert found.hands >= 6
    assert found.repeated_runs == 0


def test_every_field_has_a_codebook_of_some_size_and_enough_texts_in_varied_voices(fields: list[Field]) -> None:
    for field in fields:
        assert 10 <= len(field.codebook.codes) <= 20, field.name
        assert len(field.texts) >= 200, field.name
        assert len({t.voice for t in field.texts}) >= 3, field.name
        assert len({t.style for t in field.texts}) >= 10, field.name
        assert any(not t.given for t in field.texts), field.name
        assert len({t.id for t in field.texts}) == len(field.texts), field.name


def test_six_whole_fields_and_one_hand_are_held_out(fields: list[Field]) -> None:
    taught = for_training(fields)
    assert len(fields) - len(taught) == len(HELD_OUT) == 6
    assert not {f.name for f in taught} & set(HELD_OUT)
    assert HELD_OUT_HAND not in {t.hand for f in taught for t in f.texts}


def test_nothing_of_the_sites_or_their_sample_corpora_is_in_it(fields: list[Field]) -> None:
    said = [t.text for f in fields for t in f.texts] + [q for f in fields for c in f.codebook.codes for q in c.examples]
    runs = set().union(*map(_runs, said))
    for gold in (ROOT / "corpora_sample").glob("*/gold/texts.jsonl"):
        sample = [json.loads(line)["text"] for line in gold.read_text("utf-8").splitlines()]
        assert not runs & set().union(*map(_runs, sample)), gold.parent.parent.name
    for site in SITES:
        codes = read_codebook(ROOT / "codebooks" / site).codes
        assert not runs & set().union(*(_runs(q) for c in codes for q in (*c.examples, c.definition))), site


def test_wordless_means_no_content_word_of_the_entry(fields: list[Field]) -> None:
    code = fields[0].codebook.codes[0]
    assert not is_wordless(code, code.label)
    assert is_wordless(code, "zzz")
    assert content_words("The children's waiting rooms") == content_words("a child waited in the room") - {"child"} | {
        "children"
    }


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ({"id": "1", "voice": "child", "text": "a b", "codes": [{"code": "x", "evidence": "a"}]}, "a code that"),
        ({"id": "1", "voice": "child", "text": "a b", "codes": [{"code": "c", "evidence": "q"}]}, "evidence that"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_not_quoted(tmp_path: Path, row: dict[str, object], wrong: str) -> None:
    (tmp_path / "codebook.json").write_text('{"id": "f", "title": "F", "codes": [{"id": "c", "label": "C"}]}', "utf-8")
    (tmp_path / "texts-A.jsonl").write_text(json.dumps(row), "utf-8")
    with pytest.raises(CorpusError, match="row 1: " + wrong) as refused:
        read_field(tmp_path)
    assert "a b" not in str(refused.value)


@given(st.text(alphabet=st.characters(codec="utf-8")), st.integers(0, 99))
def test_respelling_is_repeatable_and_leaves_all_but_letters(text: str, seed: int) -> None:
    once, again = (respelt(text, random.Random(seed)) for _ in range(2))
    assert once == again
    assert len(once.split()) == len(text.split())


def test_about_one_word_in_six_is_respelt() -> None:
    words = (
        "children said people whose friends listened about school before answering every question kindly today".split()
    )
    text = " ".join(words * 40)
    changed = sum(a != b for a, b in zip(text.split(), respelt(text, random.Random(1)).split(), strict=True))
    assert 0.10 < changed / len(text.split()) < 0.22


def test_flattening_leaves_small_letters_and_spaces() -> None:
    assert flattened("Mum's  TIRED, and I cook!") == "mums tired and i cook"
