"""Connections kept between requests: each is one request's alone, and a file that was replaced is opened anew."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from service.errors import StudyError
from service.study.database import write
from service.study.pool import KEPT, Pool
from service.study.study import create_study, find_studies, find_study, opened
from tests.conftest import NOW


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool()
    yield pool
    pool.close()


def shape(db: Database, _: Path) -> None:
    db.conn.execute("CREATE TABLE IF NOT EXISTS notes (n INTEGER, thread INTEGER) STRICT")


def test_a_connection_given_back_is_lent_again_and_prepared_once(pool: Pool, tmp_path: Path) -> None:
    prepared = []
    for _ in range(3):
        with pool.lend(tmp_path / "a.db", lambda db, _: prepared.append(db)) as db:
            assert db is prepared[0]
    assert len(prepared) == 1


def test_two_at_once_never_hold_the_same_connection(pool: Pool, tmp_path: Path) -> None:
    held: set[int] = set()
    doubled: list[int] = []
    guard = threading.Lock()

    def work(number: int) -> None:
        for n in range(40):
            with pool.lend(tmp_path / "a.db", shape) as db:
                with guard:
                    doubled.extend({id(db)} & held)
                    held.add(id(db))
                with write(db) as connection:
                    connection.execute("INSERT INTO notes VALUES (?, ?)", (n, number))
                with guard:
                    held.discard(id(db))

    with pool.lend(tmp_path / "a.db", shape):
        pass
    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert doubled == []
    with pool.lend(tmp_path / "a.db", shape) as db:
        assert db.conn.execute("SELECT count(*) FROM (SELECT DISTINCT * FROM notes)").fetchone()[0] == 320


def test_what_a_broken_block_had_begun_is_undone(pool: Pool, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), pool.lend(tmp_path / "a.db", shape) as db:
        db.conn.execute("BEGIN IMMEDIATE")
        db.conn.execute("INSERT INTO notes VALUES (1, 1)")
        raise ZeroDivisionError

    with pool.lend(tmp_path / "a.db", shape) as again:
        assert again is db
        assert again.conn.execute("SELECT count(*) FROM notes").fetchone()[0] == 0


def test_a_file_that_was_replaced_is_opened_anew(pool: Pool, tmp_path: Path) -> None:
    for number in (1, 2):
        with pool.lend(tmp_path / "a.db", shape) as db, write(db) as connection:
            connection.execute("INSERT INTO notes VALUES (?, 0)", [number])
        if number == 1:
            for part in tmp_path.glob("a.db*"):
                part.rename(tmp_path / f"old-{part.name}")

    with pool.lend(tmp_path / "a.db", shape) as db:
        assert [row[0] for row in db.conn.execute("SELECT n FROM notes")] == [2]


def test_only_so_many_are_kept_and_the_rest_are_closed(pool: Pool, tmp_path: Path) -> None:
    first = None
    for n in range(KEPT + 1):
        with pool.lend(tmp_path / f"{n}.db", shape) as db:
            first = first or db

    assert first is not None
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        first.conn.execute("SELECT 1")


def test_a_database_that_cannot_be_prepared_is_not_kept(pool: Pool, tmp_path: Path) -> None:
    def broken(db: Database, _: Path) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), pool.lend(tmp_path / "a.db", broken):
        pass
    with pool.lend(tmp_path / "a.db", shape) as db:
        assert db.conn.execute("SELECT count(*) FROM notes").fetchone()[0] == 0


@pytest.mark.parametrize("name", ["", ".", "..", "../one", "one/", "/", "nothing", "one/../one", "one\0"])
def test_only_the_name_of_a_study_finds_one(tmp_path: Path, name: str) -> None:
    create_study(tmp_path / "all" / "one", title="One", codebook="x", now=NOW).db.close()

    assert find_study(tmp_path / "all", "one") == (tmp_path / "all" / "one").resolve()
    assert find_study(tmp_path / "all" / "one", "one") == (tmp_path / "all" / "one").resolve()
    assert find_study(tmp_path / "all", name) is None
    assert [find_study(tmp_path / "all", f.name) for f in find_studies(tmp_path / "all")] == find_studies(
        tmp_path / "all"
    )


def test_a_study_that_is_gone_is_refused_though_its_connection_was_kept(pool: Pool, tmp_path: Path) -> None:
    create_study(tmp_path / "one", title="One", codebook="x", now=NOW).db.close()
    with opened(tmp_path / "one", pool.lend) as study:
        assert study.title == "One"
    for part in (tmp_path / "one").iterdir():
        part.unlink()

    with pytest.raises(StudyError, match="no study"), opened(tmp_path / "one", pool.lend):
        pass
