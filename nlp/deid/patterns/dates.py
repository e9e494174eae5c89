"""Dates in every British form, dates of birth, and ages in figures and words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nlp.deid.patterns.recogniser import CERTAIN, FAIR, LIKELY, METHOD, WEAK, Recogniser, has_digit, shape
from nlp.types import Detection, Label

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary|uary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_MONTHS_SHORT = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ORDINALS = (
    "1st",
    "2nd",
    "3rd",
    *(f"{figure}th" for figure in range(10)),
    *(f"{figure} {end}" for figure in range(10) for end in ("st", "nd", "rd", "th")),
)
_DAY = r"(?:[12]\d|3[01]|0?[1-9])"
_ORDINAL_DAY = rf"{_DAY}\s?(?:st|nd|rd|th)?"
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes|s)?|thu(?:rs)?|thur|fri|sat(?:ur)?|sun)(?:day)?,?\s+(?:the\s+)?)"
_ORDINAL_WORD = (
    r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth"
    r"|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|(?:twenty|thirty)[ -]?(?:first|second|third|fourth|fifth"
    r"|sixth|seventh|eighth|ninth)|thirtieth)"
)
_WORD = (
    r"(?:(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen"
    r"|fifteen|sixteen|seventeen|eighteen|nineteen"
    r"|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?)"
    r"(?:\s+and\s+a\s+half)?)"
)
_FRACTION = r"(?:\s?½|\.\d|\s+and\s+a\s+half|\s+1/2)?"
_NUMBER = rf"(?:\d{{1,2}}{_FRACTION}|{_WORD})"
_NOT_AN_AGE = (
    r"(?!\s*(?:%|per\s?cent|p\b|pm\b|am\b|o'?clock|hours?|hrs?|min|days?|nights?|weeks?|wks?|times|miles?|stone|st\b|kg|lb"
    r"|pounds?|quid|of\s|in\s+the\s+(?:morning|afternoon|evening|night|group|class|room|house|bath)|out\s+of|words?|people|kids|children|and\s+half\s+hours|to\s+\d|[-/:.]?\d|months?\s+ago"
    r"|months?\s+(?:pregnant|on|since|sober|clean)|years?\s+ago|years?\s+(?:in|on|later|since|of|now)))"
)
_LITTLE = r"(?:only\s+|just\s+|now\s+|about\s+|like\s+|nearly\s+|almost\s+|still\s+|actually\s+|around\s+)?"
_YEARS, _MONTHS = r"(?:years?|yrs?|y)", r"(?:months?|mths?|mnths?|m)"


def _age_is_plausible(words: str) -> bool:
    figures = re.match(r"\d+", words)
    return figures is None or int(figures[0]) <= 99


DATES: tuple[Recogniser, ...] = (
    Recogniser(
        "date of birth",
        Label.DATE,
        shape(
            r"\b(?:d\.?\s?o\.?\s?b\.?|date\s+of\s+birth|born(?:\s+on)?|birthday)\s*+(?:is|was|:|-)?\s*+(?:the\s+)?(?P<id>\d{1,2}[\s./-]?\d{1,2}[\s./-]?(?:\d{4}|\d{2}))(?!/|\d)\b"
        ),
        CERTAIN,
        "follows “date of birth”",
        needed=lambda words: not re.fullmatch(r"\d\d/40", words),
        figure=True,
    ),
    Recogniser(
        "numeric date",
        Label.DATE,
        shape(
            rf"(?<![\d/.-])(?:{_DAY}(?P<mark>[/.-])(?:0?[1-9]|1[0-2])(?P=mark)(?:(?:19|20)\d\d|\d\d)"
            rf"|{_DAY}\s(?:0?[1-9]|1[0-2])\s(?:19|20)\d\d|(?:19|20)\d\d[-/](?:0?[1-9]|1[0-2])[-/]{_DAY})(?![\d/]|[.-]\d)"
        ),
        LIKELY,
        "shape of a date",
        figure=True,
    ),
    Recogniser(
        "day and month in figures",
        Label.DATE,
        shape(
            rf"(?:\b(?:on|since|from|until|till?|by|dated?|w/c|wc|wb|before|after|for|booked|due|review)\s+|^|\n|:\s*|\()(?P<id>(?!24/7){_DAY}[/.](?:0?[1-9]|1[0-2]))(?![\d/.]|\s?(?:am|pm|%|stars?|kg|weeks|a\b|an\b|of\b|the\b))"
        ),
        FAIR,
        "day and month after a word such as “on”",
        needed=lambda words: "/" in words and words != "10/10",
        figure=True,
        hints=("/",),
    ),
    Recogniser(
        "written date",
        Label.DATE,
        shape(
            rf"\b(?:{_WEEKDAY}?{_ORDINAL_DAY}(?:\s*(?:,|and|&|to|-)\s*{_ORDINAL_DAY})?[\s-]*(?:of\s+)?{_MONTH}\b(?:[\s,-]+(?:19|20)\d\d\b|[\s-]+'?\d\d\b(?!\s*(?:am|pm|%|:\d)))?"
            rf"|{_MONTH}\s+(?:the\s+)?{_DAY}(?:st|nd|rd|th)?\b(?!\s*(?:%|years|yrs|people|of|kids|weeks|times))(?:,?\s+(?:19|20)\d\d\b)?"
            rf"|{_MONTH}[\s,]+(?:of\s+)?(?:19|20)\d\d\b|{_MONTH}\s'\d\d\b)"
        ),
        LIKELY,
        "day and month, or month and year",
        needed=has_digit,
        figure=True,
        hints=_MONTHS_SHORT,
    ),
    Recogniser(
        "day of the month",
        Label.DATE,
        shape(
            rf"\b(?:(?:on|from|by|until|till?|since|was|is|before|after|for)\s+the\s+|(?={_WEEKDAY}))(?P<id>{_WEEKDAY}?{_DAY}(?:st|nd|rd|th))\b"
            r"(?!\s+(?:time|floor|year|yr|birthday|bday|place|one|session|visit|week|month|day|attempt|child|baby|set|go|in|grade|world|form|party))"
        ),
        FAIR,
        "a day of the month without its name",
        figure=True,
        hints=_ORDINALS,
    ),
    Recogniser(
        "date in words",
        Label.DATE,
        shape(rf"\b(?:{_WEEKDAY}?{_ORDINAL_WORD}\s+(?:of\s+)?{_MONTH}|{_MONTH}\s+(?:the\s+)?{_ORDINAL_WORD})\b"),
        LIKELY,
        "day and month in words",
        hints=("first", "second", "third", "rth", "fth", "xth", "nth", "hth", "ieth"),
    ),
    Recogniser(
        "age",
        Label.AGE,
        shape(
            rf"\b(?:(?:aged?:?|turned|turning|turns|nearly|almost|just\s+gone)\s+(?:of\s+)?(?P<id>{_NUMBER})\b{_NOT_AN_AGE})"
        ),
        LIKELY,
        "follows a word such as “aged”",
        needed=_age_is_plausible,
        hints=("age", "turn", "nearly", "almost", "gone"),
        number=True,
    ),
    Recogniser(
        "age with unit",
        Label.AGE,
        shape(
            rf"\b(?P<id>{_NUMBER}[\s-]*(?:(?:years?|yrs?|yr|months?|mths?|mnths?|mo|weeks?|wks?|days?)[\s-]*(?:olds?|of\s+age)"
            r"|y/?o|yo|m/o|y\.o\.?|yr\s?old|yrold))\b"
        ),
        LIKELY,
        "number with “years old” or the like",
        needed=lambda words: not re.match(r"\d+YO\b", words),
        hints=("old", "age", "yo", "y/o", "m/o", "y.o"),
        number=True,
    ),
    Recogniser(
        "years and months",
        Label.AGE,
        shape(rf"\b\d{{1,2}}\s?{_YEARS}(?:\s|,\s|\s?and\s|\s?&\s)?\d{{1,2}}\s?{_MONTHS}\b"),
        LIKELY,
        "years and months",
        figure=True,
    ),
    Recogniser(
        "age in months",
        Label.AGE,
        shape(
            r"(?:\b(?:aged?|he's|she's|he\s+is|she\s+is|baby|corrected|now)\s+|\()(?P<id>\d{1,2}\s?(?:months|month|mths|/12|wks|weeks))\b(?!\s+(?:ago|pregnant|on|wait|waiting|later|for|since|now|of|list|into|prem|early|gestation))"
        ),
        FAIR,
        "number of months after a word such as “aged”",
        figure=True,
    ),
    Recogniser(
        "age of someone",
        Label.AGE,
        shape(
            r"\b(?:i'?m|i\s+am|im|(?:i|he|she)(?:'?ll|\s+will|\s+wil)\s+be|both|he'?s|she'?s|hes|shes|he\s+is|she\s+is|they're|i\s+was|he\s+was|she\s+was|i\s+were|he\s+were|she\s+were|who's|who\s+is"
            rf"|my\s+(?:son|daughter|brother|sister|lad|girl)\s+is|since\s+i\s+was)\s+{_LITTLE}"
            rf"(?P<id>{_NUMBER}){_NOT_AN_AGE}(?=\s*(?:[.,;!?)]|$|\n|and\b|but\b|so\b|now\b|when\b|he\b|she\b|i\b|with\b|at\b|in\b))"
        ),
        FAIR,
        "number after “I am”, “she is” or the like",
        needed=_age_is_plausible,
        number=True,
    ),
    Recogniser(
        "age of a relative",
        Label.AGE,
        shape(
            r"\b(?:mum|dad|son|daughter|brother|sister|baby|boy|girl|lad|lass|nan|gran|grandad|eldest|youngest|oldest|middle\s+one)"
            rf"(?:'?s?\s+(?:is\s+|was\s+|now\s+)?|,\s+)(?P<id>\d{{1,2}}|(?:is|was|'s|,)\s+{_WORD}){_NOT_AN_AGE}"
            r"(?=\s*(?:[.,;!?)]|$|\n|and\b|but\b|so\b|now\b|when\b|who\b|with\b))"
        ),
        FAIR,
        "a number after a family word",
        needed=_age_is_plausible,
        number=True,
        hints=(
            "mum",
            "dad",
            "son",
            "daughter",
            "brother",
            "sister",
            "baby",
            "boy",
            "girl",
            "lad",
            "nan",
            "gran",
            "est",
            "middle",
        ),
    ),
    Recogniser(
        "age alone",
        Label.AGE,
        shape(
            r"(?:^|[.!?:(,\n][^\S\n]{0,3}|\bat\s+|\btill\s+|\buntil\s+|\bnow\s+|\bwas\s+|\bis\s+|\bbaby\s+|(?-i:\b[A-ZÀ-Þ][\w-]+\s+))(?P<id>(?:\d{1,2}|"
            + _WORD
            + r")\s?(?:months?|mths?|weeks?|wks?|days))(?=\s*(?:[.,;:!?)]|$|corrected\b|old\b))"
        ),
        WEAK,
        "a number of months or weeks that stands alone",
        number=True,
        hints=("month", "mth", "week", "wk", "day"),
    ),
    Recogniser(
        "age at some time",
        Label.AGE,
        shape(
            rf"\b(?:at|till|until|since|by|before|when|from)\s+(?:the\s+age\s+of\s+|i\s+was\s+|he\s+was\s+|she\s+was\s+|they\s+were\s+)?"
            rf"(?P<id>\d{{1,2}}|{_WORD}){_NOT_AN_AGE}(?=\s*(?:[.,;!?)]|$|\n|and\b|but\b|so\b|he\b|she\b|i\b|they\b))"
        ),
        WEAK,
        "a number after “at”, “till” or “when I was”",
        needed=_age_is_plausible,
        number=True,
    ),
    Recogniser(
        "birthday",
        Label.AGE,
        shape(
            r"(?<![\d/])\d{1,2}(?:st|nd|rd|th)(?=\s+(?:birthday|bday|b-day)\b)"
            r"|(?<=(?:my|er|is)\s)(?:1[3-9]th|2[01]st)(?=[.,!?]|$|\s(?:and|but|so|when|i|we|he|she)\b)"
        ),
        FAIR,
        "a birthday with its number",
        figure=True,
        hints=_ORDINALS,
    ),
    Recogniser(
        "age in brackets",
        Label.AGE,
        shape(
            r"\b[A-ZÀ-Þ][\w'-]* \((?P<id>(?:[1-9]|1\d|20)(?:\s?(?:yrs?|years|m|mths|months|weeks|wks|y|/12))?)\)",
            case=True,
        ),
        FAIR,
        "number in brackets after a name",
        figure=True,
    ),
)

_AGE_BESIDE_NAME = shape(
    rf"(?:'?s\s+|,?\s+(?:is\s+|was\s+|now\s+|aged?\s+|turns\s+|turned\s+)?|\s?\()(?P<id>\d{{1,2}}(?:\s?(?:months?|mths?|weeks?|wks?|days|yrs?|years?))?"
    rf"|(?<=\s(?:is|as)\s){_WORD}){_NOT_AN_AGE}(?=\s*(?:[.,;:!?)/]|$|\n|and\b|but\b|so\b|when\b|who\b|with\b|[A-Z]))"
)


def ages_beside_names(text: str, found: Iterable[Detection]) -> Iterator[Detection]:
    """“Felix 14,” and “Vihaan's 8.”: a number right after what was found to be a person's name."""
    for name in found:
        if name.label is Label.PERSON and name.masked:
            match = _AGE_BESIDE_NAME.match(text, name.end)
            if match is not None:
                why = "a number right after a name"
                yield Detection(match.start("id"), match.end("id"), Label.AGE, FAIR, f"{METHOD}/age beside a name", why)
