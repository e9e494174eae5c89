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
from itertools import chain, count
from pathlib import Path
from threading import Lock
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from nlp.deid.allow import is_harmless
from nlp.deid.lexicon import flags_of, listed
from nlp.deid.tokens import Token, tokenise
from nlp.errors import ModelError
from nlp.types import Detection, Label

BUCKETS = 1 << 16
KINDS = ("PERSON", "LOCATION", "ORG", "DATE", "AGE", "ID", "DETAIL")
DILATIONS = (1, 2, 4, 1)
PASSAGE = 240
BATCH_TOKENS = 4_000
WORDS_KEPT = 200_000
SHAPES = 12
OTHERS_FROM = np.array([0.5, 0.4, 0.4, 0.5, 0.4, 0.5, 0.5])  # in the order of KINDS
# How likely a person's name must be before it is masked, by what is known of the word: set on development texts, since
# an ordinary word that was never met in training is easily taken for a name, and a listed name seldom wrongly.
PERSON_FROM = {
    "capital letters": 0.1, "listed name": 0.12, "listed name, lower case": 0.25, "name and word": 0.12,
    "name and word, lower case": 0.4, "ordinary word": 0.2, "ordinary word, lower case": 0.8, "unknown": 0.06,
    "unknown, lower case": 0.6,
}  # fmt: skip
DOUBT_FROM, BETWEEN_FROM = 0.05, 0.15
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
    """Probabilities of each kind of identifier for each token of each text. Several threads may ask at once."""

    def __init__(self, weights: Weights) -> None:
        self._w = weights.arrays
        self._vocabulary = weights.vocabulary
        self._meeting = Lock()  # the words that were met, their vectors and limits belong together
        self._rows: dict[str, int] = {}
        self._limits: Floats = np.zeros(0, dtype=np.float32)
        self._table = np.zeros((0, weights.arrays["embed.bias"].shape[0]), dtype=np.float32)

    def probabilities(self, tokens: Sequence[str], lengths: Sequence[int]) -> Floats:
        """For n tokens of texts of these lengths an array (n, 1 + 2 × kinds): outside, then begin and inside of each."""
        with self._meeting:
            self._meet(tokens)
            vectors = self._table[self._places(tokens)]
        logits = self._read(vectors, np.array(lengths, dtype=np.int64))
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        return logits

    def person_limits(self, tokens: Sequence[str]) -> Floats:
        """For each token, from which probability on it is masked as a person's name."""
        with self._meeting:
            self._meet(tokens)
            return self._limits[self._places(tokens)]

    def _places(self, tokens: Sequence[str]) -> npt.NDArray[np.int64]:
        return np.fromiter(map(self._rows.__getitem__, tokens), dtype=np.int64, count=len(tokens))

    def _meet(self, tokens: Sequence[str]) -> None:
        """Work out the vectors of words that were not met before."""
        if len(self._rows) > WORDS_KEPT:
            self._rows, self._table, self._limits = {}, self._table[:0], self._limits[:0]
        new = [t for t in dict.fromkeys(tokens) if t not in self._rows]
        if new:
            self._rows.update(zip(new, count(len(self._rows)), strict=False))
            self._table = np.concatenate([self._table, self._embed(new)])
            self._limits = np.concatenate([self._limits, [PERSON_FROM[self._evidence(t)] for t in new]])

    def _evidence(self, token: str) -> str:
        """What is known of a word before its context is read: a key of `PERSON_FROM`."""
        word = token.casefold()
        if len(token) <= 3 and token.isupper():
            return "capital letters"
        is_name = any(word in listed(name) for name in ("forenames", "family_names", "nicknames"))
        is_word = word in listed("word_names") or word in listed("everyday")
        if is_name:
            known = "name and word" if is_word else "listed name"
        else:
            known = "ordinary word" if is_word or word in self._vocabulary else "unknown"
        return known if token[0].isupper() else f"{known}, lower case"

    def _embed(self, tokens: Sequence[str]) -> Floats:
        w, words = self._w, [token.casefold() for token in tokens]
        groups = [letter_groups(word) for word in words]
        counts = np.array([len(g) for g in groups])
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        sums = np.add.reduceat(w["groups"][np.fromiter(chain.from_iterable(groups), dtype=np.int64)], starts, axis=0)
        x: Floats = (sums / counts[:, None]).astype(np.float32) @ w["embed.groups"] + w["embed.bias"]
        x += w["shapes"][[shape_of(token) for token in tokens]]
        places = np.array([self._vocabulary.get(word, -1) for word in words])
        x += np.where(places[:, None] < 0, w["unknown"], w["words"][places] @ w["embed.words"])
        lists = np.zeros((len(words), len(w["flags"])), dtype=np.float32)
        for row, word in enumerate(words):
            lists[row, flags_of(word)] = 1
        x += lists @ w["flags"]
        return _normal(np.maximum(x, 0), w["embed.gain"], w["embed.shift"])

    def _read(self, x: Floats, lengths: npt.NDArray[np.int64]) -> Floats:
        w = self._w
        owner = np.repeat(np.arange(len(lengths)), lengths)
        for layer, dilation in enumerate(DILATIONS):
            x = x + np.maximum(_convolved(x, w[f"conv{layer}.weight"], owner, dilation) + w[f"conv{layer}.bias"], 0)
            x = _normal(x, w[f"conv{layer}.gain"], w[f"conv{layer}.shift"])
            if layer == 1:
                starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
                full = lengths > 0
                means = np.zeros((len(lengths), x.shape[1]), dtype=np.float32)
                means[full] = np.add.reduceat(x, starts[full], axis=0) / lengths[full, None]
                x = x + np.maximum(means @ w["passage.weight"] + w["passage.bias"], 0)[owner]
        result: Floats = x @ w["out.weight"] + w["out.bias"]
        return result


def _convolved(x: Floats, weight: Floats, owner: npt.NDArray[np.int64], by: int) -> Floats:
    """Rows i - by, i and i + by of the same text through their third of `weight` (3 × width, width)."""
    width = x.shape[1]
    result: Floats = x @ weight[width : 2 * width]
    if len(x) > by:
        same = (owner[by:] == owner[:-by])[:, None]
        result[by:] += (x[:-by] * same) @ weight[:width]
        result[:-by] += (x[by:] * same) @ weight[2 * width :]
    return result


def _normal(x: Floats, gain: Floats, shift: Floats) -> Floats:
    """Layer normalisation, row by row."""
    x = x - x.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.einsum("ij,ij->i", x, x) / x.shape[1] + 1e-5).astype(np.float32)
    x *= (1 / spread)[:, None]
    x *= gain
    x += shift
    return x


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
            tokens = [token for _, passage in batch for token in passage]
            words, lengths = [token for token, _, _ in tokens], [len(passage) for _, passage in batch]
            p = self._tagger.probabilities(words, lengths)
            owner = np.repeat([text for text, _ in batch], lengths)
            for run, kind, score, masked in _runs(p, self._tagger.person_limits(words), owner):
                text, start, end = int(owner[run[0]]), tokens[run[0]][1], tokens[run[-1]][2]
                if _may_identify(texts[text][start:end]):
                    label, why = Label(kind), _WHY[kind]
                    found[text].append(Detection(start, end, label, round(score, 3), self.name, why, masked))
        return found


def _may_identify(words: str) -> bool:
    return any(ch.isalnum() for ch in words) and words.strip("'’") != "s" and not is_harmless(words)


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


def _runs(
    p: Floats, person_from: Floats, owner: npt.NDArray[np.int64]
) -> Iterator[tuple[Sequence[int], str, float, bool]]:
    """Runs of tokens (their places in the batch), the kind, how likely, and whether to mask; by text."""
    by_kind = p[:, 1::2] + p[:, 2::2]
    best = by_kind.argmax(axis=1)
    hidden = 1 - p[:, 0]
    starts = p[:, 1::2].max(axis=1) > p[:, 2::2].max(axis=1)
    starts[1:] |= (owner[1:] != owner[:-1]) | (best[1:] != best[:-1])
    sure = hidden >= np.where(best == KINDS.index("PERSON"), person_from, OTHERS_FROM[best])
    sure |= _between(sure, best, owner) & (hidden >= BETWEEN_FROM)
    for run in _together(np.flatnonzero(sure), starts):
        yield run, KINDS[best[run[0]]], float(hidden[run].mean()), True
    for run in _together(np.flatnonzero((hidden >= DOUBT_FROM) & ~sure), starts):
        yield run, KINDS[best[run[0]]], float(hidden[run].max()), False


def _between(
    sure: npt.NDArray[np.bool_], kind: npt.NDArray[np.int64], owner: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Tokens between two that are masked as the same kind belong to them: a family name that is also a word."""
    inside = np.zeros_like(sure)
    same = (kind[:-2] == kind[2:]) & (kind[1:-1] == kind[2:]) & (owner[:-2] == owner[2:])
    inside[1:-1] = sure[:-2] & sure[2:] & same
    return inside


def _together(chosen: npt.NDArray[np.int64], starts: npt.NDArray[np.bool_]) -> Iterator[list[int]]:
    """Runs of neighbouring tokens; a token that begins another identifier or text begins another run."""
    run: list[int] = []
    for place in chosen.tolist():
        if run and (place != run[-1] + 1 or starts[place]):
            yield run
            run = []
        run.append(place)
    if run:
        yield run
