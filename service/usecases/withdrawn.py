"""The list of those who have withdrawn, outside the study: a restore brings back the study's own as it was.

Pseudonyms alone, beside the key. It says of which study it is and when it was last brought up to date, which every
withdrawal and every backup does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from service.errors import StudyError
from service.files.atomic import write_whole


@dataclass(frozen=True, slots=True)
class WithdrawnList:
    """Pseudonyms, and until when the list is known to be complete; a list of earlier versions says neither when nor whose."""

    study: str
    as_of: str
    participants: tuple[str, ...]


def read_list(file: Path) -> WithdrawnList | None:
    """The list in a file; None where there is none, StudyError when it is damaged."""
    try:
        raw = json.loads(file.read_text("utf-8"))
        if isinstance(raw, list):
            return WithdrawnList("", "", tuple(str(one) for one in raw))
        return WithdrawnList(str(raw["study"]), str(raw["as_of"]), tuple(str(one) for one in raw["withdrawn"]))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, OSError):
        raise StudyError("the list of those who have withdrawn, beside the study’s key, is damaged") from None


def listed_withdrawn(file: Path) -> list[str]:
    """The pseudonyms on the list; StudyError when it is damaged."""
    held = read_list(file)
    return [] if held is None else list(held.participants)


def note_withdrawn(file: Path, study_id: str, participants: Iterable[str], *, now: str) -> None:
    """Add pseudonyms to the list, made where there is none; it is complete until now."""
    kept = list(dict.fromkeys([*listed_withdrawn(file), *participants]))
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(file, json.dumps({"study": study_id, "as_of": now, "withdrawn": kept}).encode())
