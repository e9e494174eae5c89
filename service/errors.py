"""The service's errors. `str(error)` is safe to show and to log: ids and places, never text.

* ServiceError
  - InputError    a file that was handed in cannot be taken; names file, row and field
  - StudyError    a study folder is missing, taken, or not in the state that was asked for
  - KeyFileError  the vault's key is missing, malformed or belongs to another study
  - BackupError   a backup is damaged, cut short, altered or none
  - PassportError a study's dataset passport is missing, has run out or does not allow what was asked; names fields
  - GateError     coding was asked for before the check of de-identification allows it
  - RecordError   a stored record is missing, or what is stored contradicts itself
  - AccessError   an account or key cannot be made or used as asked
  - BusyError     too much is asked for at once; says after how many seconds to ask again
    - LimitError  a key asks too often
  - FullError     the disk is full; what was begun is taken back
  - RepeatError   an Idempotency-Key came again with another request
  - ConflictError somebody else has changed it in the meantime; says who and when
  - MemoError     a memo cannot be kept as it is written; says why, never with its words
    - IdentifierError  it seems to hold something that identifies a person
  - FindingError  a judgement, a promise or a quotation cannot be kept or released as asked; says why, never with its words
  - NoDraftError  no draft of the codebook is open, or it is no longer
  - DraftError    a draft of a codebook cannot be changed or published as asked; names codes and fields
"""

from __future__ import annotations

from collections.abc import Sequence


class ServiceError(Exception):
    """Anything that the service refuses."""


class InputError(ServiceError):
    """A problem in a file: where it is, what it is, and never the words themselves."""

    def __init__(self, *, file: str, problem: str, row: int | None = None, field: str = "", more: int = 0) -> None:
        self.file, self.row, self.field, self.problem = file, row, field, problem
        place = file if row is None else f"{file}, row {row}"
        subject = f"column “{field}”: " if field else ""
        others = f" ({more} more problem{'s' if more > 1 else ''} of the kind)" if more else ""
        super().__init__(f"{place}: {subject}{problem}{others}. Nothing was taken in.")


class StudyError(ServiceError):
    """A study cannot be made, opened or used as asked."""


class KeyFileError(ServiceError):
    """The vault cannot be opened with the key at hand. `why` is missing, damaged, wrong, rotated away or beside the study."""

    def __init__(self, words: str, *, why: str = "wrong") -> None:
        self.why = why
        super().__init__(words)


class BackupError(ServiceError):
    """A backup cannot be read as one, or is not what was sealed."""


class PassportError(ServiceError):
    """The study's dataset passport is missing, has run out, does not allow it, or cannot be set as it is."""


class GateError(ServiceError):
    """Nobody may code yet."""


class RecordError(ServiceError):
    """A stored record is missing or inconsistent."""


class AccessError(ServiceError):
    """An account, session or key cannot be made or used."""


class BusyError(ServiceError):
    """Too much is asked for at once."""

    def __init__(self, words: str, *, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(words)


class LimitError(BusyError):
    """A key asks too often."""


class FullError(ServiceError):
    """The disk is full."""

    def __init__(self) -> None:
        super().__init__("the disk is full; nothing was changed. Make room, then ask again")


class RepeatError(ServiceError):
    """An Idempotency-Key came again with another request."""


class ConflictError(ServiceError):
    """What was to be changed is no longer as it was read."""


class MemoError(ServiceError):
    """A memo cannot be kept as it is written."""


class IdentifierError(MemoError):
    """A memo seems to identify somebody; its writer may say that it does not."""


class FindingError(ServiceError):
    """A judgement, a promise or a quotation cannot be kept or released as asked."""


class NoDraftError(ServiceError):
    """No draft of the codebook is open: it was published or thrown away, or nobody has begun one."""


class DraftError(ServiceError):
    """A draft of a codebook cannot be changed or published as asked.

    `reasons` are sentences that name codes and fields. `identifies` says that the words seem to hold an identifier,
    which their writer may say they do not.
    """

    def __init__(self, reasons: Sequence[str], *, identifies: bool = False) -> None:
        self.reasons, self.identifies = tuple(reasons), identifies
        super().__init__(" ".join(self.reasons))
