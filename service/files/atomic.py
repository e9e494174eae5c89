"""Files that are there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(file: Path, content: bytes) -> None:
    """Write under another name and then give the file its own; a kill in between leaves what was there before."""
    part = file.with_name(f".{file.name}.part")
    part.write_bytes(content)
    part.chmod(0o600)
    part.replace(file)


@contextmanager
def whole(file: Path) -> Iterator[Path]:
    """A name to write under; at the end of the block the file gets its own, and where the block fails nothing is left."""
    part = file.with_name(f".{file.stem}.part{file.suffix}")
    try:
        yield part
        part.chmod(0o600)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
