"""The codebook file: read it, check it, and say exactly what is wrong and where.

Two forms are read: the project's YAML (checked against `codebooks/schema.json`) and a plain JSON
list `[{code, name, definition, examples?, parent?}]` for measuring against other people's codes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from nlp.errors import CodebookError
from nlp.types import Change, Code, Codebook, CodeStatus, Exclusion, Family, NearMiss

SCHEMA = Path(__file__).resolve().parent.parent / "codebooks" / "schema.json"
_LINE = "__line__"


def read_codebook(path: Path) -> Codebook:
    """The codebook in a YAML file, a plain JSON file, or a folder that holds `codebook.yaml`.

    CodebookError names file, line, code and what to do.
    """
    return _read(path / "codebook.yaml" if path.is_dir() else path, ())


def _read(file: Path, above: tuple[Path, ...]) -> Codebook:
    """`above` are the codebooks that share this one."""
    words = _read_words(file)
    if file.suffix == ".json":
        return _plain_codebook(file, words)
    return _yaml_codebook(file, words, (*above, file.resolve()))


def _read_words(file: Path) -> str:
    try:
        words = file.read_text("utf-8-sig")
    except FileNotFoundError:
        raise _error(file, "there is no such file", "Give the path of a codebook.yaml or codebook.json.") from None
    except UnicodeDecodeError:
        raise _error(file, "the file is not UTF-8 text", "Save it as UTF-8 and try again.") from None
    if not words.strip():
        raise _error(file, "the file is empty", "Copy codebooks/information-use/codebook.yaml to begin from.")
    return words


def _error(file: Path, problem: str, remedy: str, line: int | None = None, code: str = "") -> CodebookError:
    return CodebookError(file=file.name, problem=problem, remedy=remedy, line=line, code=code)


class _Loader(yaml.SafeLoader):
    """YAML that remembers the line of each mapping, keeps dates as text and refuses double keys."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    found: dict[str, Any] = {_LINE: node.start_mark.line + 1}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node)
        if key in found:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key “{key}” stands twice in one entry", key_node.start_mark
            )
        found[key] = loader.construct_object(value_node, deep=True)
    return found


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: str(node.value))


def _yaml_codebook(file: Path, words: str, above: tuple[Path, ...]) -> Codebook:
    raw = _parse_yaml(file, words)
    _check_schema(file, raw)
    shared = [_shared(file, name, above) for name in raw.get("shared", ())]
    _check_ids(file, raw, {code.id for book in shared for code in book.codes})
    codes = tuple(_code(entry) for entry in raw["codes"]) + tuple(c for book in shared for c in book.codes)
    families = tuple(Family(f["id"], f["label"]) for f in raw.get("families", ())) + tuple(
        f for book in shared for f in book.families
    )
    changes = tuple(Change(c["version"], c["date"], c["note"]) for c in raw["changes"])
    return Codebook(
        id=raw["id"],
        title=raw["title"],
        version=raw["version"],
        provenance=raw["provenance"],
        codes=codes,
        families=families,
        changes=changes,
        description=raw.get("description", ""),
        date=raw["date"],
        fingerprint=fingerprint(codes),
    )


def _parse_yaml(file: Path, words: str) -> dict[str, Any]:
    try:
        raw = yaml.load(words, _Loader)  # noqa: S506  # nosec B506 # _Loader is a SafeLoader
    except yaml.MarkedYAMLError as bad:
        mark = bad.problem_mark
        line = mark.line + 1 if mark else None
        raise _error(file, f"not readable as YAML ({bad.problem})", "Mend the line and try again.", line) from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        raise _error(file, "not readable as YAML", "Check for control characters and odd brackets.") from None
    if not isinstance(raw, dict):
        raise _error(file, "not a codebook: the top level must be “key: value” lines", "Begin with “id:”.", 1)
    return raw


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))


def _check_schema(file: Path, raw: dict[str, Any]) -> None:
    errors = sorted(_validator().iter_errors(_without_lines(raw)), key=lambda e: [str(p) for p in e.absolute_path])
    if errors:
        line, code = _place(raw, errors[0])
        raise _error(file, _problem(errors[0]), "See codebooks/README.md for the format.", line, code)


def _without_lines(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_lines(v) for k, v in value.items() if k != _LINE}
    return [_without_lines(v) for v in value] if isinstance(value, list) else value


def _place(raw: dict[str, Any], error: ValidationError) -> tuple[int | None, str]:
    """The line of the innermost entry on the way to the error, and the code it is in."""
    at: Any = raw
    line, code = raw.get(_LINE), ""
    path = list(error.absolute_path)
    for depth, step in enumerate(path):
        at = at[step]
        if isinstance(at, dict):
            line = at.get(_LINE, line)
        if depth == 1 and path[0] == "codes" and isinstance(at, dict):
            code = str(at.get("id", f"number {int(step) + 1}"))
    return line, code


def _problem(error: ValidationError) -> str:
    """What is wrong, without the words that are wrong."""
    field = ".".join(str(p) for p in error.absolute_path if not isinstance(p, int)) or "the codebook"
    rule: Any = error.validator_value
    given: Any = error.instance
    known: Any = error.schema
    words = {
        "required": lambda: f"“{next(k for k in rule if k not in given)}” is missing",
        "additionalProperties": lambda: (
            f"“{next(k for k in given if k not in known['properties'])}” is not a known field"
        ),
        "minItems": lambda: f"“{field}” needs at least {rule} entries",
        "enum": lambda: f"“{field}” must be one of {', '.join(map(str, rule))}",
        "pattern": lambda: f"“{field}” has the wrong form (expected {rule})",
        "type": lambda: f"“{field}” must be of type {rule}",
    }
    return words.get(str(error.validator), lambda: f"“{field}” is too short or not as expected")()


def _shared(file: Path, name: str, above: tuple[Path, ...]) -> Codebook:
    place = file.parent.parent / name / "codebook.yaml"
    if not place.is_file():
        raise _error(
            file,
            f"the shared codebook “{name}” is not there",
            f"Put it in a folder “{name}” beside this codebook's folder.",
        )
    if place.resolve() in above:
        raise _error(file, f"sharing “{name}” leads back to this codebook", f"Leave “{name}” out of “shared”.")
    return _read(place, above)


def _check_ids(file: Path, raw: dict[str, Any], shared_ids: set[str]) -> None:
    seen: dict[str, int] = {}
    for entry in raw["codes"]:
        id_, line = entry["id"], entry[_LINE]
        if id_ in seen:
            raise _error(
                file, f"the id stands twice (first in line {seen[id_]})", "Give one of them another id.", line, id_
            )
        if id_ in shared_ids:
            raise _error(file, "the id is already used by a shared codebook", "Choose another id.", line, id_)
        seen[id_] = line
    known = seen.keys() | shared_ids
    parents = known | {f["id"] for f in raw.get("families", ())}
    for entry in raw["codes"]:
        for field, target in _references(entry):
            if target and target not in (parents if field == "parent" else known):
                raise _error(
                    file,
                    f"“{field}” names “{target}”, which is no code here",
                    "Mend the id or leave it out.",
                    entry[_LINE],
                    entry["id"],
                )


def _references(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "parent", entry.get("parent", "")
    for exclusion in entry["exclude"]:
        yield "see", exclusion.get("see", "")
    for miss in entry["near_misses"]:
        yield "belongs_to", miss.get("belongs_to", "")


def _code(entry: Mapping[str, Any]) -> Code:
    return Code(
        id=entry["id"],
        label=entry["label"],
        definition=" ".join(entry["definition"].split()),
        young_label=entry["young_label"],
        include=tuple(entry["include"]),
        exclude=tuple(Exclusion(e["text"], e.get("see", "")) for e in entry["exclude"]),
        examples=tuple(entry["examples"]),
        near_misses=tuple(NearMiss(n["text"], n.get("belongs_to", ""), n.get("why", "")) for n in entry["near_misses"]),
        parent=entry.get("parent", ""),
        status=CodeStatus(entry["status"]),
        co_produced_by=tuple(entry["co_produced_by"]),
        date=entry["date"],
    )


def fingerprint(codes: tuple[Code, ...]) -> str:
    """The first sixteen hex digits of the SHA-256 of all that a matcher reads."""
    return hashlib.sha256(json.dumps([asdict(c) for c in codes], sort_keys=True).encode()).hexdigest()[:16]


def _plain_codebook(file: Path, words: str) -> Codebook:
    try:
        entries = json.loads(words)
    except json.JSONDecodeError as bad:
        raise _error(file, "not readable as JSON", "Mend the line and try again.", bad.lineno) from None
    except (ValueError, RecursionError):
        raise _error(file, "not readable as JSON", "Write numbers and brackets as JSON has them.") from None
    if not isinstance(entries, list) or not entries:
        raise _error(file, "expected a list of codes", 'Write [{"code": …, "name": …, "definition": …}].')
    codes = tuple(_plain_code(file, i, entry) for i, entry in enumerate(entries, 1))
    twice = {c.id for c in codes if sum(c.id == d.id for d in codes) > 1}
    if twice:
        raise _error(file, "the code stands twice", "Give one of them another id.", code=min(twice))
    return Codebook(
        id=file.parent.name or file.stem,
        title=file.parent.name or file.stem,
        version="0.0.0",
        provenance="plain codebook",
        codes=codes,
        fingerprint=fingerprint(codes),
    )


def _plain_code(file: Path, number: int, entry: Any) -> Code:
    if not isinstance(entry, dict) or not isinstance(entry.get("code"), str) or not entry["code"]:
        raise _error(file, f"entry {number} has no “code”", "Each entry needs at least code and name.")
    examples = entry.get("examples") or []
    if not isinstance(examples, list):
        raise _error(file, "“examples” must be a list", "Put the examples in square brackets.", code=entry["code"])
    return Code(
        id=entry["code"],
        label=str(entry.get("name") or entry["code"]),
        definition=str(entry.get("definition") or ""),
        examples=tuple(str(e) for e in examples),
        parent=str(entry.get("parent") or ""),
    )
