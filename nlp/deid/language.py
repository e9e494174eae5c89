"""Which voices hold words in another language, so that a person looks before they are taken for protected.

The detectors read English. Most voices are passed by a look at their words; what is left goes to
lingua (Stahl, MIT licence), whose models come with its package. Romanised Urdu, Bengali and the like,
which it does not know, are met by how few words are English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from nlp.deid.allow import ALLOWED
from nlp.deid.lexicon import NAME_LISTS, listed

if TYPE_CHECKING:
    from lingua import LanguageDetector

SPOKEN = (
    "ENGLISH POLISH ROMANIAN PORTUGUESE SPANISH FRENCH ITALIAN GERMAN DUTCH TURKISH ALBANIAN SOMALI VIETNAMESE WELSH IRISH"
    " LITHUANIAN LATVIAN SLOVAK CZECH HUNGARIAN BULGARIAN UKRAINIAN RUSSIAN GREEK ARABIC PERSIAN URDU PUNJABI BENGALI GUJARATI"
    " HINDI TAMIL CHINESE JAPANESE KOREAN THAI YORUBA SHONA SWAHILI TAGALOG CROATIAN"
).split()
_FOREIGN_SCRIPT = re.compile(r"(?:(?![A-Za-zªºÀ-ɏḀ-ỿ])[^\W\d_]){2,}")
_SENTENCE = re.compile(r"[^.!?…\n]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_FUNCTION = frozenset(
    "a i an the and but or so if is am are was were be been has have had do does did can could will would should to of in on at"
    " for from with by as it he she we they you me my your his her our their them him us this that these those not no yes there"
    " what when where why who how all some any just like get got go went im ive its dont cant didnt wont thats hes shes theyre"
    " u ur n cos coz wiv wen wot wer waz ov thay sed becuase bcos luv pls thx x xx bc tho thru ppl abt w/ rlly rly idk omg lol"
    " mum dad nan mam bro sis owt nowt summat aye nah yeah ye yh ok tbh wanna gonna innit".split()
)
FEW, VERY_FEW = 0.5, 0.25


@dataclass(frozen=True, slots=True)
class Language:
    """`code` is the ISO 639-1 code of the language that is not English (`und` where unknown), else `en`."""

    code: str
    needs_person: bool
    why: str


ENGLISH = Language("en", needs_person=False, why="")
_NOTHING = Language("und", needs_person=False, why="")


def languages(texts: Sequence[str]) -> list[Language]:
    """For each text whether a person must look at it because of its language."""
    return [_language(text) for text in texts]


def _language(text: str) -> Language:
    script = _FOREIGN_SCRIPT.search(text)
    if script is not None:
        stretch = " ".join(m[0] for m in islice(_FOREIGN_SCRIPT.finditer(text), 100))
        return Language(_confidence(stretch)[0], needs_person=True, why="words in another script")
    stretches = [words for words in _stretches(text) if len(words) >= 4]
    for words in stretches:
        found = _foreign(words)
        if found is not None:
            return found
    return ENGLISH if stretches or _WORD.search(text) else _NOTHING


def _stretches(text: str) -> Iterator[list[str]]:
    """The words of each sentence, in stretches that one detection can read."""
    for sentence in _SENTENCE.finditer(text):
        words = _WORD.findall(sentence[0].replace("’", "'"))
        yield from (words[i : i + 40] for i in range(0, len(words), 40))


def _foreign(words: Sequence[str]) -> Language | None:
    english, names = _english(), _names()
    shouts = not any(word.islower() for word in words)
    known = unknown = 0
    for written in words:
        word = written.casefold()
        if word in english or word.removesuffix("s") in english or word.removesuffix("'s") in english:
            known += 1
        elif word not in names and (shouts or written.islower()):  # a capital may be a name on no list
            unknown += 1
    share = known / max(1, known + unknown)
    if share >= FEW or unknown < (6 if shouts else 4):
        return None
    best, likely, likely_english = _confidence(" ".join(words))
    if best != "en" and likely >= 0.35 and likely_english < 0.12:
        return Language(best, needs_person=True, why="a sentence in another language")
    if share < VERY_FEW and unknown >= 6 and likely_english < 0.5:
        return Language("und", needs_person=True, why="a sentence with hardly any English words")
    return None


@cache
def _english() -> frozenset[str]:
    return listed("everyday") | _FUNCTION | ALLOWED | listed("word_names")


@cache
def _names() -> frozenset[str]:
    """Names speak for no language."""
    return frozenset().union(*(listed(name) for name in (*NAME_LISTS, "places")))


def _confidence(text: str) -> tuple[str, float, float]:
    """The likeliest language with its probability, and that of English."""
    values = {
        v.language.iso_code_639_1.name.lower(): v.value for v in _lingua().compute_language_confidence_values(text)
    }
    best = max(values, key=lambda code: values[code])
    return best, values[best], values["en"]


@cache
def _lingua() -> LanguageDetector:
    from lingua import Language as Known
    from lingua import LanguageDetectorBuilder

    return (
        LanguageDetectorBuilder.from_languages(*(getattr(Known, name) for name in SPOKEN))
        .with_low_accuracy_mode()
        .build()
    )
