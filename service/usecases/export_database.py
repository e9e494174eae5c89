"""A database of what a study may tell: themes in suppressed counts and shares, the codebook, indicators, reasoned links.

No text, no person, no vector. The counts go through the ledger like those of a pack, so that nothing small can be worked
out from all releases together; published figures are there as they were published, each with its source and licence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp.findings.indicators.values import STATUS_WORDS
from nlp.findings.link import JointRow
from nlp.findings.pack import WHY, Pack, Theme
from nlp.types import Codebook
from service.errors import StudyError
from service.files.open_data import Sheet, Value, View, Words, write_database, write_metadata
from service.study.codebooks import newest_codebook
from service.study.indicators import Stored, listed_indicators, stored_indicators
from service.study.study import Study
from service.usecases.findings import joint_display
from service.usecases.packs import release

_NOT_OURS_TO_GIVE = frozenset({"", "not published", "not stated"})
_FEW = "held back: it would be rounded to fewer than may be shown"
_STANCE = "the share of one stance is not released here"
_METADATA = "metadata.json"


@dataclass(frozen=True, slots=True)
class Opened:
    """What was written: the name of the release, and how much is in it. `kept` indicator values name no licence."""

    release: str
    themes: int
    held_back: int
    values: int
    kept: int
    links: int
    metadata: Path


def export_database(study: Study, file: Path, *, council: str, now: str, actor: str) -> Opened:
    """Write the SQLite file, and `metadata.json` beside it, which Datasette reads.

    StudyError where no people were counted, or too few to tell of, or where something else would be written over.
    """
    metadata = file.with_name(_METADATA)
    if metadata.exists() is not file.exists():
        raise StudyError(
            "something else stands where the database or its metadata.json would go; name a folder of its own"
        )
    pack, name = release(study, "database", council=council, now=now, actor=actor)
    book, rows = newest_codebook(study.db), joint_display(study)
    held = list(_held(study))
    given = [s for s in held if s.source.licence not in _NOT_OURS_TO_GIVE]
    sheets = [_about(pack, name), _codes(book), _themes(pack), _shares(pack), _indicators(given), _links(rows)]
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_database(file, sheets, [_JOINT])
    write_metadata(metadata, file, _words(pack), sheets, [_JOINT])
    told = sum(not t.why for t in pack.themes)
    return Opened(name, told, len(pack.themes) - told, len(given), len(held) - len(given), len(rows), metadata)


def _held(study: Study) -> Iterator[Stored]:
    for listed in listed_indicators(study.db):
        yield from stored_indicators(study.db, listed.indicator)


def _words(pack: Pack) -> Words:
    fictional = "Fictional sample: nobody in it exists; the published figures are real. " if pack.fictional else ""
    return Words(
        f"{pack.council}: what people said, beside published figures",
        f"{fictional}Themes are counted in people who were drawn by chance and read without suggestions. Small counts are"
        f" held back and the others rounded to the nearest {pack.rules.round_base}. No words of anybody are here.",
        "Published figures: the licence in each row. Themes: as the council says",
        pack.council,
    )


def _about(pack: Pack, name: str) -> Sheet:
    design, rules = pack.design, pack.rules
    rows = [
        ("council", pack.council), ("release", name), ("made", pack.made_at),
        ("fictional", "yes" if pack.fictional else "no"), ("codebook", f"{pack.book.id} {pack.book.version}"),
        ("how people were drawn", design.draw), ("people loaded", str(design.loaded)), ("people drawn", str(design.drawn)),
        ("people read", str(design.read)), ("disclosure profile", rules.name),
        ("fewest people shown", str(rules.safe_threshold)), ("rounded to the nearest", str(rules.round_base)),
    ]  # fmt: skip
    columns = {"item": "What is told", "value": "What it is"}
    return Sheet(
        "about", "About this release", "What was counted, how, and under which rules.", columns, rows, {}, "item"
    )


def _codes(book: Codebook) -> Sheet:
    rows = [(c.id, c.label, c.young_label, c.definition, c.parent, str(c.status)) for c in book.codes]
    columns = {
        "code": "The code’s id", "label": "Its name", "young_label": "Its name in young people’s words",
        "definition": "What it means", "family": "The family it belongs to", "status": "Draft, active or retired",
    }  # fmt: skip
    about = "The codes under which texts were read. Examples are left out: they may be somebody’s words."
    return Sheet("codes", f"Codebook: {book.title} {book.version}", about, columns, rows, {}, "code")


def _themes(pack: Pack) -> Sheet:
    columns = {
        "code": "The code’s id", "people": f"People who said it (people, to the nearest {pack.rules.round_base})",
        "status": "Why there is no count; shown where there is one",
    }  # fmt: skip
    rows = [(t.code, *_people(t, pack.rules.safe_threshold)) for t in pack.themes]
    about = f"People who said each theme, of {pack.design.read} who were read."
    return Sheet("themes", "Themes, in people read", about, columns, rows, {"people": "INTEGER"}, "code")


def _people(theme: Theme, fewest: int) -> tuple[int | None, str]:
    if theme.said is None:
        return None, WHY[theme.why]
    return (None, _FEW) if 0 < theme.said < fewest else (theme.said, "shown")


def _shares(pack: Pack) -> Sheet:
    columns = {
        "code": "The code’s id", "of": "What it is a share of", "share": "Share (0 to 1)",
        "low": "Lower end of the 95% interval (0 to 1)", "high": "Upper end of the 95% interval (0 to 1)",
        "read": "People read (people)", "method": "How it was estimated",
    }  # fmt: skip
    rows = [(t.code, f.of, f.share, f.low, f.high, f.read, f.method) for t in pack.themes for f in t.figures]
    kinds = {"share": "REAL", "low": "REAL", "high": "REAL", "read": "INTEGER"}
    return Sheet("shares", "Themes, as shares of people", "Corrected for what suggestions miss.", columns, rows, kinds)


_VALUE = {
    "indicator": "The indicator’s id", "label": "Its name", "unit": "The unit of its value", "area_code": "Code of the place",
    "area": "Name of the place", "level": "What kind of place", "period": "When", "groups": "Who is counted apart",
    "value": "The value as published (see unit)", "status": "Why a value is there or not", "status_words": "The same in words",
    "numerator": "How many (people), as published", "denominator": "Of how many (people), as published",
    "low": "Lower end of the 95% interval, as published", "high": "Upper end of the 95% interval, as published",
    "not_known_share": "Share not known (0 to 1)", "notes": "What must be known beside it", "publisher": "Who published it",
    "licence": "Under which licence", "url": "Where", "retrieved_on": "When it was fetched", "file": "The file",
    "sha256": "The file’s SHA-256", "row": "The row in the file",
}  # fmt: skip
_REAL = dict.fromkeys(("value", "numerator", "denominator", "low", "high", "not_known_share"), "REAL")


def _indicators(given: Sequence[Stored]) -> Sheet:
    about = "As published, small numbers too where the publisher shows them. A council’s own return is not here."
    rows = [_value(s) for s in given]
    return Sheet("indicators", "Published figures", about, _VALUE, rows, {**_REAL, "row": "INTEGER"})


def _value(stored: Stored) -> tuple[Value, ...]:
    v, s = stored.value, stored.source
    groups, notes = "; ".join(f"{name}: {chosen}" for name, chosen in v.filters), " ".join(n.words for n in v.notes)
    return (
        v.indicator, v.label, v.unit, v.area.code, v.area.name, v.area.level, v.period.label, groups, v.value, str(v.status),
        STATUS_WORDS[v.status], v.numerator, v.denominator, v.low, v.high, v.not_known_share, notes, s.publisher, s.licence,
        s.url, s.retrieved_on, s.file, s.sha256, v.row,
    )  # fmt: skip


_LINK = {
    "link": "The link’s id", "title": "What it asks", "code": "The code’s id", "stance": "The stance that is meant, if one is",
    "indicator": "The indicator’s name", "group": "Who is counted apart", "area": "The place", "period": "When",
    "percent": "The published figure (%)", "status": "Why a figure is there or not", "level": "What the tie may say",
    "expectation": "What was expected before looking", "why": "Why the two are set side by side",
    "population_note": "Who is counted", "period_note": "When each was counted", "publisher": "Who published the figure",
    "licence": "Under which licence", "sha256": "The file’s SHA-256", "version": "The link’s version",
}  # fmt: skip


def _links(rows: Sequence[JointRow]) -> Sheet:
    about = "Reasoned ties between a theme and a published figure. Neither explains the other."
    return Sheet("links", "Themes tied to figures", about, _LINK, [_link(r) for r in rows], {"percent": "REAL"}, "link")


def _link(row: JointRow) -> tuple[Value, ...]:
    k, f = row.link, row.figure
    return (
        k.id, k.title, k.code, k.stance, f.label, f.group, f.area, f.period, f.percent, str(f.percent_status), str(k.level),
        str(k.expectation), k.why, k.population_note, k.period_note, f.publisher, f.licence, f.source_sha256, k.version,
    )  # fmt: skip


_JOINT = View(
    "joint", "Voices beside figures",
    "Each tie with the published figure and the share of people like those who were read. They are different people at"
    " different times: neither explains the other.",
    'SELECT k.link, k.title, c.label AS theme, k.stance, k.indicator, k.area, k.period, k.percent AS published_percent,'
    ' k.status AS published_status, round(100 * s.share, 1) AS heard_percent, round(100 * s.low, 1) AS heard_low,'
    f" round(100 * s.high, 1) AS heard_high, CASE WHEN k.stance <> '' THEN '{_STANCE}' WHEN s.share IS NULL"
    " THEN t.status ELSE 'shown' END AS heard_status,"
    " k.why FROM links k LEFT JOIN codes c ON c.code = k.code LEFT JOIN themes t ON t.code = k.code LEFT JOIN shares s"
    " ON s.code = k.code AND s.\"of\" = 'people like these' AND k.stance = ''",
)  # fmt: skip
