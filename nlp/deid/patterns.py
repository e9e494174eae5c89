"""Recognisers for identifiers that have a shape: UK numbers, contacts, dates, ages, addresses.

A check digit that holds makes a detection certain; a cue word makes it likely; neither, and it
is left to the other detectors. The table at the end is the whole of it: add a row to add one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from stdnum.gb import nhs, upn

from nlp.deid.allow import is_harmless
from nlp.types import Detection, Label

CERTAIN, LIKELY, FAIR = 0.99, 0.85, 0.7

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DAY = r"(?:[12]\d|3[01]|0?[1-9])"
_ORDINAL_DAY = rf"{_DAY}\s?(?:st|nd|rd|th)?"
_YEAR = r"(?:(?:19|20)\d\d|['’]?\d\d)"
_NUMBER_WORD = (
    r"(?:(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen"
    r"|fifteen|sixteen|seventeen|eighteen|nineteen"
    r"|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?)"
    r"(?:\s+and\s+a\s+half)?)"
)
_FRACTION = r"(?:\s?½|\.\d|\s+and\s+a\s+half|\s+1/2)?"
_AGE_NUMBER = rf"(?:\d{{1,2}}{_FRACTION}|{_NUMBER_WORD})"
_NOT_AN_AGE = (
    r"(?!\s*(?:%|per\s?cent|p\b|pm\b|am\b|o'?clock|hours?|hrs?|min|days?|nights?|weeks?|wks?|times|miles?|stone|st\b|kg|lb"
    r"|pounds?|quid|of\s|in\s+the|out\s+of|words?|people|kids|children|and\s+half\s+hours|to\s+\d|[-–/:.]?\d|months?\s+ago"
    r"|months?\s+(?:pregnant|on|since|sober|clean)|years?\s+ago))"
)
_MEASURE = r"(?:years?|months?|weeks?|days?|hours?|hrs?|min(?:ute)?s?|miles?|times|people|kids|children|houses)"
_STREET = (
    r"(?:road|rd|street|st|avenue|ave|close|lane|ln|drive|way|crescent|cres|court|gardens|gdns|grove|place"
    r"|terrace|walk|mews|square|hill|rise|green|row|view|parade)"
)
_SETTING = (
    r"(?:(?:primary|infants?|junior|secondary|high|grammar|special|nursery|community|comprehensive)\s+"
    r"(?:school|academy)|primary|infants?|juniors?|academy|nursery|pre-?school|playgroup|high\s+school|college"
    r"|children['’]?s\s+centre|family\s+hub|family\s+centre|surgery|medical\s+centre|medical\s+practice"
    r"|health\s+centre|hospital|infirmary|hospice|hostel|children['’]?s\s+home|school|youth\s+club|fc)"
)
_CAP = r"[A-ZÀ-Þ][\w’'-]{0,40}"


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A shape, what it identifies, how sure it is, and the check that makes it certain.

    The span is group `id` where the expression has one, else the whole match. `certain` lifts the
    score to `CERTAIN` when it holds; `needed` drops the match when it does not.
    """

    name: str
    label: Label
    shape: re.Pattern[str]
    score: float
    why: str
    certain: Callable[[str], bool] | None = None
    needed: Callable[[str], bool] | None = None


def _digits(words: str) -> str:
    return re.sub(r"\D", "", words)


def _is_nhs(words: str) -> bool:
    return bool(nhs.is_valid(_digits(words)))


def _is_upn(words: str) -> bool:
    return bool(upn.is_valid(re.sub(r"\s", "", words).upper()))


def _is_phone(words: str) -> bool:
    digits = re.sub(r"^(?:0044|44)0?", "0", _digits(words))
    return len(digits) in (10, 11) and digits.startswith("0") and not digits.startswith("00")


def _is_no_sector_word(words: str) -> bool:
    return not is_harmless(words)


def _has_digit(words: str) -> bool:
    return any(ch.isdigit() for ch in words)


def _age_is_plausible(words: str) -> bool:
    digits = re.match(r"\d+", words)
    return digits is None or int(digits[0]) <= 99


def _shape(expression: str, *, case: bool = False) -> re.Pattern[str]:
    return re.compile(expression, 0 if case else re.IGNORECASE)


_CODE_CUE = (
    r"(?:(?:case|client|pupil|student|record|file|referral|hospital|customer|crime|tenancy|claim|mosaic|lcs|ehm"
    r"|liquidlogic|capita|person|child)\s*+(?:ref(?:erence)?|no|num(?:ber)?|id)?|ref(?:erence)?(?:\s+(?:no|number))?"
    r"|uln|upn|urn|uprn|nhs(?:\s*(?:no|number))?|ni(?:no)?(?:\s*(?:no|number))?)"
)

RECOGNISERS: tuple[Recogniser, ...] = (
    Recogniser(
        "email",
        Label.EMAIL,
        _shape(r"(?<![\w.+-])[\w.+-][\w.+'’-]{0,63}\s?@\s?(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}\b"),
        CERTAIN,
        "shape of an email address",
    ),
    Recogniser(
        "url",
        Label.URL,
        _shape(
            r"\b(?:https?://|www\.)[^\s<>\]\[\"”’)]+(?<![.,;:!?])"
            r"|(?<![@\w.])(?:[a-z0-9-]{2,63}\.){1,4}(?:com|org\.uk|org|net|co\.uk|gov\.uk|nhs\.uk|sch\.uk|ac\.uk)\b(?:/[^\s<>\"”’)]*(?<![.,;:!?]))?"
        ),
        CERTAIN,
        "shape of a web address",
    ),
    Recogniser(
        "handle",
        Label.ID,
        _shape(r"(?<![\w@.])@(?!\d{1,2}(?:[:.]\d\d)?\s?(?:am|pm)?\b)[a-z0-9_](?:[\w.]{1,28}\w)"),
        LIKELY,
        "shape of a social-media handle",
    ),
    Recogniser(
        "handle cue",
        Label.ID,
        _shape(
            r"\b(?:snap(?:chat)?|insta(?:gram)?|tiktok|roblox|discord|xbox|psn|steam|facebook|fb|twitter)"
            r"(?:\s+(?:name|user(?:name)?|tag|id|handle))?\s*(?:is|:|=|-|–)\s*(?P<id>[\w.]{0,40}[\d_.][\w.]{0,40}\w)"
        ),
        LIKELY,
        "follows the name of an app",
    ),
    Recogniser(
        "nhs number",
        Label.ID,
        _shape(r"(?<![\d-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\d-]*\d)"),
        CERTAIN,
        "NHS number with a valid check digit",
        needed=_is_nhs,
    ),
    Recogniser(
        "national insurance number",
        Label.ID,
        _shape(r"\b(?!bg|gb|nk|kn|tn|nt|zz)[a-ceghj-prtw-z][a-ceghj-nprtw-z]\s?(?:\d\s?){6}[a-d]\b"),
        CERTAIN,
        "shape of a National Insurance number with an allowed prefix",
    ),
    Recogniser(
        "upn",
        Label.ID,
        _shape(r"\b[a-hj-np-rt-z]\d{11}[\da-hj-np-rt-z]\b"),
        LIKELY,
        "shape of a unique pupil number",
        certain=_is_upn,
    ),
    Recogniser(
        "reference",
        Label.ID,
        _shape(
            rf"\b{_CODE_CUE}\s*+(?:is|was|:|#|\.|-|–|no\.?|number)*\s*+"
            r"(?P<id>(?=[\w/-]{0,19}\d)[a-z0-9][a-z0-9/-]{2,18}[a-z0-9](?:[ -]\d{3,4}){0,2}|\d{3}[ -]\d{3}[ -]\d{4})"
        ),
        LIKELY,
        "follows a cue such as “ref” or “case number”",
    ),
    Recogniser(
        "reference shape",
        Label.ID,
        _shape(r"\b[A-Z]{2,5}[-/]?\d{4,10}\b|\b\d{6,10}[-/][A-Z]{1,3}\b", case=True),
        FAIR,
        "letters and a long number, as in a case reference",
    ),
    Recogniser(
        "vehicle plate",
        Label.ID,
        _shape(r"\b[A-Z]{2}\d{2}\s?[A-Z]{3}\b", case=True),
        LIKELY,
        "shape of a vehicle registration",
    ),
    Recogniser(
        "phone",
        Label.PHONE,
        _shape(r"(?<![\d/-])(?:\+?44|0044|\(?0)(?:[\s().-]{0,2}\d){9,11}(?!\d)"),
        CERTAIN,
        "shape of a UK telephone number",
        needed=_is_phone,
    ),
    Recogniser(
        "phone cue",
        Label.PHONE,
        _shape(
            r"\b(?:tel|phone|mob(?:ile)?|ring|call|text|ext(?:ension)?|number)\b[\s\w:.’']{0,14}?(?P<id>\d(?:[\s-]?\d){4,11})(?!\d)"
        ),
        LIKELY,
        "digits after a cue such as “ring”",
    ),
    Recogniser(
        "postcode",
        Label.LOCATION,
        _shape(r"\b(?:gir\s?0aa|[a-z]{1,2}\d[a-z\d]?\s?\d[abd-hjlnp-uw-z]{2})\b"),
        CERTAIN,
        "shape of a UK postcode",
    ),
    Recogniser(
        "postcode district",
        Label.LOCATION,
        _shape(
            r"\b(?:postcode(?:\s+is)?|live[sd]?\s+in|from|area|in|round)\s+(?P<id>[A-Z]{1,2}\d{1,2}[A-Z]?)\b", case=True
        ),
        FAIR,
        "shape of a postcode district after a cue",
        needed=_is_no_sector_word,
    ),
    Recogniser(
        "street address",
        Label.LOCATION,
        _shape(
            rf"\b(?:flat\s+\d+[a-z]?,?\s+)?\d{{1,4}}[a-z]?,?\s+(?!(?:{_MEASURE}|of|the|and)\b)(?:[\w’']+\s+){{1,3}}?{_STREET}\b\.?"
        ),
        LIKELY,
        "house number and street",
    ),
    Recogniser(
        "street",
        Label.LOCATION,
        _shape(
            rf"\b(?:{_CAP}\s+){{1,3}}(?:Road|Rd|Street|Avenue|Ave|Close|Lane|Drive|Crescent|Court|Gardens|Grove|Terrace|Mews|Estate)\b",
            case=True,
        ),
        LIKELY,
        "name that ends as streets do",
        needed=_is_no_sector_word,
    ),
    Recogniser(
        "school or setting",
        Label.ORG,
        _shape(
            rf"\b(?:(?:St|Saint|Our\s+Lady|Holy|Sacred)\.?\s+)?(?:{_CAP}\s+(?:of\s+|and\s+|&\s+)?){{1,4}}"
            rf"(?:(?:C\s?of\s?E|CofE|CE|C\.E\.|RC|R\.C\.|Catholic|Church|VA|VC|Muslim|Sikh)\s+)*(?i:{_SETTING})\b",
            case=True,
        ),
        LIKELY,
        "name that ends as schools, surgeries and settings do",
        needed=_is_no_sector_word,
    ),
    Recogniser(
        "saint's school",
        Label.ORG,
        _shape(r"\bst\.?\s+[a-z]+(?:['’]?s)\b(?!\s+(?:park|road|street|square|church))"),
        FAIR,
        "a saint's name in the possessive",
    ),
    Recogniser(
        "date of birth",
        Label.DATE,
        _shape(
            r"\b(?:d\.?o\.?b\.?|date\s+of\s+birth|born(?:\s+on)?)\s*+(?:is|:|-|–)?\s*+(?P<id>\d{1,2}[\s./-]?\d{1,2}[\s./-]?(?:\d{4}|\d{2}))\b"
        ),
        CERTAIN,
        "follows “date of birth”",
    ),
    Recogniser(
        "numeric date",
        Label.DATE,
        _shape(
            rf"(?<![\d/.-])(?!24/7\b)(?:{_DAY}[/.-](?:0?[1-9]|1[0-2])[/.-](?:(?:19|20)\d\d|\d\d)|(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])|{_DAY}/(?:0?[1-9]|1[0-2]))(?![\d/]|[.-]\d)"
        ),
        LIKELY,
        "shape of a date",
    ),
    Recogniser(
        "written date",
        Label.DATE,
        _shape(
            rf"\b(?:{_ORDINAL_DAY}\s*(?:of\s+)?{_MONTH}\b(?:[\s,]+{_YEAR}\b(?!\s*(?:am|pm|%|:)))?"
            rf"|{_MONTH}\s+(?:the\s+)?{_DAY}(?:st|nd|rd|th)?\b(?!\s*(?:%|years|yrs|people|of))(?:,?\s+(?:19|20)\d\d\b)?"
            rf"|{_MONTH}[\s,]+(?:19|20)\d\d\b)"
        ),
        LIKELY,
        "day and month, or month and year",
        needed=_has_digit,
    ),
    Recogniser(
        "age",
        Label.AGE,
        _shape(
            rf"\b(?:(?:aged?|turned|turning|turns|nearly|almost|just\s+gone)\s+(?:of\s+)?(?P<id>{_AGE_NUMBER})\b{_NOT_AN_AGE})"
        ),
        LIKELY,
        "follows a word such as “aged”",
        needed=_age_is_plausible,
    ),
    Recogniser(
        "age with unit",
        Label.AGE,
        _shape(
            rf"\b(?P<id>{_AGE_NUMBER}[\s-]*(?:(?:years?|yrs?|yr|months?|mths?|mnths?|mo|weeks?|wks?)[\s-]*(?:old|of\s+age)|y/?o|yo|m/o|yr\s?old|yrold|year[\s-]?olds?))\b"
        ),
        LIKELY,
        "number with “years old” or the like",
    ),
    Recogniser(
        "age in months",
        Label.AGE,
        _shape(
            r"\b(?:at|aged?|is|now|was|he's|she's|he’s|she’s|only|,|\()\s*(?P<id>\d{1,2}\s?(?:months|mths|m|/12))\b(?!\s+(?:ago|pregnant|on|wait|waiting|later|for|since|now|of|list))"
        ),
        FAIR,
        "number of months after a word such as “at”",
    ),
    Recogniser(
        "age of someone",
        Label.AGE,
        _shape(
            r"\b(?:i['’]?m|i\s+am|im|he['’]?s|she['’]?s|hes|shes|he\s+is|she\s+is|they['’]?re|i\s+was|he\s+was|she\s+was|when\s+i\s+was|who['’]?s|who\s+is"
            r"|my\s+(?:son|daughter|brother|sister|lad|girl)\s+is|since\s+i\s+was)\s+(?:only\s+|just\s+|now\s+|about\s+|like\s+|nearly\s+|almost\s+)?"
            rf"(?P<id>{_AGE_NUMBER}){_NOT_AN_AGE}(?=\s*(?:[.,;!?)]|$|\n|and\b|but\b|so\b|now\b|when\b|he\b|she\b|i\b|with\b|at\b|in\b))"
        ),
        FAIR,
        "number after “I am”, “she is” or the like",
        needed=_age_is_plausible,
    ),
    Recogniser(
        "age in brackets",
        Label.AGE,
        _shape(r"(?<=\w )\((?P<id>\d{1,2}(?:\s?(?:yrs?|m|mths|y))?)\)"),
        FAIR,
        "number in brackets after a name",
    ),
)


class PatternDetector:
    """Runs every recogniser of a table over each text."""

    name = "patterns.v1"

    def __init__(self, recognisers: Sequence[Recogniser] = RECOGNISERS) -> None:
        self._recognisers = tuple(recognisers)

    def detect(self, texts: Sequence[str]) -> list[list[Detection]]:
        """One list of detections for each text."""
        return [list(self._detect(text)) for text in texts]

    def _detect(self, text: str) -> Iterator[Detection]:
        for recogniser in self._recognisers:
            for match in recogniser.shape.finditer(text):
                found = _detection(recogniser, match)
                if found is not None:
                    yield found


def _detection(recogniser: Recogniser, match: re.Match[str]) -> Detection | None:
    group = "id" if "id" in recogniser.shape.groupindex else 0
    words = match[group]
    if recogniser.needed is not None and not recogniser.needed(words):
        return None
    sure = recogniser.certain is not None and recogniser.certain(words)
    return Detection(
        match.start(group),
        match.end(group),
        recogniser.label,
        CERTAIN if sure else recogniser.score,
        f"{PatternDetector.name}/{recogniser.name}",
        recogniser.why,
    )
