"""A codebook's links come into a study: checked against the codebook in use, and each version kept as it was."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from nlp.findings.link import Link, check_links, fingerprint, read_links
from nlp.types import Codebook
from service.errors import StudyError
from service.study.database import write
from service.study.joint import LinkVersion, keep_link_version, link_versions
from service.study.study import Study
from service.usecases.findings import load_links


def take_links(study: Study, file: Path, indicators: Path, codebook: Codebook, *, now: str, actor: str) -> int:
    """Read a codebook's links and the figures that they name; how many.

    IndicatorError for a link that is incomplete, or ties a code that is not there or is retired; StudyError for one
    whose words changed under the same version. Nothing is stored then.
    """
    links = read_links(file)
    check_links(links, codebook, file=file.name)
    held = link_versions(study.db)
    for link in links:
        if link.id in held:
            _require_new_version(link, held[link.id][-1])
    count = load_links(study, file, indicators, now=now, actor=actor)
    with write(study.db) as connection:
        for link in links:
            content = json.dumps(asdict(link), ensure_ascii=False)
            keep_link_version(
                connection, LinkVersion(link.id, int(link.version), fingerprint(link), content, actor, now)
            )
    return count


def _require_new_version(link: Link, newest: LinkVersion) -> None:
    if int(link.version) < newest.version:
        raise StudyError(f"link {link.id} is in use at version {newest.version}; the file holds an older one")
    if int(link.version) == newest.version and fingerprint(link) != newest.fingerprint:
        raise StudyError(
            f"version {link.version} of link {link.id} is already in use with other words; raise its version and say in"
            " “changed” what changed and why"
        )
