"""Reading a codebook as the matcher reads it: what would make its suggestions better."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from nlp.encode import Encoder, Vectors
from nlp.text import sentences
from nlp.themes.views import Matrix
from nlp.types import Codebook

NEAR_FROM = 0.75
ELSEWHERE_FROM, CLOSER_BY = 0.4, 0.15  # quotes differ a lot; only those clearly at home elsewhere are worth a look
LONG_WORDS = 60
READ_SENTENCES = 2


class Advice(StrEnum):
    """What there is to look at."""

    NEAR = "near"
    NO_QUOTES = "no quotes"
    QUOTE_ELSEWHERE = "quote elsewhere"
    NO_DEFINITION = "no definition"
    LONG_DEFINITION = "long definition"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to look at: `code` by id, another code where two are concerned, and why in plain words."""

    advice: Advice
    code: str
    other: str
    why: str
    likeness: float = 0.0


def lint(codebook: Codebook, encoder: Encoder) -> list[Remark]:
    """Remarks on the codes still in use: pairs first, nearest first, then code by code."""
    sayings = _Sayings(codebook, encoder)
    return [*_near_pairs(sayings), *lint_each(codebook), *_quotes_elsewhere(sayings)]


class _Sayings:
    """Label with definition, and each include and quote, as vectors with the code they speak for."""

    def __init__(self, codebook: Codebook, encoder: Encoder) -> None:
        self.codes = codebook.active_codes
        rows = [
            (i, text, False) for i, c in enumerate(self.codes) for text in (f"{c.label}. {c.definition}", *c.include)
        ]
        rows += [(i, text, True) for i, c in enumerate(self.codes) for text in c.examples]
        self.owner = np.array([i for i, _, _ in rows])
        self.texts = [text for _, text, _ in rows]
        self.quotes = np.flatnonzero([quoted for _, _, quoted in rows])
        self.vectors: Vectors = encoder.encode(self.texts)


def _near_pairs(sayings: _Sayings) -> list[Remark]:
    count = len(sayings.codes)
    means = np.stack([sayings.vectors[sayings.owner == i].mean(axis=0) for i in range(count)])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    likeness = means @ means.T
    pairs = sorted(
        (
            (float(likeness[i, j]), i, j)
            for i in range(count)
            for j in range(i + 1, count)
            if likeness[i, j] >= NEAR_FROM
        ),
        reverse=True,
    )
    why = "They are described in much the same words; an exclude rule in each that names the other would help."
    return [Remark(Advice.NEAR, sayings.codes[i].id, sayings.codes[j].id, why, round(s, 2)) for s, i, j in pairs]


def lint_each(codebook: Codebook) -> list[Remark]:
    """Remarks that need no other code and no encoder."""
    found = []
    for code in codebook.active_codes:
        words = len(code.definition.split())
        if not code.definition.strip():
            found.append(Remark(Advice.NO_DEFINITION, code.id, "", "It has no definition: only its name is read."))
        elif words > LONG_WORDS and len(sentences(code.definition)) > READ_SENTENCES:
            why = f"Its definition has {words} words; the first two sentences are read for meaning. Quotes help more."
            found.append(Remark(Advice.LONG_DEFINITION, code.id, "", why))
        if not code.examples:
            why = "It has no quotes. Two to six in people's own words help more than any definition."
            found.append(Remark(Advice.NO_QUOTES, code.id, "", why))
    return found


def _quotes_elsewhere(sayings: _Sayings) -> list[Remark]:
    """Quotes that lie closer to another code than to the rest of their own."""
    found = []
    for row in sayings.quotes:
        likeness = _likeness_to_codes(sayings, int(row))
        own, best = int(sayings.owner[row]), int(np.argmax(likeness))
        if likeness[best] >= ELSEWHERE_FROM and likeness[best] - likeness[own] >= CLOSER_BY:
            why = f"Quote {_number(sayings, int(row))} lies closer to the other code than to the rest of its own."
            found.append(
                Remark(
                    Advice.QUOTE_ELSEWHERE, sayings.codes[own].id, sayings.codes[best].id, why,
                    round(float(likeness[best]), 2),
                )
            )  # fmt: skip
    return found


def _likeness_to_codes(sayings: _Sayings, row: int) -> NDArray[np.float64]:
    """Mean of the two nearest sayings of each code, the quote itself and its copies left out."""
    cosine: Matrix = np.asarray(sayings.vectors @ sayings.vectors[row], np.float64)
    kept = np.array([text != sayings.texts[row] for text in sayings.texts])
    out = np.full(len(sayings.codes), -1.0)
    for code in range(len(sayings.codes)):
        theirs = np.sort(cosine[kept & (sayings.owner == code)])[-2:]
        out[code] = theirs.mean() if len(theirs) else -1.0
    return out


def _number(sayings: _Sayings, row: int) -> int:
    """Which of its code's quotes this is, from one."""
    return int((sayings.owner[sayings.quotes[sayings.quotes <= row]] == sayings.owner[row]).sum())
