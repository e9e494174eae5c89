"""Recognisers: what each must find, to the letter, and what looks like it and must be left.

In every example «…» marks the span; an example without marks holds nothing for that recogniser.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.gb import nhs

from nlp.deid.patterns import RECOGNISERS, PatternDetector
from nlp.deid.patterns.recogniser import CERTAIN, FAIR, LIKELY, WEAK, Recogniser, look_at
from nlp.types import Detection, Label

DETECTORS = {r.name: PatternDetector([r]) for r in RECOGNISERS}

EXAMPLES: dict[str, tuple[str, ...]] = {
    "email": (
        "mail «jo.bloggs+x@example.co.uk» now",
        "it is «JO@EXAMPLE.COM».",
        "spaced out: «jo @ example.com»",
        "ask «o'brien@nhs.net»",
        "'«jo@nhs.net»' she said",
        "(«kate_1@school.sch.uk»)",
        "«me@münchen.de»",
        "a@b",
        "meet @ half past five",
        "hi@home. Bye",
    ),
    "url": (
        "see «https://example.org/a?b=1», then",
        "see «https://example.org/a».",
        "«HTTP://A.B/C»",
        "(«www.hub.org»)",
        "«www.gov.uk/help»!",
        "on «childline.org.uk» now",
        "go to «bbc.co.uk/news/1»: it says",
        "«school.sch.uk» and «trust.nhs.uk» and «town.gov.uk» and «x-y.ac.uk»",
        "«facebook.com/groups/hub» is good",
        "e.g. this one",
        "ok.So then",
        "jo@nhs.net",
        "file.txt",
        "it was 12.30 or so",
    ),
    "handle": (
        "follow «@jay_99» on it",
        "it's «@kid.99»!",
        "says «@abc».",
        "«@12th_man»",
        "met @ 5pm",
        "met @5pm or @10.30",
        "jo@example.com",
        "@x",
        "a lone @ sign",
    ),
    "handle with cue": (
        "snap: «jay99x»",
        "insta is «lil.jay»",
        "his snapchat name is «j_dog1» lol",
        "Roblox username: «cool_kid22».",
        "xbox - «ace.01»",
        "psn = «kk_9»",
        "insta is down.",
        "on snap he is sad",
        "facebook: yes",
        "facebook is full of it",
        "tiktok is rubbish. ok",
    ),
    "spoken email": ("it's «kaz99 at gmail dot com» ok", "«jo_b (at) outlook.com»", "we met at home"),
    "ip address": ("from «192.0.2.17» at night", "version 1.2.3", "192.0.2.17.4"),
    "handle before an app": (
        "im «xx_kyrah09» on snap",
        "add «jay.99» on insta",
        "im happy on snap",
        "i'm well-known on tiktok",
    ),
    "handle in words": ("add me on snap «foxyjess»", "my roblox name is «blockking» lol", "my snap broke"),
    "phone from abroad": ("ring «+48 600 100 200» first", "«0040 721 234 567»", "+44 7700 900123", "it's +5 here"),
    "spoken phone": (
        "its «oh seven seven double oh nine hundred one two three» ok",
        "«07700 nine hundred one two three»",
        "oh one two three",
        "zero to hero",
    ),
    "uln": ("learner «1000000000» ok", "1000000001 is none"),
    "vehicle plate with cue": ("reg is «ab12 cde»", "number plate «K123 ABC»", "the reg office", "reg is lost"),
    "bank account": ("account no «12345678» at", "on account of 12 reasons"),
    "postcode district after postcode": ("postcode is «ol4»", "post code: «BD5 7»", "the postcode lottery"),
    "day and month in figures": (
        "met on «3/4» we",
        "review «12/11»",
        "scored 10/10",
        "1/2 a pizza",
        "on 24/7 care",
        "open till 5.30",
    ),
    "date in words": ("on the «third of march» we", "«May the fourth»", "the third of many"),
    "birthday": (
        "his «7th» birthday party",
        "for my «18th» and cried",
        "my 3rd placement",
        "his 15th school",
        "the 4th time",
    ),
    "nhs number": (
        "NHS «943 476 5919» ok",
        "«9434765919».",
        "it is «943-476-5919»",
        "it is 943 476 5918",
        "it is 9434765910",
        "94347659190",
        "19434765919",
        "943-476-5919-1",
        "12345 67890",
    ),
    "national insurance number": (
        "«AB123456C»",
        "NI «ab 12 34 56 c» she said",
        "NINO «JG 10 37 59 A».",
        "«CE123456D»",
        "BG123456A",
        "GB123456A",
        "KN123456A",
        "NK123456A",
        "NT123456A",
        "TN123456A",
        "ZZ123456A",
        "DA123456C FA123456C IA123456C «QQ123456C» UA123456C VA123456C",
        "AO123456C",
        "AB123456E",
        "AB12345C",
        "AB1234567",
    ),
    "upn": (
        "upn «H801200001001»",
        "«h801200001001».",
        "«A82043211202X»",
        "I801200001001",
        "O801200001001",
        "S801200001001",
        "H80120000100",
        "H8012000010012",
    ),
    "reference": (
        "case ref «12345» was",
        "case number is «4567-89».",
        "ref: «ABC123»",
        "Client ref «HX-2291».",
        "student id: «s1234567»",
        "crime no «44230012345»",
        "reference «AB/1234/56»",
        "referral no. «90/1234»",
        "EHM «1234567»",
        "NHS no «943 476 5918»",
        "NHS number: «943-476-5918».",
        "my case was closed 2 times",
        "the case is 12 months old",
        "child 3",
        "file 2",
        "pupil 22 in class",
        "child aged 2years",
        "prefer 12345",
        "the reference was kind",
    ),
    "reference shape": (
        "«EH12345»",
        "see «AB-123456»",
        "«ABC/20231»",
        "«123456/A» and «1234567-AB»",
        "eh12345",
        "A1234",
        "M60",
        "PS5",
        "COVID19",
    ),
    "vehicle plate": ("«AB12 CDE»", "a red «YK23XYZ».", "ab12 cde", "«A12 CDE»", "AB12 CD"),
    "phone": (
        "ring «07700 900123» please",
        "«07700900123».",
        "«07700-900-123»",
        "«0161.496.0000»",
        "«020 7946 0958»",
        "«0161 496 0000»",
        "«(0161) 496 0000»",
        "«(01632) 960001»",
        "«+44 7700 900123»",
        "«+447700900123»",
        "«+44 (0)161 496 0000»",
        "«+44(0)7700 900123»",
        "«0044 7700 900 123»",
        "«00447700900123»",
        "a\n«01632 960 001»\nb",
        "12345678901",
        "000 000 0000",
        "0 0 0 0",
        "0123",
        "077009001234",
        "from 2019 to 2021",
    ),
    "phone with cue": (
        "ring «960001»",
        "call me on «960 001».",
        "tel: «960-001»",
        "text «85258»",
        "ext «44321»",
        "ring her «01632 960001»",
        "my number: «123456»",
        "call 999",
        "call 111 or 101",
        "call me at 10",
        "number 12",
        "call in 2024",
    ),
    "postcode": (
        "live at «OL1 1AA» now",
        "«ol11aa»",
        "«M1 1AE».",
        "«SW1A 1AA»",
        "«EC1A1BB»",
        "«GIR 0AA»",
        "«YO7 1JG», «PO1 3AX»",
        "OL1 1CI",
        "OL1 1KM",
        "A1 2",
        "AB12 CDE",
        "ABC1 1AA",
        "year 1 2nd term",
    ),
    "postcode district": (
        "we live in «OL8» now",
        "from «M60»",
        "postcode is «YO11»",
        "area «SW1A»",
        "round «BD3» way",
        "we live in ol8",
        "M60 is far",
        "he is in KS2",
        "she is in Y7 now",
        "placed in S20",
    ),
    "street address": (
        "at «14 Acacia Avenue» still",
        "at «flat 2, 14a High Street»",
        "«12 Larch Rd.»",
        "«9 St Mary's Road»",
        "«10, Downing Street»",
        "a 20 minute walk",
        "10 minutes walk",
        "3 hours drive",
        "2 mile walk",
        "2 years close",
        "5 times a row",
        "8 people in the street",
        "3 kids in the court",
        "16 and a view",
        "one row",
    ),
    "street": (
        "down «Mill Lane»",
        "off «Queens Road Estate»",
        "on «Long Street» today",
        "«St Helens Close»",
        "down mill lane",
        "Close",
        "The Court said no",
        "In Family Court",
    ),
    "school or setting": (
        "goes to «St Anne's Primary School»",
        "at «Oakwood Academy».",
        "«Green Lane Nursery» rang",
        "«Our Lady of Lourdes RC Primary»",
        "«Holy Trinity CofE Primary»",
        "at «Royal Oldham Hospital»",
        "«Little Acorns Pre-school»",
        "«Rochdale Family Hub» is nice",
        "«Kingsway Park High School»",
        "she likes the school",
        "School is fine",
        "Family Hub",
        "The Family Hub was shut",
    ),
    "saint's school": (
        "at «st mary's» now",
        "«St. Anne's»",
        "«st johns»",
        "St Mary",
        "«st mary's church»",
        "st marys road",
        "lost keys",
        "first class",
    ),
    "date of birth": (
        "dob «01/02/2010»",
        "DOB: «01 02 2010»",
        "d.o.b. «1.2.10»",
        "date of birth is «3-4-05»",
        "born on «1/2/2010»",
        "DOB      «01022010»",
        "born 12 years ago",
        "born in summer",
        "dob not known",
    ),
    "numeric date": (
        "on «01/02/2023».",
        "on «1/2/23», at",
        "on «1.2.2023»",
        "on «01-02-2023»",
        "on «2023-02-01»",
        "on «31/12/99»",
        "32/01/2023",
        "1/13/2023",
        "version 1.2.3",
        "50/50",
        "open 24/7",
        "in 2023-24",
        "at 1.2 miles",
    ),
    "written date": (
        "on «3rd March» we",
        "«3 March 2023»",
        "the «3rd of March, 2023»",
        "«March 3rd»",
        "«Mar 3»",
        "«March the 3rd»",
        "since «March 2023»",
        "«14th Feb '21»",
        "«1st jan 21»",
        "«Sept 2021»",
        "«25 DEC»",
        "in March",
        "december",
        "on Monday",
        "next Tuesday and every Friday",
        "may 20%",
        "may 10 people come",
        "I may go",
        "the 2nd",
    ),
    "age": (
        "aged «7»",
        "Age «14» now",
        "aged «seven» and",
        "turned «16» last week",
        "turning «18»",
        "aged «7.5»",
        "aged «4½»",
        "aged «2 and a half»",
        "at the age of «12»",
        "just gone «5»",
        "turned «twenty-one»",
        "turned «forty-two»",
        "nearly 10 minutes",
        "almost 3 hours",
        "turned 10 minutes late",
        "just gone 5 o'clock",
        "nearly 5pm",
        "nearly 50%",
        "nearly ninety per cent",
        "nearly 20 people",
        "nearly 2 years ago",
        "almost 30 miles",
        "almost 6 months ago",
        "nearly 3 to 4 weeks",
        "aged 120",
    ),
    "age with unit": (
        "a «7 years old» boy",
        "«7yrs old»",
        "«7 yr old»",
        "is «7yo»",
        "«7 y/o»",
        "a «seven-year-old»",
        "two «7-year-olds»",
        "at «18 months old»",
        "«6 wks old»",
        "«2 1/2 years old»",
        "«2 and a half years old»",
        "«ten weeks old»",
        "«thirty-two years old»",
        "«forty years old»",
        "10 minutes",
        "waited 7 years",
        "12 weeks",
        "117 years old",
        "yo mate",
    ),
    "age of a relative": (
        "Mum «19». Says she did not know",
        "girl «7» and her nan",
        "my eldest is «14», works weekends",
        "brother's «9» now",
        "baby, «3», cries",
        "lad of 19",
        "mum 19 weeks pregnant",
        "dad 6 days a week",
    ),
    "age alone": (
        "«9 weeks». Turns to mum",
        "phrases: «31 months».",
        "now «7 months», corrected",
        "At «11 months»! Three words",
        "waited 11 months",
        "for 5 weeks and",
    ),
    "age at some time": (
        "walked at «two»",
        "I left at «16» and never",
        "not till «five», the nurse said",
        "at 4 o'clock",
        "at 7 in the morning",
        "since 2 weeks",
    ),
    "house number": (
        "nikked from outside number «40» and",
        "lives at no. «7b» now",
        "number 40 on the list",
        "at number 3 on the",
    ),
    "day of the month": (
        "on the «8th» its",
        "was the «30th» outside",
        "«weds 5th» at ten",
        "on «Tuesday the 14th»",
        "the 3rd time",
        "the 21st century",
        "on the 2nd floor",
        "on Tuesday",
    ),
    "handle with a low line": (
        "yeah and «itz_marley.x» put me in",
        "its «lil_kyrah_09»",
        "a_",
        "__init__",
        "_ _ _",
        "well-being",
    ),
    "years and months": (
        "he is «2y 4m»",
        "now «3 yrs 2 mths» old",
        "«1 year and 6 months» old",
        "12 months",
        "2 years ago",
    ),
    "age in months": (
        "now «18 mths»",
        "aged «3/12»",
        "only 6 months ago",
        "waited for 6 months",
        "is 5 months pregnant",
        "14 months",
    ),
    "age of someone": (
        "I'm «16».",
        "I'm «15»!",
        "im «14» and sad",
        "he's «7»",
        "she is «seven».",
        "I was «12» when it began",
        "my son is «4» and shy",
        "I'm nearly «18» now",
        "who's «8»)",
        "I am «seventy-one», my knees are shot",
        "he is 10 minutes late",
        "I'm 5 minutes away",
        "I'm 50% sure",
        "he was 10 stone",
        "I am 2 weeks in",
        "he is 6ft",
        "I'm one of three",
        "it is 5.",
        "I'm 100",
    ),
    "age in brackets": (
        "Sam («7») came",
        "Sam («7 yrs»)",
        "Ali («18m»)",
        "(7)",
        "Sam(7)",
        "item (100)",
        "Sam (no age given)",
    ),
}


def unmarked(example: str) -> str:
    return example.replace("«", "").replace("»", "")


def marked(text: str, found: list[Detection]) -> str:
    for d in sorted(found, key=lambda d: d.start, reverse=True):
        text = f"{text[: d.start]}«{text[d.start : d.end]}»{text[d.end :]}"
    return text


@pytest.mark.parametrize(
    ("name", "example"),
    [pytest.param(name, e, id=f"{name}: {e!r}") for name, examples in EXAMPLES.items() for e in examples],
)
def test_a_recogniser_finds_exactly_what_is_marked(name: str, example: str) -> None:
    text = unmarked(example)
    assert marked(text, DETECTORS[name].detect([text])[0]) == example


def test_every_recogniser_has_texts_to_find_and_texts_to_leave() -> None:
    assert set(EXAMPLES) == {r.name for r in RECOGNISERS}
    assert [n for n, e in EXAMPLES.items() if all("«" in x for x in e) or not any("«" in x for x in e)] == []


@pytest.mark.parametrize("name", [r.name for r in RECOGNISERS])
def test_a_detection_says_which_recogniser_made_it_and_why(name: str) -> None:
    text = unmarked(next(e for e in EXAMPLES[name] if "«" in e))
    found = DETECTORS[name].detect([text])[0][0]
    assert found.detector == f"patterns.v2/{name}"
    assert found.why
    assert found.score in (CERTAIN, LIKELY, FAIR, WEAK)
    assert found.masked is (found.score > WEAK)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("wait 10 minutes", Label.AGE),
        ("I am 10 minutes away, he is 20 minutes away", Label.AGE),
        ("see you on Monday, or Tuesday, or next Friday", Label.DATE),
        ("in the summer, at half term, yesterday", Label.DATE),
        ("ring 999 or 111", Label.PHONE),
        ("it is 943 476 5918", Label.ID),
        ("KS2, Y7, S20 and EHCP", Label.LOCATION),
    ],
)
def test_everyday_figures_are_left_by_every_recogniser(text: str, label: Label) -> None:
    assert [d for d in PatternDetector().detect([text])[0] if d.label is label] == []


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("NHS no 943 476 5918, he copied it wrong", Label.ID),
        ("NHS number 943 476 5919", Label.ID),
        ("dob 1/2/10", Label.DATE),
        ("DOB 5 May 2010", Label.DATE),
        ("I'm forty-one.", Label.AGE),
        ("+44 (0) 7700 900123", Label.PHONE),
    ],
)
def test_what_identifies_is_found_by_some_recogniser(text: str, label: Label) -> None:
    assert label in {d.label for d in PatternDetector().detect([text])[0]}


def test_a_upn_with_its_check_letter_is_certain_and_without_it_likely() -> None:
    right, wrong = PatternDetector().detect(["H801200001001", "A801200001001"])
    assert max(d.score for d in right) == CERTAIN
    assert max(d.score for d in wrong) == LIKELY


@given(st.integers(0, 10**9 - 1), st.sampled_from(["", " ", "-"]))
def test_an_nhs_number_is_found_just_when_its_check_digit_holds(nine: int, gap: str) -> None:
    for last in range(10):
        digits = f"{nine:09}{last}"
        text = f"it is {digits[:3]}{gap}{digits[3:6]}{gap}{digits[6:]} I think"
        found = DETECTORS["nhs number"].detect([text])[0]
        assert bool(found) == nhs.is_valid(digits)


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from(sorted(map(unmarked, sum(EXAMPLES.values(), ())))), max_size=5).map(" ".join)
)
def test_every_detection_lies_inside_its_text_and_is_not_empty(text: str) -> None:
    assert all(0 <= d.start < d.end <= len(text) for d in PatternDetector().detect([text])[0])


def test_texts_are_answered_in_order_whatever_stands_beside_them() -> None:
    texts = ["ring 07700 900123", "", "I'm 16.", "nothing"]
    assert PatternDetector().detect(texts) == [PatternDetector().detect([t])[0] for t in texts]


@pytest.mark.parametrize(
    "text",
    [
        "ref" + " " * 50_000,
        "case" + " " * 50_000,
        "ref " + "-" * 50_000,
        "dob" + " " * 50_000,
        "snap is " + "." * 50_000,
        "A-" * 25_000,
        "0 " * 25_000,
        "https://" + "." * 50_000,
    ],
    ids=lambda text: text[:8],
)
def test_fifty_thousand_empty_characters_after_a_cue_are_no_identifier(text: str) -> None:
    assert PatternDetector().detect([text]) == [[]]


@pytest.mark.parametrize("recogniser", RECOGNISERS, ids=lambda r: r.name)
def test_the_quick_look_never_passes_over_a_match(recogniser: Recogniser) -> None:
    texts = [unmarked(example) for examples in EXAMPLES.values() for example in examples]
    passed_over = [t for t in texts if not recogniser.may_stand_in(look_at(t))]
    assert [t for t in passed_over if any(recogniser.read(m) for m in recogniser.shape.finditer(t))] == []
