"""The bill of materials: every installed library that Heard needs, with version and licence, as CycloneDX 1.6 JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OURS = "heard"
NOT_SAID = "not said by the package"
_LICENCE = "License :: OSI Approved :: "


@dataclass(frozen=True, slots=True)
class Library:
    """An installed library; `licence` is what its package says of itself."""

    name: str
    version: str
    licence: str


def libraries() -> list[Library]:
    """Everything that is needed to run, by name; what only tests need is left out."""
    seen: dict[str, Distribution] = {}
    waiting = [OURS]
    while waiting:
        for needed in _needs(_installed(waiting.pop())):
            name = canonicalize_name(needed)
            found = _installed(name)
            if found is not None and name not in seen:
                seen[name] = found
                waiting.append(name)
    return [Library(name, found.version, _licence(found)) for name, found in sorted(seen.items())]


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _needs(of: Distribution | None) -> Iterator[str]:
    for line in (of.requires or []) if of is not None else []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name


def _licence(of: Distribution) -> str:
    said = of.metadata
    short, free = (next(iter(said.get_all(field) or []), "").strip() for field in ("License-Expression", "License"))
    classified = [c.removeprefix(_LICENCE) for c in said.get_all("Classifier") or [] if c.startswith(_LICENCE)]
    return short or "; ".join(classified) or free.partition("\n")[0][:80] or NOT_SAID


def bill(held: list[Library], version: str) -> bytes:
    """The bill as a file; the same libraries always give the same bytes, but for its serial number and time."""
    factory = LicenseFactory()
    whole = Bom()
    whole.metadata.component = root = Component(name=OURS, version=version, type=ComponentType.APPLICATION)
    parts = [_component(one, factory) for one in held]
    whole.components.update(parts)
    whole.register_dependency(root, parts)
    content: dict[str, Any] = json.loads(JsonV1Dot6(whole).output_as_string())
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def _component(one: Library, factory: LicenseFactory) -> Component:
    licence = None if one.licence == NOT_SAID else factory.make_from_string(one.licence)
    return Component(
        name=one.name, version=one.version, type=ComponentType.LIBRARY,
        purl=PackageURL("pypi", name=one.name, version=one.version), licenses=[licence] if licence else [],
    )  # fmt: skip
