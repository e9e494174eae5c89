"""Memos: many about each thing, their writer's own, and free of identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.errors import AccessError, ConflictError, IdentifierError, MemoError, RecordError
from service.study.memos import memo
from service.study.study import opened
from service.study.voices import segments
from service.usecases.memos import (
    LONGEST,
    MemoFilter,
    add_memo,
    change_memo,
    delete_memo,
    find_memos,
    identifiers,
    memos_about,
)
from service.usecases.queue import next_item
from service.usecases.review import decide
from service.usecases.rounds import draw_counting_round
from tests.conftest import NOW, Made, sign_in_as

NY = "/studies/north-yorkshire-care-leavers"
LATER = "2026-01-16T09:30:00.000+00:00"


def note(made: Made, words: str, *, by: str = "Ann", object: str = "study", subject: str = "", now: str = NOW) -> int:
    subject = subject or made.study.id
    return add_memo(made.study, object=object, subject=subject, kind="note", words=words, by=by, now=now).id


def found(made: Made, person: str = "Ann", *, reads_voices: bool = True, **wanted: str) -> list[str]:
    page = find_memos(made.study, person, MemoFilter(**wanted), reads_voices=reads_voices, page=1)
    return [m.words for m in page.memos]


def test_a_thing_may_have_many_memos_typed_dated_and_signed(loaded: Made) -> None:
    segment = segments(loaded.study.db)[0].id
    for kind in ("question", "idea"):
        add_memo(loaded.study, object="segment", subject=segment, kind=kind, words=f"my {kind}", by="Ann", now=NOW)

    held = memos_about(loaded.study, "Ann", "segment", [segment])[segment]

    assert [(m.kind, m.words, m.by, m.at, m.version) for m in held] == [
        ("idea", "my idea", "Ann", NOW, 1),
        ("question", "my question", "Ann", NOW, 1),
    ]


@pytest.mark.parametrize(
    "object",
    ["study", "voice", "segment", "code", "round", "candidate"],
)
def test_a_memo_is_about_something_that_is_there(loaded: Made, object: str) -> None:
    with pytest.raises(RecordError):
        note(loaded, "about nothing", object=object, subject="no such id")


def test_a_code_may_have_memos(loaded: Made) -> None:
    note(loaded, "is this one code or two?", object="code", subject="CL5")

    assert found(loaded, object="code") == ["is this one code or two?"]


def test_the_same_memo_sent_twice_is_one(made: Made) -> None:
    assert note(made, "twice") == note(made, "twice")
    assert found(made) == ["twice"]


@pytest.mark.parametrize("words", ["", "  \n ", "x" * (LONGEST + 1)])
def test_an_empty_or_over_long_memo_is_refused_in_plain_words(made: Made, words: str) -> None:
    with pytest.raises(MemoError, match="empty|20,001 characters and may have 20,000"):
        note(made, words)


def test_the_longest_memo_is_kept_whole(made: Made) -> None:
    assert len(memo(made.study.db, note(made, "é" * LONGEST)).words) == LONGEST


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("ring her on 07700 900123", "a telephone number"),
        ("write to mo@example.org", "an email address"),
        ("NHS number 943 476 5919", "a number or user name that identifies somebody"),
        ("she lives at NG7 2RD", "an address or postcode"),
        ("born 3/4/2012", "a date"),
    ],
)
def test_an_identifier_is_named_by_its_kind_and_never_repeated(made: Made, words: str, kind: str) -> None:
    with pytest.raises(IdentifierError) as refused:
        note(made, words)

    assert kind in str(refused.value)
    assert not [part for part in re.findall(r"\S*[\d@]\S*", words) if part in str(refused.value)]


def test_the_writer_may_say_that_it_identifies_nobody(made: Made) -> None:
    kept = add_memo(
        made.study, object="study", subject=made.study.id, kind="decision", words="agreed on 3 March", by="Ann", now=NOW,
        identifies_nobody=True,
    )  # fmt: skip

    assert kept.words == "agreed on 3 March"


@pytest.mark.parametrize("words", ["the 16-year-olds, aged 16, say CL5 in 3 of 12 texts", "why CL5 and not CL6?"])
def test_ages_codes_and_counts_identify_nobody(words: str) -> None:
    assert identifiers(words) == []


def test_only_its_writer_changes_or_deletes_a_memo(made: Made) -> None:
    number = note(made, "mine")

    with pytest.raises(AccessError):
        change_memo(made.study, number, version=1, kind="note", words="yours", by="Ben", now=LATER)
    with pytest.raises(AccessError):
        delete_memo(made.study, number, version=1, by="Ben", now=LATER)
    assert memo(made.study.db, number).words == "mine"


def test_a_change_over_another_change_says_who_and_when_and_keeps_both(made: Made) -> None:
    number = note(made, "first")
    changed = change_memo(made.study, number, version=1, kind="idea", words="second", by="Ann", now=LATER)

    assert (changed.kind, changed.words, changed.version, changed.changed_at) == ("idea", "second", 2, LATER)
    with pytest.raises(ConflictError, match="Ann changed this memo at 09:30 UTC on 2026-01-16"):
        change_memo(made.study, number, version=1, kind="note", words="from the other tab", by="Ann", now=LATER)
    with pytest.raises(ConflictError):
        delete_memo(made.study, number, version=1, by="Ann", now=LATER)
    delete_memo(made.study, number, version=2, by="Ann", now=LATER)
    assert found(made) == []


def test_memos_are_found_by_what_they_are_about_kind_writer_and_words(loaded: Made) -> None:
    note(loaded, "Chairs by the door: SAFETY?")
    note(loaded, "pasta 100% of the time", by="Ben")
    note(loaded, "a code", object="code", subject="CL5", by="Ben")

    assert found(loaded, by="Ben") == ["a code", "pasta 100% of the time"]
    assert found(loaded, words="safety chairs") == ["Chairs by the door: SAFETY?"]
    assert found(loaded, words="100%", by="Ben", kind="note", object="study") == ["pasta 100% of the time"]
    assert found(loaded, words="_") == []


def test_a_page_past_the_last_is_the_last(made: Made) -> None:
    for i in range(21):
        note(made, f"memo {i}")

    page = find_memos(made.study, "Ann", MemoFilter(), reads_voices=True, page=99)

    assert (page.page, page.pages, page.total, [m.words for m in page.memos]) == (2, 2, 21, ["memo 0"])


def test_what_another_coder_noted_stays_hidden_until_the_segment_is_read_blind(loaded: Made) -> None:
    round_ = draw_counting_round(loaded.study, people=1, seed=1, now=NOW, actor="t")
    item = next_item(loaded.study, round_, "Ben")
    assert item is not None
    note(loaded, "surely loneliness", by="Ann", object="segment", subject=item.segment.id)
    note(loaded, "a lonely voice", by="Ann", object="voice", subject=item.voice.id)
    note(loaded, "my own", by="Ben", object="segment", subject=item.segment.id)

    assert found(loaded, "Ben") == ["my own"]
    assert found(loaded, "Ben", words="lonel") == []
    assert memos_about(loaded.study, "Ben", "voice", [item.voice.id]) == {}
    assert find_memos(loaded.study, "Ben", MemoFilter(), reads_voices=True, page=1).writers == ("Ben",)

    decide(loaded.study, item, coder="Ben", choices=[], seconds=1, now=NOW)

    assert found(loaded, "Ben") == ["my own", "a lonely voice", "surely loneliness"]


def test_those_who_may_not_read_voices_see_no_memo_about_them(loaded: Made) -> None:
    note(loaded, "about words", object="segment", subject=segments(loaded.study.db)[0].id)
    note(loaded, "about the study")

    assert found(loaded, "Cy", reads_voices=False) == ["about the study"]


def test_the_audit_trail_says_who_wrote_which_memo_and_none_of_its_words(made: Made) -> None:
    number = note(made, "secret thoughts")
    delete_memo(made.study, number, version=1, by="Ann", now=LATER)

    rows = [tuple(r) for r in made.study.db.conn.execute("SELECT * FROM audit WHERE action LIKE '%memo'")]

    assert [(r[2], r[3], r[4]) for r in rows] == [
        ("Ann", "write memo", f"memo {number}"),
        ("Ann", "delete memo", f"memo {number}"),
    ]
    assert "secret" not in str(rows)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(min_size=1, max_size=60))
def test_whatever_is_kept_is_found_again_by_its_words(made: Made, words: str) -> None:
    try:
        number = note(made, words)
    except MemoError:
        return

    assert memo(made.study.db, number).words in found(made, words=words)


# The pages.


@pytest.fixture(scope="module")
def lead(demo_folder: Path) -> Iterator[TestClient]:
    with sign_in_as(demo_folder, "Lead (demo)") as client:
        yield client


@pytest.fixture(scope="module")
def voice_id(demo_folder: Path) -> str:
    """A voice that no counting round waits for."""
    with opened(demo_folder / NY.rpartition("/")[2]) as study:
        return segments(study.db)[0].voice


def post(client: TestClient, address: str, **fields: str) -> tuple[int, str, str]:
    answer = client.post(NY + address, data=fields, follow_redirects=False)
    return answer.status_code, answer.headers.get("location", ""), unescape(answer.text)


def written(client: TestClient, words: str, **about: str) -> str:
    """The address of a memo that was just written."""
    fields = {"object": "code", "subject": "CL1", "kind": "idea", "words": words, **about}
    status, location, _ = post(client, "/memos", **fields)
    assert status == 303
    return "/memos/" + location.rpartition("#memo-")[2]


def test_a_memo_written_beside_a_segment_stands_there_and_on_the_memo_page(lead: TestClient, voice_id: str) -> None:
    here = f"{NY}/voices/{voice_id}"
    status, location, _ = post(
        lead,
        "/memos",
        object="segment",
        subject=f"{voice_id}.0",
        kind="question",
        words="Who is “they” here?",
        then=here,
    )

    assert (status, location.partition("#")[0]) == (303, here)
    for address in (here, f"{NY}/memos?object=segment&words=they"):
        assert "Who is “they” here?" in unescape(lead.get(address).text)
    assert f'href="{here}#s-0"' in lead.get(f"{NY}/memos?object=segment").text


def test_a_refused_memo_comes_back_with_what_was_typed(lead: TestClient) -> None:
    status, _, page = post(
        lead, "/memos", object="code", subject="CL1", kind="idea", words="ring 07700 900123 <b>now</b>"
    )

    assert status == 422
    assert "a telephone number" in page
    assert "ring 07700 900123" in page
    assert "this identifies nobody" in page
    assert "20,050 characters" in post(lead, "/memos", object="code", subject="CL1", kind="idea", words="y" * 20_050)[2]


@pytest.mark.parametrize(
    "words", ["<script>alert(1)</script>", "\u202eevil\u202e </textarea><b>", '👩\u200d👧 عربي \u200f" onfocus=x']
)
def test_html_direction_marks_and_emoji_in_a_memo_are_shown_as_they_are_and_do_nothing(
    lead: TestClient, words: str
) -> None:
    address = written(lead, words)

    for page in (lead.get(f"{NY}/memos").text, lead.get(NY + address).text):
        assert "<script>" not in page and "<b>" not in page
        assert words in unescape(page)
        assert 'dir="auto"' in page


def test_a_memo_changed_in_another_tab_is_not_overwritten_unawares(lead: TestClient) -> None:
    address = written(lead, "first thought")
    assert post(lead, address, version="1", kind="idea", words="second thought")[0] == 303

    status, _, page = post(lead, address, version="1", kind="idea", words="thought in the other tab")

    assert status == 412
    assert "Lead (demo) changed this memo at" in page
    assert "thought in the other tab" in page and "second thought" in page
    assert 'name="version" value="2"' in page
    assert post(lead, address, version="2", kind="idea", words="thought in the other tab")[0] == 303


def test_a_deleted_memo_is_gone_and_says_so_in_an_open_tab(lead: TestClient) -> None:
    address = written(lead, "away with it")

    assert post(lead, f"{address}/delete", version="1")[:2] == (303, f"{NY}/memos")

    status, _, page = post(lead, address, version="1", kind="idea", words="too late")
    assert status == 404
    assert "its writer may have deleted it" in page


def test_another_person_sees_a_memo_and_cannot_change_it(lead: TestClient, demo_folder: Path) -> None:
    address = written(lead, "for everybody to read")
    with sign_in_as(demo_folder, "Coder A (demo)") as coder:
        assert "for everybody to read" in coder.get(f"{NY}/memos?words=everybody").text
        assert coder.get(NY + address).status_code == 403
        assert post(coder, address, version="1", kind="idea", words="mine")[0] == 403
        assert post(coder, f"{address}/delete", version="1")[0] == 403


def test_co_producers_write_about_study_and_codes_and_see_nothing_of_the_voices(
    lead: TestClient, demo_folder: Path, voice_id: str
) -> None:
    written(lead, "what this person says of home", object="voice", subject=voice_id)
    with sign_in_as(demo_folder, "Young co-producer (demo)") as young:
        assert "what this person says" not in young.get(f"{NY}/memos").text
        assert post(young, "/memos", object="voice", subject=voice_id, kind="note", words="x")[0] == 403
        written(young, "call it “being safe”", object="code", subject="CL2")


@pytest.mark.parametrize("name", ["Reader (demo)", "Data manager (demo)"])
def test_those_without_leave_for_memos_are_refused(demo_folder: Path, name: str) -> None:
    with sign_in_as(demo_folder, name) as client:
        assert client.get(f"{NY}/memos").status_code == 403
        assert post(client, "/memos", object="code", subject="CL1", kind="note", words="x")[0] == 403


@pytest.mark.parametrize("then", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_a_memo_never_leads_away_from_this_service(lead: TestClient, then: str) -> None:
    fields = {"object": "code", "subject": "CL3", "kind": "note", "words": f"then {len(then)}", "then": then}

    assert re.fullmatch(r"/#memo-\d+", post(lead, "/memos", **fields)[1])
