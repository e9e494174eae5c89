"""Numbers and references that systems give to people: NHS, NI, UPN, ULN, SSDA903, cases, cars, accounts."""

from __future__ import annotations

import re

from stdnum.gb import nhs, upn

from nlp.deid.patterns.recogniser import CERTAIN, FAIR, LIKELY, Recogniser, digits, has_digit, shape
from nlp.types import Label

_CUE = (
    r"(?:(?:case|client|pupil|student|record|file|referral|hospital|patient|customer|crime|incident|log|tenancy|claim|mosaic|lcs"
    r"|ehm|liquidlogic|capita|eclipse|azeus|person|child|family|cpoms|ssda\s?903|903|home\s+office|ho|brp|passport|driving\s+licence"
    r"|account|acc|sort\s+code|policy|booking|application|order|court|police|rio|systmone|emis)\s*+(?:ref(?:erence)?|no|num(?:ber)?|id|code)?"
    r"|ref(?:erence)?(?:\s+(?:no|number))?|uln|upn|urn|uprn|nhs(?:\s*(?:no|number))?|ni(?:no)?(?:\s*(?:no|number))?|national\s+insurance(?:\s+(?:no|number))?)"
)
_CODE = r"(?=[\w/-]{0,24}\d)[a-z0-9][a-z0-9/-]{2,22}[a-z0-9](?:[ -]\d{3,4}){0,2}"


def _is_nhs(words: str) -> bool:
    return bool(nhs.is_valid(digits(words)))


def _is_upn(words: str) -> bool:
    return bool(upn.is_valid(re.sub(r"\s", "", words).upper()))


def _is_uln(words: str) -> bool:
    """Ten digits whose weighted sum leaves a remainder that the last digit completes to ten (LRS)."""
    figures = [int(d) for d in digits(words)]
    left = sum(w * d for w, d in zip(range(10, 1, -1), figures, strict=False)) % 11
    return len(figures) == 10 and left > 0 and figures[9] == 10 - left


def _is_reference(words: str) -> bool:
    return has_digit(words) and not re.fullmatch(
        r"\d{1,3}|(?:19|20)\d\d|\d+(?:st|nd|rd|th|am|pm|min|mins|hrs?|wks?|yrs?|k|g|p|x)", words, re.I
    )


NUMBERS: tuple[Recogniser, ...] = (
    Recogniser(
        "nhs number",
        Label.ID,
        shape(r"(?<![\d-])\d{3}[ .-]?\d{3}[ .-]?\d{4}(?![\d-]*\d)"),
        CERTAIN,
        "NHS number with a valid check digit",
        needed=_is_nhs,
        figure=True,
    ),
    Recogniser(
        "national insurance number",
        Label.ID,
        shape(r"\b(?!bg|gb|nk|kn|tn|nt|zz)[a-ceghj-prtw-zq][a-ceghj-nprtw-zq][\s-]?(?:\d[\s-]?){6}[a-d]\b"),
        CERTAIN,
        "shape of a National Insurance number",
        figure=True,
    ),
    Recogniser(
        "upn",
        Label.ID,
        shape(r"\b[a-hj-np-rt-z]\s?(?:\d\s?){11}[\da-hj-np-rt-z]\b"),
        LIKELY,
        "shape of a unique pupil number",
        certain=_is_upn,
        figure=True,
    ),
    Recogniser(
        "uln",
        Label.ID,
        shape(r"(?<![\d-])[1-9]\d{9}(?!\d)"),
        CERTAIN,
        "learner number with a valid check digit",
        needed=_is_uln,
        figure=True,
    ),
    Recogniser(
        "reference",
        Label.ID,
        shape(
            rf"\b{_CUE}(?:\s*+(?:is|was|:|#|\.|-|\(|no\.?|number|ends?\s+in|num))*\s*+"
            rf"(?P<id>{_CODE}|\d{{2}}-\d{{2}}-\d{{2}}|\d{{3}}[ -]\d{{3}}[ -]\d{{4}}|\d{{4,12}})"
        ),
        LIKELY,
        "follows a cue such as “ref” or “case number”",
        needed=_is_reference,
        figure=True,
    ),
    Recogniser(
        "reference shape",
        Label.ID,
        shape(
            r"\b[A-Z]{1,5}(?:[-/]\d{2,12}){1,3}(?:[-/][A-Z]{1,3})?\b|\b[A-Z]{2,5}\d{4,12}\b|\b\d{5,10}[-/][A-Z]{1,4}\b|(?<![\d/-])\d{3,6}/\d{2}(?![\d/])",
            case=True,
        ),
        FAIR,
        "letters and a long number, as in a case reference",
        needed=lambda words: len(digits(words)) >= 4,
        figure=True,
    ),
    Recogniser(
        "vehicle plate",
        Label.ID,
        shape(r"\b[A-Z]{2}\d{2}\s?[A-Z]{3}\b|\b[A-Z]\d{1,3}\s[A-Z]{3}\b", case=True),
        LIKELY,
        "shape of a vehicle registration",
        figure=True,
    ),
    Recogniser(
        "vehicle plate with cue",
        Label.ID,
        shape(
            r"\b(?:reg(?:istration)?|plates?|number\s+plate|vrm)\b[\s:]*(?:is|was|no\.?|number)?\s*(?P<id>[a-z]{1,3}\d{1,4}\s?[a-z]{0,3})\b"
        ),
        LIKELY,
        "follows “reg” or “plate”",
        figure=True,
    ),
    Recogniser(
        "bank account",
        Label.ID,
        shape(r"\b(?:account|acc|a/c)\b[\s\w:.]{0,10}?(?P<id>\d{8})\b"),
        LIKELY,
        "digits of a bank account",
        figure=True,
    ),
)
