"""What somebody types about one code of a draft, as it comes from a form and as it goes back into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from pydantic import BaseModel

from nlp.codebook_meaning import Turn
from nlp.types import Code, CodeStatus, Exclusion, NearMiss

BLANK_LINES = 2


class CodeForm(BaseModel):
    """The fields of a code: lists with one entry a line, exclusions and near misses in columns."""

    code: str = ""
    label: str = ""
    young_label: str = ""
    definition: str = ""
    include: str = ""
    exclude: list[str] = []
    see: list[str] = []
    examples: str = ""
    misses: list[str] = []
    belongs_to: list[str] = []
    miss_why: list[str] = []
    co_produced_by: str = ""
    agreed: bool = False
    declared: str = ""
    why: str = ""
    identifies_nobody: bool = False
    version: int = 0
    begin: bool = False

    def onto(self, before: Code) -> Code:
        """The code as typed; what the form does not hold stays."""
        return replace(
            before, label=self.label, young_label=self.young_label, definition=self.definition,
            include=_lines(self.include), examples=_lines(self.examples), co_produced_by=_lines(self.co_produced_by),
            exclude=tuple(Exclusion(text, see) for text, see in self.exclusions() if text.strip()),
            near_misses=tuple(NearMiss(*miss) for miss in self.near_misses() if miss[0].strip()),
            status=CodeStatus.AGREED if self.agreed else CodeStatus.DRAFT,
        )  # fmt: skip

    def exclusions(self) -> list[tuple[str, str]]:
        """Each with the code to use instead."""
        return list(zip_longest(self.exclude, self.see, fillvalue=""))

    def near_misses(self) -> list[tuple[str, str, str]]:
        """Each with the code it belongs to, and why."""
        return list(zip_longest(self.misses, self.belongs_to, self.miss_why, fillvalue=""))

    @property
    def turn(self) -> Turn | None:
        """What the writer says of the meaning."""
        return {"reword": Turn.REWORD, "redefine": Turn.REDEFINE}.get(self.declared)


def filled(code: Code, *, declared: str = "", why: str = "") -> CodeForm:
    """The form of a code as it stands."""
    return CodeForm(
        code=code.id, label=code.label, young_label=code.young_label, definition=code.definition,
        include=_text(code.include), exclude=[e.text for e in code.exclude], see=[e.see for e in code.exclude],
        examples=_text(code.examples), misses=[m.text for m in code.near_misses],
        belongs_to=[m.belongs_to for m in code.near_misses], miss_why=[m.why for m in code.near_misses],
        co_produced_by=_text(code.co_produced_by), agreed=code.status is CodeStatus.AGREED, declared=declared, why=why,
    )  # fmt: skip


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.splitlines() if line.strip())


def _text(items: Sequence[str]) -> str:
    return "\n".join(" ".join(item.split()) for item in items)


class ActForm(BaseModel):
    """What is to become of a code: the fields that any of the acts has."""

    code: str = ""
    act: str = ""
    why: str = ""
    names: list[str] = []
    others: list[str] = []
    keep: str = ""
    label: str = ""
    parent: str = ""
    heading: str = ""
    version: int = 0


class PublishForm(BaseModel):
    """What is said in publishing; `same` are merged codes that keep the meaning, each with its reason beside it."""

    version: int = 0
    based_on: str = ""
    note: str = ""
    groups: str = ""
    same: list[str] = []
    same_code: list[str] = []
    same_why: list[str] = []
    identifies_nobody: bool = False
    look: bool = False

    def kept_meanings(self) -> dict[str, str]:
        """The merged codes that are said to keep the meaning, with why."""
        return {code: why for code, why in zip(self.same_code, self.same_why, strict=False) if code in self.same}
