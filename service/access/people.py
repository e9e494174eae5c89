"""People and their sessions, in people.db beside the studies. Passwords and tokens are stored as hashes alone."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlite_utils import Database, Migrations

from service.access.permissions import Action, Role, may
from service.errors import AccessError
from service.study.database import Lender, opening, write

PEOPLE_FILE = "people.db"
SHORTEST_PASSWORD = 12
IDLE, LONGEST = timedelta(hours=2), timedelta(hours=12)
MOST_FAILURES, LOCKED_FOR = 8, timedelta(minutes=15)
migrations = Migrations("people")
_hasher = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in; `name` is how their decisions are signed.

    A program that acts for them does so by a `key`, within its `scopes` (None for the person themselves).
    """

    id: int
    name: str
    role: Role
    demo: bool = False
    key: str = ""
    scopes: frozenset[Action] | None = None

    def may(self, action: Action) -> bool:
        """Whether the role, and the key where there is one, gives leave for it."""
        return may(self.role, action) and (self.scopes is None or action in self.scopes)


@migrations()
def m001_people(db: Database) -> None:
    """Accounts, sessions, keys and what each person prefers."""
    for statement in (
        (
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, role TEXT NOT NULL,"
            " password TEXT NOT NULL, demo INTEGER NOT NULL DEFAULT 0, active INTEGER NOT NULL DEFAULT 1,"
            " created_at TEXT NOT NULL, preferences TEXT NOT NULL DEFAULT '{}', failures INTEGER NOT NULL DEFAULT 0,"
            " locked_until TEXT NOT NULL DEFAULT '') STRICT"
        ),
        (
            "CREATE TABLE sessions (token TEXT PRIMARY KEY, person INTEGER NOT NULL REFERENCES people(id),"
            " began_at TEXT NOT NULL, seen_at TEXT NOT NULL) STRICT, WITHOUT ROWID"
        ),
        (
            "CREATE TABLE keys (token TEXT PRIMARY KEY, person INTEGER NOT NULL REFERENCES people(id), name TEXT NOT NULL,"
            " created_at TEXT NOT NULL, expires_at TEXT NOT NULL) STRICT, WITHOUT ROWID"
        ),
    ):
        db.conn.execute(statement)


@migrations()
def m002_scopes(db: Database) -> None:
    """Keys have a public id, scopes, and when they were last used. Those made before keep all that they could do."""
    for statement in (
        "ALTER TABLE keys ADD COLUMN id TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE keys ADD COLUMN scopes TEXT NOT NULL DEFAULT 'findings read code memo lead check people'",
        "ALTER TABLE keys ADD COLUMN used_at TEXT NOT NULL DEFAULT ''",
        "UPDATE keys SET id = lower(hex(randomblob(4)))",
        "CREATE UNIQUE INDEX keys_id ON keys(id)",
    ):
        db.conn.execute(statement)


@migrations()
def m003_answers(db: Database) -> None:
    """What was answered to requests that may come again."""
    db.conn.execute(
        "CREATE TABLE answers (key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL DEFAULT 0,"
        " body TEXT NOT NULL DEFAULT '', location TEXT NOT NULL DEFAULT '', at TEXT NOT NULL) STRICT, WITHOUT ROWID"
    )


@contextmanager
def people_in(folder: Path, lend: Lender = opening) -> Iterator[Database]:
    """The people of a folder of studies, closed again, or given back to a pool, at the end of the block."""
    with lend(folder / PEOPLE_FILE, _migrate) as db:
        yield db


def _migrate(db: Database, _: Path) -> None:
    if migrations.pending(db):
        migrations.apply(db)


def add_person(db: Database, *, name: str, role: Role, password: str, now: str, demo: bool = False) -> Person:
    """A new account; AccessError for an empty or taken name, or a password that is too short."""
    name = " ".join(name.split())
    if not name:
        raise AccessError("an account needs a name")
    if len(password) < SHORTEST_PASSWORD:
        raise AccessError(f"a password needs at least {SHORTEST_PASSWORD} characters")
    if db.conn.execute("SELECT 1 FROM people WHERE name = ?", [name]).fetchone():
        raise AccessError("somebody already signs in under that name")
    with write(db) as connection:
        cursor = connection.execute(
            "INSERT INTO people (name, role, password, demo, created_at) VALUES (?, ?, ?, ?, ?)",
            (name, role.value, _hasher.hash(password), int(demo), now),
        )
    return Person(int(cursor.lastrowid or 0), name, role, demo)


def all_people(db: Database) -> list[Person]:
    """Those who may sign in, by name."""
    return [person_from(row) for row in db.conn.execute("SELECT * FROM people WHERE active = 1 ORDER BY name")]


def set_role(db: Database, name: str, role: Role) -> None:
    """Give somebody another role; their sessions end, so that none outlives what it was allowed."""
    person = named(db, name)
    with write(db) as connection:
        connection.execute("UPDATE people SET role = ? WHERE id = ?", (role.value, person.id))
        connection.execute("DELETE FROM sessions WHERE person = ?", [person.id])


def deactivate(db: Database, name: str) -> None:
    """Somebody may no longer sign in; their decisions stay theirs."""
    person = named(db, name)
    with write(db) as connection:
        connection.execute("UPDATE people SET active = 0 WHERE id = ?", [person.id])
        connection.execute("DELETE FROM sessions WHERE person = ?", [person.id])
        connection.execute("DELETE FROM keys WHERE person = ?", [person.id])


def named(db: Database, name: str) -> Person:
    """Who signs in under a name; AccessError when it is nobody."""
    row = db.conn.execute("SELECT * FROM people WHERE name = ? AND active = 1", [name]).fetchone()
    if row is None:
        raise AccessError("nobody signs in under that name")
    return person_from(row)


def person_from(row: Mapping[str, object], *, key: str = "", scopes: frozenset[Action] | None = None) -> Person:
    """A person from their row."""
    return Person(int(str(row["id"])), str(row["name"]), Role(str(row["role"])), bool(row["demo"]), key, scopes)


def sign_in(db: Database, name: str, password: str, *, now: str) -> str:
    """The token of a new session; AccessError, in the same words, for a wrong name and a wrong password."""
    row = db.conn.execute("SELECT * FROM people WHERE name = ? AND active = 1", [name.strip()]).fetchone()
    if row is not None and row["locked_until"] > now:
        raise AccessError("too many wrong passwords: wait a quarter of an hour and try again")
    if not _right(row["password"] if row else _nobody(), password) or row is None:
        _failed(db, row, now)
        raise AccessError("the name or the password is not right")
    token = secrets.token_urlsafe(32)
    with write(db) as connection:
        connection.execute("UPDATE people SET failures = 0, locked_until = '' WHERE id = ?", [row["id"]])
        connection.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", (_digest(token), row["id"], now, now))
    return token


def _right(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except VerificationError:
        return False


@cache
def _nobody() -> str:
    """The hash that a name without an account is checked against, so that both take as long."""
    return _hasher.hash(secrets.token_urlsafe(16))


def _failed(db: Database, row: Mapping[str, object] | None, now: str) -> None:
    if row is None:
        return
    failures = int(str(row["failures"])) + 1
    locked = _later(now, LOCKED_FOR) if failures >= MOST_FAILURES else ""
    with write(db) as connection:
        connection.execute(
            "UPDATE people SET failures = ?, locked_until = ? WHERE id = ?",
            (0 if locked else failures, locked, row["id"]),
        )


def _later(now: str, by: timedelta) -> str:
    return (datetime.fromisoformat(now) + by).isoformat(timespec="milliseconds")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def person_of_session(db: Database, token: str, *, now: str, awake: bool = True) -> Person | None:
    """Who holds a session; None when it is unknown, idle for too long or too old.

    `awake` is False where a page asks by itself, which keeps no session alive.
    """
    row = db.conn.execute(
        "SELECT p.*, s.began_at, s.seen_at FROM sessions s JOIN people p ON p.id = s.person"
        " WHERE s.token = ? AND p.active = 1",
        [_digest(token)],
    ).fetchone()
    if row is None or now > _later(row["seen_at"], IDLE) or now > _later(row["began_at"], LONGEST):
        return None
    if awake and now > _later(row["seen_at"], timedelta(minutes=1)):
        with write(db) as connection:
            connection.execute("UPDATE sessions SET seen_at = ? WHERE token = ?", (now, _digest(token)))
    return person_from(row)


def sign_out(db: Database, token: str) -> None:
    """End a session."""
    with write(db) as connection:
        connection.execute("DELETE FROM sessions WHERE token = ?", [_digest(token)])


def preferences(db: Database, person: Person) -> dict[str, str]:
    """What somebody chose for themselves, such as other keys."""
    row = db.conn.execute("SELECT preferences FROM people WHERE id = ?", [person.id]).fetchone()
    return {str(k): str(v) for k, v in json.loads(row["preferences"]).items()} if row else {}


def set_preferences(db: Database, person: Person, chosen: Mapping[str, str]) -> None:
    """Keep what somebody chose."""
    with write(db) as connection:
        connection.execute("UPDATE people SET preferences = ? WHERE id = ?", (json.dumps(dict(chosen)), person.id))
