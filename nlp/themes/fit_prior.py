"""Fit the prior of plain encoders: `python -m nlp.themes.fit_prior FOLDER…`, coded sets; a site's folder takes its codebook
from `codebooks/`. The matcher's own: `python -m nlp.themes.fit_prior --matcher DATA`, with the folder that holds `themes/`.

Each set weighs as `WEIGHTS` says. A set with quotes is read three times: whole, without its quotes, and
with names and definitions alone, so that the prior also knows codebooks that have none. The fit is drawn
to the fixed design of the reference (`views.FIXED`), which carries what few sets cannot tell.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from nlp.codebook import read_codebook
from nlp.encode import Encoder
from nlp.encode_int8 import encoder_in
from nlp.themes.corpus import CodedSet, read_coded_set
from nlp.themes.evaluate import ThemeScores, score
from nlp.themes.prior import FILE, MATCHER_FILE, Prior, save_prior
from nlp.themes.views import FIXED, CodebookViews, read
from nlp.types import Code

SEED = 20
MAX_TEXTS = 3000
DRAWN = 3e-3
ROOT = Path(__file__).resolve().parents[2]

Floats = NDArray[np.float64]
Pairs = tuple[Floats, NDArray[np.bool_]]


def pairs_of(coded: CodedSet, encoder: Encoder) -> list[Pairs]:
    """Views (texts, codes, views) and truth, for each form of the codebook; at most `MAX_TEXTS` texts."""
    kept = _kept(coded)
    reading = read([coded.texts[i].text for i in kept], encoder, str)
    truth = coded.truth()[kept]
    return [(CodebookViews(codes, encoder)(reading), truth) for codes in _forms(coded.codebook.active_codes)]


def _kept(coded: CodedSet) -> NDArray[np.int64]:
    return np.sort(np.random.default_rng(SEED).permutation(len(coded.texts))[:MAX_TEXTS])


def _words(s: ThemeScores) -> str:
    return (
        f"n {s.n}, recall at 3 {s.recall_at_3:.3f}, macro-AP {s.macro_ap:.3f}, micro-AP {s.micro_ap:.3f},"
        f" first right {s.first_right:.3f}, error {s.top3_error:.3f}"
    )


def _forms(codes: Sequence[Code]) -> Iterator[Sequence[Code]]:
    yield codes
    if any(c.examples for c in codes):
        without = [replace(c, examples=(), near_misses=()) for c in codes]
        yield without
        yield [replace(c, include=(), exclude=(), young_label="") for c in without]


def fit(sets: Sequence[list[Pairs]]) -> tuple[Floats, float]:
    """Weights of the views and an intercept: logistic loss over all (text, code) pairs; no view counts against a code."""
    forms = [(views, truth, 1 / len(forms)) for forms in sets for views, truth in forms]
    views = np.concatenate([v.reshape(-1, v.shape[2]) for v, _, _ in forms])
    truth = np.concatenate([t.ravel() for _, t, _ in forms])
    weights = np.concatenate([np.full(t.size, w / t.size) for _, t, w in forms]) / len(sets)
    scale = views.std(axis=0) + 1e-9
    scaled, wanted = views / scale, np.asarray(FIXED)

    def loss(p: Floats) -> tuple[float, Floats]:
        z = scaled @ p[:-1] + p[-1]
        error = weights * (expit(z) - truth)
        away = p[:-1] - wanted
        value = (weights * (np.logaddexp(0.0, z) - truth * z)).sum() + DRAWN * (away**2).sum()
        return float(value), np.append(scaled.T @ error + 2 * DRAWN * away, error.sum())

    count = views.shape[1]
    bounds = [(0.0, None)] * count + [(None, None)]
    found = minimize(loss, np.append(wanted, -2.0), jac=True, bounds=bounds, method="L-BFGS-B").x
    return found[:-1] / scale, float(found[-1])


def _named(folder: Path) -> CodedSet:
    site = folder.parent.name if folder.name == "gold" else folder.name
    own = ROOT / "codebooks" / site
    found = read_coded_set(folder, read_codebook(own) if own.is_dir() else None)
    return replace(found, name=site)


def _sets_for_matcher(data: Path) -> list[CodedSet]:
    """Texts that the matcher was not taught on: held-out fields, sample corpora, and a part of public sets."""
    from nlp.models.matcher.fields import as_coded_set, held_out_fields, read_fields
    from nlp.models.matcher.train import public_for_prior

    return [*map(as_coded_set, held_out_fields(read_fields())), *site_sets(), *public_for_prior(data / "themes")]


def site_sets() -> list[CodedSet]:
    """The sample corpora of the sites."""
    return [_named(gold) for gold in sorted((ROOT / "corpora_sample").glob("*/gold"))]


def main(words: Sequence[str]) -> None:
    """Fit on all, save, and print each set's scores when the prior was fitted without it."""
    matcher = "--matcher" in words
    folders = [Path(word) for word in words if not word.startswith("--")]
    encoder = encoder_in(None, Path.home() / ".cache" / "heard" / "models", plain=not matcher)
    sets = _sets_for_matcher(folders[0]) if matcher else [_named(folder) for folder in folders]
    pairs = [pairs_of(coded, encoder) for coded in sets]
    for i, coded in enumerate(sets):
        weights, intercept = fit([p for j, p in enumerate(pairs) if j != i])
        views, truth = pairs[i][0]
        said = expit(views @ weights + intercept)
        voices = np.array([coded.texts[k].voice for k in _kept(coded)])
        for group in ["all", *sorted(set(voices) - {""})]:
            rows = np.arange(len(voices)) if group == "all" else np.flatnonzero(voices == group)
            print(f"{coded.name}, left out: {group}: {_words(score(truth[rows], said[rows]))}")
    weights, intercept = fit(pairs)
    prior = Prior(tuple(round(float(w), 5) for w in weights), round(intercept, 5), ", ".join(s.name for s in sets))
    save_prior(prior, MATCHER_FILE if matcher else FILE)
    print(prior)


if __name__ == "__main__":
    main(sys.argv[1:])
