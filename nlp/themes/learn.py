"""Learning from decisions: one model for all codes that starts at the match score.

The log-odds of a code are `a . views + b + b_c + f_c(text)`: the match score and the likeness to
confirmed texts with weights that all codes share, a shift for each code, and a function of the text
for each code, drawn to nothing. A code that nobody has confirmed still ranks by its entry in the
codebook and profits from what the other codes taught. `f_c` lives in the space of a kernel (cosine of
the text, of the mean of its sentences, of its words and of its letters), so that a fit costs what the
decided texts cost. After King, Zeng: offset logistic regression; kernel form after Zhu and Hastie,
"Kernel Logistic Regression and the Import Vector Machine" (2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, diags
from scipy.special import expit
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from nlp.encode import Vectors
from nlp.errors import LessonError
from nlp.themes.views import Matrix, Reading

METHOD = "themes.learn.v2"

COSINE, MEAN_COSINE, WORDS, LETTERS = 8.0, 8.0, 8.0, 24.0
JITTER = 1e-4  # one text, or the same again, leaves nothing once its mean is taken off
ALIKE = 6.0
ALIKE_TOP = 3
DRAWN_SHARED, DRAWN_SHIFT, DRAWN_ALL = 1.0, 1.0, 0.01
ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Lessons:
    """Decided texts: `labels` (texts, codes) is 1 for yes and 0 for no; `weights` is 0 where nobody decided."""

    reading: Reading
    match: Matrix
    labels: Matrix
    weights: Matrix

    def __post_init__(self) -> None:
        shapes = {self.match.shape, self.labels.shape, self.weights.shape}
        if len(shapes) != 1 or len(self.reading.wholes) != self.match.shape[0]:
            raise LessonError("match scores, labels and weights must all have one row a text and one column a code")

    @staticmethod
    def join(parts: Sequence[Lessons]) -> Lessons:
        """Several as one, in that order; there is at least one."""
        match, labels, weights = (np.concatenate(column) for column in zip(*map(_arrays, parts), strict=True))
        return Lessons(Reading.join([p.reading for p in parts]), match, labels, weights)

    def only(self, rows: NDArray[np.int64]) -> Lessons:
        """The lessons of some texts."""
        return Lessons(self.reading.only(rows), self.match[rows], self.labels[rows], self.weights[rows])


def _arrays(lessons: Lessons) -> tuple[Matrix, Matrix, Matrix]:
    return lessons.match, lessons.labels, lessons.weights


class Learned:
    """What decisions taught; `score` gives log-odds. LessonError when there is nothing to learn from."""

    method = METHOD

    def __init__(self, lessons: Lessons) -> None:
        if not lessons.match.size or not lessons.weights.any():
            raise LessonError("nothing is decided yet, so there is nothing to learn from")
        self._lessons = lessons
        self._spelled = _Spelled(lessons.reading.wholes)
        products = self._products(lessons.reading, self._spelled.known)
        self._usual, self._overall = products.mean(axis=0), products.mean()
        products = self._centred(products)
        shared = self._shared(lessons.match, lessons.reading, itself=True)
        self._root = cholesky(products + JITTER * np.eye(len(products)), lower=True).astype(np.float32)
        self._fit(shared)

    def score(self, match: Matrix, reading: Reading) -> Matrix:
        """Log-odds, shape (texts, codes), from match scores of the same shape."""
        products = self._centred(self._products(reading, self._spelled(reading.wholes)))
        shared = self._shared(match, reading, itself=False)
        return np.asarray(shared @ self._a + self._b + products @ self._pull, np.float64)

    def own_score(self) -> Matrix:
        """Log-odds of the decided texts themselves, shape (texts, codes)."""
        shared = self._shared(self._lessons.match, self._lessons.reading, itself=True)
        return np.asarray(shared @ self._a + self._b + self._root @ self._weights, np.float64)

    def _products(self, reading: Reading, spelled: tuple[csr_matrix, csr_matrix]) -> Matrix:
        """The kernel between texts and the decided texts."""
        known = self._lessons.reading
        out = COSINE * (reading.text_vectors @ known.text_vectors.T)
        out += MEAN_COSINE * (reading.mean_vectors @ known.mean_vectors.T)
        for weight, mine, theirs in zip((WORDS, LETTERS), spelled, self._spelled.known, strict=True):
            out = out + weight * (mine @ theirs.T).toarray()
        return np.asarray(out, np.float64)

    def _centred(self, products: Matrix) -> Matrix:
        """The kernel around the mean of the decided texts: what all texts have in common says nothing of any code.

        Without this a few texts teach each code's share through the kernel, where only a shift should learn it.
        """
        return np.asarray(products - products.mean(axis=1, keepdims=True) - self._usual + self._overall, np.float64)

    def _shared(self, match: Matrix, reading: Reading, *, itself: bool) -> Matrix:
        """The views whose weights all codes share: match score and likeness to confirmed texts."""
        near = reading.text_vectors @ self._lessons.reading.text_vectors.T
        if itself:
            np.fill_diagonal(near, -1.0)
        yes = (self._lessons.labels > 0.5) & (self._lessons.weights > 0)
        return np.stack([match, ALIKE * _likeness(near, yes)], axis=2)

    def _fit(self, shared: Matrix) -> None:
        lessons, root = self._lessons, self._root
        labels, weights = lessons.labels.astype(np.float32), lessons.weights.astype(np.float32)
        texts, codes, views = shared.shape
        flat, start = shared.reshape(-1, views).astype(np.float32), np.eye(views)[0]
        cut = views + 1 + codes

        def loss(p: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            small = p.astype(np.float32)
            a, all_, shift, w = small[:views], small[views], small[views + 1 : cut], small[cut:].reshape(texts, codes)
            z = (flat @ a).reshape(texts, codes) + all_ + shift + root @ w
            error = weights * (expit(z) - labels)
            value = (weights * (np.logaddexp(np.float32(0), z) - labels * z)).sum(dtype=np.float64)
            value += DRAWN_SHARED * ((a - start) ** 2).sum() + DRAWN_ALL * all_**2
            value += DRAWN_SHIFT * (shift**2).sum() + (w**2).sum()
            slope = [
                flat.T @ error.ravel() + 2 * DRAWN_SHARED * (a - start),
                [error.sum() + 2 * DRAWN_ALL * all_],
                error.sum(axis=0) + 2 * DRAWN_SHIFT * shift,
                (root.T @ error + 2 * w).ravel(),
            ]
            return float(value), np.concatenate(slope)

        begin = np.concatenate([start, np.zeros(1 + codes + texts * codes)])
        found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS, "maxcor": 5}).x
        self._a, self._b = found[:views], found[views] + found[views + 1 : cut]
        self._weights = found[cut:].reshape(texts, codes)
        self._pull = solve_triangular(root.T.astype(np.float64), self._weights, lower=False)


def _likeness(near: Vectors, yes: NDArray[np.bool_]) -> Matrix:
    """Mean cosine with the nearest confirmed texts of each code, against the mean over codes; 0 where there is none."""
    out = np.zeros((len(near), yes.shape[1]))
    for code in np.flatnonzero(yes.any(axis=0)):
        best = np.sort(near[:, yes[:, code]], axis=1)[:, -ALIKE_TOP:]
        counted = best > -0.99
        out[:, code] = np.where(counted, best, 0.0).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    return np.asarray(out - out.mean(axis=1, keepdims=True), np.float64)


class _Spelled:
    """Words and letters of texts, weighed by how rare they are among the decided ones; no vocabulary is kept."""

    def __init__(self, texts: Sequence[str]) -> None:
        words = HashingVectorizer(
            n_features=2**18, norm=None, alternate_sign=False, ngram_range=(1, 2), token_pattern=r"(?u)\b\w[\w'’]*\b"
        )
        letters = HashingVectorizer(
            n_features=2**18, norm=None, alternate_sign=False, analyzer="char_wb", ngram_range=(3, 5)
        )
        self._vectorisers = (words, letters)
        counts = [v.transform(texts) for v in self._vectorisers]
        self._rarity = [np.log((1 + len(texts)) / (1 + c.getnnz(axis=0))) + 1 for c in counts]
        self.known = self._weighed(counts)

    def __call__(self, texts: Sequence[str]) -> tuple[csr_matrix, csr_matrix]:
        """Rows of length one, in words and in letters."""
        return self._weighed([v.transform(texts) for v in self._vectorisers])

    def _weighed(self, counts: list[csr_matrix]) -> tuple[csr_matrix, csr_matrix]:
        for c in counts:
            c.data = 1 + np.log(c.data)
        words, letters = (normalize(c @ diags(r)) for c, r in zip(counts, self._rarity, strict=True))
        return words.tocsr(), letters.tocsr()
