"""Texts to measure on: written by other hands than the training texts, with names that no list and no training saw."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
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
        spans.append(
            GoldSpan(start, length, _LABELS.get(match[1], Label(KIND[match[1]])), kind=_kind(marked, match[1]))
        )
    return GoldText(marked.id, "".join((*pieces, marked.text[done:])), marked.voice, tuple(spans))


def _kind(marked: Marked, kind: str) -> str:
    """A name in a text of the word-name group is one that is also a word."""
    return "word" if "-word-" in marked.id and kind in ("first", "full", "family") else kind


def origin_texts(carriers: Sequence[Marked], pools: Pools) -> Iterator[GoldText]:
    """The same sentences with names of each heritage in turn, `NAMES_EACH` for each."""
    for heritage in sorted(pools.names):
        filler = Filler(pools, seed=1)
        for i in range(NAMES_EACH):
            carrier = carriers[i % len(carriers)]
            text, found = filler.fill(carrier.text, heritage)
            spans = tuple(GoldSpan(s, e, Label.PERSON, heritage, k) for s, e, label, k in found if label == "PERSON")
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
