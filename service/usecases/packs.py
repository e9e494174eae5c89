"""Packs: what a study found, made to be read by another council; and the packs of others, verified and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from nlp.errors import PackError
from nlp.findings.disclosure import LA5, SMALLEST_SHOWN
from nlp.findings.link import JointRow
from nlp.findings.pack import (
    LARGEST,
    Book,
    CodeName,
    Design,
    Figure,
    Pack,
    Reference,
    Rules,
    Signature,
    Signed,
    Theme,
    meaning,
    read_pack,
    to_bytes,
    to_sign,
)
from nlp.findings.prevalence import Estimate
from nlp.types import Codebook
from service.errors import StudyError
from service.files.atomic import write_whole
from service.signing import Signer, holds
from service.study.codebooks import newest_codebook
from service.study.counts_released import add_release, numbers_of, past_releases
from service.study.database import write
from service.study.packs import add_pack, held_packs
from service.study.passports import Output
from service.study.runs import add_audit
from service.study.study import Study
from service.usecases.counts import counted_in
from service.usecases.findings import joint_display
from service.usecases.packs_suppress import Suppressed, suppressed
from service.usecases.passport import require_output
from service.usecases.prevalence import TOO_FEW, Heard, Shares, no_round, shares
from service.usecases.rounds import counted_round

PLACES = 3
"""Decimals of a share in a pack: finer ones would tell how many of which stratum said it."""


def export_pack(study: Study, out: Path, signer: Signer, *, council: str, now: str, actor: str) -> Pack:
    """Write a study's pack, signed, and enter what it tells in the ledger of releases; StudyError as `release`."""
    pack, _ = release(study, "pack", council=council, now=now, actor=actor)
    write_whole(out, to_bytes(signed(pack, signer)))
    return pack


def release(study: Study, kind: str, *, council: str, now: str, actor: str) -> tuple[Pack, str]:
    """What a study may tell beside all that it told before, entered in the ledger of releases; and that entry's name.

    StudyError where no people were counted, or too few to tell of; PassportError where the passport does not allow it.
    """
    require_output(study, Output.PACKS if kind == "pack" else Output.COUNTS, actor=actor, now=now)
    round_ = counted_round(study, unit="participant")
    if round_ is None:
        raise StudyError(no_round(study))
    told, codebook = shares(study), newest_codebook(study.db)
    counted = counted_in(study, round_)
    if len(counted.read) < SMALLEST_SHOWN:
        raise StudyError(f"fewer than six people have been read, so there is nothing that a {kind} could tell")
    with write(study.db) as connection:
        past = past_releases(study.db)
        numbers = numbers_of(connection, list(counted.read))
        name = f"{kind}-{len(past) + 1}"
        found = suppressed(counted, [c.id for c in codebook.active_codes], numbers, past, name)
        pack = _pack(study, codebook, told, found, council=council, now=now)
        add_release(connection, kind, found.entry, found.answers, by=actor, at=now)
        counts = {"themes": sum(not t.why for t in pack.themes), "held back": sum(bool(t.why) for t in pack.themes)}
        add_audit(connection, at=now, actor=actor, action=f"release {kind}", subject=name, counts=counts)
    return pack, name


def signed(pack: Pack, signer: Signer) -> Signed:
    """The pack with its signature."""
    value = signer.sign(to_sign(pack)).hex()
    made = Signature(algorithm="ed25519", public_key=signer.public.hex(), value=value)
    return Signed(format="heard-pack", version=1, pack=pack, signature=made)


def _pack(study: Study, codebook: Codebook, told: Shares, found: Suppressed, *, council: str, now: str) -> Pack:
    reading = told.reading
    assert reading is not None  # noqa: S101 - there is a round
    codes = tuple(CodeName(id=c.id, label=c.label, meaning=meaning(c)) for c in codebook.active_codes)
    design = Design(
        unit="people",
        draw="uniform, read blind and whole",
        loaded=reading.loaded,
        drawn=reading.drawn,
        read=reading.read,
    )
    return Pack(
        council=council or study.title, study=study.id, fictional=study.fictional, made_at=now,
        book=Book(id=codebook.id, version=codebook.version, codes=codes), design=design, rules=_rules(),
        themes=tuple(_theme(heard, found) for heard in told.themes), indicators=_references(joint_display(study)),
    )  # fmt: skip


def _rules() -> Rules:
    return Rules(
        name=LA5.name, safe_threshold=LA5.safe_threshold, safe_family_threshold=LA5.safe_family_threshold,
        round_base=LA5.round_base, zeros_are_disclosive=LA5.zeros_are_disclosive,
    )  # fmt: skip


def _theme(heard: Heard, found: Suppressed) -> Theme:
    code, share = heard.share.code.id, heard.share
    if share.estimate is None or heard.like_these is None:
        why = "suppressed" if share.refusal == TOO_FEW else "not estimated"
        return Theme.model_validate({"code": code, "said": None, "figures": (), "why": why})
    said = found.said.get(code)
    if said is None:
        return Theme(code=code, said=None, figures=(), why="suppressed")
    return Theme(code=code, said=LA5.rounded(said), figures=(figure(share.estimate), figure(heard.like_these)), why="")


def figure(e: Estimate) -> Figure:
    """A share as packs tell it."""
    share, low, high = (round(x, PLACES) for x in (e.share, e.low, e.high))
    held = {"of": str(e.truth), "share": share, "low": low, "high": high, "read": e.read, "method": str(e.method)}
    return Figure.model_validate(held)


def _references(rows: Sequence[JointRow]) -> tuple[Reference, ...]:
    return tuple(
        Reference(
            link=row.link.id, code=row.link.code, label=row.figure.label, publisher=row.figure.publisher,
            period=row.figure.period, area=row.figure.area_code, sha256=row.figure.source_sha256,
        )
        for row in rows
    )  # fmt: skip


def content_of(file: Path) -> bytes:
    """A file's bytes, no more than tell that it is too large; PackError when it cannot be read."""
    try:
        with file.open("rb") as held:
            return held.read(LARGEST + 1)
    except OSError:
        raise PackError(f"the file “{file.name}” cannot be read") from None


def verify(content: bytes) -> Signed:
    """A pack whose signature holds; PackError for anything else, however it came to be so."""
    found = read_pack(content)
    made = found.signature
    if not holds(bytes.fromhex(made.public_key), to_sign(found.pack), bytes.fromhex(made.value)):
        raise PackError("its signature does not hold: it was changed on the way, or somebody else signed it")
    return found


def load_pack(study: Study, content: bytes, *, fingerprint: str, now: str, actor: str) -> Signed:
    """Keep another council's pack in a study. `fingerprint` is what that council read out, or "" where nobody asked.

    PackError for a pack that does not verify, is signed with another key than that, or than this council's pack before,
    is the study's own, or tells of fictional people where the study's are real.
    """
    found = verify(content)
    if found.pack.study == study.id:
        raise PackError("it is this study's own pack; its figures stand there already")
    if found.pack.fictional != study.fictional:
        raise PackError(
            "one of the two tells of fictional people and the other of real ones; they are not set side by side"
        )
    asked = "".join(fingerprint.split()).lower()
    if asked and asked != "".join(found.fingerprint.split()):
        raise PackError(f"it is signed with another key, whose fingerprint is {found.fingerprint}")
    if not asked:
        _require_same_hand(study, found)
    sha256 = hashlib.sha256(content).hexdigest()
    with write(study.db) as connection:
        add_pack(connection, sha256, content, confirmed=bool(asked), by=actor, at=now)
        add_audit(connection, at=now, actor=actor, action="load pack", subject=sha256[:16])
    return found


def _require_same_hand(study: Study, found: Signed) -> None:
    before = [p.signed for p in held_packs(study.db) if p.signed.pack.study == found.pack.study]
    if any(p.signature.public_key != found.signature.public_key for p in before):
        raise PackError(
            f"an earlier pack of “{found.pack.council}” was signed with another key. Ask them for their fingerprint, and"
            f" load it with that if it is {found.fingerprint}"
        )
