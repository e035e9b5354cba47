"""Bringing the index up to date with the folder of articles: only what is new or changed is read and embedded.

Three stages run side by side on windows of chunks, so that memory stays flat and no core waits: the next window is read
and chunked while this one is embedded and the last one is written.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag import articles, chunking
from rag.embedding import Embedding, contextual
from rag.errors import ArticleError
from rag.generation import Draft, Generation
from rag.manifest import Entry, Stat, checksum
from rag.types import Chunk, Metadata, SyncReport

if TYPE_CHECKING:
    from rag.server_store import ServerStore
    from rag.store import Store

WINDOW = 256
"""Chunks that are embedded together: enough to put texts of one length side by side, few enough to show progress."""

SETTLED = 2_000_000_000
"""Nanoseconds after which a further change of a file is sure to change its times, on any file system."""

Progress = Callable[[int, int, str], None]
"""Called with (articles done, articles to do, what is being done)."""


@dataclass(frozen=True)
class _File:
    """A file that has to be read, and what its manifest entry will say of it."""

    source: str
    sha256: str
    stat: Stat | None
    recipe: str
    known: Metadata | None


@dataclass(frozen=True)
class _Work:
    """A file on its way through the stages. ``problem`` says why it can't be indexed."""

    file: _File
    metadata: Metadata
    chunks: list[Chunk]
    vectors: dict[str, np.ndarray]
    """By embedded text: what needn't be embedded again."""
    problem: str = ""


def sync(
    corpus: Path,
    store: Store | ServerStore,
    embedding: Embedding,
    progress: Progress | None = None,
    *,
    rebuild: bool = False,
) -> SyncReport:
    """Make the store's next generation hold what ``corpus`` holds now; if nothing changed, there is none.

    A file that can't be read is skipped with the reason, and what the store held of it goes. CorpusError if there is no
    article at all: an unmounted folder must not empty the store. ``rebuild`` starts from nothing.
    """
    started = time.perf_counter()
    sources = articles.list_files(corpus)
    known = articles.read_metadata(corpus)
    with store.write(rebuild=rebuild) as draft:
        before = set(draft.manifest.entries)
        files, skipped = _changed(corpus, sources, known, draft)
        removed = sorted(before.difference(sources))
        for source in [*removed, *skipped]:
            if source in before:
                draft.remove(source)
        embedded, unreadable = _index(corpus, files, draft, embedding, progress or _silent)
        skipped |= unreadable
        indexed = [file.source for file in files if file.source not in skipped]
        touched = {*indexed, *skipped}
    return SyncReport(
        added=tuple(source for source in indexed if source not in before),
        changed=tuple(source for source in indexed if source in before),
        removed=tuple(removed),
        unchanged=tuple(source for source in sources if source not in touched),
        skipped=tuple(sorted(skipped.items())),
        chunks=draft.manifest.chunks,
        embedded=embedded,
        seconds=time.perf_counter() - started,
    )


def _changed(
    corpus: Path, sources: list[str], known: dict[str, Metadata], draft: Draft
) -> tuple[list[_File], dict[str, str]]:
    """The files that have to be read, and those that can't be, with the reason."""
    files: list[_File] = []
    skipped: dict[str, str] = {}
    plain = _recipe(None)
    folder = os.path.join(corpus, "")
    for source in sources:
        path = folder + source
        entry = draft.manifest.entries.get(source)
        about = known.get(source)
        recipe = _recipe(about) if about else plain
        try:
            stat = _stat(path)
            if entry and stat and (entry.stat, entry.recipe) == (stat, recipe):
                continue
            sha256 = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        except OSError as error:
            skipped[source] = f"{source} can't be read: {error.strerror}"
            continue
        if not entry or (entry.sha256, entry.recipe) != (sha256, recipe):
            files.append(_File(source, sha256, stat, recipe, about))
        elif stat:
            draft.refresh(source, stat)
    return files, skipped


def _stat(path: str) -> Stat | None:
    """What changes whenever the file does; None while the file is so fresh that it may not.

    An editor can set mtime back, but not ctime. Within the clock's tick of its last change, though, a file can change
    again without a trace (git calls such a file racily clean), so that its times are trusted only once they are past.
    """
    stat = os.stat(path)
    if time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) < SETTLED:
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


def _recipe(known: Metadata | None) -> str:
    """Names all that shapes an article's chunks besides its file."""
    return hashlib.sha256(repr((articles.VERSION, chunking.VERSION, known)).encode()).hexdigest()[:16]


def _index(
    corpus: Path, files: list[_File], draft: Draft, embedding: Embedding, progress: Progress
) -> tuple[int, dict[str, str]]:
    """Read, chunk, embed and add files. How many chunks were embedded, and the files that can't be read, with why."""
    windows = _windows(_read(corpus, files, draft.base, embedding))
    done = embedded = 0
    problems: dict[str, str] = {}
    with ThreadPoolExecutor(1) as reading, ThreadPoolExecutor(1) as writing:
        upcoming = reading.submit(next, windows, None)
        written: Future[None] = writing.submit(_write, [], draft)
        while window := upcoming.result():
            upcoming = reading.submit(next, windows, None)
            embedded += _embed(window, embedding)
            written.result()
            written = writing.submit(_write, window, draft)
            problems |= {work.file.source: work.problem for work in window if work.problem}
            done += len(window)
            progress(done, len(files), "Indexing articles")
        written.result()
    return embedded, problems


def _read(corpus: Path, files: list[_File], base: Generation | None, embedding: Embedding) -> Iterator[_Work]:
    copies = {entry.sha256: entry for entry in base.manifest.entries.values()} if base else {}
    for file in files:
        try:
            article = articles.read_article(corpus, file.source, file.known)
        except ArticleError as error:
            yield _Work(file, Metadata(), [], {}, str(error))
            continue
        chunks = chunking.chunk(article, embedding.count_tokens)
        problem = "" if chunks else f"{file.source} holds no prose"
        # An edited article keeps the vectors of the chunks that stay, a renamed or copied one all of them.
        entry = base.manifest.entries.get(file.source, copies.get(file.sha256)) if base else None
        rows = base.vectors(list(entry.chunks)) if base and entry else []
        vectors = {contextual(chunk): vector for chunk, vector in rows}
        yield _Work(file, article.metadata, chunks, vectors, problem)


def _windows(works: Iterator[_Work]) -> Iterator[list[_Work]]:
    window: list[_Work] = []
    for work in works:
        window.append(work)
        if sum(len(work.chunks) for work in window) >= WINDOW:
            yield window
            window = []
    if window:
        yield window


def _embed(window: list[_Work], embedding: Embedding) -> int:
    """Give every chunk of the window its vector. How many had none."""
    missing = [(work, text) for work in window for text in map(contextual, work.chunks) if text not in work.vectors]
    for (work, text), vector in zip(missing, embedding.embed([text for _, text in missing]), strict=True):
        work.vectors[text] = vector
    return len(missing)


def _write(window: list[_Work], draft: Draft) -> None:
    for work in window:
        file = work.file
        if work.problem:
            if file.source in draft.manifest.entries:
                draft.remove(file.source)
            continue
        checks = {chunk.id: checksum(chunk) for chunk in work.chunks}
        entry = Entry(file.sha256, file.recipe, file.stat, checks, work.metadata)
        draft.add(file.source, entry, work.chunks, [work.vectors[contextual(chunk)] for chunk in work.chunks])


def _silent(done: int, total: int, what: str) -> None:
    pass
