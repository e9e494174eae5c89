"""Charts as SVG, drawn on the server; each stands beside a table that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert as vlc

from nlp.findings.agreement.coefficients import CodeAgreement, Shift
from nlp.findings.agreement.drift import Drift
from nlp.findings.link import Expectation, JointRow
from nlp.themes.saturation import STEP, Band
from service.usecases.joint import GapMap
from service.usecases.packs_compare import Row
from service.usecases.prevalence import Shares

_INK, _BLUE, _AMBER = "#1d2433", "#1f5f8b", "#a4510a"
_FONT = "Liberation Sans, Arial, sans-serif"
_EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1" role="presentation"/>'
_NAMES = alt.Axis(labelLimit=330, labelFontSize=13, ticks=False, domain=False)
_ABOVE = alt.Legend(orient="top", labelFontSize=13)
ALPHA_TITLE = "Alpha (95% interval)"


def themes_svg(shares: Shares) -> str:
    """Dots with 95% intervals for the themes whose share may be shown, most often heard first."""
    rows = [
        {"theme": label, "share": estimate.share, "low": estimate.low, "high": estimate.high}
        for label, estimate in shares.ranked
    ]
    unit = shares.reading.unit if shares.reading else "people"
    return _intervals(rows, f"Share of {unit} (95% interval)", _BLUE)


def joint_svg(row: JointRow) -> str:
    """The indicator and what was heard, on one scale, each with its interval; published without its base, it has none."""
    if row.figure.percent is None or row.estimate is None:
        return _intervals([], "", _BLUE)
    figure, heard = row.figure, row.estimate
    share = (
        figure.count / figure.denominator
        if figure.count is not None and figure.denominator
        else row.figure.percent / 100
    )
    low, high = (share if bound is None else bound for bound in (row.indicator_low, row.indicator_high))
    rows = [{"theme": f"Published: {figure.label.lower()}", "share": share, "low": low, "high": high}]
    if row.link.expectation is Expectation.OPPOSITE:
        rows.append({"theme": "Published: not in that group", "share": 1 - share, "low": 1 - high, "high": 1 - low})
    rows.append(
        {"theme": "Heard: people who voice the theme", "share": heard.share, "low": heard.low, "high": heard.high}
    )
    return _intervals(rows, "Share of people (95% interval)", _AMBER)


def gaps_svg(gaps: GapMap) -> str:
    """What people speak of and nothing measures, most often heard first."""
    rows = [
        {"theme": g.share.code.label, "share": e.share, "low": e.low, "high": e.high}
        for g in gaps.unmeasured
        if (e := g.share.estimate) is not None
    ]
    return _intervals(rows, "Share of people (95% interval)", _AMBER)


def forest_svg(row: Row) -> str:
    """A code over councils: dots with 95% intervals, the mean as a diamond, a further council's range as a dashed line."""
    rows = [_bar(t.council, t.low, t.share, t.high, "council") for t in row.told if not t.held_back]
    if (t := row.together) is not None:
        rows += [
            _bar("Together", t.low, t.share, t.high, "mean"),
            _bar("A further council", t.next_low, None, t.next_high, "next"),
        ]
    if not rows:
        return _EMPTY
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("theme:N", sort=[r["theme"] for r in rows], title=None, axis=_NAMES)
    )
    kinds = ["council", "mean", "next"]
    scale, axis = alt.Scale(domain=[0, 1]), alt.Axis(format="%", labelFontSize=12, titleFontSize=12, tickCount=5)
    colour = alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=[_BLUE, _AMBER, _AMBER]), legend=None)
    dash = alt.StrokeDash("kind:N", scale=alt.Scale(domain=kinds, range=[[1, 0], [1, 0], [6, 4]]), legend=None)
    shape = alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=["circle", "diamond", "circle"]), legend=None)
    x = alt.X("low:Q", scale=scale, axis=axis, title="Share of people (95% interval)")
    bars = base.mark_rule(strokeWidth=3).encode(x=x, x2="high:Q", color=colour, strokeDash=dash)
    dots = base.mark_point(filled=True, size=110, opacity=1).encode(
        x=alt.X("share:Q", scale=scale), color=colour, shape=shape
    )
    return _drawn((bars + dots).properties(width=430, height=alt.Step(28)))


def _bar(name: str, low: float, share: float | None, high: float, kind: str) -> dict[str, Any]:
    return {"theme": name, "low": low, "share": share, "high": high, "kind": kind}


def saturation_svg(band: Band, read: int) -> str:
    """New codes in each ten voices as they were read, over the middle 95% of what shuffled orders bring."""
    rows = [
        {"voices": min(STEP * (i + 1), read), "new": new, "low": low, "high": high}
        for i, (new, low, high) in enumerate(zip(band.new, band.low, band.high, strict=True))
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=alt.X("voices:Q", title="Voices read"))
    chance = base.mark_area(color=_BLUE, opacity=0.18).encode(
        y=alt.Y("low:Q", title="New codes in ten voices"), y2="high:Q"
    )
    line = base.mark_line(color=_BLUE, point=alt.OverlayMarkDef(color=_BLUE, size=36)).encode(y="new:Q")
    return _drawn((chance + line).properties(width=560, height=200))


def agreement_svg(codes: Sequence[CodeAgreement], labels: Mapping[str, str]) -> str:
    """Alpha of each code with its interval; codes for which it is not defined are left out."""
    shown = [(labels[c.code], c.coefficients.alpha) for c in codes if not c.coefficients.alpha.why]
    rows = [{"theme": label, "share": a.value, "low": a.low, "high": a.high} for label, a in shown]
    return _intervals(rows, ALPHA_TITLE, _BLUE, lowest=min([0.0, *(a.low for _, a in shown)]), format=".1f")


def anchoring_svg(shifts: Sequence[Shift], labels: Mapping[str, str]) -> str:
    """Agreement with the machine by code: a circle where readers were blind, a diamond where suggestions were shown."""
    rows: list[dict[str, Any]] = [
        {"code": labels[s.code], "how": how, "value": a.value, "low": a.low, "high": a.high}
        for s in shifts
        for how, a in (("Blind", s.blind.coefficients.alpha), ("Shown", s.shown.coefficients.alpha))
        if not a.why
    ]
    if not rows:
        return _EMPTY
    how = ["Blind", "Shown"]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("code:N", sort=[labels[s.code] for s in shifts], title=None, axis=_NAMES),
        yOffset=alt.YOffset("how:N", scale=alt.Scale(domain=how)),
        color=alt.Color("how:N", scale=alt.Scale(domain=how, range=[_BLUE, _AMBER]), title=None, legend=_ABOVE),
    )
    scale = alt.Scale(domain=[min(0.0, *(row["low"] for row in rows)), 1])
    x = alt.X("low:Q", scale=scale, axis=alt.Axis(format=".1f", tickCount=5), title=ALPHA_TITLE)
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(
        x=alt.X("value:Q", scale=scale),
        shape=alt.Shape("how:N", scale=alt.Scale(domain=how, range=["circle", "diamond"]), title=None, legend=_ABOVE),
    )
    lines = base.mark_rule(strokeWidth=3, opacity=0.5).encode(x=x, x2="high:Q")
    return _drawn((lines + dots).properties(width=430, height=alt.Step(16)))


def drift_svg(found: Drift) -> str:
    """The share of readings that a coder gave the code, block by block with intervals, and dashed what was expected."""
    rows = [
        {"at": b.last, "share": b.share, "low": b.low, "high": b.high, "expected": b.expected} for b in found.blocks
    ]
    scale = alt.Scale(domain=[0, 1])
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=alt.X("at:Q", title="Readings, in the order they were made"))
    share = alt.Y("share:Q", scale=scale, axis=alt.Axis(format="%"), title="Share given the code")
    bars = base.mark_rule(strokeWidth=4, color=_BLUE, opacity=0.4).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    line = base.mark_line(color=_BLUE, point=alt.OverlayMarkDef(color=_BLUE, size=60)).encode(y=share)
    dashed = base.mark_line(color=_AMBER, strokeDash=[6, 4]).encode(y=alt.Y("expected:Q", scale=scale))
    return _drawn((bars + dashed + line).properties(width=520, height=220))


def _intervals(rows: list[dict[str, Any]], title: str, colour: str, *, lowest: float = 0.0, format: str = "%") -> str:
    if not rows:
        return _EMPTY
    order = [row["theme"] for row in rows]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y(
            "theme:N",
            sort=order,
            title=None,
            axis=_NAMES,
        )
    )
    scale = alt.Scale(domain=[lowest, 1])
    axis = alt.Axis(format=format, labelFontSize=12, titleFontSize=12, tickCount=5)
    bars = base.mark_rule(strokeWidth=4, color=colour, opacity=0.45).encode(
        x=alt.X("low:Q", scale=scale, axis=axis, title=title), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=90, color=colour, opacity=1).encode(x=alt.X("share:Q", scale=scale))
    return _drawn((bars + dots).properties(width=430, height=alt.Step(26)))


def _drawn(chart: alt.LayerChart) -> str:
    chart = chart.configure_view(stroke=None).configure(font=_FONT, background="#ffffff")
    chart = chart.configure_axis(labelColor=_INK, titleColor=_INK, gridColor="#dde1e8")
    return str(vlc.vegalite_to_svg(chart.to_dict()))
