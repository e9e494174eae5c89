"""The errors of the library. None of them ever carries a participant's text.

* NlpError
  - CodebookError   a codebook file breaks its schema or contradicts itself
  - EditError       a draft of a codebook cannot be changed as asked; names the code
  - ModelError      a bundled model is missing or is not what it should be
  - SpanError       a span lies outside its text, or a stored quote no longer matches
  - IndicatorError  an indicator file cannot be read
  - CorpusError     a coded set for measuring is not in the form that is read
  - PolicyError     a de-identification policy cannot be read
  - EstimateError   an estimate was asked for that the design does not support
  - LinkError       a tie between voices and an indicator does not carry the figure that was asked for; says what would
  - InterchangeError a file of another qualitative tool cannot be read
  - PackError       what another council sent is no pack, or not as it was signed
  - DisclosureError a release cannot be proved safe, or its tables or rules contradict themselves
"""


class NlpError(Exception):
    """Anything the library refuses; `str(error)` is safe to show and to log."""


class CodebookError(NlpError):
    """A codebook problem, with where it is and what to do about it."""

    def __init__(self, *, file: str, problem: str, remedy: str, line: int | None = None, code: str = "") -> None:
        self.file, self.line, self.code = file, line, code
        self.problem, self.remedy = problem, remedy
        place = file if line is None else f"{file}, line {line}"
        subject = f"code {code}: " if code else ""
        super().__init__(f"{place}: {subject}{problem}. {remedy}")


class ModelError(NlpError):
    """A model folder is missing or unreadable."""


class SpanError(NlpError):
    """A span does not fit the text that it is said to belong to."""


class IndicatorError(NlpError):
    """An indicator file problem, naming file, row and field."""

    def __init__(self, *, file: str, problem: str, row: int | None = None, field: str = "") -> None:
        place = file if row is None else f"{file}, row {row}"
        subject = f"column “{field}”: " if field else ""
        super().__init__(f"{place}: {subject}{problem}")


class CorpusError(NlpError):
    """A coded set for measuring cannot be read."""


class PolicyError(NlpError):
    """A de-identification policy is not one of the choices."""


class EstimateError(NlpError):
    """The reads at hand cannot support the figure; the message says what would."""


class InterchangeError(NlpError):
    """A project or codebook of another tool cannot be read; never with its words."""


class LessonError(NlpError):
    """Decisions that nothing can be learnt from, or that do not fit together."""


class EditError(NlpError):
    """A change to a draft of a codebook that makes no sense or leaves something unsaid."""

    def __init__(self, problem: str, *, code: str = "") -> None:
        self.code, self.problem = code, problem
        super().__init__(f"{code}: {problem}" if code else problem)


class DisclosureError(NlpError):
    """A release that cannot be proved safe, or tables and rules that contradict themselves."""


class LinkError(NlpError):
    """A figure that a tie between voices and an indicator does not carry; the message says what would make it possible."""


class PackError(NlpError):
    """A pack of another council that is refused; says why, never with what stands in it."""
