"""What one study's decisions taught, in a form that another study of the same codebook may learn from.

It holds vectors and decisions, and no words, names, ids or places. A vector still tells something of its text, so a
study gives it away only where its governance allows. Borrowed lessons count for less the more a study has of its own.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.errors import LessonError
from nlp.themes.learn import Lessons
from nlp.themes.views import Reading
from nlp.types import Span

HALVED_AT = 200
_FORM = "heard-lessons-1"


@dataclass(frozen=True, slots=True)
class Shared:
    """Decided texts as vectors, in an order that tells nothing; arrays have one row a text, and a column for each of `codes`."""

    codebook: str
    version: str
    model: str
    codes: tuple[str, ...]
    text_vectors: NDArray[np.float16]
    mean_vectors: NDArray[np.float16]
    match: NDArray[np.float32]
    labels: NDArray[np.float32]
    weights: NDArray[np.float32]


def share(lessons: Lessons, *, codebook: str, version: str, model: str, codes: Sequence[str]) -> Shared:
    """The lessons without their words; LessonError when there are none."""
    if not lessons.weights.any():
        raise LessonError("nothing is decided yet, so there is nothing to share")
    vectors = lessons.reading.text_vectors.astype(np.float16)
    order = sorted(range(len(vectors)), key=lambda i: vectors[i].tobytes())
    means = lessons.reading.mean_vectors.astype(np.float16)
    small = [np.asarray(a, np.float32)[order] for a in (lessons.match, lessons.labels, lessons.weights)]
    return Shared(codebook, version, model, tuple(codes), vectors[order], means[order], *small)


def borrowed(shared: Shared, *, codes: Sequence[str], model: str, own: int) -> Lessons:
    """Lessons for another version of the codebook, where `own` texts are decided already; codes are joined by id.

    LessonError when another encoder made the vectors: they could not be compared.
    """
    if shared.model != model:
        raise LessonError(f"these lessons were made with {shared.model}; this study reads with {model}")
    count, place = len(shared.labels), {code: j for j, code in enumerate(shared.codes)}
    columns = [(j, place[code]) for j, code in enumerate(codes) if code in place]
    match, labels, weights = (np.zeros((count, len(codes))) for _ in range(3))
    for mine, theirs in columns:
        match[:, mine], labels[:, mine] = shared.match[:, theirs], shared.labels[:, theirs]
        weights[:, mine] = shared.weights[:, theirs] * HALVED_AT / (HALVED_AT + own)
    return Lessons(_wordless(shared), match, labels, weights)


def _wordless(shared: Shared) -> Reading:
    """A reading of texts whose words are not here."""
    count = len(shared.labels)
    nothing = [""] * count
    vectors, means = shared.text_vectors.astype(np.float32), shared.mean_vectors.astype(np.float32)
    return Reading([Span(0, 0)] * count, np.arange(count, dtype=np.int64), nothing, nothing, means, vectors)


def to_bytes(shared: Shared) -> bytes:
    """One file: NumPy's own archive, without pickles."""
    said = np.array([_FORM, shared.codebook, shared.version, shared.model, *shared.codes])
    file = io.BytesIO()
    np.savez_compressed(
        file, said=said, text_vectors=shared.text_vectors, mean_vectors=shared.mean_vectors, match=shared.match,
        labels=shared.labels, weights=shared.weights,
    )  # fmt: skip
    return file.getvalue()


def from_bytes(content: bytes) -> Shared:
    """The same back; LessonError for anything else."""
    try:
        held = np.load(io.BytesIO(content), allow_pickle=False)
        form, codebook, version, model, *codes = map(str, held["said"])
        arrays = [held[name] for name in ("text_vectors", "mean_vectors", "match", "labels", "weights")]
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile):
        raise LessonError("the file holds no shared lessons") from None
    shape = (len(arrays[0]), len(codes))
    fits = arrays[0].shape == arrays[1].shape and arrays[0].ndim == 2 and all(a.shape == shape for a in arrays[2:])
    if form != _FORM or not fits or not all(np.isfinite(a.astype(np.float32)).all() for a in arrays):
        raise LessonError("the file of shared lessons is damaged or of another form")
    return Shared(codebook, version, model, tuple(codes), *arrays)
