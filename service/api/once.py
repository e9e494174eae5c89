"""Idempotency-Key: what a program asks for twice, since it did not hear the answer, is done once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel

from service.access.answers import Answer, claim, give, release
from service.access.people import Person
from service.clock import now
from service.deps import people_of, signed_in

AKey = Annotated[
    str, Header(alias="Idempotency-Key", max_length=200, description="The same key and request again: the same answer.")
]
Made = tuple[BaseModel, str]


@dataclass(frozen=True, slots=True)
class Once:
    """One request that changes something, and the key under which it may come again."""

    request: Request
    person: Person
    key: str
    body: str

    def do(self, make: Callable[[], Made], *, status: int = 201) -> Response:
        """The answer: what `make` gives with its address, or what it gave to the same request before."""
        if not self.key:
            return _response(_answer(make(), status))
        key = _hash(f"{self.person.id}\0{self.person.key}\0{self.key}")
        asked = _hash(f"{self.request.method}\0{self.request.url.path}?{self.request.url.query}\0{self.body}")
        with people_of(self.request) as db:
            held = claim(db, key, asked, now=now())
        if held is not None:
            return _response(held, replayed=True)
        try:
            answer = _answer(make(), status)
        except BaseException:
            with people_of(self.request) as db:
                release(db, key)
            raise
        with people_of(self.request) as db:
            give(db, key, answer)
        return _response(answer)

    @property
    def token(self) -> str:
        """A word for what is made under this key, so that even a crash makes it once; empty without a key."""
        return _hash(f"{self.person.id}\0{self.key}\0{self.body}") if self.key else ""


async def once(request: Request, person: Annotated[Person, Depends(signed_in)], key: AKey = "") -> Once:
    """A dependency, for requests whose body is read before they begin."""
    return Once(request, person, key, hashlib.sha256(await request.body()).hexdigest())


AnOnce = Annotated[Once, Depends(once)]


def _answer(made: Made, status: int) -> Answer:
    model, location = made
    return Answer(status, model.model_dump_json(), location)


def _response(answer: Answer, *, replayed: bool = False) -> Response:
    headers = {"Location": answer.location} if answer.location else {}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(answer.body, answer.status, headers, media_type="application/json")


def _hash(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
