"""Taking in a file on a page: what is shown before it is de-identified, what is refused, and what stays of the file."""

from __future__ import annotations

import re
import stat
import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from playwright.sync_api import Browser, Page, expect

from service.access.demo_accounts import DEMO_PASSWORD
from service.clock import now
from service.study.jobs import all_jobs
from service.study.voices import all_voices
from service.usecases import uploads
from service.worker import work
from tests.conftest import Made
from tests.service.serving import give_accounts, port_of, serving
from tests.service.test_browser import browser  # noqa: F401 - a fixture
from tests.service.test_check_page import CODER, LEAD, MANAGER, client_of

SECRET = "Zebedee Quartermain"
LINES = [
    "Note ref,What they told us,Who is speaking,Worker name,Colour",
    f'1,"I saw {SECRET} at the window and I was not happy about it",Parent,Ann Example,red',
    '2,"The slide in the park is my favourite thing of all",Child,Ann Example,blue',
    '3,"Nobody told us what they keep about us on file there",Parent,Bo Example,red',
    '4,"We liked the group that they run on a Monday here",Parent,Bo Example,red',
]
LATER = "2099-01-01T00:00:00.000+00:00"


@pytest.fixture
def manager(made: Made) -> TestClient:
    give_accounts(made.study.folder.parent)
    return client_of(made, MANAGER)


def send(client: TestClient, words: str | bytes = "\n".join(LINES) + "\n", name: str = "notes.csv") -> Response:
    content = words if isinstance(words, bytes) else words.encode()
    return client.post("/studies/study/upload", files={"file": (name, content)}, follow_redirects=False)


def sent(client: TestClient) -> str:
    answer = send(client)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def form_of(page: str, **changed: str) -> dict[str, str | list[str]]:
    """What a browser would send of the page's first form, with changes; a column's role goes by its name."""
    roles = []
    for row in re.findall(r'<select name="role" aria-label="What becomes of (.*?)">(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="(\w+)" selected', row[1])
        assert chosen
        roles.append(changed.pop(row[0], chosen[1]))
    return {"role": roles, **changed}


def work_off(made: Made) -> None:
    work(made.study.folder, threading.Event(), until_idle=True, key_of=lambda _: made.key)


def raw_lies(made: Made) -> bool:
    folder = made.study.folder / "uploads"
    return any(SECRET.encode() in file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_the_preview_names_columns_and_counts_and_never_a_cell(made: Made, manager: TestClient) -> None:
    page = manager.get(sent(manager)).text

    for told in (
        "Note ref",
        "What they told us",
        "free text",
        "closed answers",
        "names of people",
        "4 rows in 5 columns",
    ):
        assert told in page
    for cell in (SECRET, "Ann Example", "blue", "favourite"):
        assert cell not in page
    assert not all_voices(made.study.db)


def test_the_raw_file_lies_in_a_private_folder_and_is_gone_once_taken_in(made: Made, manager: TestClient) -> None:
    at = sent(manager)
    folder = made.study.folder / "uploads"
    assert raw_lies(made)
    assert {stat.S_IMODE(f.stat().st_mode) for f in (folder, *folder.glob("*"))} == {0o700}
    assert {stat.S_IMODE(f.stat().st_mode) for f in folder.glob("*/*")} == {0o600}

    manager.post(at, data=form_of(manager.get(at).text, Colour="attributes"))
    told = manager.get(at).text
    assert "<strong>4</strong> voices would come in" in told
    assert not all_voices(made.study.db)
    manager.post(f"{at}/take")
    manager.post(f"{at}/take")
    assert raw_lies(made)
    work_off(made)

    assert [(job.kind, job.state) for job in all_jobs(made.study.db)] == [("intake", "done")]
    assert not raw_lies(made)
    assert not list(folder.glob("*"))
    assert sorted(v.attributes["Colour"] for v in all_voices(made.study.db)) == ["blue", "red", "red", "red"]
    assert {v.voice for v in all_voices(made.study.db)} == {"parent_carer", "child"}
    assert manager.get(at).status_code == 404


def test_what_nobody_confirms_is_deleted_after_half_an_hour(made: Made, manager: TestClient) -> None:
    at = sent(manager)

    assert uploads.sweep(made.study, now=now()) == 0
    assert raw_lies(made)
    assert uploads.sweep(made.study, now=LATER) == 1
    assert not raw_lies(made)
    assert "Choose it again" in manager.get(at).text


def test_a_file_can_be_thrown_away_at_once_but_not_under_the_hands_of_its_job(made: Made, manager: TestClient) -> None:
    at, other = sent(manager), sent(manager)
    manager.post(other, data=form_of(manager.get(other).text))
    manager.post(f"{other}/take")

    manager.post(f"{at}/discard")
    manager.post(f"{other}/discard")

    assert len(list((made.study.folder / "uploads").glob("*"))) == 1
    work_off(made)
    assert len(all_voices(made.study.db)) == 4


def test_a_job_goes_on_to_de_identify_when_it_is_asked_to(made: Made, manager: TestClient) -> None:
    at = sent(manager)
    manager.post(at, data=form_of(manager.get(at).text, prepare="true"))
    manager.post(f"{at}/take")

    work_off(made)

    assert [(job.kind, job.state) for job in all_jobs(made.study.db)] == [("prepare", "done"), ("intake", "done")]


def test_a_saved_meaning_reads_the_next_file_without_being_told(made: Made, manager: TestClient) -> None:
    at = sent(manager)
    manager.post(at, data=form_of(manager.get(at).text, Colour="attributes", speaker="child"))
    refused = manager.post(f"{at}/profile", data={"profile": "Not a Name"})
    assert refused.status_code == 422
    assert "small letters" in refused.text
    assert 'value="Not a Name"' in refused.text
    manager.post(f"{at}/profile", data={"profile": "hub-notes"})

    page = manager.get(sent(manager)).text
    assert "Read as “hub-notes”" in page
    assert form_of(page)["role"] == ["record_id", "texts", "drop", "known_people", "attributes"]
    assert "hub-notes" in manager.get("/studies/study/upload").text


def test_a_column_that_cannot_be_what_it_is_said_to_be_is_refused_by_name(manager: TestClient) -> None:
    at = sent(manager)
    page = manager.get(at).text

    for column, role, why in (
        ("What they told us", "age_band", "too many different answers"),
        ("What they told us", "drop", "no column is marked as text"),
        ("Colour", "record_id", "two columns are marked"),
        ("Colour", "consent", "not all a yes or a no"),
        ("Colour", "period", "not all dates"),
    ):
        refused = manager.post(at, data=form_of(page, **{column: role}))
        assert refused.status_code == 422
        assert why in refused.text
        assert form_of(refused.text)["role"] == form_of(page, **{column: role})["role"]  # the input is kept
    assert SECRET not in refused.text


def test_what_cannot_be_read_is_refused_in_plain_words_and_not_kept(made: Made, manager: TestClient) -> None:
    for name, words, why in (
        ("notes.pdf", b"%PDF-1.4", "not a kind of file that is read"),
        ("notes.csv", b"", "the file is empty"),
        ("notes.csv", b"id,text\n", "column names but no rows"),
        ("notes.csv", b"id,text\n1,\x00\x01\x02\n", "wrong encoding"),
        ("notes.xlsx", b"no workbook", "workbook"),
        ("", b"x", "choose a file first"),
        (f"{SECRET}.csv", f"id,text\n1,{SECRET},more\n".encode(), "row 2: the row has more cells"),
        (f"../../{SECRET}.exe", b"x", "not a kind of file that is read"),
    ):
        answer = send(manager, words, name)

        assert answer.status_code == 422
        assert why in answer.text
        assert SECRET not in answer.text
    assert not [f for f in (made.study.folder / "uploads").rglob("*") if f.is_file()]


def test_a_file_that_is_too_large_is_refused_with_the_limit(
    manager: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.web.upload.MOST_BYTES", 100)
    monkeypatch.setattr("service.web.upload.AROUND_A_FILE", 0)

    answer = send(manager)

    assert answer.status_code == 422
    assert "larger than 100 MB" in answer.text


def test_nothing_recognised_leaves_it_to_the_person(made: Made, manager: TestClient) -> None:
    answer = send(manager, "A,B\nred,7\nblue,8\nred,9\nred,9\n", "odd.csv")
    page = manager.get(answer.headers["Location"]).text

    assert "Nothing in it was recognised" in page
    manager.post(answer.headers["Location"], data=form_of(page))
    assert "<strong>4</strong> voices would come in" in manager.get(answer.headers["Location"]).text


def test_only_those_who_may_take_in_see_it_and_only_their_own(made: Made, manager: TestClient) -> None:
    at, coder, lead = sent(manager), client_of(made, CODER), client_of(made, LEAD)

    assert coder.get("/studies/study/upload").status_code == 403
    assert send(coder).status_code == 403
    assert coder.get(at).status_code == 403
    assert lead.get("/studies/study/upload").status_code == 200
    assert lead.get(at).status_code == 404
    assert lead.post(f"{at}/take").status_code == 404
    assert manager.get("/studies/study/upload/../../etc").status_code == 404
    assert "/studies/study/upload" not in coder.get("/studies/study").text


def test_a_document_keeps_the_name_that_tells_it_apart(made: Made, manager: TestClient) -> None:
    """Two interviews are two records, as on the command line, though no page shows the names of their files."""
    for name in ("one.txt", "two.txt"):
        at = send(manager, f"I said this about the park and {name[:3]} other things.\n", name).headers["Location"]
        assert name not in manager.get(at).text
        manager.post(at, data=form_of(manager.get(at).text))
        manager.post(f"{at}/take")
    work_off(made)

    assert len(all_voices(made.study.db)) == 2


def test_a_corrected_file_is_refused_until_it_is_ticked_as_one(made: Made, manager: TestClient) -> None:
    at = sent(manager)
    manager.post(at, data=form_of(manager.get(at).text))
    manager.post(f"{at}/take")
    work_off(made)
    at = send(manager, "\n".join(LINES).replace("favourite thing", "best thing") + "\n").headers["Location"]

    refused = manager.post(at, data=form_of(manager.get(at).text))
    assert refused.status_code == 422
    assert "Row 3" in refused.text or "row 3" in refused.text
    manager.post(at, data=form_of(manager.get(at).text, correct="true"))
    assert "1 would get other words, and 0 other particulars" in manager.get(at).text
    manager.post(f"{at}/take")
    work_off(made)

    assert "1 with other words" in manager.get("/studies/study/jobs").text
    assert len(all_voices(made.study.db)) == 4


def test_a_job_whose_file_is_gone_says_so(made: Made, manager: TestClient) -> None:
    at = sent(manager)
    manager.post(at, data=form_of(manager.get(at).text))
    manager.post(f"{at}/take")
    uploads.shutil.rmtree(made.study.folder / "uploads")

    work_off(made)

    (job,) = all_jobs(made.study.db)
    assert (job.state, job.problem) == (
        "failed", "the file: it is no longer here; upload it again. Nothing was taken in.",
    )  # fmt: skip


def test_a_data_manager_takes_a_file_in_with_a_browser(
    made: Made,
    browser: Browser,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    give_accounts(made.study.folder.parent)
    (tmp_path / "notes.csv").write_text("\n".join(LINES) + "\n", "utf-8")
    with serving(made.study.folder.parent, lambda _: made.key) as server:
        page = browser.new_page(viewport={"width": 320, "height": 700})
        _signed_in(page, port_of(server))
        page.goto(f"http://127.0.0.1:{port_of(server)}/studies/study/upload")
        page.get_by_label("File").set_input_files(tmp_path / "notes.csv")
        page.get_by_role("button", name="Look at its columns").click()
        expect(page.locator("h1")).to_have_text("What is in the file")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.get_by_label("What becomes of Colour").select_option("Keep beside the voice")
        page.get_by_label("De-identify it").uncheck()
        page.get_by_role("button", name="See what would happen").click()
        expect(page.locator(".told")).to_contain_text("4 voices would come in")
        page.get_by_role("button", name="Take it in").click()
        expect(page.locator("#state-1")).to_have_text("Waits for its turn.")
        work_off(made)
        expect(page.locator("#state-1")).to_have_text("Done.", timeout=15000)  # by itself, from the server's events
        expect(page.locator("#came-1")).to_contain_text("4 rows, 4 voices")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.close()
    assert {v.intake[:7] for v in all_voices(made.study.db)} == {"intake-"}


def _signed_in(page: Page, port: int) -> None:
    page.goto(f"http://127.0.0.1:{port}/sign-in")
    page.get_by_label("Name").fill(MANAGER)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
