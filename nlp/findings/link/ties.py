"""A link: a reasoned tie between a code and an indicator, kept in the codebook's folder and versioned."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from nlp.errors import IndicatorError
from nlp.findings.link.levels import Level
from nlp.types import Codebook, CodeStatus

STANCES = ("", "going_well", "worry", "mixed", "need")
_ID = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,39}")


class Expectation(StrEnum):
    """What the author of a link expects of the theme's share, declared before looking."""

    SAME = "theme share about the indicator's share"
    OPPOSITE = "theme share about the indicator's complement"
    MORE = "theme share above the indicator's share"
    FEWER = "theme share below the indicator's share"
    ANOTHER_SIDE = "the theme tells another side of the same matter"
    BEYOND = "the theme tells of something that the indicator does not reach"
    CONTEXT = "context only"


@dataclass(frozen=True, slots=True)
class Link:
    """A reasoned tie between a code (with a stance) and an indicator.

    `level` says what the tie may carry; `version` rises with any change, and `changed` says why it did.
    """

    id: str
    title: str
    code: str
    stance: str
    file: str
    label: str
    group: str
    period: str
    area_codes: tuple[str, ...]
    expectation: Expectation
    population_note: str
    period_note: str
    why: str
    author: str
    date: str
    level: str = Level.CONTEXT
    version: str = "1"
    changed: str = ""


def read_links(file: Path) -> list[Link]:
    """The links in a codebook's `links.yaml`; IndicatorError names the entry that is incomplete or contradicts itself."""
    try:
        raw = yaml.safe_load(file.read_text("utf-8")) or []
    except (OSError, ValueError, yaml.YAMLError):
        raise IndicatorError(file=file.name, problem="not readable as YAML in UTF-8") from None
    if not isinstance(raw, list):
        raise IndicatorError(file=file.name, problem="expected a list of links, each beginning with “- id:”")
    links = [_link(file.name, i, entry) for i, entry in enumerate(raw, 1)]
    seen: set[str] = set()
    for i, link in enumerate(links, 1):
        if problem := "two links have this id" if link.id in seen else _problem(link):
            raise IndicatorError(file=file.name, row=i, problem=problem)
        seen.add(link.id)
    return links


def _link(file: str, number: int, entry: Any) -> Link:
    if not isinstance(entry, dict) or not isinstance(entry.get("area_codes"), list):
        raise IndicatorError(file=file, row=number, field="area_codes", problem="a link needs a list of area codes")
    words = {k: str(v) for k, v in entry.items() if k not in ("area_codes", "expectation")}
    try:
        expectation = Expectation[str(entry["expectation"]).upper()]
        return Link(area_codes=tuple(map(str, entry["area_codes"])), expectation=expectation, **words)
    except (KeyError, TypeError):
        raise IndicatorError(file=file, row=number, problem="a field of the link is missing or unknown") from None


def _problem(link: Link) -> str:
    """What is wrong with a link that has all its fields; "" where nothing is."""
    numbered = link.version.isascii() and link.version.isdigit() and int(link.version) >= 1
    needed = ("why", "author", "population_note", "period_note")
    blank = next((f for f in needed if not getattr(link, f).strip()), "")
    wrong = {
        "an id is a letter, then up to 39 letters, figures or hyphens": not _ID.fullmatch(link.id),
        "the stance is none of going_well, worry, mixed, need, or empty for any": link.stance not in STANCES,
        "the level is none of L0, L1, L2, L3": link.level not in set(Level),
        "the version is a whole number from 1": not numbered,
        "a later version needs “changed”: what is different from the one before, and why": numbered
        and int(link.version) > 1
        and not link.changed.strip(),
        f"“{blank}” is empty: a tie without its reasoning is no link": bool(blank),
        "the date is not of the form 2026-01-31": not _is_date(link.date),
    }
    return next((words for words, holds in wrong.items() if holds), "")


def _is_date(words: str) -> bool:
    try:
        return date.fromisoformat(words).isoformat() == words
    except ValueError:
        return False


def check_links(links: Sequence[Link], codebook: Codebook, *, file: str = "links.yaml") -> None:
    """IndicatorError when a link ties a code that the codebook does not have, or has retired."""
    codes = {c.id: c for c in codebook.codes}
    for i, link in enumerate(links, 1):
        code = codes.get(link.code)
        if code is None:
            raise IndicatorError(
                file=file, row=i, problem=f"link {link.id} ties {link.code}, which this codebook does not have"
            )
        if code.status is CodeStatus.RETIRED:
            raise IndicatorError(
                file=file,
                row=i,
                problem=f"link {link.id} ties {link.code}, which version {codebook.version} of the codebook retired: nobody "
                "is read for it any more. Tie the indicator to a code in use (with its own reasoning, as a new version of the "
                "link), or take the link out",
            )


def fingerprint(link: Link) -> str:
    """Twelve hex characters that change with any word of a link."""
    return hashlib.sha256(json.dumps(asdict(link), sort_keys=True).encode()).hexdigest()[:12]
