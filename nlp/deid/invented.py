"""“Hiding in plain sight” (Carrell et al., JAMIA 2013): an invented name of the same shape in a name's place.

A name that was missed then looks like all the invented ones. The names are made of syllables and
belong to nobody on purpose; which one is taken follows from the case's keyed digest.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_FIRST = (
    "Alba Bryn Calla Daven Elowen Farrin Gwenna Hollin Isaura Jorren Kesta Lowen Mirela Nerys Orrin Petra Quilla Rhodri Senna"
    " Tamsin Ulric Verity Wynne Yarrow Zella Corin Delwyn Esme Faron Ilka"
).split()


def invented_name(words: str, digest: Callable[[str], str]) -> str:
    """Each word of a name replaced, keeping capitals, hyphens and initials; `digest` keys the choice by the word."""
    return re.sub(r"[^\W\d_]+", lambda m: _instead(m[0], digest(m[0].casefold())), words)


def _instead(word: str, key: str) -> str:
    number = int(key[:8], 16)
    if len(word) == 1:
        letter = "ABCDEFGHJKLMNPRSTW"[number % 18]
        return letter if word.isupper() else letter.lower()
    name = _FIRST[number % len(_FIRST)]
    if name.casefold() == word.casefold():
        name = _FIRST[(number + 1) % len(_FIRST)]
    if word.islower():
        return name.lower()
    return name.upper() if word.isupper() else name
