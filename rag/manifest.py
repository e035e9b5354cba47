"""What one generation of the store holds: its articles, its files, and what made them."""

from __future__ import annotations

import gc
import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from rag.errors import StoreDamagedError, StoreError
from rag.types import Chunk, Metadata

FORMAT = 1
"""Raised when the manifest, the rows in Chroma or the fields of the lexical index change."""

Stat = tuple[int, int, int, int]
"""Size, mtime_ns, ctime_ns and inode of a file: while all four stay, its content does."""


@dataclass(frozen=True)
class Entry:
    """One indexed article."""

    sha256: str
    """Of the file's bytes."""
    recipe: str
    """Of all that shapes its chunks besides the file: its known metadata, and the versions of reading and chunking."""
    stat: Stat | None
    """None where the file was too fresh for its stat to be trusted; then the next sync hashes it again."""
    chunks: dict[str, int]
    """The id of each chunk and the checksum of what is stored for it, in the order of the article."""
    metadata: Metadata


@dataclass(frozen=True)
class Manifest:
    """What one generation holds."""

    embedding: str
    dimension: int
    entries: dict[str, Entry] = field(default_factory=dict)
    """By source."""
    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Size and CRC-32 of each file of the generation that reading never changes, by path relative to it."""
    deleted: int = 0
    """Rows deleted since the vectors were last built from nothing: Chroma's graph keeps their place."""

    @property
    def chunks(self) -> int:
        """How many chunks it holds."""
        return sum(len(entry.chunks) for entry in self.entries.values())

    @cached_property
    def checks(self) -> dict[str, int]:
        """The checksum of each chunk, by id."""
        return {id: check for entry in self.entries.values() for id, check in entry.chunks.items()}

    @cached_property
    def fingerprint(self) -> str:
        """Names the corpus as it was indexed: the same articles, read the same way, have the same one."""
        lines = (f"{source} {entry.sha256} {entry.recipe}" for source, entry in sorted(self.entries.items()))
        return _sha256("\n".join(lines).encode("utf-8", "surrogatepass"))[:16]

    def dumps(self) -> bytes:
        """Two lines of JSON: the format and the checksum of the second line, which is the rest."""
        about = {"embedding": self.embedding, "dimension": self.dimension, "deleted": self.deleted}
        with _collector_paused():
            rows = {source: _row(entry) for source, entry in self.entries.items()}
            body = json.dumps(about | {"files": self.files, "entries": rows}, separators=(",", ":")).encode()
        return json.dumps({"format": FORMAT, "sha256": _sha256(body)}).encode() + b"\n" + body + b"\n"

    @classmethod
    def loads(cls, data: bytes, where: object) -> Manifest:
        """The inverse of ``dumps``; StoreError for another format, StoreDamagedError for bytes that were altered."""
        head, _, body = data.rstrip(b"\n").partition(b"\n")
        try:
            header = json.loads(head)
            format, checksum = header["format"], header["sha256"]
        except (ValueError, KeyError, TypeError) as error:
            raise StoreDamagedError(f"{where} is damaged: run `rag sync --rebuild`") from error
        if format != FORMAT:
            raise StoreError(f"{where} has format {format}, this version reads {FORMAT}: run `rag sync --rebuild`")
        if _sha256(body) != checksum:
            raise StoreDamagedError(f"{where} is damaged: run `rag sync --rebuild`")
        with _collector_paused():
            values = json.loads(body)
            entries = {source: _entry(row) for source, row in values["entries"].items()}
        files = {path: (size, crc) for path, (size, crc) in values["files"].items()}
        return cls(values["embedding"], values["dimension"], entries, files, values["deleted"])


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Without garbage collection, which takes a third of the time that a large manifest needs, and finds nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def checksum(chunk: Chunk) -> int:
    """CRC-32 of all that is stored of a chunk."""
    about = chunk.metadata
    place = (chunk.id, chunk.source, chunk.start, chunk.end, chunk.kind, chunk.sentences)
    stored = repr((*place, about.title, about.authors, about.publisher, about.date, chunk.text))
    return zlib.crc32(stored.encode("utf-8", "surrogatepass"))


def _row(entry: Entry) -> list[object]:
    about = entry.metadata
    metadata = [about.title, about.authors, about.publisher, about.date]
    return [entry.sha256, entry.recipe, entry.stat, entry.chunks, metadata]


def _entry(row: list) -> Entry:
    sha256, recipe, stat, chunks, (title, authors, publisher, date) = row
    metadata = Metadata(title, tuple(authors), publisher, date)
    return Entry(sha256, recipe, tuple(stat) if stat else None, chunks, metadata)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
