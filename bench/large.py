"""The whole job on many short responses: `python bench/large.py [ROWS]`; rows a second and peak memory of each stage.

The responses are made of two fictional texts each, so that no two are alike. Needs the environment of `make demo`.
"""

from __future__ import annotations

import csv
import os
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nlp.models.matcher.fields import read_fields

HEARD = Path(sys.executable).with_name("heard")
LONGEST_PART = 14


def write_rows(file: Path, count: int) -> None:
    """Responses of about fifteen words, by people with three each."""
    dice = random.Random(7)
    parts = [" ".join(t.text.split()[:LONGEST_PART]) for f in read_fields() for t in f.texts]
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["id", "text", "voice", "participant"])
        for i in range(count):
            voice = ("child", "young_person", "parent_carer")[i % 3]
            rows.writerow([i, f"{dice.choice(parts)}. {dice.choice(parts)}", voice, f"P{i // 3}"])


def stage(name: str, *words: str) -> tuple[str, float, float]:
    """Name, seconds and peak megabytes of one command."""
    began = time.perf_counter()
    pid = os.posix_spawn(str(HEARD), [str(HEARD), *words], os.environ | {"PYTHONWARNINGS": "ignore"})
    _, status, used = os.wait4(pid, 0)
    if status:
        sys.exit(f"{name} failed")
    return name, time.perf_counter() - began, used.ru_maxrss / 1024


def main(count: int) -> None:
    """Print one row a stage."""
    with tempfile.TemporaryDirectory() as work:
        os.environ["HEARD_KEY_FOLDER"] = f"{work}/keys"
        file, study = Path(work, "responses.csv"), f"{work}/study"
        write_rows(file, count)
        stage("init", "init", study, "--codebook", "north-yorkshire-care-leavers")
        stage("passport", "passport", "set", study, str(ROOT / "corpora_sample" / "passport.toml"))
        done = [
            stage("intake", "intake", study, str(file)),
            stage("de-identify", "deidentify", study),
            stage("suggest", "suggest", study),
        ]
    whole = sum(seconds for _, seconds, _ in done)
    print("| stage | seconds | share | rows a second | peak MB |\n|---|---|---|---|---|")
    for name, seconds, peak in done:
        print(f"| {name} | {seconds:.0f} | {seconds / whole:.0%} | {count / seconds:,.0f} | {peak:,.0f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
