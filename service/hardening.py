"""What every command and server does first: files for their owner alone, no core dumps, and logs without anybody's words.

A log line is a JSON object whose keys and values are of an allow-list: where it was written, an incident's number, the type
of an error and the places in the code that it came through. The words of a message, of an error or of a variable may be a
person's, so none of them is ever written, whichever library says them.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import re
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

FIELDS = ("incident", "error", "system", "through")
_PLAIN = re.compile(r"[A-Za-z0-9_.: <>-]{1,120}")
_EVENT = re.compile(r"[a-z][a-z ]{0,60}")
_OURS = "heard"
_NOT_DUMPABLE = 4  # PR_SET_DUMPABLE, linux/prctl.h
_MOST_FRAMES = 20


class Lines(logging.Formatter):
    """A record as one line of JSON; a message is written where it is our own and constant."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; what is not of the allow-list is left out."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(), "from": record.name, "place": f"{record.module}:{record.lineno}",
        }  # fmt: skip
        if isinstance(record, Record) and record.msg:
            line["event"] = record.msg
        given = (record.__dict__ if record.name == _OURS else {}) | getattr(record, "heard_told", {})
        return json.dumps(line | {name: given[name] for name in FIELDS if _safe(given.get(name))})


class Record(logging.LogRecord):
    """A record that never held words, so that a library's own handler cannot write them either."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        broken = self.exc_info[1] if self.exc_info else self.msg
        self.heard_told = told(broken) if isinstance(broken, BaseException) else {}
        constant = self.name == _OURS and isinstance(self.msg, str) and not self.args and _EVENT.fullmatch(self.msg)
        self.msg, self.args = self.msg if constant else "", None
        self.exc_info = self.exc_text = self.stack_info = None


def _safe(value: object) -> bool:
    if isinstance(value, list):
        return all(map(_safe, value))
    return isinstance(value, str) and _PLAIN.fullmatch(value) is not None


def told(error: BaseException) -> dict[str, object]:
    """An error's type, the system's own words for its number, and where it came through; never what it says or held.

    It is what a log is given as `extra`, so that whoever reads the record cannot get at the error itself.
    """
    kept: dict[str, object] = {"error": type(error).__name__, "through": frames(error.__traceback__)}
    number = error.errno if isinstance(error, OSError) else None
    return kept | ({"system": os.strerror(number).replace("/", " ")} if isinstance(number, int) else {})


def frames(trace: TracebackType | None) -> list[str]:
    """The places that an error came through, the innermost last, without source, locals or folders."""
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{os.path.basename(code.co_filename)}:{trace.tb_lineno} {code.co_name}")  # noqa: PTH119 - a name in a string
        trace = trace.tb_next
    return found[-_MOST_FRAMES:]


def harden() -> None:
    """Do all of it, once a process; workers that are started anew do it again."""
    os.umask(0o077)
    _no_cores()
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    logging.root.handlers[:] = [handler]
    logging.setLogRecordFactory(Record)
    logging.captureWarnings(capture=True)
    sys.excepthook = _unexpected
    threading.excepthook = lambda held: _unexpected(held.exc_type, held.exc_value, held.exc_traceback)
    sys.unraisablehook = lambda held: _unexpected(held.exc_type, held.exc_value, held.exc_traceback)


def _no_cores() -> None:
    """No core by any route; on Linux no other process of the same user may read this one's memory either."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_NOT_DUMPABLE, 0, 0, 0, 0)


def _unexpected(kind: type[BaseException], error: BaseException | None, _: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt | SystemExit):
        logging.getLogger(_OURS).error("unexpected", exc_info=error or kind())
