"""A study's key ring: where it comes from, what it refuses, and a rotation that may be killed at any moment."""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import ValidationError
from typer.testing import CliRunner

from service import wiring
from service.cli.main import app
from service.errors import KeyFileError
from service.settings import Settings
from service.study.database import open_database, write
from service.study.study import Study
from service.study.trail import Wanted, trail
from service.usecases.rotate import retire, rotate
from service.vault.cipher import key_named, named
from service.vault.keys import Key, Master, as_text, create_key, derive, from_text, read_key
from service.vault.rotation import FIELDS, Rotation
from service.vault.sources import InFile
from service.vault.store import RawVoice, Vault, migrations
from tests.conftest import NOW, ROOT, Made
from tests.service.reading import quiet

VOICES = 40


def words_of(number: int) -> str:
    return f"my nan Philomena lives at {number} Quiet Street"


def fill(made: Made, first: int = 0, count: int = VOICES) -> None:
    with Vault(made.study.vault_file, made.key, made.study.id) as vault:
        put(vault, first, count)


def put(vault: Vault, first: int = 0, count: int = VOICES) -> None:
    numbers = range(first, first + count)
    vault.put([RawVoice(f"v-{n}", words_of(n), f"record-{n}", f"person-{n}", "2099-01-01") for n in numbers])
    vault.put_offset_maps([(f"v-{n}", [(7, 16, 7, 17)]) for n in numbers])
    vault.put_ledgers({f"p-{n}": {"digest": "[Nan 1]"} for n in numbers})


def require_whole(made: Made, key: Key) -> None:
    """Every field opens with the ring, and says what went in."""
    ids = [f"v-{n}" for n in range(VOICES)]
    with Vault(made.study.vault_file, key, made.study.id) as vault:
        assert vault.texts(ids) == {f"v-{n}": words_of(n) for n in range(VOICES)}
        assert set(vault.known_people(ids)) == set(ids)
        assert [vault.offset_map(v, 1) for v in ids] == [[(7, 16, 7, 17)]] * VOICES
        assert len(vault.ledgers([f"p-{n}" for n in range(VOICES)])) == VOICES


def source_of(made: Made, settings: Settings) -> InFile:
    return InFile(settings.key_file_for(made.study.id))


def acts(made: Made) -> list[tuple[str, str]]:
    rows = made.study.db.conn.execute(
        "SELECT action, subject FROM audit WHERE action LIKE '%key' OR action LIKE '%seal%'"
    )
    return [tuple(row) for row in rows]


@pytest.fixture
def heard(made: Made, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """The study with sealed fields, and commands that find its key."""
    fill(made)
    monkeypatch.setenv("HEARD_KEY_FOLDER", str(settings.key_folder))
    wiring.settings.cache_clear()
    yield made
    wiring.settings.cache_clear()


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return (1 if done.exception else 0), f"{done.stderr}{done.exception or ''}"


def printed(*words: str) -> str:
    return CliRunner().invoke(app, list(words)).stdout


def test_a_rotation_seals_every_field_anew_and_leaves_names_and_words(heard: Made, settings: Settings) -> None:
    before = read_key(settings.key_file_for(heard.study.id))

    failed, said = run("vault", "rotate", str(heard.study.folder))

    ring = read_key(settings.key_file_for(heard.study.id))
    assert not failed and f"{4 * VOICES} fields were sealed under the key {ring.id}" in said
    assert ring.id != before.id and [m.id for m in ring.older] == [before.id]
    assert ring.pseudonym("p", "4711") == before.pseudonym("p", "4711")
    assert ring.derive("surrogates/x") == before.derive("surrogates/x")
    require_whole(heard, ring)
    with Rotation(heard.study.vault_file, ring, heard.study.id) as vault:
        assert vault.counts() == {before.id: 0, ring.id: 4 * VOICES}
    assert acts(heard) == [("rotate key", ring.id), ("reseal vault", ring.id)]
    assert {e.action for e in trail(heard.study.db, Wanted(kind="settings"))} >= {"rotate key", "reseal vault"}
    content = b"".join(p.read_bytes() for p in heard.study.folder.glob("vault.db*"))
    assert named(before.id) not in content and named(ring.id) in content


def test_the_keys_are_listed_by_id_alone(heard: Made, settings: Settings) -> None:
    old = heard.key.id
    run("vault", "rotate", str(heard.study.folder))
    ring = read_key(settings.key_file_for(heard.study.id))

    listed = printed("vault", "keys", str(heard.study.folder))

    assert listed.splitlines() == [f"{old}: 0 fields, can be retired", f"{ring.id}: 160 fields, seals now"]


KILLS = {
    "the new ring is in its file": "keys.replace_key.after",
    "the vault has taken the key up": "rotation.Rotation.take_up.after",
    "the first batch is being sealed": "rotation.Rotation._anew.after",
    "batches are half done": "rotation.Rotation._next.after.7",
    "the file is being written anew": "rotation.scrub.before",
    "all is done but the record": "rotation.Rotation.reseal.after",
}
KILLED = """
import functools, os, signal, sys
from service import wiring
from service.study.study import open_study
from service.usecases import rotate
from service.vault import rotation, sources
from service.vault.keys import Key
from pathlib import Path

folder, key_file, place = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
rotation.BATCH = 10
module, *names, when = place.split(".")
times = 1
if when.isdigit():
    *names, when, times = *names[:-1], names[-1], int(when)
owner = {"keys": sources, "rotation": rotation}[module]
for name in names[:-1]:
    owner = getattr(owner, name)
real, calls = getattr(owner, names[-1]), []

@functools.wraps(real)
def killing(*given, **named):
    if when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    done = real(*given, **named)
    calls.append(1)
    if len(calls) == times:
        os.kill(os.getpid(), signal.SIGKILL)
    return done

setattr(owner, names[-1], killing)
rotate.rotate(open_study(folder), sources.InFile(key_file), by="t", now="2026-01-15T10:00:00.000+00:00", progress=lambda *_: None)
"""


@pytest.mark.parametrize("place", KILLS.values(), ids=list(KILLS))
def test_a_rotation_killed_at_any_moment_loses_nothing_and_goes_on(heard: Made, settings: Settings, place: str) -> None:
    source, old = source_of(heard, settings), heard.key
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(heard.study.folder), str(source.file), place],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-500:]

    require_whole(heard, source.read())
    done = rotate(heard.study, source, by="t", now=NOW, progress=quiet)

    ring = source.read()
    assert done.finished_earlier and done.key_id == ring.id
    assert [m.id for m in ring.older] == [old.id]  # one new key, not one for each try
    require_whole(heard, ring)
    with Rotation(heard.study.vault_file, ring, heard.study.id) as vault:
        assert vault.counts() == {old.id: 0, ring.id: 4 * VOICES}
    assert acts(heard) == [("rotate key", ring.id), ("reseal vault", ring.id)]


def test_what_is_sealed_while_a_rotation_runs_opens_and_is_sealed_anew_by_the_next(
    heard: Made, settings: Settings
) -> None:
    source = source_of(heard, settings)
    with Vault(heard.study.vault_file, heard.key, heard.study.id) as late:  # opened before, with the ring of then
        rotate(heard.study, source, by="t", now=NOW, progress=quiet)
        put(late, count=1)
    ring = source.read()
    require_whole(heard, ring)

    with pytest.raises(KeyFileError, match=r"4 fields .*nothing was retired"):
        retire(heard.study, source, heard.key.id, beside=[], by="t", now=NOW)
    assert rotate(heard.study, source, by="t", now=NOW, progress=quiet).fields == 4
    assert source.read().id == ring.id


def test_a_retired_key_is_gone_for_good_and_seals_nothing_more(heard: Made, settings: Settings) -> None:
    source, old = source_of(heard, settings), heard.key
    with Vault(heard.study.vault_file, old, heard.study.id) as late:
        rotate(heard.study, source, by="t", now=NOW, progress=quiet)
        failed, said = run("vault", "retire", str(heard.study.folder), old.id, "--yes")
        assert not failed and "Destroy the copies" in said and "stays in the ring" not in said

        with pytest.raises(KeyFileError, match="rotated away"):
            put(late, count=1)

    assert [m.id for m in source.read().masters] == [source.read().id]
    assert old.secret not in source.file.read_bytes()
    require_whole(heard, source.read())
    assert acts(heard)[-1] == ("retire key", old.id)
    with pytest.raises(KeyFileError, match="rotated away"):
        Vault(heard.study.vault_file, old, heard.study.id)


@pytest.mark.parametrize("which", ["active", "unknown"])
def test_a_key_in_use_or_unknown_is_not_retired(heard: Made, which: str) -> None:
    key_id = heard.key.id if which == "active" else "ffffffff"

    failed, said = run("vault", "retire", str(heard.study.folder), key_id, "--yes")

    assert failed and ("nothing was retired" in said or "there is no key ffffffff" in said)
    require_whole(heard, wiring.key_of(heard.study))


def test_a_key_that_another_study_is_sealed_under_is_not_retired(heard: Made, settings: Settings) -> None:
    source = source_of(heard, settings)
    beside = heard.study.folder.parent / "other" / "vault.db"
    beside.parent.mkdir()
    Vault(beside, heard.key, "another").close()
    rotate(heard.study, source, by="t", now=NOW, progress=quiet)

    failed, said = run("vault", "retire", str(heard.study.folder), heard.key.id, "--yes")

    assert failed and "the study “other” is sealed under the key" in said
    assert heard.key.id in {m.id for m in source.read().masters}


def test_a_field_that_does_not_open_stops_a_rotation_by_name_and_both_keys_stay(
    heard: Made, settings: Settings
) -> None:
    source = source_of(heard, settings)
    vault = open_database(heard.study.vault_file)
    with write(vault) as connection:
        connection.execute("UPDATE raw SET source = text WHERE voice = 'v-7'")
    vault.close()

    with pytest.raises(KeyFileError, match=r"raw\.source of v-7"):
        rotate(heard.study, source, by="t", now=NOW, progress=quiet)

    assert [m.id for m in source.read().older] == [heard.key.id]
    assert acts(heard)[-1] == ("stop resealing", source.read().id)
    with Vault(heard.study.vault_file, source.read(), heard.study.id) as vault:
        assert vault.texts(["v-7"]) == {"v-7": words_of(7)}


def test_a_log_that_cannot_be_emptied_is_told(heard: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.study.database.CHECKPOINT_TRIES", 1)
    reader = open_database(heard.study.vault_file)
    reader.conn.execute("BEGIN")
    reader.conn.execute("SELECT count(*) FROM raw").fetchone()

    failed, said = run("vault", "rotate", str(heard.study.folder))

    reader.close()
    assert not failed and "Somebody was reading" in said


def test_two_rotations_at_once_make_one_key(heard: Made, settings: Settings) -> None:
    source = source_of(heard, settings)
    with Rotation(heard.study.vault_file, heard.key, heard.study.id) as second:
        first = rotate(heard.study, source, by="t", now=NOW, progress=quiet).key_id

        assert second.exchange(source.read, source.keep).id == first


def old_form(made: Made, key: Key) -> None:
    """The vault as the version before the ring made it: fields that name no key."""
    for file in made.study.folder.glob("vault.db*"):
        file.unlink()
    aes, study = AESGCM(derive(key.secret, f"vault/{made.study.id}")), made.study.id

    def sealed(words: str, *place: str) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + aes.encrypt(nonce, words.encode(), "\x1f".join((study, *place)).encode())

    db = open_database(made.study.vault_file)
    migrations.apply(db, stop_before=["m003_key_ring"])
    with write(db) as connection:
        connection.execute("INSERT INTO seal VALUES (1, ?, ?)", (key.id, sealed(study, "seal", "proof", "1")))
        for n in range(VOICES):
            v, source = f"v-{n}", json.dumps([f"record-{n}", f"person-{n}"])
            connection.execute(
                "INSERT INTO raw VALUES (?, ?, ?, '2099-01-01')",
                (v, sealed(words_of(n), "raw", "text", v), sealed(source, "raw", "source", v)),
            )
            connection.execute(
                "INSERT INTO offset_maps VALUES (?, 1, ?)",
                (v, sealed("[[7, 16, 7, 17]]", "offset_maps", "map", f"{v}.1")),
            )
            connection.execute(
                "INSERT INTO ledgers VALUES (?, ?)", (f"p-{n}", sealed("{}", "ledgers", "ledger", f"p-{n}"))
            )
    db.close()


def test_a_single_key_of_the_first_form_opens_what_it_sealed_and_becomes_a_ring(
    heard: Made, settings: Settings
) -> None:
    file, secret = settings.key_file_for(heard.study.id), secrets.token_bytes(32)
    file.write_text(json.dumps({"heard_key": "0a1b2c3d", "secret": base64.b64encode(secret).decode()}), "utf-8")
    single = read_key(file)
    old_form(heard, single)
    require_whole(heard, single)

    failed, said = run("vault", "rotate", str(heard.study.folder))

    ring = read_key(file)
    assert not failed and "160 fields" in said
    assert ring.pseudonym("p", "4711") == single.pseudonym("p", "4711")
    require_whole(heard, ring)
    assert "stays in the ring" in run("vault", "retire", str(heard.study.folder), "0a1b2c3d", "--yes")[1]
    require_whole(heard, read_key(file))
    assert read_key(file).pseudonym("p", "4711") == single.pseudonym("p", "4711")


def test_every_sealed_column_is_one_that_a_rotation_knows(heard: Made) -> None:
    db = open_database(heard.study.vault_file)
    tables = [
        r["name"] for r in db.conn.execute("PRAGMA table_list") if not r["name"].startswith(("sqlite_", "_sqlite"))
    ]
    sealed = {(t, c["name"]) for t in tables for c in db.conn.execute(f"PRAGMA table_info({t})") if c["type"] == "BLOB"}

    assert sealed - {("seal", "proof")} == {(f.table, f.column) for f in FIELDS}
    db.close()


def test_a_field_names_its_key_and_a_changed_name_opens_nothing(heard: Made) -> None:
    db = open_database(heard.study.vault_file)
    field = db.conn.execute("SELECT text FROM raw WHERE voice = 'v-1'").fetchone()[0]
    assert key_named(field) == heard.key.id
    other = field.replace(heard.key.id.encode(), b"ffffffff")
    with write(db) as connection:
        connection.execute("UPDATE raw SET text = ? WHERE voice = 'v-1'", (other,))
    db.close()

    with (
        Vault(heard.study.vault_file, heard.key, heard.study.id) as vault,
        pytest.raises(KeyFileError, match="under the key ffffffff, which is not in the key ring"),
    ):
        vault.texts(["v-1"])


def missing(file: Path, _: Made) -> None:
    file.unlink()


def truncated(file: Path, _: Made) -> None:
    file.write_text(file.read_text("utf-8")[:60], "utf-8")


def shortened(file: Path, made: Made) -> None:
    file.write_text(as_text(Key(made.key.id, made.key.secret[:20], names=made.key.names)), "utf-8")


def of_another_study(file: Path, _: Made) -> None:
    file.unlink()
    create_key(file)


def wrong_secret(file: Path, made: Made) -> None:
    file.write_text(as_text(Key(made.key.id, b"0" * 32, names=made.key.names)), "utf-8")


def rotated_away(file: Path, made: Made) -> None:
    before = file.read_bytes()
    rotate(made.study, InFile(file), by="t", now=NOW, progress=quiet)
    file.write_bytes(before)


REFUSED = [
    (missing, "missing", "is missing"),
    (truncated, "damaged", "damaged"),
    (shortened, "damaged", "cut short"),
    (of_another_study, "wrong", "it is the wrong key, or another study's"),
    (wrong_secret, "wrong", "it is the wrong key, or the vault was altered"),
    (rotated_away, "rotated away", "it was rotated away"),
]


@pytest.mark.parametrize(("spoil", "why", "words"), REFUSED, ids=[s.__name__ for s, _, _ in REFUSED])
@pytest.mark.parametrize("command", ["intake", "rotate", "withdraw"])
def test_a_key_that_is_not_this_studys_is_refused_plainly_recorded_and_nothing_is_half_done(
    heard: Made,
    settings: Settings,
    tmp_path: Path,
    spoil: Callable[[Path, Made], None],
    why: str,
    words: str,
    command: str,
) -> None:
    file = settings.key_file_for(heard.study.id)
    spoil(file, heard)
    answers = tmp_path / "in.csv"
    answers.write_text("id,text,voice\n1,i like it here,young_person\n", "utf-8")
    commands = {
        "intake": ("intake", str(heard.study.folder), str(answers), "--text", "text"),
        "rotate": ("vault", "rotate", str(heard.study.folder)),
        "withdraw": ("withdraw", str(heard.study.folder), "p-1", "--yes"),
    }
    kept = file.read_bytes() if file.exists() else b""

    failed, said = run(*commands[command])
    run(*commands[command])

    assert failed and words in said and "Philomena" not in said
    refusals = [(a, s) for a, s in acts(heard) if a == "refuse key"]
    assert refusals == [("refuse key", why)]  # twice tried in a row is recorded once
    assert heard.study.db.conn.execute("SELECT count(*) FROM voices").fetchone()[0] == 0
    assert (file.read_bytes() if file.exists() else b"") == kept
    db = open_database(heard.study.vault_file)
    assert db.conn.execute("SELECT count(*) FROM raw").fetchone()[0] == VOICES
    db.close()


def test_a_key_beside_the_data_is_refused_unless_that_is_allowed(tmp_path: Path) -> None:
    for folder in (tmp_path / "a" / "study" / "keys", tmp_path / "a" / "study", tmp_path / "a"):
        beside = Settings(key_folder=folder)
        with pytest.raises(KeyFileError, match="beside the words that it opens"):
            make(tmp_path / "a" / "study", beside)
        assert not (tmp_path / "a" / "study" / "study.db").exists()

    study = make(tmp_path / "a" / "study", Settings(key_folder=tmp_path / "a", allow_key_beside_study=True))

    with pytest.raises(KeyFileError, match="HEARD_ALLOW_KEY_BESIDE_STUDY"):
        wiring.keys_by(Settings(key_folder=tmp_path / "a"))(study)
    assert wiring.keys_by(Settings(key_folder=tmp_path / "a", allow_key_beside_study=True))(study)


def test_a_key_beside_the_data_is_no_matter_where_it_comes_from_a_command(tmp_path: Path) -> None:
    create_key(tmp_path / "store" / "ring")

    study = make(tmp_path / "study", Settings(key_folder=tmp_path, key_command=f"cat {tmp_path / 'store' / 'ring'}"))

    assert study.vault_file.exists()


def make(folder: Path, settings: Settings) -> Study:
    study, _ = wiring.make_study(
        folder, title="A study", codebook="north-yorkshire-care-leavers", now=NOW, settings=settings
    )
    return study


def test_a_key_comes_from_the_environment_or_from_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = create_key(tmp_path / "store" / "ring")
    monkeypatch.setenv("HEARD_KEY", as_text(ring))
    study = make(tmp_path / "by-variable", Settings())
    assert wiring.keys_by(Settings())(study) == ring
    assert ring.secret.hex() not in repr(Settings()) and as_text(ring) not in repr(Settings())

    monkeypatch.delenv("HEARD_KEY")
    by_command = Settings(key_command=f"cat {tmp_path / 'store' / 'ring'}")
    study = make(tmp_path / "by-command", by_command)
    assert wiring.keys_by(by_command)(study) == ring
    assert not list(tmp_path.rglob("*.key"))


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("false", "failed with exit code 1"),
        ("no-such-program-anywhere", "cannot be run"),
        ("echo rubbish", "what the command of HEARD_KEY_COMMAND prints is not one"),
        ("'", "cannot be run"),
    ],
)
def test_a_command_that_gives_no_key_is_refused_before_anything_is_made(
    tmp_path: Path, command: str, words: str
) -> None:
    with pytest.raises(KeyFileError, match=words) as refused:
        make(tmp_path / "study", Settings(key_command=command))

    assert not (tmp_path / "study").exists() and "rubbish" not in str(refused.value)


def test_one_place_for_the_key_and_not_several(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="not several"):
        Settings(key_file=tmp_path / "a.key", key_command="cat a.key")


def test_a_ring_that_only_people_can_put_in_its_place_is_printed_and_then_taken_up(
    made: Made, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(made)
    store = tmp_path / "store"
    store.write_text(as_text(made.key), "utf-8")
    monkeypatch.setenv("HEARD_KEY_COMMAND", f"cat {store}")
    wiring.settings.cache_clear()

    ring = printed("vault", "rotate", str(made.study.folder))
    assert store.read_text("utf-8") == as_text(made.key) and acts(made) == []
    store.write_text(ring, "utf-8")
    run("vault", "rotate", str(made.study.folder))
    new = from_text(ring, "the ring")
    assert acts(made) == [("rotate key", new.id), ("reseal vault", new.id)]
    require_whole(made, new)

    store.write_text(printed("vault", "retire", str(made.study.folder), made.key.id, "--yes"), "utf-8")
    assert [m.id for m in wiring.key_of(made.study).masters] == [new.id]
    wiring.settings.cache_clear()


@pytest.mark.parametrize(
    "spoilt",
    [
        '{"heard_keys": 2, "active": "a", "keys": [], "names": ""}',
        '{"heard_keys": 1, "active": "a", "keys": [], "names": ""}',
        '{"heard_keys": 1, "active": "b", "keys": [{"id": "a", "secret": "AAAA"}], "names": "AAAA"}',
        "[]",
    ],
)
def test_a_damaged_ring_is_refused_plainly(spoilt: str) -> None:
    with pytest.raises(KeyFileError, match="the ring is"):
        from_text(spoilt, "the ring")


def test_a_ring_with_a_key_twice_is_refused() -> None:
    twice = Key("a", b"1" * 32, (Master("a", b"2" * 32),), b"3" * 32)

    with pytest.raises(KeyFileError, match="damaged"):
        from_text(as_text(twice), "the ring")
