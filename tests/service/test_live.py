"""Two at once: what others change is told, in kinds alone, and the server stops though streams are open."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from starlette.requests import Request

from service.access.people import people_in
from service.cli.server import Server
from service.clock import now
from service.errors import ConflictError
from service.etag import etag, require_match
from service.study.changes import KINDS, changed, state_for
from service.study.database import write
from service.study.flags import DISCLOSURE, DISCUSS
from service.study.study import Study, opened
from service.study.voices import segments
from service.usecases.flags import close_flag, raise_flag
from tests.conftest import NOW, Made
from tests.service.serving import Visitor, give_accounts, port_of, serving
from tests.service.test_check import Deaf
from tests.service.test_check import loaded as load

A, B, LEAD, READER = "Coder A (demo)", "Coder B (demo)", "Lead (demo)", "Reader (demo)"


@pytest.fixture
def said(made: Made, tmp_path: Path) -> Study:
    """Four people who said one thing each, and accounts beside the study."""
    load(made, tmp_path, [{"id": str(i), "text": f"Flat {i} is cold"} for i in range(4)], Deaf("never"))
    give_accounts(tmp_path)
    return made.study


@pytest.fixture
def server(said: Study) -> Iterator[Server]:
    with serving(said.folder.parent) as server:
        yield server


def flag_once(study: Study, by: str, kind: str = DISCUSS, place: int = 0) -> int:
    return raise_flag(study, segments(study.db)[place].id, kind, by=by, now=now())


def test_what_another_does_is_told_in_kinds_alone(said: Study, server: Server) -> None:
    visitor = Visitor(port_of(server), B)
    stream = visitor.stream(said.name, since=str(visitor.changes(said.name)["since"]))

    flag_once(said, A)

    assert stream.next()["kinds"] == ["flags"]
    assert segments(said.db)[0].id not in stream.raw
    assert A not in stream.raw
    stream.close()


def test_what_one_does_oneself_is_not_told(said: Study, server: Server) -> None:
    visitor = Visitor(port_of(server), B)
    stream = visitor.stream(said.name, since=str(visitor.changes(said.name)["since"]))

    flag_once(said, B)
    with write(said.db) as connection:
        connection.execute("INSERT INTO drafts VALUES ('x', '1.0.0', '', 1, ?, ?)", (A, now()))

    assert stream.next()["kinds"] == ["codebook"]
    stream.close()


def test_what_came_while_the_line_was_broken_is_told_afterwards(said: Study, server: Server) -> None:
    visitor = Visitor(port_of(server), B)
    stream = visitor.stream(said.name)
    last = str(stream.next()["since"])
    stream.close()

    flag_once(said, A)

    again = visitor.stream(said.name, since="older", last=last)
    assert again.next()["kinds"] == ["flags"]
    again.close()


def test_asking_tells_the_same_as_the_stream(said: Study, server: Server) -> None:
    visitor = Visitor(port_of(server), B)
    since = str(visitor.changes(said.name)["since"])
    assert visitor.changes(said.name, since)["kinds"] == []

    close_flag(said, flag_once(said, B), by=A, now=now())

    assert visitor.changes(said.name, since)["kinds"] == ["flags"]


@pytest.mark.parametrize(
    ("name", "kinds"), [(READER, []), (A, ["flags"]), (LEAD, ["flags"]), ("Data manager (demo)", ["flags"]),
     ("Safeguarding lead (demo)", ["flags", "disclosures"])]
)  # fmt: skip
def test_nobody_hears_of_what_they_may_not_see(said: Study, server: Server, name: str, kinds: list[str]) -> None:
    visitor = Visitor(port_of(server), name)
    since = str(visitor.changes(said.name)["since"])

    flag_once(said, B)
    flag_once(said, B, DISCLOSURE, 1)

    assert visitor.changes(said.name, since)["kinds"] == kinds


def test_the_stream_and_the_changes_are_for_those_signed_in_alone(said: Study, server: Server) -> None:
    visitor = Visitor(port_of(server), B)

    assert visitor.ask("GET", "/studies/nothing/events").status == 404
    visitor.cookie = "heard_session=wrong"
    for path in ("events", "changes"):
        refused = visitor.ask("GET", f"/studies/{said.name}/{path}", Accept="text/event-stream")
        assert refused.status == 401


def test_a_page_that_lies_open_keeps_no_session_alive(said: Study, server: Server) -> None:
    visitor = Visitor(port_of(server), B)
    before = (datetime.fromisoformat(now()) - timedelta(hours=1)).isoformat(timespec="milliseconds")
    with people_in(said.folder.parent) as db, write(db) as connection:
        connection.execute("UPDATE sessions SET seen_at = ?", [before])

    visitor.changes(said.name)
    stream = visitor.stream(said.name)
    stream.next()
    stream.close()
    with people_in(said.folder.parent) as db:
        assert db.conn.execute("SELECT max(seen_at) FROM sessions").fetchone()[0] == before
    assert visitor.ask("GET", f"/studies/{said.name}/voices").status == 200
    with people_in(said.folder.parent) as db:
        assert db.conn.execute("SELECT max(seen_at) FROM sessions").fetchone()[0] > before


def test_many_listeners_are_served_by_one_watch_that_ends_with_the_last(said: Study, server: Server) -> None:
    watches = server.config.app.state.watches
    streams = [Visitor(port_of(server), name).stream(said.name) for name in (A, B, LEAD) for _ in range(3)]
    for stream in streams:
        stream.next()
    watch = watches.of(said.folder)
    assert not watch.ended
    assert watches.of(said.folder) is watch

    for stream in streams:
        stream.close()

    deadline = time.monotonic() + 5
    while not watch.ended and time.monotonic() < deadline:
        time.sleep(0.05)
    assert watch.ended


def test_the_server_stops_at_once_though_streams_are_open(said: Study) -> None:
    with serving(said.folder.parent) as server:
        streams = [Visitor(port_of(server), name).stream(said.name) for name in (A, B, LEAD)]
        for stream in streams:
            stream.next()
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert all("data" not in stream.rest() for stream in streams)


def test_a_token_changes_with_what_others_do_and_with_nothing_else(said: Study) -> None:
    before = {person: state_for(said.db, said.id, person) for person in (A, B)}

    flag_once(said, A)
    after = {person: state_for(said.db, said.id, person) for person in (A, B)}

    assert after[A] == before[A]
    assert changed(before[B], after[B]) == ["flags"]
    assert changed(before[B], before[B]) == []


def test_a_token_that_is_not_ours_tells_of_no_change(said: Study) -> None:
    ours = state_for(said.db, said.id, A)

    for since in ("", "x", ".", "." * len(KINDS), "a.b.c.d.e.f.g", "é" * 70, "0" * 10_000, ours + ".", ours[:-1]):
        assert changed(since, ours) == []


def request_with(**headers: str) -> Request:
    return Request(
        {"type": "http", "headers": [(k.replace("_", "-").lower().encode(), v.encode()) for k, v in headers.items()]}
    )


@pytest.mark.parametrize("given", ['"3"', '"2", "3"', "*", ' "3" '])
def test_a_change_to_the_version_that_was_read_is_allowed(given: str) -> None:
    require_match(request_with(If_Match=given), 3, who=A, when=NOW)
    require_match(request_with(), 3, who=A, when=NOW, read="3")
    assert etag(3) == '"3"'


@pytest.mark.parametrize("given", ['"2"', 'W/"3"', "3", '"33"', '"3', "\u00e9"])
def test_a_change_to_another_version_is_refused_with_who_and_when(given: str) -> None:
    with pytest.raises(ConflictError, match=r"Coder A \(demo\) changed this on 2026-01-15 at 10:00"):
        require_match(request_with(If_Match=given), 3, who=A, when=NOW)


def test_a_change_that_names_no_version_is_refused() -> None:
    with pytest.raises(ConflictError, match="which version"):
        require_match(request_with(), 3, who=A, when=NOW)


def test_a_study_lent_by_the_pool_is_the_study(said: Study, server: Server) -> None:
    with opened(said.folder, server.config.app.state.pool.lend) as lent:
        assert lent == Study(**{**{f: getattr(said, f) for f in Study.__slots__}, "db": lent.db})
