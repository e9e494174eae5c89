"""Int8 weights through ONNX Runtime: the project's own matcher as it ships, and faster exports of local models.

Nothing is fetched. An export is made on this machine once, tried against the reference on a few sentences, and
used only where it agrees and is faster; otherwise sentence-transformers does the work.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nlp.encode import Encoder, SentenceEncoder, Vectors, bundled_folder, spread, weights_digest
from nlp.errors import ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

RECIPE = "v1"
AGREES_FROM = 0.95
MATCHER = Path(__file__).resolve().parent / "models" / "matcher"
MATCHER_NAME, MATCHER_LONGEST = "heard-matcher", 256
TRIAL = (
    "i dont feel safe where i live", "Thank you, the worker listened.", "no", "We waited nine months for an answer.",
    "mum gets tired and then i do the tea and the washing up before my homework",
    "The form asks the same thing three times, and nobody seems to have read what we said last year.",
    "ok", "He says words now, since the group began, and he waves at everyone on the bus.",
)  # fmt: skip
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class Int8Encoder:
    """An exported model; `fingerprint` names its recipe and its weights."""

    def __init__(self, model: Path, tokenizer: Path, *, fingerprint: str, longest: int) -> None:
        """`longest` is how many tokens of a text are read."""
        self.fingerprint = fingerprint
        self._file, self._tokens_as, self._longest = model, tokenizer, longest

    @cached_property
    def dimension(self) -> int:
        """The length of each vector."""
        return int(self._session.get_outputs()[0].shape[1])

    @cached_property
    def _session(self) -> InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(self._file), options, providers=["CPUExecutionProvider"])

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._tokens_as))
        tokenizer.enable_truncation(self._longest)
        tokenizer.no_padding()
        return tokenizer

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Each distinct text is encoded once and alone, so that its neighbours never change its vector.

        (The scale of int8 activations is taken from a whole batch. One text a run and a run a core is
        as fast as batches are.)
        """
        distinct = list(dict.fromkeys(texts))
        if not distinct:
            return np.zeros((0, self.dimension), np.float32)
        self._session, self._tokenizer  # noqa: B018 - made here once, before threads ask for them
        if (cores := _cores()) == 1:
            return spread(np.concatenate([self._encode(text) for text in distinct]), distinct, texts)
        with ThreadPoolExecutor(cores) as pool:
            return spread(np.concatenate(list(pool.map(self._encode, distinct))), distinct, texts)

    def _encode(self, text: str) -> Vectors:
        ids = self._tokenizer.encode(text).ids
        row: Vectors = self._session.run(None, _inputs(ids))[0]
        return row


def _inputs(ids: Sequence[int]) -> dict[str, NDArray[np.int64]]:
    row = np.asarray([ids], np.int64)
    return dict(zip(_INPUTS, (row, np.ones_like(row), np.zeros_like(row)), strict=True))


def _cores() -> int:
    """How many texts are read at once: what OMP_NUM_THREADS leaves this process, where it is set, as in each of a crew."""
    if (told := os.environ.get("OMP_NUM_THREADS", "")).isdigit() and int(told):
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def exported(folder: Path, model: Path) -> Int8Encoder:
    """The encoder of an export that was made from a sentence-transformers folder."""
    name = f"onnx-int8-{RECIPE}-{weights_digest(folder)}"
    return Int8Encoder(model, folder / "tokenizer.json", fingerprint=name, longest=_longest(folder))


def heard_matcher(folder: Path = MATCHER) -> Int8Encoder:
    """The encoder that this project taught to hear what is meant, as it ships; ModelError when it is not there."""
    model, tokenizer = folder / "weights.onnx", folder / "tokenizer.json"
    if not (model.is_file() and tokenizer.is_file()):
        raise ModelError("the matcher's weights are not in nlp/models/matcher; train them with “heard train matcher”")
    return Int8Encoder(model, tokenizer, fingerprint=f"{MATCHER_NAME}-{_digest(model)}", longest=MATCHER_LONGEST)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:12]


def fastest_encoder(folder: Path, exports: Path) -> Encoder:
    """The int8 export of a local model where it agrees and is faster, else the model itself.

    The export and the outcome of its trial are kept in `exports`. ModelError when there is no model.
    """
    reference = SentenceEncoder(folder)
    if not _exportable(folder):
        return reference
    model = exports / f"{weights_digest(folder)}-{RECIPE}.onnx"
    trial = model.with_suffix(".json")
    try:
        if not (model.is_file() and trial.is_file()):
            exports.mkdir(parents=True, exist_ok=True)
            export(folder, model)
            _write(trial, json.dumps(_tried(reference, exported(folder, model))).encode())
        outcome = json.loads(trial.read_text("utf-8"))
    except (OSError, ValueError, ImportError):
        return reference
    return exported(folder, model) if outcome["agrees"] and outcome["faster"] else reference


def _exportable(folder: Path) -> bool:
    """BERT-like models with mean pooling and nothing after it but normalising."""
    try:
        kinds = [m["type"].rsplit(".", 1)[-1] for m in json.loads((folder / "modules.json").read_text("utf-8"))]
        pooling = json.loads((folder / "1_Pooling" / "config.json").read_text("utf-8"))
        model = json.loads((folder / "config.json").read_text("utf-8"))["model_type"]
    except (OSError, ValueError, KeyError):
        return False
    known = kinds[:2] == ["Transformer", "Pooling"] and set(kinds[2:]) <= {"Normalize"}
    mean = bool(pooling.get("pooling_mode_mean_tokens")) or pooling.get("pooling_mode") == "mean"
    return known and mean and model == "bert" and (folder / "tokenizer.json").is_file()


def _longest(folder: Path) -> int:
    try:
        return int(json.loads((folder / "sentence_bert_config.json").read_text("utf-8"))["max_seq_length"])
    except (OSError, ValueError, KeyError):
        return 256


def export(folder: Path, target: Path) -> None:
    """Trace the model with pooling and normalising inside the graph, then make its weights int8."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory(dir=target.parent) as work, _quiet():
        whole, small = Path(work, "whole.onnx"), Path(work, "int8.onnx")
        _trace(folder, whole)
        quantize_dynamic(whole, small, per_channel=True, weight_type=QuantType.QInt8)
        small.replace(target)


def _trace(folder: Path, target: Path) -> None:
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    bert: Any = model[0].auto_model.eval()
    bert.set_attn_implementation("eager")

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = bert

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            hidden = self.bert(
                input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
            ).last_hidden_state
            kept = attention_mask.unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * kept).sum(1) / kept.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, dim=1)

    sample = model.tokenizer(list(TRIAL[:2]), return_tensors="pt", padding=True)
    torch.onnx.export(
        Pooled(), tuple(sample[name] for name in _INPUTS), str(target), input_names=list(_INPUTS),
        output_names=["vector"], dynamic_axes={n: {0: "texts", 1: "tokens"} for n in _INPUTS} | {"vector": {0: "texts"}},
        dynamo=False, opset_version=17,
    )  # fmt: skip


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter's advice to developers is not for users."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _tried(reference: Encoder, export: Encoder) -> dict[str, Any]:
    """Whether the export agrees with the reference, and which of the two is faster here."""
    wanted, slow = _timed(reference)
    found, fast = _timed(export)
    agreement = float((wanted * found).sum(axis=1).min())
    return {"agreement": round(agreement, 4), "agrees": agreement >= AGREES_FROM, "faster": fast < slow}


def _timed(encoder: Encoder) -> tuple[Vectors, float]:
    """Vectors of the trial and the best of three times, so that other work on the machine decides nothing."""
    texts = [f"{text} {i}" for i in range(8) for text in TRIAL]
    encoder.encode(TRIAL)
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        vectors = encoder.encode(texts)
        best = min(best, time.perf_counter() - began)
    return vectors, best


def _write(file: Path, content: bytes) -> None:
    part = file.with_name(f"{file.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(file)


def encoder_in(folder: Path | None, exports: Path, *, plain: bool = False) -> Encoder:
    """The encoder of a setting: a local folder, the project's own, or plain MiniLM; ModelError names what is missing."""
    if folder is None and not plain:
        return heard_matcher()
    if folder is not None and not folder.is_dir():
        raise ModelError(f"there is no model folder “{folder.name}”")
    return fastest_encoder(folder or bundled_folder(), exports)
