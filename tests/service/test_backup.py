"""Backups: sealed, whole or not there, made while people work; what comes back has nobody in it who has withdrawn since."""

from __future__ import annotations

import io
import json
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st
from typer.testing import CliRunner

from nlp.deid.cascade import Deidentifier
from service import wiring
from service.cli.main import app
from service.errors import BackupError, KeyFileError
from service.settings import Settings
from service.study.chain import faults, head_file, kept_head
from service.study.copies import rows, tables
from service.study.database import open_database, write
from service.study.jobs import all_jobs, ask
from service.study.snapshot import at_one_moment, copy_of
from service.study.study import Study, find_studies, open_study
from service.study.trail import Wanted, trail
from service.study.voices import all_voices
from service.study.withdrawals import withdrawals
from service.usecases.backup import make_backup, read_backup
from service.usecases.deidentify import deidentify_study
from service.usecases.intake import take_in
from service.usecases.rotate import retire, rotate
from service.usecases.withdraw import withdraw
from service.usecases.withdrawn import read_list
from service.vault import stream
from service.vault.keys import create_key, new_ring
from service.vault.sources import InFile
from service.vault.store import Vault
from service.vault.stream import Opening, Sealing, about_in, about_now
from tests.conftest import NOW, ROOT, Made
from tests.service.reading import quiet

THEIRS = ("Kayleigh", "Thornton", "hedgehog", "marmalade", "lighthouse")
SAID = "I am Kayleigh Thornton. My hedgehog ate the marmalade in the lighthouse every night."
LATER = "2026-02-01T10:00:00.000+00:00"


@pytest.fixture
def heard(
    made: Made, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cascade: Deidentifier
) -> Iterator[Made]:
    """Six people, one of whom will withdraw; a saved profile; commands find the key, and it is January."""
    lines = [f'{i},"i like the garden {"x" * i}",young_person,P{i},' for i in range(5)]
    take(made, tmp_path, [*lines, f'9,"{SAID}",young_person,PX,Kayleigh Thornton'])
    deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=quiet)
    (made.study.folder / "profiles").mkdir()
    (made.study.folder / "profiles" / "form.yaml").write_text("name: form\ntexts: [text]\n", "utf-8")
    monkeypatch.setenv("HEARD_KEY_FOLDER", str(settings.key_folder))
    monkeypatch.setattr("service.cli.backup.now", lambda: LATER)
    wiring.settings.cache_clear()
    yield made
    wiring.settings.cache_clear()


def take(made: Made, folder: Path, lines: list[str]) -> None:
    file = folder / "in.csv"
    file.write_text("\n".join(["id,text,voice,participant,full name", *lines]) + "\n", "utf-8")
    take_in(made.study, file, made.key, now=NOW, keep_raw_days=400, actor="t")


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(w) for w in words])
    return (1 if done.exception else 0), f"{done.stderr}{done.exception or ''}"


def backed_up(made: Made, tmp_path: Path) -> Path:
    file = tmp_path / "backups" / "one.heard"
    file.parent.mkdir(exist_ok=True)
    failed, said = run("backup", made.study.folder, file)
    assert not failed, said
    return file


def person_of(study: Study) -> str:
    query = "SELECT v.participant FROM voices v JOIN clean_texts c ON c.voice = v.id WHERE c.text LIKE '%lighthouse%'"
    return str(study.db.conn.execute(query).fetchone()[0])


def withdraw_them(made: Made, settings: Settings, tmp_path: Path) -> str:
    who = person_of(made.study)
    withdraw(
        made.study, made.key, who, by="Lead", now=LATER, list_file=settings.withdrawn_file_for(made.study.id),
        books=tmp_path / "books",
    )  # fmt: skip
    return who


def left_of(folder: Path) -> list[str]:
    """Their words that any file of the folder holds."""
    content = b"".join(f.read_bytes().lower() for f in folder.rglob("*") if f.is_file())
    return [w for w in THEIRS if w.lower().encode() in content]


def acts(study: Study, action: str) -> list[tuple[str, dict[str, int]]]:
    return [(e.subject, json.loads(e.counts)) for e in trail(study.db, Wanted()) if e.action == action]


def everything(study: Study) -> dict[str, list[dict[str, object]]]:
    left = ("audit", "chain", "words", "worded", "jobs")
    return {t: list(rows(study.db, t)) for t in tables(study.db) if t not in left and not t.startswith("words_")}


def test_what_goes_in_comes_back(heard: Made, tmp_path: Path) -> None:
    file = backed_up(heard, tmp_path)

    failed, said = run("restore", file, tmp_path / "studies" / "back")

    assert not failed and "6 participants, 6 voices" in said and "People withdrawn again: 0." in said
    back = open_study(tmp_path / "studies" / "back")
    assert everything(back) == everything(heard.study)
    ids = [v.id for v in all_voices(back.db)]
    with (
        Vault(back.vault_file, heard.key, back.id) as theirs,
        Vault(heard.study.vault_file, heard.key, back.id) as ours,
    ):
        assert theirs.texts(ids) == ours.texts(ids) and len(ids) == 6
    assert (back.folder / "profiles" / "form.yaml").read_bytes() == (
        heard.study.folder / "profiles" / "form.yaml"
    ).read_bytes()
    assert not faults(back.db, [h for h in [kept_head(head_file(back.folder / "study.db"))] if h])
    assert {stat.S_IMODE(f.stat().st_mode) & 0o077 for f in [file, *back.folder.rglob("*")] if f.is_file()} == {0}
    ((id_, counts),) = acts(heard.study, "backup study")
    assert counts == {"participants": 6, "voices": 6, "decisions": 0}
    assert acts(back, "restore study") == [(id_, {**counts, "withdrawn": 0, "purged": 0, "faults": 0, "list": 1})]
    assert {e.action for e in trail(back.db, Wanted(kind="export"))} == {"restore study"}
    back.db.close()


def test_a_check_opens_all_of_it_writes_nothing_and_goes_on_record(heard: Made, tmp_path: Path) -> None:
    file = backed_up(heard, tmp_path)
    before = sorted(tmp_path.rglob("*"))

    failed, said = run("verify", file, "--for", heard.study.folder)

    assert not failed and "is whole: backup" in said and f"of study {heard.study.id}" in said
    assert sorted(tmp_path.rglob("*")) == before
    assert acts(heard.study, "verify backup") == acts(heard.study, "backup study")


def test_nothing_in_the_file_can_be_read_without_the_key(heard: Made, tmp_path: Path) -> None:
    content = backed_up(heard, tmp_path).read_bytes()

    assert not [w for w in (*THEIRS, "garden", "SQLite", "study.db", "A study") if w.encode() in content]
    assert heard.key.secret not in content


def test_two_databases_are_copied_as_they_were_at_one_moment(tmp_path: Path) -> None:
    files = [tmp_path / "a.db", tmp_path / "b.db"]
    for file in files:
        db = open_database(file)
        db.conn.execute("CREATE TABLE n (n INTEGER)")
        db.close()

    with at_one_moment(files, lambda: "then") as (seen, then):
        for file in files:
            db = open_database(file)
            with write(db) as connection:
                connection.execute("INSERT INTO n VALUES (1)")
            db.close()
        for db, file in zip(seen, files, strict=True):
            copy_of(db, file.with_suffix(".copy"))

    assert then == "then"
    for file in files:
        assert open_database(file).conn.execute("SELECT count(*) FROM n").fetchone()[0] == 1
        assert open_database(file.with_suffix(".copy")).conn.execute("SELECT count(*) FROM n").fetchone()[0] == 0


def test_a_backup_that_fails_leaves_nothing_under_its_name(
    heard: Made, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Sealing) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Sealing, "close", full)
    out = tmp_path / "out" / "one.heard"
    out.parent.mkdir()
    with pytest.raises(OSError, match="No space"):
        make_backup(heard.study, out, heard.key, list_file=settings.withdrawn_file_for(heard.study.id), by="t", now=NOW)

    assert not list(out.parent.iterdir()) and not list(heard.study.folder.glob(".backup*"))
    assert not acts(heard.study, "backup study")


KILLED = """
import os, signal, sys
from pathlib import Path
from service.study.study import open_study
from service.usecases import backup, restore
from service.vault.keys import read_key
owner = {"backup": backup, "restore": restore}[sys.argv[1]]
setattr(owner, sys.argv[2], lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
key = read_key(Path(sys.argv[3]))
now, file = "2026-02-01T10:00:00.000+00:00", Path(sys.argv[5])
if sys.argv[1] == "backup":
    study = open_study(Path(sys.argv[4]))
    backup.make_backup(study, file, key, list_file=Path(sys.argv[3] + ".list"), by="t", now=now)
else:
    restore.restore(file, Path(sys.argv[4]), key, [key], None, list_file=Path(sys.argv[3] + ".list"), books=Path("none"), by="t", now=now)
"""


def kill(*words: object) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, words)], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-500:]


def test_a_backup_that_is_killed_leaves_no_file_of_that_name_and_no_copy_that_outlives_the_next_or_a_withdrawal(
    heard: Made, settings: Settings, tmp_path: Path
) -> None:
    out, key_file = tmp_path / "out" / "one.heard", settings.key_file_for(heard.study.id)
    out.parent.mkdir()
    kill("backup", "read_backup", key_file, heard.study.folder, out)
    assert not out.exists() and list(heard.study.folder.glob(".backup*"))

    make_backup(heard.study, out, heard.key, list_file=tmp_path / "keys" / "list", by="t", now=NOW)
    assert read_backup(out, [heard.key]).counts["voices"] == 6
    assert not list(heard.study.folder.glob(".backup*"))

    kill("backup", "read_backup", key_file, heard.study.folder, tmp_path / "out" / "two.heard")
    withdraw_them(heard, settings, tmp_path)
    assert not list(heard.study.folder.glob(".backup*")) and left_of(heard.study.folder) == []


@pytest.mark.parametrize("step", ["_put", "read_backup", "_withdraw_again", "add_audit"])
def test_a_restore_that_is_killed_leaves_no_study_and_can_be_asked_again(
    heard: Made, settings: Settings, tmp_path: Path, step: str
) -> None:
    file, folder = backed_up(heard, tmp_path), tmp_path / "studies" / "back"
    kill("restore", step, settings.key_file_for(heard.study.id), folder, file)
    assert not folder.exists() and find_studies(folder.parent) == []

    failed, said = run("restore", file, folder)

    assert not failed, said
    assert [p.name for p in folder.parent.iterdir()] == ["back"]


def test_a_backup_never_takes_anothers_place_nor_lies_in_the_study_or_beside_its_key(
    heard: Made, settings: Settings, tmp_path: Path
) -> None:
    file = backed_up(heard, tmp_path)
    before = file.read_bytes()

    assert "is there already" in run("backup", heard.study.folder, file)[1]
    assert "own folder" in run("backup", heard.study.folder, heard.study.folder / "one.heard")[1]
    assert "beside the words that it opens" in run("backup", heard.study.folder, settings.key_folder / "one.heard")[1]
    assert file.read_bytes() == before and not list(settings.key_folder.glob("*.heard"))


def sealed_bytes(plain: bytes) -> tuple[bytes, list[int]]:
    """A sealed file, and where its chunks begin."""
    out = io.BytesIO()
    sealing = Sealing(out, RING, about_now("abc123", RING, NOW))
    start = out.tell()
    sealing.write(plain)
    sealing.close()
    size = stream.CHUNK + 16
    return out.getvalue(), list(range(start, len(out.getvalue()), size))


RING = new_ring()


@tries(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=8))
def test_a_sealed_file_opens_as_it_was_whatever_its_length(pieces: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "CHUNK", 64)
        out = io.BytesIO()
        sealing = Sealing(out, RING, about_now("abc123", RING, NOW))
        for piece in pieces:
            sealing.write(piece)
        sealing.close()

        assert Opening(io.BytesIO(out.getvalue()), [new_ring(), RING]).read() == b"".join(pieces)


SIZE = 64 + 16  # of a chunk in these tests
Tamper = Callable[[bytes, list[int], random.Random], bytes]


def changed(whole: bytes, _: list[int], chance: random.Random) -> bytes:
    at, bit = chance.randrange(len(whole)), 1 << chance.randrange(8)
    return whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :]


def cut(whole: bytes, _: list[int], chance: random.Random) -> bytes:
    return whole[: chance.randrange(len(whole))]


def cut_between_chunks(whole: bytes, starts: list[int], chance: random.Random) -> bytes:
    return whole[: chance.choice(starts)]


def added(whole: bytes, _: list[int], chance: random.Random) -> bytes:
    return whole + chance.randbytes(chance.randint(1, 100))


def moved(whole: bytes, starts: list[int], chance: random.Random) -> bytes:
    one, two = sorted(chance.sample(starts[:-1], 2))
    first, second = whole[one : one + SIZE], whole[two : two + SIZE]
    return whole[:one] + second + whole[one + SIZE : two] + first + whole[two + SIZE :]


def dropped(whole: bytes, starts: list[int], chance: random.Random) -> bytes:
    at = chance.choice(starts[:-1])
    return whole[:at] + whole[at + SIZE :]


def doubled(whole: bytes, starts: list[int], chance: random.Random) -> bytes:
    at = chance.choice(starts)
    return whole[:at] + whole[at : at + SIZE] + whole[at:]


TAMPERINGS: list[Tamper] = [changed, changed, cut, cut_between_chunks, added, moved, dropped, doubled]


def test_a_thousand_tamperings_are_all_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHUNK", SIZE - 16)
    plain, chance = random.Random(1).randbytes(1000), random.Random(2)
    whole, starts = sealed_bytes(plain)

    for number in range(1000):
        spoilt = TAMPERINGS[number % len(TAMPERINGS)](whole, starts, chance)
        assert spoilt != whole
        with pytest.raises((BackupError, KeyFileError)):
            Opening(io.BytesIO(spoilt), [RING]).read()

    assert Opening(io.BytesIO(whole), [RING]).read() == plain


@given(st.binary(max_size=200))
def test_what_is_no_backup_is_refused_as_one(content: bytes) -> None:
    with pytest.raises(BackupError):
        about_in(io.BytesIO(content))
    with pytest.raises(BackupError):
        about_in(io.BytesIO(stream.MARK + len(content).to_bytes(4, "big") + content))


@pytest.mark.parametrize("how", ["changed", "cut", "empty", "text"])
def test_a_spoilt_backup_is_refused_in_one_line_and_nothing_is_made(heard: Made, tmp_path: Path, how: str) -> None:
    file = backed_up(heard, tmp_path)
    content = file.read_bytes()
    middle = len(content) // 2
    spoilt = {
        "changed": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        "cut": content[:-20],
        "empty": b"",
        "text": b"my nan lives at 12 Quiet Street",
    }
    file.write_bytes(spoilt[how])

    for command in (("verify", file), ("restore", file, tmp_path / "studies" / "back")):
        failed, said = run(*command)
        assert failed and ("changed or cut short" in said or "no backup" in said) and "Quiet" not in said
    assert not (tmp_path / "studies").exists() or not list((tmp_path / "studies").iterdir())


def test_keys_missing_wrong_and_retired_are_refused_by_the_keys_id_and_an_older_one_opens(
    heard: Made, settings: Settings, tmp_path: Path
) -> None:
    file, source = backed_up(heard, tmp_path), InFile(settings.key_file_for(heard.study.id))
    folder = tmp_path / "studies" / "back"
    old = heard.key.id
    rotate(heard.study, source, by="t", now=NOW, progress=quiet)
    failed, said = run("restore", file, folder)
    assert not failed and "sealed under an older key: heard vault rotate" in said
    shutil.rmtree(folder)

    retire(heard.study, source, old, beside=[], by="t", now=NOW)
    ring = source.file.read_bytes()
    for spoil in ("retired", "another", "missing", "damaged"):
        source.file.write_bytes(ring)
        if spoil == "another":
            source.file.unlink()
            create_key(source.file)
        elif spoil == "missing":
            source.file.unlink()
        elif spoil == "damaged":
            source.file.write_text("{", "utf-8")
        for command in (("verify", file), ("restore", file, folder)):
            failed, said = run(*command)
            expected = {"missing": "is missing", "damaged": "damaged"}.get(
                spoil, f"under the key {old}, which is not in the key ring"
            )
            assert failed and expected in said and f"of the study {heard.study.id}" in said
    assert not folder.exists()


def test_backups_may_have_a_key_of_their_own(heard: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = tmp_path / "vaulted" / "backups.key"
    monkeypatch.setenv("HEARD_BACKUP_KEY_FILE", str(ring))
    wiring.settings.cache_clear()
    file = backed_up(heard, tmp_path)

    assert ring.exists() and about_in(file.open("rb")).key != heard.key.id
    with pytest.raises(KeyFileError, match="not in the key ring"):
        read_backup(file, [heard.key])
    assert not run("restore", file, tmp_path / "studies" / "back")[0]


def test_who_has_withdrawn_since_is_withdrawn_again(heard: Made, settings: Settings, tmp_path: Path) -> None:
    file = backed_up(heard, tmp_path)
    who = withdraw_them(heard, settings, tmp_path)

    failed, said = run("restore", file, tmp_path / "studies" / "back")

    assert not failed and "People withdrawn again: 1." in said and "The list goes to 2026-02-01" in said
    back = open_study(tmp_path / "studies" / "back")
    assert left_of(tmp_path / "studies") == [] and len(all_voices(back.db)) == 5
    (receipt,) = withdrawals(back.db)
    assert receipt.participant == who and len(receipt.voices) == 1
    assert acts(back, "restore study")[0][1]["withdrawn"] == 1
    assert not faults(back.db, [])
    assert [g.action for g in withdrawals(heard.study.db)[0].given_out] == ["backup study"]
    back.db.close()


def test_who_came_after_the_backup_and_withdrew_does_not_come_in_again(
    heard: Made, settings: Settings, tmp_path: Path, cascade: Deidentifier
) -> None:
    file = backed_up(heard, tmp_path)
    take(heard, tmp_path, ['77,"a zebra came into the kitchen",young_person,PZ,'])
    deidentify_study(heard.study, heard.key, cascade, now=NOW, actor="t", progress=quiet)
    who = heard.study.db.conn.execute(
        "SELECT participant FROM voices v JOIN clean_texts c ON c.voice = v.id WHERE text LIKE '%zebra%'"
    ).fetchone()[0]
    withdraw(
        heard.study, heard.key, who, by="Lead", now=LATER, list_file=settings.withdrawn_file_for(heard.study.id),
        books=tmp_path / "books",
    )  # fmt: skip
    run("restore", file, tmp_path / "studies" / "back")

    back = open_study(tmp_path / "studies" / "back")
    take(Made(back, heard.key), tmp_path, ['77,"a zebra came into the kitchen",young_person,PZ,'])

    assert len(all_voices(back.db)) == 6 and [w.participant for w in withdrawals(back.db)] == [who]
    back.db.close()


def test_no_list_no_restore_unless_somebody_answers_for_it(heard: Made, settings: Settings, tmp_path: Path) -> None:
    file, folder = backed_up(heard, tmp_path), tmp_path / "studies" / "back"
    withdraw_them(heard, settings, tmp_path)
    settings.withdrawn_file_for(heard.study.id).unlink()

    failed, said = run("restore", file, folder)
    assert failed and "nobody can tell who has withdrawn" in said and not folder.exists()

    failed, said = run("restore", file, folder, "--without-list")
    assert not failed and f"whoever has withdrawn since {LATER[:16]} is in the study again" in said
    back = open_study(folder)
    assert len(all_voices(back.db)) == 6 and acts(back, "restore study")[0][1]["list"] == 0
    back.db.close()


def test_the_list_may_be_a_copy_or_the_study_itself(heard: Made, settings: Settings, tmp_path: Path) -> None:
    file, kept = backed_up(heard, tmp_path), settings.withdrawn_file_for(heard.study.id)
    withdraw_them(heard, settings, tmp_path)
    copy = tmp_path / "safe.json"
    kept.rename(copy)

    for number, place in enumerate((copy, heard.study.folder)):
        failed, said = run("restore", file, tmp_path / "studies" / f"back-{number}", "--withdrawals", place)
        assert not failed and "People withdrawn again: 1." in said, said
    assert left_of(tmp_path / "studies") == []
    held = read_list(kept)  # the fresh machine has one from now on
    assert held is not None and len(held.participants) == 1


def older(copy: Path, _: Made) -> None:
    copy.write_text(json.dumps({**json.loads(copy.read_text("utf-8")), "as_of": NOW}), "utf-8")


def of_before(copy: Path, _: Made) -> None:
    copy.write_text("[]", "utf-8")


def of_another(copy: Path, _: Made) -> None:
    copy.write_text(json.dumps({"study": "fedcba", "as_of": LATER, "withdrawn": []}), "utf-8")


def spoilt(copy: Path, _: Made) -> None:
    copy.write_text('{"study": "x"', "utf-8")


def gone(copy: Path, _: Made) -> None:
    copy.unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (older, "older than the backup"), (of_before, "older than the backup"), (of_another, "another study's"),
        (spoilt, "damaged"), (gone, "there is no list"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_tell_who_has_withdrawn_since_is_refused(
    heard: Made, settings: Settings, tmp_path: Path, spoil: Callable[[Path, Made], None], words: str
) -> None:
    file, copy = backed_up(heard, tmp_path), tmp_path / "copy.json"
    shutil.copy(settings.withdrawn_file_for(heard.study.id), copy)
    spoil(copy, heard)

    failed, said = run("restore", file, tmp_path / "studies" / "back", "--withdrawals", copy)

    assert failed and words in said
    assert not (tmp_path / "studies" / "back").exists()


def test_raw_words_past_their_date_do_not_come_back_and_jobs_do_not_go_on(heard: Made, tmp_path: Path) -> None:
    job = ask(heard.study.db, "suggest", {}, by="t", now=NOW).id
    file = backed_up(heard, tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.cli.backup.now", lambda: "2028-01-01T10:00:00.000+00:00")
        failed, said = run("restore", file, tmp_path / "studies" / "back")

    assert not failed and "6 raw texts were destroyed" in said
    back = open_study(tmp_path / "studies" / "back")
    with Vault(back.vault_file, heard.key, back.id) as vault:
        assert vault.texts([v.id for v in all_voices(back.db)]) == {}
    assert [(j.id, j.state) for j in all_jobs(back.db)] == [(job, "cancelled")]
    back.db.close()


def test_a_record_that_was_cut_short_before_the_backup_is_told(heard: Made, tmp_path: Path) -> None:
    kept = head_file(heard.study.folder / "study.db")
    held = kept_head(kept)
    assert held is not None
    db = open_database(heard.study.folder / "study.db")
    db.conn.execute("DROP TRIGGER chain_no_delete")
    db.conn.execute("DELETE FROM chain WHERE seq = (SELECT max(seq) FROM chain)")
    db.conn.commit()
    db.close()
    file = backed_up_without_writing(heard, tmp_path)

    _, said = run("restore", file, tmp_path / "studies" / "back")

    assert f"NOT WHOLE when the backup was made: entry {held.count}: it is missing" in said


def backed_up_without_writing(made: Made, tmp_path: Path) -> Path:
    file = tmp_path / "backups" / "one.heard"
    file.parent.mkdir(exist_ok=True)
    settings = wiring.settings()
    make_backup(made.study, file, made.key, list_file=settings.withdrawn_file_for(made.study.id), by="t", now=LATER)
    return file


def test_a_backup_of_a_newer_version_is_refused(heard: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.usecases.backup.shape", lambda _: "m999_of_the_future")
    file = backed_up(heard, tmp_path)

    failed, said = run("restore", file, tmp_path / "studies" / "back")

    assert failed and "newer version" in said and not (tmp_path / "studies" / "back").exists()


def test_a_folder_that_holds_something_is_left_alone(heard: Made, tmp_path: Path) -> None:
    file = backed_up(heard, tmp_path)
    before = {f: f.read_bytes() for f in heard.study.folder.rglob("*") if f.is_file()}

    failed, said = run("restore", file, heard.study.folder)

    assert failed and "holds something" in said
    assert {f: f.read_bytes() for f in heard.study.folder.rglob("*") if f.is_file()} == before


def test_the_documented_steps_bring_a_study_to_a_fresh_machine(heard: Made, settings: Settings, tmp_path: Path) -> None:
    """Every line of the two shell blocks of docs/backups.md, in a home that knows nothing of the first."""
    making, fresh = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "backups.md").read_text("utf-8"), re.DOTALL)
    first, second = tmp_path / "first", tmp_path / "second"
    shutil.copytree(heard.study.folder, first / "studies" / "harrogate")
    shutil.copytree(settings.key_folder, first / ".config" / "heard" / "keys")
    second.mkdir()
    for place in ("backups", "safe", "bin"):
        (tmp_path / place).mkdir()
    program = tmp_path / "bin" / "heard"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m service "$@"\n', "utf-8")
    program.chmod(0o700)

    def at(home: Path, steps: str) -> str:
        lines = steps.replace("/mnt/", f"{tmp_path}/")
        env = {"HOME": str(home), "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(["bash", "-euc", lines], cwd=home, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    at(first, making)
    shutil.rmtree(first)  # the first machine is gone
    said = at(second, fresh)

    assert "harrogate: " in said and "entries, whole" in said and "seals now" in said
    back = open_study(second / "studies" / "harrogate")
    assert len(all_voices(back.db)) == 6
    with Vault(back.vault_file, heard.key, back.id) as vault:
        assert any("marmalade" in words for words in vault.texts([v.id for v in all_voices(back.db)]).values())
    back.db.close()
