"""What every part of the API shares: its prefix, its problems, its limits, and ETags on all that is read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse
from fastapi.routing import APIRoute

from service.api.limits import limited
from service.api.problems import RESPONSES
from service.etag import etag, unchanged

PREFIX = "/v1"


class TaggedRoute(APIRoute):
    """Answers to GET carry an ETag of their content, and 304 goes to whoever has that content already."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, tagged."""
        handle = super().get_route_handler()

        async def tagged(request: Request) -> Response:
            response = await handle(request)
            if request.method != "GET" or response.status_code != 200 or isinstance(response, StreamingResponse):
                return response
            tag = etag(hashlib.sha256(response.body).hexdigest()[:32])
            response.headers["ETag"] = tag
            return Response(status_code=304, headers={"ETag": tag}) if unchanged(request, tag) else response

        return tagged


def api_router(tag: str) -> APIRouter:
    """A router for one part of the API."""
    return APIRouter(
        prefix=PREFIX, tags=[tag], responses=RESPONSES, route_class=TaggedRoute, dependencies=[Depends(limited)]
    )
