"""A database of what may leave: it opens with plain SQL, holds no small count and nobody's words, and is in the ledger."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import chain, repeat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from nlp.findings.disclosure import LA5
from service.cli.main import app
from service.errors import StudyError
from service.study.counts_released import past_releases
from service.study.study import Study, opened
from service.usecases.export_database import Opened, export_database
from service.usecases.findings import links_file, load_links
from service.usecases.indicators import Wish, load_indicators
from service.usecases.prevalence import shares
from service.usecases.queue import next_item
from service.usecases.review import Choice, decide
from service.usecases.rounds import counted_round, draw_counting_round
from tests.conftest import NOW, ROOT
from tests.service.reading import heard_chair, kept_study

FIGURES = ROOT / "corpora_sample" / "indicators"
OC3 = "CHILD,DOB,IN_TOUCH,ACTIV,ACCOM\n" + "\n".join(f"{i},01/06/2006,YES,F4,B1" for i in range(30))


@pytest.fixture(scope="module")
def read_folder(tmp_path_factory: pytest.TempPathFactory, cascade: Deidentifier, minilm: Encoder) -> Path:
    """Forty people of whom 36 were read, with links, published figures and a return of the council's own."""
    folder = kept_study(tmp_path_factory.mktemp("open"), cascade, minilm) / "study"
    with opened(folder) as study:
        read_some(study, 36)
        load_links(study, links_file(ROOT / "codebooks", study.codebook), FIGURES, now=NOW, actor="t")
        own = folder.parent.parent / "oc3.csv"
        own.write_text(OC3 + "\n", "utf-8")
        wishes = {FIGURES / "ees_cin_referrals_sample.csv": Wish(), own: Wish(areas=("E06000065",), year=2025)}
        for file, wish in wishes.items():
            load_indicators(study, file, wish, now=NOW, actor="t")
    return folder


def read_some(study: Study, many: int) -> None:
    """All who speak of a chair have CL5; of the others three have CL1 and seven CL2, whoever comes first."""
    few = chain(["CL1"] * 3, ["CL2"] * 7, repeat(""))
    round_ = counted_round(study) or draw_counting_round(study, people=40, seed=1, now=NOW, actor="t")
    for _ in range(many):
        item = next_item(study, round_, "Ann")
        assert item is not None
        text = item.segment.text
        choices = heard_chair(text) or [Choice(code, "worry", 0, 7) for code in [next(few)] if code]
        decide(study, item, coder="Ann", choices=choices, seconds=1, now=NOW)


@pytest.fixture
def study(read_folder: Path, tmp_path: Path) -> Iterator[Study]:
    with opened(Path(shutil.copytree(read_folder, tmp_path / "studies" / "study"))) as study:
        yield study


def given(study: Study, file: Path) -> Opened:
    return export_database(study, file, council="Here", now=NOW, actor="t")


def rows(file: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return database.execute(sql).fetchall()


def test_it_opens_with_plain_sql_and_says_what_was_counted_and_under_which_rules(study: Study, tmp_path: Path) -> None:
    file = tmp_path / "open" / "here.db"
    done = given(study, file)

    assert rows(file, "PRAGMA integrity_check") == [("ok",)]
    assert {f.name for f in file.parent.iterdir()} == {"here.db", "metadata.json"}
    about = dict(rows(file, "SELECT item, value FROM about"))
    assert (about["people read"], about["fewest people shown"], about["release"]) == ("36", "6", done.release)
    ((said, status),) = rows(file, "SELECT people, status FROM themes WHERE code = 'CL5'")
    assert (said in (15, 20), status) == (True, "shown")
    assert rows(file, "SELECT count(*) FROM joint") == rows(file, "SELECT count(*) FROM links") != [(0,)]
    assert rows(file, "SELECT count(*) FROM links WHERE why = ''") == [(0,)]
    assert {status for (status,) in rows(file, "SELECT heard_status FROM joint WHERE heard_percent IS NULL")} <= {
        "the share of one stance is not released here", "held back: too few people to show", "not enough was read to say",
    }  # fmt: skip


def test_no_count_of_people_below_the_threshold_stands_in_it(study: Study, tmp_path: Path) -> None:
    file = tmp_path / "open" / "here.db"
    given(study, file)

    counts = [n for (n,) in rows(file, "SELECT people FROM themes WHERE people IS NOT NULL")]
    counts += [n for (n,) in rows(file, "SELECT read FROM shares")]
    assert counts
    assert all(isinstance(n, int) and (n == 0 or n >= LA5.safe_threshold) for n in counts)
    why = dict(rows(file, "SELECT code, status FROM themes WHERE people IS NULL"))
    assert why["CL1"] == "held back: too few people to show"
    assert (
        why["CL2"] == "held back: it would be rounded to fewer than may be shown"
    )  # seven people, to the nearest five
    told = {code for (code,) in rows(file, "SELECT code FROM shares")}
    assert told.isdisjoint(code for code, words in why.items() if words != why["CL2"])


def test_shares_are_those_of_every_other_page(study: Study, tmp_path: Path) -> None:
    file = tmp_path / "open" / "here.db"
    given(study, file)

    shown = {h.share.code.id: h.share.estimate for h in shares(study).themes if h.share.estimate is not None}
    told = rows(file, "SELECT code, share, low, high FROM shares WHERE \"of\" = 'the people loaded here'")
    assert ("CL5" in shown, len(told) > 0) == (True, True)
    for code, *figures in told:
        e = shown[str(code)]
        assert figures == [round(x, 3) for x in (e.share, e.low, e.high)]


def test_nobodys_words_ids_or_name_is_in_its_bytes(study: Study, tmp_path: Path) -> None:
    file = tmp_path / "open" / "here.db"
    given(study, file)
    content = file.read_bytes() + file.with_name("metadata.json").read_bytes()

    tables = ("participants", "voices", "segments", "rounds")
    ids = [row[0] for t in tables for row in study.db.conn.execute(f"SELECT id FROM {t}")]
    words = ["i put a chair", "we had pasta", "Ann", *ids]
    assert len(ids) > 100
    assert [w for w in words if w.encode() in content] == []


def test_published_figures_keep_status_source_and_licence_and_a_councils_own_return_stays(
    study: Study, tmp_path: Path
) -> None:
    file = tmp_path / "open" / "here.db"
    done = given(study, file)

    assert done.kept > 0
    assert rows(file, "SELECT DISTINCT licence FROM indicators") == [("Open Government Licence v3.0",)]
    assert rows(file, "SELECT count(*) FROM indicators") == [(done.values,)]
    assert rows(file, "SELECT count(*) FROM indicators WHERE value IS NULL AND status = 'ok'") == [(0,)]
    told = json.loads(file.with_name("metadata.json").read_text("utf-8"))["databases"]["here"]["tables"]
    for table, about in told.items():
        assert about["title"]
        columns = [name for _, name, *_ in rows(file, f"PRAGMA table_info('{table}')")]
        assert table == "joint" or list(about["columns"]) == columns


def test_each_one_is_in_the_ledger_so_that_who_joined_since_cannot_be_worked_out(study: Study, tmp_path: Path) -> None:
    first, second = tmp_path / "open" / "first.db", tmp_path / "later" / "second.db"
    given(study, first)
    read_some(study, 1)
    given(study, second)

    assert [p.entry.release for p in past_releases(study.db)] == ["database-1", "database-2"]
    assert rows(first, "SELECT status FROM themes WHERE code = 'CL5'") == [("shown",)]
    assert rows(second, "SELECT people FROM themes WHERE code = 'CL5'") == [(None,)]


def test_it_never_takes_the_place_of_the_study_or_of_anothers_metadata(study: Study, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "metadata.json").write_text("{}", "utf-8")

    for file in (study.folder / "study.db", other / "here.db"):
        with pytest.raises(StudyError, match="folder of its own"):
            given(study, file)
    assert past_releases(study.db) == []
    given(study, tmp_path / "open" / "here.db")
    assert given(study, tmp_path / "open" / "here.db").release == "database-2"


def test_by_command_and_refused_before_anybody_is_read(read_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(read_folder, tmp_path / "study")
    done = CliRunner().invoke(app, ["export", "datasette", str(folder), str(tmp_path / "open" / "here.db")])
    assert done.exit_code == 0, done.output
    assert rows(tmp_path / "open" / "here.db", "SELECT value FROM about WHERE item = 'council'") == [("A study",)]
    wrong = CliRunner().invoke(app, ["export", "datasette", str(folder), str(tmp_path / "here.sqlite")])
    assert wrong.exit_code == 2
