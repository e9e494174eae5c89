"""Connections kept open between requests, each lent to one request at a time.

Opening a database costs about a millisecond, and closing the last connection after a write some six: SQLite reads the
shape anew and folds the write-ahead log back in.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from service.study.database import Prepare, open_database

KEPT = 48


@dataclass(frozen=True, slots=True)
class _Idle:
    file: Path
    inode: int
    db: Database


class Pool:
    """Lends connections; one that nobody holds waits for the next, up to `KEPT` of them over all files."""

    def __init__(self) -> None:
        self._idle: list[_Idle] = []
        self._lock = threading.Lock()

    @contextmanager
    def lend(self, file: Path, prepare: Prepare) -> Iterator[Database]:
        """A connection for the block alone; `prepare` is called on one that is new."""
        held = self._take(file)
        if held is None:
            db = open_database(file)
            try:
                prepare(db, file)
            except BaseException:
                db.close()
                raise
            held = _Idle(file, file.stat().st_ino, db)
        try:
            yield held.db
        finally:
            self._give_back(held)

    def _take(self, file: Path) -> _Idle | None:
        """The connection of that file that was used last; those to a file that was since replaced are closed."""
        inode = file.stat().st_ino if file.exists() else 0
        with self._lock:
            old = [i for i in self._idle if i.file == file and i.inode != inode]
            self._idle = [i for i in self._idle if i not in old]
            places = [n for n, i in enumerate(self._idle) if i.file == file]
            found = self._idle.pop(places[-1]) if places else None
        _close(old)
        return found

    def _give_back(self, held: _Idle) -> None:
        if held.db.conn.in_transaction:
            held.db.conn.rollback()
        with self._lock:
            self._idle.append(held)
            spare, self._idle = self._idle[:-KEPT], self._idle[-KEPT:]
        _close(spare)

    def close(self) -> None:
        """Close every connection that nobody holds."""
        with self._lock:
            spare, self._idle = self._idle, []
        _close(spare)


def _close(idle: list[_Idle]) -> None:
    for held in idle:
        held.db.close()
