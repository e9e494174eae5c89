"""A study: one folder with study.db (and, beside it, the sealed vault.db)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from service.errors import StudyError
from service.study.database import Lender, open_database, opening, write
from service.study.migrations import migrate

STUDY_FILE, VAULT_FILE = "study.db", "vault.db"
LONGEST_NAME = 255  # bytes; a file system refuses to look for a longer one
LEAK_LIMIT = 50.0
SUGGESTED_FROM = 0.2


@dataclass(frozen=True, slots=True)
class Study:
    """An open study. `codebook` is the id of the codebook it codes with."""

    folder: Path
    db: Database
    id: str
    title: str
    codebook: str
    fictional: bool
    leak_limit: float = LEAK_LIMIT
    threshold: float = SUGGESTED_FROM

    @property
    def name(self) -> str:
        """The folder's name, used in addresses."""
        return self.folder.name

    @property
    def vault_file(self) -> Path:
        """Where the sealed raw text lies."""
        return self.folder / VAULT_FILE


def create_study(
    folder: Path, *, title: str, codebook: str, now: str, fictional: bool = False, leak_limit: float = LEAK_LIMIT,
    threshold: float = SUGGESTED_FROM,
) -> Study:  # fmt: skip
    """Make the folder and its empty study.db; StudyError if one is already there.

    `leak_limit` is how many voices in 1,000 may at most, with 95% confidence, still hold a direct
    identifier before anyone codes; `threshold` is the probability from which a code is suggested.
    """
    file = folder / STUDY_FILE
    if file.exists():
        raise StudyError(f"there is already a study in the folder “{folder.name}”")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = open_database(file)
    migrate(db, file)
    row = (secrets.token_hex(8), title, codebook, int(fictional), now, leak_limit, threshold)
    with write(db) as connection:
        connection.execute("INSERT INTO study VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return _study(folder, db)


def open_study(folder: Path) -> Study:
    """The study in a folder; StudyError when there is none or it is unreadable."""
    file = _file_in(folder)
    db = open_database(file)
    migrate(db, file)
    return _study(folder, db)


@contextmanager
def opened(folder: Path, lend: Lender = opening) -> Iterator[Study]:
    """A study that is closed again, or given back to a pool, at the end of the block."""
    with lend(_file_in(folder), migrate) as db:
        yield _study(folder, db)


def _file_in(folder: Path) -> Path:
    file = folder / STUDY_FILE
    if not file.is_file():
        raise StudyError(f"there is no study in the folder “{folder.name}”; make one with “heard init”")
    return file


def find_studies(folder: Path) -> list[Path]:
    """The study folders at or directly under `folder`, by name."""
    folder = folder.resolve()
    if (folder / STUDY_FILE).is_file():
        return [folder]
    return sorted(p.parent for p in folder.glob(f"*/{STUDY_FILE}")) if folder.is_dir() else []


def find_study(folder: Path, name: str) -> Path | None:
    """The folder of the study of that name at or directly under `folder`."""
    folder = folder.resolve()
    if (folder / STUDY_FILE).is_file():
        return folder if folder.name == name else None
    if name in ("", ".", "..") or Path(name).name != name or len(name.encode("utf-8", "replace")) > LONGEST_NAME:
        return None
    return folder / name if (folder / name / STUDY_FILE).is_file() else None


def _study(folder: Path, db: Database) -> Study:
    row = db.conn.execute("SELECT id, title, codebook, fictional, leak_limit, threshold FROM study").fetchone()
    if row is None:
        raise StudyError(
            f"the study in the folder “{folder.name}” was never finished; remove the folder and begin again"
        )
    return Study(
        folder.resolve(),
        db,
        row["id"],
        row["title"],
        row["codebook"],
        bool(row["fictional"]),
        row["leak_limit"],
        row["threshold"],
    )
