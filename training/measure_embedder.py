"""Whether held-out questions of `written.tsv` find their article, with the models that are bundled.

    python training/measure_embedder.py --data DATA

The invented articles are one corpus, all 542 of them; the news and Wikipedia texts that are held out are another.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import written

from evals.retrieval import Benchmark, run


def asked(texts: Iterable[tuple[str, str, str]], items: Iterable[written.Item]) -> Benchmark:
    """The items' questions on texts: id, title, text."""
    documents = {key: (title, text) for key, title, text in texts}
    return Benchmark(documents, [(item.said, frozenset([item.article])) for item in items if item.article in documents])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sample", type=int, default=900, help="questions of each corpus, drawn with a fixed seed")
    args = parser.parse_args()
    items = [item for item in written.read(args.data, held_out=True) if item.kind in "SL"]
    invented = list(written.own_articles())
    keys = {key for key, *_ in invented}
    collected = [(item.article, item.title, item.text) for item in items if item.article not in keys]
    for name, texts in (("invented", invented), ("collected", collected)):
        benchmark = asked(texts, items)
        values = run(benchmark, args.sample)
        print(f"{name:10}" + "  ".join(f"{label} {value:g}" for label, value in values.items()), flush=True)


if __name__ == "__main__":
    main()
