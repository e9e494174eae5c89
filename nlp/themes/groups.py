"""Who is heard: the same figures by voice, length, spelling and language, and a warning where a group is heard worse."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.themes.corpus import CodedSet, CodedText
from nlp.themes.evaluate import recall_by_text

SHORT, LONG = 12, 40
UNKNOWN_SHARE = 1 / 8
FEWEST = 20
SIGNIFICANT = 2.33  # one-sided, one in a hundred: several groups are looked at

_WORD = re.compile(r"[a-z]{3,}")


@dataclass(frozen=True, slots=True)
class GroupHeard:
    """Recall at 3 of a group of coded texts and of all others; `worse` where the gap is more than chance would give."""

    group: str
    n: int
    recall_at_3: float
    others: float
    worse: bool


def by_group(
    coded: CodedSet, scores: NDArray[np.float64], known_words: frozenset[str] = frozenset()
) -> list[GroupHeard]:
    """One row a group that has a coded text. `known_words` in small letters judge spelling; without them it is left out."""
    truth = coded.truth()
    kept = np.flatnonzero(truth.any(axis=1))
    recall = recall_by_text(truth[kept], scores[kept], 3)
    texts = [coded.texts[i] for i in kept]
    found = []
    for kind, name in _kinds(known_words).items():
        names = [name(text) for text in texts]
        found += [_row(f"{kind}: {group}", recall, names, group) for group in sorted(set(names) - {""})]
    return found


def _row(title: str, recall: NDArray[np.float64], names: Sequence[str], group: str) -> GroupHeard:
    mine = np.array([name == group for name in names])
    inside, outside = recall[mine], recall[~mine]
    if len(outside) == 0:
        return GroupHeard(title, len(inside), float(inside.mean()), float("nan"), worse=False)
    gap = float(outside.mean() - inside.mean())
    enough = min(len(inside), len(outside)) >= FEWEST
    error = np.sqrt(inside.var() / len(inside) + outside.var() / len(outside))
    worse = bool(enough and gap > SIGNIFICANT * max(float(error), 1e-9))
    return GroupHeard(title, len(inside), float(inside.mean()), float(outside.mean()), worse)


def _kinds(known_words: frozenset[str]) -> Mapping[str, Callable[[CodedText], str]]:
    kinds: dict[str, Callable[[CodedText], str]] = {
        "voice": lambda t: t.voice,
        "length": lambda t: length_of(t.text),
        "language": lambda t: t.language,
    }
    if known_words:
        kinds["spelling"] = lambda t: spelling_of(t.text, known_words)
    return kinds


def length_of(text: str) -> str:
    """How long a text is, in words."""
    count = len(text.split())
    if count < SHORT:
        return f"under {SHORT} words"
    return f"{LONG} words and more" if count >= LONG else f"{SHORT} to {LONG - 1} words"


def spelling_of(text: str, known_words: frozenset[str]) -> str:
    """Whether at least one in eight of the words of three letters and more is in no word list; empty where there is no word."""
    words = _WORD.findall(re.sub(r"['’]", "", text.lower()))
    if not words:
        return ""
    unknown = sum(word not in known_words for word in words) / len(words)
    return "many words unlike the dictionary's" if unknown >= UNKNOWN_SHARE else "as in the dictionary"
