"""Loaded packs beside the study's own findings: who tells what of each code, and what councils say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nlp.errors import EstimateError
from nlp.findings.meta import Together, Told, together
from nlp.findings.pack import WHY, Pack, Signed, meaning
from nlp.findings.prevalence import Truth
from nlp.types import Code
from service.errors import RecordError
from service.study.codebooks import newest_codebook
from service.study.packs import HeldPack, held_packs
from service.study.study import Study
from service.usecases.packs import figure
from service.usecases.prevalence import Heard, shares, worded

OF = str(Truth.PEOPLE_LIKE_THESE)
HERE = "this study"
NO_CODE = "has no such code"


@dataclass(frozen=True, slots=True)
class Source:
    """One council's study. `fingerprint` and `sha256`, of its pack's file, are "" for the study itself; `confirmed` where
    somebody compared the fingerprint by voice, and `by` whom the pack was loaded."""

    council: str
    book: str
    version: str
    read: int
    loaded: int
    made_at: str = ""
    fingerprint: str = ""
    confirmed: bool = True
    rules: str = ""
    sha256: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One code: what each council tells, the study itself first; together, or why not."""

    code: Code
    told: tuple[Told, ...]
    together: Together | None
    refusal: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The study and the packs that it holds. `others` counts codes of other councils that the study does not have."""

    sources: tuple[Source, ...]
    rows: tuple[Row, ...]
    others: int

    def row(self, code: str) -> Row:
        """The row of a code; RecordError when no pack has it."""
        found = next((r for r in self.rows if r.code.id == code), None)
        if found is None:
            raise RecordError("no pack that is loaded here tells of a code of that id")
        return found


def compare(study: Study) -> Comparison:
    """Every code of the study that a loaded pack tells of too. The newest pack of each council's study speaks."""
    held = newest(held_packs(study.db))
    told, codes = shares(study), newest_codebook(study.db).active_codes
    mine = {heard.share.code.id: heard for heard in told.themes}
    packs = [h.signed.pack for h in held]
    known = {c.id for pack in packs for c in pack.book.codes}
    rows = tuple(_row(mine[code.id], packs) for code in codes if code.id in known)
    book, reading = newest_codebook(study.db), told.reading
    here = Source(HERE, book.id, book.version, reading.read if reading else 0, reading.loaded if reading else 0)
    others = len(known - {code.id for code in codes})
    return Comparison((here, *map(_source, held)), rows, others)


def newest(held: Sequence[HeldPack]) -> list[HeldPack]:
    """The newest pack of each study, in the order in which their councils came first."""
    found: dict[str, HeldPack] = {}
    for one in held:
        before = found.get(one.signed.pack.study)
        if before is None or before.signed.pack.made_at <= one.signed.pack.made_at:
            found[one.signed.pack.study] = one
    return list(found.values())


def _source(held: HeldPack) -> Source:
    signed: Signed = held.signed
    pack = signed.pack
    return Source(
        pack.council, pack.book.id, pack.book.version, pack.design.read, pack.design.loaded, pack.made_at,
        signed.fingerprint, held.confirmed, pack.rules.name, held.sha256, held.by,
    )  # fmt: skip


def _row(mine: Heard, packs: Sequence[Pack]) -> Row:
    code = mine.share.code
    told = (_own(mine), *(_told(pack, code.id) for pack in packs))
    try:
        return Row(code, told, together(told), "")
    except EstimateError as refused:
        return Row(code, told, None, worded(refused))


def _own(heard: Heard) -> Told:
    code, e = heard.share.code, heard.like_these
    if e is None:
        return Told(HERE, meaning(code), OF, held_back=heard.share.refusal)
    f = figure(e)
    return Told(HERE, meaning(code), str(e.truth), f.share, f.low, f.high)


def _told(pack: Pack, code: str) -> Told:
    named = pack.label(code)
    if named is None:
        return Told(pack.council, "", OF, held_back=NO_CODE)
    theme = next((t for t in pack.themes if t.code == code), None)
    if theme is None or theme.why:
        return Told(pack.council, named.meaning, OF, held_back=WHY[theme.why if theme else "not estimated"])
    f = next((f for f in theme.figures if f.of == OF), theme.figures[0])
    return Told(pack.council, named.meaning, f.of, f.share, f.low, f.high)
