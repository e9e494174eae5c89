"""Windows that are done, kept beside the output until all are: a run that was killed goes on where it was."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from service.batch.window import Coded, Theme, WindowResult
from service.errors import StudyError


class Parts:
    """A folder of finished windows, without a raw word in it, and of what was asked, which must be the same again."""

    def __init__(self, folder: Path, asked: Mapping[str, Any]) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)
        plan = folder / "asked.json"
        if not plan.exists():
            _write(plan, json.dumps(dict(asked), indent=1))
        elif json.loads(plan.read_text("utf-8")) != dict(asked):
            raise StudyError(
                f"“{folder.name}” holds a run of another file, codebook, model or setting that is not finished;"
                " remove that folder to begin anew"
            )

    def done(self) -> frozenset[int]:
        """The numbers of the windows that are whole."""
        return frozenset(int(file.stem) for file in self._folder.glob("[0-9]*.jsonl"))

    def keep(self, result: WindowResult) -> None:
        """Write a window; it is there whole or not at all."""
        lines = (json.dumps(asdict(c), ensure_ascii=False) for c in result.coded)
        _write(self._file(result.number), "".join(line + "\n" for line in lines))

    def coded(self, windows: int) -> Iterator[Coded]:
        """All answers of all windows, in order."""
        for number in range(windows):
            with self._file(number).open(encoding="utf-8") as lines:
                yield from (_coded(json.loads(line)) for line in lines)

    def remove(self) -> None:
        """Forget the windows, when the output is there; what was asked goes last, so that none is left to another run."""
        for file in self._folder.glob("[0-9]*"):
            file.unlink()
        shutil.rmtree(self._folder)

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:08}.jsonl"


def _write(file: Path, words: str) -> None:
    part = file.with_suffix(".part")
    with part.open("w", encoding="utf-8") as output:
        output.write(words)
        output.flush()
        os.fsync(output.fileno())
    part.replace(file)


def _coded(record: dict[str, Any]) -> Coded:
    return Coded(**(record | {"themes": tuple(Theme(**theme) for theme in record["themes"])}))
