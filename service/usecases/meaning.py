"""Which readings are a word on a code as the codebook now has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service.study.codebooks import active_codes_by_version
from service.study.publications import meanings
from service.study.study import Study


@dataclass(frozen=True, slots=True)
class Readings:
    """The codebook version with which each coder closed each segment of a round, and on which of today's codes each
    version's readings are a full word."""

    versions: Mapping[tuple[str, str], str]
    whole: Mapping[str, frozenset[str]]

    def count_for(self, code: str, coder: str, segments: Iterable[str]) -> bool:
        """Whether the coder's reading of these says yes or no to the code; not where it was added or changed since."""
        return all(code in self.whole.get(self.versions.get((coder, s), ""), ()) for s in segments)


def readings(study: Study, round_id: str) -> Readings:
    """A round's closed readings."""
    means = meanings(study.db)
    whole = {v: means.whole(v, codes) for v, codes in active_codes_by_version(study.db, study.codebook).items()}
    rows = study.db.conn.execute(
        "SELECT coder, segment, codebook_version FROM standing WHERE round = ? AND action = 'close' ORDER BY seq",
        [round_id],
    )
    return Readings({(row["coder"], row["segment"]): row["codebook_version"] for row in rows}, whole)
