"""A small token model of our own: hashed letter groups, word lists and context, in plain numpy.

Each distinct word is turned into a vector once (letter groups as in fastText, Bojanowski et al. 2017;
its vector among everyday words; the lists that hold it; its shape) and kept; four residual
convolutions (as in spaCy's tok2vec) and the mean of the passage then read it in context.
`python -m nlp.models.deid.train` makes the weights; the card beside them says from what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from nlp.deid.allow import is_harmless
from nlp.deid.lexicon import flags_of
from nlp.deid.tokens import Token, tokenise
from nlp.errors import ModelError
from nlp.types import Detection, Label

BUCKETS = 1 << 16
KINDS = ("PERSON", "LOCATION", "ORG", "DATE", "AGE", "ID", "DETAIL")
DILATIONS = (1, 2, 4, 1)
PASSAGE = 240
BATCH_TOKENS = 20_000
SHAPES = 12
THRESHOLDS = {"PERSON": 0.4, "LOCATION": 0.5, "ORG": 0.5, "DATE": 0.5, "AGE": 0.5, "ID": 0.5, "DETAIL": 0.5}
_WHY = {
    "PERSON": "reads like a person’s name here",
    "LOCATION": "reads like a place here",
    "ORG": "reads like a school, setting or organisation here",
    "DATE": "reads like a date here",
    "AGE": "reads like somebody’s age here",
    "ID": "reads like a contact or reference here",
    "DETAIL": "reads like a detail that points to somebody",
}
Floats = npt.NDArray[np.float32]


def letter_groups(word: str) -> list[int]:
    """Buckets of the whole word and of its groups of two to five letters; `word` is case folded."""
    framed = f"<{word[:30]}>"
    groups = [framed, f"^{word[:3]}", f"${word[-3:]}"]
    groups += [framed[i : i + n] for n in (2, 3, 4, 5) for i in range(len(framed) - n + 1)]
    return [crc32(group.encode()) % BUCKETS for group in groups]


def shape_of(token: str) -> int:
    """A number under `SHAPES` for how a token looks."""
    if token[0] == "\n":
        return 0
    if token.isdigit():
        return min(len(token), 4)
    if not token[0].isalpha():
        return 5
    if len(token) == 1:
        return 6 if token.isupper() else 7
    if token.isupper():
        return 8 if len(token) <= 4 else 9
    return 10 if token[0].isupper() else 11


def passages(tokens: Sequence[Token], size: int = PASSAGE) -> Iterator[tuple[int, int]]:
    """Cut a long text's tokens into passages of at most `size`, at line ends where there is one."""
    start = 0
    while len(tokens) - start > size:
        cut = next(
            (i + 1 for i in range(start + size - 1, start + size // 2, -1) if tokens[i][0] in "\n."), start + size
        )
        yield start, cut
        start = cut
    if start < len(tokens):
        yield start, len(tokens)


@dataclass(frozen=True, slots=True)
class Weights:
    """The arrays of the model by name, the everyday words in the order of `words`' rows, and a fingerprint."""

    arrays: dict[str, Floats]
    vocabulary: dict[str, int]
    fingerprint: str

    @classmethod
    def load(cls, path: Path) -> Weights:
        """Read weights; ModelError when they are missing or not what they should be."""
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays: dict[str, Any] = {name: file[name] for name in file.files}
        except (OSError, ValueError) as broken:
            raise ModelError("the de-identification model is missing or damaged; install again") from broken
        words = str(arrays.pop("vocabulary"))
        floats = {name: np.ascontiguousarray(a, dtype=np.float32) for name, a in arrays.items()}
        return cls(floats, {w: i for i, w in enumerate(words.split("\n"))}, sha256(path.read_bytes()).hexdigest()[:12])


class Tagger:
    """Probabilities of each kind of identifier for each token of each text."""

    def __init__(self, weights: Weights) -> None:
        self._w = weights.arrays
        self._vocabulary = weights.vocabulary
        self._rows: dict[str, int] = {}
        self._table = np.zeros((1024, weights.arrays["embed.bias"].shape[0]), dtype=np.float32)

    def probabilities(self, texts: Sequence[Sequence[str]]) -> list[Floats]:
        """For each text of n tokens an array (n, 1 + 2 × kinds): outside, then begin and inside of each kind."""
        lengths = np.array([len(tokens) for tokens in texts], dtype=np.int64)
        if not lengths.sum():
            return [np.zeros((0, 1 + 2 * len(KINDS)), dtype=np.float32) for _ in texts]
        rows = np.fromiter((self._row(t) for tokens in texts for t in tokens), dtype=np.int64, count=int(lengths.sum()))
        logits = self._read(self._table[rows], lengths)
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        return np.split(logits, np.cumsum(lengths)[:-1])

    def _row(self, token: str) -> int:
        row = self._rows.get(token)
        if row is None:
            row = self._rows[token] = len(self._rows)
            if row == len(self._table):
                self._table = np.concatenate([self._table, np.zeros_like(self._table)])
            self._table[row] = self._embed(token)
        return row

    def _embed(self, token: str) -> Floats:
        word, w = token.casefold(), self._w
        vector = w["groups"][letter_groups(word)].mean(axis=0) @ w["embed.groups"] + w["embed.bias"]
        vector = vector + w["shapes"][shape_of(token)]
        known = self._vocabulary.get(word)
        vector = vector + (w["unknown"] if known is None else w["words"][known] @ w["embed.words"])
        for flag in flags_of(word):
            vector = vector + w["flags"][flag]
        row: Floats = _normal(np.maximum(vector, 0)[None, :], w["embed.gain"], w["embed.shift"])[0]
        return row

    def _read(self, x: Floats, lengths: npt.NDArray[np.int64]) -> Floats:
        w = self._w
        owner = np.repeat(np.arange(len(lengths)), lengths)
        for layer, dilation in enumerate(DILATIONS):
            wide = np.concatenate([_shifted(x, owner, -dilation), x, _shifted(x, owner, dilation)], axis=1)
            x = x + np.maximum(wide @ w[f"conv{layer}.weight"] + w[f"conv{layer}.bias"], 0)
            x = _normal(x, w[f"conv{layer}.gain"], w[f"conv{layer}.shift"])
            if layer == 1:
                starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
                full = lengths > 0
                means = np.zeros((len(lengths), x.shape[1]), dtype=np.float32)
                means[full] = np.add.reduceat(x, starts[full], axis=0) / lengths[full, None]
                x = x + np.maximum(means @ w["passage.weight"] + w["passage.bias"], 0)[owner]
        result: Floats = x @ w["out.weight"] + w["out.bias"]
        return result


def _shifted(x: Floats, owner: npt.NDArray[np.int64], by: int) -> Floats:
    """Row i holds row i + by of the same text, or zeros."""
    result = np.zeros_like(x)
    n = len(x)
    if n <= abs(by):
        return result
    here, there = (slice(-by, n), slice(0, n + by)) if by < 0 else (slice(0, n - by), slice(by, n))
    same = (owner[here] == owner[there])[:, None]
    np.multiply(x[there], same, out=result[here])
    return result


def _normal(x: Floats, gain: Floats, shift: Floats) -> Floats:
    """Layer normalisation, row by row."""
    x = x - x.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.einsum("ij,ij->i", x, x) / x.shape[1] + 1e-5).astype(np.float32)
    result: Floats = x / spread[:, None] * gain + shift
    return result


class ModelDetector:
    """The token model as a detector: a run of tokens that are more likely than not part of an identifier."""

    name = "model.v1"

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    @cached_property
    def _weights(self) -> Weights:
        with resources.as_file(resources.files("nlp.models").joinpath("deid", "weights.npz")) as bundled:
            return Weights.load(self._path or bundled)

    @cached_property
    def _tagger(self) -> Tagger:
        return Tagger(self._weights)

    @property
    def fingerprint(self) -> str:
        """Name and the beginning of the SHA-256 of the weights, for the run record."""
        return f"{self.name}-{self._weights.fingerprint}"

    def detect(self, texts: Sequence[str]) -> list[list[Detection]]:
        """One list of detections for each text."""
        found: list[list[Detection]] = [[] for _ in texts]
        for batch in _batches(texts):
            probabilities = self._tagger.probabilities([[t for t, _, _ in tokens] for _, tokens in batch])
            for (text, tokens), p in zip(batch, probabilities, strict=True):
                found[text].extend(_runs(texts[text], tokens, p))
        return found


def _batches(texts: Sequence[str]) -> Iterator[list[tuple[int, Sequence[Token]]]]:
    batch: list[tuple[int, Sequence[Token]]] = []
    size = 0
    for index, text in enumerate(texts):
        tokens = tokenise(text)
        for start, end in passages(tokens):
            batch.append((index, tokens[start:end]))
            size += end - start
            if size >= BATCH_TOKENS:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _runs(text: str, tokens: Sequence[Token], p: Floats) -> Iterator[Detection]:
    by_kind = p[:, 1::2] + p[:, 2::2]
    best = by_kind.argmax(axis=1)
    hidden = 1 - p[:, 0]
    limits = np.array([THRESHOLDS[kind] for kind in KINDS])
    masked = hidden >= limits[best]
    starts = p[:, 1::2].max(axis=1) > p[:, 2::2].max(axis=1)
    chosen = np.flatnonzero(masked)
    if not len(chosen):
        return
    breaks = [0]
    for i, (a, b) in enumerate(pairwise(chosen.tolist()), 1):
        if b != a + 1 or best[a] != best[b] or starts[b]:
            breaks.append(i)
    for first, last in pairwise([*breaks, len(chosen)]):
        run = chosen[first:last]
        start, end = tokens[run[0]][1], tokens[run[-1]][2]
        kind = KINDS[best[run[0]]]
        if any(ch.isalnum() for ch in text[start:end]) and not is_harmless(text[start:end]):
            yield Detection(
                start, end, Label(kind), round(float(hidden[run].mean()), 3), ModelDetector.name, _WHY[kind]
            )
