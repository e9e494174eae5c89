"""Two at once on one thing: a strong ETag from its version, and refusing a change to a version that has gone by."""

from __future__ import annotations

import re

from starlette.requests import Request

from service.errors import ConflictError

_TAGS = re.compile(r'(W/)?"([^"]*)"')


def etag(version: int | str) -> str:
    """The ETag of a version: `"3"`."""
    return f'"{version}"'


def require_match(request: Request, current: int | str, *, who: str, when: str, read: str = "") -> None:
    """ConflictError, which becomes 412, unless the change is to the version that stands.

    What the person had read comes as If-Match, or as `read`, a hidden field of a form. `who` and `when` are of the last
    change: its person and its time (ISO 8601).
    """
    given = request.headers.get("If-Match", etag(read) if read else "")
    if not given:
        raise ConflictError("Say which version you have read, as If-Match: it may have changed since.")
    if given.strip() != "*" and str(current) not in {tag for weak, tag in _TAGS.findall(given) if not weak}:
        raise ConflictError(stale(who, when))


def stale(who: str, when: str) -> str:
    """What a person is told whose page is older than the thing on it."""
    by = who or "Somebody"
    at = f" on {when[:10]} at {when[11:16]} (UTC)" if when else ""
    return f"{by} changed this{at}, after you opened it. Nothing of yours was saved: open the page again to see it."


def unchanged(request: Request, tag: str) -> bool:
    """Whether the caller says, as If-None-Match, that they have this version."""
    given = request.headers.get("If-None-Match", "").strip()
    return given == "*" or tag.strip('"') in {held for _, held in _TAGS.findall(given)}
