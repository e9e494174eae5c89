"""Agreement, for leads: between coders, with the machine, and one coder's use of a code over time."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from nlp.findings.agreement.coefficients import Coefficient
from nlp.findings.agreement.drift import Drift
from nlp.findings.agreement.readings import Disagreement
from service.access.people import Person
from service.deps import ALead, AStudy
from service.study.study import Study
from service.usecases import agreement as use
from service.usecases.agreement import RoundAgreement
from service.usecases.kept import kept
from service.web import charts
from service.web.views import percent, render, templates

router = APIRouter(include_in_schema=False)

TALK_SHOWN = 40


def coefficient(found: Coefficient) -> str:
    """A value with its interval in words; why, where it is not defined."""
    value = f"{found.value:.2f}".replace("-", "−")
    if found.value != found.value:
        return "not defined"
    if found.why:
        return f"{value} (no interval)"
    return f"{value} ({found.low:.2f} to {found.high:.2f})".replace("-", "−")


def share(found: Coefficient) -> str:
    """A percent agreement with its interval."""
    if found.value != found.value:
        return "not defined"
    return percent(found.value) + (f" ({percent(found.low)} to {percent(found.high)})" if not found.why else "")


@router.get("/studies/{name}/agreement")
def agreement_page(
    request: Request,
    study: AStudy,
    person: ALead,
    round: str = "",
    drift: bool = False,
    coder: str = "",
    code: str = "",
) -> HTMLResponse:
    """How far coders agree, what to talk about, and how far suggestions lead them; `drift` opens one coder's use of codes."""
    compared = use.compared_rounds(study)
    wanted = round if round in compared else next(iter(compared), "")
    hidden = bool(wanted) and use.withheld(study, wanted, person.name)
    found = use.agreement_in(study, wanted) if wanted and not hidden else None
    talk = use.shown_to(study, person.name, found) if found else []
    names, moved, one = _drift(study, coder, code) if drift else ([], (), None)
    return render(
        request, "agreement.html", study=study, compared=compared, wanted=wanted, hidden=hidden, found=found,
        talk=_by_code(talk[:TALK_SHOWN]), words=use.first_words(study, talk[:TALK_SHOWN]),
        left=max(0, len(talk) - TALK_SHOWN), machine=use.anchoring(study), drift=drift, coders=names,
        coder=coder if coder in names else next(iter(names), ""), moved=moved, one=one, labels=_labels(found),
    )  # fmt: skip


def _labels(found: RoundAgreement | None) -> dict[str, str]:
    return {} if found is None else {code.id: code.label for code in found.codes.values()}


def _by_code(talk: Sequence[Disagreement]) -> dict[str, list[Disagreement]]:
    found: dict[str, list[Disagreement]] = {}
    for one in talk:
        found.setdefault(one.code, []).append(one)
    return found


def _drift(study: Study, coder: str, code: str) -> tuple[list[str], tuple[Drift, ...], Drift | None]:
    """Who has read, how the wanted coder's use of codes moved, and the code whose blocks are shown."""
    names = use.coders(study)
    moved = use.drift_of(study, coder if coder in names else names[0]) if names else ()
    return names, moved, next((d for d in moved if d.code == code), next(iter(moved), None))


@router.get("/studies/{name}/agreement/codes.svg")
def codes_chart(study: AStudy, person: ALead, round: str) -> Response:
    """Alpha by code, as a chart."""
    _require_shown(study, round, person)
    found = use.agreement_in(study, round)
    drawn = kept(study, f"chart of {round}", lambda: charts.agreement_svg(found.texts.codes, _labels(found)))
    return _svg(drawn)


@router.get("/studies/{name}/agreement/machine.svg")
def machine_chart(study: AStudy, _: ALead) -> Response:
    """Agreement with the machine when blind and when shown, as a chart."""
    found = use.anchoring(study)
    if found.shifts is None:
        raise HTTPException(404)
    shifts, labels = found.shifts.codes, {code.id: code.label for code in found.codes.values()}
    return _svg(kept(study, "chart of the machine", lambda: charts.anchoring_svg(shifts, labels)))


@router.get("/studies/{name}/agreement/drift.svg")
def drift_chart(study: AStudy, _: ALead, coder: str, code: str) -> Response:
    """One coder's use of one code over time, as a chart."""
    known = coder in use.coders(study)
    found = next((d for d in use.drift_of(study, coder) if d.code == code), None) if known else None
    if found is None:
        raise HTTPException(404)
    return _svg(charts.drift_svg(found))


def _require_shown(study: Study, round_id: str, person: Person) -> None:
    if use.withheld(study, round_id, person.name):
        raise HTTPException(404)


def _svg(drawn: str) -> Response:
    return Response(drawn, media_type="image/svg+xml")


templates.env.filters.update(coefficient=coefficient, agreed_share=share)
