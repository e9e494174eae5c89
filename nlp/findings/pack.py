"""The aggregate pack: what a study found, in suppressed counts and shares that another council can set beside its own.

A pack holds the codebook's version and codes, how people were drawn and read, counts and shares that disclosure control
let pass, and references to indicators. No words of anybody, no vectors, no ids of people. It is one JSON file in one exact
spelling: sorted keys, no spaces, so that any other byte is another pack and its signature does not hold.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nlp.errors import PackError
from nlp.types import Code

FORMAT, VERSION = "heard-pack", 1
LARGEST = 1_000_000  # bytes
WHY = {"suppressed": "held back: too few people to show", "not estimated": "not enough was read to say"}

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
Label = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{16,64}$")]
Count = Annotated[int, Field(ge=0, le=100_000_000)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class CodeName(_Part):
    """A code as the study has it; `meaning` changes with its definition and its rules, and with nothing else."""

    id: Id
    label: Label
    meaning: Hex


class Book(_Part):
    """The codebook under which people were read."""

    id: Id
    version: Id
    codes: Annotated[tuple[CodeName, ...], Field(max_length=500)]


class Design(_Part):
    """How people were drawn and read. Every one had the same chance; readers saw no suggestion."""

    unit: Literal["people"]
    draw: Literal["uniform, read blind and whole"]
    loaded: Count
    drawn: Count
    read: Count

    @model_validator(mode="after")
    def _nested(self) -> Self:
        if not self.read <= self.drawn <= self.loaded:
            raise ValueError("more were read than drawn, or drawn than loaded")
        return self


class Rules(_Part):
    """The disclosure profile that the counts went through, in ACRO's names."""

    name: Label
    safe_threshold: Annotated[int, Field(ge=2, le=1000)]
    safe_family_threshold: Annotated[int, Field(ge=1, le=1000)]
    round_base: Annotated[int, Field(ge=1, le=1000)]
    zeros_are_disclosive: bool


class Figure(_Part):
    """A share with its 95% interval; `of` names what it is a share of."""

    of: Literal["the people loaded here", "people like these"]
    share: Share
    low: Share
    high: Share
    read: Count
    method: Label

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.share <= self.high:
            raise ValueError("a share lies outside its interval")
        return self


class Theme(_Part):
    """One code: rounded people who expressed it among those read, and its shares; or why they are not there."""

    code: Id
    said: Count | None
    figures: Annotated[tuple[Figure, ...], Field(max_length=2)]
    why: Literal["", "suppressed", "not estimated"]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        shown = self.said is not None
        if bool(self.figures) != shown or bool(self.why) == shown:
            raise ValueError("a theme has both figures and a reason why there are none, or neither")
        if len({f.of for f in self.figures}) != len(self.figures):
            raise ValueError("a theme has two shares of the same")
        return self


class Reference(_Part):
    """A published figure that a code is tied to: where it stands, and no more."""

    link: Id
    code: Id
    label: Label
    publisher: Annotated[str, Field(max_length=300)]
    period: Annotated[str, Field(max_length=80)]
    area: Annotated[str, Field(max_length=20)]
    sha256: Hex


class Pack(_Part):
    """All that one council tells."""

    council: Label
    study: Id
    fictional: bool
    made_at: Label
    book: Book
    design: Design
    rules: Rules
    themes: Annotated[tuple[Theme, ...], Field(max_length=500)]
    indicators: Annotated[tuple[Reference, ...], Field(max_length=500)]

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        known = [c.id for c in self.book.codes]
        themes = [t.code for t in self.themes]
        if len(set(known)) != len(known) or len(set(themes)) != len(themes):
            raise ValueError("a code stands twice")
        if not {*themes, *(i.code for i in self.indicators)} <= set(known):
            raise ValueError("a code is not in the codebook that the pack names")
        if datetime.fromisoformat(self.made_at).tzinfo is None:
            raise ValueError("when it was made has no time zone")
        for theme in self.themes:
            self._may_stand(theme)
        return self

    def _may_stand(self, theme: Theme) -> None:
        if theme.said and self.rules.safe_threshold > theme.said + self.rules.round_base:
            raise ValueError("a count is smaller than its own rules allow")
        if any(f.read > self.design.read for f in theme.figures):
            raise ValueError("a share rests on more people than were read")

    def label(self, code: str) -> CodeName | None:
        """The code of that id, if the pack has it."""
        return next((c for c in self.book.codes if c.id == code), None)


class Signature(_Part):
    """Ed25519 over the pack's exact bytes; both in hexadecimal. The key tells that two packs come from one hand."""

    algorithm: Literal["ed25519"]
    public_key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    value: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class Signed(_Part):
    """A pack's whole file."""

    format: Literal["heard-pack"]
    version: Literal[1]
    pack: Pack
    signature: Signature

    @property
    def fingerprint(self) -> str:
        """What people read to one another to know whose key it is."""
        return fingerprint(bytes.fromhex(self.signature.public_key))


def meaning(code: Code) -> str:
    """Sixteen hex digits that change with what a code means: its name, definition, and what belongs to it and what doesn't."""
    told = [code.id, code.label, code.definition, list(code.include), [(e.text, e.see) for e in code.exclude]]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()[:16]


def fingerprint(public_key: bytes) -> str:
    """The first 80 bits of a key's SHA-256, in five groups to read aloud."""
    found = hashlib.sha256(public_key).hexdigest()[:20]
    return " ".join(found[i : i + 4] for i in range(0, 20, 4))


def to_sign(pack: Pack) -> bytes:
    """The bytes that are signed: what it is, in which version, and all it holds."""
    return _spelt({"format": FORMAT, "version": VERSION, "pack": pack.model_dump(mode="json")})


def to_bytes(signed: Signed) -> bytes:
    """The pack's file."""
    return _spelt(signed.model_dump(mode="json")) + b"\n"


def _spelt(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def read_pack(content: bytes) -> Signed:
    """A pack's file, read and checked for form; its signature is still to be verified.

    PackError for what is no pack, is cut short, is of another version, holds anything that packs do not hold, or is
    spelt in any way but the one.
    """
    if len(content) > LARGEST:
        raise PackError(f"it is larger than a pack can be ({LARGEST:,} bytes)")
    _require_ours(content)
    try:
        signed = Signed.model_validate_json(content)
    except ValidationError as wrong:
        raise PackError(f"what stands at “{_place(wrong)}” is not what a pack holds there") from None
    if to_bytes(signed) != content:
        raise PackError("it was changed or written anew since it was signed; ask for the file as it was made")
    return signed


def _require_ours(content: bytes) -> None:
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise PackError("it is no pack, or it is cut short") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise PackError("it is no pack")
    if found.get("version") != VERSION:
        raise PackError(f"it is a pack of another version than {VERSION}; ask for one that this Heard can read")


def _place(wrong: ValidationError) -> str:
    """Where it is wrong, by our own names alone: a key that is not ours may hold words."""
    parts = wrong.errors(include_input=False, include_url=False, include_context=False)[0]["loc"]
    return ".".join(str(part) for part in parts if isinstance(part, int) or part in _NAMES) or "pack"


_NAMES = frozenset(
    name
    for part in (Signed, Signature, Pack, Book, CodeName, Design, Rules, Theme, Figure, Reference)
    for name in part.model_fields
)
