"""What is known of a word before its context is read: listed names, places, everyday and sector words.

The lists are built by `python -m nlp.deid.build_names DATA_FOLDER` (see `data/README.md`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources

from nlp.deid.allow import ALLOWED

_MONTHS = (
    "january february march april may june july august september october november december"
    " jan feb mar apr jun jul aug sep sept oct nov dec"
)
_DAYS = "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun"
_KIN = (
    "mum mom mam mummy mammy dad daddy nan nana nanna nanny gran granny grandma grandad grandpa grandmother"
    " grandfather sister brother sis bro son daughter cousin niece nephew partner husband wife boyfriend girlfriend"
    " ex stepdad stepmum baby twin twins toddler child lad girl boy friend mate bestie dog cat ammi abbu baba mama"
    " babcia taid nain mamgu tadcu dadi nani habo ayeeyo abuela oma neighbour landlord"
)
_TITLES = "mr mrs ms miss mx dr sir auntie aunty aunt uncle nurse doctor pc sgt father imam cllr sister rev prof judge"
_ROLES = (
    "sw hv fsw pa iro worker workers keyworker teacher tutor advisor adviser counsellor carer carers manager staff"
    " midwife visitor coach head headteacher senco dsl therapist mentor social support foster key called named"
)
_STREETS = (
    "road rd street st avenue ave close lane ln drive way crescent court gardens grove place terrace walk mews square"
    " hill rise green row view parade estate flats flat"
)
_SETTINGS = (
    "primary school infants infant juniors junior academy nursery college high preschool playgroup centre hub surgery"
    " hospital house home lodge ward clinic unit hostel club mosque church temple gurdwara team service hall practice"
)
_NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety half"
)
_UNITS = "years year yrs yr months month mths weeks week wks old aged age turned turning birthday yo days born dob"
_CLOSED: tuple[frozenset[str], ...] = (
    ALLOWED,
    *(
        frozenset(words.split())
        for words in (_MONTHS, _DAYS, _KIN, _TITLES, _ROLES, _STREETS, _SETTINGS, _NUMBERS, _UNITS)
    ),
)
NAME_LISTS = ("forenames", "common_names", "family_names", "nicknames", "word_names")
OPEN_LISTS = ("forenames", "family_names", "nicknames", "places", "word_names", "countries", "everyday")
FLAGS = len(OPEN_LISTS) + len(_CLOSED)


_left_out: list[frozenset[str]] = []


@contextmanager
def without(words: frozenset[str]) -> Iterator[None]:
    """For measuring: as though those names were on no list. Detectors must be made inside the block."""
    _left_out.append(words)
    listed.cache_clear()
    try:
        yield
    finally:
        _left_out.remove(words)
        listed.cache_clear()


@cache
def listed(name: str) -> frozenset[str]:
    """The words of one list, case folded."""
    words = frozenset(resources.files("nlp.deid").joinpath("data", f"{name}.txt").read_text("utf-8").splitlines())
    return words.difference(*_left_out) if name in NAME_LISTS else words


def flags_of(word: str) -> list[int]:
    """The positions of the lists that hold a case-folded word."""
    open_lists = [i for i, name in enumerate(OPEN_LISTS) if _holds(listed(name), word)]
    return open_lists + [len(OPEN_LISTS) + i for i, words in enumerate(_CLOSED) if word in words]


def _holds(words: frozenset[str], word: str) -> bool:
    return word in words or ("-" in word and all(part in words for part in word.split("-")))


def folded(words: Iterable[str]) -> frozenset[str]:
    """Words and the parts of names of several words, case folded."""
    return frozenset(part.casefold() for word in words for part in word.split())


def is_listed_name(word: str) -> bool:
    """Whether a word, in any case, stands on a list of people's names and is no everyday word."""
    small = word.casefold()
    return small not in listed("everyday") and any(
        small in listed(name) for name in ("forenames", "family_names", "nicknames")
    )
