"""A real server over a small study, and people signed in to it, for tests of what several do at once."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from service import wiring
from service.access.demo_accounts import DEMO_PASSWORD, add_demo_accounts
from service.access.people import PEOPLE_FILE
from service.cli.server import Reach, Server, server_of
from service.clock import now
from service.wiring import KeyOf


@cache
def _accounts() -> bytes:
    """People.db with the demo's accounts, made once: hashing passwords takes its time."""
    with TemporaryDirectory() as folder:
        add_demo_accounts(Path(folder), now=now())
        return (Path(folder) / PEOPLE_FILE).read_bytes()


def give_accounts(studies: Path) -> None:
    """The demo's accounts, beside studies."""
    (studies / PEOPLE_FILE).write_bytes(_accounts())


@contextmanager
def serving(studies: Path, key_of: KeyOf = wiring.key_of, reach: Reach | None = None) -> Iterator[Server]:
    """The server on a free port for as long as the block lasts."""
    server = server_of(studies, "127.0.0.1", 0, key_of, reach or Reach())
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    yield server
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


def port_of(server: Server) -> int:
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port


@dataclass
class Visitor:
    """Somebody signed in, over real HTTP."""

    port: int
    name: str
    cookie: str = field(default="")

    def __post_init__(self) -> None:
        answer = self.ask("POST", "/sign-in", {"name": self.name, "password": DEMO_PASSWORD})
        self.cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
        assert self.cookie

    def ask(
        self, method: str, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        sent = {"Cookie": self.cookie, "Origin": f"http://127.0.0.1:{self.port}", **headers}
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(form) if form is not None else None, sent)
        return connection.getresponse()

    def changes(self, study: str, since: str = "") -> dict[str, object]:
        found: dict[str, object] = json.loads(
            self.ask("GET", f"/studies/{study}/changes?since={since}", fetch="live").read()
        )
        return found

    def stream(self, study: str, since: str = "", last: str = "") -> Stream:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
        return Stream(self.ask("GET", f"/studies/{study}/events?since={since}", **headers))


class Stream:
    """Server-sent events as they come."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        assert answer.status == 200
        assert answer.getheader("Content-Type", "").startswith("text/event-stream")
        self._answer, self.raw = answer, ""

    def next(self) -> dict[str, object]:
        """The next event; TimeoutError when none comes within ten seconds."""
        while line := self._answer.readline().decode():
            self.raw += line
            if line.startswith("data: "):
                found: dict[str, object] = json.loads(line.removeprefix("data: "))
                return found
        raise EOFError

    def rest(self) -> str:
        return self._answer.read().decode()

    def close(self) -> None:
        self._answer.close()
