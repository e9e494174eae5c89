"""The rule of every address, read from the routes themselves, and the record of what was viewed through them.

An address without a rule stops the application from being built: whatever is not allowed is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.access.permissions import Action
from service.clock import now
from service.deps import Leave, signed_in
from service.study.chain import add_link
from service.study.database import write
from service.study.study import find_study, opened

# What answers anybody: it shows nothing of a study.
OPEN = frozenset({"/sign-in", "/sign-out", "/health", "/how-it-works"})
_WITH_TEXT = frozenset({
    Action.READ, Action.CODE, Action.MEMO, Action.LEAD, Action.CHECK, Action.RELEASE, Action.SAFEGUARD,
})  # fmt: skip
# Addresses under such a rule that show counts, ids or the codebook alone, and are asked for too often to be worth a record.
_NO_TEXT = ("/tally", "/codes", "/jobs", "/jobs/{number}", "/jobs/{number}/events", "/activity", "/agreement", "/rounds",
            "/rounds/{round_id}", ".svg")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Door:
    """An address: `leaves` are all needed; none of them means that being signed in is enough, or nothing if `open`."""

    method: str
    path: str
    leaves: frozenset[Action]
    open: bool

    @property
    def in_study(self) -> bool:
        """Whether what somebody is to one study counts here."""
        return "{name}" in self.path

    @property
    def shows_text(self) -> bool:
        """Whether looking is recorded."""
        seen = self.in_study and self.method == "GET" and bool(self.leaves & _WITH_TEXT)
        return seen and not self.path.endswith(_NO_TEXT)


def doors_of(app: FastAPI) -> list[Door]:
    """Every address of the application with its rule; RuntimeError names one that has none."""
    return [_door(route) for route in sorted(_routes(app.routes), key=lambda r: (r.path, *_methods(r)))]


def _routes(routes: Iterable[Any]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from _routes(getattr(getattr(route, "original_router", None), "routes", ()))


def _methods(route: APIRoute) -> list[str]:
    return sorted(route.methods or ())


def _door(route: APIRoute) -> Door:
    calls = set(_calls(route.dependant))
    leaves = frozenset(call.action for call in calls if isinstance(call, Leave))
    (method,) = _methods(route)
    open_ = route.path in OPEN
    if not open_ and not leaves and (signed_in not in calls or "{name}" in route.path):
        raise RuntimeError(f"{method} {route.path} says nobody's leave: give its function a person from service.deps")
    return Door(method, route.path, leaves, open_)


def _calls(dependant: Dependant) -> Iterator[Any]:
    for needed in dependant.dependencies:
        yield needed.call
        yield from _calls(needed)


class Recorded:
    """Chains who viewed or took out what of a study, in ids, before the first byte of it goes out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._doors: dict[str, Door] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record an answer that shows text or is a file to keep."""

        async def recorded(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                action = self._action(scope, Headers(raw=message["headers"]))
                if action:
                    await run_in_threadpool(_record, scope, action)
            await send(message)

        await self._app(scope, receive, recorded if scope["type"] == "http" else send)

    def _action(self, scope: Scope, answer: Headers) -> str:
        if scope["method"] != "GET" or "name" not in scope.get("path_params", {}):
            return ""
        if answer.get("content-disposition", "").startswith("attachment"):
            return "export"
        door = self._door(scope)
        by_itself = Headers(scope=scope).get("fetch") == "live"
        return "view" if door is not None and door.shows_text and not by_itself else ""

    def _door(self, scope: Scope) -> Door | None:
        if not self._doors:
            self._doors = {door.path: door for door in doors_of(scope["app"]) if door.method == "GET"}
        return self._doors.get(getattr(scope.get("route"), "path", ""))


def _record(scope: Scope, action: str) -> None:
    state, person = scope["app"].state, scope["state"]["person"]
    folder = find_study(state.studies, scope["path_params"]["name"])
    if folder is None:
        return
    actor = f"{person.name}, by key {person.key}" if person.key else person.name
    subject = scope["path"].partition(f"/studies/{folder.name}")[2].strip("/")
    with opened(folder, state.pool.lend) as study, write(study.db) as connection:
        add_link(connection, at=now(), actor=actor, action=action, subject=subject)
