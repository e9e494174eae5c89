"""Quality on coded texts: tables that anyone can print again."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from nlp.deid.evaluate import GoldSpan, GoldText, evaluate
from nlp.types import Label, Span
from service import wiring
from service.cli.show import give, output, say
from service.cli.study import Json
from service.errors import InputError
from service.files.lines import read_json_lines

app = typer.Typer(help="Measure quality on texts that people have marked or coded.", no_args_is_help=True)


@app.command()
def deid(
    files: Annotated[
        list[Path], typer.Argument(help='JSON lines {"id", "text", "voice", "spans": [{"start", "end", "label"}]}.')
    ],
    as_json: Json = False,
) -> None:
    """How well identifiers are masked, by label, voice and name origin, and what is masked needlessly. Several files are pooled.

    Example: heard bench deid corpora_sample/north-yorkshire-care-leavers/gold/spans.jsonl
    """
    texts = [_gold(file.name, row) for file in files for row in read_json_lines(file, needed=("id", "text"))]
    cascade = wiring.deidentifier()
    cascade.deidentify(["Warm up."])
    began = time.perf_counter()
    clean = cascade.deidentify([t.text for t in texts])
    seconds = time.perf_counter() - began
    rows = evaluate(texts, [[Span(r.start, r.end) for r in c.plan] for c in clean])
    size = sum(len(t.text.encode("utf-8", "replace")) for t in texts) / 1e6
    data = {
        "texts": len(texts),
        "rows": [asdict(r) for r in rows],
        "seconds": round(seconds, 3),
        "mb_per_second": round(size / max(seconds, 1e-9), 4),
    }
    if as_json:
        give(data, as_json=True, words="")
        return
    table = Table("measure", "group", "value", "n")
    for row in rows:
        table.add_row(row.measure, row.group, f"{row.value:.3f}", str(row.n))
    output.print(table)
    say(f"{len(texts)} texts in {seconds:.1f} s ({data['mb_per_second']} MB a second)")


def _gold(file: str, row: dict[str, object]) -> GoldText:
    spans = row.get("spans") or []
    try:
        gold = tuple(
            GoldSpan(
                int(s["start"]), int(s["end"]), Label(s["label"]), str(s.get("origin") or ""), str(s.get("kind") or "")
            )
            for s in spans  # type: ignore[attr-defined]
        )
    except (KeyError, TypeError, ValueError):
        raise InputError(
            file=file, field="spans", problem=f"the spans of id {row['id']} are not start, end and a known label"
        ) from None
    return GoldText(str(row["id"]), str(row["text"]), str(row.get("voice") or "unknown"), gold)


@app.command()
def themes(
    folder: Annotated[Path, typer.Argument(help="A folder with codebook.json (or .yaml) and texts.jsonl.")],
    codebook: Annotated[str | None, typer.Option(help="A codebook's name or path, where the folder has none.")] = None,
    as_json: Json = False,
) -> None:
    """How well suggestions from the codebook alone agree with people's codes, in all and by voice.

    Example: heard bench themes corpora_sample/oldham-early-language/gold --codebook oldham-early-language
    """
    from nlp.themes.corpus import read_coded_set
    from nlp.themes.evaluate import by_voice
    from nlp.themes.match import Matcher

    book = wiring.codebook_named(codebook) if codebook else None
    coded = read_coded_set(folder, book)
    encoder = wiring.encoder()
    encoder.encode(["Warm up."])
    began = time.perf_counter()
    probabilities = Matcher(coded.codebook, encoder).probabilities([t.text for t in coded.texts])
    seconds = time.perf_counter() - began
    scores = by_voice(coded, probabilities)
    data = {
        "set": coded.name,
        "texts": len(coded.texts),
        "codes": len(coded.codebook.active_codes),
        "seconds": round(seconds, 2),
        "scores": {g: asdict(s) for g, s in scores.items()},
    }
    if as_json:
        give(data, as_json=True, words="")
        return
    table = Table(
        "voice", "texts coded", "macro-AP", "micro-AP", "recall at 3", "first right", "error of the three shown"
    )
    for group, s in scores.items():
        table.add_row(
            group, str(s.n), *(f"{v:.3f}" for v in (s.macro_ap, s.micro_ap, s.recall_at_3, s.first_right, s.top3_error))
        )
    output.print(table)
    say(f"{len(coded.texts)} texts, {data['codes']} codes, nothing confirmed; {seconds:.1f} s")
