"""First names from a list, and names that follow a cue; a name that is also a word needs a cue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nlp.deid.allow import is_harmless
from nlp.deid.lexicon import listed
from nlp.deid.patterns.recogniser import FAIR, WEAK
from nlp.types import Detection, Label

_TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_TITLE = r"(?:(?:mr|mrs|ms|dr|sgt|cllr|pc)\.?|miss|sir|auntie|aunty|aunt|uncle|nurse|doctor|father|imam)"
_KIN = (
    r"(?:son|daughter|brother|sister|sis|bro|partner|husband|wife|boyfriend|girlfriend|ex|cousin|friend|mate|best\s+mate|best\s+friend"
    r"|baby|twins?|toddler|child|lad|girl|worker|social\s+worker|support\s+worker|key\s?worker|health\s+visitor|midwife|teacher|tutor|pa|sw|hv|iro"
    r"|advis[eo]r|counsellor|carer|foster\s+(?:mum|dad|carer|mother|father)|stepdad|step-dad|stepmum|neighbour|landlord|manager|staff|dog|cat"
    r"|mum|dad|mother|father|mam|nan|nana|gran|grandma|grandad|auntie|niece|nephew|nursery\s+nurse|key\s+person)"
)
_PARTICLES = r"(?:(?:de|da|do|dos|das|del|della|van|von|der|den|bin|bint|ibn|al|el|ap|ab|la|le|du|di|ní|ó)\s+){0,2}"
_NAME = rf"(?P<id>{_PARTICLES}[A-ZÀ-Þ][^\W\d_]+(?:['’-][^\W\d_]+)*(?:\s(?!And\b|The\b|I\b)[A-ZÀ-Þ][^\W\d_]+(?:['’-][^\W\d_]+)*)?)"
_ANY_NAME = r"(?P<id>[^\W\d_]{2,}(?:['’-][^\W\d_]+)*)"
_SIGNED = r"(?:regards|thanks|thank\s+you|cheers|best\s+wishes|yours\s+\w+|love\s+from|from)"
_CALLED = r"(?:called|named|name\s+is|name['’]?s|known\s+as|nickname(?:d)?)"
_OWNER = r"(?:my|our|his|her|their|the|with|and|little|big|older|younger)"
_ROLE = r"(?:key\s?worker|social\s+worker|support\s+worker|health\s+visitor|PA|SW|HV|FSW)"
_NAMED = (
    r"(?:my\s+name\s+is|my\s+names|my\s+name['’]s"
    r"|(?:brother|sister|son|daughter|baby|friend|worker|dog|lad)\s+(?:called|named))"
)
_CALLED_SOMEBODY = (
    r"(?:a|the|this|that|my|our|his|her|their|another|some|new)\s+(?:\w+\s+)?(?:boy|girl|man|lady|woman|kid|lad|lass|baby|child|teacher|worker|carer|person"
    r"|friend|mate|brother|sister|son|daughter|cousin|dog|cat|puppy|kitten|hamster|rabbit|horse|fish)\s+(?:who\s+is\s+|who's\s+|was\s+|is\s+)?(?:called|named)"
)
_GOES_ON = (
    r"(?:and|who|he|she|they|it|but|so|is|was|has|had|in|at|on|from|with|to|for|because|cos|bcos|cus|coz|that|or|the|my|we|me|im|i|n|then|when|always|never"
    r"|sits|said|says|came|comes|went|goes|lives|lived|got|gets|took|likes|keeps|kept|helped|helps|after|about|if|as|like|too|also|aged|just|now|used|will|can"
    r"|does|did|would|wont|died|loves|hates|plays|runs|works|bites|barks|next|by|where|which|were|are|be|been|not|dont|an|his|her|our|out|up|off|down|over)"
)
_WRITTEN_BY = (
    r"(?:(?:checked|reviewed|drafted|recorded|written|seen|completed|taken|noted|logged|typed|signed)"
    r"(?:\s+by)?|author)[\s:]?"
)
_DOES = (
    r"(?:says?|said|was|is|isn't|has|had|hasn't|wants?|wanted|told|tells|asked|asks|also|came|comes|went|goes|thinks|thought|feels"
    r"|felt|likes?|liked|loves?|hates?|got|gets|can|can't|did|didn't|does|doesn't|will|won't|would|lives?|lived|stays?|stayed|gave|took"
    r"|reports?|reported|stated|states|shared|agreed|attended|presented|rang|phoned|called|moved|needs?|started|refused|cried|smiled)"
)
_ONE_CAPITAL = frozenset("BCDEFGHJKLMNOPQRSTUVWXYZ")


@dataclass(frozen=True, slots=True)
class Cue:
    """A shape around a name, and the words of which a text must hold one for it to be looked for (none: always)."""

    name: str
    shape: re.Pattern[str]
    why: str
    words: frozenset[str]


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


_CUES: tuple[Cue, ...] = (
    Cue(
        "title",
        re.compile(rf"(?i:\b{_TITLE})\s+{_NAME}"),
        "follows a title",
        _words("mr mrs ms miss dr sir auntie aunty aunt uncle nurse doctor pc sgt father imam cllr"),
    ),
    Cue(
        "named",
        re.compile(rf"(?i:\b{_CALLED})\s+{_NAME}"),
        "follows “called” or “named”",
        _words("called named name names name's name’s known nickname nicknamed"),
    ),
    Cue(
        "kin",
        re.compile(rf"(?i:\b{_OWNER}\s+{_KIN}),?\s+{_NAME}"),
        "follows a family or worker word",
        _words("my our his her their the with and little big older younger"),
    ),
    Cue(
        "role",
        re.compile(rf"(?i:\b{_ROLE})(?:\s*+[:,-])?+\s+{_NAME}"),
        "follows a worker’s role",
        _words("keyworker worker visitor pa sw hv fsw"),
    ),
    Cue(
        "sign-off",
        re.compile(rf"(?i:{_SIGNED})(?:\s*+[,.!-]++)?+[^\S\n]*+\n\s*+{_NAME}"),
        "stands where a letter is signed",
        _words("regards thanks thank cheers wishes yours love from"),
    ),
    Cue(
        "title, any case",
        re.compile(rf"(?i:\b(?:mr|mrs|ms|dr)\.?\s+(?P<id>{_PARTICLES}[^\W\d_]{{2,}}(?:['’-][^\W\d_]+)*))"),
        "follows a title",
        _words("mr mrs ms dr"),
    ),
    Cue(
        "full name, any case",
        re.compile(
            rf"(?i:\b{_CALLED_SOMEBODY}\s+(?P<id>[^\W\d_]{{2,}}(?:['’-][^\W\d_]+)*(?:\s+(?!{_GOES_ON}\b)[^\W\d_]{{3,}}(?:['’-][^\W\d_]+)*)?))"
        ),
        "follows “a boy called” or the like",
        _words("called named"),
    ),
    Cue(
        "named, any case",
        re.compile(rf"(?i:\b{_NAMED}\s+{_ANY_NAME})"),
        "follows “called” or “my name is”",
        _words("name names name's name’s called named"),
    ),
    Cue(
        "initial and family name",
        re.compile(r"(?<![\w.'])(?P<id>[B-HJ-Z]\.?\s[A-ZÀ-Þ][a-zß-ÿ]{2,}(?:['’-][A-ZÀ-Þ][a-zß-ÿ]+)?)(?!\w)"),
        "an initial before a family name",
        _ONE_CAPITAL,
    ),
    Cue(
        "written by",
        re.compile(rf"(?i:\b{_WRITTEN_BY})\s+(?P<id>[A-Z]{{2,3}}|[A-Z]\.\s?[A-Z]\.?)(?!\w)"),
        "initials of whoever wrote or checked",
        _words("checked reviewed drafted recorded written seen completed taken noted logged typed signed author"),
    ),
    Cue(
        "signed with initials",
        re.compile(r"(?m)(?<=[a-z\d][.!?)\"”]\s)(?P<id>[A-Z]{2,3}|[A-Z]\.\s?[A-Z]\.?)[)\"”]*[^\S\n]*$"),
        "initials where a note is signed",
        frozenset(),
    ),
    Cue(
        "initial of somebody",
        re.compile(
            rf"(?m)(?:^|(?<=[.!?:;,]\s)|(?<=\b(?:and|but)\s)|(?<=\bthat\s)|(?<=\bwith\s))(?P<id>[B-HJ-Z])(?=['’]s\b|\s{_DOES}\b)"
        ),
        "a letter that does what people do",
        _ONE_CAPITAL,
    ),
)
_SENTENCE_START = re.compile(r"(?:^|[.!?…\n:;\"“(\[•*–—-])\s*$")
_MONTHS = frozenset("January February March April May June July August Jan Mar Jun".split())
_NOT_SIGNED = frozenset(
    "ok nb ps pps tbc tba nfa asap lol tia xx xxx fyi eta diy uk eu usa bbc itv mri ect na it id tv cd dvd am pm".split()
)
_NOT_NAMES = frozenset(
    " a an the and but or so if i me my we our you your he she it they him her them who what when where why how"
    " this that these those there here not no yes ok okay said says is was are were be been has had have do does"
    " did can could will would should may might must just only also even still then now today mum dad mam nan nana"
    " gran grandma grandad baby child children kids everyone nobody someone anyone thing things people staff note"
    " notes visit call update report review form social worker support school nursery home hub council service"
    " services team college hospital doctor gp police".split()
)


class NameDetector:
    """Listed first names, in any case, and capitalised words after a cue."""

    name = "names.v2"

    def detect(self, texts: Sequence[str]) -> list[list[Detection]]:
        """One list of detections for each text."""
        return [_names(text) for text in texts]


def _names(text: str) -> list[Detection]:
    tokens = list(_TOKEN.finditer(text))
    words = {token[0] for token in tokens}
    words |= {word.lower() for word in words} | {word.removesuffix("'s").removesuffix("’s") for word in words}
    return [*_cued(text, words), *(found for token in tokens for found in _listed(text, token))]


def _cued(text: str, words: set[str]) -> Iterator[Detection]:
    for cue in _CUES:
        if cue.words and cue.words.isdisjoint(words):
            continue
        for match in cue.shape.finditer(text):
            name = match["id"]
            if name.casefold() not in _NOT_NAMES and not _is_plain(cue.name, name):
                start, end = match.span("id")
                yield Detection(start, end, Label.PERSON, 0.75, f"{NameDetector.name}/{cue.name}", cue.why)


def _is_plain(cue: str, words: str) -> bool:
    """Words that no cue makes a name."""
    if cue == "written by":
        return False
    if cue == "signed with initials" and words.casefold() in _NOT_SIGNED:
        return True
    last = words.rsplit(maxsplit=1)[-1].casefold()
    if cue == "title, any case" and re.fullmatch(_DOES, words, re.IGNORECASE):
        return True
    if cue == "initial and family name" and last in listed("everyday"):
        return True
    return is_harmless(words)


def _listed(text: str, match: re.Match[str]) -> Iterator[Detection]:
    """Listed first names. Common ones, and those with a capital that are no words, are masked; others are doubts."""
    token = match[0]
    plain = token.removesuffix("'s").removesuffix("’s").casefold()
    is_capital, is_word = token[0].isupper(), plain in listed("word_names")
    if not _is_name(plain, is_capital) or is_harmless(token) or (is_word and not _stands_as_name(text, match)):
        return
    is_sure = plain in listed("common_names") or (
        is_capital and not is_word and (plain in listed("forenames") or "-" in plain)
    )
    end = _family_name_end(text, match.end()) if is_capital else match.end()
    yield Detection(
        match.start(), end, Label.PERSON, FAIR if is_sure else WEAK, f"{NameDetector.name}/list",
        "a first name on the list", masked=is_sure,
    )  # fmt: skip


def _is_name(plain: str, is_capital: bool) -> bool:
    names = listed("forenames")
    return plain in names or _is_double(plain, names) or (is_capital and _is_possessive(plain, names))


def _stands_as_name(text: str, match: re.Match[str]) -> bool:
    """A capital in mid-sentence, in a text that does not shout, and no month."""
    before = text[max(0, match.start() - 40) : match.start()]
    token = match[0]
    return token[0].isupper() and not token.isupper() and token not in _MONTHS and not _SENTENCE_START.search(before)


def _is_double(plain: str, names: frozenset[str]) -> bool:
    parts = plain.split("-")
    return len(parts) == 2 and all(part in names for part in parts)


def _is_possessive(plain: str, names: frozenset[str]) -> bool:
    """“Zoyas coat”, written without its apostrophe."""
    return (
        plain.endswith("s")
        and plain[:-1] in names
        and plain not in listed("everyday")
        and len(plain) > 3
        and not is_harmless(plain[:-1])
    )


_FAMILY = re.compile(r"\s((?:[A-ZÀ-Þ](?=[\s.,]|$)|[A-ZÀ-Þ][^\W\d_]+(?:['’-][^\W\d_]+)*))")


def _family_name_end(text: str, end: int) -> int:
    match = _FAMILY.match(text, end)
    if match is None or is_harmless(match[1]) or match[1].casefold() in _NOT_NAMES:
        return end
    return match.end()
