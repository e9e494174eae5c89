"""What kind of thing others have changed in a study: enough to say “there is more”, and never how much or where."""

from __future__ import annotations

import hashlib

from sqlite_utils import Database

_FLAGS = "(SELECT seq, by FROM flags WHERE kind ="
_FLAG_ENDS = "(SELECT e.at, e.by FROM flag_ends e JOIN flags f ON f.seq = e.flag WHERE f.kind ="
_JOBS = "(SELECT group_concat(id || state || done || '/' || total) AS far FROM (SELECT * FROM jobs ORDER BY id DESC LIMIT 50))"
# For each kind, where it is written and what grows with each change; `by` is empty where nobody in particular did it.
_SOURCES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "decisions": (("decisions", "seq", "coder"), ("adjudications", "seq", "by")),
    "rounds": (("rounds", "rowid", "''"), ("plans", "at", "by"), ("round_ends", "at", "by")),
    "codebook": (("codebooks", "rowid", "''"), ("drafts", "at", "by"), ("candidate_acts", "seq", "by")),
    "memos": (("memos", "changed_at", "by"),),
    "flags": ((f"{_FLAGS} 'discuss')", "seq", "by"), (f"{_FLAG_ENDS} 'discuss')", "at", "by")),
    "disclosures": ((f"{_FLAGS} 'disclosure')", "seq", "by"), (f"{_FLAG_ENDS} 'disclosure')", "at", "by")),
    "jobs": ((_JOBS, "far", "''"),),
    "checks": (("checks", "seq", "checker"), ("acceptances", "seq", "person")),
}
KINDS = tuple(_SOURCES)
_MARK = 10


def state_for(db: Database, study_id: str, person: str) -> str:
    """A token of all that others have done so far; it says nothing, but to `changed`.

    A mark for each kind, hashed with the study's id, so that no page can count another coder's decisions.
    """
    return ".".join(_mark(db, study_id, person, kind) for kind in KINDS)


def _mark(db: Database, study_id: str, person: str, kind: str) -> str:
    newest = [
        db.conn.execute(
            f"SELECT {grows} FROM {table} WHERE {by} <> ? ORDER BY {grows} DESC LIMIT 1", [person]
        ).fetchone()
        for table, grows, by in _SOURCES[kind]
    ]
    told = "/".join("" if row is None else str(row[0]) for row in newest)
    return hashlib.sha256(f"{study_id}/{person}/{kind}/{told}".encode()).hexdigest()[:_MARK]


def changed(before: str, after: str) -> list[str]:
    """The kinds that differ between two tokens; none when the first is not one of ours."""
    old, new = before.split("."), after.split(".")
    if [len(mark) for mark in old] != [_MARK] * len(KINDS):
        return []
    return [kind for kind, a, b in zip(KINDS, old, new, strict=True) if a != b]
