"""Named files of lines in one folder or one zip, with a manifest that says what is in them; there whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from service.errors import InputError, StudyError
from service.files.atomic import whole
from service.files.zips import refuse_bomb

MANIFEST = "manifest.json"
_LONGEST_MANIFEST = 1_000_000
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same study gives the same bytes


@dataclass(slots=True)
class Packing:
    """What is being written. `files` says of each, once it is whole, its SHA-256, bytes and lines."""

    folder: Path | None
    archive: zipfile.ZipFile | None
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write a file of these chunks, one a line."""
        digest, size, lines = hashlib.sha256(), 0, 0
        with self._open(name) as out:
            for chunk in chunks:
                out.write(chunk)
                digest.update(chunk)
                size, lines = size + len(chunk), lines + 1
        self.files[name] = {"sha256": digest.hexdigest(), "bytes": size, "rows": lines}

    def close(self, about: Mapping[str, Any]) -> str:
        """Write the manifest last; its SHA-256."""
        content = (json.dumps({**about, "files": self.files}, ensure_ascii=False, indent=1) + "\n").encode()
        with self._open(MANIFEST) as out:
            out.write(content)
        return hashlib.sha256(content).hexdigest()

    def _open(self, name: str) -> IO[bytes]:
        if self.archive is not None:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            return self.archive.open(info, "w", force_zip64=True)
        assert self.folder is not None  # noqa: S101 (one of the two is there)
        file = (self.folder / name).open("xb")
        (self.folder / name).chmod(0o600)
        return file


@contextmanager
def packing(out: Path) -> Iterator[Packing]:
    """A zip where the name ends so, else a folder, which must be new. The name appears when all is written."""
    if out.exists():
        raise StudyError(f"“{out.name}” is there already; name a new folder or zip")
    if out.suffix.casefold() == ".zip":
        with whole(out) as part, zipfile.ZipFile(part, "w") as archive:
            yield Packing(None, archive)
        return
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True, mode=0o700)
    try:
        yield Packing(part, None)
        part.rename(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Pack:
    """A folder or zip that was checked against its manifest, byte for byte. `digest` is the manifest's SHA-256."""

    source: Path
    about: Mapping[str, Any]
    digest: str

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """The objects of a file of JSON lines; InputError names the line that is none."""
        with _open(self.source, name) as lines:
            for number, line in enumerate(lines, 1):
                try:
                    row = json.loads(line)
                except ValueError:
                    row = None
                if not isinstance(row, dict):
                    raise InputError(file=name, row=number, problem="this line is no JSON object")
                yield row

    def copy(self, name: str, to: Path) -> None:
        """Write one file of it elsewhere."""
        with _open(self.source, name) as held, whole(to) as part, part.open("wb") as out:
            shutil.copyfileobj(held, out)


def checked(source: Path) -> Pack:
    """Read the manifest and hold every file against it; InputError says which is missing, cut, changed or too many."""
    if not source.is_dir():
        refuse_bomb(source, "a study's export")
    about, digest = _manifest(source)
    listed = about["files"]
    found = _names(source) - {MANIFEST}
    for name in sorted(found - listed.keys()):
        raise InputError(file=name, problem="the manifest does not name this file")
    for name, said in listed.items():
        if name not in found:
            raise InputError(file=name, problem="the manifest names this file and it is missing")
        _same(source, name, said)
    return Pack(source, about, digest)


def _manifest(source: Path) -> tuple[dict[str, Any], str]:
    if MANIFEST not in _names(source):
        raise InputError(file=source.name, problem=f"it holds no {MANIFEST}, so it is no whole export of a study")
    with _open(source, MANIFEST) as held:
        content = held.read(_LONGEST_MANIFEST)
    try:
        about = json.loads(content)
        well = all(isinstance(said["sha256"], str) and said["bytes"] >= 0 for said in about["files"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        well = False
    if not well:
        raise InputError(file=MANIFEST, problem="it is not readable as a manifest")
    return about, hashlib.sha256(content).hexdigest()


def _names(source: Path) -> set[str]:
    if source.is_dir():
        return {p.name for p in source.iterdir()}
    with zipfile.ZipFile(source) as archive:
        return set(archive.namelist())


def _same(source: Path, name: str, said: Mapping[str, Any]) -> None:
    digest, size = hashlib.sha256(), 0
    try:
        with _open(source, name) as held:
            while chunk := held.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
                if size > said["bytes"]:
                    break
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError):
        raise InputError(file=name, problem="it is damaged and cannot be read") from None
    if size < said["bytes"]:
        raise InputError(file=name, problem=f"it is cut short: {size:,} of {said['bytes']:,} bytes")
    if digest.hexdigest() != said["sha256"]:
        raise InputError(file=name, problem="it is not as it was written: its SHA-256 is not the manifest's")


@contextmanager
def _open(source: Path, name: str) -> Iterator[IO[bytes]]:
    if "/" in name or "\\" in name or name in ("", ".", ".."):
        raise InputError(file=source.name, problem="it names a file outside itself")
    if source.is_dir():
        if (source / name).is_symlink():
            raise InputError(file=name, problem="it is a link and not a file")
        with (source / name).open("rb") as held:
            yield held
        return
    with zipfile.ZipFile(source) as archive, archive.open(name) as held:
        yield held
