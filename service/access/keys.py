"""API keys: programs act as a person, within scopes, for a time. A secret of 256 bits is shown once and kept as its hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from service.access.people import PEOPLE, TERMINAL, Person, named, person_from
from service.access.permissions import PERMISSIONS, Action
from service.errors import AccessError
from service.study.chain import add_link
from service.study.database import write

SCOPES = tuple(action.value for action in Action)
PREFIX = "heard_"
_USED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What may be told of a key: never its secret. `used_at` is right to the hour; empty while it was never used."""

    id: str
    person: str
    name: str
    scopes: tuple[str, ...]
    created_at: str
    expires_at: str
    used_at: str


def new_key(
    db: Database, person_name: str, *, name: str, scopes: Collection[str], days: float, now: str, by: str = TERMINAL
) -> tuple[ApiKey, str]:
    """A key that acts as a person within `scopes`, and its secret, which cannot be had again.

    AccessError for nobody's name, no scope, or a scope for which the person's role has no leave.
    """
    person = named(db, person_name)
    allowed = frozenset[Action]().union(*(PERMISSIONS[role] for _, role in person.roles))
    if not scopes:
        raise AccessError(f"a key needs at least one scope: {', '.join(a for a in SCOPES if Action(a) in allowed)}")
    for scope in scopes:
        if scope not in SCOPES or Action(scope) not in allowed:
            raise AccessError(f"a key of {person.name} cannot have that scope: the role has no such leave")
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        secrets.token_hex(4), person.name, name, tuple(sorted(set(scopes))), now, _later(now, timedelta(days=days)), ""
    )
    with write(db) as connection:
        connection.execute(
            "INSERT INTO keys (token, person, name, created_at, expires_at, id, scopes) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (_digest(secret), person.id, name, now, key.expires_at, key.id, " ".join(key.scopes)),
        )
        add_link(
            connection, at=now, actor=by, action="make key", subject=f"{key.id} of {person.name}",
            counts={"scopes": len(key.scopes)},
        )  # fmt: skip
    return key, secret


def person_of_key(db: Database, secret: str, *, now: str) -> Person | None:
    """Whom a key acts for, with its scopes; None when it is unknown or has run out."""
    row = db.conn.execute(
        f"SELECT p.*, k.id AS key, k.scopes, k.used_at FROM keys k JOIN ({PEOPLE}) p ON p.id = k.person"
        " WHERE k.token = ? AND k.expires_at > ? AND p.active = 1",
        (_digest(secret), now),
    ).fetchone()
    if row is None:
        return None
    if not row["used_at"] or now > _later(row["used_at"], _USED_EVERY):
        with write(db) as connection:
            connection.execute("UPDATE keys SET used_at = ? WHERE id = ?", (now, row["key"]))
    return person_from(row, key=row["key"], scopes=frozenset(Action(s) for s in row["scopes"].split()))


def all_keys(db: Database) -> list[ApiKey]:
    """Every key, those that have run out too, by person and age."""
    return [_key(row) for row in db.conn.execute(_KEYS + " ORDER BY p.name, k.created_at")]


def revoke_key(db: Database, key_id: str, *, now: str, by: str = TERMINAL) -> None:
    """End a key at once; AccessError when there is none of that id."""
    with write(db) as connection:
        if connection.execute("DELETE FROM keys WHERE id = ?", [key_id]).rowcount != 1:
            raise AccessError(_NO_KEY)
        add_link(connection, at=now, actor=by, action="end key", subject=key_id)


def rotate_key(
    db: Database, key_id: str, *, days: float, hours: float, now: str, by: str = TERMINAL
) -> tuple[ApiKey, str]:
    """A new key with the same person, name and scopes; the old one stays good for `hours` more, so that nothing stops."""
    row = db.conn.execute(_KEYS + " WHERE k.id = ?", [key_id]).fetchone()
    if row is None:
        raise AccessError(_NO_KEY)
    old = _key(row)
    made = new_key(db, old.person, name=old.name, scopes=old.scopes, days=days, now=now, by=by)
    with write(db) as connection:
        last = min(old.expires_at, _later(now, timedelta(hours=hours)))
        connection.execute("UPDATE keys SET expires_at = ? WHERE id = ?", (last, key_id))
        add_link(connection, at=now, actor=by, action="replace key", subject=f"{key_id} by {made[0].id}")
    return made


_NO_KEY = "there is no key of that id"
_KEYS = (
    "SELECT k.id, p.name AS person, k.name, k.scopes, k.created_at, k.expires_at, k.used_at"
    " FROM keys k JOIN people p ON p.id = k.person"
)


def _key(row: Mapping[str, str]) -> ApiKey:
    return ApiKey(
        row["id"],
        row["person"],
        row["name"],
        tuple(row["scopes"].split()),
        row["created_at"],
        row["expires_at"],
        row["used_at"],
    )


def _later(now: str, by: timedelta) -> str:
    return (datetime.fromisoformat(now) + by).isoformat(timespec="milliseconds")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
