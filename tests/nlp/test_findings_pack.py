"""The aggregate pack: one exact spelling, strict in what it holds, and no other byte goes through."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import PackError
from nlp.findings.pack import LARGEST, Pack, Signed, fingerprint, meaning, read_pack, to_bytes, to_sign
from nlp.types import Code, Exclusion


def plain() -> dict[str, Any]:
    """A whole pack as plain data."""
    figures = [
        {"of": of, "share": 0.2, "low": 0.1, "high": 0.35, "read": 60, "method": "two strata"}
        for of in ("the people loaded here", "people like these")
    ]
    return {
        "format": "heard-pack",
        "version": 1,
        "signature": {"algorithm": "ed25519", "public_key": "0" * 64, "value": "1" * 128},
        "pack": {
            "council": "Ryedale – Ynys Môn", "study": "a1b2", "fictional": True, "made_at": "2026-01-15T10:00:00+00:00",
            "book": {
                "id": "book", "version": "1.2",
                "codes": [{"id": c, "label": f"Code {c}", "meaning": "0123456789abcdef"} for c in ("A", "B")],
            },
            "design": {"unit": "people", "draw": "uniform, read blind and whole", "loaded": 200, "drawn": 80, "read": 60},
            "rules": {
                "name": "la5", "safe_threshold": 6, "safe_family_threshold": 3, "round_base": 5,
                "zeros_are_disclosive": False,
            },
            "themes": [
                {"code": "A", "said": 10, "figures": figures, "why": ""},
                {"code": "B", "said": None, "figures": [], "why": "suppressed"},
            ],
            "indicators": [
                {
                    "link": "L-1", "code": "A", "label": "Suitable accommodation", "publisher": "DfE", "period": "2025",
                    "area": "E06000065", "sha256": "a" * 64,
                }
            ],
        },
    }  # fmt: skip


def spelt(data: dict[str, Any]) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def test_a_pack_comes_back_as_it_was_written() -> None:
    found = read_pack(spelt(plain()))
    assert found.pack.council == "Ryedale – Ynys Môn"
    assert to_bytes(found) == spelt(plain())
    assert read_pack(to_bytes(found)) == found


def test_what_is_signed_is_all_that_the_pack_holds_and_its_version() -> None:
    found = read_pack(spelt(plain()))
    assert json.loads(to_sign(found.pack)) == {k: v for k, v in plain().items() if k != "signature"}


@given(st.integers(min_value=0), st.integers(1, 255))
def test_no_byte_can_be_changed_without_another_pack_or_a_refusal(at: int, by: int) -> None:
    content = bytearray(spelt(plain()))
    content[at % len(content)] ^= by
    try:
        found = read_pack(bytes(content))
    except PackError:
        return
    assert found != read_pack(spelt(plain()))
    assert to_bytes(found) == bytes(content)


@given(st.integers(0, 2000))
def test_a_pack_that_is_cut_short_is_refused(length: int) -> None:
    content = spelt(plain())
    with pytest.raises(PackError):
        read_pack(content[: min(length, len(content) - 1)])


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(content: bytes) -> None:
    with pytest.raises(PackError, match="no pack"):
        read_pack(content)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no pack, or it is cut short"),
        (b"\xff\xfe{", "no pack, or it is cut short"),
        (b"[" * 100_000, "no pack, or it is cut short"),
        (b'{"format":"heard-lessons"}', "it is no pack"),
        (b" " * (LARGEST + 1), "larger than a pack can be"),
        (spelt({**plain(), "version": 2}), "another version than 1"),
        (json.dumps(plain()).encode(), "changed or written anew"),
        (spelt(plain()) + b"\n", "changed or written anew"),
        (spelt(plain()).replace(b'"version":1}', b'"version":1,"version":1}'), "changed or written anew"),
        (spelt(plain()).replace(b'"share":0.2', b'"share":0.20'), "changed or written anew"),
        (spelt(plain()).replace(b'"share":0.2', b'"share":NaN'), "not what a pack holds there"),
    ],
)  # fmt: skip
def test_what_is_no_pack_of_this_version_is_refused_plainly(content: bytes, why: str) -> None:
    with pytest.raises(PackError) as refused:
        read_pack(content)
    assert why in str(refused.value)


def changed(path: str, value: Any) -> bytes:
    data: Any = plain()
    spot = data
    *way, last = path.split(".")
    for key in way:
        spot = spot[int(key) if key.isdigit() else key]
    spot[int(last) if last.isdigit() else last] = value
    return spelt(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("pack.text", "I put a chair against the door"),
        ("pack.themes.0.quote", "I put a chair against the door"),
        ("pack.design.people", ["P1", "P2"]),
        ("pack.themes.0.figures.0.vector", [0.1, 0.2]),
        ("pack.council", ""),
        ("pack.council", "two\nlines"),
        ("pack.fictional", "yes"),
        ("pack.made_at", "yesterday"),
        ("pack.made_at", "2026-01-15T10:00:00"),
        ("pack.design.read", "60"),
        ("pack.design.read", 90),
        ("pack.design.unit", "texts"),
        ("pack.design.draw", "as it came"),
        ("pack.themes.0.said", 10.0),
        ("pack.themes.0.said", -5),
        ("pack.themes.0.said", None),
        ("pack.themes.0.why", "suppressed"),
        ("pack.themes.0.figures", []),
        ("pack.themes.1.why", ""),
        ("pack.themes.1.why", "because somebody said so"),
        ("pack.themes.1.said", 10),
        ("pack.themes.1.code", "A"),
        ("pack.themes.1.code", "Z"),
        ("pack.indicators.0.code", "Z"),
        ("pack.themes.0.figures.0.share", 1.2),
        ("pack.themes.0.figures.0.low", 0.3),
        ("pack.themes.0.figures.0.of", "all children"),
        ("pack.themes.0.figures.1.of", "the people loaded here"),
        ("pack.themes.0.figures.0.read", 61),
        ("pack.rules.round_base", 1),
        ("signature.algorithm", "none"),
        ("signature.value", "1" * 127),
        ("signature.public_key", "G" * 64),
    ],
)
def test_a_pack_holds_nothing_but_what_a_pack_holds(path: str, value: Any) -> None:
    content = changed(path, value)
    if path == "pack.rules.round_base":
        content = content.replace(b'"said":10', b'"said":4')  # smaller than six, and not by rounding
    with pytest.raises(PackError) as refused:
        read_pack(content)
    assert "not what a pack holds there" in str(refused.value)
    assert "chair" not in str(refused.value)


def test_a_refusal_names_the_place_and_never_a_key_that_may_be_words() -> None:
    with pytest.raises(PackError) as refused:
        read_pack(changed("pack.themes.0.Callum said this", 1))
    assert str(refused.value) == "what stands at “pack.themes.0” is not what a pack holds there"


def test_a_codes_meaning_changes_with_what_it_means_alone() -> None:
    code = Code("A", "Feeling safe", "Whether they feel safe", include=("doors",), exclude=(Exclusion("repairs", "B"),))
    assert meaning(code) == meaning(replace(code, examples=("I lock it",), young_label="Safe", date="2026-01-01"))
    others = [
        replace(code, definition="Whether they are safe"), replace(code, include=()), replace(code, id="B"),
        replace(code, exclude=(Exclusion("repairs", "C"),)), replace(code, label="Being safe"),
    ]  # fmt: skip
    assert len({meaning(c) for c in (code, *others)}) == 6


def test_a_fingerprint_is_short_enough_to_read_out() -> None:
    assert [len(part) for part in fingerprint(b"k" * 32).split()] == [4] * 5
    assert fingerprint(b"k" * 32) != fingerprint(b"l" * 32)


def test_a_pack_has_no_field_for_words_or_people() -> None:
    def fields(model: type[Any]) -> set[str]:
        return set(model.model_fields)

    free = {"text", "quote", "participant", "participants", "people", "voice", "voices", "vector", "memo"}
    assert not free & (fields(Pack) | fields(Signed))
