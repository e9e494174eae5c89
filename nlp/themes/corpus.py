"""A coded set in the measuring form: a folder with `codebook.json` and `texts.jsonl`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlp.codebook import read_codebook
from nlp.types import Codebook


@dataclass(frozen=True, slots=True)
class CodedText:
    """A text and the codes that a person gave it."""

    id: str
    text: str
    codes: frozenset[str]
    voice: str = ""


@dataclass(frozen=True, slots=True)
class CodedSet:
    """A codebook and texts coded with it."""

    name: str
    codebook: Codebook
    texts: tuple[CodedText, ...]

    def truth(self) -> NDArray[np.bool_]:
        """Array of shape (texts, codes)."""
        ids = [code.id for code in self.codebook.active_codes]
        return np.array([[c in t.codes for c in ids] for t in self.texts], dtype=bool).reshape(-1, len(ids))


def read_coded_set(folder: Path) -> CodedSet:
    """The coded set in `folder`; CodebookError or ValueError says what is wrong."""
    yaml = folder / "codebook.yaml"
    codebook = read_codebook(yaml if yaml.is_file() else folder / "codebook.json")
    lines = (folder / "texts.jsonl").read_text("utf-8").splitlines()
    return CodedSet(folder.name, codebook, tuple(_coded_text(line) for line in lines if line.strip()))


def _coded_text(line: str) -> CodedText:
    row = json.loads(line)
    return CodedText(str(row["id"]), row["text"], frozenset(row["codes"]), row.get("voice", ""))
