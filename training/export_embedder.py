"""Export all-MiniLM-L6-v2 as the bundled embedder: one ONNX file, int8 per channel.

    python training/export_embedder.py --base FOLDER [--weights RUNS/embedder/model.pt] --models rag/models

FOLDER is the official checkpoint (model.safetensors, config.json, tokenizer.json). The graph takes token ids and
returns mean-pooled vectors of length 1, so nothing is left to do at run time but tokenising.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from shutil import copyfile

import numpy as np
import torch
from common import INPUTS, encode, export_onnx, load_encoder, load_tokenizer, quantize, record_hashes
from model import Embedder

SAMPLE = (
    "The bus plant in Lancaster employs about 750 people.",
    "How many people work at the plant?",
    "He said on Tuesday that the ministry had not yet decided whether to appeal against the ruling of the court.",
    "Prices rose by 3.4% in the year to March, the fastest since 2008, as food and energy became dearer.",
)


def embed(path: Path, tokenizer_file: Path) -> np.ndarray:
    """The sample's vectors, [4, 384], from the model in `path`, one text at a time."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    tokenizer = load_tokenizer(tokenizer_file, max_tokens=256)
    batches = [encode(tokenizer, [text]) for text in SAMPLE]
    return np.concatenate([session.run(["embedding"], batch)[0] for batch in batches])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, required=True, help="folder of the official checkpoint")
    parser.add_argument("--weights", type=Path, help="trained weights instead of the checkpoint's")
    parser.add_argument("--models", type=Path, required=True, help="where the exported model goes")
    args = parser.parse_args()
    args.models.mkdir(parents=True, exist_ok=True)
    model = Embedder(load_encoder(args.base)).eval()
    if args.weights:
        model.load_state_dict(torch.load(args.weights, map_location="cpu")["model"])
    target = args.models / "embedder.onnx"
    copyfile(args.base / "tokenizer.json", args.models / "tokenizer.json")
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "fp32.onnx"
        export_onnx(model, full, inputs=INPUTS, outputs={"embedding": 1})
        quantize(full, target)
        exact, small = (embed(path, args.models / "tokenizer.json") for path in (full, target))
    print("cosine of int8 to fp32, least of the sample:", round(float((exact * small).sum(axis=1).min()), 4))
    record_hashes(args.models)


if __name__ == "__main__":
    main()
