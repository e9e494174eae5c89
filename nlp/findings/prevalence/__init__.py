"""How many express a theme, corrected for what the machine missed and wrongly suggested.

Everything rests on blind reads of a random draw with logged probabilities (`docs/decisions.md` 1). A share always names
the truth that it is a share of (`Truth`), its method and assumptions, and the reads that would halve its interval.
"""

from nlp.findings.prevalence.estimate import DEFAULT, Estimate, Method, Plan, estimate
from nlp.findings.prevalence.groups import Difference, by_group, compare, equal_reads
from nlp.findings.prevalence.pooling import Area, Pooled, pooled
from nlp.findings.prevalence.rake import Raked, rake
from nlp.findings.prevalence.raw import Raw, raw
from nlp.findings.prevalence.sample import Sample, Truth, Unit
from nlp.findings.prevalence.shown import Blind, Shown, with_shown
from nlp.findings.prevalence.texts import TextsOfPeople, texts_from_people

__all__ = [
    "DEFAULT", "Area", "Blind", "Difference", "Estimate", "Method", "Plan", "Pooled", "Raked", "Raw", "Sample", "Shown",
    "TextsOfPeople", "Truth", "Unit", "by_group", "compare", "equal_reads", "estimate", "pooled", "rake", "raw",
    "texts_from_people", "with_shown",
]  # fmt: skip
