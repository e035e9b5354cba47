"""The corpus folder as the page edits it: files in, files out, metadata.toml; and the sync that follows.

Nothing here leaves the folder: names are cut to their last part, and links are not followed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag import RagError, SyncReport
from rag.articles import SUFFIXES

KINDS = tuple(sorted(SUFFIXES))
"""Kinds of files that may be uploaded."""

MAX_BYTES = 20_000_000
"""Largest article that may be uploaded."""

METADATA = "metadata.toml"
KEYS = ("title", "authors", "publisher", "date")


@dataclass(frozen=True)
class Upload:
    """What became of one uploaded file: ``problem`` is empty where it was saved as ``name``."""

    name: str
    problem: str = ""


def save_uploads(corpus: Path, uploads: Iterable[Path], *, overwrite: bool) -> list[Upload]:
    """Moves uploaded files into the corpus folder, those that are articles by their kind and size."""
    return [_save(corpus, upload, overwrite=overwrite) for upload in uploads]


def _save(corpus: Path, upload: Path, *, overwrite: bool) -> Upload:
    name = safe_name(upload.name)
    problem = _refusal(corpus, upload, name, overwrite=overwrite)
    if not problem:
        _write(corpus / name, upload.read_bytes())
    upload.unlink()
    return Upload(name, problem)


def _refusal(corpus: Path, upload: Path, name: str, *, overwrite: bool) -> str:
    if Path(name).suffix.lower() not in SUFFIXES:
        return f"only {', '.join(KINDS)} files can be articles"
    size = upload.stat().st_size
    if size > MAX_BYTES:
        return f"it is larger than {MAX_BYTES // 1_000_000} MB"
    if size == 0:
        return "it is empty"
    target = corpus / name
    if target.is_symlink():
        return "a link of that name stands in the folder"
    if target.exists() and not overwrite:
        return "an article of that name exists; tick “Replace” to replace it"
    return ""


def safe_name(name: str) -> str:
    """A file name without folders, control characters, leading dots, or signs that some file system forbids."""
    last = re.split(r"[/\\]", name)[-1]
    kept = re.sub(r'[\x00-\x1f\x7f<>:"|?*]', "_", last).strip().lstrip(".")
    stem, suffix = os.path.splitext(kept)
    return f"{stem[:120] or 'article'}{suffix[:10]}"


def remove(corpus: Path, kept: Path, source: str) -> None:
    """Takes an article out of the corpus; the file moves to the folder ``kept``, so that nothing is lost.

    Raises RagError if ``source`` isn't a plain file of the corpus folder.
    """
    path = inside(corpus, source)
    place = kept / time.strftime("%Y%m%d-%H%M%S") / source
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, place)


def inside(corpus: Path, source: str) -> Path:
    """The file of an article. Raises RagError for a name that leads out of the corpus, or to no file of it."""
    path = corpus / source
    elsewhere = path.is_symlink() or not path.resolve().is_relative_to(corpus.resolve())
    if elsewhere or not path.is_file() or path.suffix.lower() not in SUFFIXES:
        raise RagError(f"{source}: there is no such article in the corpus folder")
    return path


def metadata_values(form: Mapping[str, str]) -> dict[str, str | list[str]]:
    """The values of the metadata form, without control characters and surplus space; authors are parted by ``;``."""
    values = {key: " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", str(form.get(key, ""))).split()) for key in KEYS}
    authors = [author.strip() for author in values["authors"].split(";") if author.strip()]
    return {**values, "authors": authors}


def save_metadata(corpus: Path, source: str, values: dict[str, str | list[str]]) -> None:
    """Writes an article's entry in metadata.toml, leaving the rest of the file as it stands.

    An empty value takes its key out. Raises RagError where the file is written in a way that this can't edit.
    """
    _check(values)
    path = corpus / METADATA
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    before = _parsed(old)
    entry = {key: value for key, value in (before.get(source, {}) | values).items() if value}
    new = _with_entry(old, source, entry)
    if not _says(new, {**before, source: entry}):
        raise RagError(f"{METADATA} is written in a way that can't be edited here: change {source} in it by hand")
    _write(path, new.encode())


def _check(values: dict[str, str | list[str]]) -> None:
    date = values.get("date", "")
    if date and not re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", str(date)):
        raise RagError(f"the date {date!r} is not YYYY-MM-DD, YYYY-MM or YYYY")


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RagError(f"{METADATA} can't be read: {error}") from error


def _says(text: str, meant: dict[str, Any]) -> bool:
    """Whether TOML says what is meant, and nothing else."""
    try:
        return tomllib.loads(text) == meant
    except tomllib.TOMLDecodeError:
        return False


def _with_entry(text: str, source: str, entry: dict[str, Any]) -> str:
    # JSON's strings and arrays of strings are TOML's too.
    lines = [
        f"[{json.dumps(source, ensure_ascii=False)}]",
        *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in entry.items()),
    ]
    block = "\n".join(lines) + "\n"
    span = _entry_span(text, source)
    if span is None:
        return f"{text.rstrip()}\n\n{block}".lstrip()
    return text[: span[0]] + block + text[span[1] :]


def _entry_span(text: str, source: str) -> tuple[int, int] | None:
    """From an entry's header to its last value; comments after that belong to the next entry."""
    headers = list(re.finditer(r"^\[.*\][ \t]*(#.*)?$", text, re.MULTILINE))
    ends = [*(header.start() for header in headers[1:]), len(text)]
    for header, end in zip(headers, ends, strict=False):
        if _parsed_header(header[0]) == source:
            body = re.sub(r"(\s*\n[ \t]*(#[^\n]*)?)+\Z", "\n", text[header.start() : end])
            return header.start(), header.start() + len(body)
    return None


def _parsed_header(line: str) -> str:
    try:
        return next(iter(tomllib.loads(line)), "")
    except tomllib.TOMLDecodeError:
        return ""


def _write(path: Path, content: bytes) -> None:
    """Writes a whole file at once: a reader sees the old content or the new, never half of it."""
    partial = path.with_name(f".{path.name}.{threading.get_ident()}.partial")
    partial.write_bytes(content)
    os.replace(partial, path)


@dataclass(frozen=True)
class SyncState:
    """How a sync stands: running (``done`` of ``total``), or over with a ``report`` or an ``error``."""

    running: bool = False
    done: int = 0
    total: int = 0
    what: str = "Looking for changes"
    report: SyncReport | None = None
    error: str = ""


class Sync:
    """At most one sync at a time, in a thread of its own; every open page can watch it.

    Questions are answered from the last finished state meanwhile.
    """

    def __init__(self, run: Callable[..., SyncReport]) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._wanted: list[bool] = []
        self.state = SyncState()

    def start(self, *, rebuild: bool = False) -> None:
        """Sync now, or once more after the one that is running: it may have passed by what has changed since."""
        with self._lock:
            self._wanted.append(rebuild)
            if not self.state.running:
                self.state = SyncState(running=True)
                threading.Thread(target=self._work, name="sync", daemon=True).start()

    def watch(self, every: float = 0.2) -> Iterator[SyncState]:
        """How it stands, now and then until it is over."""
        while self.state.running:
            yield self.state
            time.sleep(every)
        yield self.state

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._wanted:
                    self.state = replace(self.state, running=False)
                    return
                rebuild = any(self._wanted)
                self._wanted.clear()
            self.state = self._sync(rebuild)

    def _sync(self, rebuild: bool) -> SyncState:
        try:
            return SyncState(running=True, report=self._run(self._progress, rebuild=rebuild))
        except RagError as error:
            return SyncState(running=True, error=str(error))
        except Exception as error:
            self.state = SyncState(error=f"the sync failed: {error!r}")
            raise

    def _progress(self, done: int, total: int, what: str) -> None:
        self.state = SyncState(running=True, done=done, total=total, what=what)
