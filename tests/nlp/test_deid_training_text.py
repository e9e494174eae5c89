"""From marked texts to training examples: other names in the same words, evenly over heritages."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.models.deid import fill
from nlp.models.deid.fill import (
    Example,
    Filler,
    Marked,
    ordinary_words,
    read_marked,
    read_pools,
    swap,
    to_example,
    vary,
)
from nlp.models.deid.held_out import gold_of, has_one_name, held_out_names, held_out_pools, origin_texts, word_texts

FOLDER = Path(fill.__file__).parent
BENCH = Path(__file__).parents[2] / "bench" / "deid"
MARKED = [m for path in sorted((FOLDER / "written").glob("*.jsonl")) for m in read_marked(path)]


def filler(seed: int = 1) -> Filler:
    return Filler(read_pools(FOLDER / "names", held_out=False), seed)


def test_every_mark_of_every_training_text_is_known_and_every_text_has_a_voice() -> None:
    for marked in MARKED:
        text, spans = filler().fill(marked.text)
        assert "[[" not in text
        assert all(0 <= start < end <= len(text) for start, end, _, _ in spans)
    assert {m.voice for m in MARKED} == {"child", "young_person", "parent_carer", "practitioner", "unknown"}
    assert len({m.id for m in MARKED}) == len(MARKED)


def test_no_text_to_measure_on_is_a_training_text() -> None:
    runs = {run for m in MARKED for run in _runs(m.text)}
    for path in BENCH.glob("*.jsonl"):
        shared = [m.id for m in read_marked(path) if _runs(m.text) & runs]
        assert shared == []


def _runs(text: str) -> set[tuple[str, ...]]:
    words = fill.MARK.sub(lambda m: m[3], text).casefold().split()
    return {tuple(words[i : i + 8]) for i in range(len(words) - 7)}


def test_the_same_number_is_the_same_person() -> None:
    text, spans = filler(3).fill("[[full#1:Ana Pop]] came. [[first#1:ana]] and [[family#1:POP]] too.")

    full, first, family = (text[s:e] for s, e, _, _ in spans)
    assert full.casefold() == f"{first} {family}".casefold()
    assert first.islower()
    assert family.isupper()


def test_heritages_are_drawn_evenly() -> None:
    pools = read_pools(FOLDER / "names", held_out=False)
    home = {n: h for h, kinds in pools.names.items() for n in kinds["first"]}
    maker = Filler(pools, 5)
    drawn = Counter(home.get(maker.fill("[[first:Zzz]]")[0], "") for _ in range(6000))

    assert len(pools.names) == 25
    assert min(drawn[h] for h in pools.names) > 0.4 * 6000 / 25


def test_held_out_names_are_never_drawn_in_training() -> None:
    trained, held = read_pools(FOLDER / "names", held_out=False), held_out_pools()
    for heritage, kinds in held.names.items():
        for kind, names in kinds.items():
            assert not set(names) & set(trained.names[heritage][kind])
    assert len(held_out_names(held)) > 500


def test_an_example_labels_the_tokens_of_its_spans() -> None:
    example = to_example("saw Mary-Jane Pop.", [(4, 17, "PERSON", "full")])

    assert example == Example(("saw", "Mary-Jane", "Pop", "."), ("O", "B-PERSON", "I-PERSON", "O"))


@given(st.integers(0, 10_000))
def test_varying_keeps_a_label_for_each_token(seed: int) -> None:
    pick = random.Random(seed)
    example = to_example(*filler(seed).fill(MARKED[seed % len(MARKED)].text))

    varied = vary(swap(example, ["kettle", "bus"], pick), pick)

    assert len(varied.tokens) == len(varied.labels)
    assert all(varied.tokens)


def test_swapping_leaves_names_and_cue_words_alone() -> None:
    example = Example(("my", "sister", "Kasia", "threw", "the", "kettle"), ("O", "O", "B-PERSON", "O", "O", "O"))

    seen = {swap(example, ["zebra"], random.Random(i)).tokens[i % 6] for i in range(300)}

    assert {"my", "sister", "Kasia"} <= seen
    assert "zebra" in seen


def test_ordinary_words_are_used_in_lower_case_and_are_no_names() -> None:
    words = ordinary_words(["we saw the kettle and the kettle sang", "my kasia and my kasia ran", "the The the"])

    assert "kettle" in words
    assert "kasia" not in words


def test_gold_spans_are_the_marks() -> None:
    gold = gold_of(Marked("D-1", "child", "me and [[first:kasia]] rang [[phone:07700 900123]]"))

    assert gold.text == "me and kasia rang 07700 900123"
    assert [(gold.text[s.start : s.end], s.label, s.kind) for s in gold.spans] == [
        ("kasia", "PERSON", "first"),
        ("07700 900123", "PHONE", "phone"),
    ]


def test_origin_and_word_texts_hold_the_same_sentences_with_other_names() -> None:
    carriers = [Marked("a", "child", "me and [[first:kasia]] ran"), Marked("b", "child", "Mrs [[family:Pop]] sang")]
    pools = held_out_pools()

    texts = list(origin_texts(carriers, pools))
    words = list(word_texts(carriers, pools))

    assert Counter(s.origin for t in texts for s in t.spans) == dict.fromkeys(pools.names, 80)
    assert {t.text.split()[0] for t in texts} == {"me", "Mrs"}
    assert all(s.kind == "word" for t in words for s in t.spans)
    assert all(t.text.islower() for t in words if t.id.startswith("a"))


@pytest.mark.parametrize(("text", "one"), [("[[first:A]] ran", True), ("[[first:A]] and [[first:B]]", False), ("[[nick:A]]", False), ("no", False)])  # fmt: skip
def test_a_carrier_names_one_person_once(text: str, one: bool) -> None:
    assert has_one_name(Marked("x", "child", text)) is one


def test_bench_texts_are_sound() -> None:
    for path in BENCH.glob("*.jsonl"):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        assert all(gold_of(Marked(r["id"], r["voice"], r["text"])).text for r in rows)
