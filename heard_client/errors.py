"""What the API refuses, as an exception: its words name fields and rows, never what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One part of a request that cannot be taken; `row` counts from 1 where the request has rows."""

    pointer: str
    problem: str
    row: int | None


class HeardError(Exception):
    """A problem document (RFC 9457); `type` is stable. Status 0 says that the service could not be reached."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.type = str(body.get("type", ""))
        self.detail = str(body.get("detail", ""))
        self.errors = tuple(FieldProblem(e["pointer"], e["problem"], e.get("row")) for e in body.get("errors", ()))
        super().__init__(f"{status}: {self.detail}" if self.detail else f"{status}: the service refused")
