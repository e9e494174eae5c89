"""The courier: makes the deliveries of all studies under a folder, apart from the worker, so that an address that never
answers holds nothing else up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from service import wiring
from service.clock import now
from service.study.study import find_studies, opened
from service.usecases.webhooks import deliver_next

IDLE_SECONDS = 1.0
MOST_SECONDS = 5.0


def carry(folder: Path, stop: threading.Event) -> None:
    """Make deliveries until `stop` is set, one of each study in turn."""
    while not stop.is_set():
        made = sum(carry_next(study) for study in find_studies(folder) if not stop.is_set())
        if not made:
            stop.wait(IDLE_SECONDS)


def carry_next(folder: Path) -> bool:
    """Make the next delivery of a study, if one is due."""
    with opened(folder) as study:
        return deliver_next(
            study, send, partial(wiring.webhook_secret, study), hosts=wiring.settings().webhook_hosts, clock=now
        )


def send(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status that an address answers within five seconds in all; OSError or TimeoutError when it answers none.

    It is not followed elsewhere, and nothing of its answer is read.
    """
    return asyncio.run(asyncio.wait_for(_post(url, body, headers), MOST_SECONDS))


async def _post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    import httpx2

    try:
        async with (
            httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=MOST_SECONDS) as client,
            client.stream("POST", url, content=body, headers=dict(headers)) as answer,
        ):
            return answer.status_code
    except httpx2.HTTPError as broken:
        raise OSError(type(broken).__name__) from None
