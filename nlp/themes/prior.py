"""The prior: one logistic curve over the views, the same for every code and every codebook."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

MODELS = Path(__file__).resolve().parent.parent / "models"
FILE = MODELS / "match_prior.json"
MATCHER_FILE = MODELS / "matcher" / "prior.json"
MATCHER_NAME = "heard-matcher"


@dataclass(frozen=True, slots=True)
class Prior:
    """Weights of the views and an intercept, with how they were come by."""

    weights: tuple[float, ...]
    intercept: float
    fitted_on: str

    def probabilities(self, views: NDArray[np.float64]) -> NDArray[np.float64]:
        """From views of shape (texts, codes, views) to probabilities of shape (texts, codes)."""
        return np.asarray(expit(self.scores(views)), np.float64)

    def scores(self, views: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same as log-odds."""
        return np.asarray(views @ np.asarray(self.weights) + self.intercept, np.float64)


def load_prior(file: Path = FILE) -> Prior:
    """The prior as shipped."""
    raw = json.loads(file.read_text("utf-8"))
    return Prior(tuple(raw["weights"]), raw["intercept"], raw["fitted_on"])


def prior_for(encoder: str) -> Prior:
    """The prior for an encoder's fingerprint: the matcher's own, or that of plain sentence encoders."""
    return load_prior(MATCHER_FILE if encoder.startswith(MATCHER_NAME) else FILE)


def save_prior(prior: Prior, file: Path = FILE) -> None:
    """Write the prior as readable JSON."""
    content = {"fitted_on": prior.fitted_on, "intercept": prior.intercept, "weights": list(prior.weights)}
    file.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
