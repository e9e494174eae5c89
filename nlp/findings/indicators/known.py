"""What is known of a few indicators beyond their files: which way is good, where a series breaks, what it measures.

From the publishers' notes; a dictionary or metadata file that is given with the data goes first.
"""

from __future__ import annotations

from dataclasses import dataclass

from nlp.findings.indicators.values import Polarity

_HIGHER = (
    "fsp_new_gooddev", "fsp_new_comms", "accommodation considered suitable",
    "total in education, employment or training", "careleavereet", "careleaveracc", "6wksbreast", "%_2yr_olds",
)  # fmt: skip
_LOWER = (
    "accommodation considered unsuitable", "total not in education, employment or training", "rereferral_percent",
    "rereferral_child_percent", "rereferral", "careleavers_la_notintouch",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Break:
    """From the period that ends in `year` on, an indicator whose id begins with `begins` is another one."""

    begins: str
    year: int
    words: str


BREAKS = (
    Break(
        "fsp_new_",
        2022,
        "The early learning goals changed in 2021/22, and nothing was collected in 2020 and 2021: "
        "2022 and later cannot be compared with 2019 and before.",
    ),
)
MEANINGS = {
    "hcp_phof": "It counts reviews that were offered: how far a service reaches, not how children do.",
}


def polarity(*names: str) -> Polarity:
    """Which way is good, by the indicator's id or category; the last name that is known speaks."""
    for name in reversed(names):
        plain = name.strip().casefold()
        if plain in _HIGHER:
            return Polarity.HIGHER
        if plain in _LOWER:
            return Polarity.LOWER
    return Polarity.NOT_STATED
