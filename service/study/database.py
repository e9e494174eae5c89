"""Opening a database, and the one way to write to it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlite_utils import Database

from service.errors import FullError, RecordError
from service.study.chain import Connection, head_file, keep_head

BUSY_SECONDS = 10
CHECKPOINT_TRIES = 50
Prepare = Callable[[Database, Path], None]
Lender = Callable[[Path, Prepare], AbstractContextManager[Database]]


def open_database(path: Path) -> Database:
    """A connection with WAL, foreign keys and a busy timeout; the file is readable by its owner alone.

    A connection is never shared between threads that use it at the same time.
    """
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False, factory=Connection)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.row_factory = sqlite3.Row
    return Database(connection)


def pairs(db: Database, query: str, parameters: Sequence[object] = ()) -> list[tuple[str, str]]:
    """The rows of a query of two columns as plain tuples: several times faster where they are a hundred thousand."""
    cursor = db.conn.cursor()
    cursor.row_factory = None
    found: list[tuple[str, str]] = cursor.execute(query, parameters).fetchall()
    return found


@contextmanager
def opening(file: Path, prepare: Prepare) -> Iterator[Database]:
    """A connection of its own, brought to the newest shape by `prepare` and closed at the end of the block."""
    db = open_database(file)
    try:
        prepare(db, file)
        yield db
    finally:
        db.close()


@contextmanager
def write(db: Database) -> Iterator[sqlite3.Connection]:
    """One write transaction, begun IMMEDIATE so that it waits its turn instead of failing late."""
    connection: sqlite3.Connection = db.conn
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.commit()
    except sqlite3.IntegrityError as broken:
        connection.rollback()
        raise RecordError(_reason(broken)) from None
    except sqlite3.OperationalError as broken:
        connection.rollback()
        if broken.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise FullError from None
        raise
    except BaseException:
        connection.rollback()
        raise
    if isinstance(connection, Connection) and connection.growth.taken():
        keep_head(db, head_file(Path(connection.execute("PRAGMA database_list").fetchone()["file"])))


def scrub(db: Database) -> bool:
    """Write the file anew, so that nothing of what was deleted is left in it or in its log; False when somebody else
    is in the middle of reading, and the log keeps what it has until they are done."""
    connection: sqlite3.Connection = db.conn
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("VACUUM")
    for _ in range(CHECKPOINT_TRIES):
        if not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            return True
        time.sleep(0.1)
    return False


def _reason(broken: sqlite3.IntegrityError) -> str:
    words = str(broken)
    return words if words.startswith("append-only") else "the record breaks a rule of the store"
