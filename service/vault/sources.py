"""Where a study's key ring comes from: a file, an environment variable, or a command such as a key service's client."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from service.errors import KeyFileError
from service.vault.keys import Key, from_text, read_key, replace_key

_SECONDS = 30


class KeySource(Protocol):
    """Something that gives a ring. `where` is what people call it."""

    @property
    def where(self) -> str:
        """What people call it."""

    def read(self) -> Key:
        """The ring as it is now; KeyFileError when there is none or it is damaged."""

    def keep(self, key: Key) -> bool:
        """Put a changed ring in its place; False where only people can do that."""


@dataclass(frozen=True, slots=True)
class InFile:
    """A ring in a file of its own."""

    file: Path

    @property
    def where(self) -> str:
        """The file."""
        return str(self.file)

    def read(self) -> Key:
        """The ring as it is now."""
        return read_key(self.file)

    def keep(self, key: Key) -> bool:
        """Put a changed ring in its place."""
        replace_key(self.file, key)
        return True


@dataclass(frozen=True, slots=True, repr=False)
class InEnvironment:
    """A ring in HEARD_KEY."""

    text: str

    @property
    def where(self) -> str:
        """The variable."""
        return "HEARD_KEY"

    def read(self) -> Key:
        """The ring as it was when the process began."""
        return from_text(self.text, "the key in HEARD_KEY")

    def keep(self, key: Key) -> bool:  # noqa: ARG002
        """Only people can."""
        return False


@dataclass(frozen=True, slots=True)
class FromCommand:
    """A ring that a command prints. It is told of which study in HEARD_STUDY, and run without a shell."""

    command: str
    study_id: str

    @property
    def where(self) -> str:
        """The setting that names the command."""
        return "HEARD_KEY_COMMAND"

    def read(self) -> Key:
        """What the command prints now. What it says on standard error is not repeated: it may hold a secret."""
        try:
            done = subprocess.run(  # noqa: S603  # nosec B603 # whoever may set HEARD_KEY_COMMAND runs Heard
                shlex.split(self.command), capture_output=True, check=True, timeout=_SECONDS,
                env={**os.environ, "HEARD_STUDY": self.study_id},
            )  # fmt: skip
            text = done.stdout.decode("utf-8")
        except subprocess.CalledProcessError as failed:
            raise KeyFileError(
                f"the command that gives the key failed with exit code {failed.returncode}", why="missing"
            ) from None
        except subprocess.TimeoutExpired:
            raise KeyFileError(
                f"the command that gives the key took more than {_SECONDS} seconds", why="missing"
            ) from None
        except (OSError, ValueError):
            raise KeyFileError(
                "the command that gives the key cannot be run, or does not print text", why="missing"
            ) from None
        return from_text(text, "what the command of HEARD_KEY_COMMAND prints")

    def keep(self, key: Key) -> bool:  # noqa: ARG002
        """Only people can."""
        return False


def require_apart(file: Path, folder: Path) -> None:
    """KeyFileError where a key file lies in a study's folder, or right beside it: who copies one has both."""
    at, study = file.resolve(), folder.resolve()
    if at.is_relative_to(study) or at.parent == study.parent:
        raise KeyFileError(
            f"the key {file.name} would lie beside the words that it opens, so that whoever copies one has both. Keep keys"
            " elsewhere (HEARD_KEY_FOLDER), or allow this with HEARD_ALLOW_KEY_BESIDE_STUDY=true",
            why="beside the study",
        )
