"""Commands that show studies in a browser: serve and demo."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Self

import typer

from service import courier, wiring, worker
from service.access.demo_accounts import ACCOUNTS, DEMO_PASSWORD, add_demo_accounts
from service.access.people import all_people, people_in
from service.access.sessions import sign_in
from service.cli.show import say
from service.clock import now
from service.deps import COOKIE
from service.errors import StudyError
from service.settings import Settings
from service.study.study import find_studies
from service.usecases import demo as demo_study
from service.usecases.crawl import crawl

CURRENT = "built-from.txt"
SOURCES = ("corpora_sample", "codebooks", "nlp", "service")


def serve(
    folder: Annotated[Path, typer.Argument(help="A study's folder, or a folder of studies.")],
    port: Annotated[int | None, typer.Option(help="The port on this machine.")] = None,
) -> None:
    """Show studies in the browser, on this machine only unless the settings say how others reach it safely.

    Example: heard serve studies --port 8000
    """
    if not find_studies(folder):
        raise StudyError(f"there is no study in “{folder.name}” or directly under it")
    settings = wiring.settings()
    if not (settings.on_this_machine or settings.published_on_loopback):
        _require_no_known_password(folder)
    _run(folder, settings, port or settings.port)


def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo studies are kept.")] = Path("demo-data"),
    port: Annotated[int | None, typer.Option(help="The port on this machine.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Build, look at every page once, and stop.")] = False,
) -> None:
    """Build the four fictional demo studies (once) and show them in the browser.

    Example: heard demo --port 8000
    """
    settings = wiring.settings()
    studies = _built(folder)
    if not check:
        if not (settings.on_this_machine or settings.published_on_loopback):
            raise StudyError("the demo's passwords are known to everybody: show it on 127.0.0.1 or localhost only")
        _run(studies, settings, port or settings.port, wiring.keys_by(_settings(folder)))
        return
    server = _Background(studies, settings.host, wiring.keys_by(_settings(folder)))
    with server:
        with people_in(studies) as db:
            token = sign_in(db, next(iter(ACCOUNTS)), DEMO_PASSWORD, now=now())
        pages = crawl(settings.host, server.port, cookie=f"{COOKIE}={token}")
    say(f"Looked at {pages} pages, pictures and data addresses: all answered.")


def _built(folder: Path) -> Path:
    """The demo's studies, built now if they are not there or the sources have changed."""
    studies, mark = folder / "studies", folder / CURRENT
    wanted = _fingerprint()
    if mark.is_file() and mark.read_text("utf-8") == wanted:
        say(f"The demo studies in {folder} are up to date.")
        return studies
    if folder.exists() and any(folder.iterdir()) and not mark.is_file() and not (folder / "building").exists():
        raise StudyError(f"the folder “{folder.name}” holds something else; name another with --folder")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "building").mkdir(parents=True)
    say("Building the demo: four fictional studies. This takes a minute or two, once.")
    _build(folder)
    mark.write_text(wanted, "utf-8")
    (folder / "building").rmdir()
    return studies


def _settings(folder: Path) -> Settings:
    """The settings, with the demo's own keys."""
    return wiring.settings().model_copy(
        update={"key_folder": folder / "keys", "key_file": None, "key": None, "key_command": ""}
    )


def _build(folder: Path) -> None:
    settings = _settings(folder)
    tools = demo_study.Tools(
        deidentifier=wiring.deidentifier(),
        encoder=wiring.encoder(),
        codebooks=settings.codebooks,
        corpora=wiring.sample_corpora(),
        clock=now,
    )
    for number, (name, (title, _)) in enumerate(demo_study.SITES.items(), 1):
        say(f"  {number} of {len(demo_study.SITES)}: {title}")
        study, key = wiring.make_study(
            folder / "studies" / name, title=title, codebook=name, now=now(), fictional=True, settings=settings
        )
        demo_study.build_site(study, key, wiring.codebook_named(name), tools, say)
        study.db.close()
    add_demo_accounts(folder / "studies", now=now())


def _fingerprint() -> str:
    """A hash of all that the demo is built from."""
    root = wiring.sample_corpora().parent
    digest = hashlib.sha256()
    for source in SOURCES:
        for file in sorted((root / source).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(root)).encode() + file.read_bytes())
    return digest.hexdigest()


def _require_no_known_password(studies: Path) -> None:
    with people_in(studies) as db:
        known = [person.name for person in all_people(db) if person.demo]
    if known:
        raise StudyError(
            f"“{known[0]}” is an account of the demo, whose password everybody knows: end it (heard people remove) before"
            " other machines may reach these pages"
        )


def _run(studies: Path, settings: Settings, port: int, key_of: wiring.KeyOf = wiring.key_of) -> None:
    from service.cli.server import Reach, server_of

    reach = Reach(settings.names, settings.tls_cert, settings.tls_key, settings.behind_proxy)
    say(f"Open http{'s' if reach.tls_cert else ''}://{settings.host}:{port} in a browser. Press Ctrl+C to stop.")
    stop = threading.Event()
    carrying = threading.Thread(target=courier.carry, args=(studies, stop), daemon=True)
    working = threading.Thread(target=worker.work, args=(studies, stop), kwargs={"key_of": key_of}, daemon=True)
    carrying.start()
    working.start()
    try:
        with suppress(KeyboardInterrupt):
            server_of(studies, settings.host, port, key_of, reach).run()
    finally:
        stop.set()
        working.join(5)
        carrying.join(1)


class _Background:
    """The server on a free port for as long as the block lasts."""

    def __init__(self, studies: Path, host: str, key_of: wiring.KeyOf) -> None:
        from service.cli.server import server_of

        self._server = server_of(studies, host, 0, key_of)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + 30
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise StudyError("the pages did not start within 30 seconds")
            time.sleep(0.05)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
