"""The demo: four fictional studies, from export files to a first finding, with a fictional coder's reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from nlp.types import Codebook
from service.files.choose import choose_profile
from service.files.tables import read_table
from service.study.decisions import Round, rounds
from service.study.quotations import RELEASE
from service.study.study import Study
from service.usecases.deidentify import deidentify_study
from service.usecases.excerpts import ExcerptFilter, excerpts_of
from service.usecases.findings import links_file
from service.usecases.intake import take_in
from service.usecases.links import take_links
from service.usecases.plan import Asked, make_round
from service.usecases.queue import Item, next_item
from service.usecases.quote import ask_to_quote, rule_on
from service.usecases.release_card import Wish, release_card
from service.usecases.review import Choice, decide
from service.usecases.rounds import draw_counting_round, draw_review_round
from service.usecases.suggest import suggest_study
from service.vault.keys import Key

CODER, SECOND = "Demo coder (fictional)", "Second demo coder (fictional)"
READ_BY_TWO = "hampshire-early-help"  # one site shows what two coders agree on, and what they settle
PEOPLE_READ, SHARE_READ_BY_TWO = 60, 0.4
OFFICER = "Demo release officer (fictional)"
QUOTED = ("north-yorkshire-care-leavers", "CL1", "worry")  # one site shows words that two people let out
RELEASED, ASKED = 2, 3
SEED = 2026
SITES = {
    "hampshire-early-help": ("Hampshire: Early Help (fictional sample)", ("case-notes.csv",)),
    "north-yorkshire-care-leavers": ("North Yorkshire: care leavers (fictional sample)", ("survey-and-plans.xlsx",)),
    "oldham-early-language": ("Oldham: early language (fictional sample)", ("observations.csv", "interviews.txt")),
    "rochdale-family-hub": (
        "Rochdale: Family Hubs (fictional sample)",
        ("family-hub-form.xlsx", "family-hub-panel.csv"),
    ),
}
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tools:
    """What building needs and the composition root makes."""

    deidentifier: Deidentifier
    encoder: Encoder
    codebooks: Path
    corpora: Path
    clock: Callable[[], str]


def build_site(study: Study, key: Key, codebook: Codebook, tools: Tools, say: Say) -> None:
    """Take one site's files from intake to its first finding."""
    folder = tools.corpora / study.codebook
    files = [folder / name for name in SITES[study.codebook][1]]
    for file in files:
        report = take_in(study, file, key, now=tools.clock(), keep_raw_days=90, actor="demo")
        say(f"    took in {report.voices} voices from {file.name} ({report.confidential} confidential rows refused)")
    clean = deidentify_study(study, key, tools.deidentifier, now=tools.clock(), actor="demo", progress=_quiet)
    say(f"    de-identified {clean.voices} voices ({clean.redactions} identifiers replaced)")
    made = suggest_study(study, codebook, tools.encoder, now=tools.clock(), actor="demo", progress=_quiet)
    say(f"    suggested {made.suggestions} codes for {made.segments} segments; nothing fitted {made.silent}")
    if (tools.codebooks / study.codebook / "links.yaml").is_file():
        take_links(
            study,
            links_file(tools.codebooks, study.codebook),
            tools.corpora / "indicators",
            codebook,
            now=tools.clock(),
            actor="demo",
        )
    draw_review_round(study, seed=SEED, now=tools.clock(), actor="demo")
    read = _read_blind(study, _gold_by_voice(folder, files, key), tools)
    say(f"    a fictional coder read {PEOPLE_READ} people blind ({read} segments)")
    if study.codebook == QUOTED[0]:
        _quote(study, tools)


def _quiet(done: int, total: int) -> None:
    """Progress that nobody watches."""


def _read_blind(study: Study, gold: Mapping[str, dict[str, Any]], tools: Tools) -> int:
    """A counting round, decided as the sample's gold codes say; a second coder, where there is one, gives fewer codes."""
    round_ = _round(study, tools)
    count = _decide(study, round_, CODER, lambda item: list(_choices(item, gold[item.voice.id])), tools)
    if study.codebook == READ_BY_TWO:
        _decide(study, round_, SECOND, lambda item: list(_choices(item, gold[item.voice.id]))[:1], tools)
    return count


def _round(study: Study, tools: Tools) -> Round:
    if study.codebook != READ_BY_TWO:
        return draw_counting_round(study, people=PEOPLE_READ, seed=SEED, now=tools.clock(), actor="demo")
    asked = Asked("counting", (CODER, SECOND), SHARE_READ_BY_TWO, reads=PEOPLE_READ, seed=SEED)
    return make_round(study, asked, after=len(rounds(study.db)), now=tools.clock(), actor="demo")


def _decide(study: Study, round_: Round, coder: str, chosen: Callable[[Item], list[Choice]], tools: Tools) -> int:
    count = 0
    while (item := next_item(study, round_, coder, now=tools.clock())) is not None:
        decide(study, item, coder=coder, choices=chosen(item), seconds=0.0, now=tools.clock())
        count += 1
    return count


def _quote(study: Study, tools: Tools) -> None:
    """Some excerpts that nothing speaks against are asked for; most of them are released."""
    _, code, stance = QUOTED
    found = [p for people in excerpts_of(study, CODER, ExcerptFilter(code, stance), page=1).people for p in people[:1]]
    wishes = [Wish(p.segment, code, stance, p.start, p.end, reason="It says what the figure cannot.") for p in found]
    clear = [w for w in wishes if not (card := release_card(study, w)).blocks and not card.traces]
    for i, wish in enumerate(clear[:ASKED]):
        number = ask_to_quote(study, wish, by=CODER, now=tools.clock())
        if i < RELEASED:
            why = "Nothing in it tells who it is; several people here say the like."
            rule_on(study, number, RELEASE, why=why, by=OFFICER, now=tools.clock())


def _choices(item: Item, line: Mapping[str, Any]) -> Iterator[Choice]:
    """The gold codes whose evidence lies in this segment; evidence that was partly masked counts for the first."""
    for code in line["codes"]:
        words = line["text"][code["start"] : code["end"]] if "start" in code else ""
        at = item.segment.text.find(words) if words else -1
        if at >= 0:
            start = item.segment.start + at
            yield Choice(code["code"], code["stance"], start, start + len(words))
        elif item.segment.position == 0:
            yield Choice(code["code"], code.get("stance", ""), item.segment.start, item.segment.end)


def _gold_by_voice(folder: Path, files: list[Path], key: Key) -> dict[str, dict[str, Any]]:
    """Gold lines by the voice ids that intake gave their records."""
    lines = [json.loads(line) for line in (folder / "gold" / "texts.jsonl").read_text("utf-8").splitlines()]
    found: dict[str, dict[str, Any]] = {}
    for file in files:
        profile = choose_profile(read_table(file), profile=None, text_column=None)
        for line in lines:
            column = profile.texts[line["column"]]
            found[key.pseudonym("v", profile.name, line["record"], column)] = line
    return found
