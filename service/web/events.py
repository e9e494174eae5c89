"""What others change while a page is open: a stream of the kinds of thing that changed, and the same for asking.

Neither ever says how much, where or by whom: a coder who reads alone must not count what another one does.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.responses import StreamingResponse

from service.access.people import Person
from service.access.permissions import Action, Role, may
from service.deps import AReader, AStudy
from service.study.changes import changed, state_for
from service.study.study import find_study
from service.web.watch import Watch, Watches

router = APIRouter(include_in_schema=False)
HEARTBEAT = 15.0
LONGEST = 300.0  # then the browser asks again, and shows anew that it may
_FOR_READERS = frozenset({"decisions", "codebook"})


@router.get("/studies/{name}/events")
async def events(
    request: Request, name: str, person: AReader, since: str = "", last_event_id: Annotated[str, Header()] = ""
) -> StreamingResponse:
    """A stream of server-sent events, one each time that others have changed something."""
    folder = find_study(request.app.state.studies, name)
    if folder is None:
        raise HTTPException(404)
    watches: Watches = request.app.state.watches
    stream = _stream(watches.of(folder), person, last_event_id or since)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _stream(watch: Watch, person: Person, since: str) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    end = clock() + LONGEST
    async with watch.listening(person.name):
        yield "retry: 2000\n\n"
        while not watch.ended and clock() < end:
            state = await watch.next_state(person.name, since, HEARTBEAT)
            yield _event(person, since, state)
            since = state


def _event(person: Person, since: str, state: str) -> str:
    if state == since:
        return ": still here\n\n"
    told = json.dumps({"since": state, "kinds": _kinds(person.role, since, state)})
    return f"id: {state}\ndata: {told}\n\n"


@router.get("/studies/{name}/changes")
def changes(study: AStudy, person: AReader, since: str = "") -> dict[str, str | list[str]]:
    """The kinds of thing that others have changed since, for browsers that get no stream."""
    state = state_for(study.db, study.id, person.name)
    return {"since": state, "kinds": _kinds(person.role, since, state)}


def _kinds(role: Role, since: str, state: str) -> list[str]:
    return [kind for kind in changed(since, state) if _may_hear(role, kind)]


def _may_hear(role: Role, kind: str) -> bool:
    if kind in _FOR_READERS:
        return may(role, Action.FINDINGS)
    if kind == "disclosures":
        return may(role, Action.SAFEGUARD)
    if kind == "checks":
        return may(role, Action.CHECK) or may(role, Action.LEAD)
    return may(role, Action.READ)
