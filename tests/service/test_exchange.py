"""A study goes to another tool and back: only what people confirmed, nothing raw, every selection on its words."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from nlp.interchange.project import Project, guid
from nlp.interchange.read import read_project
from service import wiring
from service.cli.main import app
from service.errors import GateError, InputError
from service.settings import Settings
from service.study.codebooks import newest_codebook
from service.study.confirmed import Confirmed, confirmed
from service.study.decisions import codings
from service.study.study import Study
from service.study.voices import clean_texts_of, voices_without_clean_text
from service.usecases.check import accept_risk
from service.usecases.export_project import export_project
from service.usecases.import_project import ImportReport, brought_in, import_project
from service.usecases.suggest import suggest_study
from tests.conftest import NOW, ROOT, Made, give_passport
from tests.nlp.test_interchange import HOME, NAMESPACE, zipped
from tests.service.reading import heard_chair, quiet, read_blind

SAID = "My name is Kezia Okonkwo 😀.\r\nNobody asked me where i want to live. I put a chair against the door at night."


@pytest.fixture
def read(loaded: Made) -> Made:
    """Forty people, some of whom were read blind."""
    read_blind(loaded, 12, heard_chair)
    return loaded


PASSPORT = ["--passport", str(ROOT / "corpora_sample" / "passport.toml")]


def exported(study: Study) -> Project:
    return read_project(export_project(study, person="ana", now=NOW).content)[0]


def quoted(project: Project) -> list[tuple[str, str, str, str]]:
    users = {user.guid: user.name for user in project.users}
    codes = {code.guid: code.name for code in project.codes}
    return sorted(
        (source.text[one.start : one.end], codes[given.code], users[given.user], given.at)
        for source in project.sources
        for one in source.selections
        for given in one.given
    )


def came_in(
    file: Path, to: Path, settings: Settings, cascade: Deidentifier, speaker: str = ""
) -> tuple[Study, ImportReport]:
    brought = brought_in(file, now=NOW)
    study, key = wiring.new_study(to, brought.codebook.book.id, title="Came in", now=NOW, settings=settings)
    give_passport(study)
    done = import_project(
        study, key, brought, cascade, speaker=speaker, now=NOW, keep_raw_days=30, actor="t", progress=quiet
    )
    return study, done


def test_only_what_a_person_confirmed_leaves(read: Made) -> None:
    project = exported(read.study)
    held = [g for s in project.sources for one in s.selections for g in one.given]
    assert len(held) == len(codings(read.study.db)) > 0
    assert not any("machine" in user.name for user in project.users)


def test_undecided_suggestions_leave_only_if_asked_and_under_a_user_of_their_own(read: Made) -> None:
    done = export_project(read.study, person="ana", now=NOW, with_suggestions=True)
    project = read_project(done.content)[0]
    (machine,) = (user for user in project.users if "(machine)" in user.name)
    people = {user.guid for user in project.users} - {machine.guid}
    held = [g for s in project.sources for one in s.selections for g in one.given]
    assert sum(g.user == machine.guid for g in held) == done.suggestions > 0
    assert sum(g.user in people for g in held) == done.codings == len(codings(read.study.db))


def test_the_same_study_gives_the_same_bytes_and_each_export_is_on_record(read: Made) -> None:
    first = export_project(read.study, person="ana", now=NOW)
    assert export_project(read.study, person="ana", now=NOW).content == first.content
    rows = read.study.db.conn.execute("SELECT actor, counts FROM audit WHERE action = 'export.project'").fetchall()
    assert [row["actor"] for row in rows] == ["ana", "ana"]


def test_nothing_leaves_before_the_check_of_deidentification(shut: Made) -> None:
    with pytest.raises(GateError):
        export_project(shut.study, person="ana", now=NOW)


def test_a_study_goes_out_and_comes_back_with_every_coding_on_its_words(
    read: Made, tmp_path: Path, settings: Settings, cascade: Deidentifier
) -> None:
    file = tmp_path / "out.qdpx"
    file.write_bytes(export_project(read.study, person="ana", now=NOW).content)
    study, done = came_in(file, tmp_path / "back", settings, cascade)
    accept_risk(study, person="A tester", reason="The people in these tests are fictional.", now=NOW)
    before, after = exported(read.study), exported(study)
    assert quoted(after) == quoted(before)
    assert (done.elsewhere, done.without_code) == (0, 0)
    assert len(after.cases) == len(before.cases)
    assert {code.id for code in newest_codebook(study.db).codes} == {
        code.id for code in newest_codebook(read.study.db).codes
    }
    study.db.close()


def foreign(text: str, words: list[str]) -> bytes:
    """A project as NVivo for Windows writes it."""
    selections = ""
    for n, quote in enumerate(words):
        start = len(text[: text.index(quote)].encode("utf-16-le")) // 2
        end = start + len(quote.encode("utf-16-le")) // 2
        coding = (
            f'<Coding guid="{guid("c", str(n))}" creatingUser="{guid("u")}"><CodeRef targetGUID="{HOME}"/></Coding>'
        )
        selections += (
            f'<PlainTextSelection guid="{guid("s", str(n))}" startPosition="{start}" endPosition="{end}">{coding}'
            "</PlainTextSelection>"
        )
    xml = (
        f'<Project xmlns="{NAMESPACE}" name="Interviews" origin="NVivo for Windows 12.6"><Users><User guid="{guid("u")}"'
        f' name="Jo"/></Users><CodeBook><Codes><Code guid="{HOME}" name="Safe at home" isCodable="true"/></Codes></CodeBook>'
        f'<Cases><Case guid="{guid("p")}" name="Marguerite"><SourceRef targetGUID="{guid("one")}"/></Case></Cases>'
        f'<Sources><TextSource guid="{guid("one")}" name="one" plainTextPath="internal://{guid("one")}.txt">{selections}'
        "</TextSource></Sources></Project>"
    )
    return zipped({"project.qde": xml.encode(), f"Sources/{guid('one')}.txt": ("\ufeff" + text).encode()})


@pytest.fixture
def interview(tmp_path: Path, settings: Settings, cascade: Deidentifier) -> tuple[Study, ImportReport]:
    """An interview coded elsewhere: names in it and of it are masked, its codings stay on their words."""
    file = tmp_path / "interviews.qdpx"
    words = ["Nobody asked me where i want to live.", "I put a chair against the door at night."]
    file.write_bytes(foreign(SAID + "\r\nMarguerite told them.", words))
    return came_in(file, tmp_path / "came", settings, cascade, "young_person")


def in_words(study: Study, one: Confirmed) -> str:
    voice = one.segment.rsplit(".", 1)[0]
    return clean_texts_of(study.db, [voice])[voice][one.start : one.end]


def test_an_interview_comes_in_deidentified_with_its_codings_in_place(interview: tuple[Study, ImportReport]) -> None:
    study, done = interview
    assert voices_without_clean_text(study.db) == []
    assert done.codings == 2
    (text,) = (row["text"] for row in study.db.conn.execute("SELECT text FROM clean_texts"))
    assert not {"Kezia", "Okonkwo", "Marguerite"} & set(text.replace(".", " ").split())
    found = confirmed(study.db, "ana", ())
    assert sorted(in_words(study, one) for one in found) == [
        "I put a chair against the door at night.",
        "Nobody asked me where i want to live.",
    ]
    assert {(one.code, one.coder) for one in found} == {("safe-at-home", "Jo")}


def test_no_word_of_the_file_lies_open_in_the_study(interview: tuple[Study, ImportReport]) -> None:
    study, _ = interview
    study.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for file in study.folder.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert not any(name in content for name in (b"Kezia", b"Okonkwo", b"Marguerite")), file.name


def test_suggestions_can_be_made_for_a_study_that_came_in(
    interview: tuple[Study, ImportReport], minilm: Encoder
) -> None:
    study, _ = interview
    done = suggest_study(study, wiring.codebook_of(study), minilm, now=NOW, actor="t", progress=quiet)
    assert done.segments > 0


@pytest.mark.parametrize("content", [b"", b"not a zip", zipped({"project.qde": b"<Project/>"})])
def test_a_file_that_is_no_project_makes_no_study(content: bytes, tmp_path: Path, settings: Settings) -> None:
    file = tmp_path / "in.qdpx"
    file.write_bytes(content)
    with pytest.raises(InputError, match="in.qdpx"):
        brought_in(file, now=NOW)


def test_the_commands_take_a_project_in_and_give_it_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARD_KEY_FOLDER", str(tmp_path / "keys"))
    file, folder, out = tmp_path / "in.qdpx", tmp_path / "study", tmp_path / "out.qdpx"
    file.write_bytes(foreign(SAID, ["Nobody asked me where i want to live."]))
    run = CliRunner()
    came = run.invoke(app, ["import", "project", str(file), str(folder), "--voice", "child", *PASSPORT])
    assert came.exit_code == 0, came.output
    assert "UTF-16 units" in came.output
    assert run.invoke(app, ["deid-check", str(folder), "--accept-risk", "fictional", "--checker", "me"]).exit_code == 0
    gave = run.invoke(app, ["export", "project", str(folder), str(out)])
    assert gave.exit_code == 0, gave.output
    assert "1 confirmed codings" in gave.output
    assert zipfile.ZipFile(io.BytesIO(out.read_bytes())).namelist()[0] == "project.qde"
    book = tmp_path / "book.qdc"
    assert run.invoke(app, ["codebook", "export", str(folder), "--out", str(book)]).exit_code == 0
    plain = tmp_path / "codebook.json"
    assert run.invoke(app, ["codebook", "import", str(book), str(plain)]).exit_code == 0
    assert "Safe at home" in plain.read_text("utf-8")
