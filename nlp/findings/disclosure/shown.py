"""Small counts: what may be shown. Profile `la5`: one to five people are not shown."""

from __future__ import annotations

from dataclasses import dataclass

SMALLEST_SHOWN = 6
SUPPRESSED = "fewer than 6"


@dataclass(frozen=True, slots=True)
class Shown:
    """A count as it may be shown: the number, or None with the words that stand for it."""

    value: int | None
    words: str


def shown_count(count: int) -> Shown:
    """A count of people: 0 and 6 upwards as they are, 1 to 5 as “fewer than 6”."""
    if 0 < count < SMALLEST_SHOWN:
        return Shown(None, SUPPRESSED)
    return Shown(count, f"{count:,}")


def may_show_share(positive: int, total: int) -> bool:
    """Whether a share may be shown: neither the people with the theme nor those without are 1 to 5."""
    return not (0 < positive < SMALLEST_SHOWN or 0 < total - positive < SMALLEST_SHOWN) and total >= SMALLEST_SHOWN
