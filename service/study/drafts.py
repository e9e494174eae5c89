"""The draft of a study's codebook: at most one, with who changed which code last, and under which number."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from sqlite_utils import Database

from nlp.codebook_edit import Draft
from nlp.codebook_meaning import Turn, Turned
from nlp.types import Family
from service.study.codebooks import code_from


@dataclass(frozen=True, slots=True)
class Touch:
    """The draft's number after somebody last changed a code in it, and who that was."""

    version: int
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """A draft as stored. `version` counts up with each change; `by` and `at` are of the last one."""

    codebook: str
    draft: Draft
    touched: Mapping[str, Touch]
    version: int
    by: str
    at: str

    def last_touch(self, codes: Iterable[str]) -> Touch | None:
        """The newest change to any of these codes."""
        found = (self.touched[c] for c in codes if c in self.touched)
        return max(found, key=lambda touch: touch.version, default=None)


def draft_of(db: Database, codebook: str) -> StoredDraft | None:
    """The open draft of a codebook, if any."""
    row = db.conn.execute("SELECT * FROM drafts WHERE codebook = ?", [codebook]).fetchone()
    if row is None:
        return None
    raw = json.loads(row["content"])
    draft = Draft(
        row["based_on"], tuple(code_from(c) for c in raw["edited"]), tuple(Family(**f) for f in raw["families"]),
        tuple(_turned(t) for t in raw["turned"]), tuple(raw["order"]),
    )  # fmt: skip
    touched = {code: Touch(**touch) for code, touch in raw["touched"].items()}
    return StoredDraft(codebook, draft, touched, row["version"], row["by"], row["at"])


def _turned(raw: Mapping[str, object]) -> Turned:
    return Turned(**{**raw, "turn": Turn(str(raw["turn"])), "into": tuple(raw["into"])})  # type: ignore[arg-type]


def open_draft(connection: sqlite3.Connection, codebook: str, based_on: str, *, by: str, at: str) -> bool:
    """Begin a draft, in the caller's transaction; False where one is open already, which stays."""
    content = _content(StoredDraft(codebook, Draft(based_on), {}, 1, by, at))
    cursor = connection.execute(
        "INSERT OR IGNORE INTO drafts VALUES (?, ?, ?, 1, ?, ?)", (codebook, based_on, content, by, at)
    )
    return cursor.rowcount == 1


def save_draft(
    connection: sqlite3.Connection, held: StoredDraft, draft: Draft, codes: Iterable[str], *, by: str, at: str
) -> bool:
    """Store a draft's next state, in which these codes changed, in the caller's transaction.

    False when it is no longer as it was read.
    """
    touch = Touch(held.version + 1, by, at)
    new = replace(held, draft=draft, touched={**held.touched, **dict.fromkeys(codes, touch)})
    cursor = connection.execute(
        "UPDATE drafts SET based_on = ?, content = ?, version = version + 1, by = ?, at = ? WHERE codebook = ? AND version = ?",
        (draft.based_on, _content(new), by, at, held.codebook, held.version),
    )
    return cursor.rowcount == 1


def _content(held: StoredDraft) -> str:
    parts = asdict(held.draft)
    del parts["based_on"]
    return json.dumps({**parts, "touched": {c: asdict(t) for c, t in held.touched.items()}}, ensure_ascii=False)


def remove_draft(connection: sqlite3.Connection, held: StoredDraft) -> bool:
    """Throw a draft away, in the caller's transaction; False when it is no longer as it was read."""
    cursor = connection.execute("DELETE FROM drafts WHERE codebook = ? AND version = ?", (held.codebook, held.version))
    return cursor.rowcount == 1


@dataclass(frozen=True, slots=True)
class End:
    """How a draft ended: as the published version, or thrown away (then `version` is the one it was based on)."""

    published: bool
    version: str
    by: str
    at: str


def last_end(db: Database) -> End | None:
    """How the last draft ended, if any has, by the audit trail."""
    row = db.conn.execute(
        "SELECT action, subject, actor, at FROM audit WHERE action IN ('publish codebook', 'discard draft')"
        " ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return None if row is None else End(row["action"] == "publish codebook", row["subject"], row["actor"], row["at"])
