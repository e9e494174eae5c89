"""What the safeguarding lead works with: possible disclosures in ids and ages, and the local protocol.

Nobody is told by a machine. A person raised each record, and a person closes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from service.errors import ConflictError, MemoError
from service.study.database import write
from service.study.flags import DISCLOSURE, Flag, flags
from service.study.protocols import add_protocol, protocol_of
from service.study.runs import add_audit
from service.study.study import Study

LONGEST_PROTOCOL = 4000


@dataclass(frozen=True, slots=True)
class Concern:
    """A possible disclosure that somebody raised, without its words; `raised` and `held` are ages in whole days: since
    it was raised, and since the text came in."""

    flag: Flag
    raised: int
    held: int


def concerns(study: Study, now: str) -> tuple[tuple[Concern, ...], tuple[Concern, ...]]:
    """Those open, oldest first, and those closed, latest first."""
    every = [Concern(f, _days(f.at, now), _days(f.came_in, now)) for f in flags(study.db, DISCLOSURE)]
    return tuple(c for c in every if not c.flag.ended_at), tuple(c for c in every if c.flag.ended_at)


def _days(then: str, now: str) -> int:
    return max(0, (date.fromisoformat(now[:10]) - date.fromisoformat(then[:10])).days)


def set_protocol(study: Study, words: str, *, by: str, now: str, after: int) -> int:
    """Write the protocol down anew; the number of its version, which stays where nothing differs.

    MemoError when it is empty or too long; ConflictError when `after` is not the newest version any more. Unlike notes,
    it may hold telephone numbers: they are of those to call.
    """
    words = "\n".join(" ".join(c for c in line.split()) for line in words.splitlines()).strip()
    if not 0 < len(words) <= LONGEST_PROTOCOL:
        raise MemoError(f"The protocol needs words, {LONGEST_PROTOCOL} characters at most.")
    with write(study.db) as connection:
        held = protocol_of(study.db)
        if held.version != after:
            raise ConflictError(f"{held.by} changed the protocol in the meantime; look at it and write yours again")
        if held.words == words:
            return held.version
        version = add_protocol(connection, words, by=by, at=now)
        add_audit(connection, at=now, actor=by, action="set safeguarding protocol", subject=f"version {version}")
    return version
