"""`heard quotations`: the ledger of quotations, in ids and reasons, without a word of them."""

from __future__ import annotations

from service import wiring
from service.cli.show import say
from service.cli.study import StudyFolder
from service.study.quotations import quotations
from service.usecases.quote import OUTCOMES


def list_quotations(folder: StudyFolder) -> None:
    """Every quotation that was asked for, by whom, for whom, and what a release officer decided. No words are printed.

    Example: heard quotations studies/harrogate
    """
    study = wiring.study_in(folder)
    held = quotations(study.db)
    for one in held:
        decided = f" by {one.decided_by}, {one.decided_at[:10]}: {one.why}" if one.outcome else ""
        kind = ", paraphrased" if one.asked.paraphrase else ""
        say(
            f"{one.seq}: {one.asked.segment}, code {one.asked.code}, for {one.asked.audience}{kind},"
            f" asked by {one.by}, {one.at[:10]}. {OUTCOMES[one.outcome]}{decided}"
        )
    if not held:
        say("No quotation was asked for.")
