"""The study's vectors: float16, by model and by the hash of the de-identified words that the model read."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from service.errors import StudyError
from service.study.database import write

ASKED_AT_ONCE = 500


class StudyVectors:
    """The cache of one study for one model.

    StudyError when the study's vectors are another model's: they are never mixed, and never made
    anew unasked.
    """

    def __init__(self, db: Database, *, model: str, dimension: int) -> None:
        self._db, self._model, self._dimension = db, model, dimension
        held = db.conn.execute("SELECT model, length(vector) / 2 AS dimension FROM vectors LIMIT 1").fetchone()
        if held is not None and (held["model"], held["dimension"]) != (model, dimension):
            raise StudyError(
                f"this study's vectors were made by {held['model']} ({held['dimension']} numbers each); the encoder in use is"
                f" {model} ({dimension}). Go back to that encoder, or make the vectors anew with “heard suggest --re-encode”"
            )

    def get(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float16]]:
        """The vectors that are there."""
        return vectors_held(self._db, keys)

    def put(self, vectors: Mapping[bytes, NDArray[np.float16]]) -> None:
        """Keep vectors; one that is there already stays as it is."""
        rows = [(key, self._model, vector.tobytes()) for key, vector in vectors.items()]
        with write(self._db) as connection:
            connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", rows)


def vectors_held(db: Database, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float16]]:
    """Those of the vectors that the study has, whichever model made them."""
    found: dict[bytes, NDArray[np.float16]] = {}
    for start in range(0, len(keys), ASKED_AT_ONCE):
        part = keys[start : start + ASKED_AT_ONCE]
        rows = db.conn.execute(f"SELECT key, vector FROM vectors WHERE key IN ({','.join('?' * len(part))})", part)
        found |= {row["key"]: np.frombuffer(row["vector"], np.float16) for row in rows}
    return found


def forget_vectors(connection: sqlite3.Connection) -> None:
    """Remove all vectors, in the caller's transaction: after a fix none may tell of the words that were removed."""
    connection.execute("DELETE FROM vectors")
