"""The dataset passport: read, set, and asked for before voices come in and before anything leaves."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date
from pathlib import Path

from service.errors import ConflictError, PassportError
from service.study.database import write
from service.study.passports import FICTIONAL, Output, Passport, add_passport, passport_of, passports
from service.study.runs import add_audit
from service.study.study import Study

BASES = {
    "consent": "Consent, Article 6(1)(a)",
    "contract": "Contract, Article 6(1)(b)",
    "legal_obligation": "Legal obligation, Article 6(1)(c)",
    "vital_interests": "Vital interests, Article 6(1)(d)",
    "public_task": "Public task, Article 6(1)(e)",
    "legitimate_interests": "Legitimate interests, Article 6(1)(f)",
}
NO_BASIS = "Not needed: the people are fictional"
OUTPUTS = {
    Output.COUNTS: "shares and counts, in reports, the joint display and databases of findings",
    Output.QUOTATIONS: "exact words, once they are released",
    Output.PACKS: "packs of counts for other councils",
    Output.LESSONS: "what was decided, as vectors, for studies elsewhere",
    Output.STUDY: "the study’s own records: whole, as a project for another tool, or as tables by person",
}
LABELS = {
    "purpose": "Purpose",
    "controller": "Controller",
    "lawful_basis": "Lawful basis (Article 6)",
    "condition": "Condition for sensitive information (Article 9, Schedule 1)",
    "dpia": "Reference of the impact assessment (DPIA)",
    "ethics": "Reference of the ethics approval",
    "retention": "Kept until",
    "outputs": "What may leave the study",
    "safeguarding_lead": "Safeguarding lead",
}
HELP = {
    "purpose": "Why these voices are used, and for whom",
    "controller": "The council or organisation that decides, and answers for it",
    "lawful_basis": "For a council most often public task",
    "condition": "For example: Article 9(2)(g) with Schedule 1, paragraph 6, Data Protection Act 2018",
    "dpia": "Your reference, with its date",
    "ethics": "Your reference, or why none is needed",
    "retention": "The last day on which the study may be kept; nothing more is taken in after it",
    "outputs": "What is not named here is refused",
    "safeguarding_lead": "A name or a role, and how to reach them",
}
LONGEST, SHORT = 500, 90
HOW = "A data manager sets it on the page “Passport”, or with “heard passport set”"


def read_passport(given: Mapping[str, object]) -> Passport:
    """A passport from what a file or form says. PassportError names every field that is missing or not as it must be."""
    strange = sorted(set(given) - set(LABELS))
    if strange:
        known = ", ".join(LABELS)
        raise PassportError(f"{len(strange)} fields are not of a passport; its fields are {known}. Nothing was changed")
    words = {name: _line(given.get(name, "")) for name in LABELS if name != "outputs"}
    if lacking := [LABELS[name] for name in LABELS if name not in given or words.get(name) == ""]:
        raise PassportError(f"the passport lacks: {'; '.join(lacking)}. Nothing was changed")
    if too_long := [LABELS[name] for name, value in words.items() if len(value) > LONGEST]:
        raise PassportError(f"longer than {LONGEST} characters: {'; '.join(too_long)}. Nothing was changed")
    if words["lawful_basis"] not in BASES:
        raise PassportError(f"{LABELS['lawful_basis']} is one of {', '.join(BASES)}. Nothing was changed")
    return Passport(**{**words, "retention": _day(words["retention"])}, outputs=_outputs(given.get("outputs", ())))


def _line(value: object) -> str:
    """A field on one line; a date is one too."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())


def _day(words: str) -> str:
    try:
        return date.fromisoformat(words).isoformat()
    except ValueError:
        raise PassportError(f"{LABELS['retention']} is a day, as 2027-12-31. Nothing was changed") from None


def _outputs(given: object) -> tuple[Output, ...]:
    if not isinstance(given, list | tuple) or not set(map(str, given)) <= set(Output):
        raise PassportError(f"{LABELS['outputs']} is a list of {', '.join(Output)}. Nothing was changed")
    return tuple(one for one in Output if one in given)


def passport_in(file: Path) -> Passport:
    """A passport from a TOML file; PassportError when it is none."""
    try:
        return read_passport(tomllib.loads(file.read_text("utf-8")))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise PassportError("the file is not TOML; “heard passport show” writes one to fill in") from None
    except OSError:
        raise PassportError("there is no such file of a passport, or it cannot be read") from None


def as_toml(passport: Passport | None) -> str:
    """A passport as a file that `passport_in` reads; blank where there is none."""
    held = asdict(passport) if passport else {name: [] if name == "outputs" else "" for name in LABELS}
    return "\n".join(f"# {_about(name)}\n{name} = {_value(held[name])}\n" for name in LABELS)


def _about(name: str) -> str:
    named = {"lawful_basis": ". One of " + ", ".join(BASES), "outputs": ". Any of " + ", ".join(Output)}
    return f"{LABELS[name]}: {HELP[name]}{named.get(name, '')}"


def _value(held: object) -> str:
    return json.dumps(held, ensure_ascii=False)


def set_passport(study: Study, passport: Passport, *, by: str, now: str, after: int | None = None) -> int:
    """Set a study's passport; the number of its version, which stays the same where nothing differs.

    ConflictError when `after` is given and is not the newest version any more.
    """
    with write(study.db) as connection:
        held = passports(study.db)
        newest = held[0].version if held else 0
        if after is not None and after != newest:
            raise ConflictError(f"{held[0].by} set the passport in the meantime; look at it and set yours again")
        changed = changed_fields(held[0].passport if held else None, passport)
        if not changed:
            return newest
        version = add_passport(connection, passport, by=by, at=now)
        counts = dict.fromkeys(changed, 1)
        add_audit(connection, at=now, actor=by, action="set passport", subject=f"version {version}", counts=counts)
    return version


def changed_fields(before: Passport | None, after: Passport) -> list[str]:
    """The names of the fields that differ; all of them for a first passport."""
    return [f.name for f in fields(after) if before is None or getattr(before, f.name) != getattr(after, f.name)]


def lapsed(passport: Passport, now: str) -> bool:
    """Whether its last day is past."""
    return passport.retention < now[:10]


def require_intake(study: Study, *, actor: str, now: str) -> Passport:
    """The passport under which voices may come in now; PassportError, recorded, where there is none or it has run out."""
    passport = passport_of(study)
    if passport is None:
        lacking = "; ".join(LABELS.values())
        why = f"the study has no dataset passport, so nothing was taken in. {HOW}; it says: {lacking}"
        raise _refused(study, "refuse intake", "no passport", why, actor=actor, now=now)
    if lapsed(passport, now):
        why = (
            f"the study’s dataset passport ran out: its voices are kept until {passport.retention}, so nothing was taken in."
            f" {HOW}, with a later date if that is right"
        )
        raise _refused(study, "refuse intake", "retention", why, actor=actor, now=now)
    return passport


def require_output(study: Study, output: Output, *, actor: str, now: str) -> None:
    """PassportError, recorded, where the passport does not name what is to leave, or there is none."""
    passport = passport_of(study)
    if passport is not None and output in passport.outputs:
        return
    lacks = (
        "has no dataset passport, which would say" if passport is None else "has a dataset passport that does not allow"
    )
    what = "what may leave it" if passport is None else f"“{output}”: {OUTPUTS[output]}"
    why = f"the study {lacks} {what}. Nothing was written. {HOW}"
    raise _refused(study, "refuse output", output.value, why, actor=actor, now=now)


def _refused(study: Study, action: str, subject: str, why: str, *, actor: str, now: str) -> PassportError:
    with write(study.db) as connection:
        add_audit(connection, at=now, actor=actor, action=action, subject=subject)
    return PassportError(why)


def in_words(passport: Passport) -> dict[str, str]:
    """Each field as people read it."""
    held = {name: str(getattr(passport, name)) for name in LABELS}
    allowed = "; ".join(OUTPUTS[one] for one in passport.outputs)
    until = "No date: the people are fictional" if passport == FICTIONAL else _date(passport.retention)
    basis = BASES.get(passport.lawful_basis, NO_BASIS)
    allowed = allowed[:1].upper() + allowed[1:]
    return {**held, "lawful_basis": basis, "outputs": allowed or "Nothing", "retention": until}


def short(study: Study, now: str) -> tuple[str, bool]:
    """The passport in a line, and whether all is well with it."""
    passport = passport_of(study)
    if passport is None:
        return "There is no dataset passport yet, so nothing is taken in and nothing leaves.", False
    if lapsed(passport, now):
        return f"The dataset passport ran out on {_date(passport.retention)}: nothing more is taken in.", False
    if passport == FICTIONAL:
        return "The dataset passport is made up, as the people are.", True
    return (
        f"{_cut(passport.purpose)} Controller: {_cut(passport.controller)} Kept until {_date(passport.retention)}.", True,
    )  # fmt: skip


def _cut(words: str) -> str:
    whole = words if len(words) <= SHORT else words[:SHORT].rsplit(" ", 1)[0] + " …"
    return whole if whole[-1] in ".!?…" else f"{whole}."


def _date(day: str) -> str:
    on = date.fromisoformat(day)
    return f"{on.day} {on:%B %Y}"
