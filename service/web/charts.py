"""Charts as SVG, drawn on the server; each stands beside a table that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import vl_convert as vlc

from nlp.findings.link import Expectation, JointRow
from service.usecases.findings import ThemeShare

_INK, _BLUE, _AMBER = "#1d2433", "#1f5f8b", "#a4510a"
_FONT = "Liberation Sans, Arial, sans-serif"


def themes_svg(shares: Sequence[ThemeShare]) -> str:
    """Dots with 95% intervals for the themes whose share may be shown, most often heard first."""
    shown = [s for s in shares if s.estimate is not None]
    rows = [
        {"theme": s.code.label, "share": s.estimate.share, "low": s.estimate.low, "high": s.estimate.high}
        for s in sorted(shown, key=lambda s: -(s.estimate.share if s.estimate else 0))
        if s.estimate is not None
    ]
    return _intervals(rows, "Share of people (95% interval)", _BLUE)


def joint_svg(row: JointRow) -> str:
    """The indicator and what was heard, on one scale, each with its interval."""
    if row.indicator_low is None or row.indicator_high is None or row.estimate is None:
        return _intervals([], "", _BLUE)
    published = {"low": row.indicator_low, "high": row.indicator_high}
    share = (row.figure.count or 0) / (row.figure.denominator or 1)
    rows = [{"theme": f"Published: {row.figure.label.lower()}", "share": share, **published}]
    if row.link.expectation is Expectation.OPPOSITE:
        swapped = {"low": 1 - published["high"], "high": 1 - published["low"]}
        rows.append({"theme": "Published: not in that group", "share": 1 - share, **swapped})
    heard = row.estimate
    rows.append(
        {"theme": "Heard: people who voice the theme", "share": heard.share, "low": heard.low, "high": heard.high}
    )
    return _intervals(rows, "Share of people (95% interval)", _AMBER)


def _intervals(rows: list[dict[str, Any]], title: str, colour: str) -> str:
    if not rows:
        return '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1" role="presentation"/>'
    order = [row["theme"] for row in rows]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y(
            "theme:N",
            sort=order,
            title=None,
            axis=alt.Axis(labelLimit=330, labelFontSize=13, ticks=False, domain=False),
        )
    )
    scale = alt.Scale(domain=[0, 1])
    axis = alt.Axis(format="%", labelFontSize=12, titleFontSize=12, tickCount=5)
    bars = base.mark_rule(strokeWidth=4, color=colour, opacity=0.45).encode(
        x=alt.X("low:Q", scale=scale, axis=axis, title=title), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=90, color=colour, opacity=1).encode(x=alt.X("share:Q", scale=scale))
    chart = (bars + dots).properties(width=430, height=alt.Step(26)).configure_view(stroke=None)
    chart = chart.configure(font=_FONT, background="#ffffff").configure_axis(
        labelColor=_INK, titleColor=_INK, gridColor="#dde1e8"
    )
    return str(vlc.vegalite_to_svg(chart.to_dict()))
