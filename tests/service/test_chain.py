"""The chain of what was done: any change, deletion, insertion, reordering or truncation is found, and where."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from itertools import pairwise
from pathlib import Path

import pytest
from sqlite_utils import Database

from service.study import chain
from service.study.chain import (
    Connection,
    Entry,
    Fault,
    Head,
    add_link,
    faults,
    head_file,
    head_of,
    kept_head,
    link_hash,
)
from service.study.database import open_database, write
from service.study.decisions import Decision, add_decisions
from service.study.runs import add_audit
from service.study.study import Study
from tests.conftest import NOW
from tests.service.bare import bare_study, review_round

LENGTH = 40
Tamper = Callable[[sqlite3.Connection, random.Random], int]


def places(db: Database, *heads: Head) -> list[int]:
    return [fault.seq for fault in faults(db, heads)]


@pytest.fixture(scope="module")
def long() -> Database:
    """A chain of forty entries in memory, without the triggers that guard it: whoever has the file can drop them."""
    connection = sqlite3.connect(":memory:", factory=Connection, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute(chain.TABLE)
    for n in range(LENGTH):
        add_link(connection, at=NOW, actor=f"P{n % 3}", action="view", subject=f"voices/v{n}", counts={"n": n})
    return Database(connection)


@contextmanager
def undone(db: Database) -> Iterator[None]:
    """What is done to the chain in the block is undone at its end."""
    db.conn.execute("BEGIN")
    try:
        yield
    finally:
        db.conn.execute("ROLLBACK")


def _edit(connection: sqlite3.Connection, chance: random.Random) -> int:
    seq, column = chance.randint(1, LENGTH), chance.choice(["at", "actor", "action", "subject", "counts", "hash"])
    connection.execute(f"UPDATE chain SET {column} = {column} || 'x' WHERE seq = ?", [seq])
    return seq


def _delete(connection: sqlite3.Connection, chance: random.Random) -> int:
    seq = chance.randint(1, LENGTH)
    connection.execute("DELETE FROM chain WHERE seq = ?", [seq])
    return seq


def _close_up(connection: sqlite3.Connection, chance: random.Random) -> int:
    """Delete, and number what comes after anew."""
    seq = _delete(connection, chance)
    connection.execute("UPDATE chain SET seq = -seq WHERE seq > ?", [seq])
    connection.execute("UPDATE chain SET seq = -seq - 1 WHERE seq < 0")
    return seq


def _swap(connection: sqlite3.Connection, chance: random.Random) -> int:
    one, two = sorted(chance.sample(range(1, LENGTH + 1), 2))
    connection.execute("UPDATE chain SET seq = -1 WHERE seq = ?", [one])
    connection.execute("UPDATE chain SET seq = ? WHERE seq = ?", (one, two))
    connection.execute("UPDATE chain SET seq = ? WHERE seq = -1", [two])
    return one


def _insert(connection: sqlite3.Connection, chance: random.Random) -> int:
    seq = chance.randint(1, LENGTH)
    connection.execute("UPDATE chain SET seq = -seq WHERE seq >= ?", [seq])
    connection.execute("UPDATE chain SET seq = 1 - seq WHERE seq < 0")
    forged = (seq, NOW, "Nobody", "view", "voices/v1", "{}", "", 0, "")
    connection.execute("INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*forged, link_hash("?", forged)))
    return seq


def _truncate(connection: sqlite3.Connection, chance: random.Random) -> int:
    seq = chance.randint(1, LENGTH)
    connection.execute("DELETE FROM chain WHERE seq >= ?", [seq])
    return seq


@pytest.mark.parametrize("tamper", [_edit, _delete, _close_up, _swap, _insert, _truncate])
def test_a_thousand_random_tamperings_are_all_found_at_their_place(long: Database, tamper: Tamper) -> None:
    head, chance = head_of(long), random.Random(tamper.__name__)
    assert places(long, head) == []

    for _ in range(170):  # of each of six kinds
        with undone(long):
            place = tamper(long.conn, chance)
            assert places(long, head)[0] == place


def test_a_chain_that_was_written_anew_with_right_hashes_differs_from_its_head(long: Database) -> None:
    head = head_of(long)
    with undone(long):
        long.conn.execute("UPDATE chain SET actor = 'Somebody else' WHERE seq = 7")
        last = ""
        for entry in [Entry(*row) for row in long.conn.execute("SELECT * FROM chain ORDER BY seq")]:
            last = link_hash(last, astuple(entry)[:-1])
            long.conn.execute("UPDATE chain SET hash = ? WHERE seq = ?", (last, entry.seq))

        assert places(long) == []
        assert places(long, head) == [LENGTH]


def test_entries_are_hashed_one_on_the_other(long: Database) -> None:
    entries = [Entry(*row) for row in long.conn.execute("SELECT * FROM chain ORDER BY seq")]

    assert all(link_hash(a.hash, astuple(b)[:-1]) == b.hash for a, b in pairwise(entries))
    assert len({entry.hash for entry in entries}) == LENGTH


# In a study.


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    """A study with an act and three decisions."""
    made = bare_study(tmp_path / "study", [["I sat by the door at night."]])
    round_ = review_round(made)
    rows = [
        Decision(
            "v00000-0.0", act, "Ann", NOW, round_.id, "likely", 1.0, "bare", "1.0.0", shown=False, code="SAFE", end=5
        )
        for act in ("add", "change", "close")
    ]
    with write(made.db) as connection:
        add_audit(connection, at=NOW, actor="Lee", action="intake", subject="intake-1", counts={"voices": 1})
        add_decisions(connection, rows)
    yield made
    made.db.close()


def test_every_act_and_decision_is_chained_with_what_was_decided_by_whom(study: Study) -> None:
    db = study.db

    acts = db.conn.execute("SELECT count(*) FROM audit").fetchone()[0]
    decisions = db.conn.execute("SELECT count(*) FROM decisions").fetchone()[0]
    chained = db.conn.execute("SELECT source, count(*) FROM chain GROUP BY source ORDER BY source").fetchall()
    assert [tuple(row) for row in chained] == [("audit", acts), ("decisions", decisions)]
    [row] = db.conn.execute("SELECT actor, subject FROM chain WHERE action = 'decide add' LIMIT 1").fetchall()
    assert row["actor"] == "Ann"
    assert places(db, kept_head(head_file(study.folder / "study.db")) or Head(9, "")) == []


def test_a_decision_that_is_changed_behind_the_services_back_is_found_and_named(study: Study) -> None:
    db = study.db
    with write(db) as connection:
        connection.execute("DROP TRIGGER decisions_no_update")
        connection.execute("UPDATE decisions SET code = 'CL1' WHERE seq = 1")

    place = db.conn.execute("SELECT seq FROM chain WHERE source = 'decisions' AND number = 1").fetchone()[0]
    assert faults(db, []) == [Fault(place, "row 1 of the table “decisions”, of which it tells, was changed")]


def test_the_store_itself_refuses_to_change_or_remove_an_entry(study: Study) -> None:
    for statement in ("UPDATE chain SET actor = 'x'", "DELETE FROM chain"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            study.db.conn.execute(statement)
        study.db.conn.rollback()


def test_what_is_rolled_back_is_in_neither_chain_nor_head(study: Study) -> None:
    file = head_file(study.folder / "study.db")
    before = (head_of(study.db), kept_head(file))
    with pytest.raises(RuntimeError), write(study.db) as connection:
        add_audit(connection, at=NOW, actor="A", action="intake", subject="x")
        raise RuntimeError

    assert (head_of(study.db), kept_head(file)) == before
    assert before[0] == before[1]


def test_two_connections_that_write_in_turn_make_one_chain(study: Study) -> None:
    file = study.folder / "study.db"
    other = open_database(file)
    for n in range(20):
        with write((study.db, other)[n % 2]) as connection:
            add_audit(connection, at=NOW, actor=f"P{n % 2}", action="intake", subject=str(n))
    other.close()

    assert places(study.db, kept_head(head_file(file)) or Head(9, "")) == []


def test_a_study_from_before_has_what_was_done_chained_when_it_is_opened(study: Study) -> None:
    db = study.db
    held = [
        tuple(r) for r in db.conn.execute("SELECT actor, action, subject, counts, source, number, digest FROM chain")
    ]
    with write(db) as connection:
        connection.execute("DROP TRIGGER chain_no_delete")
        connection.execute("DELETE FROM chain")
        chain.chain_old(connection, chain.SOURCES)

    again = [
        tuple(r) for r in db.conn.execute("SELECT actor, action, subject, counts, source, number, digest FROM chain")
    ]
    assert sorted(again) == sorted(held)
    assert places(db, head_of(db)) == []
