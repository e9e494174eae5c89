"""Files that are zips inside: what one says it unpacks to is looked at before anything is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from service.errors import InputError

LARGEST_INSIDE = 2_000_000_000
LARGEST_RATIO = 200
_SMALL = 50_000_000


def refuse_bomb(file: Path, kind: str) -> None:
    """InputError for a file that is no zip, or that swells beyond reason."""
    try:
        with zipfile.ZipFile(file) as archive:
            inside = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        raise InputError(file=file.name, problem=f"not readable as {kind}") from None
    whole = sum(part.file_size for part in inside)
    packed = max(1, sum(part.compress_size for part in inside))
    if whole > LARGEST_INSIDE or (whole > _SMALL and whole / packed > LARGEST_RATIO):
        raise InputError(file=file.name, problem=f"it unpacks to far more than {kind} holds; it is not read")
