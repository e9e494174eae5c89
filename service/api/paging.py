"""Long lists come in pages, each with a cursor to the next: an opaque word that says after which entry it begins."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
ACursor = Annotated[str | None, Query(max_length=400, description="`next` of the page before.")]
Place = tuple[str | int, ...]


class Page(BaseModel, Generic[T]):
    """Some entries, and the cursor to those after them; null at the end."""

    items: list[T]
    next: str | None


def cursor_to(*place: str | int) -> str:
    """The cursor to what comes after a place."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_after(kinds: Sequence[type]) -> object:
    """A dependency: the place that the caller's cursor names, None without one; a 422 for a word that is no cursor."""

    def read(
        cursor: Annotated[str | None, Query(max_length=400, description="`next` of the page before.")] = None,
    ) -> Place | None:
        if cursor is None:
            return None
        try:
            place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        except (ValueError, binascii.Error, RecursionError):
            place = None
        if not isinstance(place, list) or [type(p) for p in place] != list(kinds) or not all(map(_small, place)):
            raise RequestValidationError([{"type": "cursor", "loc": ("query", "cursor"), "msg": "", "input": None}])
        return tuple(place)

    return Depends(read)


def _small(part: str | int) -> bool:
    return isinstance(part, str) or -(2**62) < part < 2**62


AfterNumber = Annotated[tuple[int] | None, place_after([int])]
AfterPage = Annotated[tuple[int, int] | None, place_after([int, int])]
AfterTime = Annotated[tuple[str, int] | None, place_after([str, int])]
