"""The papers themselves: facts put into templates, each field filled or marked as theirs to fill."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from service.papers.bill import bill
from service.papers.facts import Facts

PAPERS = {
    "dpia.md": "DPIA fact sheet",
    "atrs.md": "Algorithmic transparency record",
    "model_cards.md": "Model cards with this study's error rates",
    "methods.md": "Methods statement",
    "notice_children.md": "Privacy notice for children and young people",
    "notice_adults.md": "Privacy notice for adults",
    "security.md": "Notes for a penetration test",
    "data_flow.svg": "Where the words go",
}
BILL = "bill_of_materials.cdx.json"
TO_FILL = "[To be filled by you]"
_W = 180


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper under the name of its file; `to_fill` fields are the council's own."""

    name: str
    title: str
    content: bytes
    to_fill: int


def papers(found: Facts) -> list[Paper]:
    """Every paper, the bill of materials last."""
    env = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), undefined=StrictUndefined,
        autoescape=select_autoescape(["svg"]), keep_trailing_newline=True, trim_blocks=False,
    )  # fmt: skip
    env.globals.update(f=found, licences=_licences(found), **_drawing(found))
    made = [_paper(name, title, env.get_template(name).render()) for name, title in PAPERS.items()]
    return [*made, Paper(BILL, "Bill of materials", bill(list(found.libraries), found.version), 0)]


def _paper(name: str, title: str, words: str) -> Paper:
    return Paper(name, title, words.encode(), words.count(TO_FILL) - words.startswith("# "))


def _licences(found: Facts) -> list[tuple[str, int]]:
    return Counter(one.licence for one in found.libraries).most_common()


def _drawing(found: Facts) -> dict[str, object]:
    days, book = found.settings.keep_raw_days, found.codebook
    boxes = [
        (5, 70, 110, "Files", "exports, forms, API"),
        (150, 70, _W, "Intake", "names used, then dropped"),
        (150, 190, _W, "Sealed vault", f"destroyed after {days} days"),
        (370, 70, _W, "De-identification", f"{found.counts.redactions:,} replaced"),
        (370, 190, _W, "De-identified text", f"{found.counts.voices:,} voices"),
        (370, 310, _W, "Suggestions", f"codebook {book.version}" if book else "no codebook yet"),
        (580, 310, _W, "People decide", f"{len(found.rounds)} rounds"),
        (580, 190, _W, "Corrected figures", "with intervals"),
        (580, 70, _W, "Disclosure check", "small counts held back"),
        (785, 70, 110, "Out", "tables, reports"),
    ]
    arrows = [
        (115, 98, 148, 98), (240, 126, 240, 188), (330, 98, 368, 98), (460, 126, 460, 188), (460, 246, 460, 308),
        (550, 338, 578, 338), (670, 310, 670, 248), (670, 190, 670, 128), (760, 98, 783, 98),
    ]  # fmt: skip
    return {"boxes": boxes, "arrows": arrows}
