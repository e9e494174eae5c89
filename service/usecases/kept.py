"""Figures that take a while are worked out once for each state of a study."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from service.study.state import state_of
from service.study.study import Study

T = TypeVar("T")
_held: dict[tuple[str, str], tuple[object, object]] = {}


def kept(study: Study, what: str, make: Callable[[], T], *, decided: bool = True) -> T:
    """What `make` gives, from the last time where nothing has happened in the study since.

    For figures that are the same for everybody who may see them, never for one person's. Without `decided`, they do
    not rest on decisions, and further ones make nothing anew.
    """
    state, key = state_of(study.db, decided=decided), (study.id, what)
    held = _held.get(key)
    if held is None or held[0] != state:
        held = _held[key] = (state, make())
    return held[1]  # type: ignore[return-value]
