"""A coded set in the measuring form: a folder with `codebook.json` and `texts.jsonl`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.codebook import read_codebook
from nlp.errors import CorpusError
from nlp.types import Codebook, Span


@dataclass(frozen=True, slots=True)
class CodedText:
    """A text and the codes that a person gave it; `evidence` are the words that a person marked, by code."""

    id: str
    text: str
    codes: frozenset[str]
    voice: str = ""
    language: str = ""
    evidence: tuple[tuple[str, Span], ...] = ()


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


def read_coded_set(folder: Path, codebook: Codebook | None = None) -> CodedSet:
    """The coded set in `folder`, with its own codebook or the one given.

    CodebookError for the codebook, CorpusError for a line of `texts.jsonl` that cannot be used.
    """
    if codebook is None:
        yaml = folder / "codebook.yaml"
        codebook = read_codebook(yaml if yaml.is_file() else folder / "codebook.json")
    try:
        lines = (folder / "texts.jsonl").read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError):
        raise CorpusError(f"{folder.name}: there is no texts.jsonl in UTF-8") from None
    texts = tuple(_coded_text(i, line) for i, line in enumerate(lines, 1) if line.strip())
    if not texts:
        raise CorpusError(f"{folder.name}/texts.jsonl: the file is empty")
    return CodedSet(folder.name, codebook, texts)


def _coded_text(number: int, line: str) -> CodedText:
    try:
        row = json.loads(line)
        id_, text, codes = str(row["id"]), str(row["text"]), _codes(row["codes"])
        voice, language = str(row.get("voice") or ""), str(row.get("language") or "")
        return CodedText(id_, text, codes, voice, language, _evidence(row["codes"]))
    except (json.JSONDecodeError, KeyError, TypeError):
        raise CorpusError(f"texts.jsonl, row {number}: needs id, text and codes") from None


def _codes(found: Any) -> frozenset[str]:
    """Codes may be ids, or objects with a `code`."""
    if not isinstance(found, list):
        raise TypeError("codes are a list")
    return frozenset(str(c["code"]) if isinstance(c, dict) else str(c) for c in found)


def _evidence(found: list[Any]) -> tuple[tuple[str, Span], ...]:
    marked = [
        c for c in found if isinstance(c, dict) and isinstance(c.get("start"), int) and isinstance(c.get("end"), int)
    ]
    return tuple((str(c["code"]), Span(c["start"], c["end"])) for c in marked)
