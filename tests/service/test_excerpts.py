"""Excerpts by code: what coders confirmed, gathered by person, with its words marked, and nothing that is still sealed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.study.database import write
from service.study.study import opened
from service.study.voices import clean_text
from service.usecases.excerpts import CodeCount, ExcerptFilter, ExcerptPage, Passage, code_counts, excerpts_of
from service.usecases.memos import add_memo
from service.usecases.queue import next_item
from service.usecases.review import Choice, decide
from service.usecases.rounds import draw_counting_round
from tests.conftest import NOW, Made, sign_in_as
from tests.service.reading import heard_chair, read_blind

NY = "/studies/north-yorkshire-care-leavers"


def look(made: Made, person: str = "Ann", page: int = 1, code: str = "CL5", **wanted: str) -> ExcerptPage:
    return excerpts_of(made.study, person, ExcerptFilter(code, **wanted), page=page)


def passages(page: ExcerptPage) -> list[Passage]:
    return [passage for theirs in page.people for passage in theirs]


def marked(passage: Passage) -> str:
    return "".join(piece.text for piece in passage.pieces if piece.confirmed)


def test_the_confirmed_words_are_marked_in_what_was_said_around_them(loaded: Made) -> None:
    read_blind(loaded, 10, heard_chair)

    found = passages(look(loaded))

    assert found
    assert {marked(p) for p in found} == {"i put a chair against th"}
    for passage in found:
        assert "".join(piece.text for piece in passage.pieces) in clean_text(loaded.study.db, passage.voice_id)
        assert (passage.coders, passage.settled, passage.stances) == (1, False, ("worry",))


def test_a_code_given_without_words_marks_the_whole_segment(loaded: Made) -> None:
    read_blind(loaded, 3, lambda _: [Choice("CL9", "", 0, 0)])

    assert all(len(p.pieces) == 1 and p.pieces[0].confirmed for p in passages(look(loaded, code="CL9")))
    assert look(loaded, code="CL9").total == 3


def test_the_codes_are_counted_by_segment_and_by_person(loaded: Made) -> None:
    read_blind(loaded, 10, heard_chair)

    page = look(loaded)

    assert code_counts(loaded.study, "Ann") == {"CL5": CodeCount(page.passages, page.total)}


def test_people_come_a_page_at_a_time_and_past_the_last_page_is_the_last(loaded: Made) -> None:
    read_blind(loaded, 12, lambda _: [Choice("CL9", "", 0, 3)])

    first, last = look(loaded, code="CL9"), look(loaded, code="CL9", page=99)

    assert (first.pages, len(first.people), last.page, len(last.people)) == (2, 10, 2, 2)
    assert not {p.segment for p in passages(first)} & {p.segment for p in passages(last)}


def test_excerpts_are_filtered_by_who_speaks_stance_and_area(loaded: Made) -> None:
    read_blind(loaded, 10, heard_chair)
    everything = look(loaded)
    area = passages(everything)[0].area

    assert look(loaded, voice="child", stance="worry", area=area) == everything
    assert look(loaded, voice="practitioner").total == 0
    assert look(loaded, stance="going_well").total == 0
    assert look(loaded, area="Selby").total == 0


def test_what_an_adjudication_refused_is_no_excerpt_and_what_it_gave_is_one(loaded: Made) -> None:
    round_ = read_blind(loaded, 10, heard_chair)
    refused, given = (p.segment for p in passages(look(loaded))[:2])
    before = look(loaded).passages
    with write(loaded.study.db) as connection:
        for segment, gives in ((refused, 0), (given, 1)):
            connection.execute(
                'INSERT INTO adjudications (round, segment, code, given, stance, start, "end", reason, considered, by, at,'
                " codebook_version) VALUES (?, ?, 'CL5', ?, 'need', 2, 5, 'Seen together.', '[]', 'Lee', ?, '1.0.0')",
                (round_.id, segment, gives, NOW),
            )

    found = {p.segment: p for p in passages(look(loaded))}

    assert len(found) == before - 1
    assert refused not in found
    assert (found[given].settled, found[given].stances, marked(found[given])) == (True, ("need",), "put")


def test_others_codings_are_kept_from_a_coder_until_the_segment_is_read_blind(loaded: Made) -> None:
    round_ = draw_counting_round(loaded.study, people=4, seed=1, now=NOW, actor="t")
    with write(loaded.study.db) as connection:
        pairs = [(round_.id, p, c) for p in range(1, 5) for c in ("Ann", "Ben")]
        connection.executemany("INSERT INTO assignments VALUES (?, ?, ?)", pairs)
    anns, bens = next_item(loaded.study, round_, "Ann"), next_item(loaded.study, round_, "Ben")
    assert anns is not None
    assert bens is not None

    decide(loaded.study, anns, coder="Ann", choices=[Choice("CL9", "need", 0, 5)], seconds=1, now=NOW)

    assert look(loaded, "Ann", code="CL9").total == 1
    for other in ("Ben", "A lead"):
        assert look(loaded, other, code="CL9").total == 0
        assert code_counts(loaded.study, other) == {}

    decide(loaded.study, bens, coder="Ben", choices=[Choice("CL9", "worry", 3, 9)], seconds=1, now=NOW)

    assert [(p.coders, p.stances) for p in passages(look(loaded, "A lead", code="CL9"))] == [(2, ("need", "worry"))]


def test_a_voice_that_waits_for_a_person_is_in_no_excerpt(loaded: Made) -> None:
    read_blind(loaded, 10, heard_chair)
    before = look(loaded)
    with write(loaded.study.db) as connection:
        connection.execute("UPDATE clean_texts SET held = 'pl' WHERE voice = ?", [passages(before)[0].voice_id])

    assert look(loaded).total == before.total - 1
    assert code_counts(loaded.study, "Ann")["CL5"].people == before.total - 1


# The page.


@pytest.fixture(scope="module")
def coder(demo_folder: Path) -> Iterator[TestClient]:
    with sign_in_as(demo_folder, "Coder A (demo)") as client:
        yield client


def test_the_page_leads_from_the_codes_to_the_words_and_on_to_the_voice(coder: TestClient) -> None:
    codes = coder.get(NY + "/excerpts").text
    address = unescape(re.search(r'href="([^"]+excerpts\?code=[^"]+)"', codes)[1])  # type: ignore[index]

    page = coder.get(address).text
    voice = re.search(r'href="(/studies/[^"]+/voices/[^"#]+)#(s-\d+)"', page)

    assert "For the team, not for release." in page
    assert "<mark>" in page
    assert voice
    assert f'id="{voice[2]}"' in coder.get(unescape(voice[1])).text


def test_the_next_page_keeps_the_filter(coder: TestClient) -> None:
    page = coder.get(NY + "/excerpts?code=CL1&voice=young_person").text

    follow = re.search(r'href="(\?[^"]+page=2)"', page)
    assert follow
    assert unescape(follow[1]) == "?code=CL1&voice=young_person&page=2"


def test_a_memo_written_beside_an_excerpt_stands_there(demo_folder: Path, coder: TestClient) -> None:
    with opened(demo_folder / "north-yorkshire-care-leavers") as study:
        segment = excerpts_of(study, "Coder A (demo)", ExcerptFilter("CL1"), page=1).people[0][0].segment
        about = {"object": "segment", "subject": segment}
        add_memo(study, **about, kind="idea", words="A door is a border", by="Coder A (demo)", now=NOW)

    assert "A door is a border" in coder.get(NY + "/excerpts?code=CL1").text


def test_a_code_that_never_was_gets_a_plain_page_and_odd_filters_find_nothing(coder: TestClient) -> None:
    assert coder.get(NY + "/excerpts?code=NOPE").status_code == 404
    odd = coder.get(
        NY + "/excerpts", params={"code": "CL1", "voice": '"><script>x</script>', "stance": "é", "area": "*"}
    )
    assert odd.status_code == 200
    assert "<script>x" not in odd.text
    assert "No excerpt fits." in odd.text


@pytest.mark.parametrize("name", ["Reader (demo)", "Young co-producer (demo)"])
def test_those_who_may_not_read_voices_get_no_excerpts(demo_folder: Path, name: str) -> None:
    with sign_in_as(demo_folder, name) as client:
        assert client.get(NY + "/excerpts").status_code == 403
        assert "/excerpts" not in client.get(NY).text
