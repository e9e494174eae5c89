"""What commands print: data on stdout, progress and remarks on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

remarks = Console(stderr=True, highlight=False)
output = Console(highlight=False)


def say(words: str) -> None:
    """A remark for the person at the terminal."""
    remarks.print(words, markup=False, soft_wrap=True)


def give(data: Any, *, as_json: bool, words: str) -> None:
    """Data on stdout, as JSON or in words."""
    if as_json:
        sys.stdout.write(json.dumps(_plain(data), ensure_ascii=False, allow_nan=False, default=str) + "\n")
    else:
        output.print(words, markup=False, soft_wrap=True)


def _plain(data: Any) -> Any:
    """The same with None for what could not be worked out: JSON knows no NaN."""
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    return None if isinstance(data, float) and math.isnan(data) else data


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr; silent where stderr is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=remarks, disable=not remarks.is_terminal, transient=True) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=total)
