"""Where windows are worked on: in this process, in several on this machine, or on Dask. What comes out is the same."""

from __future__ import annotations

import ipaddress
import logging
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from service.batch.window import Settings, Window, WindowResult, code_window
from service.errors import StudyError
from service.hardening import harden

AHEAD = 2  # windows that wait for each worker, so that none stands idle and memory stays bounded
ATTEMPTS = 4
# Dask would else write what fills a worker's memory, raw words among it, to that machine's disk.
_KEEP_IN_MEMORY = {"distributed.worker.memory.target": False, "distributed.worker.memory.spill": False}
Engine = Callable[[Iterable[Window], Settings], Iterator[WindowResult]]


def engine(kind: str, *, workers: int, scheduler: str) -> Engine:
    """`local` or `dask`; StudyError when Dask is not installed or its scheduler may not be sent raw words."""
    if kind == "dask":
        return _Dask(workers, _allowed(scheduler))
    if workers == 1:
        return lambda windows, settings: (code_window(window, settings) for window in windows)
    return _Processes(workers)


@dataclass(slots=True)
class _Processes:
    """Processes of this machine. A killed one costs its windows a second try, nothing else."""

    workers: int

    def __call__(self, windows: Iterable[Window], settings: Settings) -> Iterator[WindowResult]:
        crew = _Crew(self.workers, settings)
        try:
            waiting: deque[tuple[Window, Future[WindowResult]]] = deque()
            for window in windows:
                waiting.append((window, crew.submit(window)))
                if len(waiting) >= self.workers * AHEAD:
                    yield crew.result(waiting)
            while waiting:
                yield crew.result(waiting)
        finally:
            crew.stop()


@dataclass(slots=True)
class _Crew:
    workers: int
    settings: Settings
    _pool: ProcessPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._pool = self._new_pool()

    def _new_pool(self) -> ProcessPoolExecutor:
        # A fork would copy the models' threads in whatever state they are.
        return ProcessPoolExecutor(self.workers, mp_context=multiprocessing.get_context("spawn"), initializer=_quiet)

    def submit(self, window: Window) -> Future[WindowResult]:
        try:
            return self._pool.submit(code_window, window, self.settings)
        except BrokenProcessPool:
            self._pool = self._new_pool()
            return self._pool.submit(code_window, window, self.settings)

    def result(self, waiting: deque[tuple[Window, Future[WindowResult]]]) -> WindowResult:
        """The first window's result. When a process died, all that wait are handed in again, a few times."""
        window, future = waiting.popleft()
        for _ in range(ATTEMPTS):
            try:
                return future.result()
            except BrokenProcessPool:
                again = [(window, self.submit(window)), *((w, self.submit(w)) for w, _ in waiting)]
                waiting.clear()
                (window, future), rest = again[0], again[1:]
                waiting.extend(rest)
        raise StudyError(f"window {window.number} ended its process {ATTEMPTS} times; too little memory, most likely")

    def stop(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def _quiet() -> None:
    """One core a process; and nothing to say when the person presses Ctrl+C, which the parent answers."""
    import signal

    harden()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"


@dataclass(slots=True)
class _Dask:
    """A Dask cluster: one that is made here, or the one at the address."""

    workers: int
    scheduler: str

    def __call__(self, windows: Iterable[Window], settings: Settings) -> Iterator[WindowResult]:
        import dask
        import distributed

        with dask.config.set(_KEEP_IN_MEMORY), ExitStack() as stack:
            address = self.scheduler or stack.enter_context(_cluster(self.workers)).scheduler_address
            client = stack.enter_context(distributed.Client(address, timeout="20s"))
            crew = max(1, len(client.scheduler_info()["workers"]))
            waiting: deque[Any] = deque()
            for window in windows:
                # Not pure: a key made from the arguments would be a hash of somebody's words.
                waiting.append(client.submit(code_window, window, settings, pure=False, retries=ATTEMPTS))
                if len(waiting) >= crew * AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


def _cluster(workers: int) -> Any:
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=logging.CRITICAL
    )


def _allowed(scheduler: str) -> str:
    """The address, if what is sent there stays on this machine or is encrypted."""
    if find_spec("distributed") is None:
        raise StudyError("Dask is not installed here; add it with: pip install 'heard[scale]'")
    address = urlsplit(scheduler)
    if scheduler and address.scheme != "tls" and not _is_here(address.hostname or ""):
        raise StudyError("raw words would cross the network unencrypted: give the scheduler as tls://HOST:PORT")
    return scheduler


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
