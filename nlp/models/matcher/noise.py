"""Spelling as children spell: for training, and for measuring what it costs."""

from __future__ import annotations

import random
import re

ONE_IN = 6

_SOUNDS = (
    ("tion", "shun"), ("ought", "ort"), ("aught", "ort"), ("ould", "ud"), ("ight", "ite"), ("eigh", "ay"), ("ough", "uff"),
    ("because", "becos"), ("people", "peepul"), ("friend", "frend"), ("school", "skool"), ("really", "realy"), ("want", "wont"),
    ("ph", "f"), ("wh", "w"), ("kn", "n"), ("wr", "r"), ("ck", "k"), ("ee", "ea"), ("ea", "ee"), ("ai", "ay"), ("oa", "o"),
    ("ou", "ow"), ("th", "f"), ("qu", "kw"), ("le", "ul"), ("er", "a"), ("ed", "d"), ("c", "k"), ("x", "ks"), ("y", "i"),
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z]{3,}")


def respelt(text: str, dice: random.Random, *, share: float = 1 / ONE_IN) -> str:
    """About `share` of the words of three letters and more, spelt by ear, with a letter missing, doubled or changed about."""
    return _WORD.sub(lambda m: _misspelt(m[0], dice) if dice.random() < share else m[0], text)


def _misspelt(word: str, dice: random.Random) -> str:
    heard = [(a, b) for a, b in _SOUNDS if a in word.lower()]
    if heard and dice.random() < 0.7:
        a, b = dice.choice(heard)
        return word.lower().replace(a, b, 1)
    if word.endswith("e") and dice.random() < 0.4:
        return word[:-1]
    at = dice.randrange(1, len(word) - 1)
    match dice.randrange(4):
        case 0:
            return word[:at] + word[at + 1 :]
        case 1:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 2:
            return word[:at] + word[at] + word[at:]
        case _:
            return word[:at] + dice.choice("aeiou") + word[at + 1 :]


def flattened(text: str) -> str:
    """Small letters and no punctuation, as many people type."""
    return " ".join(re.sub(r"[^\w\s]", "", text.lower()).split())
