"""The release card of a quotation: what two people see before words may leave a study.

What may identify (found anew, by other means than de-identification), how many people it could be, whether the wording
stands alone, what was quoted of the person before, consent, and what harm it may do. Guidance: ICO, Anonymisation
(2025): singling out, linking, inference, by somebody who knows the person. `FEWEST` and `MOST_OF_A_PERSON` are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from nlp.deid.risk import QuasiIdentifier, QuasiKind, quasi_identifiers
from nlp.deid.second_look import Trace, plain, second_look
from nlp.deid.wording import shared_with, words_of
from nlp.encode import bundled_folder, known_words
from nlp.types import Codebook
from service.errors import FindingError, RecordError
from service.study.codebooks import newest_codebook
from service.study.flags import DISCLOSURE, flags
from service.study.quotations import PARTNERS, PUBLIC, RELEASE, Quotation, quotations
from service.study.study import Study
from service.study.voices import StoredSegment, VoiceRecord, all_voices, clean_texts_of, segments, voice
from service.usecases.memos import identifiers

FEWEST = {PARTNERS: 5, PUBLIC: 10}
MOST_OF_A_PERSON = 2
LONG, SHORTEST = 40, 3
HARMS = {
    "knows": "Somebody who knows them (family, a friend, their school, a worker) would recognise them",
    "trouble": "It could bring them trouble: with family, a carer, a landlord, the law, or over their right to stay",
    "others": "It tells of another person, who did not agree to it",
    "harm": "It tells of harm, abuse or an offence",
    "shame": "It could shame them, now or when they are older",
}
REFUSED = ("knows", "trouble")
AUDIENCES = {PARTNERS: "the council and its partners", PUBLIC: "anybody: it may be published"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: a stretch of a segment, in the voice's clean text. `paraphrase` in other words, or "" for the
    person's own; `harms` are keys of HARMS that were ticked."""

    segment: str
    code: str
    stance: str
    start: int
    end: int
    audience: str = PARTNERS
    paraphrase: str = ""
    harms: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """What is known before a release. `words` are as they would be quoted; `around` is the whole segment, for the two.

    `alike` people are of the same kind of speaker and share all that `quasi` names; `nearby` share the speaker's age band
    and area too. `elsewhere` texts of other people hold a run of the same words, `published` ones of the codebook or of
    earlier quotations. `earlier` quotations of the person are out already. `blocks` are why it cannot be released,
    `cautions` what is to be weighed.
    """

    words: str
    around: str
    speaker: VoiceRecord
    traces: tuple[Trace, ...]
    quasi: tuple[QuasiIdentifier, ...]
    alike: int
    nearby: int
    elsewhere: int
    published: int
    earlier: int
    blocks: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, int]:
        """The card in counts."""
        return {
            "may identify": len(self.traces), "may single out": len(self.quasi), "alike": self.alike,
            "nearby": self.nearby, "said elsewhere": self.elsewhere, "published": self.published, "earlier": self.earlier,
        }  # fmt: skip


def release_card(study: Study, wish: Wish) -> Card:
    """The card; RecordError when the text is not there any more, FindingError when the stretch or the wish is none."""
    segment = _segment(study, wish)
    who, people = voice(study.db, segment.voice), all_voices(study.db)
    words = plain(wish.paraphrase or segment.text[wish.start - segment.start : wish.end - segment.start])
    quasi = tuple(quasi_identifiers(words))
    others = {v.id: v for v in people if v.participant != who.participant}
    texts = _texts(study, others)
    out = [q for q in quotations(study.db) if q.outcome == RELEASE and not _same(q, wish)]
    theirs = {v.id for v in people if v.participant == who.participant}
    found = Card(
        words, segment.text, who, tuple(second_look(words, _dictionary())), quasi,
        alike=_alike(quasi, who, others, texts, lambda _: True),
        nearby=_alike(quasi, who, others, texts, lambda v: (v.age_band, v.area) == (who.age_band, who.area)),
        elsewhere=shared_with(words, texts.values()),
        published=shared_with(words, [*_quoted(newest_codebook(study.db)), *(_said(study, q) for q in out)]),
        earlier=sum(q.asked.voice in theirs for q in out),
    )  # fmt: skip
    found = replace(found, blocks=tuple(_blocks(study, wish, found)))
    return replace(found, cautions=tuple(_cautions(wish, found)))


def _segment(study: Study, wish: Wish) -> StoredSegment:
    found = segments(study.db, "s.id = ?", [wish.segment])
    if not found:
        raise RecordError("this text is no longer in the study, or it was corrected meanwhile")
    if not found[0].start <= wish.start < wish.end <= found[0].end:
        raise FindingError("the words to quote lie outside this text: choose them again")
    if wish.audience not in FEWEST or not set(wish.harms) <= set(HARMS):
        raise FindingError("say whom the quotation is for, and tick only what stands there")
    return found[0]


def _texts(study: Study, voices: Collection[str]) -> dict[str, str]:
    """The newest clean texts, some at a time."""
    ids, found = list(voices), dict[str, str]()
    for first in range(0, len(ids), 500):
        found |= clean_texts_of(study.db, ids[first : first + 500])
    return found


def _dictionary() -> Callable[[str], bool]:
    words = known_words(bundled_folder())
    return lambda word: word in words


def _same(one: Quotation, wish: Wish) -> bool:
    return (one.asked.segment, one.asked.start, one.asked.end) == (wish.segment, wish.start, wish.end)


def _said(study: Study, one: Quotation) -> str:
    text = clean_texts_of(study.db, [one.asked.voice]).get(one.asked.voice, "")
    return one.asked.paraphrase or text[one.asked.start : one.asked.end]


def _quoted(book: Codebook) -> Iterator[str]:
    for code in book.codes:
        yield from (*code.examples, *(miss.text for miss in code.near_misses))


def _alike(
    quasi: Collection[QuasiIdentifier], who: VoiceRecord, others: dict[str, VoiceRecord], texts: dict[str, str],
    fits: Callable[[VoiceRecord], bool],
) -> int:  # fmt: skip
    """How many people it could be, the speaker counted: the same kind of speaker, and every term said by them too."""
    wanted = {(q.kind, q.term) for q in quasi}
    said: dict[str, set[tuple[QuasiKind, str]]] = {}
    for id_, text in texts.items():
        record = others[id_]
        if record.voice == who.voice and fits(record):
            held = said.setdefault(record.participant, set())
            held |= {(q.kind, q.term) for q in quasi_identifiers(text)} if wanted else set()
    return 1 + sum(wanted <= held for held in said.values())


def _blocks(study: Study, wish: Wish, found: Card) -> Iterator[str]:
    """Why it cannot be released as asked."""
    if found.speaker.consent != "analysis_and_quotes":
        yield "The person has not allowed quotation."
    if found.speaker.provenance == "ai_drafted":
        yield "The text was drafted by AI: it is nobody’s own words."
    if any(f.segment == wish.segment and not f.ended_at for f in flags(study.db, DISCLOSURE)):
        yield "The text is flagged as a possible disclosure that is not closed."
    if kinds := identifiers(found.words):
        yield f"The words seem to hold {' and '.join(kinds)}."
    if found.alike < FEWEST[wish.audience]:
        yield (
            f"Too few people in the study could have said it: fewer than {FEWEST[wish.audience]} are of this kind of speaker"
            " and share what is named. Put it in other words, without what singles out."
        )
    if found.earlier >= MOST_OF_A_PERSON:
        yield f"{MOST_OF_A_PERSON} quotations of this person are out already; a further one would let them be pieced together."
    yield from (f"It was ticked: {HARMS[harm].lower()}." for harm in wish.harms if harm in REFUSED)
    if len(words_of(found.words)) < SHORTEST:
        yield f"A quotation has at least {SHORTEST} words."


def _cautions(wish: Wish, found: Card) -> list[str]:
    """What the two are to weigh."""
    told = (
        (found.traces, "Some words may identify somebody: look at each that is marked."),
        (found.quasi, "Something in it may single somebody out; others in the study share it."),
        (
            found.nearby < FEWEST[wish.audience],
            "Hardly anybody of the same age band and area is in the study: say neither beside the quotation.",
        ),
        (
            len(words_of(found.words)) > LONG,
            "It is long. Whoever knows the person may know their way of putting it: take the shortest part that says it.",
        ),
        (
            not wish.paraphrase and not found.elsewhere,
            "Nobody else here put it in these words. Whoever heard or read them before would know them again.",
        ),
        (
            found.published,
            "The same words stand in the codebook or in an earlier quotation: the two can be tied together.",
        ),
        (found.earlier, "Another quotation of this person is out already."),
        (found.speaker.via != "self", "Somebody else wrote it down: that is said beside it."),
    )
    return [words for holds, words in told if holds]
