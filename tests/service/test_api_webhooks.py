"""Webhooks: signed, ids alone, told again until answered, never beyond allowed hosts, and no harm where nobody answers."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service import courier, wiring, worker
from service.errors import StudyError
from service.study import jobs
from service.study.webhooks import deliveries
from service.usecases.jobs import work_once
from service.usecases.webhooks import BACK_OFF, deliver_next, may_be_told, register
from tests.conftest import NOW, Made
from tests.service.calling import CODER, MANAGER, calling
from tests.service.serving import give_accounts

STUDY = "/v1/studies/study"


@dataclass
class Receiver:
    """A server that keeps what it is told."""

    status: int = 200
    url: str = ""
    told: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    held = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            held.told.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(held.status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield held
    server.shutdown()
    thread.join(5)


@pytest.fixture
def manager(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("HEARD_KEY_FOLDER", str(tmp_path / "keys"))
    wiring.settings.cache_clear()
    give_accounts(tmp_path)
    yield calling(tmp_path, MANAGER, "intake", "read")
    wiring.settings.cache_clear()


def end_a_job(made: Made) -> int:
    asked = jobs.ask(made.study.db, "deidentify", {}, by="a", now=NOW)
    work_once(made.study, worker.HANDLERS, "w", lambda: NOW)
    return asked.id


def test_a_delivery_is_signed_and_tells_ids_alone(manager: TestClient, made: Made, receiver: Receiver) -> None:
    hook = manager.post(f"{STUDY}/webhooks", json={"url": receiver.url, "events": ["job.ended"]}).json()
    number = end_a_job(made)

    assert courier.carry_next(made.study.folder)
    assert not courier.carry_next(made.study.folder)

    ((headers, body),) = receiver.told
    signed = f"{headers['Heard-Delivery']}.{headers['Heard-Timestamp']}.".encode() + body
    expected = hmac.new(hook["secret"].encode(), signed, hashlib.sha256).hexdigest()
    assert headers["Heard-Signature"] == f"v1={expected}"
    told = json.loads(body)
    assert told.pop("at")
    assert told == {"event": "job.ended", "study": made.study.id, "job": number, "kind": "deidentify", "state": "done"}
    (line,) = manager.get(f"{STUDY}/webhooks/{hook['id']}/deliveries").json()["items"]
    assert (line["state"], line["status"], line["attempts"]) == ("done", 200, 1)


def test_only_the_events_that_were_asked_for_are_told(manager: TestClient, made: Made, receiver: Receiver) -> None:
    hook = manager.post(f"{STUDY}/webhooks", json={"url": receiver.url, "events": ["voices.taken_in"]}).json()
    end_a_job(made)
    manager.post(f"{STUDY}/voices", json={"voices": [{"record": "1", "text": "Kayleigh puts a chair there."}]})
    while courier.carry_next(made.study.folder):
        pass

    ((headers, body),) = receiver.told
    assert headers["Heard-Event"] == "voices.taken_in"
    assert b"Kayleigh" not in body
    assert manager.delete(f"{STUDY}/webhooks/{hook['id']}").status_code == 204
    assert manager.get(f"{STUDY}/webhooks").json() == []


def test_an_address_that_refuses_is_told_again_later_and_later_and_given_up_in_the_end(made: Made) -> None:
    hook = register(made.study, "http://localhost:9/x", ["job.ended"], hosts=(), now=NOW, actor="t")
    end_a_job(made)
    times, asked = [datetime.fromisoformat(NOW)], list[datetime]()

    def refuse(*_: object) -> int:
        asked.append(times[-1])
        return 500 if len(asked) % 2 else _silent()

    def clock() -> str:
        return times[-1].isoformat(timespec="milliseconds")

    for _ in range(len(BACK_OFF) + 1):
        deliver_next(made.study, refuse, lambda _: "s", hosts=(), clock=clock)
        (line,) = deliveries(made.study.db, hook.id, before=99, limit=9)
        times.append(datetime.fromisoformat(line.due_at or NOW))

    assert line.state == "failed"
    assert [b - a for a, b in pairwise(asked)] == [timedelta(seconds=s) for s in BACK_OFF]
    assert line.attempts == len(BACK_OFF) + 1


def _silent() -> int:
    raise TimeoutError


def test_an_address_that_never_answers_holds_nothing_up(manager: TestClient, made: Made) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes the connection and says nothing
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        hook = manager.post(f"{STUDY}/webhooks", json={"url": url, "events": ["job.ended"]}).json()
        end_a_job(made)
        begun = time.monotonic()
        carrying = threading.Thread(target=courier.carry_next, args=(made.study.folder,))
        carrying.start()
        other = end_a_job(made)
        done_after = time.monotonic() - begun
        answers = [manager.get(f"{STUDY}/jobs").status_code for _ in range(5)]
        carrying.join(20)

    assert jobs.job(made.study.db, other).state == "done"
    assert done_after < courier.MOST_SECONDS
    assert answers == [200] * 5
    assert time.monotonic() - begun < courier.MOST_SECONDS + 3
    first = manager.get(f"{STUDY}/webhooks/{hook['id']}/deliveries").json()["items"][-1]
    assert (first["state"], first["attempts"], first["status"]) == ("waiting", 1, 0)


def test_a_drip_of_an_answer_ends_as_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "MOST_SECONDS", 0.6)
    with socket.create_server(("127.0.0.1", 0)) as dripping:
        stop = threading.Event()

        def drip() -> None:
            with dripping.accept()[0] as visitor:
                visitor.sendall(b"HTTP/1.1 200 OK\r\n")
                while not stop.wait(0.1):
                    try:
                        visitor.sendall(b"X-A: b\r\n")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        begun = time.monotonic()
        with pytest.raises((TimeoutError, OSError)):
            courier.send(f"http://127.0.0.1:{dripping.getsockname()[1]}/", b"{}", {})
        took = time.monotonic() - begun
        stop.set()
        thread.join(5)

    assert took < 3


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.status = 307

    assert courier.send(receiver.url, b"{}", {}) == 307
    assert len(receiver.told) == 1


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:8080/x", True), ("http://[::1]:80/", True), ("http://localhost", True),
        ("https://hooks.example.org/a?b=1", True), ("https://HOOKS.example.org/", True),
        ("http://hooks.example.org/", False), ("https://example.org/", False), ("http://10.0.0.1/", False),
        ("https://hooks.example.org.evil.net/", False), ("https://evil.net/hooks.example.org", False),
        ("https://a@hooks.example.org/", False), ("https://hooks.example.org@evil.net/", False), ("file:///etc/passwd", False),
        ("http://127.0.0.1.evil.net/", False), ("http://169.254.169.254/", False), ("", False), ("http://", False),
        ("http://localhost:99999/", False), ("http://[::1/", False), ("http://local host/", False), ("//localhost/", False),
    ],
)  # fmt: skip
def test_only_this_machine_and_allowed_hosts_may_be_told(url: str, told: bool) -> None:
    assert may_be_told(url, ["hooks.example.org"]) is told


def test_another_address_is_refused_and_not_repeated(manager: TestClient) -> None:
    answer = manager.post(f"{STUDY}/webhooks", json={"url": "http://qzx.example/", "events": ["job.ended"]})

    assert answer.status_code == 409
    assert "qzx" not in answer.text


def test_a_host_that_is_no_longer_allowed_is_not_told(made: Made) -> None:
    hook = register(made.study, "https://h.example/", ["job.ended"], hosts=("h.example",), now=NOW, actor="t")
    end_a_job(made)
    sent: list[object] = []

    deliver_next(made.study, lambda *a: len(sent.append(a) or ""), lambda _: "s", hosts=(), clock=lambda: NOW)

    assert sent == []
    assert deliveries(made.study.db, hook.id, before=99, limit=9)[0].state == "waiting"


def test_a_study_has_only_so_many_webhooks_and_a_coder_makes_none(
    manager: TestClient, made: Made, tmp_path: Path
) -> None:
    for _ in range(20):
        register(made.study, "http://localhost/", ["job.ended"], hosts=(), now=NOW, actor="t")

    with pytest.raises(StudyError, match="at most 20"):
        register(made.study, "http://localhost/", ["job.ended"], hosts=(), now=NOW, actor="t")
    assert calling(tmp_path, CODER, "read").get(f"{STUDY}/webhooks").status_code == 403
    secrets = {manager.get(f"{STUDY}/webhooks").text}
    assert "whsec" not in "".join(secrets)
