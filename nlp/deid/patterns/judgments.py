"""What points to people in court documents, where years, countries and lengths of time are telling too."""

from __future__ import annotations

import re
from itertools import islice

from nlp.deid.allow import NATIONS
from nlp.deid.lexicon import listed
from nlp.deid.patterns.recogniser import FAIR, LIKELY, Recogniser, shape
from nlp.types import Label

_CUES = re.compile(
    r"\b(?:the applicants?|the Court|the Government|the defendants?|the respondents?|judgment|Convention|lodged)\b",
    re.IGNORECASE,
)
CUES_NEEDED = 4
_NUMBER = (
    r"(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    r"|eighteen|nineteen|twenty|thirty|forty|fifty)"
)
_NATION = rf"(?:{'|'.join(NATIONS)})"


def is_court_document(text: str) -> bool:
    """Whether a text has the words of a judgment, again and again."""
    return next(islice(_CUES.finditer(text), CUES_NEEDED - 1, None), None) is not None


def _is_country(words: str) -> bool:
    return words.casefold() in listed("countries")


JUDGMENTS: tuple[Recogniser, ...] = (
    Recogniser(
        "year in a judgment",
        Label.DATE,
        shape(r"(?<![\d/§-])(?:19|20)\d\d(?![\d/-])"),
        FAIR,
        "a year in a court document",
        figure=True,
    ),
    Recogniser(
        "length of time in a judgment",
        Label.DETAIL,
        shape(
            rf"\b{_NUMBER}(?:\s+and\s+a\s+half)?[\s-]+(?:years?|months?|weeks?|days?)(?:['’]s?)?(?:\s+and\s+{_NUMBER}\s+(?:months?|days?))?\b"
        ),
        FAIR,
        "a length of time in a court document",
        number=True,
    ),
    Recogniser(
        "nationality in a judgment",
        Label.DETAIL,
        shape(rf"\b{_NATION}(?:\s+(?:nationals?|citizens?|origin))?\b", case=True),
        FAIR,
        "a nationality in a court document",
    ),
    Recogniser(
        "country in a judgment",
        Label.LOCATION,
        shape(r"\b[A-Z][a-z]+(?:\s+(?:[A-Z][a-z]+|and))*\b", case=True),
        FAIR,
        "a country in a court document",
        needed=_is_country,
    ),
    Recogniser(
        "name with its title in a judgment",
        Label.PERSON,
        shape(
            r"\b(?:Mr|Mrs|Ms|Miss|Dr)\.?\s+(?:[^\W\d_a-z]\.\s?)*(?:[^\W\d_a-z][\w'’-]+)(?:\s+[^\W\d_a-z][\w'’-]+){0,3}",
            case=True,
        ),
        FAIR,
        "a name with its title in a court document",
    ),
    Recogniser(
        "application number",
        Label.ID,
        shape(r"\bnos?\.\s*(?P<id>\d{1,6}/\d{2,4}(?:(?:,|\s+and|;)\s+\d{1,6}/\d{2,4})*)"),
        LIKELY,
        "the number of an application",
        figure=True,
    ),
    Recogniser(
        "amount in a judgment",
        Label.DETAIL,
        shape(
            r"(?:(?:GBP|EUR|USD|SEK|TRY|£|€|\$)\s?\d[\d,.]*\d|\b\d[\d,.]*\s(?:euros|pounds(?:\s+sterling)?|dollars))"
        ),
        FAIR,
        "an amount of money in a court document",
        figure=True,
    ),
)
