"""One way in: recognise what kind of file it is, read it, raise its quality notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nlp.errors import IndicatorError
from nlp.findings.indicators import ees, fingertips, lait, oc3, plain
from nlp.findings.indicators.cells import leading_names
from nlp.findings.indicators.quality import with_notes
from nlp.findings.indicators.values import Loaded

Reader = Callable[[Path, Path | None], Loaded]
READERS: dict[str, Reader] = {
    "ees": ees.read,
    "lait": lait.read,
    "fingertips": fingertips.read,
    "plain": plain.read,
}
_HEADERS = {"ees": ees.MUST, "lait": lait.MUST, "fingertips": fingertips.MUST, "plain": plain.MUST, "oc3": oc3.MUST}


def read_indicators(file: Path, *, meta: Path | None = None, kind: str = "") -> Loaded:
    """All values of an indicator file, with their quality notes; its kind is told by its header.

    A file `NAME.meta.csv` beside `NAME.csv` is used without being named. IndicatorError when the header is of no kind
    that is read.
    """
    kind = kind or kind_of(file)
    if kind not in READERS:
        raise IndicatorError(
            file=file.name, problem=f"the kind is one of: {', '.join(READERS)}; oc3 needs an area and a year"
        )
    twin = meta or _twin(file)
    loaded = READERS[kind](file, twin)
    return replace(loaded, values=with_notes(loaded.values))


def kind_of(file: Path) -> str:
    """The kind of file that the header tells; IndicatorError, naming the nearest kind's missing column, for none."""
    found = leading_names(file)
    lacking = {
        kind: min(({m.casefold() for m in must} - names for names in found), key=len) for kind, must in _HEADERS.items()
    }
    kind = min(lacking, key=lambda k: len(lacking[k]))
    if lacking[kind]:
        raise IndicatorError(file=file.name, row=1, field=min(lacking[kind]), problem="the column is missing")
    return kind


def _twin(file: Path) -> Path | None:
    twin = file.with_name(file.name.removesuffix(".csv") + ".meta.csv")
    return twin if twin.is_file() else None
