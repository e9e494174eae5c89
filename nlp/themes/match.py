"""Matching on the codebook alone: what does each sentence of a text share with each code?

Views of a (text, code) pair follow the measured design of best-sentence similarity plus a
classifier trained on the codebook's own words plus lexical overlap; a pooled logistic prior,
fitted on open coded sets (`nlp.themes.fit_prior`), turns them into a first probability.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from nlp.encode import Encoder, Vectors
from nlp.text import sentences
from nlp.themes.prior import Prior, load_prior
from nlp.types import Band, Code, Codebook, Span, Suggestion

METHOD = "themes.match.v1"
SHOWN_FROM = 0.2
LIKELY_FROM, POSSIBLE_FROM = 0.5, 0.3

NO_CODE = -1
SMALL_TALK = (
    "It was a Tuesday, I think.", "We had pasta for tea.", "see above", "The bus was late and then it rained.",
    "no comment", "My favourite colour is green.", "I do not have anything to add.", "ok", "He supports a football team.",
    "What time is it?", "Hello, this is a test.", "The form has two pages.", "We watched a film at the weekend.",
    "It is quite warm for the time of year.", "call back later", "They sell cakes on the corner.", "as I said before",
    "I went to the shop and came back.", "lol", "The answer is in the other box.", "Nothing much happened.",
    "There is a tree outside.", "She has brown hair.", "That is all for now.",
)  # fmt: skip

_LEXICAL = r"(?u)\b\w[\w'’]+\b"
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One sentence of the codebook: the code it speaks for and which part of it."""

    code: int
    part: str
    text: str


@dataclass(frozen=True, slots=True)
class _Read:
    """A batch of texts as sentences: `owner[i]` is the text that sentence `i` belongs to."""

    spans: list[Span]
    owner: NDArray[np.int64]
    vectors: Vectors
    words: list[str]


class Matcher:
    """Scores texts against one codebook. Building it encodes the codebook once."""

    method = METHOD

    def __init__(
        self, codebook: Codebook, encoder: Encoder, *, prior: Prior | None = None, read_as: Callable[[str], str] = str
    ) -> None:
        """`read_as` rewrites each sentence before it is read (surrogates as neutral words, say)."""
        self.codes: tuple[Code, ...] = codebook.active_codes
        self._read_as = read_as
        self._encoder = encoder
        self._prior = prior or load_prior()
        self._entries = [e for i, code in enumerate(self.codes) for e in _entries(i, code)]
        self._entry_vectors = encoder.encode([e.text for e in self._entries])
        self._classifier = _CodebookClassifier(self._entries, self._entry_vectors, encoder)
        self._lexicon = _Lexicon(self.codes)

    def probabilities(self, texts: Sequence[str]) -> Matrix:
        """Array of shape (texts, codes): the prior probability that a person would confirm."""
        return self._prior.probabilities(self.views(texts))

    def views(self, texts: Sequence[str]) -> Matrix:
        """Array of shape (texts, codes, views), each view on its natural scale."""
        return self._views(self._read(texts), len(texts))

    def suggest(self, texts: Sequence[str], *, threshold: float = SHOWN_FROM) -> list[list[Suggestion]]:
        """For each text its suggestions at or above `threshold`, best first; none is padded."""
        if not texts:
            return []
        read = self._read(texts)
        probabilities = self._prior.probabilities(self._views(read, len(texts)))
        similarity = self._sentence_similarity(read)
        return [self._suggestions(i, row, read, similarity, threshold) for i, row in enumerate(probabilities)]

    def _read(self, texts: Sequence[str]) -> _Read:
        spans, owner = [], []
        for i, text in enumerate(texts):
            tiles = sentences(text) or [Span(0, len(text))]
            spans += tiles
            owner += [i] * len(tiles)
        tidy = [_stripped(texts[i], span) for span, i in zip(spans, owner, strict=True)]
        words = [self._read_as(span.of(texts[i])) for span, i in zip(tidy, owner, strict=True)]
        return _Read(tidy, np.asarray(owner, np.int64), self._encoder.encode(words), words)

    def _sentence_similarity(self, read: _Read) -> Matrix:
        """Sentences by codes: the closest of the code's own sentences, near misses taken off."""
        cosine = read.vectors @ self._entry_vectors.T
        out = np.full((len(read.words), len(self.codes)), -1.0)
        for j in range(len(self.codes)):
            own = [k for k, e in enumerate(self._entries) if e.code == j and e.part != "near miss"]
            out[:, j] = _top_mean(cosine[:, own], 2)
        return out

    def _views(self, read: _Read, count: int) -> Matrix:
        cosine = read.vectors @ self._entry_vectors.T
        by_part = [self._by_part(cosine, part, top) for part, top in (("meaning", 1), ("include", 1), ("example", 2))]
        learned = self._classifier(read.vectors)
        lexical = self._lexicon.similarity(read.words)
        sentence_views = np.stack([*by_part, learned, lexical], axis=2)
        best = _max_by_owner(sentence_views, read.owner, count)
        return _with_relative(best)

    def _by_part(self, cosine: Vectors, part: str, top: int) -> Matrix:
        """Sentences by codes: similarity to that part of the code, or to its meaning if it has none."""
        out = np.zeros((cosine.shape[0], len(self.codes)))
        for j in range(len(self.codes)):
            own = [k for k, e in enumerate(self._entries) if e.code == j and e.part == part]
            own = own or [k for k, e in enumerate(self._entries) if e.code == j and e.part == "meaning"]
            near = [k for k, e in enumerate(self._entries) if e.code == j and e.part == "near miss"]
            out[:, j] = _top_mean(cosine[:, own], top)
            if near and part == "example":
                out[:, j] -= 0.5 * np.maximum(0.0, cosine[:, near].max(axis=1) - cosine[:, own].max(axis=1))
        return out

    def _suggestions(
        self, i: int, row: NDArray[np.float64], read: _Read, similarity: Matrix, threshold: float
    ) -> list[Suggestion]:
        mine = np.flatnonzero(read.owner == i)
        shown = [int(j) for j in np.argsort(-row, kind="stable") if row[j] >= threshold]
        return [self._suggestion(j, float(row[j]), read, mine, similarity) for j in shown]

    def _suggestion(
        self, j: int, probability: float, read: _Read, mine: NDArray[np.int64], similarity: Matrix
    ) -> Suggestion:
        best = int(mine[int(np.argmax(similarity[mine, j]))])
        span = read.spans[best]
        return Suggestion(
            self.codes[j].id,
            round(probability, 4),
            band(probability),
            span.start,
            span.end,
            self._nearest(best, j, read),
        )

    def _nearest(self, sentence: int, j: int, read: _Read) -> str:
        own = [k for k, e in enumerate(self._entries) if e.code == j and e.part != "near miss"]
        return self._entries[own[int(np.argmax(self._entry_vectors[own] @ read.vectors[sentence]))]].text


def band(probability: float) -> Band:
    """The word for a probability."""
    if probability >= LIKELY_FROM:
        return Band.LIKELY
    return Band.POSSIBLE if probability >= POSSIBLE_FROM else Band.UNSURE


def _entries(index: int, code: Code) -> list[_Entry]:
    """What a code says of itself; long definitions by their first two sentences."""
    first_two = " ".join(s.of(code.definition).strip() for s in sentences(code.definition)[:2])
    meaning = [f"{code.label}. {first_two}".strip(), code.label]
    if code.young_label and code.young_label != code.label:
        meaning.append(code.young_label)
    return [
        *(_Entry(index, "meaning", text) for text in meaning),
        *(_Entry(index, "include", text) for text in code.include),
        *(_Entry(index, "example", text) for text in code.examples),
        *(_Entry(index, "near miss", miss.text) for miss in code.near_misses),
    ]


class _Lexicon:
    """TF-IDF similarity between a sentence and all that a code says of itself."""

    def __init__(self, codes: Sequence[Code]) -> None:
        documents = [" ".join(e.text for e in _entries(i, c) if e.part != "near miss") for i, c in enumerate(codes)]
        self._vectoriser = TfidfVectorizer(sublinear_tf=True, stop_words="english", token_pattern=_LEXICAL)
        try:
            self._matrix = self._vectoriser.fit_transform(documents)
        except ValueError:  # nothing but stop words in the whole codebook
            self._matrix = None
        self._codes = len(codes)

    def similarity(self, texts: Sequence[str]) -> Matrix:
        """Array of shape (texts, codes)."""
        if self._matrix is None:
            return np.zeros((len(texts), self._codes))
        return np.asarray((self._vectoriser.transform(texts) @ self._matrix.T).todense(), np.float64)


class _CodebookClassifier:
    """Logistic regression on the codebook's own sentences: which code would this belong to?

    Everyday sentences about nothing in particular make up one more class, so that even a codebook
    of one code has something to be told apart from.
    """

    def __init__(self, entries: Sequence[_Entry], vectors: Vectors, encoder: Encoder) -> None:
        rows = [k for k, e in enumerate(entries) if e.part != "near miss"]
        labels = [entries[k].code for k in rows] + [NO_CODE] * len(SMALL_TALK)
        known = np.concatenate([vectors[rows], encoder.encode(SMALL_TALK)])
        self._model = LogisticRegression(C=10.0, max_iter=500, class_weight="balanced").fit(known, labels)

    def __call__(self, vectors: Vectors) -> Matrix:
        """Log-probability of each code, shape (texts, codes)."""
        by_class = self._model.predict_log_proba(vectors)
        return np.asarray(by_class[:, self._model.classes_ != NO_CODE], np.float64)


def _top_mean(values: Vectors, top: int) -> Matrix:
    """Mean of the largest `top` values of each row (of all, when there are fewer)."""
    count = min(top, values.shape[1])
    return np.asarray(np.sort(values, axis=1)[:, -count:].mean(axis=1), np.float64)


def _max_by_owner(views: Matrix, owner: NDArray[np.int64], count: int) -> Matrix:
    out = np.full((count, *views.shape[1:]), -np.inf)
    np.maximum.at(out, owner, views)
    return out


def _with_relative(best: Matrix) -> Matrix:
    """Each view beside its lead over the text's average code, which carries across codebooks."""
    relative = best - best.mean(axis=1, keepdims=True)
    return np.concatenate([best, relative], axis=2)


def _stripped(text: str, span: Span) -> Span:
    """The sentence without the white space of its tile."""
    words = span.of(text)
    start = span.start + len(words) - len(words.lstrip())
    return Span(start, start + len(words.strip())) if words.strip() else span
