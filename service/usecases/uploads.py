"""A file that was handed in on a page: it lies in a private folder until a job has taken it in, or for half an hour.

What is shown of it are the names of its columns and counts, never a cell: nothing is de-identified yet.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from service.errors import InputError, RecordError
from service.files.atomic import write_whole
from service.files.columns import Cells, columns_in
from service.files.mapping import Profile, Source, save_profile
from service.files.roles import Role, with_roles
from service.files.tables import KINDS, Table, read_table
from service.study.jobs import OVER, Job, ask, job, job_for
from service.study.study import Study
from service.usecases.intake import dry_run, file_hash, look_at, profiles_of
from service.usecases.passport import require_intake
from service.vault.keys import Key

MOST_BYTES = 100 * 1024 * 1024
KEPT_FOR = timedelta(minutes=30)
JOB = "intake"
GONE = "this upload is no longer here: a file is deleted after half an hour, or once it is taken in. Choose it again"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_STATE = "upload.json"
_LONGEST = 150
_SHOWN = "the file"


@dataclass(frozen=True, slots=True)
class Column:
    """What is told of a column: its name, how many cells are filled, how many differ (at most 400), what they look like."""

    name: str
    filled: int
    differ: int
    holds: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that waits. `recognised` says by which profile it is read; `told` is the last dry run, empty before one."""

    token: str
    folder: Path
    file: Path
    by: str
    at: str
    rows: int
    columns: tuple[Column, ...]
    recognised: bool
    profile: Profile
    notes: tuple[str, ...] = ()
    told: Mapping[str, Any] | None = None
    correct: bool = False
    prepare: bool = True


def receive(study: Study, name: str, write: Callable[[Path], None], *, by: str, now: str) -> Upload:
    """Keep a file that is handed in, `write` putting it where it is told. InputError, with nothing kept, when it is no
    table or document that is read; PassportError when nothing may come in."""
    require_intake(study, actor=by, now=now)
    file_name = _safe(name)
    if not file_name.casefold().endswith(KINDS):
        raise InputError(file=_SHOWN, problem=f"not a kind of file that is read; give {', '.join(KINDS)}")
    folder = _uploads(study) / secrets.token_hex(16)
    _uploads(study).mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700)
    try:
        write(folder / file_name)
        (folder / file_name).chmod(0o600)
        upload = _looked_at(study, folder, folder / file_name, by, now)
        _keep(upload)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return upload


def _safe(name: str) -> str:
    """The file's own name, which tells documents apart, without any path in it."""
    last = re.split(r"[/\\]", name)[-1]
    printable = "".join(c for c in last if c.isprintable()).lstrip(".").strip()
    stem, dot, kind = printable.rpartition(".")
    while len(stem.encode()) > _LONGEST:
        stem = stem[:-1]
    return f"{stem or 'upload'}{dot}{kind[:10]}" if dot else "upload"


def _uploads(study: Study) -> Path:
    return study.folder / "uploads"


def _looked_at(study: Study, folder: Path, file: Path, by: str, now: str) -> Upload:
    with _nameless():
        table = read_table(file)
        cells = columns_in(table)
        rows = sum(1 for _ in table.rows())
        try:
            profile, recognised = look_at(study, file)[1], True
        except InputError as bad:
            if bad.row != 1 or bad.field:
                raise
            profile, recognised = _wordiest(cells), False
    columns = tuple(Column(c.name, c.filled, len(c.values), c.holds) for c in cells.values())
    return Upload(folder.name, folder, file, by, now, rows, columns, recognised, profile, table.notes)


def _wordiest(cells: Mapping[str, Cells]) -> Profile:
    """Where nothing is recognised, the column with most words is read unless a person says otherwise."""
    return Profile(name="by-hand", texts=[max(cells.values(), key=lambda c: c.words).name])


@contextmanager
def _nameless() -> Iterator[None]:
    """The name of a file may be a person's, so no problem repeats it."""
    try:
        yield
    except InputError as bad:
        raise InputError(file=_SHOWN, row=bad.row, field=bad.field, problem=bad.problem) from None


def _keep(upload: Upload) -> None:
    held = {"file": upload.file.name, "profile": upload.profile.model_dump(mode="json")}
    kept = {**asdict(replace(upload, profile=Profile(name="", texts=[""]))), **held}
    for name in ("token", "folder"):
        del kept[name]
    write_whole(upload.folder / _STATE, json.dumps(kept).encode())


def find(study: Study, token: str, *, by: str, now: str) -> Upload:
    """Somebody's own upload; RecordError when it is not there, or no longer."""
    upload = _read(study, token)
    if upload is None or upload.by != by or (_old(upload.at, now) and _job(study, token) is None):
        raise RecordError(GONE)
    return upload


def _read(study: Study, token: str) -> Upload | None:
    folder = _uploads(study) / token
    if not _TOKEN.fullmatch(token) or not (folder / _STATE).is_file():
        return None
    held = json.loads((folder / _STATE).read_text("utf-8"))
    columns = tuple(Column(**c) for c in held.pop("columns"))
    profile, notes = Profile.model_validate(held.pop("profile")), tuple(held.pop("notes"))
    return Upload(
        token=token, folder=folder, file=folder / held.pop("file"), columns=columns, profile=profile, notes=notes, **held
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Meant:
    """What a person says of a file: the role of each column, who speaks in all of it (or empty), and what is to be done."""

    roles: Mapping[str, Role]
    speaker: str = ""
    mend_letters: bool = False
    correct: bool = False
    prepare: bool = True


def change(study: Study, upload: Upload, meant: Meant, key: Key, *, now: str) -> Upload:
    """Read the file as a person means it and keep what would come of it; InputError, with the old meaning kept, when
    that cannot be."""
    with _nameless():
        table = read_table(upload.file)
        profile = _meant(upload.profile, meant, columns_in(table))
        hashed = file_hash(upload.file)
        done = dry_run(study, table, profile, key, input_hash=hashed, now=now, correct=meant.correct)
    told = {k: v for k, v in asdict(done).items() if k not in ("run", "columns")}
    changed = replace(upload, profile=profile, told=told, correct=meant.correct, prepare=meant.prepare)
    _keep(changed)
    return changed


def _meant(base: Profile, meant: Meant, cells: Mapping[str, Cells]) -> Profile:
    profile = with_roles(base, meant.roles, cells, _SHOWN)
    changed: dict[str, object] = {"mend_letters": meant.mend_letters}
    if meant.speaker:
        changed["voice"] = Source(fixed=meant.speaker)
    return profile.model_copy(update=changed)


def keep_profile(study: Study, upload: Upload, name: str) -> Upload:
    """Keep what the columns mean under a name, to be recognised from now on; InputError for a name that is none.

    A profile's name tells its records from those of others, so what was told before is told anew.
    """
    with _nameless():
        save_profile(upload.profile, name, [c.name for c in upload.columns], profiles_of(study))
    changed = replace(upload, profile=upload.profile.model_copy(update={"name": name}), recognised=True, told=None)
    _keep(changed)
    return changed


def saved_profiles(study: Study) -> list[str]:
    """The names of the mapping profiles that were saved in the study."""
    return sorted(file.stem for file in profiles_of(study).glob("*.yaml"))


def confirm(study: Study, upload: Upload, *, by: str, now: str) -> Job:
    """Ask for the job that takes the file in; asked twice it is one job. RecordError before its dry run."""
    if upload.told is None:
        raise RecordError("see first what would come of it")
    require_intake(study, actor=by, now=now)
    return ask(study.db, JOB, {"upload": upload.token}, by=by, now=now, token=_job_token(upload.token))


def _job_token(token: str) -> str:
    return f"upload/{token}"


def _job(study: Study, token: str) -> Job | None:
    number = job_for(study.db, _job_token(token))
    return None if number is None else job(study.db, number)


def opened_for(study: Study, asked: Job) -> tuple[Upload, Table]:
    """What a job is to take in; InputError when its file is gone."""
    upload = _read(study, asked.request.get("upload", ""))
    if upload is None:
        raise InputError(file=_SHOWN, problem="it is no longer here; upload it again")
    with _nameless():
        return upload, read_table(upload.file)


def discard(study: Study, upload: Upload) -> None:
    """Delete a file that was handed in, with all that is known of it; one that a job is about to take in stays."""
    asked = _job(study, upload.token)
    if asked is None or asked.state in OVER:
        shutil.rmtree(upload.folder, ignore_errors=True)


def sweep(study: Study, *, now: str) -> int:
    """Delete what was taken in, and what nobody confirmed within half an hour; how many files."""
    if not _uploads(study).is_dir():
        return 0
    over = [folder for folder in _uploads(study).iterdir() if _is_over(study, folder, now)]
    for folder in over:
        shutil.rmtree(folder, ignore_errors=True)
    return len(over)


def _is_over(study: Study, folder: Path, now: str) -> bool:
    asked, upload = _job(study, folder.name), _read(study, folder.name)
    if asked is not None and asked.state not in OVER:
        return False
    if asked is not None and asked.state == "done":
        return True
    since = datetime.fromtimestamp(folder.stat().st_mtime).astimezone().isoformat() if upload is None else upload.at
    return _old(since, now)


def _old(since: str, now: str) -> bool:
    return datetime.fromisoformat(now) - datetime.fromisoformat(since) > KEPT_FOR


def role_names(names: Sequence[str], roles: Sequence[str]) -> dict[str, Role]:
    """Roles as a form gives them, one a column in order; RecordError when they are not those of this file."""
    if len(names) != len(roles) or not set(roles) <= set(Role):
        raise RecordError("the form is not this file's; open the upload again")
    return {name: Role(role) for name, role in zip(names, roles, strict=True)}
