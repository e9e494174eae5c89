"""A whole study leaves and comes back: every table or a reason why not, the same bytes, and nothing that was tampered with."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from service import wiring
from service.cli.main import app
from service.errors import GateError, ServiceError, StudyError
from service.study.copies import columns, empty_study, fill, rows, shape, tables
from service.study.database import write
from service.study.migrations import migrations
from service.study.study import Study, open_study
from service.usecases.check import accept_risk
from service.usecases.export_study import export_study, import_study
from service.usecases.study_files import GOES, STAYS
from tests.conftest import NOW, Made, give_passport
from tests.service.bare import bare_study

LATER = "2026-02-01T10:00:00.000+00:00"
ALLOWED = {
    ("memos", "object"): "study", ("memos", "kind"): "note", ("flags", "kind"): "discuss", ("checks", "part"): "sample",
    ("candidate_acts", "act"): "adopt", ("code_changes", "turn"): "split", ("judgements", "fit"): "silence",
    ("rounds", "kind"): "review", ("rounds", "unit"): "segment", ("decisions", "action"): "skip",
}  # fmt: skip
PLAIN: dict[str, object] = {"TEXT": "“it’s” 😀\u2028\n=1", "BLOB": "AP8=", "INTEGER": 1, "REAL": 0.1}


def with_a_row_in_every_table(study: Study) -> None:
    """Where a table is empty, a row that its rules allow."""
    with write(study.db) as connection:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        for table in GOES:
            if next(rows(study.db, table), None) is None:
                named = columns(study.db, table)
                targets = {c.name: c.points_to.split(".") for c in named if c.points_to}
                held = {to: next(rows(study.db, to), {}) for to, _ in targets.values()}
                row = {c.name: ALLOWED.get((table, c.name), PLAIN[c.type]) for c in named}
                row |= {name: held[to][field] for name, (to, field) in targets.items() if held[to]}
                fill(connection, table, [row])


@pytest.fixture
def study(tmp_path: Path) -> Study:
    made = bare_study(tmp_path / "study", [["The door 😀 “slams”.", "Tea."], ["Then\nthe damp."], ["Waits here."]])
    with write(made.db) as connection:
        connection.execute("UPDATE clean_texts SET held = 'pl' WHERE text = 'Waits here.'")
    accept_risk(made, person="A tester", reason="The people in these tests are fictional.", now=NOW)
    give_passport(made)
    with_a_row_in_every_table(made)
    return made


def exported(study: Study, out: Path, **how: bool) -> Path:
    export_study(study, out, person="Lead", now=LATER, **how)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_every_table_leaves_or_is_named_as_left_out_with_why(study: Study, tmp_path: Path) -> None:
    assert set(tables(study.db)) == GOES.keys() | STAYS.keys(), "a new table: say in study_files whether it leaves"
    assert not GOES.keys() & STAYS.keys()
    out = exported(study, tmp_path / "out")
    words = (out / "README.md").read_text("utf-8")
    assert all(f"| {table}.jsonl |" in words for table in GOES)
    assert all(f"`{table}`" in words for table in STAYS)


def test_export_import_export_gives_the_same_files_but_for_the_ledger_line_of_each_act(
    study: Study, tmp_path: Path
) -> None:
    first = exported(study, tmp_path / "first")
    back, _ = import_study(first, tmp_path / "back", person="Lead", now=LATER)
    again = exported(back, tmp_path / "again")
    before, after = contents(first), contents(again)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"audit.jsonl", "manifest.json", "README.md"}
    came = after["audit.jsonl"].removeprefix(before["audit.jsonl"]).splitlines()
    assert [json.loads(line)["action"] for line in came] == ["import.study"]
    assert all(before[f"{table}.jsonl"] for table in GOES)
    assert (
        export_study(study, tmp_path / "x.zip", person="L", now=NOW).rows["audit"]
        == len(before["audit.jsonl"].splitlines()) + 1
    )


def test_every_line_fits_the_schema_that_lies_beside_it(study: Study, tmp_path: Path) -> None:
    out = exported(study, tmp_path / "out")
    every = json.loads((out / "schema.json").read_text("utf-8"))["$defs"]
    for table in GOES:
        for line in (out / f"{table}.jsonl").read_text("utf-8").split("\n")[:-1]:
            jsonschema.validate(json.loads(line), every[table])
    assert every["decisions"]["properties"]["segment"]["x-references"] == "segments.id"


def test_a_zip_and_a_folder_hold_the_same_and_the_same_study_gives_the_same_zip(study: Study, tmp_path: Path) -> None:
    with write(study.db) as connection:  # an export is itself on record, so hold the ledger still
        connection.execute("CREATE TRIGGER still BEFORE INSERT ON audit BEGIN SELECT RAISE(IGNORE); END")
    folder = exported(study, tmp_path / "out")
    one, two = exported(study, tmp_path / "one.zip"), exported(study, tmp_path / "two.zip")
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == contents(folder)
    back, _ = import_study(one, tmp_path / "back", person="Lead", now=LATER)
    assert back.title == study.title


def test_words_of_a_voice_that_waits_for_a_person_stay_and_it_still_waits_when_it_comes_back(
    study: Study, tmp_path: Path
) -> None:
    out = exported(study, tmp_path / "out")
    assert not any(b"Waits here" in content for content in contents(out).values())
    assert (
        json.loads((out / "manifest.json").read_text("utf-8"))["left out"]["words of voices that wait for a person"]
        == 1
    )
    back, done = import_study(out, tmp_path / "back", person="Lead", now=LATER)
    assert done.waiting == 1
    assert back.db.conn.execute("SELECT count(*) FROM clean_texts WHERE held <> '' AND text = ''").fetchone()[0] == 1


def test_what_came_back_can_be_searched_and_its_records_are_still_append_only(study: Study, tmp_path: Path) -> None:
    back, _ = import_study(exported(study, tmp_path / "out"), tmp_path / "back", person="Lead", now=LATER)
    found = back.db.conn.execute("SELECT count(*) FROM words WHERE words MATCH 'damp'").fetchone()[0]
    assert found == 1
    with pytest.raises(ServiceError, match="append-only"), write(back.db) as connection:
        connection.execute("DELETE FROM decisions")


def damage(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        (folder / name).write_bytes(change((folder / name).read_bytes()))

    return do


def manifest(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        about = json.loads((folder / "manifest.json").read_text("utf-8"))
        change(about)
        (folder / "manifest.json").write_text(json.dumps(about), "utf-8")

    return do


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (damage("decisions.jsonl", lambda c: c[:-5]), r"decisions\.jsonl: it is cut short"),
        (damage("voices.jsonl", lambda c: c.replace(b"Harrogate", b"Harrogatf")), r"voices\.jsonl: it is not as it was"),
        (damage("memos.jsonl", lambda c: c + b"{}\n"), r"memos\.jsonl: it is not as it was"),
        (damage("manifest.json", lambda c: c[: len(c) // 2]), "not readable as a manifest"),
        (lambda f: (f / "rounds.jsonl").unlink(), r"rounds\.jsonl: the manifest names this file and it is missing"),
        (lambda f: (f / "manifest.json").unlink(), r"holds no manifest\.json"),
        (lambda f: (f / "more.jsonl").write_text("{}\n"), r"more\.jsonl: the manifest does not name"),
        (manifest(lambda a: a.update(shape="m999_later")), "newer version of Heard"),
        (manifest(lambda a: a.update(format="something")), "no export of a study"),
        (manifest(lambda a: a["files"].update({"../x": {"sha256": "", "bytes": 0}})), r"\.\./x: the manifest names"),
    ],
)  # fmt: skip
def test_a_file_that_was_changed_cut_lost_or_added_is_named_and_no_study_is_made(
    study: Study, tmp_path: Path, harm: Callable[[Path], None], told: str
) -> None:
    out = exported(study, tmp_path / "out")
    harm(out)
    with pytest.raises(ServiceError, match=told):
        import_study(out, tmp_path / "back", person="Lead", now=LATER)
    assert not (tmp_path / "back").exists()


def rewritten(folder: Path, table: str, lines: list[dict[str, object]]) -> None:
    """A table with other rows and a manifest that agrees."""
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    (folder / f"{table}.jsonl").write_bytes(content)
    about = json.loads((folder / "manifest.json").read_text("utf-8"))
    about["files"][f"{table}.jsonl"] = {
        "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "rows": len(lines)
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(about), "utf-8")


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        ("participants", []),
        ("study", [{"id": "x"}]),
        ("flags", [{"seq": 1, "segment": "none", "kind": "discuss", "by": "A", "at": NOW}]),
        ("flags", [{"seq": "words", "segment": "none", "kind": "discuss", "by": "A", "at": NOW}]),
        ("passports", [{"seq": 1, "content": "{}", "by": "A", "at": NOW}]),
        ("flags", [{"seq": 2**70, "segment": "none", "kind": "discuss", "by": "A", "at": NOW}]),
    ],
)
def test_rows_that_do_not_fit_together_are_refused_though_the_manifest_agrees(
    study: Study, tmp_path: Path, table: str, lines: list[dict[str, object]]
) -> None:
    out = exported(study, tmp_path / "out")
    rewritten(out, table, lines)
    with pytest.raises(ServiceError):
        import_study(out, tmp_path / "back", person="Lead", now=LATER)
    assert not (tmp_path / "back").exists()


def test_an_export_of_an_earlier_shape_comes_in_and_is_brought_to_the_newest(study: Study, tmp_path: Path) -> None:
    out, earlier = exported(study, tmp_path / "out"), empty_study(tmp_path / "earlier", "m013_joint_display")
    for table in GOES:
        held = [json.loads(line) for line in (out / f"{table}.jsonl").read_text("utf-8").split("\n")[:-1]]
        fields = {c.name for c in columns(earlier, table)}
        rewritten(out, table, [{k: v for k, v in row.items() if k in fields} for row in held])
    about = json.loads((out / "manifest.json").read_text("utf-8"))
    about["shape"] = "m013_joint_display"
    for table in GOES.keys() - set(tables(earlier)):
        del about["files"][f"{table}.jsonl"]
        (out / f"{table}.jsonl").unlink()
    (out / "manifest.json").write_text(json.dumps(about), "utf-8")
    back, _ = import_study(out, tmp_path / "back", person="Lead", now=LATER)
    assert shape(back.db) == shape(study.db)
    assert not migrations.pending(back.db)
    assert next(rows(back.db, "flag_ends"))["note"] == ""


def test_an_export_never_takes_the_place_of_anything_and_needs_the_check(
    study: Study, shut: Made, tmp_path: Path
) -> None:
    out = exported(study, tmp_path / "out")
    with pytest.raises(StudyError, match="is there already"):
        exported(study, out)
    with pytest.raises(StudyError, match="already a study"):
        import_study(out, study.folder, person="Lead", now=LATER)
    assert study.db.conn.execute("SELECT count(*) FROM voices").fetchone()[0] == 4
    with pytest.raises(GateError):
        exported(shut.study, tmp_path / "no")
    assert {p.name for p in tmp_path.iterdir()} >= {"out"}
    assert not (tmp_path / "no").exists()


def test_by_command_with_the_vault_sealed_and_opened_by_its_key_alone(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, out = CliRunner(), str(tmp_path / "out.zip")
    done = run.invoke(app, ["export", "study", str(made.study.folder), out, "--with-vault"])
    assert done.exit_code == 0, done.output
    wiring.settings.cache_clear()
    monkeypatch.setenv("HEARD_KEY_FOLDER", str(tmp_path / "elsewhere"))
    came = run.invoke(app, ["import", "study", out, str(tmp_path / "sealed")])
    assert "Its vault is sealed" in came.output
    wiring.settings.cache_clear()
    monkeypatch.setenv("HEARD_KEY_FOLDER", str(tmp_path / "keys"))
    opened = run.invoke(app, ["import", "study", out, str(tmp_path / "opened")])
    wiring.settings.cache_clear()
    assert (opened.exit_code, "sealed" in opened.output) == (0, False)
    assert open_study(tmp_path / "opened").id == made.study.id


def test_without_the_vault_the_study_that_comes_back_has_an_empty_one_of_its_own(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiring.settings.cache_clear()
    monkeypatch.setenv("HEARD_KEY_FOLDER", str(tmp_path / "keys"))
    out = exported(study, tmp_path / "out")
    came = CliRunner().invoke(app, ["import", "study", str(out), str(tmp_path / "back")])
    assert came.exit_code == 0, came.output
    back = open_study(tmp_path / "back")
    assert wiring.key_of(back)
    assert back.vault_file.exists()
    wiring.settings.cache_clear()
