"""What a request needs: its study, opened for it alone."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import HTTPException, Request

from service.study.study import Study, find_studies, opened


def study_of(request: Request, name: str) -> Iterator[Study]:
    """The study of that name, closed again after the request; 404 when there is none."""
    folder = next((f for f in find_studies(request.app.state.studies) if f.name == name), None)
    if folder is None:
        raise HTTPException(404)
    with opened(folder) as study:
        yield study
