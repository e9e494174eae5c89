"""Studies with a known truth, drawn and read many times over: do 95% intervals keep their word?

`heard bench prevalence` prints it. Texts lie in persons of one to eight; a theme and a machine's errors both hang together
within a person; sensitivity and specificity are known. Every method reads as many units, and its interval is scored against
the truth that it names; its width stands beside that of a blind uniform draw of as many units (Wilson, with the
finite-population correction). All runs of a cell are worked out together; the tests hold them to `estimate`, run by run.
"""

from nlp.findings.prevalence.trial.cells import Cell, Kind, cells
from nlp.findings.prevalence.trial.marks import Line, Mark, Row, Wanted, by_share, table, under_floor, wanted
from nlp.findings.prevalence.trial.run import mark_cell, real_code

__all__ = [
    "Cell", "Kind", "Line", "Mark", "Row", "Wanted", "by_share", "cells", "mark_cell", "real_code", "table", "under_floor",
    "wanted",
]  # fmt: skip
