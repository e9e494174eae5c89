"""A copy of a text that detectors read more easily, with the way back to every offset.

On top of `nlp.text.normalise`: curly quotes and odd spaces made plain, zero-width characters and soft
hyphens dropped, letters stretched to three or more brought to one, UTF-8 that was read as Windows-1252
put right. Nothing of it reaches the clean text: only offsets come back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from nlp.text import Normalised, normalise

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛ʼ`´＇", "'"),
        **dict.fromkeys("“”„‟＂", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        "＠": "@",
        "．": ".",
    }
    | dict.fromkeys(map(chr, (9, 11, 12, 13, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)), " ")
)
_BYTES = "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in range(0x80, 0xC0))
_ODD = re.compile(
    rf"(?P<mojibake>[\u00c2-\u00df][{re.escape(_BYTES)}]|[\u00e0-\u00ef][{re.escape(_BYTES)}]{{2}}|ð[{re.escape(_BYTES)}]{{3}})"
    r"|(?P<gone>[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufe0f]+)"
    r"|(?P<stretched>(?!www\.)([^\W\d_])\4{2,})"
    r"|(?P<wide>[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u2460-\u2473\U0001d400-\U0001d7ff])"
)


def readable(text: str) -> Normalised:
    """The reading copy; linear in the length of the text."""
    first = normalise(text)
    words = first.text
    if _ODD.search(words) is None:
        return Normalised(words.translate(_PLAIN), first.starts)
    pieces: list[str] = []
    starts: list[int] = []
    done = 0
    for start, end, instead in _mended(words):
        pieces += (words[done:start], instead)
        starts.extend(first.starts[done:start])
        starts.extend([first.starts[start]] * len(instead))
        done = end
    pieces.append(words[done:])
    starts.extend(first.starts[done:])
    return Normalised("".join(pieces).translate(_PLAIN), tuple(starts))


def _mended(words: str) -> Iterator[tuple[int, int, str]]:
    for match in _ODD.finditer(words):
        instead = _instead(match)
        if instead != match[0]:
            yield match.start(), match.end(), instead


def _instead(match: re.Match[str]) -> str:
    if match["gone"]:
        return ""
    if match["stretched"]:
        return match[0][0]
    if match["wide"]:
        return unicodedata.normalize("NFKC", match[0])
    return _decoded(match[0])


def _decoded(words: str) -> str:
    raw = b"".join(ch.encode("cp1252", "ignore") or ch.encode("latin-1", "ignore") for ch in words)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return words
