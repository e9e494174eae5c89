"""Signing in and the sessions that it opens. Tokens are stored as hashes alone; each sign-in, refusal and end is chained."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2.exceptions import VerificationError
from sqlite_utils import Database

from service.access.people import PEOPLE, TERMINAL, Person, hasher, named, person_from
from service.errors import AccessError
from service.study.chain import add_link
from service.study.database import write

IDLE, LONGEST = timedelta(hours=2), timedelta(hours=12)
MOST_FAILURES, LOCKED_FOR = 8, timedelta(minutes=15)
SHOWN = 8  # of a session's hash, to tell one from another


@dataclass(frozen=True, slots=True)
class Session:
    """An open session; `id` names it and opens nothing."""

    id: str
    began_at: str
    seen_at: str


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
        add_link(connection, at=now, actor=row["name"], action="sign in", subject=_digest(token)[:SHOWN])
    return token


def _right(stored: str, password: str) -> bool:
    try:
        return hasher.verify(stored, password)
    except VerificationError:
        return False


@cache
def _nobody() -> str:
    """The hash that a name without an account is checked against, so that both take as long."""
    return hasher.hash(secrets.token_urlsafe(16))


def _failed(db: Database, row: Mapping[str, object] | None, now: str) -> None:
    """A name that nobody has is not kept: it may be a password that was typed in the wrong place."""
    with write(db) as connection:
        if row is None:
            add_link(connection, at=now, actor="unknown", action="refuse sign-in", subject="")
            return
        failures = int(str(row["failures"])) + 1
        locked = _later(now, LOCKED_FOR) if failures >= MOST_FAILURES else ""
        connection.execute(
            "UPDATE people SET failures = ?, locked_until = ? WHERE id = ?",
            (0 if locked else failures, locked, row["id"]),
        )
        action = "lock account" if locked else "refuse sign-in"
        add_link(connection, at=now, actor=str(row["name"]), action=action, subject="", counts={"failures": failures})


def _later(now: str, by: timedelta) -> str:
    return (datetime.fromisoformat(now) + by).isoformat(timespec="milliseconds")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def person_of_session(db: Database, token: str, *, now: str, awake: bool = True) -> Person | None:
    """Who holds a session, as they are now; None when it is unknown, idle for too long or too old.

    `awake` is False where a page asks by itself, which keeps no session alive.
    """
    session = db.conn.execute("SELECT * FROM sessions WHERE token = ?", [_digest(token)]).fetchone()
    if session is None or _over(session, now):
        return None
    row = db.conn.execute(f"{PEOPLE} WHERE p.id = ? AND p.active = 1", [session["person"]]).fetchone()
    if row is not None and awake and now > _later(session["seen_at"], timedelta(minutes=1)):
        with write(db) as connection:
            connection.execute("UPDATE sessions SET seen_at = ? WHERE token = ?", (now, _digest(token)))
    return None if row is None else person_from(row)


def _over(session: Mapping[str, str], now: str) -> bool:
    return now > _later(session["seen_at"], IDLE) or now > _later(session["began_at"], LONGEST)


def sessions_of(db: Database, person: Person, *, now: str) -> list[Session]:
    """Somebody's open sessions, newest first."""
    rows = db.conn.execute("SELECT * FROM sessions WHERE person = ? ORDER BY began_at DESC", [person.id])
    return [Session(row["token"][:SHOWN], row["began_at"], row["seen_at"]) for row in rows if not _over(row, now)]


def session_id(token: str) -> str:
    """What names the session of a token."""
    return _digest(token)[:SHOWN]


def end_session(db: Database, person: Person, session: str, *, now: str, by: str) -> None:
    """End one of somebody's sessions at once; nothing happens when it is over already."""
    with write(db) as connection:
        ended = connection.execute(
            "DELETE FROM sessions WHERE person = ? AND substr(token, 1, ?) = ?", (person.id, SHOWN, session)
        ).rowcount
        if ended:
            add_link(connection, at=now, actor=by, action="end session", subject=f"{person.name} {session}")


def end_sessions(db: Database, name: str, *, now: str, by: str = TERMINAL) -> int:
    """End all of somebody's sessions at once; how many there were."""
    person = named(db, name)
    with write(db) as connection:
        ended = connection.execute("DELETE FROM sessions WHERE person = ?", [person.id]).rowcount
        add_link(connection, at=now, actor=by, action="end sessions", subject=person.name, counts={"sessions": ended})
    return ended


def sign_out(db: Database, token: str, *, now: str) -> None:
    """End a session."""
    with write(db) as connection:
        row = connection.execute(
            "SELECT p.name FROM sessions s JOIN people p ON p.id = s.person WHERE s.token = ?", [_digest(token)]
        ).fetchone()
        connection.execute("DELETE FROM sessions WHERE token = ?", [_digest(token)])
        if row is not None:
            add_link(connection, at=now, actor=row["name"], action="sign out", subject=_digest(token)[:SHOWN])
