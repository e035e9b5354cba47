"""The index on disk: one generation after the other, each a folder, switched by one atomic rename.

    <store>/current                     the number of the generation that readers use
    <store>/generations/<n>/chroma      vectors, texts, metadata
    <store>/generations/<n>/lexical     BM25 index
    <store>/generations/<n>/manifest    what the other two hold
    <store>/generations/<n>/lock        held shared by every reader of the generation
    <store>/sync.lock, sync.owner       held by the one sync that may write

A sync builds the next generation beside the current one and then replaces ``current``; killed at any moment before
that, it leaves the current one as it was. A generation is deleted once it isn't current and no process reads it.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import StoreBusyError, StoreDamagedError, StoreError
from rag.files import write_atomically
from rag.generation import Draft, Generation, damaged, sweep
from rag.manifest import Manifest


class Store:
    """The generations in one folder. Safe to use from several threads and, one sync at a time, several processes."""

    def __init__(self, path: Path, embedding_name: str, dimension: int) -> None:
        self.path = path
        self._embedding = embedding_name
        self._dimension = dimension
        self._opening = threading.Lock()
        self._held: Generation | None = None
        self._held_stat: tuple[int, int] | None = None

    def current(self) -> Generation | None:
        """The newest generation, or None before the first sync. Costs one stat while there is no newer one.

        StoreDamagedError, EmbeddingMismatchError, or StoreError for another version, if it can't be used.
        """
        with self._opening:
            stat = self._stat()
            if stat is None:
                return None
            if stat != self._held_stat:
                self._held = self._newest()
                self._held_stat = stat
            return self._held

    @contextmanager
    def write(self, *, rebuild: bool = False) -> Iterator[Draft]:
        """A draft that starts as the current generation, or empty with ``rebuild``, and becomes current on leaving.

        StoreBusyError while another sync writes. On any error the draft vanishes and the current generation stays.
        """
        with _storage_errors(self.path), self._writer():
            base = None if rebuild else self.current()
            empty = Manifest(self._embedding, self._dimension)
            manifest = replace(base.manifest, entries=dict(base.manifest.entries)) if base else empty
            draft = Draft(self._next(), manifest, base)
            try:
                yield draft
                if draft.seal():
                    write_atomically(self.path / "current", draft.path.name.encode())
            finally:
                draft.close()
                # Let go of the old generation, so that the sweep may delete it.
                draft.base = base = None
                with self._opening:
                    self._held = self._held_stat = None
                self._sweep()

    def _stat(self) -> tuple[int, int] | None:
        try:
            stat = (self.path / "current").stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"the store {self.path} can't be read: {error.strerror}") from error
        return stat.st_mtime_ns, stat.st_ino

    def _newest(self) -> Generation:
        for _ in range(10):  # a sync may replace and delete a generation between the two reads
            with suppress(FileNotFoundError):
                generation = Generation(self._generations / str(self._current_number()))
                return generation.require(self._embedding, self._dimension)
        raise damaged(self.path / "current", "the generation it names is missing")

    def _current_number(self) -> int:
        text = (self.path / "current").read_bytes()
        if not text.isdigit():
            raise damaged(self.path / "current", "it names no generation")
        return int(text)

    @property
    def _generations(self) -> Path:
        return self.path / "generations"

    @contextmanager
    def _writer(self) -> Iterator[None]:
        """The right to write, which the operating system takes back from a process that dies."""
        self.path.mkdir(parents=True, exist_ok=True)
        owner = self.path / "sync.owner"
        try:
            with FileLock(self.path / "sync.lock", timeout=0):
                owner.write_text(f"process {os.getpid()} on {socket.gethostname()} since {time.strftime('%H:%M:%S')}")
                yield
        except Timeout as error:
            who = owner.read_text() if owner.exists() else "another process"
            raise StoreBusyError(f"{who} is syncing {self.path}: wait until it ends, or stop it") from error

    def _next(self) -> Path:
        """Where the next generation goes. Takes away what a killed sync left."""
        self._generations.mkdir(exist_ok=True)
        self._sweep()
        numbers = [int(path.name) for path in self._generations.iterdir() if path.name.isdecimal()]
        return self._generations / str(max(numbers, default=0) + 1)

    def _sweep(self) -> None:
        """Delete each generation, drafts too, that isn't current and that nobody reads."""
        current = None
        with suppress(FileNotFoundError, StoreDamagedError):
            current = str(self._current_number())
        sweep(self._generations, current)


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    """What the operating system refuses (a full disk, a read-only folder) as ours, in one line."""
    try:
        yield
    except OSError as error:
        # A failed copy of a folder is a list of (from, to, reason).
        reason = error.args[0][0][2] if isinstance(error, shutil.Error) else error.strerror or error
        raise StoreError(f"the store {path} can't be written: {reason}") from error
