"""Turns at the models: a few threads that work for all callers, one text request of each in turn.

Models never run on the event loop, nor on the threads that answer pages: those stay free whatever callers ask for.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from service.errors import BusyError

T = TypeVar("T")
Work = tuple[Callable[[], Any], "Future[Any]"]


class Turns:
    """Runs work on `workers` threads. Callers take turns, so that a caller with much to do delays the others by one turn.

    BusyError when a caller has `each` pieces of work waiting, or all callers together have `most`.
    """

    def __init__(self, *, workers: int = 1, each: int = 16, most: int = 256) -> None:
        self._workers, self._each, self._most = workers, each, most
        self._waiting: OrderedDict[str, deque[Work]] = OrderedDict()
        self._ready = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._ended = False

    async def run(self, caller: str, work: Callable[[], T]) -> T:
        """What `work` gives, when its turn has come; its errors are passed on."""
        future: Future[T] = Future()
        self._enter(caller, (work, future))
        return await asyncio.wrap_future(future)

    def _enter(self, caller: str, work: Work) -> None:
        with self._ready:
            mine = self._waiting.get(caller, ())
            if len(mine) >= self._each or sum(map(len, self._waiting.values())) >= self._most:
                raise BusyError("too much waits to be read; send the same again in a moment", seconds=2)
            self._waiting.setdefault(caller, deque()).append(work)
            if len(self._threads) < self._workers:
                self._threads.append(threading.Thread(target=self._serve, name="models", daemon=True))
                self._threads[-1].start()
            self._ready.notify()

    def _serve(self) -> None:
        while (taken := self._next()) is not None:
            work, future = taken
            if not future.set_running_or_notify_cancel():
                continue  # whoever asked has gone
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - it is raised again where it was asked for
                future.set_exception(error)

    def _next(self) -> Work | None:
        with self._ready:
            while not self._ended and not self._waiting:
                self._ready.wait()
            if self._ended:
                return None
            caller, mine = self._waiting.popitem(last=False)
            work = mine.popleft()
            if mine:
                self._waiting[caller] = mine  # at the end: the others come first
            return work

    def end(self) -> None:
        """Let the threads go; what waits is cancelled."""
        with self._ready:
            self._ended = True
            for mine in self._waiting.values():
                for _, future in mine:
                    future.cancel()
            self._ready.notify_all()
