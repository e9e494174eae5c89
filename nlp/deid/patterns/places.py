"""Addresses, streets, and the names of schools and settings."""

from __future__ import annotations

import re

from nlp.deid.allow import is_harmless
from nlp.deid.patterns.recogniser import CERTAIN, FAIR, LIKELY, Recogniser, shape
from nlp.types import Label

_STREET = (
    r"(?:road|rd|street|st|avenue|ave|close|lane|ln|drive|way|crescent|cres|court|gardens|gdns|grove|place"
    r"|terrace|walk|mews|square|hill|rise|green|row|view|parade|yard|wharf|fold|croft)"
)
_SETTING = (
    r"(?:(?:primary|infants?|junior|secondary|high|grammar|special|nursery|community|comprehensive)\s+"
    r"(?:school|academy)|primary|infants?|juniors?|academy|nursery|pre-?school|playgroup|high\s+school|college"
    r"|children'?s\s+centre|family\s+hub|family\s+centre|surgery|medical\s+centre|medical\s+practice"
    r"|health\s+centre|hospital|infirmary|hospice|hostel|children'?s\s+home|school|youth\s+club|youth\s+centre|fc)"
)
_SETTINGS = (
    *(
        "school",
        "academy",
        "primary",
        "infant",
        "junior",
        "nursery",
        "playgroup",
        "college",
        "centre",
        "hub",
        "surgery",
    ),
    *("practice", "hospi", "infirmary", "hostel", "home", "youth", " fc"),
)
_NO_NAME = (
    r"(?!(?:The|This|That|A|An|In|At|To|On|By|My|His|Her|Our|Your|Their|Then|When|If|And|But|So|Or|No|Not|After|Before|Local|New|Old|Big"
    r"|Same|First|Every|Each|Any|Some|What|Which|Why|How|Is|Was|For|From|With|Into|Between|Since|Until|Both|Near|Left|Started|Start|Starts"
    r"|Mum|Dad|Nan|Spoke|Rang|Called|Emailed|Visited|Visit|Via|Re|Polish|Saturday|Sat|Sunday|English|Welsh|Foster|Special|Child|Family"
    r"|Mainstream|State|Private|Secondary|Primary|High|Junior|Infant|Village|Day|Community|Previous|Current|Named|Good|Other)\b)"
)
_CAP = rf"{_NO_NAME}[A-ZÀ-Þ][\w'-]{{0,40}}"
_NO_STREET = frozenset(
    "the a an my our his her their your this that every same other in on of and or to for with cos because down up at"
    " years months weeks days hours minutes mins wks mondays tuesdays wednesdays thursdays fridays saturdays sundays times people"
    " kids children houses miles boxes steps flights way nights bedroom bed pairs bags old new each per".split()
)
_PLAIN_STREETS = frozenset(
    "road rd street st avenue ave lane close drive crescent gardens gdns grove terrace court".split()
)


def _is_address(words: str) -> bool:
    tokens = re.findall(r"[\w'-]+", words)
    named = [t for t in tokens if not t[0].isdigit()][:-1]
    if not named or any(t.casefold() in _NO_STREET for t in named):
        return False
    return named[0][0].isupper() or tokens[-1].casefold() in _PLAIN_STREETS


def _is_no_sector_word(words: str) -> bool:
    return not is_harmless(words)


PLACES: tuple[Recogniser, ...] = (
    Recogniser(
        "postcode",
        Label.LOCATION,
        shape(r"\b(?:gir\s?0aa|[a-z]{1,2}\d[a-z\d]?\s{0,2}\d\s?[abd-hjlnp-uw-z]{2})\b"),
        CERTAIN,
        "shape of a UK postcode",
        figure=True,
    ),
    Recogniser(
        "postcode district",
        Label.LOCATION,
        shape(
            r"\b(?i:postcode(?:\s+(?:is|area|starts(?:\s+with)?))?|live[sd]?\s+in|moved\s+to|from|area|in|round)\s+(?P<id>[A-Z]{1,2}\d{1,2}[A-Z]?)\b",
            case=True,
        ),
        FAIR,
        "shape of a postcode district after a cue",
        needed=_is_no_sector_word,
        figure=True,
    ),
    Recogniser(
        "postcode district after postcode",
        Label.LOCATION,
        shape(
            r"\bpost\s?code(?:\s+(?:is|area|starts?(?:\s+with)?|of|:))*[\s:]+(?P<id>[a-z]{1,2}\d{1,2}[a-z]?(?:\s?\d[a-z]{0,2})?)\b"
        ),
        LIKELY,
        "follows “postcode”",
        hints=("post",),
    ),
    Recogniser(
        "street address",
        Label.LOCATION,
        shape(
            rf"\b(?:(?:flat|apt|apartment)\s+\d+[a-z]?,?\s+)?\d{{1,4}}[a-z]?,?\s+(?:[^\W\d_][\w']*\s+){{1,3}}?{_STREET}\b\.?"
        ),
        LIKELY,
        "house number and street",
        needed=_is_address,
        figure=True,
    ),
    Recogniser(
        "house number",
        Label.LOCATION,
        shape(
            r"\b(?:at|outside|from|past|opposite|lives?\s+at)\s+(?:number|no\.?)\s+(?P<id>\d{1,3}[a-z]?)\b(?!\s*(?:%|on\s+the))"
        ),
        FAIR,
        "the number of a house",
        figure=True,
    ),
    Recogniser(
        "street",
        Label.LOCATION,
        shape(
            rf"\b(?:{_CAP}\s+){{1,3}}(?:Road|Rd|Street|Avenue|Ave|Close|Lane|Drive|Crescent|Court|Gardens|Grove|Terrace|Mews|Estate)\b",
            case=True,
        ),
        LIKELY,
        "name that ends as streets do",
        needed=_is_no_sector_word,
        hints=(
            "road",
            " rd",
            "street",
            "ave",
            "close",
            "lane",
            "drive",
            "cres",
            "court",
            "garden",
            "grove",
            "terrace",
            "mews",
            "estate",
        ),
    ),
    Recogniser(
        "school or setting",
        Label.ORG,
        shape(
            rf"\b(?:(?:St|Saint|Our\s+Lady(?:\s+(?:of|and))?|Holy|Sacred)\.?\s+)?(?:{_CAP}\s+(?:of\s+|and\s+|&\s+)?){{1,4}}"
            rf"(?:(?:C\s?of\s?E|CofE|CE|C\.E\.|RC|R\.C\.|Catholic|Church|VA|VC|Muslim|Sikh)\s+)*(?i:{_SETTING})\b",
            case=True,
        ),
        LIKELY,
        "name that ends as schools, surgeries and settings do",
        needed=_is_no_sector_word,
        hints=_SETTINGS,
    ),
    Recogniser(
        "saint's school",
        Label.ORG,
        shape(
            r"\bst\.?\s+[a-z]+(?:'?s|s')(?:\s+(?:c\s?of\s?e|rc|catholic|primary|infants?|juniors?|high|school|academy|nursery|church))*\b(?!\s+(?:park|road|street|square|day))"
        ),
        FAIR,
        "a saint's name in the possessive",
        hints=("st. ", "st "),
    ),
)
