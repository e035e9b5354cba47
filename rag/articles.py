"""Folder -> Articles: text, Markdown, HTML and PDF, with title, authors, publisher and date where they stand.

Values come from ``metadata.toml``, else from the file's own metadata (HTML; of a PDF only title and author: its date is
that of the export), else from the lines at the top and foot of the text that the common layouts of news pages use for
them. A value that no such line tells is left empty. The same pass tells prose from the boilerplate of scraped pages:
only short lines that match as a whole are dropped, since a dropped paragraph is a lost answer.

What is not done: nothing is read from inside the prose, an ambiguous date (03/04/2022) is no date, and the patterns
know English pages only.
"""

from __future__ import annotations

import datetime
import io
import logging
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from rag import layout
from rag.dates import iso_date
from rag.errors import ArticleError, CorpusError
from rag.names import is_agency, is_name, split_names
from rag.types import Article, Metadata

VERSION = 1
"""Part of the corpus fingerprint: raised whenever the same file gives another Article."""

SUFFIXES = frozenset({".txt", ".md", ".markdown", ".html", ".htm", ".pdf"})
MAX_BYTES = 64 * 2**20
"""A longer file is no article but a dump; it is refused rather than indexed for an hour."""
MAX_HTML_BYTES = 8 * 2**20
METADATA = "metadata.toml"

_NO_UNICODE = re.compile(r"[\ud800-\udfff]")  # how Python names a file whose name isn't UTF-8

# -- the folder ------------------------------------------------------------------------------------------------------


def list_files(corpus: Path) -> list[str]:
    """The articles of a folder and its subfolders: sorted paths relative to it, with ``/``.

    Hidden files, files of other kinds, links that lead out of the folder and names that aren't Unicode are left out.
    Raises CorpusError where the folder, or a part of it, can't be read, or holds no article.
    """
    if not corpus.exists():
        raise CorpusError(f"there is no folder {corpus}; make it and put articles in it, or name another with --corpus")
    if not corpus.is_dir():
        raise CorpusError(f"{corpus} is a file; the corpus has to be a folder of articles")
    root = corpus.resolve()
    before = len(os.path.join(corpus, ""))
    found = (file.path[before:] for file in _files(corpus) if _is_article(file, root))
    sources = sorted(source.replace(os.sep, "/") for source in found)
    if not sources:
        kinds = ", ".join(sorted(SUFFIXES))
        raise CorpusError(f"{corpus} holds no article; put files of these kinds in it: {kinds}")
    return sources


def _files(corpus: Path) -> Iterator[os.DirEntry[str]]:
    """All files that aren't hidden. A link to a folder is no folder here, so that only links to files can lead out."""
    folders = [str(corpus)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                shown = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            raise CorpusError(f"can't read the folder {error.filename}: {error.strerror}") from error
        for entry in shown:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                yield entry


def _is_article(file: os.DirEntry[str], root: Path) -> bool:
    named = os.path.splitext(file.name)[1].lower() in SUFFIXES and not _NO_UNICODE.search(file.path)
    try:
        if named and file.is_symlink():  # resolving takes a system call for each folder on the way
            return file.is_file() and Path(file.path).resolve().is_relative_to(root)
        return named and file.is_file()
    except (OSError, RuntimeError):  # a link that leads to itself
        return False


def read_metadata(corpus: Path) -> dict[str, Metadata]:
    """What ``metadata.toml`` says, by source: a table ``["FILE"]`` with any of title, authors, publisher, date.

    An absent file says nothing. Raises CorpusError, with the line or the entry, for one that can't be used.
    """
    path = corpus / METADATA
    try:
        entries = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CorpusError(f"can't read {path}: {error}") from error
    return {source: _entry(path, source, entry) for source, entry in entries.items()}


def _entry(path: Path, source: str, entry: Any) -> Metadata:
    where = f'{path}, entry "{source}"'
    if not isinstance(entry, Mapping):
        raise CorpusError(f'{where}: write a table, ["{source}"], with title, authors, publisher and date below it')
    unknown = sorted(entry.keys() - {field.name for field in fields(Metadata)})
    if unknown:
        hint = f' (a file name is written in quotes: ["{source}.{unknown[0]}"])' if len(entry) == 1 else ""
        raise CorpusError(f"{where}: unknown key {unknown[0]}; known are title, authors, publisher and date{hint}")
    authors = entry.get("authors", [])
    if not isinstance(authors, list) or not all(isinstance(author, str) for author in authors):
        raise CorpusError(f'{where}: authors has to be a list of strings, as in authors = ["A. Writer"]')
    for name in ("title", "publisher"):
        if not isinstance(entry.get(name, ""), str):
            raise CorpusError(f"{where}: {name} has to be a string")
    date = entry.get("date", "")
    if isinstance(date, datetime.date):  # a TOML datetime is one too
        date = date.isoformat()[:10]
    if not isinstance(date, str) or not _is_iso(date):
        raise CorpusError(f"{where}: date has to be YYYY-MM-DD, YYYY-MM or YYYY")
    return Metadata(entry.get("title", ""), tuple(authors), entry.get("publisher", ""), date)


def _is_iso(date: str) -> bool:
    match = re.fullmatch(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", date)
    return not date or bool(match and iso_date(match[1], match[2] or "1", match[3] or "1"))


# -- one file --------------------------------------------------------------------------------------------------------


def read_article(corpus: Path, source: str, known: Metadata | None = None) -> Article:
    """Read one file; ``known``, its entry in ``metadata.toml``, wins over what the file says, field by field.

    Raises ArticleError, in one line, if it is empty, too large, unreadable or no text.
    """
    path = corpus / source
    if not path.resolve().is_relative_to(corpus.resolve()):
        raise ArticleError(f"{source} lies outside of {corpus}")
    text, own = _read(path)
    if not layout.LINE.search(text):
        scanned = " of text (a scanned PDF?)" if source.lower().endswith(".pdf") else ""
        raise ArticleError(f"{source} is empty{scanned}")
    metadata, body, bylines = layout.lay_out(text, layout.merge(known or Metadata(), own))
    return Article(source, text, metadata, body, bylines)


def file_text(path: Path) -> str:
    """The text that the offsets of a file's citations count in; for a UTF-8 file the file itself, newlines and all.

    UTF-16 with a byte order mark and Western 8-bit text (Windows-1252) are decoded as such. Raises ArticleError.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[str, Metadata]:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ArticleError(f"{path.name} is none of the kinds that can be read: {', '.join(sorted(SUFFIXES))}")
    limit = MAX_HTML_BYTES if suffix in (".html", ".htm") else MAX_BYTES
    try:
        size = path.stat().st_size
        if size > limit:
            raise ArticleError(f"{path.name} is {size / 2**20:.0f} MB; split it: the limit is {limit / 2**20:.0f} MB")
        data = path.read_bytes()
    except OSError as error:
        raise ArticleError(f"can't read {path.name}: {error.strerror or error}") from error
    if suffix == ".pdf":
        return _pdf(path.name, data)
    if suffix in (".html", ".htm"):
        return _html(path.name, data)
    return _decode(path.name, data), Metadata()


def _decode(name: str, data: bytes) -> str:
    """Text of bytes: UTF-8 as it is, else UTF-16 with its mark, else mostly-valid UTF-8, else Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise ArticleError(f"{name} starts as UTF-16 text but isn't ({error.reason}); save it as UTF-8") from error
    controls = len(data) - len(data.translate(None, bytes(set(range(32)) - set(b"\t\n\r\f\v\x1b"))))
    if b"\0" in data or controls > len(data) / 100:
        raise ArticleError(f"{name} is not text (it has control characters); is it a renamed binary file?")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_other(name, data)


def _decode_other(name: str, data: bytes) -> str:
    repaired = data.decode("utf-8", "replace")
    wrong = repaired.count("\ufffd")
    if sum(character > "\x7f" for character in repaired) > 2 * wrong:  # UTF-8 with a few damaged bytes
        return repaired
    foreign = len(data) - len(data.translate(None, bytes(range(128, 256))))
    try:
        if foreign <= len(data) / 4:  # more is no Western text, and would come out as gibberish
            return data.decode("cp1252")
    except UnicodeDecodeError:
        pass
    raise ArticleError(f"{name} is neither UTF-8 nor Western 8-bit text; save it as UTF-8")


def _html(name: str, data: bytes) -> tuple[str, Metadata]:
    """The main text under a head of what the page's metadata says, so that this can be cited as well."""
    import trafilatura

    charset = re.search(rb"<meta[^>]{0,200}charset=[\"']?\s{0,9}([\w-]{1,40})", data[:4096], re.IGNORECASE)
    try:
        markup = data.decode(charset[1].decode()) if charset else _decode(name, data)
    except (LookupError, UnicodeDecodeError):
        markup = _decode(name, data)
    try:
        page = trafilatura.bare_extraction(
            markup,
            with_metadata=True,
            include_comments=False,
            date_extraction_params={"extensive_search": False, "original_date": True},
        )
        found = page if isinstance(page, trafilatura.settings.Document) else None
        text = (found and found.text) or trafilatura.html2txt(markup)
    except (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError, MemoryError) as error:
        raise ArticleError(f"can't read {name} as HTML: {type(error).__name__}: {_one_line(error)}") from error
    own = _html_metadata(found) if found else Metadata()
    return _encodable(_with_head(own, text)), own


def _html_metadata(page: Any) -> Metadata:
    authors = tuple(part.strip() for part in (page.author or "").split(";") if is_name(part) or is_agency(part))
    date = page.date if page.date and _is_iso(page.date) else ""
    return Metadata(_one_line(page.title or ""), authors, _one_line(page.sitename or ""), date)


def _with_head(known: Metadata, text: str) -> str:
    """The text below its title and byline, each on a line, as far as the page's metadata tells them."""
    authors = " and ".join(filter(None, [", ".join(known.authors[:-1]), *known.authors[-1:]]))
    who = " | ".join(filter(None, [authors and f"By {authors}", known.publisher]))
    if known.publisher and not authors:
        who = f"Source: {known.publisher}"
    rest = text.removeprefix(known.title).lstrip() if text.startswith(f"{known.title}\n") else text
    lines = (known.title, who, known.date and f"Published: {known.date}", rest)
    return "\n".join(line for line in lines if line)


def _pdf(name: str, data: bytes) -> tuple[str, Metadata]:
    import pypdf
    from pypdf.errors import DependencyError, FileNotDecryptedError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it can repair is no news to anybody
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        text = "\n\n".join(page.extract_text() for page in reader.pages)
        about = reader.metadata
        title, author = (about.title or "", about.author or "") if about else ("", "")
    except (FileNotDecryptedError, DependencyError) as error:
        raise ArticleError(f"{name} is encrypted; save it without a password") from error
    except (
        PyPdfError,
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        MemoryError,
        NotImplementedError,
        OSError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:  # pypdf's own words: "broken PDF files might cause other Exceptions"
        raise ArticleError(f"can't read {name} as PDF: {type(error).__name__}: {_one_line(error)}") from error
    return _encodable(text.replace("\0", "")), Metadata(_pdf_title(title), split_names(author))


def _pdf_title(title: str) -> str:
    """The title, unless it is what a program wrote there: a file name, "untitled"."""
    made_up = re.search(r"^(?:microsoft|untitled|document\d*$|slide ?\d)|\.\w{2,5}$|[\\/_]", title, re.IGNORECASE)
    return "" if made_up else _one_line(title)


def _one_line(value: object) -> str:
    return " ".join(str(value).split())[:300]


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
