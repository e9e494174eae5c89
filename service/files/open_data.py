"""A database of tables that anybody may read, with a description that Datasette shows beside them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.files.atomic import whole, write_whole

Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table. `columns` say what each holds and in what unit; `kinds` are SQLite types, TEXT where none is named."""

    name: str
    title: str
    about: str
    columns: Mapping[str, str]
    rows: Sequence[Sequence[Value]]
    kinds: Mapping[str, str]
    key: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A table that is worked out of others."""

    name: str
    title: str
    about: str
    sql: str


@dataclass(frozen=True, slots=True)
class Words:
    """What stands over all tables."""

    title: str
    description: str
    licence: str
    source: str


def write_database(file: Path, sheets: Sequence[Sheet], views: Sequence[View]) -> None:
    """Write a SQLite file of its own, without a journal beside it; whole or not at all."""
    with whole(file) as part:
        part.unlink(missing_ok=True)
        with closing(sqlite3.connect(part)) as database, database:
            for sheet in sheets:
                _add(database, sheet)
            for view in views:
                database.execute(f'CREATE VIEW "{view.name}" AS {view.sql}')


def _add(database: sqlite3.Connection, sheet: Sheet) -> None:
    columns = [f'"{c}" {sheet.kinds.get(c, "TEXT")}{" PRIMARY KEY" if c == sheet.key else ""}' for c in sheet.columns]
    database.execute(f'CREATE TABLE "{sheet.name}" ({", ".join(columns)}) STRICT')
    places = ", ".join("?" * len(columns))
    database.executemany(f'INSERT INTO "{sheet.name}" VALUES ({places})', sheet.rows)


def write_metadata(file: Path, database: Path, words: Words, sheets: Sequence[Sheet], views: Sequence[View]) -> None:
    """Write Datasette's `metadata.json` for a database."""
    tables: dict[str, Any] = {
        s.name: {"title": s.title, "description": s.about, "columns": dict(s.columns)} for s in sheets
    }
    tables |= {v.name: {"title": v.title, "description": v.about} for v in views}
    about = {
        "title": words.title,
        "description": words.description,
        "license": words.licence,
        "source": words.source,
        "databases": {database.stem: {"tables": tables}},
    }
    write_whole(file, (json.dumps(about, ensure_ascii=False, indent=2) + "\n").encode())
