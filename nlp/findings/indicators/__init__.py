"""Published indicators as they were published: value, status, quality and source, never a bare number."""

from nlp.findings.indicators.figures import Figure, pick, read_ees
from nlp.findings.indicators.read import read_indicators
from nlp.findings.indicators.values import Area, Loaded, Note, NoteKind, Period, Polarity, Source, Status, Value

__all__ = [
    "Area",
    "Figure",
    "Loaded",
    "Note",
    "NoteKind",
    "Period",
    "Polarity",
    "Source",
    "Status",
    "Value",
    "pick",
    "read_ees",
    "read_indicators",
]
