"""The vault: sealed, bound to its study and place, purged on its date, and shut to every other key."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from service.errors import KeyFileError
from service.vault.cipher import Cipher
from service.vault.keys import Key, create_key, read_key
from service.vault.store import RawVoice, Vault
from tests.conftest import Made

WORDS = "my nan Philomena lives at 12 Quiet Street"


def sealed(made: Made, purge_on: str = "2099-01-01") -> Vault:
    vault = Vault(made.study.vault_file, made.key, made.study.id)
    vault.put([RawVoice("v-1", WORDS, "record-9", "person-9", purge_on)])
    vault.put_offset_maps([("v-1", [(7, 16, 7, 17)])])
    return vault


def test_what_goes_in_comes_out(made: Made) -> None:
    with sealed(made) as vault:
        assert vault.texts(["v-1", "v-2"]) == {"v-1": WORDS}


def test_no_word_lies_open_in_the_file(made: Made) -> None:
    sealed(made).close()

    content = b"".join(p.read_bytes() for p in made.study.folder.iterdir())

    assert not [w for w in ("Philomena", "Quiet", "record-9", "person-9") if w.encode() in content]


def test_the_key_is_not_in_the_study(made: Made) -> None:
    content = b"".join(p.read_bytes() for p in made.study.folder.iterdir())

    assert made.key.secret not in content


def test_a_wrong_key_opens_nothing(made: Made, tmp_path: Path) -> None:
    sealed(made).close()
    other = create_key(tmp_path / "other.key")

    with pytest.raises(KeyFileError, match="does not open this study's vault"):
        Vault(made.study.vault_file, other, made.study.id)


def test_a_vault_copied_to_another_study_does_not_open(made: Made) -> None:
    sealed(made).close()

    with pytest.raises(KeyFileError):
        Vault(made.study.vault_file, made.key, "another-study")


def test_a_field_moved_to_another_row_does_not_open(made: Made) -> None:
    cipher = Cipher(made.key, made.study.id)
    field = cipher.seal(WORDS, "raw", "text", "v-1")

    assert cipher.open(field, "raw", "text", "v-1") == WORDS
    with pytest.raises(KeyFileError):
        cipher.open(field, "raw", "text", "v-2")


def test_raw_text_goes_on_its_date_and_its_bytes_too(made: Made) -> None:
    with sealed(made, purge_on="2026-02-01") as vault:
        before = vault._db.conn.execute("SELECT text FROM raw").fetchone()[0]

        assert vault.purge("2026-01-31") == 0
        assert vault.purge("2026-02-01") == 1
        assert vault.texts(["v-1"]) == {}
        assert vault._db.conn.execute("SELECT count(*) FROM offset_maps").fetchone()[0] == 0

    content = b"".join(p.read_bytes() for p in made.study.folder.glob("vault.db*"))
    assert before not in content


@pytest.mark.parametrize(
    "content", ["", "{}", "not json", '{"heard_key": "a", "secret": "AAAA"}', '{"heard_key": 1, "secret": "?"}']
)
def test_a_damaged_key_file_is_refused_plainly(tmp_path: Path, content: str) -> None:
    file = tmp_path / "bad.key"
    file.write_text(content, "utf-8")

    with pytest.raises(KeyFileError, match="key file"):
        read_key(file)


def test_a_missing_key_file_is_named_as_missing(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="missing"):
        read_key(tmp_path / "none.key")


def test_a_key_file_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "a.key"
    key = create_key(file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(KeyFileError, match="already there"):
        create_key(file)
    assert read_key(file) == key
    assert key.secret.hex() not in repr(key)


def test_pseudonyms_are_stable_for_a_key_and_differ_between_keys() -> None:
    one, other = Key("a", b"1" * 32), Key("b", b"2" * 32)

    assert one.pseudonym("p", "4711") == one.pseudonym("p", "4711")
    assert one.pseudonym("p", "4711") != other.pseudonym("p", "4711")
    assert one.pseudonym("v", "a", "bc") != one.pseudonym("v", "ab", "c")
