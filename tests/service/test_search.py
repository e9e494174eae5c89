"""Finding voices: by words whatever is typed, by who speaks, by codes; and never by what a coder must not see yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlp.types import Span
from service.study.database import write
from service.study.sealed import all_without_others, all_without_suggestions, without_others, without_suggestions
from service.study.search import VoiceFilter, match_of
from service.study.voices import segments, voice
from service.usecases.queue import next_item
from service.usecases.review import Choice, decide
from service.usecases.rounds import draw_counting_round, draw_review_round
from service.usecases.search import VoiceLine, VoicePage, search_voices
from tests.conftest import NOW, Made, sign_in_as
from tests.service.reading import heard_chair, read_blind

NY = "/studies/north-yorkshire-care-leavers"


def look(made: Made, person: str = "Ann", page: int = 1, columns: tuple[str, ...] = (), **wanted: object) -> VoicePage:
    return search_voices(made.study, person, VoiceFilter(**wanted), page=page, columns=columns)  # type: ignore[arg-type]


def texts(page: VoicePage) -> list[str]:
    return ["".join(piece.text for piece in line.words) for line in page.lines]


# Words.


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("chair", 20),
        ("CHAIR", 20),
        ("chai", 20),
        ("chair pasta", 0),
        ("chair one", 4),
        ('"against the door"', 20),
        ("“the door against”", 0),
        ('"chai"', 0),
        ("ch*", 20),
        ("ch", 0),
        ("chair OR pasta", 0),
        ("chair NOT pasta", 0),
        ("…", 0),
        ("", 40),
        ("   ", 40),
    ],
)
def test_words_are_found_as_the_page_says(loaded: Made, words: str, count: int) -> None:
    assert look(loaded, words=words).total == count


def test_accents_are_passed_over_and_matches_are_marked(loaded: Made) -> None:
    page = look(loaded, words="cháir DOOR")

    assert page.total == 20
    assert [p.text for p in page.lines[0].words if p.found] == ["chair", "door"]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(max_size=60) | st.text("\"“”*^:(){}[]+-~'\\/.,; ANDORNOTNEAR\0\x1f%_aé字", max_size=60))
def test_no_search_string_raises(loaded: Made, words: str) -> None:
    for sort in ("intake", "best"):
        assert 0 <= look(loaded, words=words, sort=sort).total <= 40


def test_a_very_long_search_is_cut_and_answered(loaded: Made) -> None:
    assert look(loaded, words="chair " * 5000).total == 20
    assert match_of('"' * 5000) == ""


# Who speaks, paging, sorting.


def test_filters_narrow_and_a_page_past_the_last_is_the_last(loaded: Made) -> None:
    assert look(loaded, voice="child").total == 40
    assert look(loaded, voice="practitioner").total == 0
    last = look(loaded, page=99)
    assert (last.page, last.pages, len(last.lines)) == (2, 2, 15)


def test_pages_hold_every_voice_once_in_whatever_order(loaded: Made) -> None:
    for sort in ("intake", "voice", "age_band", "area", "period", "best"):
        seen = [line.id for page in (1, 2) for line in look(loaded, page=page, sort=sort).lines]
        assert len(seen) == len(set(seen)) == 40


def test_a_voice_that_waits_for_a_person_is_never_found(loaded: Made) -> None:
    found = look(loaded, words="chair").lines[0].id
    with write(loaded.study.db) as connection:
        connection.execute("UPDATE clean_texts SET held = 'pl' WHERE voice = ?", [found])
        connection.execute("DELETE FROM words WHERE rowid = (SELECT id FROM worded WHERE voice = ?)", [found])

    assert look(loaded, words="chair").total == 19
    assert look(loaded).total == 39


def test_a_voice_flagged_to_talk_about_is_found_until_the_flag_ends(loaded: Made) -> None:
    segment = segments(loaded.study.db)[3]
    with write(loaded.study.db) as connection:
        connection.execute("INSERT INTO flags VALUES (1, ?, 'discuss', 'Ben', ?)", (segment.id, NOW))
        connection.execute("INSERT INTO flags VALUES (2, ?, 'disclosure', 'Ben', ?)", (segment.id + "", NOW))
    assert [line.id for line in look(loaded, flagged=True).lines] == [segment.voice]
    with write(loaded.study.db) as connection:
        connection.execute("INSERT INTO flag_ends (flag, by, at) VALUES (1, 'Ann', ?)", [NOW])
    assert look(loaded, flagged=True).total == 0


# Codes.


def test_codes_stand_as_columns_with_one_nought_and_nothing(loaded: Made) -> None:
    read_blind(loaded, 10, heard_chair)

    lines = [line for p in (1, 2) for line in look(loaded, page=p, columns=("CL5", "CL1")).lines]

    read = [line for line in lines if line.cells != (None, None)]
    assert len(read) == 10
    assert all(line.cells == (int("chair" in "".join(w.text for w in line.words)), 0) for line in read)
    assert look(loaded, confirmed="CL5").total == sum(line.cells[0] == 1 for line in read)


def test_what_is_suggested_and_what_is_silent_are_apart(loaded: Made) -> None:
    some, none = look(loaded, suggested="CL1"), look(loaded, silent=True)

    assert some.total > 0
    assert all("CL1" in line.suggested for line in some.lines)
    assert all(not line.suggested for line in none.lines)
    assert none.total + sum(bool(line.suggested) for p in (1, 2) for line in look(loaded, page=p).lines) == 40


# What a coder must not see yet.


def test_no_filter_column_or_count_tells_what_an_item_still_to_be_read_blind_holds(loaded: Made) -> None:
    """Everything that Ben can ask for stays the same, whatever the machine or Ann think of what Ben is to read."""
    round_ = draw_counting_round(loaded.study, people=8, seed=3, now=NOW, actor="t")
    with write(loaded.study.db) as connection:
        pairs = [(round_.id, p, c) for p in range(1, 9) for c in ("Ann", "Ben")]
        connection.executemany("INSERT INTO assignments VALUES (?, ?, ?)", pairs)
    item = next_item(loaded.study, round_, "Ben")
    assert item is not None
    asked = [
        {"suggested": "CL1"}, {"suggested": "CL5"}, {"confirmed": "CL9"}, {"silent": True}, {"flagged": True}, {}
    ]  # fmt: skip

    def everything() -> list[tuple[int, list[tuple[object, ...]]]]:
        pages = [look(loaded, "Ben", page=p, columns=("CL9", "CL1"), **a) for a in asked for p in (1, 2)]
        return [(p.total, [(x.id, x.suggested, x.confirmed, x.cells) for x in p.lines]) for p in pages]

    before = everything()
    ann = next_item(loaded.study, round_, "Ann")
    assert ann is not None and ann.segment.id == item.segment.id
    decide(loaded.study, ann, coder="Ann", choices=[Choice("CL9", "need", 0, 5)], seconds=1, now=NOW)
    with write(loaded.study.db) as connection:
        connection.execute("INSERT INTO flags VALUES (1, ?, 'discuss', 'Ann', ?)", (item.segment.id, NOW))
        for code in ("CL1", "CL5"):
            connection.execute(
                'INSERT INTO suggestions (run, reading, segment, code, probability, band, start, "end", quote, nearest,'
                " codebook, codebook_version, method, model) SELECT 'r', reading, ?, ?, 0.9, 'likely', 0, 5, 'i put',"
                " 'n', codebook, codebook_version, 'm', 'm' FROM current_reading WHERE true"
                " ON CONFLICT DO NOTHING",
                (item.segment.id, code),
            )

    assert everything() == before
    assert look(loaded, "Ann", confirmed="CL9").total == 1
    line = next(x for p in (1, 2) for x in look(loaded, "Ben", page=p).lines if x.id == item.voice.id)
    assert line.waits and line.suggested == () and line.confirmed == ()

    decide(loaded.study, item, coder="Ben", choices=[], seconds=1, now=NOW)

    assert everything() != before


@pytest.mark.parametrize("seed", range(4))
def test_what_is_kept_back_over_the_whole_study_is_what_is_kept_back_one_by_one(loaded: Made, seed: int) -> None:
    db = loaded.study.db
    review = draw_review_round(loaded.study, seed=seed, now=NOW, actor="t")
    people = draw_counting_round(loaded.study, people=9, seed=seed, now=NOW, actor="t")
    by_text = draw_counting_round(loaded.study, people=7, seed=seed, now=NOW, actor="t", by="text")
    with write(db) as connection:
        pairs = [(r.id, p, c) for r in (review, people, by_text) for p in (1, 2, 4) for c in ("Ann", "Ben")]
        connection.executemany("INSERT INTO assignments VALUES (?, ?, ?)", pairs)
        if seed == 3:
            connection.execute("INSERT INTO round_ends VALUES (?, 't', ?)", (people.id, NOW))
    for coder, count in (("Ann", 4 + seed), ("Ben", 2)):
        for round_ in (review, people, by_text):
            for _ in range(count):
                item = next_item(loaded.study, round_, coder)
                if item is not None:
                    decide(loaded.study, item, coder=coder, choices=[], seconds=1, now=NOW)
    every = [s.id for s in segments(db)]

    for coder in ("Ann", "Ben", "Cy"):
        assert all_without_suggestions(db, coder) == without_suggestions(db, coder, every)
        assert all_without_others(db, coder) == without_others(db, coder, every) != set()


# The page.


@pytest.fixture(scope="module")
def client(demo_folder: Path) -> Iterator[TestClient]:
    with sign_in_as(demo_folder, "Coder A (demo)") as client:
        yield client


def test_every_filter_of_the_use_case_can_be_asked_for_in_the_address(client: TestClient) -> None:
    page = unescape(client.get(NY + "/voices").text)

    assert all(f'name="{f.name}"' in page for f in fields(VoiceFilter))


def test_the_page_says_what_it_is_filtered_by_and_marks_the_words(client: TestClient) -> None:
    page = unescape(client.get(NY + "/voices?words=room&suggested=CL1&voice=young_person").text)

    assert "<mark>room</mark>" in page
    assert "Only: Young person; suggested “Feeling safe where I live”." in page
    assert "2 in use" in page


def test_the_next_page_keeps_the_search(client: TestClient) -> None:
    page = client.get(NY + "/voices?words=the&codes=1").text

    follow = re.search(r'href="(\?[^"]+page=2)"', page)
    assert follow
    assert unescape(follow[1]) == "?words=the&codes=1&page=2"
    assert "page 2 of" in client.get(NY + "/voices" + unescape(follow[1])).text


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "page=99999999999"])
def test_page_numbers_that_cannot_be_get_a_plain_page(client: TestClient, query: str) -> None:
    answer = client.get(f"{NY}/voices?{query}")

    assert answer.status_code == 422
    assert "<h1>" in answer.text


def test_page_numbers_past_the_end_show_the_last_page(client: TestClient) -> None:
    assert "page 11 of 11" in client.get(f"{NY}/voices?page=100000").text


@pytest.mark.parametrize("name", ["words", "voice", "area", "confirmed", "suggested", "sort", "silent"])
def test_whatever_stands_in_the_address_is_answered_and_escaped(client: TestClient, name: str) -> None:
    answer = client.get(f"{NY}/voices", params={name: '"><img src=x onerror=alert(1)>\u202e NEAR('})

    assert answer.status_code == 200
    assert "<img src=x" not in answer.text


def test_a_text_with_html_and_other_directions_is_shown_as_text(loaded: Made) -> None:
    wicked = "<script>alert(1)</script> &amp; \u202e عربي 👩\u200d👧 [Person 1]"
    first = look(loaded).lines[0].id
    record = voice(loaded.study.db, first)
    with write(loaded.study.db) as connection:
        connection.execute("DELETE FROM words WHERE rowid = (SELECT id FROM worded WHERE voice = ?)", [record.id])
        connection.execute(
            "INSERT INTO words (rowid, text) SELECT id, ? FROM worded WHERE voice = ?", (wicked, record.id)
        )
    line: VoiceLine = look(loaded, words="alert").lines[0]

    assert "".join(piece.text for piece in line.words) == wicked
    assert Span(8, 13).of(wicked) == next(piece.text for piece in line.words if piece.found)
    assert replace(line, words=()).id == first


def test_the_api_finds_the_same(client: TestClient) -> None:
    found = client.get(f"/v1{NY}/voices?words=room&suggested=CL1").json()
    page = client.get(f"{NY}/voices?words=room&suggested=CL1").text

    assert found["total"] > 1
    assert f'<p role="status">{found["total"]} voices.' in page
    assert "CL1" in found["items"][0]["suggested"]
