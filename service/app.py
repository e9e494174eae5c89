"""The web application: pages and API over a folder of studies; headers and errors in one place."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from service.api.routes import router as api
from service.errors import RecordError, ServiceError
from service.web.pages import router as pages
from service.web.views import render

log = logging.getLogger("heard")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def build_app(studies: Path) -> FastAPI:
    """The application over `studies`, a study's folder or a folder of them."""
    app = FastAPI(title="Heard", version="1", docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json")
    app.state.studies = studies
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]", "testserver"])
    app.middleware("http")(_with_headers)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(ServiceError, _refused)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "web" / "static"), name="static")
    app.include_router(api)
    app.include_router(pages)
    return app


async def _with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    try:
        response = await call_next(request)
    except Exception as error:  # noqa: BLE001 - the last line of defence: nothing of the error's words may get out
        response = _broken(request, error)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _problem(request: Request, status: int, code: str, detail: str) -> Response:
    """An RFC 9457 problem for the API, a plain page for people. Neither ever repeats what was sent."""
    title = HTTPStatus(status).phrase
    if request.url.path.startswith("/v1/"):
        body = {"type": f"urn:heard:{code}", "title": title, "status": status, "detail": detail}
        return JSONResponse(body, status, media_type="application/problem+json")
    return render(request, "problem.html", status=status, title=title, detail=detail)


async def _http_problem(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = (
        "There is nothing at this address."
        if status == HTTPStatus.NOT_FOUND
        else "This cannot be done at this address."
    )
    return _problem(request, status, f"http-{status}", detail)


async def _bad_request(request: Request, _: Exception) -> Response:
    return _problem(request, 422, "bad-request", "A part of the address is not of the form that is expected.")


async def _refused(request: Request, error: Exception) -> Response:
    return _problem(request, 404 if isinstance(error, RecordError) else 409, type(error).__name__, str(error))


def _broken(request: Request, error: Exception) -> Response:
    """An incident number, logged with the error's type and nothing else: its words may be a person's."""
    incident = secrets.token_hex(4)
    log.error("incident %s: %s", incident, type(error).__name__)
    detail = f"Something went wrong here. If you report it, give this number: {incident}."
    return _problem(request, 500, "incident", detail)
