"""Agreement between coders, with the machine, and over time. Nobody is ranked, and only drift names a coder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten

import numpy as np

from nlp.findings.agreement.anchoring import Revised, revisions
from nlp.findings.agreement.coefficients import Agreement, Coefficient, Shifts, agreement, shift
from nlp.findings.agreement.drift import Drift, drift
from nlp.findings.agreement.readings import (
    NOT_READ,
    Disagreement,
    MarkedText,
    Readings,
    disagreements,
    from_sets,
    from_spans,
)
from nlp.types import Code, Span
from service.errors import RecordError
from service.study.codebooks import active_codes_by_version, newest_codebook
from service.study.decisions import Coding, Round, rounds
from service.study.plans import ends, plan_of
from service.study.readings import Reading, given_in, readings, segments_of_round, suggested, twice_read
from service.study.sealed import all_without_others
from service.study.study import Study
from service.study.voices import segments
from service.usecases.kept import kept

MACHINE, READER = "machine", "reader"
GLANCE = 400
WORDS_SHOWN = 110


@dataclass(frozen=True, slots=True)
class RoundAgreement:
    """How far the coders of a round agree: on texts, and on the words they marked; and where they differ.

    `silent` are codes that nobody gave: they are left out, or they would make agreement look better.
    """

    round: Round
    coders: int
    codes: Mapping[str, Code]
    silent: int
    texts: Agreement
    words: Agreement
    talk: tuple[Disagreement, ...]


@dataclass(frozen=True, slots=True)
class Anchoring:
    """Agreement of readers with the machine, blind and shown; `revised` is what blind readers changed after the reveal.

    `blind` and `shown` are numbers of readings; `shifts` is None unless there are some of both.
    """

    codes: Mapping[str, Code]
    blind: int
    shown: int
    shifts: Shifts | None
    revised: tuple[Revised, ...]


@dataclass(frozen=True, slots=True)
class Glance:
    """The newest round that two coders read: how far they agree on single codes, in one figure."""

    round: str
    alpha: Coefficient
    texts: int


def compared_rounds(study: Study) -> dict[str, int]:
    """The rounds with texts that two coders have read, newest first, with how many."""
    return twice_read(study.db)


def withheld(study: Study, round_id: str, person: str) -> bool:
    """Whether this person codes in the round and has still to read, or to wait for another, before they may see more."""
    if round_id in ends(study.db):
        return False
    plan = plan_of(study.db, round_id)
    codes = plan is not None and person in plan.coders
    if not codes and not readings(study.db, "x.round = ? AND x.coder = ?", [round_id, person]):
        return False
    return not segments_of_round(study.db, round_id).isdisjoint(all_without_others(study.db, person))


def agreement_in(study: Study, round_id: str) -> RoundAgreement:
    """How far the coders of a round agree; RecordError when there is no such round or nothing that two have read."""
    round_ = next((r for r in rounds(study.db) if r.id == round_id), None)
    if round_ is None or round_id not in compared_rounds(study):
        raise RecordError("there is no such round, or no text of it has been read by two coders yet")
    return kept(study, f"agreement in {round_id}", lambda: _agreement_in(study, round_))


def _agreement_in(study: Study, round_: Round) -> RoundAgreement:
    texts, marked, codes = _both_levels(study, round_)
    active = {code.id for code in newest_codebook(study.db).active_codes}
    said = readings(study.db, "x.round = ?", [round_.id])
    return RoundAgreement(
        round_, len({r.coder for r in said}), codes, len(active - codes.keys()), agreement(texts), agreement(marked),
        tuple(disagreements(texts)),
    )  # fmt: skip


def _both_levels(study: Study, round_: Round) -> tuple[Readings, Readings, dict[str, Code]]:
    said = readings(study.db, "x.round = ?", [round_.id])
    given = given_in(study.db, round_.id, blind=round_.kind == "counting")
    codes = _codes(study, {c.code for r in said for c in given.get((r.coder, r.segment), ())})
    known = active_codes_by_version(study.db, study.codebook)
    can = {(r.coder, r.segment): known.get(r.codebook_version, frozenset(codes)) for r in said}
    sets = {(r.coder, r.segment): _ids(given.get((r.coder, r.segment), ()), codes) for r in said}
    texts = from_sets(sets, {r.segment: r.participant for r in said}, list(codes))
    marked = from_spans(_marked(said, given, codes), list(codes))
    return _where_known(texts, can), _where_known(marked, can), codes


def _codes(study: Study, ids: Iterable[str]) -> dict[str, Code]:
    """Those of the codes that the codebook in use knows, in its order."""
    wanted = set(ids)
    return {code.id: code for code in newest_codebook(study.db).active_codes if code.id in wanted}


def _ids(given: Iterable[Coding], codes: Mapping[str, Code]) -> set[str]:
    return {coding.code for coding in given} & codes.keys()


def _where_known(said: Readings, can: Mapping[tuple[str, str], frozenset[str]]) -> Readings:
    """Without what a coder could not say, since their version of the codebook had no such code."""
    array, items = said.said.copy(), np.array(said.items, np.str_)
    for (coder, item), known in can.items():
        unknown = [j for j, code in enumerate(said.codes) if code not in known]
        for j in unknown:
            array[said.place_of(coder), items == item, j] = NOT_READ
    return Readings(said.coders, said.items, said.codes, said.participants, array, said.places)


def _marked(
    said: Sequence[Reading], given: Mapping[tuple[str, str], Sequence[Coding]], codes: Mapping[str, Code]
) -> list[MarkedText]:
    """Each segment with the words that each of its readers marked for each code."""
    texts: dict[str, tuple[Reading, dict[str, dict[str, list[Span]]]]] = {}
    for one in said:
        _, marks = texts.setdefault(one.segment, (one, {}))
        mine = marks[one.coder] = {}
        for coding in given.get((one.coder, one.segment), ()):
            if coding.code in codes:
                mine.setdefault(coding.code, []).append(_words(coding, one))
    return [MarkedText(s, one.participant, one.end - one.start, marks) for s, (one, marks) in texts.items()]


def _words(coding: Coding, one: Reading) -> Span:
    """The marked words within the segment; the whole of it where a code was given without marking any."""
    start, end = max(coding.start, one.start), min(coding.end, one.end)
    return Span(start - one.start, end - one.start) if start < end else Span(0, one.end - one.start)


def anchoring(study: Study, coder: str = "") -> Anchoring:
    """How far readers, or one of them, agree with the machine when blind and when its suggestions are shown."""
    return kept(study, f"anchoring of {coder}", lambda: _anchoring(study, coder))


def _anchoring(study: Study, coder: str) -> Anchoring:
    said = [r for r in readings(study.db, *_of(coder)) if r.machine]
    blind, shown = [r for r in said if r.blind], [r for r in said if not r.blind]
    machine, first = suggested(study.db, said), _given(study, said, blind=True)
    last = _given(study, said, blind=False)
    met = {code for codes in (*machine.values(), *first.values(), *last.values()) for code in codes}
    codes = _codes(study, met)
    before, after = (_with_machine(study, blind, machine, given, codes) for given in (first, last))
    beside = _with_machine(study, shown, machine, last, codes)
    return Anchoring(
        codes, len(blind), len(shown), shift(before, beside) if blind and shown else None,
        revisions(before, after, MACHINE, READER) if blind else (),
    )  # fmt: skip


def _of(coder: str) -> tuple[str, list[object]]:
    return ("x.coder = ?", [coder]) if coder else ("1", [])


def _given(study: Study, said: Sequence[Reading], *, blind: bool) -> dict[int, set[str]]:
    """The codes that stand for each reading; with `blind`, of blind readings what stood before the reveal."""
    by_round = {r: given_in(study.db, r, blind=blind) for r in {one.round for one in said}}
    return {one.seq: {c.code for c in by_round[one.round].get((one.coder, one.segment), ())} for one in said}


def _with_machine(
    study: Study, said: Sequence[Reading], machine: Mapping[int, Mapping[str, float]], given: Mapping[int, set[str]],
    codes: Mapping[str, Code],
) -> Readings:  # fmt: skip
    """Reader and machine of each reading, whoever read; each reading is an item of its own."""
    known = active_codes_by_version(study.db, study.codebook)
    sets: dict[tuple[str, str], set[str]] = {}
    for one in said:
        sets[MACHINE, str(one.seq)] = machine[one.seq].keys() & codes.keys()
        sets[READER, str(one.seq)] = given[one.seq] & codes.keys()
    can = {
        (who, str(r.seq)): known.get(r.codebook_version, frozenset(codes)) for r in said for who in (MACHINE, READER)
    }
    return _where_known(from_sets(sets, {str(r.seq): r.participant for r in said}, list(codes)), can)


def coders(study: Study) -> list[str]:
    """Everybody who has read a text to the end, in the order of the alphabet."""
    return sorted({r.coder for r in readings(study.db)})


def drift_of(study: Study, coder: str) -> tuple[Drift, ...]:
    """How a coder's use of each code moved over all their readings, greatest change first; blind decisions as first made."""
    return kept(study, f"drift of {coder}", lambda: _drift_of(study, coder))


def _drift_of(study: Study, coder: str) -> tuple[Drift, ...]:
    said = [r for r in readings(study.db, *_of(coder)) if r.machine]
    machine, blind, shown = suggested(study.db, said), _given(study, said, blind=True), _given(study, said, blind=False)
    given = [(blind if r.blind else shown)[r.seq] for r in said]
    known = active_codes_by_version(study.db, study.codebook)
    found = []
    for code in _codes(study, {c for codes in given for c in codes}):
        could = [i for i, r in enumerate(said) if code in known.get(r.codebook_version, {code})]
        expected = np.array([machine[said[i].seq].get(code, 0.0) for i in could], np.float64)
        gave = np.array([code in given[i] for i in could], np.bool_)
        found.append(drift(code, gave, expected, [said[i].participant for i in could]))
    return tuple(sorted(found, key=lambda d: -abs(d.change.value) if not d.change.why else 1.0))


def at_a_glance(study: Study, person: str) -> Glance | None:
    """One line for the first page; None where two have read nothing alike, or this person may not see it yet."""
    newest = next((r for r in rounds(study.db)[::-1] if r.id in compared_rounds(study)), None)
    if newest is None or withheld(study, newest.id, person):
        return None
    return kept(study, "agreement at a glance", lambda: _glance(study, newest))


def _glance(study: Study, round_: Round) -> Glance:
    texts, _, _ = _both_levels(study, round_)
    found = agreement(texts, times=GLANCE).overall
    return Glance(round_.id, found.coefficients.alpha, found.units)


def shown_to(study: Study, person: str, found: RoundAgreement) -> list[Disagreement]:
    """What this person may talk about: not what they are still to read without seeing others' work."""
    sealed = all_without_others(study.db, person)
    return [one for one in found.talk if one.item not in sealed]


def first_words(study: Study, talk: Sequence[Disagreement]) -> dict[str, str]:
    """How each of the segments begins, so that people know which one they talk about."""
    ids = sorted({one.item for one in talk})
    texts = segments(study.db, f"s.id IN ({','.join('?' * len(ids))})", ids)
    return {s.id: shorten(s.text, WORDS_SHOWN, placeholder=" …") for s in texts}
