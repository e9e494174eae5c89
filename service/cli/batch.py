"""`heard batch`: a file or folder of responses in, one coded file out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from service.batch.engines import engine
from service.batch.run import Asked, run_batch
from service.cli.show import progress, say
from service.clock import now


def batch(
    source: Annotated[Path, typer.Argument(help="A file, or a folder of files: CSV, XLSX, JSON, JSON lines, Parquet.")],
    out: Annotated[Path, typer.Argument(help="What to write; its ending says which kind: .csv .xlsx .jsonl .parquet")],
    codebook: Annotated[str, typer.Option(help="A codebook's name, or the path of its file.")],
    top: Annotated[int, typer.Option(min=1, max=20, help="At most so many codes for each answer.")] = 3,
    text: Annotated[str | None, typer.Option(help="The column with the words, where it is not plain.")] = None,
    profile: Annotated[
        Path | None, typer.Option(help="A mapping profile (YAML) that says what the columns are.")
    ] = None,
    run_on: Annotated[
        Literal["local", "dask"], typer.Option("--engine", help="This machine's processes, or Dask.")
    ] = "local",
    scheduler: Annotated[
        str, typer.Option(help="An existing Dask scheduler's address, tls:// unless it is here.")
    ] = "",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; by default one for each core.")] = None,
) -> None:
    """De-identify responses and suggest codes, into one file. A killed run goes on where it was when it is asked again.

    Example: heard batch responses.xlsx coded.csv --codebook rochdale-family-hub
    """
    crew = (
        workers or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else workers or os.cpu_count() or 1
    )
    asked = Asked(source, out, codebook, top, profile, text)
    with progress("Coding") as moved:
        done = run_batch(asked, engine(run_on, workers=crew, scheduler=scheduler), now=now(), progress=moved)
    for note in done.notes:
        say(note)
    if done.resumed:
        say(f"Went on after {done.resumed:,} rows that were done before.")
    fresh = done.size.rows - done.resumed
    for stage, seconds in done.seconds.items():
        rows = fresh if stage.startswith("de-id") else done.size.rows
        say(f"{stage}: {seconds:,.1f} s, {rows / max(seconds, 0.001):,.0f} rows a second")
    say(
        f"{done.size.rows:,} rows, {done.written:,} answers written; {done.silent:,} without a theme, {done.held:,} in another"
        f" language and left for a person, {done.size.confidential:,} confidential rows left out."
    )
    say(
        f"{out.name}, and what made it in {out.name}.run.json. Suggestions only: nothing is coded until a person says so."
    )
