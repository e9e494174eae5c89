"""Reports of the joint display as files: HTML that prints well, DOCX, and PDF where a Chromium is there to print it."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import docx
import vl_convert as vlc
from docx.shared import Cm, Pt
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from service.errors import StudyError
from service.study.passports import Output
from service.study.study import Study
from service.usecases.joint import Joint, joint
from service.usecases.joint_words import Block, Kind, Sheet, report, young_report
from service.usecases.passport import require_output
from service.web.charts import gaps_svg, joint_svg

FORMS = {
    "html": "text/html; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NO_BROWSER = "there is no Chromium on this machine to make a PDF with; take the HTML and print it from a browser"
SECONDS = 60


def joint_file(study: Study, form: str, *, young: bool, person: str, now: str) -> bytes:
    """The report in one form: html, docx or pdf. StudyError where that form cannot be made here,
    PassportError where counts may not leave."""
    require_output(study, Output.COUNTS, actor=person, now=now)
    found = joint(study)
    sheet = young_report(study, found) if young else report(study, found, now=now)
    if form == "html":
        return _html(sheet, found).encode()
    if form == "docx":
        return _docx(sheet, found)
    if form == "pdf":
        return _pdf(_html(sheet, found))
    raise StudyError("a report is made as html, docx or pdf")


def _svg(block: Block, found: Joint) -> str:
    return gaps_svg(found.gaps) if block.chart == "gaps" else joint_svg(found.entry(block.chart).row)


def _markup(svg: str) -> Markup:
    """A picture that was drawn here, from labels that vega escapes."""
    return Markup(svg)  # noqa: S704  # nosec B704 # drawn here, from labels that vega escapes


def _html(sheet: Sheet, found: Joint) -> str:
    environment = Environment(loader=PackageLoader("service.web"), autoescape=True, undefined=StrictUndefined)
    drawn = {b.chart: _markup(_svg(b, found)) for b in sheet.blocks if b.chart}
    return environment.get_template("joint_report.html").render(sheet=sheet, drawn=drawn)


def _docx(sheet: Sheet, found: Joint) -> bytes:
    paper = docx.Document()
    paper.core_properties.title, paper.core_properties.author = sheet.title, "Heard"
    paper.styles["Normal"].font.name, paper.styles["Normal"].font.size = "Arial", Pt(11)
    paper.add_heading(sheet.title, 0)
    for block in sheet.blocks:
        if block.kind in (Kind.HEADING, Kind.PART):
            paper.add_heading(block.words, 1 if block.kind is Kind.HEADING else 2)
        elif block.kind is Kind.TABLE:
            _table(paper, block)
        elif block.kind is Kind.CHART:
            paper.add_picture(io.BytesIO(vlc.svg_to_png(_svg(block, found), scale=2)), width=Cm(15))
            paper.add_paragraph(block.words)
        else:
            run = paper.add_paragraph().add_run(block.words)
            run.bold, run.font.size = block.kind is Kind.WARNING, Pt(9 if block.kind is Kind.SMALL else 11)
    held = io.BytesIO()
    paper.save(held)
    return held.getvalue()


def _table(paper: docx.document.Document, block: Block) -> None:
    table = paper.add_table(rows=0, cols=len(block.rows[0]), style="Table Grid")
    for row in block.rows:
        for cell, words in zip(table.add_row().cells, row, strict=True):
            cell.text = words


def _pdf(html: str) -> bytes:
    """Printed by a browser that loads nothing but the one file."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise StudyError(NO_BROWSER)
    with tempfile.TemporaryDirectory(prefix="heard-") as folder:
        page, out = Path(folder) / "report.html", Path(folder) / "report.pdf"
        page.write_text(html, "utf-8")
        flags = ["--headless", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
                 "--no-pdf-header-footer", f"--user-data-dir={folder}/profile", f"--print-to-pdf={out}"]  # fmt: skip
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # Chromium refuses to run as root with its sandbox, as in a container
        try:
            printed = [browser, *flags, page.as_uri()]
            subprocess.run(printed, capture_output=True, timeout=SECONDS, check=True)  # noqa: S603  # nosec B603 # a list of ours, no shell
            return out.read_bytes()
        except (subprocess.SubprocessError, OSError):
            raise StudyError(
                "the browser on this machine could not print the report; take the HTML and print it"
            ) from None
