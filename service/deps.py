"""What a request needs: who asks, with leave for it, and its study, opened for it alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from sqlite_utils import Database

from service.access.keys import person_of_key
from service.access.people import Person, people_in
from service.access.permissions import Action, Role
from service.access.sessions import person_of_session
from service.clock import now
from service.study.study import Study, find_study, opened

COOKIE = "heard_session"
SAFE_COOKIE = f"__Host-{COOKIE}"  # what no other site of the same domain can set
BEARER = "Bearer "
API = "/v1/"


class NotSignedInError(Exception):
    """Nobody is signed in, or the session has ended."""


def signed_in(request: Request) -> Person:
    """Who asks, by session or by key; NotSignedInError when it is nobody."""
    person = _asking(request)
    if person is None:
        raise NotSignedInError
    request.state.person = person
    return person


def cookie_of(request: Request) -> str:
    """The name of the cookie that holds the session: over TLS one that browsers tie to this very host."""
    return SAFE_COOKIE if request.url.scheme == "https" else COOKIE


def people_of(request: Request) -> AbstractContextManager[Database]:
    """The people of these studies, over a connection that the request holds alone."""
    return people_in(request.app.state.studies, request.app.state.pool.lend)


def _asking(request: Request) -> Person | None:
    header, token = request.headers.get("Authorization", ""), request.cookies.get(cookie_of(request), "")
    by_key = header.startswith(BEARER) and request.url.path.startswith(API)  # pages are for people alone
    if not (by_key or token):
        return None
    with people_of(request) as db:
        if by_key:
            return person_of_key(db, header.removeprefix(BEARER), now=now())
        return person_of_session(db, token, now=now(), awake=not _by_itself(request))


def _by_itself(request: Request) -> bool:
    """Whether a page that lies open asks, and no person."""
    return request.headers.get("fetch") == "live" or "text/event-stream" in request.headers.get("Accept", "")


def at_hand(request: Request, person: Annotated[Person, Depends(signed_in)]) -> Person:
    """Who asks, as what they are to the study that the address names; 404 where they are nothing to it, as for none."""
    name = request.path_params.get("name")
    if name is None:
        return person
    folder = find_study(request.app.state.studies, name)
    if folder is None:
        raise HTTPException(404)
    with opened(folder, request.app.state.pool.lend) as study:
        here = person.within(study.id)
    if here.role is Role.NONE:
        raise HTTPException(404)
    request.state.person = here
    return here


@dataclass(frozen=True, slots=True)
class Leave:
    """A dependency: who asks, if what they are to the study gives leave; 403 otherwise."""

    action: Action

    def __call__(self, person: Annotated[Person, Depends(at_hand)]) -> Person:
        if not person.may(self.action):
            raise HTTPException(403)
        return person


AReader = Annotated[Person, Depends(Leave(Action.FINDINGS))]
AVoiceReader = Annotated[Person, Depends(Leave(Action.READ))]
ACoder = Annotated[Person, Depends(Leave(Action.CODE))]
AMemoWriter = Annotated[Person, Depends(Leave(Action.MEMO))]
ALead = Annotated[Person, Depends(Leave(Action.LEAD))]
AChecker = Annotated[Person, Depends(Leave(Action.CHECK))]
AnIntaker = Annotated[Person, Depends(Leave(Action.INTAKE))]
APassportKeeper = Annotated[Person, Depends(Leave(Action.PASSPORT))]
ATextSender = Annotated[Person, Depends(Leave(Action.TEXTS))]
AReleaseOfficer = Annotated[Person, Depends(Leave(Action.RELEASE))]
ASafeguardingLead = Annotated[Person, Depends(Leave(Action.SAFEGUARD))]
AnAuditor = Annotated[Person, Depends(Leave(Action.AUDIT))]
AnAdmin = Annotated[Person, Depends(Leave(Action.PEOPLE))]
Anybody = Annotated[Person, Depends(signed_in)]


def study_of(request: Request, name: str, _: Annotated[Person, Depends(at_hand)]) -> Iterator[Study]:
    """The study of that name, closed again after the request; 404 when there is none for who asks."""
    folder = find_study(request.app.state.studies, name)
    if folder is None:
        raise HTTPException(404)
    with opened(folder, request.app.state.pool.lend) as study:
        yield study


AStudy = Annotated[Study, Depends(study_of)]
