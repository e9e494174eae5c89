"""The joint display and gap map: looked at by everybody, judged by leads with a reason, traced, and taken along."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import docx
import pytest
import yaml
from fastapi.testclient import TestClient

from nlp.codebook import read_codebook
from nlp.errors import IndicatorError
from nlp.types import CodeStatus
from service.errors import RecordError, StudyError
from service.study.joint import judgements, link_versions
from service.study.study import Study, open_study
from service.usecases.joint import THEME, joint, numbers_of
from service.usecases.links import take_links
from service.usecases.trace import trace
from service.web.joint_files import BROWSERS, joint_file
from tests.conftest import NOW, ROOT, Made, sign_in_as

NY = "north-yorkshire-care-leavers"
JOINT = f"/studies/{NY}/joint"
BOOK = ROOT / "codebooks" / NY


@pytest.fixture(scope="module")
def studies(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's studies, to write in."""
    return Path(shutil.copytree(demo_folder, tmp_path_factory.mktemp("joint") / "studies"))


@pytest.fixture
def study(studies: Path) -> Iterator[Study]:
    study = open_study(studies / NY)
    yield study
    study.db.close()


@pytest.fixture(scope="module")
def lead(studies: Path) -> Iterator[TestClient]:
    with sign_in_as(studies, "Lead (demo)") as client:
        yield client


def test_the_canonical_finding_stands_with_its_figures_its_expectation_and_its_gaps(lead: TestClient) -> None:
    page = unescape(lead.get(JOINT).text)

    assert "95% (185 of 194); 95% interval 91% to 98%" in page
    assert "The two differ (proposed: divergence)." in page
    assert "Nobody has judged it yet" in page
    assert "theme share about the indicator's complement" in page
    assert "What families speak of that nobody measures" in page
    assert "nobody has said yet." in page
    assert "is a bit of string" not in page  # asked for, and not released


def test_hampshires_banner_stands_before_its_figure_and_nothing_is_proposed(lead: TestClient) -> None:
    page = unescape(lead.get("/studies/hampshire-early-help/joint").text)

    assert page.index("51% of this group is recorded as") < page.index("207 of 743")
    assert "57% of those whose situation is known" in page
    assert "proposed:" not in page


def test_a_reader_sees_it_all_but_cannot_judge_nor_promise(studies: Path) -> None:
    with sign_in_as(studies, "Reader (demo)") as reader:
        page = reader.get(JOINT)

        assert page.status_code == 200
        assert "<form" not in page.text.split("<main", 1)[1]
        assert reader.post(f"{JOINT}/judge", data={"link": "NY-SAFE"}).status_code == 403
        assert reader.post(f"{JOINT}/promise", data={"subject": ""}).status_code == 403


def form(study: Study, **change: str) -> dict[str, str]:
    numbers = numbers_of(joint(study).entry("NY-SAFE").row)
    held = {
        "link": "NY-SAFE",
        "fit": "divergence",
        "reason": "Suitable is a worker's view of the place; safety is the young person's. The two stand side by side.",
        "took_part": "Four care-experienced young people and two personal advisers",
        "numbers": numbers,
    }
    return {**held, **change}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"reason": " "}, "The reason is missing"),
        ({"fit": ""}, "Choose how the two stand"),
        (
            {"reason": "Moving often causes fear and leads to worry."},
            "says more than this link carries (“causes”, “leads to”)",
        ),
        ({"reason": "Ask at kim.example@oldham.example or 07700 900123."}, "seems to hold"),
        ({"numbers": "00000000"}, "The figures changed while you were judging"),
    ],
)
def test_a_judgement_that_cannot_be_kept_comes_back_with_its_words(
    lead: TestClient, study: Study, change: dict[str, str], problem: str
) -> None:
    sent = form(study, **change)

    answer = lead.post(f"{JOINT}/judge", data=sent, follow_redirects=False)

    page = unescape(answer.text)
    assert answer.status_code == 422
    assert problem in page
    assert sent["reason"].strip() in page
    assert judgements(study.db) == {}


def test_a_judgement_stands_with_its_reason_and_says_when_the_figures_moved(lead: TestClient, study: Study) -> None:
    answer = lead.post(f"{JOINT}/judge", data=form(study), follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, f"{JOINT}#NY-SAFE")
    page = unescape(lead.get(JOINT).text)
    assert "The two differ (divergence), judged by Lead (demo)" in page
    assert "Took part: Four care-experienced young people" in page
    assert "have moved since" not in page
    study.db.execute("UPDATE figures SET content = replace(content, '\"percent\": 95', '\"percent\": 94')")
    study.db.conn.commit()
    lead.post(f"{JOINT}/promise", data={"subject": "", "who_sees": "The council", "what_changes": "We will ask again."})
    assert "The figures have moved since: it is to be judged again." in unescape(lead.get(JOINT).text)
    study.db.execute("UPDATE figures SET content = replace(content, '\"percent\": 94', '\"percent\": 95')")
    study.db.conn.commit()


def test_who_sees_it_and_what_changes_is_said_for_all_for_a_row_and_for_a_gap(lead: TestClient, study: Study) -> None:
    gap = joint(study).gaps.unmeasured[0].share.code.id
    for subject in ("", "NY-SAFE", THEME + gap):
        sent = {"subject": subject, "who_sees": f"The board of {subject or 'all'}", "what_changes": "We ask about it."}
        assert lead.post(f"{JOINT}/promise", data=sent, follow_redirects=False).status_code == 303

    page = unescape(lead.get(JOINT).text)

    assert page.count("The board of ") == 6  # each once to read, once in its form
    assert (
        lead.post(f"{JOINT}/promise", data={"subject": "theme.NONE", "who_sees": "a", "what_changes": "b"}).status_code
        == 404
    )
    refused = lead.post(f"{JOINT}/promise", data={"subject": "", "who_sees": "Us", "what_changes": " "})
    assert refused.status_code == 422
    assert "What will change is missing" in refused.text


def test_every_number_on_the_page_leads_to_what_it_rests_on(lead: TestClient, study: Study) -> None:
    page = lead.get(JOINT).text
    ids = re.findall(rf'href="{JOINT}/trace/([^"]+)"', page)
    found = joint(study)

    assert len(ids) == 2 * len(found.entries) + len(found.gaps.unmeasured)
    for number in ids:
        told = unescape(lead.get(f"{JOINT}/trace/{number}").text)
        assert "moved" not in told
        wanted = ["SHA-256: "] + (
            ["File.", "Link.", "row: "]
            if "published" in number
            else ["Counting round.", "Decisions.", "Codebook.", "File taken in."]
        )
        assert all(words in told for words in wanted)


def test_a_trace_names_runs_codebook_decisions_and_hashes_and_tells_a_number_that_moved(study: Study) -> None:
    heard = trace(study, "link.NY-SAFE.heard")
    named = {step.what: dict(step.named) for step in heard.steps}

    assert len(named["Decisions"]["SHA-256"]) == 64
    assert len(named["File taken in"]["input SHA-256"]) == 64
    assert named["Codebook"]["fingerprint"]
    assert named["Suggestions"]["model"]
    assert not heard.moved
    assert not trace(study, heard.number).moved
    assert trace(study, "link.NY-SAFE.heard.00000000").moved
    with pytest.raises(RecordError, match="no number goes by that id"):
        trace(study, "link.NONE.heard")


def test_the_young_peoples_version_is_in_plain_words_and_their_own_names(lead: TestClient, study: Study) -> None:
    page = unescape(lead.get(f"{JOINT}/young").text)
    entry = joint(study).entry("NY-SAFE")

    assert entry.code is not None
    assert entry.code.young_label in page
    assert "in 10 people" in page
    assert not re.search(
        r"interval|divergence|estimate|indicator|codebook", page[page.index("<h1>") : page.index("</main")]
    )


@pytest.mark.parametrize("young", [False, True])
def test_the_report_holds_the_same_as_html_and_as_docx(study: Study, young: bool) -> None:
    html = unescape(joint_file(study, "html", young=young, person="t", now=NOW).decode())
    paper = docx.Document(io.BytesIO(joint_file(study, "docx", young=young, person="t", now=NOW)))
    cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    words = " ".join([p.text for p in paper.paragraphs] + cells)

    for told in ("185 of 194", "link.NY-SAFE.heard") if not young else ("95 in every 100", "in 10 people"):
        assert told in html
        assert told in words
    assert not re.findall(r'(?:href|src)="', html)
    assert ("<svg" in html) is not young


def test_a_pdf_is_made_where_a_browser_is_there_and_else_refused_with_the_way_out(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    if any(map(shutil.which, BROWSERS)):
        content = joint_file(study, "pdf", young=True, person="t", now=NOW)
        assert content.startswith(b"%PDF-")
        assert len(content) > 5_000
    monkeypatch.setenv("PATH", "")
    with pytest.raises(StudyError, match="take the HTML and print it"):
        joint_file(study, "pdf", young=True, person="t", now=NOW)


def test_reports_are_taken_along_from_the_page(lead: TestClient) -> None:
    got = lead.get(f"{JOINT}/report.docx")

    assert got.status_code == 200
    assert got.headers["content-disposition"] == 'attachment; filename="joint-display.docx"'
    assert lead.get(f"{JOINT}/report.exe").status_code == 404


def test_a_study_without_a_counting_round_says_what_it_cannot_say(made: Made) -> None:
    book = read_codebook(BOOK)
    with made.study.db.conn:
        made.study.db.execute("INSERT INTO current_reading VALUES (1, 'r', ?, ?)", (book.id, book.version))
        made.study.db.execute(
            "INSERT INTO codebooks VALUES (?, ?, ?, ?, ?)",
            (book.id, book.version, book.fingerprint, _stored(book), NOW),
        )
    take_links(made.study, BOOK / "links.yaml", ROOT / "corpora_sample" / "indicators", book, now=NOW, actor="t")

    found = joint(made.study)

    assert found.entries[0].row.refusal.startswith("No counting round has been drawn")
    assert found.gaps.unmeasured == ()
    assert found.gaps.unshown == len(book.active_codes) - 2  # CL1 is tied, X0 is no theme


def _stored(book: object) -> str:
    import json
    from dataclasses import asdict

    return json.dumps(asdict(book), ensure_ascii=False)  # type: ignore[call-overload]


def links_in(folder: Path, **change: object) -> Path:
    entries = yaml.safe_load((BOOK / "links.yaml").read_text("utf-8"))
    file = folder / "links.yaml"
    file.write_text(yaml.safe_dump([{**entries[0], **change}]), "utf-8")
    return file


def test_other_words_under_the_same_version_of_a_link_are_refused_and_a_new_version_is_kept_beside(
    made: Made, tmp_path: Path
) -> None:
    book, figures = read_codebook(BOOK), ROOT / "corpora_sample" / "indicators"
    take_links(made.study, links_in(tmp_path), figures, book, now=NOW, actor="t")

    with pytest.raises(StudyError, match="version 1 of link NY-SAFE is already in use with other words"):
        take_links(made.study, links_in(tmp_path, title="Another"), figures, book, now=NOW, actor="t")
    changed = links_in(tmp_path, title="Another", version=2, changed="A plainer title.")
    take_links(made.study, changed, figures, book, now=NOW, actor="t")
    with pytest.raises(StudyError, match="holds an older one"):
        take_links(made.study, links_in(tmp_path), figures, book, now=NOW, actor="t")

    assert [v.version for v in link_versions(made.study.db)["NY-SAFE"]] == [1, 2]


def test_a_link_to_a_retired_code_is_refused_and_nothing_is_stored(made: Made, tmp_path: Path) -> None:
    book = read_codebook(BOOK)
    retired = replace(
        book, codes=tuple(replace(c, status=CodeStatus.RETIRED) if c.id == "CL1" else c for c in book.codes)
    )

    with pytest.raises(IndicatorError, match="NY-SAFE ties CL1, which version .* retired"):
        take_links(made.study, links_in(tmp_path), ROOT / "corpora_sample" / "indicators", retired, now=NOW, actor="t")

    assert made.study.db["figures"].count == 0
    assert link_versions(made.study.db) == {}
