"""Activity: who did what when, in ids and counts, filtered and paged, and nothing that is sealed."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.study.activity import Act
from service.study.database import write
from service.study.flags import DISCLOSURE, DISCUSS
from service.study.runs import add_audit
from service.study.voices import segments
from service.usecases.activity import ActivityPage, activity
from service.usecases.flags import close_flag, raise_flag
from service.usecases.memos import add_memo
from service.usecases.queue import Item, next_item
from service.usecases.review import Choice, decide
from service.usecases.rounds import draw_counting_round
from tests.conftest import NOW, Made, sign_in_as
from tests.service.reading import read_blind

NY = "/studies/north-yorkshire-care-leavers"
LATER = "2026-01-16T09:30:00.000+00:00"


def look(
    made: Made, person: str = "Ben", *, safeguards: bool = False, leads: bool = False, **wanted: object
) -> ActivityPage:
    return activity(made.study, person, safeguards=safeguards, leads=leads, **wanted)  # type: ignore[arg-type]


def told(page: ActivityPage) -> list[tuple[str, str]]:
    return [(act.actor, act.action) for act in page.acts]


def test_what_was_done_stands_there_newest_first_in_ids_and_counts(loaded: Made) -> None:
    page = look(loaded)

    assert told(page) == [("t", "suggest"), ("t", "deidentify"), ("t", "intake"), ("A tester", "accept risk")]
    assert page.acts[2].counts["voices"] == 40


def test_reading_is_one_line_for_a_coder_a_round_and_a_day(loaded: Made) -> None:
    read_blind(loaded, 5, lambda _: [Choice("CL9", "", 0, 3)])

    [line] = [act for act in look(loaded, leads=True).acts if act.kind == "reading"]

    assert line == Act(NOW, "Ann", "read", line.subject, {"segments": 5}, "reading")


def test_what_was_taken_back_is_not_counted_as_read(loaded: Made) -> None:
    round_ = draw_counting_round(loaded.study, people=5, seed=1, now=NOW, actor="t")
    item = next_item(loaded.study, round_, "Ann")
    assert item is not None
    seqs = decide(loaded.study, item, coder="Ann", choices=[], seconds=1, now=NOW)
    with write(loaded.study.db) as connection:
        connection.execute(
            'INSERT INTO decisions (segment, action, code, stance, start, "end", undoes, coder, at, seconds, shown, round,'
            " stream, probability, codebook, codebook_version, model)"
            " SELECT segment, 'undo', '', '', 0, 0, seq, coder, at, 0, shown, round, stream, probability, codebook,"
            " codebook_version, model FROM decisions WHERE seq = ?",
            seqs,
        )

    assert look(loaded, leads=True, kind="reading").total == 0


def test_how_much_others_have_read_is_for_leads_until_the_round_ends(loaded: Made) -> None:
    round_ = read_blind(loaded, 5, lambda _: [])

    assert look(loaded, "Ann", kind="reading").total == 1
    assert look(loaded, "Lee", leads=True, kind="reading").total == 1
    assert look(loaded, "Ben", kind="reading").total == 0
    assert "reading" not in look(loaded, "Ben").kinds
    assert "Ann" not in look(loaded, "Ben").actors

    with write(loaded.study.db) as connection:
        connection.execute("INSERT INTO round_ends VALUES (?, 'Lee', ?)", (round_.id, LATER))

    assert look(loaded, "Ben", kind="reading").total == 1


def test_acts_are_found_by_kind_and_person(loaded: Made) -> None:
    add_memo(
        loaded.study, object="study", subject=loaded.study.id, kind="note", words="secret thoughts", by="Ann", now=LATER
    )

    assert told(look(loaded, kind="talk")) == told(look(loaded, actor="Ann")) == [("Ann", "write memo")]
    assert look(loaded, kind="talk", actor="t").total == 0
    assert look(loaded).kinds == ("texts", "suggestions", "talk")
    assert look(loaded).actors == ("A tester", "Ann", "t")
    assert "secret" not in str(look(loaded).acts)


def test_pages_hold_every_act_once_and_past_the_last_is_the_last(loaded: Made) -> None:
    with write(loaded.study.db) as connection:
        for n in range(120):
            add_audit(connection, at=LATER, actor="Ann", action="write memo", subject=f"memo {n}")

    pages = [look(loaded, kind="talk", page=n) for n in (1, 2, 3)]

    assert [len(page.acts) for page in pages] == [50, 50, 20]
    assert len({act.subject for page in pages for act in page.acts}) == 120
    assert look(loaded, kind="talk", page=99) == pages[2]


def _blind_item(made: Made) -> Item:
    item = next_item(made.study, draw_counting_round(made.study, people=1, seed=1, now=NOW, actor="t"), "Ben")
    assert item is not None
    return item


def test_what_others_did_to_an_item_still_to_be_read_alone_is_not_told(loaded: Made) -> None:
    item = _blind_item(loaded)
    close_flag(
        loaded.study, raise_flag(loaded.study, item.segment.id, DISCUSS, by="Ann", now=LATER), by="Ann", now=LATER
    )
    raise_flag(loaded.study, item.segment.id, DISCUSS, by="Ben", now=LATER)

    assert told(look(loaded, "Ben", kind="talk")) == [("Ben", "flag discuss")]
    assert look(loaded, "Ben").actors == ("A tester", "Ben", "t")

    decide(loaded.study, item, coder="Ben", choices=[], seconds=1, now=NOW)

    assert told(look(loaded, "Ben", actor="Ann")) == [("Ann", "end flag discuss"), ("Ann", "flag discuss")]


def test_a_possible_disclosure_is_told_only_to_those_who_safeguard_and_to_who_raised_it(loaded: Made) -> None:
    raise_flag(loaded.study, segments(loaded.study.db)[0].id, DISCLOSURE, by="Ann", now=LATER)

    assert [look(loaded, who, kind="talk", leads=True).total for who in ("Ben", "Ann")] == [0, 1]
    assert told(look(loaded, "Dee", safeguards=True, kind="talk")) == [("Ann", "flag disclosure")]


# The page.


@pytest.fixture(scope="module")
def lead(demo_folder: Path) -> Iterator[TestClient]:
    with sign_in_as(demo_folder, "Lead (demo)") as client:
        yield client


def test_the_page_tells_it_in_words(lead: TestClient) -> None:
    page = unescape(lead.get(NY + "/activity").text)

    assert "<strong>demo</strong> took in an export" in page
    assert "<strong>Demo coder (fictional)</strong> read, last at this time" in page
    assert "voices 270" in page


def test_odd_filters_find_nothing_and_do_nothing(lead: TestClient) -> None:
    page = lead.get(NY + "/activity", params={"kind": "' OR 1=1 --", "by": '"><script>x</script>'})

    assert page.status_code == 200
    assert "Nothing fits." in page.text
    assert "<script>x" not in page.text


@pytest.mark.parametrize("name", ["Reader (demo)", "Young co-producer (demo)"])
def test_those_outside_the_team_do_not_see_who_did_what(demo_folder: Path, name: str) -> None:
    with sign_in_as(demo_folder, name) as client:
        assert client.get(NY + "/activity").status_code == 403
        assert "/activity" not in client.get(NY).text
