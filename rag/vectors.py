"""Chunks by their vectors: one Chroma collection. The only file that knows chromadb."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from rag.errors import StoreDamagedError, StoreError
from rag.files import was_refused
from rag.native import NativeCollection, is_known
from rag.types import Chunk, Metadata

COLLECTION = "chunks"
TIMEOUT = 30.0
"""Seconds a server may take for one request."""

BATCH = 5000
"""Rows a call; Chroma takes up to 5,461."""


class Vectors:
    """Chunks and their unit vectors in a Chroma collection that stock Chroma and LlamaIndex clients can open too.

    A row is the chunk's text (the document), its vector, and its source, offsets and metadata.
    """

    def __init__(
        self, client: Any, collection: Any, where: str, unreadable: type[StoreError] = StoreDamagedError
    ) -> None:
        self._client = client
        self._collection = collection
        self._where = where
        self._unreadable = unreadable

    @classmethod
    def create(cls, path: Path) -> Vectors:
        """An empty collection in the new folder ``path``."""
        with chroma_errors(StoreError, path):
            client = _local(path)
            # Every batch is written out, so that opening has no log to replay and reading changes no file of the graph.
            configuration = {"hnsw": {"space": "cosine", "sync_threshold": 1, "batch_size": 1}}
            # Without embedding_function=None Chroma takes a default one, which downloads a model.
            collection = client.create_collection(COLLECTION, configuration=configuration, embedding_function=None)
            return cls(client, collection, str(path))

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Vectors:
        """The collection in ``path``; StoreDamagedError if it can't be read. ``read_only`` opens in a moment."""
        with chroma_errors(StoreDamagedError, path):
            if not (path / "chroma.sqlite3").is_file():  # Chroma would make an empty one
                raise FileNotFoundError("chroma.sqlite3 is missing")
            if read_only and is_known():
                native = NativeCollection(path, COLLECTION)
                return cls(native, native, str(path))
            client = _local(path)
            return cls(client, client.get_collection(COLLECTION, embedding_function=None), str(path))

    def close(self) -> None:
        """Let go of files and memory. Chroma keeps every path's client alive until it is closed."""
        self._client.close()

    def __len__(self) -> int:
        with chroma_errors(self._unreadable, self._where):
            return self._collection.count()

    def add(self, chunks: Sequence[Chunk], vectors: np.ndarray) -> None:
        """Store chunks with their vectors, float32, shape ``[len(chunks), dimension]``. Same ids replace."""
        with chroma_errors(StoreError, self._where):
            for start in range(0, len(chunks), BATCH):
                some = chunks[start : start + BATCH]
                self._collection.upsert(
                    ids=[chunk.id for chunk in some],
                    embeddings=vectors[start : start + BATCH],
                    documents=[chunk.text for chunk in some],
                    metadatas=[_metadata(chunk) for chunk in some],
                )

    def remove(self, ids: Sequence[str]) -> None:
        """Delete rows."""
        with chroma_errors(StoreError, self._where):
            for start in range(0, len(ids), BATCH):
                self._collection.delete(ids=list(ids[start : start + BATCH]))

    def search(self, vector: np.ndarray, k: int) -> list[tuple[str, float]]:
        """Up to ``k`` (chunk id, cosine), nearest first."""
        if k < 1:
            return []
        with chroma_errors(self._unreadable, self._where):
            found = self._collection.query(query_embeddings=vector[None, :], n_results=k, include=["distances"])
        return [(id, 1.0 - distance) for id, distance in zip(found["ids"][0], found["distances"][0], strict=True)]

    def chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """The chunks with these ids, in this order; StoreDamagedError if one is missing."""
        return [chunk for chunk, _ in self._rows(ids, ["documents", "metadatas"])]

    def vectors(self, ids: Sequence[str]) -> list[tuple[Chunk, np.ndarray]]:
        """The same with each chunk's vector."""
        return self._rows(ids, ["documents", "metadatas", "embeddings"])

    def _rows(self, ids: Sequence[str], include: list[Any]) -> list[tuple[Chunk, Any]]:
        found: dict[str, tuple[Chunk, Any]] = {}
        wanted = list(dict.fromkeys(ids))  # Chroma refuses to be asked for one twice
        for start in range(0, len(wanted), BATCH):
            with chroma_errors(self._unreadable, self._where):
                rows = self._collection.get(ids=wanted[start : start + BATCH], include=include)
                vectors = rows["embeddings"] if "embeddings" in include else [None] * len(rows["ids"])
                for id, text, about, vector in zip(
                    rows["ids"], rows["documents"], rows["metadatas"], vectors, strict=True
                ):
                    found[id] = _chunk(id, text, about), vector
        if lost := [id for id in ids if id not in found]:
            raise StoreDamagedError(f"Chroma on {self._where} lacks chunk {lost[0]}: run `rag sync --rebuild`")
        return [found[id] for id in ids]


def _local(path: Path) -> Any:
    import chromadb

    return chromadb.PersistentClient(str(path), chromadb.Settings(anonymized_telemetry=False))


def connect(url: str) -> Any:
    """A client of the Chroma server at ``url``: ``http[s]://[:TOKEN@]HOST[:PORT][/TENANT/DATABASE]``.

    StoreError if it doesn't answer, now or, ``TIMEOUT`` seconds a request, later.
    """
    import chromadb
    import httpx

    target = urlsplit(url)
    tenant, _, database = target.path.strip("/").partition("/")
    with chroma_errors(StoreError, f"the server {target.hostname}"):
        # Chroma's client waits forever for a server that accepts a connection and says nothing.
        httpx.get(f"{target.scheme}://{target.netloc}/api/v2/heartbeat", timeout=TIMEOUT).raise_for_status()
        client: Any = chromadb.HttpClient(
            host=target.hostname or "",
            port=target.port or (443 if target.scheme == "https" else 8000),
            ssl=target.scheme == "https",
            headers={"x-chroma-token": target.password} if target.password else None,
            settings=chromadb.Settings(anonymized_telemetry=False),
            tenant=tenant or chromadb.DEFAULT_TENANT,
            database=database or chromadb.DEFAULT_DATABASE,
        )
        client._server._session.timeout = TIMEOUT
        return client


def _metadata(chunk: Chunk) -> dict[str, str | int]:
    """A row's metadata, flat, and without what is empty: Chroma writes a row of its own for each value."""
    about = chunk.metadata
    values = {
        "source": chunk.source,
        "title": about.title,
        "authors": "\n".join(about.authors),
        "publisher": about.publisher,
        "date": about.date,
        "kind": chunk.kind,
        "sentences": " ".join(f"{start}-{end}" for start, end in chunk.sentences),
    }
    return {"start": chunk.start, "end": chunk.end} | {key: value for key, value in values.items() if value}


def _chunk(id: str, text: str, row: Any) -> Chunk:
    sentences = (span.split("-") for span in row.get("sentences", "").split())
    return Chunk(
        id=id,
        source=row["source"],
        start=row["start"],
        end=row["end"],
        text=text,
        sentences=tuple((int(start), int(end)) for start, end in sentences),
        metadata=Metadata(
            title=row.get("title", ""),
            authors=tuple(filter(None, row.get("authors", "").split("\n"))),
            publisher=row.get("publisher", ""),
            date=row.get("date", ""),
        ),
        kind=row["kind"],
    )


@contextmanager
def chroma_errors(kind: type[StoreError], where: object) -> Iterator[None]:
    """Chroma's errors, and those of the connection to its server, as ours, in one line."""
    try:
        yield
    except _http_error() as error:
        raise StoreError(
            f"Chroma on {where} can't be reached ({error}): is it running, and chroma_url right?"
        ) from error
    except (_chroma_error(), ValueError, KeyError, TypeError, RuntimeError, OSError) as error:
        problem = f"Chroma on {where} failed: {' '.join(str(error).split())[:300]}"
        if kind is StoreDamagedError and not was_refused(problem):
            raise StoreDamagedError(f"{problem}: run `rag sync --rebuild`") from error
        raise StoreError(problem) from error


# Imported only once something has failed: reading needs neither library.


def _http_error() -> type[Exception]:
    from httpx import HTTPError

    return HTTPError


def _chroma_error() -> type[Exception]:
    from chromadb.errors import ChromaError

    return ChromaError
