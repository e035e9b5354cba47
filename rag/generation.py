"""One generation of the index: a folder with vectors, words and a manifest; read as a whole, or drafted by a sync."""

from __future__ import annotations

import os
import shutil
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from rag.errors import EmbeddingMismatchError, StoreDamagedError, StoreError
from rag.files import crc32, exclusive, link_or_copy, seal, share, writable_copy, write_atomically
from rag.lexical import LexicalIndex
from rag.manifest import Entry, Manifest, Stat, checksum
from rag.types import Chunk, Metadata
from rag.vectors import Vectors

CHECKED_BYTES = 256_000_000
"""A generation up to this size has every byte checked when it is opened (at most 0.15 s), a larger one the sizes of its
files, and every byte when a sync builds on it. Chroma's SQLite file is left out, because Chroma changes it when opening
it; instead each chunk is checked when it is read."""

FLUSH = 1000
"""Chunks that are written together."""

REWRITTEN = 5000
"""Up to this many chunks, words are indexed anew after a deletion (in at most 0.5 s), so that what is found depends on
the corpus as it is and not on what it was. In a larger one, what a deletion leaves in the scores weighs little."""


class Generation:
    """One immutable state of the index. Safe to use from several threads; lets go of its files when garbage."""

    def __init__(self, path: Path, vectors: Callable[[Manifest], Vectors] | None = None) -> None:
        """Open the generation in ``path``, with its vectors from there or from where ``vectors`` has them.

        FileNotFoundError if it is gone, StoreDamagedError if it isn't whole.
        """
        self.path = path
        self.number = int(path.name)
        lock = share(path / "lock")
        weakref.finalize(self, os.close, lock)
        if not os.access(path / "manifest", os.W_OK):  # Chroma and tantivy have to write even to read
            self._copy = writable_copy(path)
            path = self.path = Path(self._copy.name)
        self.manifest = Manifest.loads((path / "manifest").read_bytes(), path / "manifest")
        size = sum(size for size, _ in self.manifest.files.values())
        self.check(every_byte=size <= CHECKED_BYTES)
        self._lexical = LexicalIndex.open(path / "lexical")
        self._vectors = vectors(self.manifest) if vectors else Vectors.open(path / "chroma", read_only=True)
        weakref.finalize(self, self._vectors.close)
        for name, count in (("chroma", len(self._vectors)), ("lexical", len(self._lexical))):
            if count != self.manifest.chunks:
                raise damaged(path / name, f"it holds {count} chunks instead of {self.manifest.chunks}")

    def search_vectors(self, vector: np.ndarray, k: int) -> list[tuple[str, float]]:
        """Up to ``k`` (chunk id, cosine) for a unit vector, nearest first."""
        return self._vectors.search(vector, k)

    def search_words(self, question: str, k: int) -> list[tuple[str, float]]:
        """Up to ``k`` (chunk id, BM25 score) that share a word with the question, best first."""
        return self._lexical.search(question, k)

    def chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """The chunks with these ids, in this order. StoreDamagedError if one isn't what was stored."""
        return [self._whole(chunk) for chunk in self._vectors.chunks(ids)]

    def vectors(self, ids: Sequence[str]) -> list[tuple[Chunk, np.ndarray]]:
        """The same with each chunk's unit vector."""
        return [(self._whole(chunk), vector) for chunk, vector in self._vectors.vectors(ids)]

    def all_chunks(self) -> Iterator[Chunk]:
        """Every chunk, article by article."""
        for entry in self.manifest.entries.values():
            yield from self.chunks(list(entry.chunks))

    def articles(self) -> dict[str, Metadata]:
        """The metadata of each article, by source."""
        return {source: entry.metadata for source, entry in sorted(self.manifest.entries.items())}

    def check(self, *, every_byte: bool) -> None:
        """StoreDamagedError if a file isn't what the manifest says."""
        for name, (size, crc) in self.manifest.files.items():
            file = self.path / name
            if not file.is_file():
                raise damaged(file, "it is missing")
            if file.stat().st_size != size or (every_byte and crc32(file) != crc):
                raise damaged(file, "its content has changed")

    def _whole(self, chunk: Chunk) -> Chunk:
        if checksum(chunk) != self.manifest.checks.get(chunk.id):
            raise damaged(self.path / "chroma", f"what it holds of {chunk.source} has changed")
        return chunk

    def require(self, embedding: str, dimension: int) -> Self:
        """Itself, or EmbeddingMismatchError if it was made with another embedding."""
        made_with = self.manifest.embedding, self.manifest.dimension
        if made_with != (embedding, dimension):
            raise EmbeddingMismatchError(
                f"{self.path} was written with the embedding {made_with[0]} ({made_with[1]} numbers), not {embedding} "
                f"({dimension}): use that one, or run `rag sync --rebuild`"
            )
        return self


class Draft:
    """The next generation while a sync builds it. Nothing is copied or written before the first change."""

    def __init__(self, path: Path, manifest: Manifest, base: Generation | None) -> None:
        self.path = path
        self.base = base
        self.manifest = manifest
        self._stores: tuple[Vectors, LexicalIndex] | None = None
        self._removed: list[str] = []
        self._added: list[tuple[Chunk, np.ndarray]] = []
        self._deleted = 0
        self._refreshed = False

    def add(self, source: str, entry: Entry, chunks: Sequence[Chunk], vectors: Sequence[np.ndarray]) -> None:
        """Put an article in, in the place of what its source held; ``vectors[i]`` belongs to ``chunks[i]``."""
        self.remove(source)
        self.manifest.entries[source] = entry
        self._added += zip(chunks, vectors, strict=True)
        if len(self._added) >= FLUSH:
            self._flush()

    def remove(self, source: str) -> None:
        """Take an article out, if it is in."""
        self._open()
        entry = self.manifest.entries.pop(source, None)
        self._removed += entry.chunks if entry else ()

    def refresh(self, source: str, stat: Stat) -> None:
        """Note the new stat of an article whose content is unchanged."""
        self.manifest.entries[source] = replace(self.manifest.entries[source], stat=stat)
        self._refreshed = True

    def seal(self) -> bool:
        """Make what was written durable. Whether that is a new generation, to be switched to."""
        if self._stores is None:
            if self._refreshed and self.base:
                write_atomically(self.base.path / "manifest", self.manifest.dumps())
            return False
        self._flush()
        vectors, lexical = self._stores
        if self._deleted and self.manifest.chunks <= REWRITTEN:
            lexical.clear()
            ids = [id for _, entry in sorted(self.manifest.entries.items()) for id in entry.chunks]
            lexical.update(vectors.chunks(ids))
        lexical.commit()
        if not len(vectors) == len(lexical) == self.manifest.chunks:
            raise StoreError(f"writing {self.path} failed: {len(vectors)} of {self.manifest.chunks} chunks arrived")
        self.close()
        finish(self.path, replace(self.manifest, deleted=self._deleted))
        return True

    def close(self) -> None:
        """Let go of the files."""
        if self._stores:
            self._stores[0].close()
            self._stores = None

    def _open(self) -> tuple[Vectors, LexicalIndex]:
        if self._stores is None:
            self.path.mkdir(parents=True)
            if self.base is None:
                self._stores = self._empty()
            else:
                self.base.check(every_byte=True)
                mostly_deleted = self.base.manifest.deleted > self.base.manifest.chunks
                self._stores = self._rebuilt(self.base) if mostly_deleted else self._copied(self.base)
        return self._stores

    def _empty(self) -> tuple[Vectors, LexicalIndex]:
        return Vectors.create(self.path / "chroma"), LexicalIndex.create(self.path / "lexical")

    def _copied(self, base: Generation) -> tuple[Vectors, LexicalIndex]:
        shutil.copytree(base.path / "chroma", self.path / "chroma")
        copy_lexical(base.path, self.path)
        self._deleted = base.manifest.deleted
        return Vectors.open(self.path / "chroma"), LexicalIndex.open(self.path / "lexical")

    def _rebuilt(self, base: Generation) -> tuple[Vectors, LexicalIndex]:
        """A copy without the places of deleted rows, which Chroma's graph never gives back."""
        vectors, lexical = self._empty()
        ids = list(base.manifest.checks)
        for start in range(0, len(ids), FLUSH):
            chunks, rows = zip(*base.vectors(ids[start : start + FLUSH]), strict=True)
            vectors.add(chunks, np.stack(rows))
            lexical.update(chunks)
        return vectors, lexical

    def _flush(self) -> None:
        vectors, lexical = self._open()
        chunks = [chunk for chunk, _ in self._added]
        vectors.remove(self._removed)
        if chunks:
            vectors.add(chunks, np.stack([vector for _, vector in self._added]))
        lexical.update(chunks, self._removed)
        self._deleted += len(self._removed)
        self._removed, self._added = [], []


def finish(path: Path, manifest: Manifest) -> None:
    """Make the folder of a generation durable and its manifest name its files."""
    files = {}
    if manifest.chunks:  # Chroma makes an empty graph anew whenever it opens it
        files = {file.relative_to(path).as_posix(): seal(file) for file in _unchanging(path)}
    write_atomically(path / "manifest", replace(manifest, files=files).dumps())
    (path / "lock").touch()


def copy_lexical(base: Path, new: Path) -> None:
    """Copy a generation's lexical index; its big files are shared, because tantivy never changes one."""
    locks = shutil.ignore_patterns("*.lock")
    shutil.copytree(base / "lexical", new / "lexical", ignore=locks, copy_function=link_or_copy)


def sweep(folder: Path, keep: str | None) -> None:
    """Delete all generations in ``folder``, drafts too, but ``keep`` and those that somebody reads."""
    for path in folder.iterdir():
        if path.name == keep or not path.is_dir():
            continue
        trash = path.with_name(f"trash{path.name.removeprefix('trash')}")
        with exclusive(path / "lock") as free, suppress(OSError):  # on Windows, files that somebody reads
            if free:
                path.rename(trash)  # first, so that no reader finds half of it
                shutil.rmtree(trash)


def _unchanging(generation: Path) -> list[Path]:
    files = sorted(path for path in generation.rglob("*") if path.is_file())
    return [path for path in files if path.suffix not in (".lock", ".sqlite3")]


def damaged(path: Path, what: str) -> StoreDamagedError:
    """The error that names a damaged file and its cure."""
    return StoreDamagedError(f"{path} is damaged, {what}: run `rag sync --rebuild`")
