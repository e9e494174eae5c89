"""A codebook as the YAML file that `nlp.codebook` reads: reading what was written gives the same codebook."""

from __future__ import annotations

import json
from typing import Any

import yaml

from nlp.codebook_rules import FIELD_WORDS, problems
from nlp.errors import CodebookError
from nlp.types import Code, Codebook

WIDTH = 110
_ODD_BREAKS = frozenset("\x85\u2028\u2029")


class _Dumper(yaml.SafeDumper):
    """YAML whose texts come back as they are: PyYAML loses odd line breaks outside double quotes."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = '"' if _ODD_BREAKS & set(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(book: Codebook) -> str:
    """The whole book in one file, the codes that it shares with others among them.

    CodebookError, with the first code and field, where the file would break the rules of its form.
    """
    broken = problems(book)
    if broken:
        first = broken[0]
        raise CodebookError(
            file=f"{book.id} {book.version}",
            code=first.code,
            problem=f"the {FIELD_WORDS.get(first.field, first.field)} {first.words}",
            remedy="Mend it in a draft and publish that.",
        )
    written: str = yaml.dump(_book(book), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=WIDTH)
    return written


def as_plain_json(book: Codebook) -> str:
    """Codes as the plain list that `nlp.codebook` reads too, whatever they lack."""
    plain = [
        {
            "code": code.id,
            "name": code.label,
            "definition": code.definition,
            **_given(examples=list(code.examples), parent=code.parent),
        }
        for code in book.codes
    ]
    return json.dumps(plain, ensure_ascii=False, indent=2) + "\n"


def _book(book: Codebook) -> dict[str, Any]:
    return {
        **{field: getattr(book, field) for field in ("id", "title", "version", "date", "provenance")},
        **_given(description=book.description),
        **_given(families=[{"id": f.id, "label": f.label} for f in book.families]),
        "codes": [_code(code) for code in book.codes],
        "changes": [{"version": c.version, "date": c.date, "note": c.note} for c in book.changes],
    }


def _code(code: Code) -> dict[str, Any]:
    return {
        "id": code.id,
        "label": code.label,
        "young_label": code.young_label,
        **_given(parent=code.parent),
        "status": code.status.value,
        "definition": code.definition,
        "include": list(code.include),
        "exclude": [{"text": e.text, **_given(see=e.see)} for e in code.exclude],
        "examples": list(code.examples),
        "near_misses": [{"text": n.text, **_given(belongs_to=n.belongs_to, why=n.why)} for n in code.near_misses],
        "co_produced_by": list(code.co_produced_by),
        "date": code.date,
    }


def _given(**fields: Any) -> dict[str, Any]:
    """Those that are not empty."""
    return {name: value for name, value in fields.items() if value}
