"""Files that survive a crash, and folders that aren't deleted while somebody reads them."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where a file that is open can't be deleted anyway
    fcntl = None  # type: ignore[assignment]


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file's content in one step, so that whoever reads it, at whatever moment, reads one or the other."""
    new = path.with_name(path.name + ".new")
    with new.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(new, path)
    if fcntl:  # elsewhere a folder can't be opened
        _flush(path.parent)


def seal(file: Path) -> tuple[int, int]:
    """Size and CRC-32 of a file whose bytes are on disk when this returns."""
    _flush(file)
    return file.stat().st_size, crc32(file)


def crc32(file: Path) -> int:
    """Checksum of a file's bytes: finds any accident, keeps out nobody with intent."""
    crc = 0
    with file.open("rb", buffering=0) as stream:
        while block := stream.read(1 << 20):
            crc = zlib.crc32(block, crc)
    return crc


def link_or_copy(source: str, target: str) -> str:
    """tantivy never changes a file but its two lists of files, so the rest needn't be copied."""
    if not source.endswith(".json"):
        with suppress(OSError):  # a file system without hard links
            os.link(source, target)
            return target
    return shutil.copy2(source, target)


def was_refused(problem: str) -> bool:
    """Whether a library's error tells of a refusal (full disk, no permission) and not of a damaged file."""
    sqlite = re.search(r"\(code: (\d+)\)", problem)
    if sqlite:
        return int(sqlite[1]) & 0xFF in (8, 10, 13, 14)  # read-only, input/output error, full, can't open
    return bool(re.search("No space left|File too large|Permission denied|Read-only file system|quota", problem))


def writable_copy(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """A copy of a read-only folder, in the system's folder for such things; deleted with the returned object."""
    copy = tempfile.TemporaryDirectory(prefix="rag-", ignore_cleanup_errors=True)
    shutil.copytree(folder, copy.name, dirs_exist_ok=True, copy_function=shutil.copyfile)
    for path in (Path(copy.name), *Path(copy.name).rglob("*")):
        if path.is_dir():
            path.chmod(0o700)
    return copy


def share(lock: Path) -> int:
    """An open file that keeps its generation from being deleted until it is closed, or its process ends."""
    descriptor = os.open(lock, os.O_RDONLY)
    if fcntl:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if not lock.exists():  # deleted between the two calls
            os.close(descriptor)
            raise FileNotFoundError(lock)
    return descriptor


@contextmanager
def exclusive(lock: Path) -> Iterator[bool]:
    """Whether nobody shares the lock; while this lasts, nobody can begin to."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:
        yield True  # never sealed
        return
    try:
        if fcntl:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = True
    except BlockingIOError:
        free = False
    try:
        yield free
    finally:
        os.close(descriptor)


def _flush(path: Path) -> None:
    """Have the disk hold what was written to a file, or which files a folder has."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
