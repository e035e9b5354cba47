"""How fast the product is, and how that changes as the corpus grows: real texts, the real models, nothing simulated.

    python -m evals.speed --data DATA --work FOLDER                     every step, at 1,000, 10,000 and 100,000 chunks
    python -m evals.speed --data DATA --work FOLDER --chunks 1000 --steps queries start
    python -m evals.speed --work FOLDER --table                         only the table of what was measured before

FOLDER keeps the corpora, the stores and, in speed.json, the figures of each step that was finished: run again, only
what is missing is measured (``--again`` for the steps named). Each step has a process of its own. DATA holds the public
data sets that ``evals/texts.py`` reads; ``--stock-model FOLDER`` saves the stock pipeline's download of its model.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

from evals import texts
from evals.figures import record, this_command
from evals.speed_table import Figures, shown, values, write_table

SCALING = Path(__file__).parent.parent / "docs/scaling.md"

RETRIEVALS = 200
ANSWERS = 100
CHANGES = 3
STARTS = 5
STOCK_CHUNKS = 400


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the public data sets")
    parser.add_argument("--work", type=Path, required=True, help="folder that keeps corpora, stores and figures")
    parser.add_argument("--chunks", type=int, nargs="+", default=[1000, 10_000, 100_000], help="sizes to measure at")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--again", action="store_true", help="measure what was measured before, too")
    parser.add_argument("--stock-model", type=Path, help="folder of the fp32 model for the stock pipeline")
    parser.add_argument("--table", action="store_true", help="measure nothing")
    parser.add_argument("--record", action="store_true", help="keep the figures for the README and docs/scaling.md")
    args = parser.parse_args(argv)
    kept = args.work / "speed.json"
    figures = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    for name, step, folder in [] if args.table else plan(args):
        if name in figures and not args.again:
            continue
        print(f"{time.strftime('%H:%M:%S')} {name}", file=sys.stderr, flush=True)
        figures[name] = measured(STEPS[step], folder, args)
        print(f"{time.strftime('%H:%M:%S')} {name}: {figures[name]}", file=sys.stderr, flush=True)
        kept.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(shown(figures))
    if args.record:
        record("Speed and growth", this_command(), values(figures))
        write_table(SCALING, figures)


def plan(args: argparse.Namespace) -> list[tuple[str, str, Path]]:
    """(name, step, folder) of all that is to be measured: the stock pipeline once, the other steps at each size."""
    if args.data is None:
        raise SystemExit("say where the public data sets are: --data FOLDER")
    once = [("stock", "stock", args.work / "stock")] if "stock" in args.steps else []
    sized = [step for step in STEPS if step in args.steps and step != "stock"]
    return once + [(f"{step} {size}", step, args.work / str(size)) for size in args.chunks for step in sized]


def measured(step: Step, folder: Path, args: argparse.Namespace) -> Figures:
    """A step's figures and the peak memory of the process that it had to itself."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        figures = process.submit(step, folder, args).result()
        return figures | {"peak MB": process.submit(peak_memory).result()}


def peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


# -- the steps ----------------------------------------------------------------------------------------------------


def sync(folder: Path, args: argparse.Namespace, chunks: int = 0) -> Figures:
    """The first sync, from files to index."""
    if not (folder / "corpus").exists():
        texts.write_corpus(args.data, folder / "corpus", chunks or int(folder.name))
        time.sleep(2.5)  # until the files' times can be trusted
    shutil.rmtree(folder / "store", ignore_errors=True)
    assistant = warm(folder)
    clock = Clock()
    report = assistant.sync(Progress())
    wall, cpu = clock.stop()
    return {
        "articles": len(report.added),
        "chunks": report.chunks,
        "seconds": wall,
        "CPU seconds": cpu,
        "disk MB": megabytes(folder / "store"),
    }


def stock(folder: Path, args: argparse.Namespace) -> Figures:
    """Our sync and the stock pipeline on the same chunks, one after the other, each in a process of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    ours = measured(sync_for_stock, folder, args)
    theirs = measured(stock_alone, folder, args)
    told = {f"ours {name}": value for name, value in ours.items()}
    return told | {f"stock {name}": value for name, value in theirs.items()}


def sync_for_stock(folder: Path, args: argparse.Namespace) -> Figures:
    return sync(folder, args, STOCK_CHUNKS)


def stock_alone(folder: Path, args: argparse.Namespace) -> Figures:
    from evals.stock import StockEmbedding, index
    from rag.embedding import contextual

    generation = opened(folder).store.current()
    assert generation is not None
    chunks = [contextual(chunk) for chunk in generation.all_chunks()]
    embedding = StockEmbedding(args.stock_model)
    clock = Clock()
    rows = index(chunks, folder / "index", embedding)
    wall, cpu = clock.stop()
    return {"chunks": rows, "seconds": wall, "CPU seconds": cpu, "disk MB": megabytes(folder / "index")}


def unchanged(folder: Path, args: argparse.Namespace) -> Figures:
    """A sync that finds nothing to do, opening the store included."""
    return resync(folder)


def changed(folder: Path, args: argparse.Namespace) -> Figures:
    """A sync after one article got a paragraph more; the median of several."""
    corpus = folder / "corpus"
    runs = []
    for file in islice(sorted(corpus.iterdir()), CHANGES):
        with file.open("a", encoding="utf-8") as stream:
            stream.write(f"\nA paragraph was added at {time.time_ns()}.\n")
        runs.append(resync(folder))
    return sorted(runs, key=lambda run: run["seconds"])[CHANGES // 2]


def resync(folder: Path) -> Figures:
    assistant = warm(folder)
    clock = Clock()
    report = assistant.sync()
    wall, cpu = clock.stop()
    return {"articles": len(report.unchanged), "chunks": report.chunks, "seconds": wall, "CPU seconds": cpu}


def queries(folder: Path, args: argparse.Namespace) -> Figures:
    """Questions to a warm assistant: retrieval alone, and whole answers by the reader."""
    from rag.retrieval import retrieve

    assistant = opened(folder)
    assistant.warm_up()
    clock = Clock()
    generation = assistant.store.current()
    assert generation is not None
    figures = {"open ms": clock.stop()[0] * 1000}
    asked = texts.questions(args.data, RETRIEVALS)
    figures |= timed("retrieve", asked, lambda question: retrieve([question], generation, assistant.embedding, 24))
    return figures | timed("answer", asked[:: RETRIEVALS // ANSWERS], assistant.query)


def start(folder: Path, args: argparse.Namespace) -> Figures:
    """``rag query`` on the synced store, from the start of its process to its end; the medians of several."""
    question = texts.questions(args.data, 1)[0]
    command = [sys.executable, "-m", "rag", "query", question]
    command += ["--corpus", str(folder / "corpus"), "--store", str(folder / "store")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RAG_", "OPENAI_"))}
    runs = []
    for _ in range(STARTS + 1):
        began, before = time.perf_counter(), children_cpu()
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        runs.append((time.perf_counter() - began, children_cpu() - before))
    walls, cpus = zip(*runs[1:], strict=True)  # the first one reads the files from the disk
    return {"seconds": statistics.median(walls), "CPU seconds": statistics.median(cpus)}


Step = Callable[[Path, argparse.Namespace], Figures]
STEPS: dict[str, Step] = {
    "stock": stock,
    "sync": sync,
    "unchanged": unchanged,
    "queries": queries,
    "start": start,
    "changed": changed,
}

# -- what they share ------------------------------------------------------------------------------------------------


class Clock:
    """Seconds that pass, and those that the CPUs work for this process: the second is true on a busy machine too."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self) -> tuple[float, float]:
        return time.perf_counter() - self._wall, time.process_time() - self._cpu


class Progress:
    """Tells on stderr, every ten seconds, how far a sync is and when it may be done."""

    def __init__(self) -> None:
        self._began = self._told = time.monotonic()

    def __call__(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        if now - self._told >= 10:
            self._told = now
            left = (now - self._began) / done * (total - done)
            print(f"  {what}: {done:,} of {total:,}, {left:,.0f} s to go", file=sys.stderr, flush=True)


def opened(folder: Path) -> Any:
    from rag.assistant import Assistant
    from rag.settings import Settings

    return Assistant(Settings(corpus=folder / "corpus", store=folder / "store", answerer="reader"))


def warm(folder: Path) -> Any:
    """The same with all loaded that a process loads once: 0.8 s, which belong to no one sync."""
    import chromadb.api.rust  # noqa: F401
    import tantivy  # noqa: F401

    assistant = opened(folder)
    assistant.embedding.embed_query("warm up")
    return assistant


def timed(name: str, questions: Sequence[str], call: Callable[[str], object]) -> Figures:
    """Milliseconds a question; the first ones, which load what later ones use, aren't counted."""
    for question in questions[:3]:
        call(question)
    seconds = []
    for question in questions:
        began = time.perf_counter()
        call(question)
        seconds.append(time.perf_counter() - began)
    p95 = statistics.quantiles(seconds, n=20)[-1]
    return {f"{name} p50 ms": statistics.median(seconds) * 1000, f"{name} p95 ms": p95 * 1000}


def children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    main()
