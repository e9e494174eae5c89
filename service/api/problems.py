"""Problems as RFC 9457 has them. They name fields and rows, and never repeat a word of what was sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from service.errors import InputError

MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """One part of a request that cannot be taken, and why.

    `pointer` is a JSON pointer, a parameter's name, or the field of the voice or column in `row`, which counts from 1.
    """

    pointer: str
    problem: str
    row: int | None = None


class Problem(BaseModel):
    """What was refused. `type` is stable, for programs; `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []


_WORDS = {
    400: "It cannot be read as it was sent",
    401: "No key, or one that is not good",
    403: "The key or the role has no leave for this",
    404: "There is no such thing",
    405: "The address does not take this method",
    409: "It cannot be done in the state that things are in",
    412: "It has changed since it was read",
    413: "More was sent than is taken at once",
    415: "Not a kind of content that is taken",
    422: "A field or row cannot be taken",
    428: "It must be said which version was read, as If-Match",
    429: "Too many requests; Retry-After says when to try again",
    503: "Too much waits; Retry-After says when to try again",
    507: "The disk is full, and nothing was changed",
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": words, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for status, words in _WORDS.items()
}

_KINDS = {
    "missing": "it is missing",
    "extra_forbidden": "there is no such field",
    "json_invalid": "not readable as JSON",
    "string_too_long": "it is too long",
    "string_too_short": "it is too short",
    "too_much": "together the texts are too long",
    "too_long": "there are too many",
    "too_short": "there are too few",
    "string_type": "it must be text",
    "string_unicode": "it holds characters that are not valid text",
    "int_parsing": "it must be a whole number",
    "int_type": "it must be a whole number",
    "literal_error": "it is not one of the values that are taken",
    "enum": "it is not one of the values that are taken",
    "string_pattern_mismatch": "it does not have the form that is expected",
}
_OTHERWISE = "it is not of the form that is expected"


@lru_cache(maxsize=4)
def known_names(app: FastAPI) -> frozenset[str]:
    """Every name of a field or parameter in the API's description; others may be somebody's words."""
    description = app.openapi()
    schemas = description["components"]["schemas"].values()
    names = {name for schema in schemas for name in schema.get("properties", ())}
    for path in description["paths"].values():
        for operation in path.values():
            names |= {parameter["name"] for parameter in operation.get("parameters", ())}
    return frozenset(names)


def field_problems(error: RequestValidationError, known: Collection[str]) -> list[dict[str, str]]:
    """The first twenty parts that cannot be taken."""
    return [
        {"pointer": _pointer(e["loc"], known), "problem": _KINDS.get(e["type"], _OTHERWISE)}
        for e in error.errors()[:20]
    ]


def row_problem(error: InputError) -> dict[str, str | int | None]:
    """A row of a file, or a voice, that cannot be taken."""
    return {"pointer": error.field, "problem": error.problem, "row": error.row}


def _pointer(loc: Iterable[int | str], known: Collection[str]) -> str:
    where, *path = loc
    parts = [str(part) if isinstance(part, int) or part in known else "…" for part in path]
    return "/" + "/".join(parts) if where == "body" else "".join(parts)


def completed(description: dict[str, Any]) -> dict[str, Any]:
    """The API's description with what every address shares: keys, the shape of problems, and 304 for what is unchanged."""
    components = description.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schema.pop("$defs")
    schemas["Problem"] = schema
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    description["security"] = [{"key": []}]
    for path in description["paths"].values():
        if "get" in path:
            path["get"]["responses"]["304"] = {"description": "What you have, by your If-None-Match, is unchanged"}
    return description
