"""A typed client of Heard's API. It needs httpx2 alone, and nothing of the service.

from heard_client import Heard, Voice

with Heard("http://127.0.0.1:8000", key) as heard:
    came = heard.add_voices("harrogate", [Voice("r-17", "I put a chair against the door.", voice="young_person")])
    heard.wait("harrogate", came.job)
    for line in heard.suggestions("harrogate"):
        print(line.segment, [s.code for s in line.suggestions])
"""

from heard_client.client import Heard
from heard_client.errors import FieldProblem, HeardError
from heard_client.signing import verified
from heard_client.types import (
    CleanSpan,
    CleanText,
    Codebook,
    Decision,
    Estimate,
    Indicator,
    Job,
    Judged,
    Link,
    Proposal,
    Released,
    Round,
    Segment,
    Share,
    Study,
    SuggestedText,
    TakenIn,
    Text,
    Tie,
    Voice,
    VoiceLine,
    VoiceText,
    Webhook,
)

__all__ = [
    "CleanSpan", "CleanText", "Codebook", "Decision", "Estimate", "FieldProblem", "Heard", "HeardError",
    "Indicator", "Job", "Judged", "Link", "Proposal", "Released", "Round", "Segment", "Share", "Study",
    "SuggestedText", "TakenIn", "Text", "Tie", "Voice", "VoiceLine", "VoiceText", "Webhook", "verified",
]  # fmt: skip
