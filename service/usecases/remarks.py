"""What the linter remarks on a draft, beside each code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from nlp.encode import Encoder
from nlp.themes.lint import Advice, Remark, lint, lint_each
from nlp.types import Codebook
from service.errors import StudyError
from service.study.study import Study
from service.usecases.suggest import cached_encoder

MOST_COMPARED = 200  # codes; comparing every two takes too long beyond
_held: dict[str, tuple[object, Mapping[str, Sequence[Remark]]]] = {}


def remarks(study: Study, book: Codebook, encoder: Encoder) -> Mapping[str, Sequence[Remark]]:
    """Remarks by code; a remark on two codes stands with both. Very large codebooks are looked at code by code."""
    held = _held.get(study.id)
    if held is None or held[0] != book.codes:
        held = _held[study.id] = (book.codes, _by_code(_lint(study, book, encoder)))
    return held[1]


def _lint(study: Study, book: Codebook, encoder: Encoder) -> Sequence[Remark]:
    if not 0 < len(book.active_codes) <= MOST_COMPARED:
        return lint_each(book)
    try:
        return lint(book, cached_encoder(study, encoder, re_encode=False))
    except StudyError:  # the study's vectors are another model's
        return lint(book, encoder)


def _by_code(found: Sequence[Remark]) -> Mapping[str, Sequence[Remark]]:
    beside: dict[str, list[Remark]] = defaultdict(list)
    for one in found:
        beside[one.code].append(one)
        if one.advice is Advice.NEAR:
            beside[one.other].append(Remark(one.advice, one.other, one.code, one.why, one.likeness))
    return beside
