"""Ways to reach somebody: email, web, handles, telephone numbers written or spoken."""

from __future__ import annotations

import re

from nlp.deid.patterns.recogniser import CERTAIN, FAIR, LIKELY, Recogniser, digits, shape
from nlp.types import Label

_APP = (
    r"(?:snap(?:chat)?|sc|insta(?:gram)?|ig|tiktok|tik\s?tok|roblox|discord|xbox|psn|playstation|steam|fortnite|minecraft"
    r"|facebook|fb|twitter|twitch|youtube|whatsapp|bereal|vinted)"
)
_APPS = (
    *(
        "snap",
        "sc",
        "insta",
        "ig",
        "tik",
        "roblox",
        "discord",
        "xbox",
        "psn",
        "playst",
        "steam",
        "fortnite",
        "minecraft",
    ),
    *("facebook", "fb", "twit", "youtube", "whatsapp", "bereal", "vinted"),
)
_HANDLE = r"(?P<id>(?=[\w.-]*[\d_.-])[a-z0-9_](?:[\w.-]{0,38}\w))"
_NUMBER_WORD = (
    r"(?:oh|o|zero|nought|one|two|three|four|five|six|seven|eight|nine|hundred|(?:double|treble|triple)\s+\w+|\d{1,5})"
)


def _is_phone(words: str) -> bool:
    figures = re.sub(r"^(?:0044|44)0?", "0", digits(words))
    return len(figures) in (10, 11) and figures.startswith("0") and not figures.startswith("00")


def _is_no_plain_word(words: str) -> bool:
    return re.fullmatch(r"[a-z]+(?:-[a-z]+)*", words) is None


def _is_spoken_number(words: str) -> bool:
    """Words among the figures, and as many of both as a number has."""
    return any(ch.isalpha() for ch in words) and (len(words.split()) >= 8 or len(digits(words)) >= 4)


CONTACTS: tuple[Recogniser, ...] = (
    Recogniser(
        "email",
        Label.EMAIL,
        shape(r"(?<![\w.+-])[\w.+-][\w.+'-]{0,63}\s?@\s?(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}\b"),
        CERTAIN,
        "shape of an email address",
        hints=("@",),
    ),
    Recogniser(
        "spoken email",
        Label.EMAIL,
        shape(
            r"\b[\w.+-]{2,40}\s(?:at|\(at\)|\[at\])\s(?:gmail|hotmail|outlook|yahoo|icloud|live|me|example)\s?(?:\.|dot)\s?(?:com|co\.?\s?uk|org|net)\b"
        ),
        LIKELY,
        "an email address in words",
        hints=(" at ", "(at)", "[at]"),
    ),
    Recogniser(
        "url",
        Label.URL,
        shape(
            r"\b(?:https?://|www\.)[^\s<>\]\[\"”')]+(?<![.,;:!?])"
            r"|(?<![@\w.])(?:[a-z0-9-]{2,63}\.){1,4}(?:com|org\.uk|org|net|co\.uk|gov\.uk|nhs\.uk|sch\.uk|ac\.uk|gg|tv|me)\b(?:/[^\s<>\"”')]*(?<![.,;:!?]))?"
        ),
        CERTAIN,
        "shape of a web address",
        hints=("http", "www.", ".com", ".org", ".uk", ".net", ".gg", ".tv", ".me"),
    ),
    Recogniser(
        "ip address",
        Label.URL,
        shape(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"),
        LIKELY,
        "shape of an IP address",
        figure=True,
    ),
    Recogniser(
        "handle",
        Label.ID,
        shape(r"(?<![\w@.])@(?!\d{1,2}(?:[:.]\d\d)?\s?(?:am|pm)?\b)[a-z0-9_](?:[\w.]{1,28}\w)"),
        LIKELY,
        "shape of a social-media handle",
        hints=("@",),
    ),
    Recogniser(
        "handle with a low line",
        Label.ID,
        shape(r"(?<![\w.@/-])(?=[\w.]*[a-z])[a-z0-9.]*[a-z0-9]_+[a-z0-9][\w.]*(?<![_.])(?![\w@])"),
        LIKELY,
        "words joined as user names are",
        hints=("_",),
    ),
    Recogniser(
        "handle with cue",
        Label.ID,
        shape(
            rf"\b{_APP}\b(?:['\s]+(?:name|user(?:name)?|tag|id|handle|account|acc))?[\s,]*(?:is|its|it's|im|i'm|as|me|=|:|-|@)*\s*{_HANDLE}"
        ),
        LIKELY,
        "follows the name of an app",
        needed=_is_no_plain_word,
        hints=_APPS,
    ),
    Recogniser(
        "handle before an app",
        Label.ID,
        shape(
            rf"\b(?:im|i'm|i\s+am|add(?:\s+me)?|user(?:name)?(?:\s+is)?|called)\s+{_HANDLE}(?=,?\s+on\s+(?:my\s+)?{_APP}\b)"
        ),
        LIKELY,
        "a user name before the name of an app",
        needed=_is_no_plain_word,
        hints=_APPS,
    ),
    Recogniser(
        "handle in words",
        Label.ID,
        shape(
            rf"\b(?:add\s+me\s+on\s+{_APP}|my\s+{_APP}(?:\s+name|\s+user(?:name)?)?\s+is)[\s,:-]+(?:im\s+|i'm\s+|its\s+|it's\s+)?(?P<id>[a-z0-9_.-]{{4,30}})(?=[\s.,!?]|$)"
        ),
        FAIR,
        "given as a name in an app",
        hints=_APPS,
    ),
    Recogniser(
        "phone",
        Label.PHONE,
        shape(r"(?<![\d/-])(?:\+?44|0044|\(?\+44\)?|\(?0)(?:[\s().-]{0,3}\d){9,11}(?!\d)"),
        CERTAIN,
        "shape of a UK telephone number",
        needed=_is_phone,
        figure=True,
    ),
    Recogniser(
        "phone from abroad",
        Label.PHONE,
        shape(r"(?<![\d/-])(?:\+|00)(?!44)[1-9]\d{0,2}(?:[\s().-]{0,2}\d){7,11}(?!\d)"),
        LIKELY,
        "shape of a telephone number from abroad",
        hints=("+", "00"),
    ),
    Recogniser(
        "phone with cue",
        Label.PHONE,
        shape(
            r"\b(?:tel|phone|mob(?:ile)?|ring|call|text|txt|ext(?:ension)?|number|whatsapp|fax)\b[\s\w:.']{0,14}?(?P<id>\d(?:[\s-]?\d){4,11})(?!\d)"
        ),
        LIKELY,
        "digits after a cue such as “ring”",
        figure=True,
    ),
    Recogniser(
        "spoken phone",
        Label.PHONE,
        shape(rf"\b(?:oh|o|zero|nought|0\d{{0,4}})(?:[\s,-]+{_NUMBER_WORD}){{4,12}}\b"),
        LIKELY,
        "a telephone number in words",
        needed=_is_spoken_number,
        hints=("zero", "nought", " oh", "0", " o "),
    ),
)
