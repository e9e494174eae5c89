"""Quotations: asked for by whoever codes, decided on by a release officer who did not; and those that are released."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from nlp.deid.second_look import plain
from service.errors import FindingError, RecordError
from service.study.database import write
from service.study.passports import Output, passport_of
from service.study.quotations import (
    RELEASE,
    WITHHOLD,
    NewQuotation,
    Quotation,
    add_quotation,
    add_ruling,
    quotation,
    quotations,
)
from service.study.runs import add_audit
from service.study.study import Study
from service.study.voices import clean_texts_of, newest_version, voice
from service.usecases.check import require_open
from service.usecases.codebook import tidy
from service.usecases.memos import identifiers
from service.usecases.passport import require_output
from service.usecases.release_card import Card, Wish, release_card

LONGEST, LONGEST_REASON = 1_000, 1_000
OUTCOMES = {RELEASE: "Released", WITHHOLD: "Withheld", "": "Waits for a release officer"}


@dataclass(frozen=True, slots=True)
class Released:
    """A quotation that may leave: its words, and who speaks as far as that may be said."""

    number: int
    code: str
    stance: str
    words: str
    paraphrase: bool
    speaker: str
    via: str
    provenance: str
    audience: str


def ask_to_quote(study: Study, wish: Wish, *, by: str, now: str) -> int:
    """Ask for a quotation's release; its number. The same, asked again while it waits, is one.

    FindingError for what the card refuses, a missing reason, or a paraphrase that is too long or seems to identify.
    """
    require_open(study)
    wish = _tidied(wish)
    card = release_card(study, wish)
    if card.blocks:
        raise FindingError(" ".join(card.blocks))
    version = newest_version(study.db, card.speaker.id)
    new = NewQuotation(
        wish.segment, card.speaker.id, version.version, wish.start, wish.end, _digest(version.text[wish.start : wish.end]),
        wish.code, wish.stance, wish.audience, wish.paraphrase, wish.harms, wish.reason, card.facts,
    )  # fmt: skip
    for held in quotations(study.db):
        if not held.outcome and held.asked == new:
            return held.seq
    with write(study.db) as connection:
        number = add_quotation(connection, new, by=by, at=now)
        add_audit(
            connection, at=now, actor=by, action="ask quotation", subject=wish.segment, counts={"quotation": number}
        )
    return number


def _tidied(wish: Wish) -> Wish:
    paraphrase, reason = tidy(wish.paraphrase), tidy(wish.reason)
    if not reason:
        raise FindingError("say why these words should be heard")
    for what, words in (("paraphrase", paraphrase), ("reason", reason)):
        if len(words) > LONGEST:
            raise FindingError(f"the {what} has {len(words):,} characters and may have {LONGEST:,}")
        if found := identifiers(words):
            raise FindingError(f"the {what} seems to hold {' and '.join(found)}: take it out")
    return Wish(
        wish.segment, wish.code, wish.stance, wish.start, wish.end, wish.audience, paraphrase, tuple(sorted(set(wish.harms))),
        reason,
    )  # fmt: skip


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()


def rule_on(study: Study, number: int, outcome: str, *, why: str, by: str, now: str) -> None:
    """Release or withhold a quotation, or withhold one that was released. Sent twice, it is one decision.

    FindingError without a reason, where the card refuses it by now, or for somebody who asked for it or coded the text;
    PassportError where quotations may not leave; RecordError for a number that there is not.
    """
    held, why = quotation(study.db, number), tidy(why)
    if outcome not in (RELEASE, WITHHOLD):
        raise RecordError("a quotation is released or withheld")
    if (held.outcome, held.why, held.decided_by) == (outcome, why, by):
        return
    _require_another(study, held, by)
    if not why or len(why) > LONGEST_REASON or identifiers(why):
        raise FindingError(
            f"give a reason, of at most {LONGEST_REASON:,} characters and without anything that identifies"
        )
    if outcome == RELEASE:
        _require_release(study, held, by, now)
    with write(study.db) as connection:
        add_ruling(connection, number, outcome, why, by=by, at=now)
        add_audit(
            connection, at=now, actor=by, action=f"{outcome} quotation", subject=held.asked.segment, counts={"quotation": number}
        )  # fmt: skip


def _require_another(study: Study, held: Quotation, by: str) -> None:
    if held.by == by:
        raise FindingError("you asked for this one: somebody else decides")
    coded = study.db.conn.execute("SELECT 1 FROM decisions WHERE segment = ? AND coder = ?", [held.asked.segment, by])
    if coded.fetchone() is not None:
        raise FindingError("you coded this text: somebody who did not decides")


def _require_release(study: Study, held: Quotation, by: str, now: str) -> None:
    require_output(study, Output.QUOTATIONS, actor=by, now=now)
    if _words(study, held) is None:
        raise FindingError("the text was changed since: ask for the quotation anew")
    if blocks := release_card(study, wish_of(held)).blocks:
        raise FindingError(" ".join(blocks))


def wish_of(held: Quotation) -> Wish:
    """What was asked for, to make its card anew."""
    q = held.asked
    return Wish(q.segment, q.code, q.stance, q.start, q.end, q.audience, q.paraphrase, q.harms, q.reason)


def card_of(study: Study, held: Quotation) -> Card | None:
    """The card as it is today; None when the text was changed or is gone, so that nothing can be said of it."""
    try:
        return release_card(study, wish_of(held)) if _words(study, held) is not None else None
    except (RecordError, FindingError):
        return None


def _words(study: Study, held: Quotation) -> str | None:
    """The words as they are quoted; None where other words stand there by now, or a person must see to the text."""
    q = held.asked
    text = clean_texts_of(study.db, [q.voice]).get(q.voice, "")
    return plain(q.paraphrase or text[q.start : q.end]) if _digest(text[q.start : q.end]) == q.digest else None


def released(study: Study, code: str = "", stance: str = "") -> list[Released]:
    """What may leave, of a code and stance or of all: whose newest decision is release and whose text stands as it was.

    Nothing where the study's passport does not name quotations (any more).

    In no order that tells of people: two quotations of one person are not to be seen as such.
    """
    passport = passport_of(study)
    if passport is None or Output.QUOTATIONS not in passport.outputs:
        return []
    found = [one for held in quotations(study.db) if held.outcome == RELEASE and (one := _released(study, held))]
    fitting = [one for one in found if code in ("", one.code) and stance in ("", one.stance)]
    return sorted(fitting, key=lambda one: _digest(one.words))


def _released(study: Study, held: Quotation) -> Released | None:
    words, q = _words(study, held), held.asked
    if words is None:
        return None
    who = voice(study.db, q.voice)
    if who.consent != "analysis_and_quotes":
        return None
    return Released(
        held.seq, q.code, q.stance, words, bool(q.paraphrase), who.voice, who.via, who.provenance, q.audience
    )
