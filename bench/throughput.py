"""How fast `heard batch` is, by stage and with its peak memory: `make bench-throughput ROWS="10000 100000"`.

    python bench/throughput.py --presidio .venv-presidio/bin/python 10000 100000

The same rows as CSV and as XLSX, at each size, and beside them what one would build from parts: Presidio as it comes
(an analyser on each core) and then plain sentence-transformers with a cosine to each code, on SAMPLE of the same rows,
before and after each of ours, since another program on the machine slows both. What ours would do on two cores that
nobody else uses is worked out from its processor time. Memory is what all processes of the run hold together (PSS: what
they share counts once).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

import psutil
from large import write_rows

CODEBOOK = "north-yorkshire-care-leavers"
SAMPLE = 300
CORES = 2
QUIET = os.environ | {"PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True, slots=True)
class Took:
    """One run of ours: seconds in all, of processor time and by stage, peak megabytes."""

    kind: str
    rows: int
    seconds: float
    cpu: float
    stages: dict[str, float]
    peak: float


def main() -> None:
    """Print a row for each size and kind of file."""
    options = _options()
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f} before the start")
    print(
        "| rows | file | rows/s in all | on 2 idle cores | checked | coded | written | peak MB"
        " | from parts, rows/s (before, after) | times as fast |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        for rows in options.rows:
            file = Path(work, f"responses-{rows}.csv")
            write_rows(file, rows)
            for kind in options.kinds:
                before = from_parts(file, options.presidio)
                took = ours(file if kind == "csv" else as_xlsx(file), rows, Path(work, f"out-{rows}.{kind}"))
                after = from_parts(file, options.presidio)
                print(line(took, before, after), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", type=int, default=[10_000])
    parser.add_argument("--presidio", type=Path, required=True, help="the Python of Presidio's environment")
    parser.add_argument("--kinds", nargs="*", default=["csv", "xlsx"], choices=["csv", "xlsx"])
    return parser.parse_args()


def line(took: Took, before: float, after: float) -> str:
    """A row of the table."""
    rate, parts = took.rows / took.seconds, (before + after) / 2
    stages = " | ".join(f"{took.rows / max(s, 0.001):,.0f}" for s in took.stages.values())
    return (
        f"| {took.rows:,} | {took.kind} | {rate:,.0f} | {CORES * took.rows / took.cpu:,.0f} | {stages} | {took.peak:,.0f} |"
        f" {parts:,.1f} ({before:,.1f}, {after:,.1f}) | {rate / parts:,.1f} |"
    )


def as_xlsx(file: Path) -> Path:
    """The same rows as a workbook."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    page = book.create_sheet("responses")
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.reader(lines):
            page.append(row)
    book.save(file.with_suffix(".xlsx"))
    return file.with_suffix(".xlsx")


def ours(file: Path, rows: int, out: Path) -> Took:
    """`heard batch` from file to file, as a person runs it."""
    began, used = time.perf_counter(), spent()
    run = subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-m", "service", "batch", str(file), str(out), "--codebook", CODEBOOK, "--workers", str(CORES)],
        env=QUIET, stderr=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    peak = _Peak(run.pid)
    peak.start()
    _, said = run.communicate()
    seconds = time.perf_counter() - began
    if run.returncode:
        sys.exit(said.decode())
    peak.join()
    record = json.loads(out.with_name(f"{out.name}.run.json").read_text("utf-8"))
    return Took(file.suffix[1:], rows, seconds, spent() - used, record["seconds"], peak.megabytes)


def spent() -> float:
    """Processor seconds of all that this process has started and that has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Peak(threading.Thread):
    """The most that a process and its children ever held together, looked at every second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.megabytes = pid, 0.0

    def run(self) -> None:
        while psutil.pid_exists(self.pid):
            self.megabytes = max(self.megabytes, held(self.pid) / 1e6)
            time.sleep(1)


def held(pid: int) -> int:
    """Bytes that a process and its children hold now."""
    total = 0
    try:
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            total += _pss(process.pid)
    except psutil.Error:
        pass
    return total


def _pss(pid: int) -> int:
    try:
        words = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    except OSError:
        return 0
    return sum(int(held.split()[1]) * 1024 for held in words.splitlines() if held.startswith("Pss:"))


def from_parts(file: Path, presidio: Path) -> float:
    """Rows a second of Presidio and then plain sentence-transformers with a cosine, on a sample."""
    with file.open(encoding="utf-8", newline="") as lines:
        every = list(csv.DictReader(lines))
    step = len(every) // SAMPLE
    texts = [(row["id"], row["text"]) for row in every[::step]][:SAMPLE]
    return len(texts) / (masking(texts, presidio) + matching([text for _, text in texts]))


def masking(texts: list[tuple[str, str]], presidio: Path) -> float:
    """Seconds of as many warm analysers as there are cores, each on its share; the slowest one's."""
    command = [str(presidio), str(ROOT / "bench" / "presidio_masks.py"), "--as-shipped"]
    crew = []
    for core in range(CORES):
        share = "".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in texts[core::CORES])
        one = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=QUIET)  # noqa: S603
        one.stdin.write(share)  # type: ignore[union-attr]
        one.stdin.close()  # type: ignore[union-attr]
        crew.append(one)
    return max(_summary(one) for one in crew)


def _summary(run: subprocess.Popen[str]) -> float:
    lines = run.stdout.read().splitlines()  # type: ignore[union-attr]
    if run.wait() or not lines:
        sys.exit("Presidio's environment does not work; “make bench-deid” makes it")
    return float(json.loads(lines[-1])["summary"]["seconds"])


def matching(texts: list[str]) -> float:
    """Seconds of all-MiniLM-L6-v2 as sentence-transformers runs it, loaded and warm, with a cosine to each code."""
    words = json.dumps(texts)
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", _MATCH, words], capture_output=True, text=True, check=True, env=QUIET
    )
    return float(done.stdout.splitlines()[-1])


_MATCH = f"""
import json, sys, time
sys.path.insert(0, {str(ROOT)!r})
import torch
from sentence_transformers import SentenceTransformer, util
from nlp.codebook import read_codebook
from nlp.encode import bundled_folder
from pathlib import Path
torch.set_num_threads({CORES})
model = SentenceTransformer(str(bundled_folder()), device="cpu")
codes = [f"{{c.label}}. {{c.definition}}" for c in read_codebook(Path({str(ROOT)!r}) / "codebooks" / {CODEBOOK!r}).codes]
texts = json.loads(sys.argv[1])
known = model.encode(codes, show_progress_bar=False)
model.encode(texts[:32], show_progress_bar=False)
began = time.perf_counter()
util.cos_sim(model.encode(texts, show_progress_bar=False), known).topk(3)
print(time.perf_counter() - began)
"""


if __name__ == "__main__":
    main()
