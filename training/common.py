"""What both exports share: the checkpoint, the tokenizer, ONNX and its quantisation, the hashes."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

CHECKPOINTS = {
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db": "all-MiniLM-L6-v2",
    "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658": "all-mpnet-base-v2",
}
"""The official model.safetensors of the embedder and the reader, and of the reader's teacher, by their SHA-256."""

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_encoder(base: Path) -> nn.Module:
    """The encoder in `base`, without its pooler; raises ValueError when the weights aren't an official checkpoint's."""
    from transformers import AutoModel

    weights = base / "model.safetensors"
    if sha256(weights) not in CHECKPOINTS:
        raise ValueError(f"{weights} is not an official checkpoint")
    # Eager attention: the fused kernel's backward pass in bfloat16 is several times slower on a CPU.
    return AutoModel.from_pretrained(base, add_pooling_layer=False, attn_implementation="eager")


def load_tokenizer(path: Path, *, max_tokens: int) -> Tokenizer:
    """The WordPiece tokenizer, cutting the second text of a pair and padding to the longest of a batch."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(max_tokens, strategy="longest_first")
    tokenizer.enable_padding()
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Sequence[str | tuple[str, str]]) -> dict[str, np.ndarray]:
    """Texts or pairs -> the three int64 arrays [B, T] that a model takes."""
    batch = tokenizer.encode_batch(list(texts))
    fields = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
    return {name: np.array([getattr(item, field) for item in batch], dtype=np.int64) for name, field in fields.items()}


def export_onnx(model: nn.Module, path: Path, *, inputs: Sequence[str], outputs: Mapping[str, int]) -> None:
    """Write `model` as ONNX; `outputs`: how many axes of each vary (1: batch, 2: batch and length)."""
    example = tuple(torch.ones(2, 16, dtype=torch.int64) for _ in inputs)
    names = {0: "batch", 1: "length"}
    axes = dict.fromkeys(inputs, names)
    axes |= {name: {axis: names[axis] for axis in range(count)} for name, count in outputs.items()}
    torch.onnx.export(
        model,
        example,
        str(path),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )


def quantize(source: Path, target: Path, *, exclude: Sequence[str] = ()) -> None:
    """Weights and matrix products to int8, a scale per output channel; the nodes in `exclude` stay in fp32."""
    from onnxruntime.quantization import QuantType, quant_pre_process, quantize_dynamic

    logging.getLogger().setLevel(logging.ERROR)
    with TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantize_dynamic(
            str(prepared), str(target), per_channel=True, weight_type=QuantType.QInt8, nodes_to_exclude=list(exclude)
        )


def record_hashes(models: Path) -> None:
    """Write sha256.json for what lies in `models`; the runtime refuses a file whose hash differs."""
    files = [path for path in sorted(models.iterdir()) if path.suffix == ".onnx" or path.name == "tokenizer.json"]
    (models / "sha256.json").write_text(json.dumps({path.name: sha256(path) for path in files}, indent=2) + "\n")
