"""How well an encoder hears what is meant, on fields that it was not taught on, with nothing confirmed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nlp.encode import Encoder
from nlp.models.matcher.fields import Field, WrittenText
from nlp.models.matcher.noise import respelt
from nlp.themes.evaluate import recall_at, score
from nlp.themes.match import Matcher
from nlp.themes.prior import Prior
from nlp.themes.views import Matrix
from nlp.types import Span

SEED = 5
LONG_WORDS = 40


@dataclass(frozen=True, slots=True)
class Heard:
    """One row: means over the fields, in 0..1; `n` coded texts."""

    group: str
    n: int
    recall_at_3: float
    macro_ap: float
    first_right: float


@dataclass(frozen=True, slots=True)
class _Scored:
    field: Field
    truth: NDArray[np.bool_]
    scores: Matrix
    respelt: Matrix
    evidence: list[bool]


def measure(fields: Sequence[Field], encoder: Encoder, prior: Callable[[Field], Prior | None]) -> list[Heard]:
    """Rows for all texts, by voice, length and spelling, for themes that are only implied, and for evidence.

    `prior` gives the prior to read a field with, one that was not fitted on it. `recall_at_3` of the row “evidence” is
    the share of a text's codes whose sentence holds what the writer marked, texts of one sentence left out.
    """
    scored = [_scored(field, encoder, prior(field)) for field in fields]
    rows = [_row("all", scored, lambda _: True)]
    voices = sorted({t.voice for s in scored for t in s.field.texts})
    rows += [_row(f"voice: {voice}", scored, partial(_of_voice, voice)) for voice in voices]
    rows.append(_row("implied", scored, lambda t: all(g.implied for g in t.given)))
    rows.append(_row("named", scored, lambda t: not any(g.implied for g in t.given)))
    rows.append(_row(f"long ({LONG_WORDS} words and more)", scored, lambda t: len(t.text.split()) >= LONG_WORDS))
    rows.append(_row("one word in six respelt", [_as_respelt(s) for s in scored], lambda _: True))
    marks = [mark for s in scored for mark in s.evidence]
    rows.append(
        Heard("evidence", len(marks), float(np.mean(marks)) if marks else float("nan"), float("nan"), float("nan"))
    )
    return rows


def _of_voice(voice: str, text: WrittenText) -> bool:
    return text.voice == voice


def _scored(field: Field, encoder: Encoder, prior: Prior | None) -> _Scored:
    matcher = Matcher(field.codebook, encoder, prior=prior)
    texts = [t.text for t in field.texts]
    dice = random.Random(SEED)
    reading = matcher.read(texts)
    return _Scored(
        field, truth(field), matcher.scores(reading), matcher.scores(matcher.read([respelt(t, dice) for t in texts])),
        _evidence(field, matcher),
    )  # fmt: skip


def truth(field: Field) -> NDArray[np.bool_]:
    """Array of shape (texts, codes)."""
    return np.array([[code.id in t.codes for code in field.codebook.codes] for t in field.texts], bool)


def _as_respelt(s: _Scored) -> _Scored:
    return _Scored(s.field, s.truth, s.respelt, s.respelt, [])


def _row(group: str, scored: Sequence[_Scored], wanted: Callable[[WrittenText], bool]) -> Heard:
    found, count = [], 0
    for s in scored:
        rows = [i for i, t in enumerate(s.field.texts) if t.given and wanted(t)]
        everything = rows if group != "all" else list(range(len(s.field.texts)))
        if not rows:
            continue
        count += len(rows)
        got = score(s.truth[everything], s.scores[everything])
        top = np.argsort(-s.scores[rows], axis=1, kind="stable")
        found.append((recall_at(s.truth[rows], top, 3), got.macro_ap, got.first_right))
    means = np.nanmean(np.array(found), axis=0) if found else [float("nan")] * 3
    return Heard(group, count, *map(float, means))


def _evidence(field: Field, matcher: Matcher) -> list[bool]:
    """For each code given to a text of several sentences, whether the highlighted one holds what the writer marked."""
    place = {code.id: j for j, code in enumerate(matcher.codes)}
    reading = matcher.read([t.text for t in field.texts])
    best = matcher.explainer.evidence(reading)
    several = np.bincount(reading.owner, minlength=len(field.texts)) > 1
    return [
        _holds(reading.spans[best[i, place[given.code]]], text.text, given.evidence)
        for i, text in enumerate(field.texts)
        if several[i]
        for given in text.given
    ]


def _holds(span: Span, text: str, words: str) -> bool:
    start = text.index(words)
    return min(span.end, start + len(words)) > max(span.start, start)
