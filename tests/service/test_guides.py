"""The guides' commands run as they stand, on the demo studies, and print the figures that the guides explain."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service import wiring
from service.cli.main import app

DOCS = Path(__file__).resolve().parents[2] / "docs" / "guides"
GUIDES = sorted(DOCS.glob("*.md"))
LINK = re.compile(r"\]\(([^)#]+)\)")


@pytest.fixture
def beside(demo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which the demo studies stand where the guides say."""
    shutil.copytree(demo_folder, tmp_path / "demo-data" / "studies")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("HEARD_KEY_FOLDER", str(demo_folder.parent / "keys"))
    wiring.settings.cache_clear()
    yield tmp_path
    wiring.settings.cache_clear()


def printed(guide: str) -> str:
    """What the commands of a guide print, one after another; each must end well."""
    found = []
    for block in re.findall(r"```sh\n(.*?)```", (DOCS / guide).read_text("utf-8"), re.S):
        for line in block.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "heard"
            done = CliRunner().invoke(app, arguments)
            assert done.exit_code == 0, f"{line}: {done.output}"
            found.append(done.output)
    return "\n".join(found)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda g: g.stem)
def test_links_and_pictures_lead_somewhere(guide: Path) -> None:
    targets = LINK.findall(guide.read_text("utf-8"))
    assert guide.stem == "saying" or targets
    assert [t for t in targets if not (guide.parent / t).is_file()] == []


@pytest.mark.usefixtures("beside")
def test_the_codebook_guide_shows_codes_that_sound_alike_and_writes_the_file(beside: Path) -> None:
    assert "described in much the same words" in printed("codebook.md")
    assert "CL1" in (beside / "codebook.yaml").read_text("utf-8")


@pytest.mark.usefixtures("beside")
def test_the_coding_guide_shows_what_two_coders_agree_on() -> None:
    text = printed("coding.md")
    assert "differences to talk about" in text
    assert "still missed" in text


@pytest.mark.usefixtures("beside")
def test_the_joint_guides_figures_are_those_of_the_demo(beside: Path) -> None:
    text = printed("joint.md")
    report = (beside / "joint-display.html").read_text("utf-8")
    for figure in ("95% (185 of 194)", "33% (95% interval 26% to 43%; 60 of 131 people read)", "2% to 9%"):
        assert figure in report
    assert "Codebook: north-yorkshire-care-leavers" in text
    assert (beside / "young.html").stat().st_size > 1000


@pytest.mark.usefixtures("beside")
def test_the_saying_guide_writes_a_report_that_keeps_small_counts_back(beside: Path) -> None:
    assert "Too few people to" in printed("saying.md")
    assert (beside / "report.html").is_file()
