"""`heard findings`: how many express each theme, at a terminal."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from nlp.findings.prevalence import Estimate
from service import wiring
from service.cli.show import give, output, say
from service.cli.study import Json, StudyFolder
from service.usecases.prevalence import Heard, Shares, shares


def findings(folder: StudyFolder, as_json: Json = False) -> None:
    """How many people, or texts, express each theme, with intervals; and what cannot be said, with the reason.

    Example: heard findings studies/harrogate
    """
    told = shares(wiring.study_in(folder))
    if as_json:
        give(_plain(told), as_json=True, words="")
        return
    if told.refusal:
        say(told.refusal)
    if told.reading is None:
        return
    table = Table("theme", f"share of {told.reading.unit}", "95% interval", "to halve it")
    for heard in told.themes:
        table.add_row(heard.share.code.label, *_cells(heard))
    output.print(table)
    say(
        f"{told.reading.read} read blind and whole, of {told.reading.drawn} drawn and {told.reading.loaded} loaded"
        f" ({told.reading.round}). Shares are of those loaded."
    )


def _cells(heard: Heard) -> tuple[str, str, str]:
    e = heard.share.estimate
    if e is None:
        return "", heard.share.refusal, ""
    more = "" if e.to_halve is None else f"{e.to_halve:,} more"
    return f"{e.share:.0%}", f"{e.low:.0%} to {e.high:.0%}", more


def _plain(told: Shares) -> dict[str, Any]:
    """Never the counts that shares were worked out from."""
    reading = told.reading
    return {
        "refusal": told.refusal,
        "read": reading.read if reading else 0,
        "loaded": reading.loaded if reading else 0,
        "themes": [
            {
                "code": h.share.code.id,
                "label": h.share.code.label,
                "refusal": h.share.refusal,
                "outdated": h.share.outdated,
                "figures": [_figure(e) for e in (h.share.estimate, h.like_these, h.texts) if e is not None],
            }
            for h in told.themes
        ],
    }


def _figure(e: Estimate) -> dict[str, Any]:
    return {
        "of": e.truth, "share": e.share, "low": e.low, "high": e.high, "method": e.method, "assumes": list(e.assumptions),
        "reads_to_halve": e.to_halve,
    }  # fmt: skip
