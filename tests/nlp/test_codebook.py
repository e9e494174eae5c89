"""The codebook file: the shipped ones read; each thing that can be wrong is named, with where and what to do."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from nlp.codebook import read_codebook
from nlp.errors import CodebookError
from nlp.types import CodeStatus

SHIPPED = (
    "hampshire-early-help",
    "information-use",
    "north-yorkshire-care-leavers",
    "oldham-early-language",
    "rochdale-family-hub",
)
GOOD = """\
id: small
title: A small codebook
version: 0.1.0
date: 2026-01-15
provenance: made for a test
families:
  - {id: FAM, label: A family}
codes:
  - id: A1
    label: Feeling safe
    young_label: Safe
    parent: FAM
    status: agreed
    definition: Whether people feel safe
      where they live.
    include: [Locks and doors]
    exclude:
      - {text: Feeling safe at school, see: A2}
    examples: [the door locks, the door does not lock, staff are kind]
    near_misses:
      - {text: school is safe, belongs_to: A2, why: it is school}
    co_produced_by: [A group of six young people]
    date: 2026-01-15
  - id: A2
    label: School
    young_label: School
    status: retired
    definition: How school is going.
    include: [Lessons]
    exclude: []
    examples: [maths is fun, maths is dull, i like maths]
    near_misses: [{text: the school bus}]
    co_produced_by: [A group of six young people]
    date: 2026-01-15
changes:
  - {version: 0.1.0, date: 2026-01-15, note: Begun}
"""


def written(folder: Path, words: str, name: str = "codebook.yaml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(words, "utf-8")
    return file


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_codebook_reads(root: Path, name: str) -> None:
    book = read_codebook(root / "codebooks" / name)
    assert book.id == name
    assert len(book.codes) >= 7
    assert len({code.id for code in book.codes}) == len(book.codes)
    assert re.fullmatch("[0-9a-f]{16}", book.fingerprint)
    assert all(len(code.examples) >= 3 and code.definition and code.young_label for code in book.codes)


def test_no_codebook_is_shipped_that_is_not_tested(root: Path) -> None:
    assert tuple(sorted(p.parent.name for p in root.glob("codebooks/*/codebook.yaml"))) == SHIPPED


@pytest.mark.parametrize("name", [n for n in SHIPPED if n != "information-use"])
def test_each_site_shares_the_codes_on_the_use_of_information(root: Path, name: str) -> None:
    shared = read_codebook(root / "codebooks" / "information-use")
    site = read_codebook(root / "codebooks" / name)
    assert set(shared.codes) < set(site.codes)
    assert set(shared.families) <= set(site.families)


def test_a_codebook_is_read_to_the_letter(tmp_path: Path) -> None:
    book = read_codebook(written(tmp_path, GOOD))
    assert (book.id, book.version, book.date, book.changes[0].note) == ("small", "0.1.0", "2026-01-15", "Begun")
    safe = book.code("A1")
    assert safe.definition == "Whether people feel safe where they live."
    assert safe.status is CodeStatus.AGREED
    assert (safe.exclude[0].text, safe.exclude[0].see) == ("Feeling safe at school", "A2")
    assert (safe.near_misses[0].belongs_to, safe.near_misses[0].why) == ("A2", "it is school")
    assert [code.id for code in book.active_codes] == ["A1"]


def test_a_code_that_is_not_there_is_a_key_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="ZZ"):
        read_codebook(written(tmp_path, GOOD)).code("ZZ")


def test_a_folder_reads_as_its_codebook_file(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD)
    assert read_codebook(tmp_path) == read_codebook(file)


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    plain = read_codebook(written(tmp_path, GOOD))
    assert read_codebook(written(tmp_path, "\ufeff" + GOOD)) == plain


def test_the_fingerprint_follows_what_a_matcher_reads_and_nothing_else(tmp_path: Path) -> None:
    plain = read_codebook(written(tmp_path, GOOD)).fingerprint
    assert read_codebook(written(tmp_path, changed("note: Begun", "note: Begun again"))).fingerprint == plain
    assert read_codebook(written(tmp_path, changed("maths is fun", "maths is grand"))).fingerprint != plain


# What can be wrong: the change to a good file, the code and line it is in, and the words that say so.
WRONG: dict[str, tuple[str, str, str, int | None, str]] = {
    "an id that stands twice": ("  - id: A2", "  - id: A1", "A1", 24, "the id stands twice (first in line 9)"),
    "a field that is missing": ("    label: School\n", "", "A2", 24, "“label” is missing"),
    "a field that is not known": (
        "    label: School\n",
        "    label: School\n    colour: red\n",
        "A2",
        24,
        "“colour” is not a known field",
    ),
    "a status that is not one": (
        "status: retired",
        "status: dropped",
        "A2",
        24,
        "“codes.status” must be one of draft, agreed, retired",
    ),
    "a “see” that names no code": ("see: A2", "see: A9", "A1", 9, "“see” names “A9”, which is no code here"),
    "a “belongs_to” that names no code": ("belongs_to: A2", "belongs_to: A9", "A1", 9, "“belongs_to” names “A9”"),
    "a parent that is no code or family": ("parent: FAM", "parent: FOO", "A1", 9, "“parent” names “FOO”"),
    "a key that stands twice": (
        "    label: School\n",
        "    label: School\n    label: Schools\n",
        "",
        26,
        "the key “label” stands twice in one entry",
    ),
    "too few examples": (
        "[maths is fun, maths is dull, i like maths]",
        "[maths is fun]",
        "A2",
        24,
        "“codes.examples” needs at least 3 entries",
    ),
    "an id with a space": ("  - id: A2", "  - id: A 2", "A 2", 24, "“codes.id” has the wrong form"),
    "a date that is not one": (
        "  date: 2026-01-15\n  - id: A2",
        "  date: last week\n  - id: A2",
        "A1",
        9,
        "“codes.date” has the wrong form",
    ),
    "a list that is words": (
        "include: [Lessons]",
        "include: Lessons",
        "A2",
        24,
        "“codes.include” must be of type array",
    ),
    "words that are too short": (
        "definition: How school is going.",
        "definition: School",
        "A2",
        24,
        "“codes.definition” is too short",
    ),
    "a missing field of the codebook": ("title: A small codebook\n", "", "", 1, "“title” is missing"),
    "an unknown field of an exclusion": ("school, see: A2", "school, sea: A2", "A1", 18, "“sea” is not a known field"),
    "a version that is a number": (
        "version: 0.1.0\ndate",
        "version: 1\ndate",
        "",
        1,
        "“version” must be of type string",
    ),
    "a bracket left open": ("[Lessons]", "[Lessons", "", 30, "not readable as YAML"),
    "a tag that runs code": (
        "title: A small codebook",
        "title: !!python/object:os.system x",
        "",
        2,
        "not readable as YAML",
    ),
    "a number that is none": ("title: A small codebook", "title: !!int abc", "", None, "not readable as YAML"),
    "a key that is a list": ("title: A small codebook", "? [a, b]\n: c", "", None, "not readable as YAML"),
    "an entry inside itself": ("families:", "description: &a [*a]\nfamilies:", "", 6, "not readable as YAML"),
    "a shared codebook that is missing": (
        "families:",
        "shared: [no-such]\nfamilies:",
        "",
        None,
        "the shared codebook “no-such” is not there",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_named_with_file_line_and_code_and_remedy(tmp_path: Path, kind: str) -> None:
    old, new, code, line, problem = WRONG[kind]
    with pytest.raises(CodebookError) as refused:
        read_codebook(written(tmp_path, changed(old, new)))
    error = refused.value
    assert problem in error.problem
    assert (error.code, error.line) == (code, line)
    place = "codebook.yaml" if line is None else f"codebook.yaml, line {line}"
    subject = f"code {code}: " if code else ""
    assert str(error) == f"{place}: {subject}{error.problem}. {error.remedy}"
    assert error.remedy.endswith(".")


@pytest.mark.parametrize(
    ("content", "problem", "remedy"),
    [
        (b"", "the file is empty", "Copy codebooks/information-use/codebook.yaml to begin from."),
        (b" \n\n", "the file is empty", "Copy codebooks"),
        (b"title: caf\xe9", "the file is not UTF-8 text", "Save it as UTF-8"),
        (b"- a\n- b\n", "not a codebook: the top level must be", "Begin with “id:”."),
        (b"just words", "not a codebook", "Begin with “id:”."),
        (b"a: \x07", "not readable as YAML", "Check for control characters"),
        (b"[" * 5000, "not readable as YAML", "."),
    ],
)
def test_a_file_that_is_no_codebook_is_refused(tmp_path: Path, content: bytes, problem: str, remedy: str) -> None:
    file = tmp_path / "codebook.yaml"
    file.write_bytes(content)
    with pytest.raises(CodebookError) as refused:
        read_codebook(file)
    assert problem in str(refused.value)
    assert remedy in refused.value.remedy
    assert refused.value.file == "codebook.yaml"


@pytest.mark.parametrize("name", ["codebook.yaml", "codebook.json", ""])
def test_a_file_that_is_not_there_is_said_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(CodebookError, match="there is no such file"):
        read_codebook(tmp_path / name)


def test_a_code_of_a_shared_codebook_may_be_named(tmp_path: Path) -> None:
    written(tmp_path / "small", GOOD)
    words = GOOD.replace("id: small", "id: site").replace("A1", "B1").replace("A2", "B2").replace("see: B2", "see: A2")
    book = read_codebook(written(tmp_path / "site", "shared: [small]\n" + words))
    assert [code.id for code in book.codes] == ["B1", "B2", "A1", "A2"]


def test_an_id_that_a_shared_codebook_has_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "small", GOOD)
    with pytest.raises(CodebookError, match="line 10: code A1: the id is already used by a shared codebook"):
        read_codebook(written(tmp_path / "site", "shared: [small]\n" + GOOD))


def test_a_codebook_that_shares_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match="sharing “site” leads back to this codebook"):
        read_codebook(written(tmp_path / "site", "shared: [site]\n" + GOOD))


def test_codebooks_that_share_each_other_are_refused(tmp_path: Path) -> None:
    written(tmp_path / "one", "shared: [two]\n" + GOOD)
    with pytest.raises(CodebookError, match="leads back to this codebook"):
        read_codebook(written(tmp_path / "two", "shared: [one]\n" + GOOD.replace("A1", "B1").replace("A2", "B2")))


@given(st.text(max_size=80) | st.text("abc:{}[]-?!&*|>'\"#%@, \n\t01", max_size=80))
@example("? {}\n: 1")
@example("0b_: 1")
@example("<<: 1")
def test_any_words_either_read_or_are_refused_as_a_codebook(tmp_path: Path, words: str) -> None:
    file = tmp_path / "codebook.yaml"
    file.write_bytes(words.encode("utf-8", "replace"))
    with pytest.raises(CodebookError, match=r"codebook\.yaml"):
        read_codebook(file)


def paths(value: object, above: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The way to every value inside."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above, *(p for key, v in inside for p in paths(v, (*above, key)))]


RAW = yaml.load(GOOD, yaml.BaseLoader)  # noqa: S506 - every scalar as text
JUNK = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=2) | st.just({"a": []})


@given(st.sampled_from(paths(RAW)[1:]), JUNK)
def test_a_good_codebook_with_any_one_value_replaced_reads_or_is_refused(
    tmp_path: Path, path: tuple[str | int, ...], junk: object
) -> None:
    raw = json.loads(json.dumps(RAW))
    inner = raw
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = junk
    file = written(tmp_path, yaml.safe_dump(raw, allow_unicode=True))
    assert codes_or_remedy(file)


def codes_or_remedy(file: Path) -> object:
    try:
        return read_codebook(file).codes
    except CodebookError as refused:
        return refused.problem and refused.remedy


# The plain form


def test_the_plain_form_is_a_list_of_codes(tmp_path: Path) -> None:
    entries = [{"code": "a", "name": "Alpha", "definition": "First", "examples": ["x"], "parent": "p"}, {"code": "b"}]
    book = read_codebook(written(tmp_path / "set", json.dumps(entries), "codebook.json"))
    assert (book.id, book.version) == ("set", "0.0.0")
    first, second = book.codes
    assert (first.id, first.label, first.definition, first.examples, first.parent) == (
        "a",
        "Alpha",
        "First",
        ("x",),
        "p",
    )
    assert (second.label, second.definition, second.examples) == ("b", "", ())


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("[{", "not readable as JSON"),
        ("[" * 100_000, "not readable as JSON"),
        ("{}", "expected a list of codes"),
        ("[]", "expected a list of codes"),
        ('["a"]', "entry 1 has no “code”"),
        ('[{"code": "a"}, {"name": "b"}]', "entry 2 has no “code”"),
        ('[{"code": ""}]', "entry 1 has no “code”"),
        ('[{"code": 1}]', "entry 1 has no “code”"),
        ('[{"code": "a"}, {"code": "a"}]', "code a: the code stands twice"),
        ('[{"code": "a", "examples": "one"}]', "code a: “examples” must be a list"),
        ('[{"code": "a", "examples": 1}]', "code a: “examples” must be a list"),
    ],
)
def test_a_plain_codebook_that_is_wrong_is_refused(tmp_path: Path, words: str, problem: str) -> None:
    with pytest.raises(CodebookError) as refused:
        read_codebook(written(tmp_path, words, "codebook.json"))
    assert problem in str(refused.value)
    assert refused.value.remedy


def test_the_line_of_broken_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match=r"codebook\.json, line 2: not readable as JSON"):
        read_codebook(written(tmp_path, '[\n{"code" "a"}]', "codebook.json"))
