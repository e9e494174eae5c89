"""`heard bench prevalence`: do the intervals of shares keep their word?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from nlp.findings.prevalence import trial
from service import wiring
from service.cli.show import give, output, progress, say
from service.study.study import SUGGESTED_FROM

AGAIN = 5


def prevalence(
    coded: Annotated[
        Path | None,
        typer.Option(help="A folder with codebook.json and texts.jsonl: its human codes as the truth, too."),
    ] = None,
    runs: Annotated[int, typer.Option(min=2, help="Studies in each cell; 2,000 for figures to go by.")] = 500,
    reads: Annotated[int, typer.Option(min=30, help="With --coded: texts read in each draw.")] = 200,
    only: Annotated[list[trial.Kind] | None, typer.Option(help="Only cells of this kind; may be given again.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same figures.")] = 1,
    out: Annotated[Path | None, typer.Option(help="A file for each cell's figures, a line of JSON each.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """How often 95% intervals of shares cover the truth that they name, in studies made with a known truth.

    Example: heard bench prevalence --runs 2000 --out cells.jsonl
    """
    began = time.perf_counter()
    cells = trial.cells(*(only or ()))
    with progress("Trying") as bar:
        rows = _tried(cells, runs, seed, bar)
    if out is not None:
        lines = [
            json.dumps({"cell": asdict(r.cell), "marks": {n: asdict(m) for n, m in r.marks.items()}}) for r in rows
        ]
        out.write_text("\n".join(lines) + "\n", "utf-8")
    lines_of, wanted = trial.table(rows), trial.wanted(rows)
    by_code = _coded(coded, runs, reads, seed) if coded else {}
    if as_json:
        data = {"methods": [asdict(line) for line in lines_of], "wanted": [asdict(w) for w in wanted], "codes": by_code}
        give(data, as_json=True, words="")
        return
    _print(lines_of, wanted)
    _print_grid(rows)
    _try_again(rows, runs, seed)
    say(f"{len(cells)} cells of {runs:,} studies, {time.perf_counter() - began:.0f} s")
    if by_code:
        _print_codes(by_code, runs, reads)


def _tried(cells: Sequence[trial.Cell], runs: int, seed: int, bar: Callable[[int, int], None]) -> list[trial.Row]:
    rows = []
    for done, cell in enumerate(cells, 1):
        rows.append(trial.Row(cell, trial.mark_cell(cell, runs=runs, seed=seed)))
        bar(done, len(cells))
    return rows


def _print(lines: Sequence[trial.Line], wanted: Sequence[trial.Wanted]) -> None:
    table = Table("method", "cells", "covers: worst", "mean", "under floor", "worst bias, points", "width", "most")
    for line in lines:
        wide = ["", ""] if line.ratio is None or line.most is None else [f"{line.ratio:.2f}", f"{line.most:.2f}"]
        bias = f"{100 * line.bias:+.2f} ({100 * line.bias_error:.2f})"
        table.add_row(
            line.method, str(line.cells), f"{line.worst:.3f}", f"{line.mean:.3f}", str(line.under), bias, *wide
        )
    output.print(table)
    table = Table("must reach", "found", "")
    for want in wanted:
        table.add_row(want.what, want.found, "reached" if want.reached else "not reached")
    output.print(table)


def _print_grid(rows: Sequence[trial.Row]) -> None:
    for method in ("texts default, one read for every code", "people default, one read for every code"):
        by_share = trial.by_share(rows, method)
        if not by_share:
            continue
        machines = list(next(iter(by_share.values())))
        table = Table("share", *(f"{a:g}/{b:g}" for a, b in machines), title=f"{method}: worst coverage, width")
        for share, of in by_share.items():
            table.add_row(f"{share:.2f}", *(f"{of[m][0]:.3f}, {of[m][1]:.2f}" for m in machines))
        output.print(table)


def _try_again(rows: Sequence[trial.Row], runs: int, seed: int) -> None:
    """What covered too seldom once more, with other studies and more of them: was it chance?"""
    for row, method in trial.under_floor(rows):
        again = trial.mark_cell(row.cell, runs=AGAIN * runs, seed=seed + 1000)[method]
        cell = f"share {row.cell.share:g}, {row.cell.reads} of {row.cell.loaded} read"
        say(f"{method} ({cell}): {row.marks[method].cover:.4f}; {again.cover:.4f} in {again.runs:,} further studies")


def _coded(folder: Path, runs: int, reads: int, seed: int) -> dict[str, dict[str, Any]]:
    """The default's marks by code, on texts that people coded, with what the codebook alone suggests."""
    from nlp.themes.corpus import read_coded_set
    from nlp.themes.curve import Curve

    held = read_coded_set(folder, None)
    probable = Curve(held, wiring.encoder()).prior_probabilities
    found = {}
    for j, code in enumerate(held.codebook.active_codes):
        gold = np.array([code.id in text.codes for text in held.texts])
        of = trial.real_code(
            gold, probable[:, j] >= SUGGESTED_FROM, probable[:, j], reads=reads, runs=runs, seed=seed + j
        )
        found[code.id] = {"share": float(gold.mean()), **asdict(of)}
    return found


def _print_codes(by_code: dict[str, dict[str, Any]], runs: int, reads: int) -> None:
    cover = np.array([mark["cover"] for mark in by_code.values()])
    least = min(by_code, key=lambda code: by_code[code]["cover"])
    say(
        f"Human codes as the truth: {len(cover)} codes, {reads} texts read, {runs:,} draws: {cover.mean():.4f} cover;"
        f" least {cover.min():.4f} ({least}, {by_code[least]['share']:.1%} of texts)"
    )
