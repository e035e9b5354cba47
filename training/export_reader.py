"""Export trained reader weights to ONNX, int8 per channel, and say what that costs.

python training/export_reader.py --base FOLDER --weights runs/2/model.pt --models rag/models [--full reader-fp32.onnx]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch
from common import INPUTS, export_onnx, load_encoder, quantize, record_hashes
from model import OUTPUTS, Reader


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, required=True, help="folder of the official all-MiniLM-L6-v2 checkpoint")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True, help="where the exported model goes")
    parser.add_argument("--full", type=Path, help="keep the fp32 model here, to measure what quantising costs")
    args = parser.parse_args()
    args.models.mkdir(parents=True, exist_ok=True)
    model = Reader(load_encoder(args.base))
    model.load_state_dict(torch.load(args.weights, map_location="cpu")["model"])
    with tempfile.TemporaryDirectory() as folder:
        full = args.full or Path(folder) / "fp32.onnx"
        export_onnx(model.eval(), full, inputs=INPUTS, outputs=OUTPUTS)
        quantize(full, args.models / "reader.onnx")
    record_hashes(args.models)


if __name__ == "__main__":
    main()
