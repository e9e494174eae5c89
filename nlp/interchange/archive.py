"""The outer form of a `.qdpx`: a zip that is looked at before anything is unpacked, and XML without entities."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from nlp.errors import InterchangeError

LARGEST_PART = 2**31 - 1
LARGEST_PROJECT = 300_000_000
LARGEST_RATIO = 400
_SMALL = 50_000_000
_STAMP = (1980, 1, 1, 0, 0, 0)
_DAMAGED = (zipfile.BadZipFile, EOFError, OSError, ValueError, KeyError, NotImplementedError, RuntimeError)
_OUTSIDE = re.compile(r"^(?:[/\\]|[A-Za-z]:)|(?:^|[/\\])\.\.(?:[/\\]|$)")


class Archive:
    """The parts of a `.qdpx`, found by name whatever the case; nothing is ever written to disk."""

    def __init__(self, content: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except _DAMAGED:
            raise InterchangeError("it is not a zip archive, as a .qdpx project is") from None
        self._names = {part.filename.replace("\\", "/").casefold(): part for part in self._zip.infolist()}
        self._refuse_odd()

    def _refuse_odd(self) -> None:
        parts = list(self._names.values())
        if any(_OUTSIDE.search(part.filename) for part in parts):
            raise InterchangeError("a part of the archive names a place outside it")
        whole = sum(part.file_size for part in parts)
        packed = max(1, sum(part.compress_size for part in parts))
        if whole > LARGEST_PART or (whole > _SMALL and whole / packed > LARGEST_RATIO):
            raise InterchangeError("the archive unpacks to far more than a project holds; it is not read")

    def project(self) -> Element:
        """The root of the project's XML: `project.qde`, or whatever `.qde` file there is."""
        found = [name for name in self._names if name.endswith(".qde")]
        if not found:
            raise InterchangeError("the archive holds no project.qde")
        name = min(found, key=lambda n: (n != "project.qde", n.count("/"), n))
        if self._names[name].file_size > LARGEST_PROJECT:
            raise InterchangeError("the project.qde is larger than 300 MB")
        return parsed(self._unpacked(name))

    def text(self, path: str) -> str | None:
        """The text that a `plainTextPath` points to, its line ends as they are; None where the archive has none."""
        plain = path.removeprefix("internal://").removeprefix("relative://").replace("\\", "/").lstrip("/").casefold()
        for name in (f"sources/{plain}", plain, f"sources/{plain.rsplit('/', 1)[-1]}"):
            if name in self._names:
                return decoded(self._unpacked(name))
        return None

    def _unpacked(self, name: str) -> bytes:
        part = self._names[name]
        try:
            with self._zip.open(part) as stream:
                content = stream.read(part.file_size + 1)
        except (*_DAMAGED, zipfile.zlib.error):  # type: ignore[attr-defined]
            raise InterchangeError("a part of the archive is damaged and cannot be unpacked") from None
        if len(content) > part.file_size:
            raise InterchangeError("a part of the archive is larger than the archive says; it is not read")
        return content


def parsed(content: bytes) -> Element:
    """XML without entities, document types or outside references; InterchangeError for what is not XML or has them."""
    try:
        root: Element = fromstring(content.lstrip(), forbid_dtd=True)
    except DefusedXmlException:
        raise InterchangeError("its XML declares entities or a document type, which is not allowed") from None
    except (ParseError, ValueError, LookupError, RecursionError):
        raise InterchangeError("its XML is damaged and cannot be read") from None
    return root


def decoded(content: bytes) -> str:
    """A source's text: UTF-8, or UTF-16 with its mark; the mark at the start is not part of it."""
    try:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return content.decode("utf-16")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def packed(project: bytes, texts: Mapping[str, str]) -> bytes:
    """The archive with its texts in `sources/`; the same content gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_info("project.qde"), project)
        for name in sorted(texts):
            archive.writestr(_info(f"sources/{name}"), texts[name].encode())
    return out.getvalue()


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _STAMP)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info
