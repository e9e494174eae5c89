"""What a name becomes: its role, the same within a case, nothing to look up; dates and ages made coarse."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.deid.coarsen import age_band, birth_band, district, month_of, shifted
from nlp.deid.policy import CHOICES, Policy, default_policy, read_policy
from nlp.deid.roles import organisation_kind, role_of
from nlp.deid.surrogates import SURROGATE, Ledger, plan_case
from nlp.errors import PolicyError
from nlp.types import Detection, Label


def spans(text: str) -> tuple[str, list[Detection]]:
    """The text without its «…» and a detection for each: a name, or the label before a colon."""
    found: list[Detection] = []
    plain = ""
    for piece in re.split(r"(«[^»]*»)", text):
        words = piece
        if piece.startswith("«"):
            label, _, words = piece[1:-1].rpartition(":")
            found.append(
                Detection(len(plain), len(plain) + len(words), Label[label or "PERSON"], 0.9, "test.v1", "marked")
            )
        plain += words
    return plain, found


def surrogates(texts: list[str], ledger: Ledger | None = None, policy: Policy | None = None) -> list[list[str]]:
    marked = [spans(text) for text in texts]
    plans = plan_case([t for t, _ in marked], [d for _, d in marked], ledger or Ledger(), policy)
    return [[r.surrogate for r in plan] for plan in plans]


@pytest.mark.parametrize(
    ("text", "surrogate"),
    [
        ("my sister «Kasia» cried", "[Sister 1]"),
        ("her social worker, «Debs», came", "[Social worker 1]"),
        ("SW «Joanne» rang", "[Social worker 1]"),
        ("a brother called «Ali»", "[Brother 1]"),
        ("«Magda», my mum, agreed", "[Mother 1]"),
        ("«Tom» (his foster carer)", "[Foster carer 1]"),
        ("asked «Tom» about mum", "[Person 1]"),
        ("at «ORG:St Mary's Primary»", "[School 1]"),
        ("at «ORG:Little Acorns» nursery", "[Nursery 1]"),
        ("works at «ORG:Hobbs»", "[Organisation 1]"),
        ("in «LOCATION:Thirsk»", "[Place 1]"),
        ("at «LOCATION:14 Mill Lane»", "[Address 1]"),
        ("at «LOCATION:OL4 2QD»", "[Postcode]"),
        ("on «DATE:12th March 2024»", "[March 2024]"),
        ("dob «DATE:3/4/2016»", "[Born 2015 to 2019]"),
        ("he is «AGE:seven»", "[Aged 5 to 10]"),
        ("«AGE:11 weeks» old", "[Aged under 1]"),
    ],
)
def test_a_surrogate_says_what_the_text_says(text: str, surrogate: str) -> None:
    assert surrogates([text]) == [[surrogate]]
    assert SURROGATE.fullmatch(surrogate)


def test_a_role_given_once_holds_for_the_whole_case_in_any_order() -> None:
    texts = ["«kasia» hid. «Kasia Nowak» ran", "my sister «Kasia» and my sister «Ola»", "«kasias» bag"]
    assert surrogates(texts) == [["[Sister 1]", "[Sister 1]"], ["[Sister 1]", "[Sister 2]"], ["[Sister 1]"]]


def test_a_ledger_keeps_surrogates_between_runs_and_holds_no_name() -> None:
    ledger = Ledger(b"study secret", "P1")
    assert surrogates(["«Ben» and «Amina»"], ledger) == [["[Person 1]", "[Person 2]"]]
    assert surrogates(["«Zoe» and «amina»"], ledger) == [["[Person 3]", "[Person 2]"]]
    assert not re.search("ben|amina|zoe", repr(ledger.known).casefold())


def test_the_same_name_in_two_cases_or_under_two_secrets_has_unlike_digests() -> None:
    digests = {
        Ledger(secret, case).digest(Label.PERSON, "amina") for secret in (b"one", b"two") for case in ("P1", "P2")
    }
    assert len(digests) == 4


def test_invented_names_keep_shape_and_are_the_same_within_a_case_only() -> None:
    policy = Policy(names="invented")
    text = ["«Sarah Jones-Ali» told «sarah» and «S.J.»"]
    (one,), (again,), (other,) = (surrogates(text, Ledger(b"s", case), policy) for case in ("P1", "P1", "P2"))
    assert one == again != other
    assert re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+-[A-Z][a-z]+", one[0])
    assert one[1] == one[0].split()[0].lower()
    assert re.fullmatch(r"[A-Z]\.[A-Z]\.", one[2])


def test_numbers_only_and_districts_by_policy() -> None:
    policy = Policy(names="number", postcodes="district", dates="hide", ages="hide", birth_dates="hide")
    text = "my sister «Kasia» «AGE:7» at «LOCATION:ol4 2qd» on «DATE:1 May» dob «DATE:3/4/16»"
    assert surrogates([text], policy=policy) == [["[Person 1]", "[Age]", "[OL4]", "[Date]", "[Date of birth]"]]


def test_shifted_dates_keep_their_distance_within_a_case() -> None:
    found = surrogates(["«DATE:1 March 2024» and «DATE:11 March 2024»"], Ledger(b"s", "P1"), Policy(dates="shift"))
    days = [int(re.findall(r"\d+", words)[0]) for words in found[0]]
    assert (days[1] - days[0]) % 28 in (10, 7, 8, 9, 11, 12, 13) and found[0][0] != found[0][1]


@pytest.mark.parametrize(
    ("words", "month"),
    [("12/3/24", "March 2024"), ("2024-03-12", "March 2024"), ("12th of March", "March"), ("Mar 2024", "March 2024"),
     ("3rd Sept '23", "September 2023"), ("32/1/24", ""), ("12/13/24", ""), ("soon", "")],
)  # fmt: skip
def test_a_date_becomes_its_month(words: str, month: str) -> None:
    assert month_of(words) == month


@pytest.mark.parametrize(
    ("words", "band"),
    [("7", "5 to 10"), ("22 months", "1 to 4"), ("11 weeks", "under 1"), ("17 and a half", "16 to 17"), ("79", "65 or over"),
     ("four year old", "1 to 4"), ("18th", "18 to 24"), ("9m", "under 1"), ("12 days", "under 1"), ("3y1m", "1 to 4"), ("old", "")],
)  # fmt: skip
def test_an_age_becomes_a_band(words: str, band: str) -> None:
    assert age_band(words) == band


def test_birth_years_and_postcodes() -> None:
    assert [birth_band(words) for words in ("03.07.2016", "3 July")] == ["2015 to 2019", ""]
    assert [district(words) for words in ("ol4 2qd", "M1 1AA", "Mill Lane")] == ["OL4", "M1", ""]
    assert [shifted(words, 31) for words in ("1 March 2024", "31/02/2024")] == ["1 April 2024", ""]


@given(st.text(max_size=30))
def test_coarsening_never_fails_and_never_echoes(words: str) -> None:
    for result in (month_of(words), age_band(words), birth_band(words), district(words), shifted(words, 5)):
        assert len(result) <= 20


def test_roles_need_to_stand_beside_the_name() -> None:
    text = "my mum said that the social worker knows Tom"
    assert role_of(text, text.index("Tom"), len(text)) == ""
    assert organisation_kind("the Beeches", 4, 11) == "Organisation"


def test_the_policy_that_ships_is_sound_and_says_every_choice() -> None:
    assert default_policy() == Policy()
    assert set(CHOICES) == set(Policy.__slots__)


@pytest.mark.parametrize(
    ("text", "says"),
    [("names: [", "not YAML"), ("- a", "lines of"), ("colour: red", "no part"), ("names: yes", "must be one of"), ("names: role", "does not say")],
)  # fmt: skip
def test_a_wrong_policy_is_refused_with_what_may_stand_there(text: str, says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        read_policy(text)
