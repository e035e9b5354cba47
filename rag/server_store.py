"""The index on a Chroma server, shared by several assistants: the way past one machine.

The vectors of all generations lie in one collection. A row never changes: its id holds a checksum of its content. So a
sync adds what is new, writes down the generation's manifest, and switches the pointer; a reader takes no notice of rows
that its generation doesn't hold, and so never sees half a sync. Rows of a generation that was replaced are deleted by
the first sync after ``GRACE``. Each client keeps a lexical index of its own, which follows the generation.

    rag-chunks          vectors, texts, metadata
    rag-generations     the manifest of each generation in pieces, and the row "current", the pointer
    rag-lease-<n>       the highest one names who may write, and until when
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from rag.errors import StoreDamagedError, StoreError
from rag.generation import FLUSH, Draft, Generation, copy_lexical, finish, sweep
from rag.lease import Lease
from rag.lexical import LexicalIndex
from rag.manifest import Manifest, Stat
from rag.types import Chunk
from rag.vectors import BATCH, Vectors, chroma_errors, connect

GRACE = 600.0
"""Seconds a generation that was replaced can still be read: longer than any answer takes."""

PIECE = 12_000
"""Characters of a manifest a row; hosted Chroma takes 16 KB."""


class SharedVectors(Vectors):
    """The rows of one generation in the collection that holds the rows of all."""

    def __init__(self, client: Any, collection: Any, where: str, checks: Mapping[str, int]) -> None:
        super().__init__(client, collection, where, StoreError)
        self._row_ids = {id: _row_id(id, check) for id, check in checks.items()}
        self._ids = {row_id: id for id, row_id in self._row_ids.items()}

    def __len__(self) -> int:
        return len(self._ids)

    def close(self) -> None:
        """Nothing: the connection is the store's."""

    def search(self, vector: np.ndarray, k: int) -> list[tuple[str, float]]:
        """As ``Vectors.search``, asking for more until ``k`` of the rows found are this generation's."""
        wanted = min(k, len(self))
        asked = wanted + 10
        while True:
            rows = super().search(vector, asked)
            found = [(self._ids[row_id], cosine) for row_id, cosine in rows if row_id in self._ids]
            if len(found) >= wanted or len(rows) < asked:
                return found[:k]
            asked *= 4

    def _rows(self, ids: Sequence[str], include: list[Any]) -> list[tuple[Chunk, Any]]:
        rows = super()._rows([self._row_ids[id] for id in ids], include)
        return [(replace(chunk, id=self._ids[chunk.id]), vector) for chunk, vector in rows]


class ServerDraft(Draft):
    """The next generation on the server while a sync builds it."""

    def __init__(self, vectors: Vectors, manifest: Manifest, base: Generation | None) -> None:
        super().__init__(Path(), manifest, base)
        self._vectors = vectors
        self._changed = False

    def remove(self, source: str) -> None:
        """Take an article out, if it is in. Its rows stay until nobody reads a generation that holds them."""
        self.manifest.entries.pop(source, None)
        self._changed = True

    def refresh(self, source: str, stat: Stat) -> None:
        """Note the new stat of an article whose content is unchanged."""
        super().refresh(source, stat)
        self._changed = True

    def seal(self) -> bool:
        """Send what is left. Whether there is a new generation."""
        self._flush()
        return self._changed

    def _flush(self) -> None:
        checks = {
            id: check for chunk, _ in self._added for id, check in self.manifest.entries[chunk.source].chunks.items()
        }
        if self._added:
            chunks = [replace(chunk, id=_row_id(chunk.id, checks[chunk.id])) for chunk, _ in self._added]
            self._vectors.add(chunks, np.stack([vector for _, vector in self._added]))
        self._added = []


class ServerStore:
    """The generations on a Chroma server. The same interface as ``Store``; ``path`` holds the local lexical indexes.

    StoreError if the server is down, or slow beyond ``vectors.TIMEOUT``.
    """

    def __init__(self, url: str, path: Path, embedding_name: str, dimension: int) -> None:
        self.url = url
        self.path = path / f"server-{hashlib.sha256(url.encode()).hexdigest()[:12]}"
        self._embedding = embedding_name
        self._dimension = dimension
        self._opening = threading.Lock()
        self._held: Generation | None = None

    def current(self) -> Generation | None:
        """The newest generation, or None before the first sync. Costs one request while there is no newer one."""
        for _ in range(10):  # a sync may replace and delete the generation while its manifest is read
            number = self._pointer()
            if number is None:
                return None
            with self._opening, suppress(FileNotFoundError):
                if self._held is None or self._held.number != number:
                    self._held = self._open(number).require(self._embedding, self._dimension)
                return self._held
        raise StoreDamagedError(f"the server lacks the manifest of generation {number}: run `rag sync --rebuild`")

    @contextmanager
    def write(self, *, rebuild: bool = False) -> Iterator[Draft]:
        """As ``Store.write``."""
        with Lease(self._client) as lease:
            base = None if rebuild else self.current()
            empty = Manifest(self._embedding, self._dimension)
            manifest = replace(base.manifest, entries=dict(base.manifest.entries)) if base else empty
            draft = ServerDraft(self._vectors, manifest, base)
            yield draft
            if draft.seal():
                self._publish(draft.manifest, lease)
            self._collect()

    # -- the server ----------------------------------------------------------------------------------------------------

    @cached_property
    def _client(self) -> Any:
        return connect(self.url)

    @cached_property
    def _chunks(self) -> Any:
        return self._collection("rag-chunks")

    @cached_property
    def _generations(self) -> Any:
        return self._collection("rag-generations")

    def _collection(self, name: str) -> Any:
        with chroma_errors(StoreError, "the server"):
            configuration = {"hnsw": {"space": "cosine"}}
            return self._client.get_or_create_collection(name, configuration=configuration, embedding_function=None)

    @property
    def _vectors(self) -> Vectors:
        return Vectors(self._client, self._chunks, "the server", StoreError)

    def _pointer(self) -> int | None:
        with chroma_errors(StoreError, "the server"):
            rows = self._generations.get(ids=["current"], include=["metadatas"])["metadatas"]
        return rows[0]["generation"] if rows else None

    def _publish(self, manifest: Manifest, lease: Lease) -> None:
        """Write the next generation's manifest down, then switch to it."""
        number = (self._pointer() or 0) + 1
        text = base64.b64encode(zlib.compress(manifest.dumps(), 1)).decode()
        pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
        for start in range(0, len(pieces), 100):
            some = range(start, min(start + 100, len(pieces)))
            self._put([f"{number}-{n}" for n in some], [pieces[n] for n in some], {"generation": number})
        self._put([str(number)], ["manifest"], {"generation": number, "pieces": len(pieces)})
        lease.require()
        self._put(["current"], ["pointer"], {"generation": number})

    def _put(self, ids: list[str], documents: list[str], metadata: dict[str, Any]) -> None:
        vectors = [[0.0, 1.0]] * len(ids)  # Chroma wants one
        with chroma_errors(StoreError, "the server"):
            self._generations.upsert(ids=ids, documents=documents, embeddings=vectors, metadatas=[metadata] * len(ids))

    def _manifest(self, number: int) -> Manifest:
        """FileNotFoundError if the generation is gone."""
        return Manifest.loads(self._manifest_bytes(number), f"generation {number} on the server")

    def _manifest_bytes(self, number: int) -> bytes:
        with chroma_errors(StoreError, "the server"):
            head = self._generations.get(ids=[str(number)], include=["metadatas"])["metadatas"]
            ids = [f"{number}-{n}" for n in range(head[0]["pieces"] if head else 0)]
            pieces: dict[str, str] = {}
            for start in range(0, len(ids), 100):
                found = self._generations.get(ids=ids[start : start + 100], include=["documents"])
                pieces |= zip(found["ids"], found["documents"], strict=True)
        if not ids or len(pieces) < len(ids):
            raise FileNotFoundError(f"generation {number}")
        with suppress(ValueError, zlib.error):
            return zlib.decompress(base64.b64decode("".join(pieces[id] for id in ids)))
        return b""  # which is no manifest

    def _collect(self) -> None:
        """Delete the generations that were replaced more than GRACE ago, and the rows that no generation holds."""
        current = self._pointer()
        held: set[str] = set()
        with chroma_errors(StoreError, "the server"):
            now = self._client.heartbeat() / 1e9
            heads = self._generations.get(where={"pieces": {"$gt": 0}}, include=["metadatas"])["metadatas"]
        for head in heads:
            number = head["generation"]
            if number != current and "replaced" not in head:
                head["replaced"] = now
                self._put([str(number)], ["manifest"], head)
            if number != current and now - head["replaced"] >= GRACE:
                self._delete(number)
            else:
                held |= self._row_ids(number)
        if len(self._vectors) != len(held):
            self._delete_all_but(held)

    def _delete(self, number: int) -> None:
        with chroma_errors(StoreError, "the server"):
            self._generations.delete(where={"generation": number})

    def _row_ids(self, number: int) -> set[str]:
        """The rows of a generation. None of one that nobody can read, being damaged or of another format."""
        with suppress(FileNotFoundError):
            data = self._manifest_bytes(number)
            with suppress(StoreError):
                checks = Manifest.loads(data, f"generation {number}").checks
                return {_row_id(id, check) for id, check in checks.items()}
        return set()

    def _delete_all_but(self, held: set[str]) -> None:
        rows: list[str] = []
        with chroma_errors(StoreError, "the server"):
            while page := self._chunks.get(limit=BATCH, offset=len(rows), include=[])["ids"]:
                rows += page
        self._vectors.remove([row for row in rows if row not in held])

    # -- the lexical index of this client ------------------------------------------------------------------------------

    def _open(self, number: int) -> Generation:
        """The generation with this client's lexical index of it, made where it isn't there yet."""
        folder = self.path / str(number)
        with suppress(FileNotFoundError, StoreDamagedError):
            return Generation(folder, self._shared)
        self.path.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path / "follow.lock"):
            with suppress(FileNotFoundError, StoreDamagedError):  # another process may have made it meanwhile
                return Generation(folder, self._shared)
            self._follow(folder)
            return Generation(folder, self._shared)

    def _shared(self, manifest: Manifest) -> Vectors:
        return SharedVectors(self._client, self._chunks, "the server", manifest.checks)

    def _follow(self, folder: Path) -> None:
        """Make the lexical index of a generation from that of the one before and the texts on the server."""
        manifest = self._manifest(int(folder.name))
        vectors = self._shared(manifest)
        draft = folder.with_name(f"draft{folder.name}")
        for leftover in (draft, folder):
            shutil.rmtree(leftover, ignore_errors=True)
        lexical, old = self._newest_lexical(draft)
        lexical.update(remove_ids=[id for id, check in old.items() if manifest.checks.get(id) != check])
        new = [id for id, check in manifest.checks.items() if old.get(id) != check]
        for start in range(0, len(new), FLUSH):
            lexical.update(vectors.chunks(new[start : start + FLUSH]))
        lexical.commit()
        finish(draft, manifest)
        draft.rename(folder)
        sweep(self.path, folder.name)

    def _newest_lexical(self, draft: Path) -> tuple[LexicalIndex, Mapping[str, int]]:
        """A copy in ``draft`` of the newest lexical index that is here, with what it holds; else an empty one."""
        numbers = [int(path.name) for path in self.path.iterdir() if path.name.isdecimal()]
        for number in sorted(numbers, reverse=True):
            with suppress(FileNotFoundError, StoreDamagedError, StoreError):
                base = Generation(self.path / str(number), self._shared)
                copy_lexical(base.path, draft)
                return LexicalIndex.open(draft / "lexical"), base.manifest.checks
        return LexicalIndex.create(draft / "lexical"), {}


def _row_id(id: str, check: int) -> str:
    return f"{id}-{check:08x}"
