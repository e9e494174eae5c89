"""What each sentence of a text shares with each code, seen in thirteen ways.

A view has the shape (texts, codes). Cosine and word views are set against the text's mean over all
codes, which carries across codebooks; the classifiers' probabilities stand as they are, since
everyday small talk is one of their classes. Best-sentence similarity, a classifier trained on the
codebook's own words and lexical overlap follow the measured design that the project started from;
the character classifier and the centroid were added here (`docs/decisions.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from nlp.encode import Encoder, Vectors
from nlp.text import sentences
from nlp.themes.letters import LetterRuns
from nlp.types import Code, Span

VIEWS = (
    "name", "meaning", "include", "examples", "sentence", "sentence_share", "text_share", "centroid",
    "words", "words_text", "characters", "spelling", "spelling_share",
)  # fmt: skip
FIXED = (0.15, 0.3, 0.0, 0.3, 0.12, 0.0, 0.12, 0.0, 0.17, 0.0, 0.12, 0.12, 0.0)

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
class Entry:
    """One sentence of the codebook: the code it speaks for, which part of it, and whether it is the code's own."""

    code: int
    part: str
    text: str
    own: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """A batch of texts, whole and as sentences: `owner[i]` is the text that sentence `i` belongs to.

    `spans` lie in the texts as given; `words` and `wholes` are what the models read.
    """

    spans: list[Span]
    owner: NDArray[np.int64]
    words: list[str]
    wholes: list[str]
    sentence_vectors: Vectors
    text_vectors: Vectors

    @staticmethod
    def join(readings: Sequence[Reading]) -> Reading:
        """Several readings as one, in that order; there is at least one."""
        counts = np.cumsum([0, *(len(r.wholes) for r in readings)])
        return Reading(
            [span for r in readings for span in r.spans],
            np.concatenate([r.owner + count for r, count in zip(readings, counts, strict=False)]),
            [words for r in readings for words in r.words],
            [whole for r in readings for whole in r.wholes],
            np.concatenate([r.sentence_vectors for r in readings]),
            np.concatenate([r.text_vectors for r in readings]),
        )

    def only(self, rows: NDArray[np.int64]) -> Reading:
        """The reading of some of the texts, in that order."""
        new = {int(row): i for i, row in enumerate(rows)}
        kept = [k for k, owner in enumerate(self.owner) if int(owner) in new]
        return Reading(
            [self.spans[k] for k in kept],
            np.asarray([new[int(self.owner[k])] for k in kept], np.int64),
            [self.words[k] for k in kept],
            [self.wholes[row] for row in rows],
            self.sentence_vectors[kept],
            self.text_vectors[rows],
        )

    def as_texts(self, sentences_: NDArray[np.int64]) -> Reading:
        """Some of the sentences, each as a text of its own."""
        words, vectors = [self.words[k] for k in sentences_], self.sentence_vectors[sentences_]
        return Reading([self.spans[k] for k in sentences_], np.arange(len(sentences_)), words, words, vectors, vectors)

    @property
    def mean_vectors(self) -> Vectors:
        """Each text as the mean of its sentences, of length one; shape (texts, dimension)."""
        total = np.zeros_like(self.text_vectors)
        np.add.at(total, self.owner, self.sentence_vectors)
        unit: Vectors = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)
        return unit


def read(texts: Sequence[str], encoder: Encoder, read_as: Callable[[str], str]) -> Reading:
    """Texts cut into sentences and encoded."""
    spans: list[Span] = []
    owner: list[int] = []
    for i, text in enumerate(texts):
        tiles = sentences(text) or [Span(0, len(text))]
        spans += [_stripped(text, tile) for tile in tiles]
        owner += [i] * len(tiles)
    words = [read_as(span.of(texts[i])) for span, i in zip(spans, owner, strict=True)]
    wholes = [read_as(text.strip()) for text in texts]
    vectors = encoder.encode([*words, *wholes])
    return Reading(spans, np.asarray(owner, np.int64), words, wholes, vectors[: len(words)], vectors[len(words) :])


class CodebookViews:
    """A codebook made ready to be compared with texts."""

    def __init__(self, codes: Sequence[Code], encoder: Encoder) -> None:
        self.entries = _entries(codes)
        self.vectors = encoder.encode([e.text for e in self.entries])
        self.exclusions = _exclusions(codes)
        self.exclusion_vectors = encoder.encode([e.text for e in self.exclusions])
        self._codes = len(codes)
        spoken = [k for k, e in enumerate(self.entries) if e.part != "near miss"]
        labels = [self.entries[k].code for k in spoken] + [NO_CODE] * len(SMALL_TALK)
        self.meaning = _Classifier(labels, np.concatenate([self.vectors[spoken], encoder.encode(SMALL_TALK)]))
        documents = [" ".join(e.text for e in self.entries if e.code == j) for j in range(len(codes))]
        self.words = _Overlap(
            documents, TfidfVectorizer(sublinear_tf=True, stop_words="english", token_pattern=_LEXICAL)
        )
        self.characters = _Overlap(documents, LetterRuns(3, 5))
        self.spelling = _SpellingClassifier(labels, [*(self.entries[k].text for k in spoken), *SMALL_TALK])

    def __call__(self, reading: Reading, only: Collection[str] = VIEWS) -> Matrix:
        """Array of shape (texts, codes, views); views that are not in `only` stay 0."""
        compared = _Compared(self, reading)
        nothing = np.zeros((len(reading.wholes), self._codes))
        return np.stack([compared.view(name) if name in only else nothing for name in VIEWS], axis=2)

    def nearest(self, vector: Vectors, code: int) -> tuple[str, float]:
        """The code's own sentence that comes closest to a sentence's vector, and its cosine."""
        own = [k for k, e in enumerate(self.entries) if e.code == code and e.part != "near miss" and e.own]
        cosine = self.vectors[own] @ vector
        best = int(np.argmax(cosine))
        return self.entries[own[best]].text, float(cosine[best])

    def nearest_exclusion(self, vector: Vectors, code: int) -> tuple[str, float]:
        """What the code leaves out that comes closest, and its cosine; nothing and -1 where it leaves nothing out."""
        own = [k for k, e in enumerate(self.exclusions) if e.code == code]
        if not own:
            return "", -1.0
        cosine = self.exclusion_vectors[own] @ vector
        best = int(np.argmax(cosine))
        return self.exclusions[own[best]].text, float(cosine[best])

    def part_similarity(self, cosine: Vectors, parts: tuple[str, ...], top: int) -> Matrix:
        """Similarity to those parts of each code, or to its meaning where it has none of them.

        `cosine` has the shape (texts, entries).
        """
        out = np.zeros((len(cosine), self._codes))
        for j in range(self._codes):
            own = self._of(j, parts) or self._of(j, ("meaning",))
            out[:, j] = _top_mean(cosine[:, own], top)
            near = self._of(j, ("near miss",))
            if near and "example" in parts:
                out[:, j] -= 0.5 * np.maximum(0.0, cosine[:, near].max(axis=1) - cosine[:, own].max(axis=1))
        return out

    def _of(self, code: int, parts: tuple[str, ...]) -> list[int]:
        return self._by_part.get((code, parts)) or self._remember(code, parts)

    @cached_property
    def _by_part(self) -> dict[tuple[int, tuple[str, ...]], list[int]]:
        return {}

    def _remember(self, code: int, parts: tuple[str, ...]) -> list[int]:
        found = [k for k, e in enumerate(self.entries) if e.code == code and e.part in parts]
        self._by_part[code, parts] = found
        return found

    @cached_property
    def centroids(self) -> Vectors:
        spoken = ("name", "meaning", "include", "example")
        means = np.stack([self.vectors[self._of(j, spoken)].mean(axis=0) for j in range(self._codes)])
        unit: Vectors = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
        return unit


class _Compared:
    """A reading held against a codebook: what several views rest on is worked out once."""

    def __init__(self, codebook: CodebookViews, reading: Reading) -> None:
        self._codebook, self._reading = codebook, reading
        self._one_each = reading.words is reading.wholes  # each sentence is a text of its own

    def view(self, name: str) -> Matrix:
        """Array of shape (texts, codes)."""
        found: Matrix = getattr(self, name)()
        return found

    def name(self) -> Matrix:
        return _relative(self._best_part(("name",), 1))

    def meaning(self) -> Matrix:
        return _relative(self._best_part(("meaning",), 1))

    def include(self) -> Matrix:
        return _relative(self._best_part(("include",), 1))

    def examples(self) -> Matrix:
        return _relative(self._best_part(("example",), 3))

    def sentence(self) -> Matrix:
        return _relative(self._best_meaning)

    def sentence_share(self) -> Matrix:
        return np.exp(self._best_meaning)

    def text_share(self) -> Matrix:
        return np.exp(self._text_meaning)

    def centroid(self) -> Matrix:
        return _relative(self._reading.text_vectors @ self._codebook.centroids.T)

    def words(self) -> Matrix:
        if self._one_each:
            return _relative(self._words)
        return _relative(self._best(self._codebook.words(self._reading.words), self._words))

    def words_text(self) -> Matrix:
        return _relative(self._words)

    def characters(self) -> Matrix:
        return _relative(self._codebook.characters(self._reading.wholes))

    def spelling(self) -> Matrix:
        return _relative(self._spelling)

    def spelling_share(self) -> Matrix:
        return np.exp(self._spelling)

    def _best(self, sentences_: Matrix, wholes: Matrix) -> Matrix:
        return wholes if self._one_each else _best_of(sentences_, wholes, self._reading.owner)

    def _best_part(self, parts: tuple[str, ...], top: int) -> Matrix:
        wholes = self._codebook.part_similarity(self._text_cosine, parts, top)
        if self._one_each:
            return wholes
        return self._best(self._codebook.part_similarity(self._sentence_cosine, parts, top), wholes)

    @cached_property
    def _sentence_cosine(self) -> Vectors:
        return self._reading.sentence_vectors @ self._codebook.vectors.T

    @cached_property
    def _text_cosine(self) -> Vectors:
        return self._reading.text_vectors @ self._codebook.vectors.T

    @cached_property
    def _text_meaning(self) -> Matrix:
        return self._codebook.meaning(self._reading.text_vectors)

    @cached_property
    def _best_meaning(self) -> Matrix:
        if self._one_each:
            return self._text_meaning
        return self._best(self._codebook.meaning(self._reading.sentence_vectors), self._text_meaning)

    @cached_property
    def _words(self) -> Matrix:
        return self._codebook.words(self._reading.wholes)

    @cached_property
    def _spelling(self) -> Matrix:
        return self._codebook.spelling(self._reading.wholes)


def _entries(codes: Sequence[Code]) -> list[Entry]:
    """What the codes say of themselves; long definitions by their first two sentences.

    A near miss that belongs to another code is an example of that one, and what a code leaves to
    another is among what the other includes.
    """
    place = {code.id: i for i, code in enumerate(codes)}
    found = [entry for i, code in enumerate(codes) for entry in _own_entries(i, code)]
    for code in codes:
        found += [Entry(place[x.see], "include", x.text, own=False) for x in code.exclude if x.see in place]
        found += [
            Entry(place[m.belongs_to], "example", m.text, own=False) for m in code.near_misses if m.belongs_to in place
        ]
    return found


def _own_entries(index: int, code: Code) -> list[Entry]:
    first_two = " ".join(s.of(code.definition).strip() for s in sentences(code.definition)[:2])
    names = list(dict.fromkeys(name for name in (code.label, code.young_label) if name.strip()))
    return [
        Entry(index, "meaning", f"{code.label}. {first_two}".strip()),
        *(Entry(index, "name", name) for name in names),
        *(Entry(index, "include", text) for text in code.include),
        *(Entry(index, "example", text) for text in code.examples),
        *(Entry(index, "near miss", miss.text) for miss in code.near_misses),
    ]


def _exclusions(codes: Sequence[Code]) -> list[Entry]:
    """What each code says it does not cover: its rules and the texts that only look like it."""
    rules = [Entry(i, "exclude", x.text) for i, code in enumerate(codes) for x in code.exclude]
    return rules + [Entry(i, "near miss", m.text) for i, code in enumerate(codes) for m in code.near_misses]


class _Overlap:
    """TF-IDF similarity between a text and all that a code says of itself."""

    def __init__(self, documents: Sequence[str], vectoriser: TfidfVectorizer | LetterRuns) -> None:
        self._vectoriser = vectoriser
        self._codes = len(documents)
        try:
            self._matrix = self._vectoriser.fit_transform(documents)
        except ValueError:  # nothing but stop words in the whole codebook
            self._matrix = None

    def __call__(self, texts: Sequence[str]) -> Matrix:
        """Array of shape (texts, codes)."""
        if self._matrix is None:
            return np.zeros((len(texts), self._codes))
        return np.asarray((self._vectoriser.transform(texts) @ self._matrix.T).todense(), np.float64)


class _Classifier:
    """Logistic regression on the codebook's own sentences: which code would this belong to?

    Everyday sentences about nothing in particular make up one more class, so that even a codebook
    of one code has something to be told apart from.
    """

    def __init__(self, labels: Sequence[int], known: Matrix | Vectors, *, c: float = 3.0) -> None:
        self._model = LogisticRegression(C=c, max_iter=500, class_weight="balanced").fit(known, labels)

    def __call__(self, vectors: Matrix | Vectors) -> Matrix:
        """Log-probability of each code, shape (texts, codes)."""
        by_class = self._model.predict_log_proba(vectors)
        return np.asarray(by_class[:, self._model.classes_ != NO_CODE], np.float64)


class _SpellingClassifier:
    """The same on words and runs of two to five letters, which forgives spelling.

    It is fitted on a square root of the sentences' own products: the same model as on the letters
    themselves, in as many dimensions as there are sentences.
    """

    def __init__(self, labels: Sequence[int], known: Sequence[str]) -> None:
        self._vectorisers = (LetterRuns(2, 5), TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b"))
        self._known = hstack([v.fit_transform(known) for v in self._vectorisers]).tocsr()
        products = (self._known @ self._known.T).toarray()
        self._root = cholesky(products + 1e-6 * np.eye(len(known)), lower=True)
        self._classifier = _Classifier(labels, self._root, c=30.0)

    def __call__(self, texts: Sequence[str]) -> Matrix:
        """Log-probability of each code, shape (texts, codes)."""
        products = (self._known @ self._letters(texts).T).toarray()
        return self._classifier(solve_triangular(self._root, products, lower=True).T)

    def _letters(self, texts: Sequence[str]) -> csr_matrix:
        return hstack([v.transform(texts) for v in self._vectorisers]).tocsr()


def _top_mean(values: Vectors, top: int) -> Matrix:
    """Mean of the largest `top` values of each row (of all, when there are fewer)."""
    count = min(top, values.shape[1])
    if count == 1:
        return np.asarray(values.max(axis=1), np.float64)
    return np.asarray(np.sort(values, axis=1)[:, -count:].mean(axis=1), np.float64)


def _best_of(sentences_: Matrix, wholes: Matrix, owner: NDArray[np.int64]) -> Matrix:
    """Texts by codes: the best of a text's sentences and of the text as a whole."""
    out = np.array(wholes, np.float64)
    np.maximum.at(out, owner, sentences_)
    return out


def _relative(view: Matrix | Vectors) -> Matrix:
    """A view's lead over the text's average code."""
    return np.asarray(view - view.mean(axis=1, keepdims=True), np.float64)


def _stripped(text: str, span: Span) -> Span:
    """The sentence without the white space of its tile."""
    words = span.of(text)
    start = span.start + len(words) - len(words.lstrip())
    return Span(start, start + len(words.strip())) if words.strip() else span
