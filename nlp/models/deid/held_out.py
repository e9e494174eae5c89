"""Texts to measure on: written by other hands than the training texts, with names that no list and no training saw."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from nlp.deid.evaluate import GoldSpan, GoldText
from nlp.deid.lexicon import folded
from nlp.models.deid.fill import KIND, MARK, TAB_KIND, Filler, Marked, Pools, read_pools
from nlp.types import Label

HERE = Path(__file__).parent
NAMES_EACH = 80
_LABELS = {"phone": Label.PHONE, "email": Label.EMAIL, "url": Label.URL, "dob": Label.DATE}


def gold_of(marked: Marked) -> GoldText:
    """A marked text as it stands, with its marks as gold spans."""
    pieces: list[str] = []
    spans: list[GoldSpan] = []
    done = length = 0
    for match in MARK.finditer(marked.text):
        before, words = marked.text[done : match.start()], match[3]
        pieces += (before, words)
        start = length + len(before)
        length, done = start + len(words), match.end()
        spans.append(GoldSpan(start, length, _LABELS.get(match[1], Label(KIND[match[1]])), kind=match[1]))
    return GoldText(marked.id, "".join((*pieces, marked.text[done:])), marked.voice, tuple(spans))


def has_one_name(marked: Marked) -> bool:
    """Whether a text names one person, once, in full or in part: then any name may stand there."""
    people = [kind for kind, _, _ in MARK.findall(marked.text) if KIND[kind] == "PERSON"]
    return len(people) == 1 and people[0] in ("first", "full", "family")


def word_texts(carriers: Sequence[Marked], pools: Pools) -> Iterator[GoldText]:
    """The same sentences with names that are also words."""
    for i in range(2 * NAMES_EACH if carriers else 0):
        carrier = carriers[i % len(carriers)]
        is_family = "[[family" in carrier.text
        words = pools.others["word family" if is_family else "word first"]
        named = Marked(f"{carrier.id}/word/{i}", carrier.voice, _with_word(carrier.text, words[i % len(words)]))
        gold = gold_of(named)
        yield replace(gold, spans=tuple(replace(s, kind="word") if s.label is Label.PERSON else s for s in gold.spans))


def _with_word(text: str, word: str) -> str:
    """A word for the first (or only) name of the person; other marks stay as they are."""

    def named(match: re.Match[str]) -> str:
        if KIND[match[1]] != "PERSON":
            return match[0]
        written = " ".join([word, *match[3].split()[1:]])
        return f"[[{match[1]}:{written.lower() if match[3].islower() else written}]]"

    return MARK.sub(named, text)


def origin_texts(carriers: Sequence[Marked], pools: Pools) -> Iterator[GoldText]:
    """The same sentences with names of each heritage in turn, `NAMES_EACH` for each."""
    for heritage in sorted(pools.names):
        filler = Filler(pools, seed=1)
        for i in range(NAMES_EACH):
            carrier = carriers[i % len(carriers)]
            text, found = filler.fill(carrier.text, heritage)
            spans = tuple(
                GoldSpan(s, e, _LABELS.get(k, Label(label)), heritage if label == "PERSON" else "", k)
                for s, e, label, k in found
            )
            yield GoldText(f"{carrier.id}/{heritage}/{i}", text, carrier.voice, spans)


def held_out_pools() -> Pools:
    """The quarter of every list that no training text was filled from."""
    return read_pools(HERE / "names", held_out=True)


def held_out_names(pools: Pools) -> frozenset[str]:
    """Their words, to be left out of the lists of names while measuring."""
    return folded(name for kinds in pools.names.values() for names in kinds.values() for name in names)


def tab_texts(path: Path) -> Iterator[GoldText]:
    """Judgments of the Text Anonymization Benchmark with what was to be masked, by entity."""
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        spans = (
            GoldSpan(
                s["start"], s["end"], Label(TAB_KIND[s["label"]]), "", s["identifier_type"].lower(), s["entity_id"]
            )
            for s in row["spans"]
            if s["identifier_type"] != "NO_MASK"
        )
        yield GoldText(row["id"], row["text"], "unknown", tuple(spans))


def tweet_texts(path: Path) -> Iterator[GoldText]:
    """Posts of the Broad Twitter Corpus with their persons; handles are no names."""
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        spans, text = [], ""
        for token, label in zip(row["tokens"], row["labels"], strict=True):
            start = len(text) + bool(text)
            text = f"{text} {token}".lstrip()
            if label[2:] == "PER" and not re.match("[@#]", token):
                spans.append(GoldSpan(start, len(text), Label.PERSON))
        yield GoldText(row["id"], text, "unknown", tuple(spans))
