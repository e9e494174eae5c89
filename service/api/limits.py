"""How much a key may ask for in a minute, and how much may be sent at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import wiring
from service.access.people import Person
from service.deps import API, signed_in
from service.errors import LimitError

MEGABYTE = 1024 * 1024
MOST_BYTES = {"/files": 256 * MEGABYTE, "/voices": 32 * MEGABYTE, "": 2 * MEGABYTE}


class Rates:
    """A bucket of requests for each key, filled evenly: `per_minute` of them, all at once or one by one."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size, self._clock = per_minute, clock
        self._held: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, key: str) -> None:
        """One request; LimitError when the bucket is empty. A clock that jumps back fills nothing and takes nothing."""
        now = self._clock()
        with self._lock:
            left, since = self._held.get(key, (float(self._size), now))
            left = min(self._size, left + max(0.0, now - since) * self._size / 60)
            self._held[key] = (max(left - 1, left if left < 1 else 0.0), now)
        if left < 1:
            raise LimitError(
                f"this key may ask {self._size} times a minute", seconds=max(1, round(60 / self._size * (1 - left)))
            )


def limited(request: Request, person: Annotated[Person, Depends(signed_in)]) -> None:
    """A dependency: refuses a key that asks too often. People at their own pages are not counted."""
    if person.key:
        rates_of(request).take(person.key)


def rates_of(request: Request) -> Rates:
    """The app's buckets, made with the first request."""
    state = request.app.state
    if not hasattr(state, "rates"):
        state.rates = Rates(wiring.settings().api_per_minute)
    rates: Rates = state.rates
    return rates


class Bounded:
    """Refuses with 413 what is longer than its address takes, before it is read where its length is said."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes in."""
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self._app(scope, receive, send)
            return
        most, seen = most_bytes(scope["path"]), 0
        said = dict(scope["headers"]).get(b"content-length", b"0")
        too_long = said.isdigit() and int(said) > most

        async def counted() -> Message:
            nonlocal seen
            if too_long:
                raise HTTPException(413)
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)


def most_bytes(path: str) -> int:
    """How many bytes may be sent to an address."""
    return next(most for end, most in MOST_BYTES.items() if path.endswith(end))
