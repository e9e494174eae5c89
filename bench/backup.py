"""How long a backup and a restore take: `python bench/backup.py [VOICES]` (100,000).

Each voice has a sealed text and a clean text of 60 to 180 words. The second restore withdraws four people again.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.rotation import fill, text
from service import wiring
from service.clock import now
from service.settings import Settings
from service.study.database import write
from service.study.study import Study
from service.usecases.backup import make_backup, read_backup
from service.usecases.restore import Restored, list_from, restore
from service.usecases.withdraw import withdraw
from service.vault.keys import Key

T = TypeVar("T")


def main() -> None:
    """Print the table."""
    voices = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        settings = Settings(key_folder=folder / "keys")
        study, key = wiring.make_study(
            folder / "study", title="Bench", codebook="north-yorkshire-care-leavers", now=now(), settings=settings
        )
        fill(study, key, voices)
        _tell(study, voices)
        gone, books, file = settings.withdrawn_file_for(study.id), folder / "books", folder / "one.heard"

        def back(name: str, key: Key = key) -> Restored:
            held = list_from(gone, study.id, now=now())
            return restore(file, folder / name, key, [key], held, list_file=gone, books=books, by="bench", now=now())

        print("| step | seconds |\n|---|---|", flush=True)
        _row("backup, read back", lambda: make_backup(study, file, key, list_file=gone, by="bench", now=now()))
        _row("verify", lambda: read_backup(file, [key]))
        _row("restore, nobody has withdrawn", lambda: back("one"))
        for person in range(4):
            withdraw(study, key, f"p-{person}", by="bench", now=now(), list_file=gone, books=books)
        done = _row("restore, four people are withdrawn again", lambda: back("two"))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"\n{voices:,} voices; study.db {_size(study.folder / 'study.db')}, vault.db {_size(study.vault_file)}, the backup"
            f" {_size(file)}; {done.withdrawn} withdrawn; peak memory of all of it {peak:,.0f} MiB."
        )


def _row(step: str, act: Callable[[], T]) -> T:
    start = time.perf_counter()
    done = act()
    print(f"| {step} | {time.perf_counter() - start:.1f} |", flush=True)
    return done


def _size(file: Path) -> str:
    return f"{file.stat().st_size / 2**20:,.0f} MiB"


def _tell(study: Study, voices: int) -> None:
    """The clean texts of the voices that were sealed."""
    chance, at = random.Random(2), now()
    with write(study.db) as connection:
        connection.execute("INSERT INTO runs VALUES ('r', 'intake', 'bench', '', '', '', '', '{}', ?, ?)", (at, at))
        people = [(f"p-{n}",) for n in range((voices + 2) // 3)]
        connection.executemany("INSERT INTO participants VALUES (?)", people)
        connection.executemany(
            "INSERT INTO voices VALUES (?, ?, 'child', '', 'verbatim', '', '', '', '', '', '{}', 'r', ?, '')",
            [(f"v-{n}", f"p-{n // 3}", n) for n in range(voices)],
        )
        connection.executemany(
            "INSERT INTO clean_texts (voice, version, text, run) VALUES (?, 1, ?, 'r')",
            [(f"v-{n}", text(chance)) for n in range(voices)],
        )


if __name__ == "__main__":
    main()
