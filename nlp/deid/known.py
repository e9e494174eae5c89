"""People whose names the caller already knows, found however they are written.

CRATE's idea (Cardinal, BMC Med Inform Decis Mak 17:50): scrub each record with that person's own
identifiers. Possessives, initials, short forms, folded diacritics and one slip of the pen are met.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from rapidfuzz.distance import OSA

from nlp.deid.lexicon import listed
from nlp.deid.tokens import Token, tokenise
from nlp.types import Detection, Label

NAME = "known.v1"
SLIP_FROM = 5
_PARTICLES = frozenset(
    "mr mrs ms miss dr de da dos la le van der den von bin bint ibn al el ap ab mac mc ni o the of".split()
)


@dataclass(frozen=True, slots=True)
class NameParts:
    """The folded words that give a person away: their parts, short forms and initials."""

    whole: frozenset[str]
    slips: tuple[str, ...]
    initials: frozenset[str]


def fold(word: str) -> str:
    """Lower case without diacritics or apostrophes."""
    if word.isascii():
        return word.lower().replace("'", "").replace(".", "")
    plain = unicodedata.normalize("NFD", word.casefold().translate(_STROKES))
    return "".join(ch for ch in plain if not unicodedata.combining(ch) and ch not in "'’.")


_STROKES = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"})


def name_parts(names: Iterable[str]) -> NameParts:
    """What to look for, from names as they stand on a form."""
    whole: set[str] = set()
    initials: set[str] = set()
    for name in names:
        words = [fold(t) for t, _, _ in tokenise(name) if t[0].isalpha()]
        kept = [w for w in words if len(w) > 1 and w not in _PARTICLES]
        whole.update(kept, *(word.split("-") for word in kept), *(short_forms().get(w, ()) for w in kept))
        if len(words) > 1:
            letters = [w[0] for w in words if w not in _PARTICLES]
            initials.add("".join(letters))
    whole = {w for w in whole if len(w) > 1}
    return NameParts(frozenset(whole), tuple(sorted(w for w in whole if len(w) >= SLIP_FROM)), frozenset(initials))


def find_people(
    text: str, parts: NameParts, *, why: str, detector: str = NAME, score: float = 0.95
) -> Iterator[Detection]:
    """Every place in `text` where one of the parts stands."""
    tokens, others = tokenise(text), _other_words()
    for index, (token, start, end) in enumerate(tokens):
        if not token[0].isalpha() or (token in others and token not in parts.whole and token[:-1] not in parts.whole):
            continue
        if _is_part(token, parts, _is_capital_in_sentence(tokens, index)):
            yield Detection(start, end, Label.PERSON, score, detector, why)


def _is_part(token: str, parts: NameParts, capital: bool) -> bool:
    word = fold(token)
    if word in parts.whole or word.removesuffix("s") in parts.whole:
        return capital or word not in listed("everyday")
    if token.isupper() and word in parts.initials:
        return True
    if "-" in word and any(piece in parts.whole for piece in word.split("-") if len(piece) > 2):
        return True
    return (
        len(word) >= SLIP_FROM - 1 and not _is_another_word(word) and any(_is_slip(word, name) for name in parts.slips)
    )


def _is_another_word(word: str) -> bool:
    return word in listed("everyday") or word in listed("forenames") or word in listed("family_names")


@cache
def _other_words() -> frozenset[str]:
    """Words that, in lower case, are no slip of anybody's name: the quick way past most of a text."""
    words = listed("everyday") | listed("forenames") | listed("family_names")
    return frozenset(w for w in words if "-" not in w and w.isascii())


def _is_slip(word: str, name: str) -> bool:
    return abs(len(word) - len(name)) <= 1 and OSA.distance(word, name, score_cutoff=1) <= 1


def _is_capital_in_sentence(tokens: Sequence[Token], index: int) -> bool:
    """A capital, and for names that are also words only where a sentence does not begin."""
    token = tokens[index][0]
    return token[0].isupper() and index > 0 and tokens[index - 1][0] not in '.!?\n":'


@cache
def short_forms() -> dict[str, tuple[str, ...]]:
    """Everyday short forms of first names, folded."""
    lines = resources.files("nlp.deid").joinpath("data", "short_forms.txt").read_text("utf-8").splitlines()
    return {name: tuple(short.split()) for name, short in (line.split(":") for line in lines if ":" in line)}
