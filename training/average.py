"""Average the weights of two runs.

    python training/average.py --one RUNS/2/model.pt --other RUNS/3/model.pt --share 0.8 --out RUNS/average.pt

A run that went on from another with other negatives errs in other places; their average errs less than either
(Wortsman et al. 2022, model soups).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", type=Path, required=True)
    parser.add_argument("--other", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.5, help="what the other run's weights count for")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    one, other = (torch.load(path, map_location="cpu")["model"] for path in (args.one, args.other))
    mean = {
        name: one[name].lerp(other[name], args.share) if one[name].is_floating_point() else one[name] for name in one
    }
    torch.save({"model": mean}, args.out)


if __name__ == "__main__":
    main()
