"""A study's tables as they stand, to be written out and filled again."""

from __future__ import annotations

import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from service.errors import StudyError
from service.study.database import open_database
from service.study.migrations import migrate, migrations
from service.study.study import STUDY_FILE, VAULT_FILE, Study, open_study

_AT_ONCE = 1000
_OURS = "_sqlite_migrations"
# Words that are not released: of a voice that waits for a person, since no machine could protect it.
_WAITS = (
    "EXISTS (SELECT 1 FROM segments s JOIN clean_texts c ON c.voice = s.voice AND c.held <> ''"
    " WHERE s.id = suggestions.segment)"
)
_WITHHELD = {
    ("clean_texts", "text"): "CASE WHEN held = '' THEN text ELSE '' END",
    ("suggestions", "quote"): f"CASE WHEN {_WAITS} THEN '' ELSE quote END",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a table. `key` marks those that name a row together; `points_to` is a table and its field."""

    name: str
    type: str
    key: bool
    points_to: str


def shape(db: Database) -> str:
    """The name of the newest change of shape."""
    return migrations.applied(db)[-1].name


def shapes() -> list[str]:
    """The names of all changes of shape that this version knows, the oldest first."""
    return [one.name for one in migrations.pending(Database(memory=True))]


def tables(db: Database) -> list[str]:
    """Every table that the study's shape has; a search index is one, what SQLite keeps beside it is none."""
    rows = db.conn.execute("PRAGMA table_list")
    found = [row["name"] for row in rows if row["type"] in ("table", "virtual") and row["schema"] == "main"]
    return sorted(name for name in found if name != _OURS and not name.startswith("sqlite_"))


def columns(db: Database, table: str) -> list[Column]:
    """The fields of a table, in order."""
    points = {r["from"]: f"{r['table']}.{r['to']}" for r in db.conn.execute(f"PRAGMA foreign_key_list({table})")}
    rows = db.conn.execute(f"PRAGMA table_info({table})")
    return [Column(r["name"], r["type"], bool(r["pk"]), points.get(r["name"], "")) for r in rows]


def rows(db: Database, table: str) -> Iterator[dict[str, Any]]:
    """The rows in the order in which they came, bytes in base64; nothing of the words of voices that wait for a person."""
    named = columns(db, table)
    fields = ", ".join(f'{_WITHHELD.get((table, c.name), _quoted(c.name))} AS "{c.name}"' for c in named)
    for row in db.conn.execute(f"SELECT {fields} FROM {table} ORDER BY {_order(db, table, named)}"):
        yield {name: _plain(value) for name, value in dict(row).items()}


def _plain(value: Any) -> Any:
    return b64encode(value).decode() if isinstance(value, bytes) else value


def waiting(db: Database) -> int:
    """How many voices' words are withheld."""
    return int(db.conn.execute("SELECT count(DISTINCT voice) FROM clean_texts WHERE held <> ''").fetchone()[0])


def _order(db: Database, table: str, named: Sequence[Column]) -> str:
    sql = db.conn.execute("SELECT sql FROM sqlite_master WHERE name = ?", [table]).fetchone()[0]
    keys = ", ".join(_quoted(c.name) for c in named if c.key)
    return keys if "WITHOUT ROWID" in sql else "rowid"


def _quoted(name: str) -> str:
    return f'"{name}"'


def empty_study(folder: Path, shaped: str) -> Database:
    """A database in a new folder, as it was shaped then. StudyError where a study is, or for a shape of the future."""
    names = shapes()
    if shaped not in names:
        raise StudyError("it was made by a newer version of Heard, or by none; bring this one up to date first")
    file = folder / STUDY_FILE
    if file.exists() or (folder / VAULT_FILE).exists():
        raise StudyError(f"there is already a study in the folder “{folder.name}”")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = open_database(file)
    later = names[names.index(shaped) + 1 :]
    db.conn.execute("PRAGMA foreign_keys = OFF")  # a table that others point to can only be made anew without
    migrations.apply(db, stop_before=later)
    db.conn.execute("PRAGMA foreign_keys = ON")
    return db


def fill(connection: sqlite3.Connection, table: str, given: Iterable[Mapping[str, Any]]) -> None:
    """Put rows into a table, in the caller's transaction; all have the same fields."""
    source = iter(given)
    while lot := list(islice(source, _AT_ONCE)):
        fields = list(lot[0])
        sealed = _blobs(connection, table)
        marks = ", ".join("?" * len(fields))
        connection.executemany(
            f"INSERT INTO {table} ({', '.join(map(_quoted, fields))}) VALUES ({marks})",
            [tuple(b64decode(row[f]) if f in sealed else row[f] for f in fields) for row in lot],
        )


def _blobs(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    rows = connection.execute(f"SELECT name FROM pragma_table_info('{table}') WHERE type = 'BLOB'")
    return frozenset(name for (name,) in map(tuple, rows))


def finished(folder: Path, db: Database) -> Study:
    """The study that was filled, brought to the newest shape."""
    migrate(db, folder / STUDY_FILE)
    db.close()
    return open_study(folder)
