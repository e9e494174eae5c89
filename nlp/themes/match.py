"""Matching on the codebook alone: a first probability for each code, and the words that earned it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nlp.encode import Encoder
from nlp.themes.explain import Explainer
from nlp.themes.prior import Prior, prior_for
from nlp.themes.views import VIEWS, CodebookViews, Matrix, Reading, read
from nlp.types import Code, Codebook, Suggestion

METHOD = "themes.match.v2"
SHOWN_FROM = 0.2


class Matcher:
    """Scores texts against one codebook. Building it encodes the codebook once."""

    method = METHOD

    def __init__(
        self, codebook: Codebook, encoder: Encoder, *, prior: Prior | None = None, read_as: Callable[[str], str] = str
    ) -> None:
        """`read_as` rewrites each sentence before it is read (surrogates as neutral words, say)."""
        self.codes: tuple[Code, ...] = codebook.active_codes
        self.codebook_views = CodebookViews(self.codes, encoder)
        self.explainer = Explainer(self.codes, self.codebook_views, self.scores)
        self._read_as = read_as
        self._encoder = encoder
        self._prior = prior or prior_for(encoder.fingerprint)
        self._used = frozenset(name for name, weight in zip(VIEWS, self._prior.weights, strict=True) if weight)

    def read(self, texts: Sequence[str]) -> Reading:
        """Texts cut, rewritten and encoded."""
        return read(texts, self._encoder, self._read_as)

    def scores(self, reading: Reading) -> Matrix:
        """Array of shape (texts, codes): the log-odds that a person would confirm."""
        return self._prior.scores(self._weighed(reading))

    def probabilities(self, texts: Sequence[str]) -> Matrix:
        """Array of shape (texts, codes): the prior probability that a person would confirm."""
        return self._prior.probabilities(self.views(texts))

    def views(self, texts: Sequence[str]) -> Matrix:
        """Array of shape (texts, codes, views)."""
        return self.codebook_views(self.read(texts))

    def suggest(self, texts: Sequence[str], *, threshold: float = SHOWN_FROM) -> list[list[Suggestion]]:
        """For each text its suggestions at or above `threshold`, best first; none is padded."""
        if not texts:
            return []
        reading = self.read(texts)
        return self.explainer.suggestions(reading, self._prior.probabilities(self._weighed(reading)), threshold)

    def _weighed(self, reading: Reading) -> Matrix:
        """The views that the prior gives a weight to: the others need not be worked out."""
        return self.codebook_views(reading, self._used)
