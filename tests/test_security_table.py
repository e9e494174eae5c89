"""docs/security.md is true to itself: each point of the standard stands in it once, and each test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/security.md").read_text()
POINTS = (ROOT / "tests/asvs_5_level_2.txt").read_text().split()


def rows() -> list[list[str]]:
    """The cells of each row that answers points."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| V")
    ]


def test_each_point_of_levels_1_and_2_is_answered_once() -> None:
    answered = [point for cells in rows() for point in cells[0].split()]
    assert sorted(answered) == sorted(POINTS)


def test_each_answer_is_one_of_four_and_says_how_or_why() -> None:
    for cells in rows():
        assert cells[1] in ("met", "host", "no", "–"), cells
        assert cells[2], cells


def test_what_is_met_names_a_test_or_a_page_that_exists() -> None:
    for cells in rows():
        if cells[1] == "met":
            assert cells[3] or " above" in cells[2] or "](" in cells[2] or cells[0] in NO_TEST, cells


NO_TEST = {
    "V4.2.1",
    "V6.4.2",
    "V13.4.1",
    "V15.2.3",
    "V15.3.6",
}  # what is not there cannot be tried; or the server's own


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`(tests/[^`]+)`", PAGE))))
def test_each_test_that_is_named_exists(named: str) -> None:
    path, _, function = named.partition("::")
    assert (ROOT / path).is_file()
    assert not function or re.search(rf"^def {function}\(", (ROOT / path).read_text(), re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(((?!http)[^)]+)\)", PAGE))))
def test_each_page_that_is_linked_exists(link: str) -> None:
    assert (ROOT / "docs" / link).is_file()
