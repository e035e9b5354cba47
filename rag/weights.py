"""The bundled models, verified and loaded: the door to onnxruntime and tokenizers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer


def load_session(models: Path, name: str) -> InferenceSession:
    """The ONNX model ``name`` of the folder ``models``, on the CPU. ModelError if it isn't what sha256.json says."""
    import onnxruntime

    # One thread per run and several runs at once keep all cores busy; threads inside a run wait for each other.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(verified(models, name), options, providers=["CPUExecutionProvider"])


def load_tokenizer(models: Path) -> Tokenizer:
    """The tokenizer of the bundled models, without padding and truncation. Raises ModelError as above."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_buffer(verified(models, "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def published_hash(models: Path, name: str) -> str:
    """The SHA-256 that sha256.json names for a bundled file."""
    try:
        return str(json.loads((models / "sha256.json").read_text(encoding="utf-8"))[name])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{models / 'sha256.json'} doesn't name {name}: install the package again") from error


def verified(models: Path, name: str) -> bytes:
    """The bytes of a bundled file, if they are those that were published."""
    try:
        data = (models / name).read_bytes()
    except OSError as error:
        raise ModelError(f"the model file {models / name} can't be loaded: install the package again") from error
    if hashlib.sha256(data).hexdigest() != published_hash(models, name):
        raise ModelError(f"the model file {models / name} is damaged: install the package again")
    return data
