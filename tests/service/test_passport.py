"""The dataset passport: nothing comes in without one, nothing leaves that it does not name, and each version stays."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from service import wiring
from service.access.people import add_person, people_in
from service.access.permissions import Role
from service.app import build_app
from service.cli.main import app as commands
from service.errors import ConflictError, PassportError
from service.papers.facts import facts
from service.papers.write import TO_FILL, papers
from service.settings import Settings
from service.study.jobs import all_jobs
from service.study.passports import FICTIONAL, Output, Passport, passport_of, passports
from service.study.trail import Wanted, trail
from service.usecases.export_database import export_database
from service.usecases.export_study import export_study, import_study
from service.usecases.intake import take_in
from service.usecases.packs import export_pack
from service.usecases.passport import LABELS, as_toml, passport_in, read_passport, require_output, set_passport, short
from service.usecases.report import write_report
from service.usecases.tables import export_tables
from service.web.joint_files import joint_file
from service.web.views import PLACES
from service.worker import work
from tests.conftest import NOW, ROOT, Made
from tests.service.bare import bare_study
from tests.service.officers import OWN, as_somebody, two_studies

FILE = ROOT / "corpora_sample" / "passport.toml"
FULL = passport_in(FILE)
CSV = "id,text,voice,participant\n1,I like the qzxcanary slide,child,P1\n"
LONG_AFTER = "2100-01-01T00:00:00.000+00:00"
PASSWORD = "a long enough password"


@pytest.fixture
def without(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """A study of real people, as `heard init` makes it."""
    book = "north-yorkshire-care-leavers"
    study, key = wiring.make_study(tmp_path / "all" / "new", title="New", codebook=book, now=NOW, settings=settings)
    monkeypatch.setenv("HEARD_KEY_FOLDER", str(settings.key_folder))
    wiring.settings.cache_clear()
    yield Made(study, key)
    wiring.settings.cache_clear()


def acts(made: Made, action: str) -> list[tuple[str, str, dict[str, int]]]:
    found = (e for e in trail(made.study.db, Wanted()) if e.action == action)
    return [(e.actor, e.subject, json.loads(e.counts)) for e in found]


def file_of(folder: Path) -> Path:
    file = folder / "in.csv"
    file.write_text(CSV, "utf-8")
    return file


def manager_of(made: Made) -> TestClient:
    folder = made.study.folder.parent
    with people_in(folder) as db:
        add_person(db, name="Mo", role=Role.DATA_MANAGER, password=PASSWORD, now=NOW, study=made.study.id)
    return as_somebody(build_app(folder, lambda _: made.key), "Mo")


def test_nothing_comes_in_without_a_passport_and_what_lacks_is_named_and_recorded(
    without: Made, tmp_path: Path
) -> None:
    with pytest.raises(PassportError) as refused:
        take_in(without.study, file_of(tmp_path), without.key, now=NOW, keep_raw_days=30, actor="Mo")

    assert all(label in str(refused.value) for label in LABELS.values())
    assert acts(without, "refuse intake") == [("Mo", "no passport", {})]
    assert without.study.db.conn.execute("SELECT count(*) FROM voices").fetchone()[0] == 0
    assert without.study.db.conn.execute("SELECT count(*) FROM runs").fetchone()[0] == 0
    assert b"qzxcanary" not in b"".join(f.read_bytes() for f in without.study.folder.iterdir() if f.is_file())


def test_nothing_comes_in_after_the_last_day_and_everything_on_it(without: Made, tmp_path: Path) -> None:
    set_passport(without.study, replace(FULL, retention="2026-01-14"), by="Mo", now=NOW)
    with pytest.raises(PassportError, match="kept until 2026-01-14"):
        take_in(without.study, file_of(tmp_path), without.key, now=NOW, keep_raw_days=30, actor="Mo")
    assert acts(without, "refuse intake") == [("Mo", "retention", {})]

    set_passport(without.study, replace(FULL, retention="2026-01-15"), by="Mo", now=NOW)
    assert take_in(without.study, file_of(tmp_path), without.key, now=NOW, keep_raw_days=30, actor="Mo").voices == 1


def test_raw_words_are_not_kept_for_longer_than_the_study(without: Made, tmp_path: Path) -> None:
    set_passport(without.study, replace(FULL, retention="2026-01-20"), by="Mo", now=NOW)
    take_in(without.study, file_of(tmp_path), without.key, now=NOW, keep_raw_days=30, actor="Mo")

    with wiring.Vault(without.study.vault_file, without.key, without.study.id) as vault:
        assert vault.purge("2026-01-19") == 0
        assert vault.purge("2026-01-20") == 1


def test_the_upload_page_the_api_and_a_job_refuse_and_keep_nothing(without: Made) -> None:
    client, folder = manager_of(without), without.study.folder
    page = client.get("/studies/new/upload")
    refused = client.post("/studies/new/upload", files={"file": ("in.csv", CSV.encode())}, follow_redirects=False)
    posted = client.post("/v1/studies/new/voices", json={"voices": [{"record": "1", "text": "qzxcanary"}]})
    sent = client.post("/v1/studies/new/files?kind=csv", content=CSV.encode())

    assert "No file can be taken in." in page.text
    assert refused.status_code == 409
    assert "has no dataset passport" in refused.text
    assert (posted.status_code, sent.status_code) == (409, 409)
    assert posted.json()["type"] == "urn:heard:PassportError"
    assert "Purpose" in sent.json()["detail"]
    assert not list((folder / "uploads").glob("*"))
    assert not list(folder.glob("**/*.csv"))
    assert len(acts(without, "refuse intake")) == 3
    assert client.get("/v1/studies").json()[0]["passport"] is None


def test_a_file_that_waits_is_refused_by_its_job_when_the_passport_ran_out_meanwhile(without: Made) -> None:
    set_passport(without.study, FULL, by="Mo", now=NOW)
    client = manager_of(without)
    at = client.post("/studies/new/upload", files={"file": ("in.csv", CSV.encode())}).url.path
    client.post(at, data={"role": ["record_id", "texts", "voice", "participant"]})
    client.post(f"{at}/take")
    set_passport(without.study, replace(FULL, retention="2020-01-01"), by="Mo", now=NOW)
    work(without.study.folder, threading.Event(), until_idle=True, key_of=lambda _: without.key)
    (job,) = all_jobs(without.study.db)
    assert (job.state, "ran out" in job.problem) == ("failed", True)
    assert without.study.db.conn.execute("SELECT count(*) FROM voices").fetchone()[0] == 0


OUTPUTS = {
    Output.COUNTS: [
        lambda m, out: write_report(m.study, out / "r.html", person="Mo", now=NOW),
        lambda m, out: export_database(m.study, out / "f.db", council="C", now=NOW, actor="Mo"),
        lambda m, _: joint_file(m.study, "html", young=False, person="Mo", now=NOW),
    ],
    Output.PACKS: [
        lambda m, out: export_pack(m.study, out / "p.json", wiring.signer(), council="C", now=NOW, actor="Mo")
    ],
    Output.STUDY: [
        lambda m, out: export_study(m.study, out / "s.zip", person="Mo", now=NOW),
        lambda m, out: export_tables(m.study, out / "t", person="Mo", now=NOW),
    ],
}


@pytest.mark.parametrize("output", OUTPUTS)
def test_what_the_passport_does_not_name_does_not_leave(made: Made, tmp_path: Path, output: Output) -> None:
    others = tuple(o for o in Output if o is not output)
    set_passport(made.study, replace(FULL, outputs=others), by="Mo", now=NOW)
    (tmp_path / "out").mkdir()

    for act in OUTPUTS[output]:
        with pytest.raises(PassportError, match=f"does not allow “{output}”"):
            act(made, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    assert acts(made, "refuse output") == [("Mo", output.value, {})] * len(OUTPUTS[output])
    for other in others:
        require_output(made.study, other, actor="Mo", now=NOW)


def test_nothing_leaves_a_study_without_a_passport(without: Made) -> None:
    for output in Output:
        with pytest.raises(PassportError, match="no dataset passport"):
            require_output(without.study, output, actor="Mo", now=NOW)


def test_each_change_is_a_version_and_the_record_holds_names_of_fields_alone(without: Made) -> None:
    assert set_passport(without.study, FULL, by="Mo", now=NOW) == 1
    assert set_passport(without.study, replace(FULL, purpose="qzxpurpose"), by="Ada", now=NOW) == 2
    assert set_passport(without.study, replace(FULL, purpose="qzxpurpose"), by="Ada", now=NOW) == 2

    assert [(v.version, v.by, v.passport.purpose) for v in passports(without.study.db)] == [
        (2, "Ada", "qzxpurpose"), (1, "Mo", FULL.purpose),
    ]  # fmt: skip
    assert acts(without, "set passport") == [
        ("Ada", "version 2", {"purpose": 1}), ("Mo", "version 1", dict.fromkeys(LABELS, 1)),
    ]  # fmt: skip
    with pytest.raises(ConflictError, match="Ada set the passport in the meantime"):
        set_passport(without.study, FULL, by="Mo", now=NOW, after=1)


def test_a_study_of_fictional_people_has_one_that_is_made_up_until_it_is_set(tmp_path: Path) -> None:
    study = bare_study(tmp_path / "bare", [["Nothing."]])
    assert passport_of(study) == FICTIONAL
    assert passports(study.db) == []
    set_passport(study, FULL, by="Mo", now=NOW)
    assert passport_of(study) == FULL


def test_the_passport_goes_with_a_study_that_is_exported(made: Made, tmp_path: Path) -> None:
    export_study(made.study, tmp_path / "s.zip", person="Mo", now=NOW)
    there, _ = import_study(tmp_path / "s.zip", tmp_path / "there", person="Mo", now=NOW)
    assert passports(there.db) == passports(made.study.db)


LINES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40)


@given(
    st.builds(
        Passport, purpose=LINES, controller=LINES, lawful_basis=st.just("consent"), condition=LINES, dpia=LINES,
        ethics=LINES, retention=st.dates().map(str), outputs=st.sampled_from([(), (Output.COUNTS,), tuple(Output)]),
        safeguarding_lead=LINES,
    )
)  # fmt: skip
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
def test_a_passport_that_is_written_as_a_file_reads_as_it_was(tmp_path: Path, passport: Passport) -> None:
    (tmp_path / "p.toml").write_text(as_toml(passport), "utf-8")
    assert passport_in(tmp_path / "p.toml") == passport


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"dpia": "  ", "ethics": ""}, "lacks: Reference of the impact assessment (DPIA); Reference of the ethics"),
        ({"retention": "next year"}, "Kept until is a day, as 2027-12-31"),
        ({"lawful_basis": "because"}, "is one of consent, contract"),
        ({"outputs": ["qzx"]}, "is a list of counts, quotations, packs"),
        ({"outputs": "counts"}, "is a list of"),
        ({"purpose": "x" * 501}, "longer than 500 characters: Purpose"),
        ({"qzx": "y"}, "1 fields are not of a passport"),
    ],
)
def test_a_passport_that_is_not_whole_is_refused_by_the_names_of_its_fields(
    change: dict[str, object], told: str
) -> None:
    held: dict[str, object] = {**{name: getattr(FULL, name) for name in LABELS}, **change}
    with pytest.raises(PassportError) as refused:
        read_passport(held)
    assert told in str(refused.value)
    assert "qzx" not in str(refused.value)


def test_the_commands_print_a_blank_one_to_fill_in_and_set_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARD_KEY_FOLDER", str(tmp_path / "keys"))
    run, folder = CliRunner(), str(tmp_path / "s")
    run.invoke(commands, ["init", folder, "--codebook", "north-yorkshire-care-leavers"])
    blank = run.invoke(commands, ["passport", "show", folder])
    assert 'purpose = ""' in blank.stdout
    (tmp_path / "blank.toml").write_text(blank.stdout, "utf-8")
    refused = run.invoke(commands, ["passport", "set", folder, str(tmp_path / "blank.toml")])
    assert isinstance(refused.exception, PassportError)
    assert isinstance(run.invoke(commands, ["intake", folder, str(file_of(tmp_path))]).exception, PassportError)

    assert run.invoke(commands, ["passport", "set", folder, str(FILE)]).exit_code == 0
    shown = run.invoke(commands, ["passport", "show", folder, "--json"])
    assert json.loads(shown.stdout)["outputs"] == list(FULL.outputs)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return build_app(two_studies(tmp_path_factory.mktemp("passports")))


def test_every_page_of_a_study_shows_it_in_a_line_with_a_link(app: FastAPI) -> None:
    for role in (Role.LEAD, Role.DATA_MANAGER, Role.AUDITOR):
        client = as_somebody(app, role.value)
        pages = {p.path: client.get(f"/studies/{OWN}{p.path}") for p in PLACES}
        shown = {path: page.text for path, page in pages.items() if page.status_code == 200}
        assert len(shown) > 4
        for path, words in shown.items():
            assert "The dataset passport is made up, as the people are." in words, path
            assert f'<a href="/studies/{OWN}/passport">' in words, path


def test_a_data_manager_sets_it_on_its_page_and_others_only_see_it(app: FastAPI) -> None:
    manager, reader = as_somebody(app, "data_manager"), as_somebody(app, "reader")
    form = {**{name: getattr(FULL, name) for name in LABELS}, "outputs": ["counts"], "version": 0}
    at = f"/studies/{OWN}/passport"
    assert "Keep this passport" not in reader.get(at).text
    assert reader.post(at, data=form).status_code == 403

    lacking = manager.post(at, data={**form, "dpia": "", "purpose": "<b>Kept words</b>"})
    assert lacking.status_code == 422
    assert "The passport lacks: Reference of the impact assessment" in lacking.text
    assert "&lt;b&gt;Kept words&lt;/b&gt;" in lacking.text
    assert manager.post(at, data=form, follow_redirects=False).status_code == 303
    meanwhile = manager.post(at, data={**form, "purpose": "Mine"})
    assert meanwhile.status_code == 409
    assert "set the passport in the meantime" in meanwhile.text

    page = reader.get(at).text
    assert "Public task, Article 6(1)(e)" in page
    assert "31 December 2099" in page
    assert "Version 1, " in page
    assert as_somebody(app, "lead").get(f"/v1/studies/{OWN}").json()["passport"]["outputs"] == ["counts"]


def test_a_passport_that_is_missing_or_ran_out_is_said_on_every_page(without: Made) -> None:
    assert short(without.study, NOW) == (
        "There is no dataset passport yet, so nothing is taken in and nothing leaves.", False,
    )  # fmt: skip
    set_passport(without.study, FULL, by="Mo", now=NOW)
    assert short(without.study, LONG_AFTER) == (
        "The dataset passport ran out on 31 December 2099: nothing more is taken in.", False,
    )  # fmt: skip
    words, well = short(without.study, NOW)
    assert (words.startswith(FULL.purpose), well) == (True, True)


def test_papers_say_what_the_passport_says_and_leave_the_rest_to_be_filled(without: Made) -> None:
    def written() -> dict[str, str]:
        found = facts(without.study, wiring.settings(), person="x", now=NOW)
        return {p.name: p.content.decode() for p in papers(found)}

    assert f"| Controller | **{TO_FILL}**" in written()["dpia.md"]
    set_passport(without.study, replace(FULL, controller="A | B council"), by="Mo", now=NOW)
    after = written()
    assert "| Controller | A \\| B council |" in after["dpia.md"]
    assert "| Kept until | 31 December 2099 |" in after["dpia.md"]
    assert "Public task, Article 6(1)(e)" in after["notice_adults.md"]
    assert FULL.safeguarding_lead in after["notice_children.md"]
    assert FULL.purpose in after["atrs.md"]
    assert FULL.ethics in after["methods.md"]
