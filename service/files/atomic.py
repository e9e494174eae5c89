"""Files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path


def write_whole(file: Path, content: bytes) -> None:
    """Write under another name and then give the file its own; a kill in between leaves what was there before."""
    part = file.with_name(f".{file.name}.part")
    part.write_bytes(content)
    part.chmod(0o600)
    part.replace(file)
