"""Sharing what decisions taught between studies of one codebook, where governance allows it."""

from __future__ import annotations

from pathlib import Path

from nlp.deid.surrogates import neutralise
from nlp.encode import Encoder
from nlp.themes.match import Matcher
from nlp.themes.share import from_bytes, share, to_bytes
from nlp.types import Codebook
from service.errors import StudyError
from service.study.borrowed import add_borrowed
from service.study.database import write
from service.study.passports import Output
from service.study.runs import add_audit
from service.study.study import Study
from service.usecases.lessons import Trust, decided, taught
from service.usecases.passport import require_output
from service.usecases.suggest import cached_encoder

NOT_ALLOWED = (
    "sharing is not allowed here: vectors tell something of people's words. Who governs the data may set"
    " HEARD_SHARE_LESSONS=vectors"
)


def export_lessons(
    study: Study, codebook: Codebook, encoder: Encoder, trust: Trust, out: Path, *, allowed: bool, now: str, actor: str
) -> int:
    """Write what was decided in a study as vectors and decisions, without a word of anyone's; how many texts."""
    if not allowed:
        raise StudyError(NOT_ALLOWED)
    require_output(study, Output.LESSONS, actor=actor, now=now)
    cached = cached_encoder(study, encoder, re_encode=False)
    lessons, matcher = taught(study, codebook, trust), Matcher(codebook, cached, read_as=neutralise)
    if not lessons.segments:
        raise StudyError("nothing is decided in this study yet, so there is nothing to share")
    reading = matcher.read([s.text for s in lessons.segments])
    found = decided(lessons, matcher, reading, matcher.scores(reading)).lessons
    made = share(
        found, codebook=codebook.id, version=codebook.version, model=encoder.fingerprint,
        codes=[code.id for code in matcher.codes],
    )  # fmt: skip
    out.write_bytes(to_bytes(made))
    with write(study.db) as connection:
        counts = {"texts": len(made.labels)}
        add_audit(connection, at=now, actor=actor, action="share lessons", subject=codebook.id, counts=counts)
    return len(made.labels)


def borrow_lessons(study: Study, file: Path, encoder: Encoder, *, now: str, actor: str) -> int:
    """Let a study learn from another's lessons from the next suggestions on; how many texts they rest on."""
    try:
        content = file.read_bytes()
    except OSError:
        raise StudyError(f"the file “{file.name}” cannot be read") from None
    found = from_bytes(content)
    if found.codebook != study.codebook:
        raise StudyError(
            f"these lessons are for the codebook “{found.codebook}”; this study codes with “{study.codebook}”"
        )
    if found.model != encoder.fingerprint:
        raise StudyError(f"these lessons were made with {found.model}; this study reads with {encoder.fingerprint}")
    with write(study.db) as connection:
        add_borrowed(connection, file.name, content, by=actor, at=now)
        counts = {"texts": len(found.labels)}
        add_audit(connection, at=now, actor=actor, action="borrow lessons", subject=study.codebook, counts=counts)
    return len(found.labels)
