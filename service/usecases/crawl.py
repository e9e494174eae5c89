"""A look at every page of a running service: follow its own links until all have answered."""

from __future__ import annotations

import http.client
import re
from collections import deque
from html import unescape

from service.errors import StudyError

_LINK = re.compile(r"""(?:href|src)="(/[^"#]*)""")
MAX_PAGES = 400
MAX_VOICES = 12


def crawl(host: str, port: int, *, cookie: str) -> int:
    """How many addresses answered 200; StudyError names the first that did not.

    Only the first dozen voices of each study are opened: their pages are one template.
    """
    waiting, seen, voices = deque(["/"]), {"/"}, dict[str, int]()
    while waiting:
        address = waiting.popleft()
        status, body = _get(host, port, address, cookie)
        if status != 200:
            raise StudyError(f"the page {address} answered {status}")
        for link in map(unescape, _LINK.findall(body)):
            study, is_voice, _ = link.partition("/voices/")
            voices[study] = voices.get(study, 0) + bool(is_voice)
            if link not in seen and len(seen) < MAX_PAGES and (not is_voice or voices[study] <= MAX_VOICES):
                seen.add(link)
                waiting.append(link)
    return len(seen)


def _get(host: str, port: int, address: str, cookie: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(host, port, timeout=60)
    try:
        connection.request("GET", address, headers={"Cookie": cookie})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    is_page = answer.headers.get_content_type() == "text/html"
    return answer.status, body.decode("utf-8") if is_page else ""
