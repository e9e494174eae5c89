"""One background task a study that notices when its database changes, for all who have its pages open."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from sqlite_utils import Database

from service.hardening import told
from service.study.changes import state_for
from service.study.database import open_database
from service.study.study import STUDY_FILE

log = logging.getLogger("heard")
EVERY = 1.0


class Watch:
    """Looks at one study every second for as long as somebody listens; each listener's token is kept ready."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / STUDY_FILE
        self._listening: Counter[str] = Counter()
        self._states: dict[str, str] = {}
        self._turn = asyncio.Event()
        self._over = asyncio.Event()
        self._version = -1
        self._task: asyncio.Task[None] | None = None

    @property
    def ended(self) -> bool:
        """Whether nobody looks any more."""
        return self._over.is_set()

    @asynccontextmanager
    async def listening(self, person: str) -> AsyncIterator[None]:
        """Count somebody in for the length of the block; the first one wakes the task, the last one lets it go."""
        self._listening[person] += 1
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._listening -= Counter([person])
            if not self._listening:
                self.end()

    async def next_state(self, person: str, known: str, within: float) -> str:
        """The person's token as soon as it is another than `known`; `known` itself after `within` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while not self.ended and self._states.get(person, known) == known:
                    await self._turn.wait()
        return self._states.get(person, known)

    def end(self) -> None:
        """Stop looking, and let everybody who waits go on."""
        self._over.set()
        self._wake()

    def _wake(self) -> None:
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def _run(self) -> None:
        db = await asyncio.to_thread(open_database, self._file)
        try:
            study_id = db.conn.execute("SELECT id FROM study").fetchone()[0]
            while not self.ended:
                if await asyncio.to_thread(self._look, db, study_id):
                    self._wake()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), EVERY)
        except Exception as error:  # noqa: BLE001 - whatever it is, listeners must be let go, and its words stay out of the log
            log.error("watching stopped", extra=told(error))  # noqa: TRY400
        finally:
            self.end()
            db.close()

    def _look(self, db: Database, study_id: str) -> bool:
        """Whether the file has changed since the last look, or somebody is new; if so the tokens are made anew."""
        version = db.conn.execute("PRAGMA data_version").fetchone()[0]
        people = tuple(self._listening)
        if version == self._version and self._states.keys() >= set(people):
            return False
        self._states = {person: state_for(db, study_id, person) for person in people}
        self._version = version
        return True


class Watches:
    """The watch of each study that somebody listens to."""

    def __init__(self) -> None:
        self._watches: dict[Path, Watch] = {}
        self._ended = False

    def of(self, folder: Path) -> Watch:
        """The study's watch, a new one where the last has ended."""
        watch = self._watches.get(folder)
        if watch is None or watch.ended:
            watch = self._watches[folder] = Watch(folder)
        if self._ended:
            watch.end()
        return watch

    def end(self) -> None:
        """Let every listener go, so that the server can stop."""
        self._ended = True
        for watch in self._watches.values():
            watch.end()
