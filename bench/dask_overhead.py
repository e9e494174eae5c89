"""What Dask costs on one machine beside our own processes, and that both give the same bytes.

    python bench/dask_overhead.py --rows 10000 --workers 2 4

Each number of workers is run locally and on Dask, turn by turn (ROUNDS times, the order turned round each time, since
another program on the machine slows both). Processor seconds are those of all processes of a run, so other people's
work does not count; with more workers than cores the seconds by the clock say little, and these say what Dask adds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from large import write_rows

CODEBOOK = "north-yorkshire-care-leavers"
ENGINES = ("local", "dask")


@dataclass(frozen=True, slots=True)
class Took:
    """One run: seconds by the clock from start to end, those of the work alone, processor seconds, the output's hash."""

    whole: float
    work: float
    cpu: float
    digest: str


def main() -> None:
    """Print a row for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--workers", nargs="*", type=int, default=[2, 4])
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    print(f"{options.rows:,} rows; {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f} before the start")
    print(
        "| workers | local s (work) | dask s (work) | clock | local processor s | dask processor s | processor | same bytes |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "responses.csv")
        write_rows(source, options.rows)
        for workers in options.workers:
            print(line(workers, compared(source, workers, options.rounds)), flush=True)


def compared(source: Path, workers: int, rounds: int) -> dict[str, list[Took]]:
    """Runs of each engine, turn by turn."""
    found: dict[str, list[Took]] = {kind: [] for kind in ENGINES}
    for n in range(rounds):
        for kind in ENGINES if n % 2 == 0 else reversed(ENGINES):
            found[kind].append(took(source, kind, workers))
    return found


def took(source: Path, kind: str, workers: int) -> Took:
    """`heard batch` from file to file, as a person runs it."""
    out = source.with_name(f"{kind}-{workers}.jsonl")
    command = [sys.executable, "-m", "service", "batch", str(source), str(out), "--codebook", CODEBOOK]
    began, used = time.perf_counter(), spent()
    subprocess.run(  # noqa: S603 - our own
        [*command, "--engine", kind, "--workers", str(workers)],
        env=os.environ | {"PYTHONWARNINGS": "ignore"}, cwd=ROOT, check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    whole, cpu = time.perf_counter() - began, spent() - used
    seconds = json.loads(out.with_name(f"{out.name}.run.json").read_text("utf-8"))["seconds"]
    return Took(whole, seconds["de-identified and suggested"], cpu, hashlib.sha256(out.read_bytes()).hexdigest())


def spent() -> float:
    """Processor seconds of all that this process has started and that has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def line(workers: int, found: dict[str, list[Took]]) -> str:
    """A row of the table: means, and what Dask adds in percent."""
    whole, work, cpu = ([mean(getattr(t, f) for t in found[k]) for k in ENGINES] for f in ("whole", "work", "cpu"))
    same = len({t.digest for runs in found.values() for t in runs}) == 1
    return (
        f"| {workers} | {whole[0]:.1f} ({work[0]:.1f}) | {whole[1]:.1f} ({work[1]:.1f}) | {added(whole)} |"
        f" {cpu[0]:.1f} | {cpu[1]:.1f} | {added(cpu)} | {'yes' if same else 'NO'} |"
    )


def added(pair: list[float]) -> str:
    """Local's figure to Dask's, in percent."""
    return f"{100 * (pair[1] / pair[0] - 1):+.0f}%"


if __name__ == "__main__":
    main()
