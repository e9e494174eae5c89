"""Pages and API over real studies: every page answers, says what it must, echoes nothing, asks nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.app import HEADERS
from tests.conftest import sign_in_as

NY, HA = "/studies/north-yorkshire-care-leavers", "/studies/hampshire-early-help"
PAGES = [
    "",
    "/findings",
    "/joint",
    "/joint/young",
    "/themes",
    "/voices",
    "/voices?suggested=CL1",
    "/voices?voice=young_person&page=2",
    "/codebook",
]


@pytest.fixture(scope="module")
def client(demo_folder: Path) -> Iterator[TestClient]:
    with sign_in_as(demo_folder, "Lead (demo)") as client:
        yield client


@pytest.mark.parametrize(
    "address", ["/", "/how-it-works", *(NY + p for p in PAGES), *(HA + p for p in ("", "/findings"))]
)
def test_every_page_answers_with_one_heading_a_language_and_no_script_but_ours(
    client: TestClient, address: str
) -> None:
    page = client.get(address)

    assert page.status_code == 200
    assert page.text.count("<h1") == 1
    assert '<html lang="en-GB">' in page.text
    assert page.text.count("<script") == len(
        re.findall(r'<script type="module" src="/static/\w+\.js"></script>', page.text)
    )
    assert "style=" not in page.text
    assert not re.findall(r'(?:href|src)="https?:', page.text)
    assert all(page.headers[name] == value for name, value in HEADERS.items())


def test_the_first_finding_is_told_with_counts_intervals_and_who_judges(client: TestClient) -> None:
    page = unescape(client.get(NY + "/findings").text)

    assert "185 of 194 care leavers" in page
    assert "95% interval" in page
    assert "proposed: divergence" in page
    assert "Nobody has judged it yet" in page
    assert "60 of 131 people were drawn at random" in page


def test_hampshires_page_warns_before_it_shows_the_figure(client: TestClient) -> None:
    page = unescape(client.get(HA + "/findings").text)

    assert page.index("51% of this group is recorded as “information not known”") < page.index("207 of 743")
    assert "57%" in page


def test_the_sample_says_on_every_page_that_nobody_in_it_exists(client: TestClient) -> None:
    assert all("Nobody in these texts exists" in client.get(NY + p).text for p in PAGES)


def test_no_page_uses_the_words_that_the_project_refuses(client: TestClient) -> None:
    words = " ".join(
        client.get(a).text.casefold() for a in ("/", "/how-it-works", NY, NY + "/findings", NY + "/themes")
    )

    assert not [
        w
        for w in ("anonymised", "risk score", "predict", "sentiment", "because of this rate", "leads to")
        if w in words
    ]


def test_a_voice_shows_its_evidence_in_its_text(client: TestClient) -> None:
    first = re.findall(rf'href="({NY}/voices/v-[a-z0-9]+)"', client.get(NY + "/voices?suggested=CL1").text)[0]

    page = unescape(client.get(first).text)

    quote = re.search(r'Because of: <q dir="auto">(.+?)</q>', page, re.S)
    assert quote
    text = re.search(r'class="text whole"[^>]*>(.+?)</p>', page, re.S)
    assert text
    assert quote[1] in re.sub(r"<[^>]+>", "", text[1])
    assert "<mark>" in text[1]


@pytest.mark.parametrize("chart", [NY + "/themes.svg", NY + "/findings/NY-SAFE.svg"])
def test_charts_are_drawn_here(client: TestClient, chart: str) -> None:
    picture = client.get(chart)

    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text.startswith("<svg")
    assert picture.text.count("<path") > 3


@pytest.mark.parametrize("path", ["", "/voices", "/estimates", "/links"])
def test_the_api_gives_the_same_as_json(client: TestClient, path: str) -> None:
    assert client.get("/v1" + NY + path).json()


def test_api_and_page_tell_the_same_finding(client: TestClient) -> None:
    row = client.get(f"/v1{NY}/links").json()[0]

    assert (row["indicator"]["count"], row["proposed"], row["judged"]) == (185, "divergence", None)
    assert row["estimate"]["low"] < row["estimate"]["share"] < row["estimate"]["high"]
    assert "positives_read" not in row["estimate"]
    assert row["heard_number"] in client.get(f"{NY}/joint").text


@pytest.mark.parametrize(
    "address", ["/nothing", "/studies/none", NY + "/voices/v-none", NY + "/findings/none.svg", NY + "/voices?page=x"]
)
def test_what_is_not_there_gets_a_plain_page(client: TestClient, address: str) -> None:
    page = client.get(address)

    assert page.status_code in (404, 422)
    assert "<h1>" in page.text
    assert "Traceback" not in page.text


@pytest.mark.parametrize("name", ["n" * 256, "ü" * 200, "n" * 5000])
def test_a_name_that_no_folder_can_have_is_no_study(client: TestClient, name: str) -> None:
    assert client.get(f"/studies/{name}").status_code == 404
    assert client.get(f"/v1/studies/{name}").status_code == 404


def test_the_api_answers_problems_as_problem_documents(client: TestClient) -> None:
    problem = client.get("/v1/studies/none")

    assert problem.status_code == 404
    assert problem.headers["content-type"] == "application/problem+json"
    assert set(problem.json()) == {"type", "title", "status", "detail"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    word=st.text(
        st.characters(codec="utf-8", exclude_characters="/?#%\\", exclude_categories=("Cs", "Cc")),
        min_size=6,
        max_size=30,
    )
)
def test_no_refusal_repeats_what_was_sent(client: TestClient, word: str) -> None:
    secret = f"qzx{word}"

    for address in (f"/v1/studies/{secret}", f"{NY}/voices/{secret}", f"/v1{NY}/voices?cursor={secret}"):
        answer = client.get(address)
        assert answer.status_code >= 400
        assert "qzx" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_pages_take_no_changes_yet(client: TestClient, method: str) -> None:
    assert client.request(method, NY).status_code == 405


def test_another_host_name_is_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_html_in_a_filter_is_escaped(client: TestClient) -> None:
    page = client.get(NY + "/voices", params={"suggested": '"><img src=x onerror=alert(1)>', "voice": "<b>"})

    assert "<img src=x" not in page.text
    assert "<b>" not in page.text
