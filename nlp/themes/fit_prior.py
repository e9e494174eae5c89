"""Fit the prior: `python -m nlp.themes.fit_prior FOLDER…` (coded sets; their pool halves are used).

Each set weighs the same. The pool half is every text whose position in a seeded shuffle is even;
the other half is never read here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from nlp.encode import Encoder, bundled_minilm
from nlp.themes.corpus import CodedSet, read_coded_set
from nlp.themes.match import Matcher
from nlp.themes.prior import Prior, save_prior

SEED = 20
MAX_TEXTS = 1500
RIDGE = 1e-5

Floats = NDArray[np.float64]


def pool_half(count: int, seed: int = SEED) -> NDArray[np.int64]:
    """Positions of the pool half of a set of `count` texts."""
    return np.sort(np.random.default_rng(seed).permutation(count)[::2])


def fit_prior(sets: list[CodedSet], encoder: Encoder) -> Prior:
    """One logistic regression over all (text, code) pairs of the sets' pool halves."""
    views, truth, weights = [], [], []
    for coded in sets:
        half = pool_half(len(coded.texts))[:MAX_TEXTS]
        found = Matcher(coded.codebook, encoder, prior=_blank()).views([coded.texts[i].text for i in half])
        views.append(found.reshape(-1, found.shape[2]))
        truth.append(coded.truth()[half].reshape(-1))
        weights.append(np.full(len(truth[-1]), 1.0 / len(truth[-1])))
    fitted = _fit(np.concatenate(views), np.concatenate(truth), np.concatenate(weights) / len(sets))
    names = ", ".join(f"{s.name} (pool half)" for s in sets)
    return Prior(tuple(round(float(w), 5) for w in fitted[:-1]), round(float(fitted[-1]), 5), names)


def _fit(views: Floats, truth: NDArray[np.bool_], weights: Floats) -> Floats:
    """Weights of the views and an intercept: logistic loss, no view may count against a code."""
    scale = views.std(axis=0) + 1e-9
    scaled = views / scale

    def loss(p: Floats) -> tuple[float, Floats]:
        z = scaled @ p[:-1] + p[-1]
        error = weights * (expit(z) - truth)
        value = (weights * (np.logaddexp(0.0, z) - truth * z)).sum() + RIDGE * (p[:-1] ** 2).sum()
        return float(value), np.append(scaled.T @ error + 2 * RIDGE * p[:-1], error.sum())

    count = views.shape[1]
    bounds = [(0.0, None)] * count + [(None, None)]
    found = minimize(loss, np.zeros(count + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    return np.append(found[:-1] / scale, found[-1])


def _blank() -> Prior:
    return Prior((0.0,) * 10, 0.0, "")


if __name__ == "__main__":
    prior = fit_prior([read_coded_set(Path(folder)) for folder in sys.argv[1:]], bundled_minilm())
    save_prior(prior)
    print(prior)
