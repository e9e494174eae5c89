"""Codebooks at the terminal: what differs between two versions, and a study's version as a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from nlp.codebook import fingerprint, read_codebook
from nlp.types import Codebook
from service.cli.main import app
from service.study.codebooks import keep_codebook, newest_codebook
from service.study.database import write
from service.study.suggestions import set_current_reading
from service.wiring import codebook_named
from tests.conftest import NOW, Made


def heard(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["codebook", *map(str, arguments)])


def keep(made: Made, book: Codebook) -> None:
    with write(made.study.db) as connection:
        keep_codebook(connection, book, NOW)
        set_current_reading(connection, "a reading", book.id, book.version)


def renamed(book: Codebook) -> Codebook:
    codes = (replace(book.codes[0], label="Feeling safe where I sleep"), *book.codes[1:])
    return replace(book, version="0.1.1", codes=codes, fingerprint=fingerprint(codes))


def test_diff_marks_words_without_colour(made: Made) -> None:
    book = codebook_named(made.study.codebook)
    keep(made, book)
    keep(made, renamed(book))

    done = heard("diff", "0.1.0", "0.1.1", "--study", made.study.folder)

    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "CL1 Feeling safe where I sleep", "  name:", "    Feeling safe where I [-live-]{+sleep+}",
    ]  # fmt: skip


def test_diff_takes_codebooks_by_name_too(made: Made) -> None:
    assert (
        "CL1 Feeling safe where I live is gone"
        in heard("diff", "north-yorkshire-care-leavers", "rochdale-family-hub").stdout
    )
    assert heard("diff", "information-use", "information-use").stdout == "Nothing differs.\n"


def test_a_study_s_version_goes_back_into_the_folder_of_codebooks(made: Made, tmp_path: Path) -> None:
    book = renamed(codebook_named(made.study.codebook))
    keep(made, book)

    done = heard("export", made.study.folder, "--out", tmp_path / "codebook.yaml")
    plain = heard("export", made.study.folder, "--version", "0.1.1")

    assert done.exit_code == plain.exit_code == 0
    assert read_codebook(tmp_path / "codebook.yaml") == book == newest_codebook(made.study.db)
    assert plain.stdout == (tmp_path / "codebook.yaml").read_text("utf-8")


def test_a_version_that_is_not_there_is_said_so(made: Made) -> None:
    assert "no version of its codebook" in str(heard("export", made.study.folder, "--version", "9.9.9").exception)
