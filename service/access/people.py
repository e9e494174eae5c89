"""People and what they are to which study, in people.db beside the studies. Passwords are stored as hashes alone.

Whatever is done to an account is chained in the same transaction: see `service.study.chain`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hmac import compare_digest
from pathlib import Path

from argon2 import PasswordHasher
from sqlite_utils import Database, Migrations

from service.access.permissions import ROLE_WORDS, Action, Role, clash, may
from service.errors import AccessError
from service.study import chain
from service.study.chain import add_link
from service.study.database import Lender, opening, write

PEOPLE_FILE = "people.db"
SHORTEST_PASSWORD = 12
DEMO_PASSWORD = "only-for-the-demo"  # noqa: S105  # nosec B105 # meant to be known
EVERYWHERE = ""  # in place of a study's id: every study in which somebody has no role of its own
TERMINAL = "terminal"  # who acts at the command line
migrations = Migrations("people")
hasher = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in; `name` is how their decisions are signed, `role` what they are where they ask.

    `roles` are pairs of a study's id, or EVERYWHERE, and what they are there. A program that acts for them does so by a
    `key`, within its `scopes` (None for the person themselves).
    """

    id: int
    name: str
    role: Role
    demo: bool = False
    key: str = ""
    scopes: frozenset[Action] | None = None
    roles: tuple[tuple[str, Role], ...] = ()

    def may(self, action: Action) -> bool:
        """Whether the role, and the key where there is one, gives leave for it."""
        return may(self.role, action) and (self.scopes is None or action in self.scopes)

    def within(self, study_id: str) -> Person:
        """The same person with what they are to one study."""
        return replace(self, role=dict(self.roles).get(study_id, dict(self.roles).get(EVERYWHERE, Role.NONE)))


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


@migrations()
def m004_chain(db: Database) -> None:
    """Sign-ins and what is done to accounts, in a chain of hashes."""
    db.conn.execute(chain.TABLE)
    for act in ("UPDATE", "DELETE"):
        db.conn.execute(
            f"CREATE TRIGGER chain_no_{act.lower()} BEFORE {act} ON chain"
            " BEGIN SELECT RAISE(ABORT, 'append-only: entries are never changed or removed'); END"
        )


@migrations()
def m005_roles(db: Database) -> None:
    """A role for each study; those who had one keep it in every study."""
    for statement in (
        (
            "CREATE TABLE roles (person INTEGER NOT NULL REFERENCES people(id), study TEXT NOT NULL, role TEXT NOT NULL,"
            " PRIMARY KEY (person, study)) STRICT, WITHOUT ROWID"
        ),
        "INSERT INTO roles SELECT id, '', role FROM people",
        "ALTER TABLE people DROP COLUMN role",
        "ALTER TABLE people ADD COLUMN totp TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE people ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0",
    ):
        db.conn.execute(statement)


@contextmanager
def people_in(folder: Path, lend: Lender = opening) -> Iterator[Database]:
    """The people of a folder of studies, closed again, or given back to a pool, at the end of the block."""
    with lend(folder / PEOPLE_FILE, _migrate) as db:
        yield db


def _migrate(db: Database, file: Path) -> None:
    if migrations.pending(db):
        migrations.apply(db)
        chain.keep_head(db, chain.head_file(file))


def add_person(
    db: Database, *, name: str, role: Role, password: str, now: str, demo: bool = False, study: str = EVERYWHERE,
    by: str = TERMINAL,
) -> Person:  # fmt: skip
    """A new account with a role in one study or EVERYWHERE; AccessError for an empty or taken name, or a password
    that is too short or known to everybody."""
    name = " ".join(name.split())
    if not name or name.casefold().startswith(TERMINAL):
        raise AccessError("an account needs a name, and not that of the terminal")
    _require_password(password, demo=demo)
    if db.conn.execute("SELECT 1 FROM people WHERE name = ?", [name]).fetchone():
        raise AccessError("somebody already signs in under that name")
    hashed = hasher.hash(password)
    with write(db) as connection:
        _require_leave(connection, by)
        cursor = connection.execute(
            "INSERT INTO people (name, password, demo, created_at) VALUES (?, ?, ?, ?)", (name, hashed, int(demo), now)
        )
        connection.execute("INSERT INTO roles VALUES (?, ?, ?)", (cursor.lastrowid, study, role.value))
        add_link(connection, at=now, actor=by, action=f"add account as {role.value}", subject=_where(name, study))
    return Person(int(cursor.lastrowid or 0), name, role, demo, roles=((study, role),))


def _require_password(password: str, *, demo: bool) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise AccessError(f"a password needs at least {SHORTEST_PASSWORD} characters")
    if compare_digest(password.encode(), DEMO_PASSWORD.encode()) and not demo:
        raise AccessError("that password is the demo's, which everybody knows; choose another")


def _require_apart(roles: Mapping[str, Role]) -> None:
    """Separation of duties, over all that one person would be: in a study its own role takes the place of the general one,
    but for what goes with an account in the whole house."""
    everywhere = roles.get(EVERYWHERE, Role.NONE)
    for role in (role for study, role in roles.items() if study != EVERYWHERE):
        if clash(everywhere, role):
            raise AccessError(
                f"nobody is {ROLE_WORDS[everywhere].lower()} of every study and {ROLE_WORDS[role].lower()} in one of them:"
                " these duties are kept apart. Give one of them to somebody else"
            )


def _where(name: str, study: str) -> str:
    return f"{name} in {study}" if study else name


def all_people(db: Database) -> list[Person]:
    """Those who may sign in, by name."""
    return [person_from(row) for row in db.conn.execute(f"{PEOPLE} WHERE p.active = 1 ORDER BY p.name")]


def set_role(
    db: Database, name: str, role: Role, *, now: str, study: str = EVERYWHERE, by: str = TERMINAL
) -> None:  # fmt: skip
    """Give somebody another role in one study or EVERYWHERE; their sessions end, so that none outlives what it was
    allowed. AccessError where nobody would be left to administer accounts, who asks no longer may, or duties would meet
    in one person that are kept apart."""
    person = named(db, name)
    with write(db) as connection:
        held = connection.execute("SELECT study, role FROM roles WHERE person = ?", [person.id])
        _require_apart({**{row["study"]: Role(row["role"]) for row in held}, study: role})
        _require_leave(connection, by, other_than=person.name)
        _require_other_admin(connection, person, stays=study != EVERYWHERE or role is Role.ADMIN)
        connection.execute("INSERT OR REPLACE INTO roles VALUES (?, ?, ?)", (person.id, study, role.value))
        connection.execute("DELETE FROM sessions WHERE person = ?", [person.id])
        add_link(connection, at=now, actor=by, action=f"make {role.value}", subject=_where(person.name, study))


def deactivate(db: Database, name: str, *, now: str, by: str = TERMINAL) -> None:
    """Somebody may no longer sign in; their decisions stay theirs. AccessError as for `set_role`."""
    person = named(db, name)
    with write(db) as connection:
        _require_leave(connection, by, other_than=person.name)
        _require_other_admin(connection, person, stays=False)
        connection.execute("UPDATE people SET active = 0 WHERE id = ?", [person.id])
        connection.execute("DELETE FROM sessions WHERE person = ?", [person.id])
        connection.execute("DELETE FROM keys WHERE person = ?", [person.id])
        add_link(connection, at=now, actor=by, action="end account", subject=person.name)


def set_password(db: Database, name: str, password: str, *, now: str, by: str = TERMINAL) -> None:
    """Give somebody another password; their sessions end and the account is unlocked."""
    person = named(db, name)
    _require_password(password, demo=person.demo)
    hashed = hasher.hash(password)
    with write(db) as connection:
        if by != person.name:
            _require_leave(connection, by)
        connection.execute(
            "UPDATE people SET password = ?, failures = 0, locked_until = '' WHERE id = ?", (hashed, person.id)
        )
        connection.execute("DELETE FROM sessions WHERE person = ?", [person.id])
        add_link(connection, at=now, actor=by, action="change password", subject=person.name)


def unlock(db: Database, name: str, *, now: str, by: str = TERMINAL) -> None:
    """Let somebody sign in again who was locked out by wrong passwords."""
    person = named(db, name)
    with write(db) as connection:
        _require_leave(connection, by)
        connection.execute("UPDATE people SET failures = 0, locked_until = '' WHERE id = ?", [person.id])
        add_link(connection, at=now, actor=by, action="unlock account", subject=person.name)


def _require_leave(connection: sqlite3.Connection, by: str, other_than: str = "") -> None:
    """Asked again inside the transaction: of two administrators who remove each other, the second may no longer."""
    if by == TERMINAL or by.startswith(f"{TERMINAL}:"):
        return
    if by == other_than:
        raise AccessError("you cannot change your own account's role or end it; ask another administrator")
    row = connection.execute(f"{PEOPLE} WHERE p.name = ? AND p.active = 1", [by]).fetchone()
    if row is None or not person_from(row).may(Action.PEOPLE):
        raise AccessError("you no longer administer accounts")


def _require_other_admin(connection: sqlite3.Connection, person: Person, *, stays: bool) -> None:
    if stays or person.role is not Role.ADMIN:
        return
    left = connection.execute(
        "SELECT count(*) FROM people p JOIN roles r ON r.person = p.id AND r.study = '' WHERE p.active = 1 AND r.role = ?"
        " AND p.id <> ?",
        (Role.ADMIN.value, person.id),
    ).fetchone()[0]
    if not left:
        raise AccessError("nobody would be left to administer accounts; make another administrator first")


PEOPLE = "SELECT p.*, (SELECT json_group_object(study, role) FROM roles WHERE person = p.id) AS roles FROM people p"


def named(db: Database, name: str) -> Person:
    """Who signs in under a name; AccessError when it is nobody."""
    row = db.conn.execute(f"{PEOPLE} WHERE p.name = ? AND p.active = 1", [name]).fetchone()
    if row is None:
        raise AccessError("nobody signs in under that name")
    return person_from(row)


def person_from(row: Mapping[str, object], *, key: str = "", scopes: frozenset[Action] | None = None) -> Person:
    """A person from a row of `PEOPLE`, as they are where no study is asked for."""
    roles = tuple((study, Role(role)) for study, role in sorted(json.loads(str(row["roles"])).items()))
    person = Person(int(str(row["id"])), str(row["name"]), Role.NONE, bool(row["demo"]), key, scopes, roles)
    return person.within(EVERYWHERE)


def preferences(db: Database, person: Person) -> dict[str, str]:
    """What somebody chose for themselves, such as other keys."""
    row = db.conn.execute("SELECT preferences FROM people WHERE id = ?", [person.id]).fetchone()
    return {str(k): str(v) for k, v in json.loads(row["preferences"]).items()} if row else {}


def set_preferences(db: Database, person: Person, chosen: Mapping[str, str]) -> None:
    """Keep what somebody chose."""
    with write(db) as connection:
        connection.execute("UPDATE people SET preferences = ? WHERE id = ?", (json.dumps(dict(chosen)), person.id))
