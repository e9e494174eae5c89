"""The activity of a study: who did what, and when."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from service.access.permissions import Action, may
from service.deps import AStudy, AVoiceReader
from service.study.activity import Act
from service.usecases.activity import activity
from service.web.views import render, templates
from service.web.voices import PageNumber

router = APIRouter(include_in_schema=False)

ACT_KINDS = {
    "texts": "Texts and their protection", "suggestions": "Suggestions and candidate themes", "rounds": "Rounds and adjudication",
    "reading": "Reading", "talk": "Memos and flags", "codebook": "Codebook", "findings": "Findings and exports",
    "other": "Anything else",
}  # fmt: skip
ACT_WORDS = {
    "intake": "took in an export", "correct": "corrected records that were here",
    "deidentify": "had texts de-identified", "fix": "mended the de-identification of a voice",
    "accept risk": "accepted the risk and opened the study for coding", "take back check": "took back a check",
    "suggest": "had codes suggested", "discover": "looked for candidate themes", "draw round": "drew a round",
    "read": "read, last at this time", "link": "set themes beside published figures", "share lessons": "shared lessons",
    "borrow lessons": "borrowed lessons", "write memo": "wrote a memo", "change memo": "changed a memo",
    "delete memo": "deleted a memo", "flag discuss": "flagged a segment to talk about",
    "end flag discuss": "ended a flag to talk about", "flag disclosure": "flagged a possible disclosure",
    "end flag disclosure": "ended the flag of a possible disclosure", "release pack": "made a pack of the findings",
    "load pack": "loaded another council’s pack", "release database": "made a database of the findings",
    "set passport": "set the dataset passport", "set safeguarding protocol": "wrote the safeguarding protocol down",
    "refuse intake": "was refused an intake, by the passport", "refuse output": "was refused an export, by the passport",
}  # fmt: skip


@router.get("/studies/{name}/activity")
def activity_page(
    request: Request, study: AStudy, person: AVoiceReader, kind: str = "", by: str = "", page: PageNumber = 1
) -> HTMLResponse:
    """Who did what, newest first."""
    safeguards, leads = may(person.role, Action.SAFEGUARD), may(person.role, Action.LEAD)
    found = activity(study, person.name, safeguards=safeguards, leads=leads, kind=kind, actor=by, page=page)
    asked = urlencode({k: v for k, v in (("kind", kind), ("by", by)) if v})
    return render(
        request, "activity.html", study=study, found=found, kind=kind, by=by, asked=asked, leads=leads,
        days=_by_day(found.acts),
    )  # fmt: skip


def _by_day(acts: tuple[Act, ...]) -> dict[str, list[Act]]:
    days: dict[str, list[Act]] = {}
    for act in acts:
        days.setdefault(act.at[:10], []).append(act)
    return days


templates.env.globals.update(act_kinds=ACT_KINDS, act_words=ACT_WORDS)
