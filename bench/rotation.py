"""How long a rotation of the vault's key takes: `python bench/rotation.py [VOICES]` (100,000); killed once in the middle.

Each voice has a text of 60 to 180 words with its source and the way back from its clean text; three voices make a person,
with a ledger. The rotation is a process of its own, as `heard vault rotate` is; the first is killed by force when a third is
done, and the next finishes it. Every field is opened before and after.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from service import wiring
from service.clock import now
from service.settings import Settings
from service.study.study import Study
from service.usecases.rotate import keys_in_use
from service.vault.keys import Key
from service.vault.sources import InFile
from service.vault.store import RawVoice, Vault

WORDS = (
    "i said that nobody asked me why we moved again and my worker left before the review of my plan at school".split()
)
LOT = 5000
ROTATE = """
import os, signal, sys
from pathlib import Path
from service.clock import now
from service.study.study import open_study
from service.usecases.rotate import rotate
from service.vault.sources import InFile

def progress(done, total):
    if sys.argv[3] == "kill" and done >= total / 3:
        os.kill(os.getpid(), signal.SIGKILL)

rotate(open_study(Path(sys.argv[1])), InFile(Path(sys.argv[2])), by="bench", now=now(), progress=progress)
"""


def main() -> None:
    """Print the table."""
    voices = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(key_folder=Path(folder, "keys"))
        study, key = wiring.make_study(
            Path(folder, "study"), title="Bench", codebook="north-yorkshire-care-leavers", now=now(), settings=settings
        )
        print("| step | fields | seconds |\n|---|---|---|", flush=True)
        source = InFile(settings.key_file_for(study.id))
        _row("sealed, as intake and de-identification do", study, source, _timed(lambda: fill(study, key, voices)))
        before = _told(study, key, voices)
        _row("rotation, killed by force after a third", study, source, _timed(lambda: _rotation(study, source, "kill")))
        _row("the same, asked again: finished", study, source, _timed(lambda: _rotation(study, source, "")))
        _row("a whole rotation, not killed", study, source, _timed(lambda: _rotation(study, source, "")))
        same = _told(study, source.read(), voices) == before
        size = study.vault_file.stat().st_size / 2**20
        print(
            f"\n{voices:,} voices, a vault of {size:,.0f} MiB; every text opens as before: {'yes' if same else 'NO'}."
        )


def _timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def fill(study: Study, key: Key, voices: int) -> None:
    """Seal voices `v-0` and on, three to a person `p-0` and on."""
    chance = random.Random(1)
    with Vault(study.vault_file, key, study.id) as vault:
        for first in range(0, voices, LOT):
            lot = range(first, min(first + LOT, voices))
            vault.put([RawVoice(f"v-{n}", text(chance), f"record-{n}", f"person-{n // 3}", "2099-01-01") for n in lot])
            vault.put_offset_maps([(f"v-{n}", [(7, 16, 7, 17), (40, 52, 41, 50)]) for n in lot])
            vault.put_ledgers({f"p-{n // 3}": {"digest": "[Sister 1]"} for n in lot if n % 3 == 0})


def text(chance: random.Random) -> str:
    """60 to 180 words."""
    return " ".join(chance.choices(WORDS, k=chance.randint(60, 180)))


def _told(study: Study, key: Key, voices: int) -> int:
    with Vault(study.vault_file, key, study.id) as vault:
        return hash(tuple(vault.texts([f"v-{n}" for n in range(voices)]).values()))


def _rotation(study: Study, source: InFile, how: str) -> None:
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", ROTATE, str(study.folder), str(source.file), how],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    if done.returncode != (-signal.SIGKILL if how else 0):
        sys.exit(f"the rotation ended with {done.returncode}")


def _row(step: str, study: Study, source: InFile, seconds: float) -> None:
    keys = [k for k in keys_in_use(study, source) if k.fields]
    under = ", ".join(f"{k.fields:,}" + ("" if k.active else " under the older key") for k in keys)
    print(f"| {step} | {under} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
