"""The web application: pages and API over a folder of studies; headers and errors in one place."""

from __future__ import annotations

import errno
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nlp.errors import NlpError
from service.api import books, decisions, findings, intake, jobs, reading, texts, webhooks
from service.api.limits import Bounded
from service.api.problems import MEDIA_TYPE, completed, field_problems, known_names, row_problem
from service.api.turns import Turns
from service.deps import API, NotSignedInError
from service.doors import Recorded, doors_of
from service.errors import (
    AccessError,
    BusyError,
    ConflictError,
    FullError,
    InputError,
    LimitError,
    RecordError,
    RepeatError,
    ServiceError,
)
from service.hardening import told
from service.study.pool import Pool
from service.web import (
    activity,
    adjudicate,
    agreement,
    audit,
    bulk,
    candidates,
    check,
    codebook,
    codebook_edit,
    codebook_publish,
    events,
    excerpts,
    flags,
    glass,
    joint,
    keys,
    memos,
    overview,
    packs,
    pages,
    passport,
    queue,
    quotations,
    rounds,
    safeguarding,
    saves,
    signin,
    upload,
    voices,
    withdrawals,
)
from service.web import jobs as jobs_page
from service.web.sharpening import Sharpening
from service.web.views import render
from service.web.watch import Watches
from service.wiring import KeyOf, key_of

log = logging.getLogger("heard")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
TLS_HEADERS = {"Strict-Transport-Security": "max-age=63072000"}
HERE = ("127.0.0.1", "localhost", "[::1]", "testserver")


def build_app(studies: Path, key_of: KeyOf = key_of, names: Sequence[str] = ()) -> FastAPI:
    """The application over `studies`, a study's folder or a folder of them, whose keys `key_of` gives.

    It answers under this machine's own names and those in `names`, and under no other.
    """
    app = FastAPI(
        title="Heard",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        lifespan=_until_stopped,
    )
    app.state.studies = studies
    app.state.pool, app.state.watches, app.state.turns = Pool(), Watches(), Turns()
    app.state.sharpening = Sharpening()
    app.state.key_of = key_of
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*HERE, *names])
    app.add_middleware(Recorded)
    app.add_middleware(Bounded)
    app.add_middleware(_OwnPagesOnly)
    app.add_middleware(_WithHeaders)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(NotSignedInError, _sign_in_first)
    app.add_exception_handler(ServiceError, _refused)
    app.add_exception_handler(NlpError, _refused)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "web" / "static"), name="static")
    for part in (
        reading,
        findings,
        intake,
        jobs,
        books,
        decisions,
        webhooks,
        texts,
        pages,
        codebook,
        codebook_edit,
        codebook_publish,
        candidates,
        check,
        overview,
        voices,
        excerpts,
        joint,
        quotations,
        passport,
        packs,
        agreement,
        activity,
        audit,
        memos,
        queue,
        rounds,
        bulk,
        adjudicate,
        saves,
        keys,
        flags,
        upload,
        jobs_page,
        glass,
        safeguarding,
        withdrawals,
        signin,
        events,
    ):
        app.include_router(part.router)
    doors_of(app)  # refuses one without a rule
    describe = app.openapi
    app.openapi = lambda: completed(describe())  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _until_stopped(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.watches.end()
    app.state.turns.end()
    app.state.pool.close()


class _WithHeaders:
    """Every answer carries the headers, and no error's own words get out, into a page or a log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in (HEADERS | (TLS_HEADERS if scope["scheme"] == "https" else {})).items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001 - the last line of defence: nothing of the error's words may get out
            answer = _broken(Request(scope), error)
            if not begun:
                await answer(scope, receive, send_with_headers)


class _OwnPagesOnly:
    """A form or script of another site may change nothing here, though the browser would send the cookie along."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, app = Request(scope), self._app
        if request.method not in ("GET", "HEAD", "OPTIONS") and not _from_here(request):
            app = _problem(request, 403, "another-site", "This was not sent from one of this service's own pages.")
        await app(scope, receive, send)


def _from_here(request: Request) -> bool:
    if "Authorization" in request.headers:
        return True  # a key is never sent along by a browser on its own
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site == "same-origin"
    return origin is not None and origin == f"{request.url.scheme}://{request.headers.get('Host')}"


def _problem(request: Request, status: int, code: str, detail: str, **more: Any) -> Response:
    """An RFC 9457 problem for the API, a plain page for people. Neither ever repeats what was sent."""
    title = HTTPStatus(status).phrase
    if request.url.path.startswith(API):
        body = {"type": f"urn:heard:{code}", "title": title, "status": status, "detail": detail, **more}
        return JSONResponse(body, status, media_type=MEDIA_TYPE)
    return render(request, "problem.html", status=status, title=title, detail=detail)


async def _http_problem(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = {
        404: "There is nothing at this address.",
        403: "Your role has no leave for this. Ask the study's lead.",
        413: "That is more than is taken at once. Send it in parts.",
    }.get(status, "This cannot be done at this address.")
    answer = _problem(request, status, f"http-{status}", detail)
    if isinstance(error, HTTPException) and error.headers and "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    return answer


async def _sign_in_first(request: Request, _: Exception) -> Response:
    by_a_script = "fetch" in request.headers or "text/event-stream" in request.headers.get("Accept", "")
    if request.method == "GET" and not request.url.path.startswith(API) and not by_a_script:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/sign-in?then={quote(request.url.path + query)}", 303)
    return _problem(request, 401, "sign-in-needed", "Sign in first. What you had decided is kept on your screen.")


async def _bad_request(request: Request, error: Exception) -> Response:
    if not request.url.path.startswith(API) or not isinstance(error, RequestValidationError):
        return _problem(request, 422, "bad-request", "A part of the address is not of the form that is expected.")
    errors = field_problems(error, known_names(request.app))
    return _problem(request, 422, "bad-request", "Some of what was sent cannot be taken: see errors.", errors=errors)


async def _refused(request: Request, error: Exception) -> Response:
    kinds: dict[type[ServiceError], int] = {
        RecordError: 404, ConflictError: 412, AccessError: 403, InputError: 422, RepeatError: 422, LimitError: 429,
        BusyError: 503, FullError: 507,
    }  # fmt: skip
    status = next((status for kind, status in kinds.items() if isinstance(error, kind)), 409)
    errors: dict[str, Any] = {"errors": [row_problem(error)]} if isinstance(error, InputError) else {}
    answer = _problem(request, status, type(error).__name__, str(error), **errors)
    if isinstance(error, BusyError):
        answer.headers["Retry-After"] = str(error.seconds)
    return answer


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _broken(request: Request, error: Exception) -> Response:
    """An incident number, logged with the error's type and nothing else: its words may be a person's."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return _problem(request, 507, FullError.__name__, str(FullError()))
    incident = secrets.token_hex(4)
    log.error("incident", extra={"incident": incident, **told(error)})
    detail = f"Something went wrong here. If you report it, give this number: {incident}."
    return _problem(request, 500, "incident", detail)
