"""Words, figures and marks with their places, as the token model reads them."""

from __future__ import annotations

import re

TOKEN = re.compile(
    r"[^\W\d_]+(?:[-'](?!s\b)[^\W\d_]+)*"  # a word, with inner hyphens and apostrophes
    r"|'s\b|\d+|\n+|[^\w\s]|_+"
)
Token = tuple[str, int, int]


def tokenise(text: str) -> list[Token]:
    """Each token with its half-open place in `text`; line ends count, other white space does not."""
    return [(m[0], m.start(), m.end()) for m in TOKEN.finditer(text)]
