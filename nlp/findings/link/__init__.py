"""Voices beside indicators: reasoned ties, what each level of tie carries, and how the two figures stand to each other."""

from nlp.findings.link.areas import AreaPair, Association, associate
from nlp.findings.link.fit import SILENT, TOO_WIDE, Fit, JointRow, joint_row
from nlp.findings.link.groups import Comparison, Family, GroupDifference, differences
from nlp.findings.link.levels import RULES, Level, Refusal, Rule, too_strong
from nlp.findings.link.model import Model, People, Term, regress
from nlp.findings.link.ties import Expectation, Link, check_links, fingerprint, read_links

__all__ = [
    "RULES", "SILENT", "TOO_WIDE", "AreaPair", "Association", "Comparison", "Expectation", "Family", "Fit",
    "GroupDifference", "JointRow", "Level", "Link", "Model", "People", "Refusal", "Rule", "Term", "associate", "check_links",
    "differences", "fingerprint", "joint_row", "read_links", "regress", "too_strong",
]  # fmt: skip
