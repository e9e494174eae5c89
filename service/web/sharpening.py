"""Suggestions made anew while people review: in the background, at most every five decisions, one fit at a time a study."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import FastAPI

from service import wiring
from service.clock import now
from service.hardening import told
from service.study.codebooks import newest_codebook
from service.study.decisions import Round
from service.study.queue import segments_ahead
from service.study.study import Study, opened
from service.study.voices import segments

log = logging.getLogger("heard")
EVERY, AHEAD = 5, 10


@dataclass
class _Turn:
    """Decisions of one study since the last fit, and whether one is being made."""

    since: int = 0
    busy: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Sharpening:
    """Whose turn it is, for each study that somebody reviews."""

    def __init__(self) -> None:
        self._turns: dict[Path, _Turn] = {}
        self._lock = threading.Lock()

    def decided(self, study: Study, round_: Round, coder: str, position: int) -> None:
        """Somebody has decided: after every fifth time, read anew what this coder will have next."""
        with self._lock:
            turn = self._turns.setdefault(study.folder, _Turn())
        with turn.lock:
            turn.since += 1
            if turn.busy or turn.since < EVERY:
                return
            turn.since, turn.busy = 0, True
        given = (turn, study.folder, round_, coder, position)
        threading.Thread(target=_read_ahead, args=given, daemon=True).start()


def sharpen_soon(app: FastAPI, study: Study, round_: Round, coder: str, position: int) -> None:
    """Count a decision towards the next fit."""
    sharpening: Sharpening = app.state.sharpening
    sharpening.decided(study, round_, coder, position)


def _read_ahead(turn: _Turn, folder: Path, round_: Round, coder: str, position: int) -> None:
    try:
        with opened(folder) as study:
            ids = segments_ahead(study.db, round_.id, coder, over=position, number=AHEAD)
            marks = ",".join("?" * len(ids))
            wiring.sharpener(study, newest_codebook(study.db)).ahead(
                segments(study.db, f"s.id IN ({marks})", ids), now()
            )
    except Exception as error:  # noqa: BLE001 - what is on screen stays as good as it was; an error's words stay out of the log
        log.warning("suggestions were not made anew", extra=told(error))
    finally:
        with turn.lock:
            turn.busy = False
