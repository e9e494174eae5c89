"""The client: one method an address, typed answers, pages read through, and what failed on the way tried again.

Every request that changes something carries an Idempotency-Key of its own, so that trying again never does it twice.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx2

from heard_client.errors import HeardError
from heard_client.types import (
    CleanText,
    Codebook,
    Decision,
    Job,
    Link,
    Released,
    Round,
    Segment,
    Share,
    Study,
    SuggestedText,
    TakenIn,
    Text,
    Voice,
    VoiceLine,
    VoiceText,
    Webhook,
    made,
)

MOST_VOICES, MOST_TEXTS, MOST_CHARACTERS = 10_000, 100, 200_000
TRY_AGAIN = (429, 502, 503, 504)
T = TypeVar("T")


class Heard:
    """A connection with one key. HeardError for whatever the service refuses, or when it cannot be reached."""

    def __init__(self, url: str, key: str, *, timeout: float = 60, tries: int = 4) -> None:
        self._http = httpx2.Client(
            base_url=url.rstrip("/") + "/v1/", headers={"Authorization": f"Bearer {key}"}, timeout=timeout
        )
        self._tries = tries

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()

    def deidentify(self, texts: Sequence[Text | str]) -> list[CleanText]:
        """De-identify texts that are kept elsewhere; one answer for each, in order.

        They go in parts of up to a hundred; names carry over between a participant's texts within a part.
        """
        sent = [asdict(t if isinstance(t, Text) else Text(t)) for t in texts]
        answers = (self._post("deidentify", {"texts": part}) for part in _parts(sent))
        return [made(CleanText, t) for answer in answers for t in answer["texts"]]

    def suggest(self, codebook: str, texts: Sequence[str]) -> list[SuggestedText]:
        """Suggest codes of an installed codebook for de-identified texts; one answer for each, in order."""
        parts = _parts([{"text": t} for t in texts])
        answers = (self._post("suggest", {"codebook": codebook, "texts": part}) for part in parts)
        return [made(SuggestedText, t) for answer in answers for t in answer["texts"]]

    def studies(self) -> list[Study]:
        """The studies that the key may see."""
        return [made(Study, s) for s in self._get("studies")]

    def add_voices(self, study: str, voices: Iterable[Voice], *, prepare: bool = True) -> TakenIn:
        """Take up to 10,000 voices in, all or none; with `prepare` the job that makes them ready is asked for."""
        body = {"voices": [asdict(v) for v in voices]}
        return made(TakenIn, self._post(f"{_in(study)}/voices", body, params={"prepare": prepare}))

    def add_all_voices(self, study: str, voices: Iterable[Voice], *, prepare: bool = True) -> Iterator[TakenIn]:
        """Take in any number of voices, 10,000 at a time."""
        waiting = iter(voices)
        while part := list(islice(waiting, MOST_VOICES)):
            yield self.add_voices(study, part, prepare=prepare)

    def add_file(self, study: str, file: Path, *, prepare: bool = True, **options: str) -> TakenIn:
        """Take a file in; `options` are `profile`, `text` (the column) and `voice` (who speaks)."""
        params = {"kind": file.suffix.lstrip(".").casefold(), "prepare": prepare, **options}
        return made(TakenIn, self._send("POST", f"{_in(study)}/files", content=file.read_bytes(), params=params))

    def ask(self, study: str, kind: str) -> Job:
        """Ask for a job: deidentify, suggest or prepare."""
        return made(Job, self._post(f"{_in(study)}/jobs", {"kind": kind}))

    def jobs(self, study: str) -> Iterator[Job]:
        """A study's jobs, newest first."""
        return self._pages(Job, f"{_in(study)}/jobs")

    def job(self, study: str, number: int) -> Job:
        """How far a job is."""
        return made(Job, self._get(f"{_in(study)}/jobs/{number}"))

    def cancel(self, study: str, number: int) -> Job:
        """Take a job back."""
        return made(Job, self._post(f"{_in(study)}/jobs/{number}/cancel", None))

    def retry(self, study: str, number: int) -> Job:
        """Let a failed or cancelled job wait again."""
        return made(Job, self._post(f"{_in(study)}/jobs/{number}/retry", None))

    def watch(self, study: str, number: int) -> Iterator[Job]:
        """A job each time that it has gone on, for five minutes at most."""
        with self._http.stream("GET", f"{_in(study)}/jobs/{number}/events") as answer:
            if answer.status_code != 200:
                answer.read()
                raise _error(answer)
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield made(Job, json.loads(line.removeprefix("data: ")))

    def wait(self, study: str, number: int, *, seconds: float = 3600) -> Job:
        """A job when it is over; HeardError when that takes too long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.job(study, number)
            if found.over:
                return found
            time.sleep(1)
        raise HeardError(0, {"detail": "the job is not over yet"})

    def voices(self, study: str, **wanted: str) -> Iterator[VoiceLine]:
        """De-identified voices; `wanted` are words, voice, suggested, confirmed."""
        return self._pages(VoiceLine, f"{_in(study)}/voices", **wanted)

    def clean_text(self, study: str, voice: str) -> VoiceText:
        """A voice's newest clean text."""
        return made(VoiceText, self._get(f"{_in(study)}/voices/{quote(voice, safe='')}/clean-text"))

    def suggestions(self, study: str) -> Iterator[Segment]:
        """Every segment with its suggestions, as far as they may be seen yet."""
        return self._pages(Segment, f"{_in(study)}/suggestions")

    def decisions(self, study: str) -> Iterator[Decision]:
        """What people decided, in the order of time, as far as it may be seen yet."""
        return self._pages(Decision, f"{_in(study)}/decisions")

    def codebooks(self, study: str = "") -> list[Codebook]:
        """The codebooks that are installed, or the versions that a study keeps."""
        return [made(Codebook, b) for b in self._get(f"{_in(study)}/codebooks" if study else "codebooks")]

    def rounds(self, study: str) -> list[Round]:
        """A study's rounds, oldest first."""
        return [made(Round, r) for r in self._get(f"{_in(study)}/rounds")]

    def estimates(self, study: str) -> list[Share]:
        """The share of people who express each code, with its interval or why there is none."""
        return [made(Share, s) for s in self._get(f"{_in(study)}/estimates")]

    def links(self, study: str) -> list[Link]:
        """Themes beside published indicators."""
        return [made(Link, row) for row in self._get(f"{_in(study)}/links")]

    def releases(self, study: str) -> list[Released]:
        """The quotations that may be shown."""
        return [made(Released, q) for q in self._get(f"{_in(study)}/releases")]

    def add_webhook(self, study: str, url: str, events: Sequence[str]) -> Webhook:
        """Have an address told of events; its secret comes this once."""
        return made(Webhook, self._post(f"{_in(study)}/webhooks", {"url": url, "events": list(events)}))

    def webhooks(self, study: str) -> list[Webhook]:
        """A study's webhooks."""
        return [made(Webhook, w) for w in self._get(f"{_in(study)}/webhooks")]

    def end_webhook(self, study: str, webhook: str) -> None:
        """Tell an address nothing more."""
        self._send("DELETE", f"{_in(study)}/webhooks/{quote(webhook, safe='')}")

    def _pages(self, kind: type[T], path: str, **params: str) -> Iterator[T]:
        cursor: str | None = ""
        while cursor is not None:
            page = self._get(path, **params, **({"cursor": cursor} if cursor else {}))
            yield from (made(kind, item) for item in page["items"])
            cursor = page["next"]

    def _get(self, path: str, **params: str) -> Any:
        return self._send("GET", path, params=params)

    def _post(self, path: str, body: Mapping[str, Any] | None, *, params: Mapping[str, Any] | None = None) -> Any:
        return self._send("POST", path, json=body, params=params)

    def _send(self, method: str, path: str, **sent: Any) -> Any:
        headers = {} if method == "GET" else {"Idempotency-Key": uuid.uuid4().hex}
        for left in reversed(range(self._tries)):
            try:
                answer = self._http.request(method, path, headers=headers, **sent)
            except httpx2.TransportError as lost:
                if not left:
                    raise HeardError(0, {"detail": f"the service cannot be reached ({type(lost).__name__})"}) from None
                time.sleep(0.5)
                continue
            if answer.status_code not in TRY_AGAIN or not left:
                break
            time.sleep(float(answer.headers.get("Retry-After", "1")))
        if answer.status_code >= 400:
            raise _error(answer)
        return answer.json() if answer.content else None


def _in(study: str) -> str:
    return f"studies/{quote(study, safe='')}"


def _parts(texts: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """As many as the service takes at once, by number and by length."""
    part: list[Mapping[str, Any]] = []
    for text in texts:
        if part and (len(part) == MOST_TEXTS or sum(len(t["text"]) for t in [*part, text]) > MOST_CHARACTERS):
            yield part
            part = []
        part.append(text)
    if part:
        yield part


def _error(answer: httpx2.Response) -> HeardError:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    return HeardError(answer.status_code, body if isinstance(body, dict) else {})
