"""Packs of findings between councils: suppressed, signed, refused when anything is not as it was, set side by side."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from typer.testing import CliRunner

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from nlp.errors import PackError
from nlp.findings.pack import Pack, Signed, to_bytes
from service import wiring
from service.cli.main import app
from service.errors import KeyFileError, StudyError
from service.settings import Settings
from service.signing import Signer, holds, signer_in
from service.study.counts_released import past_releases
from service.study.database import write
from service.study.study import Study, open_study
from service.usecases.check import accept_risk
from service.usecases.packs import content_of, export_pack, load_pack, signed, verify
from service.usecases.packs_compare import HERE, compare
from service.usecases.prevalence import NO_ROUND
from service.usecases.queue import next_item
from service.usecases.review import Choice, decide
from service.usecases.rounds import counted_round, draw_counting_round
from tests.conftest import NOW, ROOT, Made, give_passport, sign_in_as
from tests.service.reading import fill, heard_chair
from tests.service.serving import give_accounts

LATER = "2026-02-15T10:00:00.000+00:00"
CODE = "CL5"


@pytest.fixture(scope="module")
def unread_folder(tmp_path_factory: pytest.TempPathFactory, cascade: Deidentifier, minilm: Encoder) -> Path:
    """Forty people, half of whom speak of a chair; a counting round of them all, and nobody read yet."""
    folder = tmp_path_factory.mktemp("packs")
    settings = Settings(key_folder=folder / "keys")
    study, key = wiring.make_study(
        folder / "study", title="A study", codebook="north-yorkshire-care-leavers", now=NOW, settings=settings
    )
    give_passport(study)
    accept_risk(study, person="A tester", reason="The people in these tests are fictional.", now=NOW)
    fill(Made(study, key), folder, cascade, minilm)
    study.db.close()
    return folder / "study"


@pytest.fixture(scope="module")
def read_folder(unread_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with 36 of the people read."""
    folder = Path(shutil.copytree(unread_folder, tmp_path_factory.mktemp("read") / "study"))
    with opened(folder) as study:
        read_some(study, 36)
    return folder


@pytest.fixture
def unread(unread_folder: Path, tmp_path: Path) -> Iterator[Study]:
    with opened(Path(shutil.copytree(unread_folder, tmp_path / "studies" / "study"))) as study:
        yield study


@pytest.fixture
def read(read_folder: Path, tmp_path: Path) -> Iterator[Study]:
    with opened(Path(shutil.copytree(read_folder, tmp_path / "studies" / "study"))) as study:
        yield study


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return signer_in(tmp_path / "ours.pem")


@contextmanager
def opened(folder: Path) -> Iterator[Study]:
    study = open_study(folder)
    yield study
    study.db.close()


def read_some(study: Study, many: int, choose: Callable[[str], Sequence[Choice]] = heard_chair) -> None:
    round_ = counted_round(study) or draw_counting_round(study, people=40, seed=1, now=NOW, actor="t")
    for _ in range(many):
        item = next_item(study, round_, "Ann")
        assert item is not None
        decide(study, item, coder="Ann", choices=choose(item.segment.text), seconds=1, now=NOW)


def export(study: Study, folder: Path, signer: Signer, name: str = "here", now: str = NOW) -> Path:
    file = folder / f"{name}.pack.json"
    export_pack(study, file, signer, council=name, now=now, actor="t")
    return file


def other(file: Path, folder: Path, council: str, share: float = 0.4, **changes: Any) -> Path:
    """A pack of another council with a key of its own, like that in `file` but for one code's share."""
    data = json.loads(file.read_text("utf-8"))["pack"]
    data |= {"council": council, "study": council.lower(), "made_at": changes.pop("made_at", NOW)}
    theme = next(t for t in data["themes"] if t["code"] == CODE)
    for figure in theme["figures"]:
        figure.update(share=share, low=round(share * 0.6, 3), high=round(share * 1.4, 3))
    theme.update(changes.pop("theme", {}))
    meanings = changes.pop("meaning", None)
    for code in data["book"]["codes"]:
        code["meaning"] = meanings or code["meaning"] if code["id"] == CODE else code["meaning"]
    made = Pack.model_validate_json(json.dumps({**data, **changes}))
    out = folder / f"{council}.pack.json"
    out.write_bytes(to_bytes(signed(made, signer_in(folder / f"{council}.pem"))))
    return out


def verified(file: Path) -> Signed:
    return verify(content_of(file))


def load(study: Study, file: Path, fingerprint: str = "") -> Signed:
    return load_pack(study, content_of(file), fingerprint=fingerprint, now=NOW, actor="t")


def test_a_pack_tells_shares_design_and_suppressed_counts_and_nothing_of_anybody(
    read: Study, tmp_path: Path, signer: Signer
) -> None:
    file = export(read, tmp_path, signer)
    pack = verified(file).pack

    assert (pack.design.loaded, pack.design.drawn, pack.design.read) == (40, 40, 36)
    assert pack.book.id == "north-yorkshire-care-leavers"
    told = {t.code: t for t in pack.themes}
    assert told[CODE].said is not None
    assert told[CODE].said % 5 == 0
    assert [f.of for f in told[CODE].figures] == ["the people loaded here", "people like these"]
    content = file.read_text("utf-8")
    people = [row["id"] for row in read.db.query("SELECT id FROM participants")]
    words = ["chair", "pasta", "Ann", *people, *(row["id"] for row in read.db.query("SELECT id FROM segments"))]
    assert [w for w in words if w in content] == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def few(text: str) -> list[Choice]:
    return [Choice(CODE, "worry", 0, 7)] if "one two" in text and "chair" in text else []


def test_a_count_of_few_people_is_held_back_with_its_share(unread: Study, tmp_path: Path, signer: Signer) -> None:
    read_some(unread, 36, few)
    theme = next(t for t in verified(export(unread, tmp_path, signer)).pack.themes if t.code == CODE)
    assert (theme.said, theme.figures, theme.why) == (None, (), "suppressed")


def test_who_joined_since_the_last_pack_cannot_be_worked_out_from_the_next(
    unread: Study, tmp_path: Path, signer: Signer
) -> None:
    read_some(unread, 36)
    first = {t.code: t for t in verified(export(unread, tmp_path, signer)).pack.themes}
    read_some(unread, 1)
    second = {t.code: t for t in verified(export(unread, tmp_path, signer, "later", LATER)).pack.themes}

    assert first[CODE].why == ""
    assert second[CODE].why == "suppressed"  # 37 less 36 people would be one person's answer
    assert [p.entry.release for p in past_releases(unread.db)] == ["pack-1", "pack-2"]


def test_a_pack_can_be_made_again_when_nothing_changed_and_when_somebody_has_gone(
    read: Study, tmp_path: Path, signer: Signer
) -> None:
    first = verified(export(read, tmp_path, signer)).pack
    assert verified(export(read, tmp_path, signer, "again")).pack.themes == first.themes

    with write(read.db) as connection:  # as a withdrawal does: the number no longer says who it was
        connection.execute("DELETE FROM counted_people")
    assert export(read, tmp_path, signer, "third").exists()


def test_without_a_round_of_people_there_is_nothing_to_pack(unread: Study, tmp_path: Path, signer: Signer) -> None:
    with pytest.raises(StudyError, match="No counting round"):
        export(unread, tmp_path, signer)
    assert NO_ROUND.startswith("No counting round")
    read_some(unread, 5)
    with pytest.raises(StudyError, match="fewer than six people"):
        export(unread, tmp_path, signer)
    assert list(tmp_path.glob("*.pack.json")) == []


def test_any_change_on_the_way_is_refused(read: Study, tmp_path: Path, signer: Signer) -> None:
    file = export(read, tmp_path, signer)
    content = file.read_bytes()
    share = b'"loaded":40'
    assert share in content
    for changed in (content.replace(share, b'"loaded":41'), content.replace(b'"here"', b'"hare"')):
        file.write_bytes(changed)
        with pytest.raises(PackError, match="its signature does not hold"):
            load(read, file)
    file.write_bytes(content[:-20])
    with pytest.raises(PackError, match="cut short"):
        load(read, file)
    with pytest.raises(PackError, match="cannot be read"):
        load(read, tmp_path / "none.json")


def test_a_pack_signed_anew_by_somebody_else_has_another_fingerprint(
    read: Study, tmp_path: Path, signer: Signer
) -> None:
    ours = verified(export(read, tmp_path, signer))
    forged = signed(ours.pack, signer_in(tmp_path / "forger.pem"))
    assert forged.fingerprint != ours.fingerprint
    swapped = forged.model_copy(
        update={"signature": ours.signature.model_copy(update={"value": forged.signature.value})}
    )
    (tmp_path / "forged.json").write_bytes(to_bytes(swapped))
    with pytest.raises(PackError, match="its signature does not hold"):
        verified(tmp_path / "forged.json")


def test_a_councils_later_pack_must_come_from_the_same_hand_unless_its_fingerprint_was_read_out(
    read: Study, tmp_path: Path, signer: Signer
) -> None:
    file = export(read, tmp_path, signer)
    first = load(read, other(file, tmp_path, "Ryedale"))
    (tmp_path / "Ryedale.pem").unlink()
    anew = other(file, tmp_path, "Ryedale", made_at=LATER)
    with pytest.raises(PackError, match="signed with another key"):
        load(read, anew)
    with pytest.raises(PackError, match="signed with another key, whose fingerprint is"):
        load(read, anew, first.fingerprint)
    assert load(read, anew, verified(anew).fingerprint.upper()).pack.council == "Ryedale"
    assert [s.confirmed for s in compare(read).sources[1:]] == [True]


def test_a_studys_own_pack_and_one_of_real_people_beside_fictional_ones_are_refused(
    read: Study, tmp_path: Path, signer: Signer
) -> None:
    file = export(read, tmp_path, signer)
    with pytest.raises(PackError, match="this study's own pack"):
        load(read, file)
    with pytest.raises(PackError, match="fictional"):
        load(read, other(file, tmp_path, "Ryedale", fictional=True))


def test_packs_stand_beside_the_studys_own_and_from_three_on_they_are_put_together(
    read: Study, tmp_path: Path, signer: Signer
) -> None:
    file = export(read, tmp_path, signer)
    load(read, other(file, tmp_path, "Ryedale", 0.3))
    row = compare(read).row(CODE)
    assert [t.council for t in row.told] == [HERE, "Ryedale"]
    assert row.together is None
    assert row.refusal == "Shares are put together from 3 councils on; 2 show this one."

    load(read, other(file, tmp_path, "Selby", 0.45))
    held_back = {"said": None, "figures": [], "why": "suppressed"}
    load(read, other(file, tmp_path, "Craven", theme=held_back))
    row = compare(read).row(CODE)
    assert row.together is not None
    assert [name for name, _ in row.together.councils] == [HERE, "Ryedale", "Selby"]
    assert row.together.left_out == (("Craven", "held back: too few people to show"),)
    assert 0.3 < row.together.share < 0.5
    assert row.together.next_low < row.together.low


def test_a_newer_pack_of_the_same_study_speaks_in_place_of_the_older(
    read: Study, tmp_path: Path, signer: Signer
) -> None:
    file = export(read, tmp_path, signer)
    load(read, other(file, tmp_path, "Ryedale", 0.3, made_at=LATER))
    load(read, other(file, tmp_path, "Ryedale", 0.5))
    (_, ryedale) = compare(read).row(CODE).told
    assert ryedale.share == 0.3


def test_a_code_that_means_something_else_elsewhere_is_not_put_together(
    read: Study, tmp_path: Path, signer: Signer
) -> None:
    file = export(read, tmp_path, signer)
    for council in ("Ryedale", "Selby"):
        load(read, other(file, tmp_path, council))
    load(read, other(file, tmp_path, "Craven", meaning="f" * 16))
    row = compare(read).row(CODE)
    assert row.together is None
    assert "this study and Ryedale and Selby apart from Craven" in row.refusal
    assert "Agree on one version" in row.refusal


def test_the_key_is_made_once_for_its_owner_alone_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "packs.pem"
    first = signer_in(file)
    assert signer_in(file).public == first.public
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert holds(first.public, b"told", first.sign(b"told"))
    assert not holds(first.public, b"tolt", first.sign(b"told"))
    assert "PRIVATE" not in repr(first)
    file.write_text("nothing")
    with pytest.raises(KeyFileError, match="damaged"):
        signer_in(file)


def test_the_commands_of_the_guide_do_what_it_says(
    read: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signer: Signer
) -> None:
    monkeypatch.setattr(wiring, "settings", lambda: Settings(key_folder=tmp_path / "keys"))
    theirs = other(export(read, tmp_path, signer), tmp_path, "Rochdale")
    spoken = verified(theirs).fingerprint
    places = {
        "studies/harrogate": str(read.folder), "harrogate.pack.json": str(tmp_path / "ours.json"),
        "rochdale.pack.json": str(theirs), "1f3c 99a0 07be 45d2 c311": spoken,
    }  # fmt: skip
    shown = re.findall(r"^heard (pack .*)$", (ROOT / "docs" / "packs.md").read_text("utf-8"), re.MULTILINE)
    done = [CliRunner().invoke(app, [places.get(word, word) for word in shlex.split(line)]) for line in shown]

    assert [run.exit_code for run in done] == [0, 0, 0, 0]
    assert "read out" in done[0].stderr
    assert f"fingerprint: {spoken}" in done[1].stdout
    assert "Loaded the pack of “Rochdale”" in done[2].stderr
    assert "ask" not in done[2].stderr
    told = json.loads(CliRunner().invoke(app, ["pack", "compare", str(read.folder), "--json"]).stdout)
    assert [s["council"] for s in told["sources"]] == [HERE, "Rochdale"]
    row = next(r for r in told["rows"] if r["code"] == CODE)
    assert row["told"][1]["share"] == 0.4
    assert "2 show this one" in row["refusal"]
    assert "Rochdale" in done[3].stdout


def test_a_pack_that_nobody_confirmed_is_loaded_with_what_to_do(read: Study, tmp_path: Path, signer: Signer) -> None:
    theirs = other(export(read, tmp_path, signer), tmp_path, "Ryedale")
    said = CliRunner().invoke(app, ["pack", "load", str(read.folder), str(theirs)])
    assert f"which should be {verified(theirs).fingerprint}" in said.stderr


def page(study: Study, address: str, name: str = "Reader (demo)") -> str:
    give_accounts(study.folder.parent)
    with sign_in_as(study.folder.parent, name) as client:
        answer = client.get(f"/studies/{study.name}/packs{address}")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", unescape(answer.text))


def test_a_page_shows_packs_beside_the_studys_own_and_a_forest_plot_with_its_table(
    read: Study, tmp_path: Path, signer: Signer
) -> None:
    assert "No pack is loaded yet." in page(read, "")
    file = export(read, tmp_path, signer)
    for council, share in (("Ryedale", 0.3), ("Selby", 0.45)):
        load(read, other(file, tmp_path, council, share))
    load(read, other(file, tmp_path, "Craven", theme={"said": None, "figures": [], "why": "suppressed"}))

    words = page(read, "")
    assert "30% (18% to 42%)" in words
    assert "held back: too few people to show" in words
    assert words.count("not yet compared with the council") == 3
    assert "never a ranking" in words

    words = page(read, f"/{CODE}")
    assert "How far councils differ" in words
    assert "left out" in words
    assert "A further council" in words
    assert 'alt="this study' in words
    assert sha256((tmp_path / "Ryedale.pack.json").read_bytes()).hexdigest()[:16] in words
    assert "its round, decisions, codebook version, models and files" in words
    assert "Counting round" in page(read, f"/../joint/trace/theme.{CODE}.heard")
    svg = page(read, f"/{CODE}/forest.svg")
    assert svg.startswith("<svg")
    assert [c for c in (HERE, "Ryedale", "Selby", "Together", "A further council") if c not in svg] == []
    assert "Craven" not in svg


def test_a_code_that_no_pack_tells_of_has_no_page(read: Study) -> None:
    give_accounts(read.folder.parent)
    with sign_in_as(read.folder.parent, "Lead (demo)") as client:
        assert client.get(f"/studies/{read.name}/packs/{CODE}").status_code == 404


def send(study: Study, name: str, file: Path, fingerprint: str = "") -> Response:
    give_accounts(study.folder.parent)
    with sign_in_as(study.folder.parent, name) as client:
        return client.post(
            f"/studies/{study.name}/packs", files={"file": (file.name, file.read_bytes())},
            data={"fingerprint": fingerprint}, follow_redirects=False,
        )  # fmt: skip


def test_a_lead_loads_a_pack_on_the_page_and_nobody_else_does(read: Study, tmp_path: Path, signer: Signer) -> None:
    file = other(export(read, tmp_path, signer), tmp_path, "Ryedale")
    assert send(read, "Reader (demo)", file).status_code == 403
    assert "Load a pack" not in page(read, "")
    assert "Load a pack" in page(read, "", "Lead (demo)")

    wrong = send(read, "Lead (demo)", file, "1111 2222 3333 4444 5555")
    assert wrong.status_code == 422
    assert "signed with another key, whose fingerprint is" in unescape(wrong.text)
    assert 'value="1111 2222 3333 4444 5555"' in wrong.text
    assert len(compare(read).sources) == 1

    done = send(read, "Lead (demo)", file, verified(file).fingerprint)
    assert (done.status_code, done.headers["location"]) == (303, f"/studies/{read.name}/packs")
    assert "compared with the council" in page(read, "")
    acts = page(read, "/../activity?kind=findings", "Lead (demo)")
    assert "made a pack of the findings" in acts
    assert "loaded another council’s pack" in acts


@pytest.mark.parametrize("content", [b"", b"no pack", b" " * 1_100_000])
def test_a_file_that_is_no_pack_is_refused_on_the_page(read: Study, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "any.json"
    file.write_bytes(content)
    answer = send(read, "Lead (demo)", file)
    assert answer.status_code == 422
    assert "Not loaded." in unescape(answer.text)
