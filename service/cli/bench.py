"""Quality on coded texts: tables that anyone can print again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from nlp.deid.evaluate import GoldSpan, GoldText, evaluate
from nlp.findings.disclosure import PROFILES
from nlp.findings.disclosure.trial import trial
from nlp.types import Label, Span
from service import wiring
from service.cli.bench_prevalence import prevalence
from service.cli.show import give, output, progress, say
from service.cli.study import Json
from service.errors import InputError
from service.files.lines import read_json_lines

app = typer.Typer(help="Measure quality on texts that people have marked or coded.", no_args_is_help=True)
app.command()(prevalence)


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
    quick: Annotated[bool, typer.Option("--quick", help="One seed; nothing and four confirmed a code.")] = False,
    as_json: Json = False,
) -> None:
    """How well suggestions agree with people's codes: from the codebook alone, by voice; then as decisions come in,
    beside plain methods (half of the texts to confirm, half to test, three seeds).

    Example: heard bench themes corpora_sample/oldham-early-language/gold --codebook oldham-early-language
    """
    from nlp.themes.corpus import read_coded_set
    from nlp.themes.curve import SEEDS, STEPS, Curve, compared
    from nlp.themes.evaluate import by_voice
    from nlp.themes.groups import by_group

    coded = read_coded_set(folder, wiring.codebook_named(codebook) if codebook else None)
    encoder = wiring.encoder()
    encoder.encode(["Warm up."])
    began = time.perf_counter()
    curve = Curve(coded, encoder)
    seconds = time.perf_counter() - began
    seeds, steps = (SEEDS[:1], STEPS[:2]) if quick else (SEEDS, STEPS)
    scores = by_voice(coded, curve.prior_probabilities)
    data = {
        "set": coded.name,
        "texts": len(coded.texts),
        "codes": len(coded.codebook.active_codes),
        "seconds": round(seconds, 2),
        "scores": {g: asdict(s) for g, s in scores.items()},
        "groups": [asdict(g) for g in by_group(coded, curve.prior_probabilities, wiring.english_words())],
        "evidence": asdict(curve.evidence()),
        "curve": [asdict(p) for p in compared(curve, wiring.plain_encoder(), seeds=seeds, steps=steps)],
        "honesty": asdict(curve.honesty(seeds=seeds)),
    }
    if as_json:
        give(data, as_json=True, words="")
        return
    _print_themes(data)


def _print_themes(data: dict[str, Any]) -> None:
    table = Table(
        "voice", "texts coded", "macro-AP", "micro-AP", "recall at 3", "first right", "error of the three shown"
    )
    columns = ("macro_ap", "micro_ap", "recall_at_3", "first_right", "top3_error")
    for group, s in data["scores"].items():
        table.add_row(group, str(s["n"]), *(f"{s[c]:.3f}" for c in columns))
    output.print(table)
    say(f"{data['texts']} texts, {data['codes']} codes, nothing confirmed; {data['seconds']:.1f} s")
    table = Table("who is heard", "texts coded", "recall at 3", "all others", "")
    for g in data["groups"]:
        warning = "heard worse than the others" if g["worse"] else ""
        table.add_row(g["group"], str(g["n"]), f"{g['recall_at_3']:.3f}", f"{g['others']:.3f}", warning)
    output.print(table)
    e = data["evidence"]
    if e["n"]:
        say(
            f"Evidence, texts of several sentences: the highlighted sentence holds the words that a person marked in"
            f" {e['shown_right']:.3f} of {e['shown_n']} right suggestions ({e['right']:.3f} of all {e['n']} codes given)."
        )
    table = Table("confirmed a code", "texts", "method", "macro-AP", "recall at 3", "micro-AP")
    for p in data["curve"]:
        step = "the whole half" if p["confirmed"] is None else str(p["confirmed"])
        table.add_row(
            step, str(p["texts"]), p["method"], *(f"{p[c]:.3f}" for c in ("macro_ap", "recall_at_3", "micro_ap"))
        )
    output.print(table)
    h = data["honesty"]
    say(
        f"After 100 random confirmations: error of the three shown {h['top3_error']:.3f}; “likely” (0.7 or more) is right"
        f" {h['likely_precision']:.3f} of the time and finds {h['likely_recall']:.3f} of the codes given."
    )


@app.command()
def disclosure(
    trials: Annotated[int, typer.Option(min=1, help="How many random worlds of three releases each.")] = 20,
    top: Annotated[int, typer.Option(min=2, max=12, help="Values that a side of a table may have at most.")] = 8,
    seed: Annotated[int, typer.Option(help="The first world; the next ones follow it.")] = 0,
    as_json: Json = False,
) -> None:
    """How safe releases of tables are when they are attacked all together, and how many cells that costs.

    Example: heard bench disclosure --trials 100 --top 12
    """
    began = time.perf_counter()
    with progress("Attacking") as bar:
        rows = {name: _trials(name, range(seed, seed + trials), top, bar) for name in PROFILES}
    table = Table("profile", "tables", "cells", "too small", "to protect them", "beyond the fewest", "recovered")
    for name, r in rows.items():
        beyond = f"{r['beyond']:.1%}"
        table.add_row(
            name, *(f"{r[k]:,}" for k in ("tables", "cells", "small", "others")), beyond, f"{r['recovered']:,}"
        )
    if as_json:
        give(rows, as_json=True, words="")
        return
    output.print(table)
    say(f"{3 * trials} releases for each profile in {time.perf_counter() - began:.0f} s")


def _trials(name: str, seeds: range, top: int, bar: Callable[[int, int], None]) -> dict[str, Any]:
    outcomes = []
    for done, seed in enumerate(seeds, 1):
        outcomes.append(trial(seed, PROFILES[name], top))
        bar(done, len(seeds))
    total = {
        k: sum(getattr(o, k) for o in outcomes)
        for k in ("cells", "small", "others", "least", "recovered", "given_away")
    }
    lost = total["small"] + total["others"]
    return {"tables": 3 * len(outcomes), **total, "beyond": (lost - total["least"]) / max(1, total["least"])}
