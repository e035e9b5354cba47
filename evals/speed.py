"""How fast the index is, and how it grows: sync against stock LlamaIndex + Chroma, queries, re-syncs, start-up.

    python -m evals.speed sync   --data DATA --articles 300
    python -m evals.speed growth --data DATA --scale 1000 10000 100000

DATA holds news articles as JSON lines with ``title`` and ``text`` in its subfolders (BBC News, Reuters-21578).

``sync`` times the product's sync, from files to index, and then a stock LlamaIndex pipeline (SentenceSplitter,
VectorStoreIndex, ChromaVectorStore) on the same chunks, with the same MiniLM in fp32 through Chroma's own ONNX code,
which downloads it unless ``--stock-model FOLDER`` holds it (``FOLDER/onnx/model.onnx``, ...).

``growth`` measures the index apart from the embedder: the first 1,000 chunks are embedded, the
others get the vector of one of them with noise.
Each figure is taken in a process of its own.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

MODELS = Path(__file__).parent.parent / "rag" / "models"
QUERIES = 200
CENTRES = 1000  # chunks that are embedded in earnest
CHUNKS_PER_ARTICLE = 1.8  # on the average of Reuters and BBC


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("section", choices=["sync", "growth"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--articles", type=int, default=300, help="articles that sync is timed on")
    parser.add_argument("--scale", type=int, nargs="+", default=[1000, 10_000, 100_000], help="sizes in chunks")
    parser.add_argument("--stock-model", type=Path, help="folder of the fp32 model for the stock pipeline")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        if args.section == "sync":
            compare(args.data, Path(folder), args.articles, args.stock_model)
        else:
            for scale in args.scale:
                grow(args.data, Path(folder) / str(scale), scale)


# -- sync against stock -------------------------------------------------------------------------------------------


def compare(data: Path, folder: Path, articles: int, stock_model: Path | None) -> None:
    write_corpus(data, folder / "corpus", articles)
    ours = measured(sync_ours, folder)
    stock = measured(sync_stock, folder, stock_model)
    for name, figures in (("ours", ours), ("stock", stock)):
        print(f"{name:6}", show(figures))
    per_second, per_cpu = ours["chunks/s"] / stock["chunks/s"], stock["CPU seconds"] / ours["CPU seconds"]
    print(f"ratio  {per_second:.1f} times the chunks a second, {per_cpu:.1f} times a CPU second")


def sync_ours(folder: Path) -> dict[str, float]:
    from rag.embedding import BundledEmbedding
    from rag.store import Store
    from rag.syncing import sync

    embedding = BundledEmbedding(MODELS)
    import_libraries()
    clock = Clock()
    report = sync(folder / "corpus", Store(folder / "ours", embedding.name, embedding.dimension), embedding)
    return rates(report.chunks, clock, folder / "ours")


def sync_stock(folder: Path, stock_model: Path | None) -> dict[str, float]:
    import chromadb
    from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2
    from llama_index.core import Document, StorageContext, VectorStoreIndex
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.vector_stores.chroma import ChromaVectorStore

    from rag.embedding import BundledEmbedding, contextual
    from rag.store import Store

    model = ONNXMiniLM_L6_V2()
    if stock_model:
        model.DOWNLOAD_PATH = stock_model

    class StockEmbedding(BaseEmbedding):
        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            return [vector.tolist() for vector in model(texts)]

        def _get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embeddings([text])[0]

        def _get_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embedding(query)

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embedding(query)

    embedding = BundledEmbedding(MODELS)
    generation = Store(folder / "ours", embedding.name, embedding.dimension).current()
    assert generation is not None
    documents = [Document(text=contextual(chunk)) for chunk in generation.all_chunks()]
    model(["warm up"])
    clock = Clock()
    client = chromadb.PersistentClient(str(folder / "stock"), chromadb.Settings(anonymized_telemetry=False))
    collection = client.create_collection("stock", embedding_function=None)
    context = StorageContext.from_defaults(vector_store=ChromaVectorStore(chroma_collection=collection))
    splitter = SentenceSplitter()  # of 1,024 tokens, so that each of our chunks stays one
    VectorStoreIndex.from_documents(
        documents, storage_context=context, embed_model=StockEmbedding(), transformations=[splitter]
    )
    return rates(collection.count(), clock, folder / "stock")


def rates(chunks: int, clock: Clock, folder: Path) -> dict[str, float]:
    wall, cpu = clock.stop()
    rate = {"chunks": chunks, "seconds": wall, "CPU seconds": cpu, "chunks/s": chunks / wall}
    return rate | {"disk MB": megabytes(folder)}


# -- growth -------------------------------------------------------------------------------------------------------


def grow(data: Path, folder: Path, chunks: int) -> None:
    corpus = folder / "corpus"
    write_corpus(data, corpus, round(chunks / CHUNKS_PER_ARTICLE))
    print(f"{chunks:,} chunks asked for")
    print("  build    ", show(measured(sync_noisy, folder)), flush=True)
    time.sleep(2.5)  # until the files' times can be trusted
    measured(sync_noisy, folder)
    print("  unchanged", show(measured(sync_noisy, folder)), flush=True)
    changed = next(corpus.iterdir())
    changed.write_text(changed.read_text() + "\n\nA paragraph was added to this article, about zebras.\n")
    print("  one changed", show(measured(sync_noisy, folder)), flush=True)
    print("  queries  ", show(measured(query, folder)), flush=True)


class NoisyEmbedding:
    """Vectors that lie much as real ones do, for the price of random numbers: those of the first chunks, with noise."""

    name = "noisy"
    dimension = 384

    def __init__(self) -> None:
        self._centres = np.empty((0, 384), np.float32)
        self._chance = np.random.default_rng(0)

    @cached_property
    def real(self) -> Any:
        from rag.embedding import BundledEmbedding

        return BundledEmbedding(MODELS)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        if len(self._centres) < CENTRES:
            self._centres = np.concatenate([self._centres, self.real.embed(list(texts))])
            return self._centres[len(self._centres) - len(texts) :]
        vectors = self._centres[self._chance.integers(len(self._centres), size=len(texts))]
        vectors = vectors + 0.03 * self._chance.normal(size=vectors.shape).astype(np.float32)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    def embed_query(self, text: str) -> np.ndarray:
        return self.real.embed_query(text)

    def count_tokens(self, text: str) -> int:
        return self.real.count_tokens(text)


def sync_noisy(folder: Path) -> dict[str, float]:
    from rag.store import Store
    from rag.syncing import sync

    embedding = NoisyEmbedding()
    embedding.real.embed_query("warm up")
    import_libraries()
    clock = Clock()
    report = sync(folder / "corpus", Store(folder / "store", embedding.name, embedding.dimension), embedding)
    return rates(report.chunks, clock, folder / "store")


def query(folder: Path) -> dict[str, float]:
    from rag.retrieval import retrieve
    from rag.store import Store

    embedding = NoisyEmbedding()
    questions = [
        path.read_text().partition("\n")[0] for path in itertools.islice((folder / "corpus").iterdir(), QUERIES)
    ]
    embedding.embed_query("warm up")
    import_libraries()
    started = time.perf_counter()
    generation = Store(folder / "store", embedding.name, embedding.dimension).current()
    assert generation is not None
    opened = time.perf_counter() - started
    vectors = [embedding.embed_query(question) for question in questions]
    generation.search_vectors(vectors[0], 50)
    figures = {"open ms": opened * 1000}
    figures |= timed("dense", lambda n: generation.search_vectors(vectors[n], 50))
    figures |= timed("lexical", lambda n: generation.search_words(questions[n], 50))
    return figures | timed("retrieve", lambda n: retrieve([questions[n]], generation, embedding, 24))


def timed(name: str, call: Callable[[int], object]) -> dict[str, float]:
    seconds = []
    for number in range(QUERIES):
        started = time.perf_counter()
        call(number)
        seconds.append(time.perf_counter() - started)
    return {
        f"{name} p50 ms": statistics.median(seconds) * 1000,
        f"{name} p95 ms": statistics.quantiles(seconds, n=20)[-1] * 1000,
    }


# -- both ---------------------------------------------------------------------------------------------------------


class Clock:
    """Seconds that pass, and those that the CPUs work for this process: the second is true on a busy machine too."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self) -> tuple[float, float]:
        return time.perf_counter() - self._wall, time.process_time() - self._cpu


def write_corpus(data: Path, corpus: Path, articles: int) -> None:
    """Write that many articles as text files, again from the first, with another title, when they run out."""
    corpus.mkdir(parents=True)
    rows = [row for path in sorted(data.rglob("*.jsonl"), reverse=True) for row in read_rows(path)]
    for number, (title, text) in enumerate(itertools.islice(itertools.cycle(rows), articles)):
        edition = number // len(rows)
        (corpus / f"{number:06}.txt").write_text(f"{title}{f' ({edition})' if edition else ''}\n\n{text}\n")


def read_rows(path: Path) -> Iterator[tuple[str, str]]:
    if path.parent.name not in ("bbc_news", "reuters21578"):
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row.get("title") and len(row.get("text") or "") > 200:
            yield row["title"], row["text"]


def measured(function: Callable[..., dict[str, float]], *arguments: Any) -> dict[str, float]:
    """The function's figures and the peak memory of the process that it had to itself."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        figures = process.submit(function, *arguments).result()
        return figures | {"peak MB": process.submit(peak_memory).result()}


def import_libraries() -> None:
    """So that figures tell of the index alone: a process imports them once, in 0.8 s."""
    import chromadb.api.rust  # noqa: F401
    import tantivy  # noqa: F401


def peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) / 1e6


def show(figures: dict[str, float]) -> str:
    return ", ".join(
        f"{name} {value:,.0f}" if value >= 100 else f"{name} {value:.3g}" for name, value in figures.items()
    )


if __name__ == "__main__":
    main()
