"""Who a named person is and what a named organisation is, where the text says so beside the name."""

from __future__ import annotations

import re

_ROLE_WORDS = {
    "Social worker": r"social\s?workers?|sw",
    "Health visitor": r"health\s?visitors?|hv",
    "Personal adviser": r"personal\s?advis[eo]rs?|pa",
    "Support worker": r"(?:family\s)?support\s?workers?|fsw|key\s?workers?|key\s?person|youth\s?workers?|outreach\s?workers?",
    "Foster carer": r"foster\s?(?:carers?|mum|dad|mother|father|parents?)",
    "Carer": r"carers?",
    "Teacher": r"teachers?|tutor|head\s?teacher|senco|ta",
    "Doctor": r"dr|doctor|gp|paediatrician",
    "Nurse": r"nurse|midwife|community\snurse",
    "Therapist": r"therapist|counsellor|salt|slt",
    "Manager": r"managers?",
    "Landlord": r"landlord|landlady",
    "Neighbour": r"neighbours?",
    "Sister": r"sisters?|sis",
    "Brother": r"brothers?|bro",
    "Mother": r"mum|mom|mam|mummy|mother|ammi|mama",
    "Father": r"dad|daddy|father|abbu|baba",
    "Stepfather": r"step-?\s?dad|step-?\s?father",
    "Stepmother": r"step-?\s?mum|step-?\s?mother",
    "Grandmother": r"nan|nana|nanna|gran|granny|grandma|grandmother|babcia|nain|mgm|pgm",
    "Grandfather": r"grandad|grandpa|grandfather|taid|mgf|pgf",
    "Aunt": r"aunt|auntie|aunty",
    "Uncle": r"uncle",
    "Cousin": r"cousins?",
    "Son": r"sons?",
    "Daughter": r"daughters?",
    "Baby": r"baby",
    "Partner": r"partner|husband|wife|boyfriend|girlfriend|ex",
    "Friend": r"friends?|mates?|bestie|best\sfriend|best\smate",
    "Pet": r"dog|cat|puppy|kitten|hamster|rabbit",
}
ROLES = tuple(_ROLE_WORDS)
_ANY = "|".join(f"(?P<r{i}>{words})" for i, words in enumerate(_ROLE_WORDS.values()))
_BEFORE = re.compile(rf"(?i)\b(?:{_ANY})(?:\s+(?:is|was|called|named|name\s+is|name)|'s\s+name\s+is|[,:(]|\s+-)?\s*$")
_AFTER = re.compile(
    rf"(?i)^(?:\s*[(,]\s*|\s+(?=(?:my|his|her|our|their)\s))(?:(?:my|his|her|our|their|the|a)\s+)?(?:(?:older|younger|little|big|new|own)\s+)?(?:{_ANY})\b"
)
_KINDS = (
    ("School", r"schools?|primary|infants?|juniors?|academy|high|secondary|c of e|rc|ysgol"),
    ("Nursery", r"nursery|pre-?school|playgroup|childminders?|kindergarten"),
    ("College", r"college|university"),
    ("Hospital", r"hospital|infirmary|ward|hospice|a&e"),
    ("Surgery", r"surgery|practice|medical|health centre|dentist"),
    ("Home", r"house|home|lodge|hostel|refuge|unit"),
    ("Place of worship", r"church|mosque|masjid|temple|gurdwara|synagogue|chapel"),
    ("Club", r"club|fc|scouts|brownies|colts|boxing|gym"),
    ("Centre", r"centre|hub|cent(?:er|re)"),
    ("Team", r"team"),
)


def role_of(text: str, start: int, end: int) -> str:
    """The role that stands right before or after the name, or nothing."""
    before = _BEFORE.search(text, max(0, start - 40), start)
    return _role(before) or _role(_AFTER.search(text[end : end + 40]))


def _role(match: re.Match[str] | None) -> str:
    if match is None:
        return ""
    return next(role for i, role in enumerate(ROLES) if match[f"r{i}"])


def organisation_kind(text: str, start: int, end: int) -> str:
    """School, nursery and so on, by the name itself or the word beside it."""
    for stretch in (text[start:end], text[end : end + 12], text[max(0, start - 14) : start]):
        for kind, words in _KINDS:
            if re.search(rf"(?i)\b(?:{words})\b", stretch):
                return kind
    return "Organisation"
