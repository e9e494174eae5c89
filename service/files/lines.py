"""JSON lines that are handed in: each line an object with the fields that are needed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from service.errors import InputError


def read_json_lines(file: Path, *, needed: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Objects of a JSON-lines file that have the needed fields; InputError names line and field."""
    try:
        words = file.read_text("utf-8-sig")
    except FileNotFoundError:
        raise InputError(file=file.name, problem="there is no such file") from None
    except UnicodeDecodeError as bad:
        raise InputError(
            file=file.name, row=bad.object.count(b"\n", 0, bad.start) + 1, problem="wrong encoding: not UTF-8"
        ) from None
    if not words.strip():
        raise InputError(file=file.name, problem="the file is empty")
    for number, line in enumerate(words.split("\n"), 1):
        if line.strip():
            yield _object(file.name, number, line, needed)


def _object(file: str, number: int, line: str, needed: Sequence[str]) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError(file=file, row=number, problem="the line is not whole JSON") from None
    for field in needed:
        if (
            not isinstance(row, dict)
            or not isinstance(row.get(field), str | int)
            or (field == "text" and not isinstance(row[field], str))
        ):
            raise InputError(file=file, row=number, field=field, problem="the field is missing or of the wrong kind")
    return dict(row)
