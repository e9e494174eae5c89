"""The study's store: what was written stays, and codings follow from decisions alone."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from service.errors import RecordError, StudyError
from service.study.chain import SOURCES
from service.study.database import open_database, write
from service.study.migrations import migrate, migrations
from service.study.runs import add_audit
from service.study.study import create_study, find_studies, open_study
from service.study.webhooks import EVENTS
from tests.conftest import NOW, Made


def test_a_study_opens_with_wal_foreign_keys_and_owner_only_files(made: Made) -> None:
    one = made.study.db.conn.execute

    assert one("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert one("PRAGMA foreign_keys").fetchone()[0] == 1
    assert (made.study.folder / "study.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("act", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_the_audit_trail_can_only_grow(shut: Made, act: str) -> None:
    with write(shut.study.db) as connection:
        add_audit(connection, at=NOW, actor="a", action="b", subject="c")

    with pytest.raises(RecordError, match="append-only"), write(shut.study.db) as connection:
        connection.execute(act)

    assert shut.study.db.conn.execute("SELECT actor FROM audit").fetchone()[0] == "a"


def test_every_table_of_acts_has_its_two_triggers(made: Made) -> None:
    rows = made.study.db.conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")

    names = {row[0] for row in rows}

    guarded = {"suggestions", "decisions", "audit", "runs", "codebooks", "clean_texts", "redactions", "draws", "frames",
               "checks", "acceptances", "discoveries", "candidates", "candidate_acts", "assignments", "round_ends",
               "adjudications", "flags", "flag_ends", "saves", "publications", "code_changes", "recodes",
               "check_edits", "check_undos", "restored", "link_versions", "judgements", "promises", "chain", "count_releases",
               "corrections", "unkept", "rereads", "withdrawals", "bulk_acts",
               "bulk_ends", "passports", "glass_asks", "glass_answers", "glass_ends",
               "quotations", "quotation_rulings", "protocols"}  # fmt: skip
    others = {
        "words_of_new_text",
        "words_of_seen_text",
        *(f"{table}_chained" for table in SOURCES),
        *(f"told_{event.replace('.', '_')}" for event in EVENTS),
    }
    assert others < names
    assert names - others == {f"{table}_no_{act}" for table in guarded for act in ("update", "delete")}


def test_codings_cannot_be_written(made: Made) -> None:
    with pytest.raises(sqlite3.OperationalError, match="view"), write(made.study.db) as connection:
        connection.execute("INSERT INTO codings (segment) VALUES ('x')")


def test_a_failed_write_leaves_nothing(shut: Made) -> None:
    with pytest.raises(ZeroDivisionError), write(shut.study.db) as connection:
        add_audit(connection, at=NOW, actor="a", action="b", subject="c")
        raise ZeroDivisionError

    assert shut.study.db.conn.execute("SELECT count(*) FROM audit").fetchone()[0] == 0


def test_writers_wait_their_turn(shut: Made) -> None:
    def read_then_write() -> None:
        db = open_database(shut.study.folder / "study.db")
        for _ in range(20):
            with write(db) as connection:
                seen = connection.execute("SELECT count(*) FROM audit").fetchone()[0]
                add_audit(connection, at=NOW, actor="a", action="count", subject=str(seen))
        db.close()

    threads = [threading.Thread(target=read_then_write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    subjects = [int(r[0]) for r in shut.study.db.conn.execute("SELECT subject FROM audit ORDER BY seq")]
    assert subjects == list(range(120))


def test_a_folder_takes_one_study_only(made: Made) -> None:
    with pytest.raises(StudyError, match="already a study"):
        create_study(made.study.folder, title="b", codebook="x", now=NOW)


def test_a_folder_without_a_study_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there is no study"):
        open_study(tmp_path / "none")
    assert find_studies(tmp_path / "none") == []


def test_migrating_twice_changes_nothing(made: Made) -> None:
    schema = made.study.db.schema

    migrate(made.study.db, made.study.folder / "study.db")

    assert made.study.db.schema == schema
    assert not list(made.study.folder.glob("*before-migration*"))


def test_a_study_of_the_first_version_is_brought_up_after_a_backup(tmp_path: Path) -> None:
    file = tmp_path / "study.db"
    db = open_database(file)
    migrations.apply(db, stop_before="m002_checked")
    db.conn.execute("INSERT INTO study VALUES ('s', 't', 'c', 0, ?)", [NOW])
    db.conn.commit()

    migrate(db, file)

    assert db.conn.execute("SELECT leak_limit FROM study").fetchone()[0] == 50
    assert (tmp_path / "study.before-migration.db").exists()


def test_rounds_with_draws_and_decisions_are_kept_when_rounds_by_text_come(tmp_path: Path) -> None:
    file = tmp_path / "study.db"
    db = open_database(file)
    migrations.apply(db, stop_before="m005_rounds_and_candidates")
    db.conn.execute("INSERT INTO rounds VALUES ('counting-1', 'counting', 'participant', 3, 'c', '1', ?)", [NOW])
    db.conn.execute("INSERT INTO draws VALUES ('counting-1', 1, 'p', 'uniform', 0.5, ?)", [NOW])
    db.conn.commit()

    migrate(db, file)

    assert [tuple(r) for r in db.conn.execute("SELECT id, unit, seed FROM rounds")] == [
        ("counting-1", "participant", 3)
    ]
    assert db.conn.execute("SELECT unit FROM draws").fetchone()[0] == "p"
    assert db.conn.execute("PRAGMA foreign_key_check").fetchall() == []
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        db.conn.execute("INSERT INTO draws VALUES ('nowhere', 1, 'p', 'uniform', 0.5, ?)", [NOW])


def test_studies_of_the_fifth_version_can_be_searched_after_the_change(tmp_path: Path) -> None:
    file = tmp_path / "study.db"
    db = open_database(file)
    migrations.apply(db, stop_before="m006_review_room")
    one = db.conn.execute
    for run in ("i", "r"):
        one("INSERT INTO runs VALUES (?, 'intake', '', '', '', '', '', '{}', ?, ?)", [run, NOW, NOW])
    one("INSERT INTO participants VALUES ('p')")
    one(
        "INSERT INTO voices SELECT 'v', 'p', 'child', 'self', 'verbatim', 'analysis', '', '', '', '', '{}', 'i', 1, 'd'"
    )
    one("INSERT INTO clean_texts VALUES ('v', 1, 'i like the slide', 'r', '', 0.0)")
    one("INSERT INTO clean_texts VALUES ('v', 2, 'i like the swings', 'r', '', 0.0)")
    db.conn.commit()

    migrate(db, file)

    def found(word: str) -> int:
        return int(db.conn.execute("SELECT count(*) FROM words WHERE words MATCH ?", [word]).fetchone()[0])

    assert (found("swings"), found("slide")) == (1, 0)
    one("INSERT INTO clean_texts VALUES ('v', 3, 'i like the pond', 'r', '', 0.0)")
    assert (found("pond"), found("swings")) == (1, 0)
