"""Databases as they all were at one moment, while others go on writing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database

from service.errors import RecordError
from service.study.database import open_database

T = TypeVar("T")
SNAPSHOT = ".backup-"  # a folder of copies in the study's folder, there while a backup is made


@contextmanager
def at_one_moment(files: Sequence[Path], beside: Callable[[], T]) -> Iterator[tuple[list[Database], T]]:
    """Connections that see the files as they were at one moment, and what `beside` gave then.

    Everybody's writing waits for that moment alone, and not for what is done with the connections.
    """
    with ExitStack() as stack:
        held = [stack.enter_context(closing(open_database(file))) for file in files]
        seen = [stack.enter_context(closing(open_database(file))) for file in files]
        for db in held:
            db.conn.execute("BEGIN IMMEDIATE")
        for db in seen:
            db.conn.execute("BEGIN")
            db.conn.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it sees what is there now
        found = beside()
        for db in held:
            db.conn.rollback()
        yield seen, found


def copy_of(db: Database, file: Path) -> None:
    """Write what a connection sees into one file; RecordError where the database is damaged."""
    with closing(sqlite3.connect(file)) as copy:
        db.conn.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
        if copy.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            raise RecordError(f"{file.name} is damaged on the disk: “PRAGMA integrity_check” says where")
