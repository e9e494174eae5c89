"""Activity: who did what in a study and when, in ids and counts, without what a coder must not see yet."""

from __future__ import annotations

from dataclasses import dataclass

from service.study.activity import KINDS, Act, Sight, acts, count_acts
from service.study.sealed import all_without_others
from service.study.study import Study

PAGE = 50


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """One page, newest first; `kinds` and `actors` are those of whom the person may see anything."""

    acts: tuple[Act, ...]
    page: int
    pages: int
    total: int
    kinds: tuple[str, ...]
    actors: tuple[str, ...]


def activity(
    study: Study, person: str, *, safeguards: bool, leads: bool, kind: str = "", actor: str = "", page: int = 1
) -> ActivityPage:
    """A page of the acts that fit; past the last page, the last.

    How much others have read in a round that still goes on is for those who lead it; a possible disclosure for those
    who safeguard, and for whoever raised it.
    """
    sight = Sight(person, all_without_others(study.db, person), safeguards, leads)
    counts = count_acts(study.db, sight)
    total = sum(n for (k, a), n in counts.items() if kind in ("", k) and actor in ("", a))
    pages = max(1, -(-total // PAGE))
    at = min(max(page, 1), pages)
    found = acts(study.db, sight, kind=kind, actor=actor, limit=PAGE, skip=PAGE * (at - 1))
    kinds, actors = {k for k, _ in counts}, {a for _, a in counts}
    return ActivityPage(tuple(found), at, pages, total, tuple(k for k in KINDS if k in kinds), tuple(sorted(actors)))
