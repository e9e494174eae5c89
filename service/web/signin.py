"""Signing in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from service.access.demo_accounts import DEMO_PASSWORD
from service.access.people import all_people
from service.access.permissions import ROLE_WORDS
from service.access.sessions import sign_in, sign_out
from service.clock import now
from service.deps import cookie_of, people_of
from service.errors import AccessError
from service.web.views import inside, render

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
def sign_in_page(request: Request, then: str = "/") -> Response:
    """Where people sign in; a demo names its ready accounts."""
    return _page(request, then, "", 200)


@router.post("/sign-in")
def signing_in(
    request: Request, name: Annotated[str, Form()] = "", password: Annotated[str, Form()] = "",
    then: Annotated[str, Form()] = "/",
) -> Response:  # fmt: skip
    """Open a session and go where the person wanted to be."""
    try:
        with people_of(request) as db:
            token = sign_in(db, name[:200], password[:1000], now=now())
    except AccessError as refused:
        return _page(request, then, str(refused), 403)
    response = RedirectResponse(inside(then), 303)
    secure = request.url.scheme == "https"
    response.set_cookie(cookie_of(request), token, httponly=True, samesite="strict", secure=secure)
    return response


@router.post("/sign-out")
def signing_out(request: Request) -> Response:
    """End the session."""
    with people_of(request) as db:
        sign_out(db, request.cookies.get(cookie_of(request), ""), now=now())
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(cookie_of(request), httponly=True, samesite="strict", secure=request.url.scheme == "https")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _page(request: Request, then: str, problem: str, status: int) -> Response:
    with people_of(request) as db:
        everybody = all_people(db)
    demo = [(p, ROLE_WORDS[p.role]) for p in everybody if p.demo]
    return render(
        request, "signin.html", status=status, then=inside(then), problem=problem, demo=demo, nobody=not everybody,
        password=DEMO_PASSWORD if demo else "",
    )  # fmt: skip
