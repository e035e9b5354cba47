"""Chunks by their words: a BM25 index on disk (tantivy), updated in place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import StoreDamagedError, StoreError
from rag.files import was_refused
from rag.types import Chunk

if TYPE_CHECKING:
    import tantivy

BOOSTS = {"text": 1.0, "title": 0.5, "byline": 0.5}
"""What a match in each field counts for. ``byline`` holds authors, publisher and date."""

MAX_TERMS = 256
"""Different words of a question that are looked up; a pasted page has more."""

HEAP = 50_000_000
"""Bytes a writer may hold before it spills a segment to disk."""

# Scripts written without spaces: indexed as pairs of neighbouring characters, which finds words without a dictionary.
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
# A number keeps its decimals; otherwise letters and digits make a word.
_WORD = r"\p{N}+(?:\.\p{N}+)+|[\p{L}\p{M}\p{N}]+"
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ACRONYM = re.compile(r"\b(?:[A-Z]\.){2,}")
_POSSESSIVE = re.compile(r"['’]s\b")
_MONTHS = "|January|February|March|April|May|June|July|August|September|October|November|December"


class LexicalIndex:
    """A BM25 index in a folder. Readers see a change after ``commit``; one writer at a time."""

    def __init__(self, index: tantivy.Index) -> None:
        self._index = index
        self._analyzer = _analyzer()
        index.register_tokenizer("words", self._analyzer)
        self._writer: tantivy.IndexWriter | None = None
        self._searcher = index.searcher()

    @classmethod
    def create(cls, path: Path) -> LexicalIndex:
        """An empty index in the new folder ``path``."""
        import tantivy

        with _errors(StoreError, path):
            path.mkdir(parents=True)
            return cls(tantivy.Index(_schema(), path=str(path), reuse=False))

    @classmethod
    def open(cls, path: Path) -> LexicalIndex:
        """The index in ``path``; StoreDamagedError if it can't be read."""
        import tantivy

        with _errors(StoreDamagedError, path):
            return cls(tantivy.Index.open(str(path)))

    def __len__(self) -> int:
        return self._searcher.num_docs

    def update(self, add: Iterable[Chunk] = (), remove_ids: Iterable[str] = ()) -> None:
        """Take ids out, then put chunks in; nothing shows before ``commit``."""
        import tantivy

        with _errors(StoreError):
            if self._writer is None:
                self._writer = self._index.writer(heap_size=HEAP, num_threads=1)
            for id in remove_ids:
                self._writer.delete_documents_by_term("id", id)
            for chunk in add:
                self._writer.add_document(tantivy.Document(**_fields(chunk)))

    def clear(self) -> None:
        """Take everything out, so that no score remembers it: BM25 counts what ``update`` removes until it is merged
        away. Whatever is to stay has to be put in again before ``commit``.
        """
        self.commit()
        with _errors(StoreError):
            self._writer = self._index.writer(heap_size=HEAP, num_threads=1)
            self._writer.delete_all_documents()

    def commit(self) -> None:
        """Make all updates so far durable and visible, and release the writer."""
        with _errors(StoreError):
            if self._writer is not None:
                self._writer.commit()
                self._writer.wait_merging_threads()
                self._writer = None
            self._index.reload()
            self._searcher = self._index.searcher()

    def search(self, question: str, k: int) -> list[tuple[str, float]]:
        """Up to ``k`` (chunk id, BM25 score) that share a word with the question, best first.

        The question is plain words, never query syntax, so that nothing in it can fail or mean something else.
        """
        with _errors(StoreDamagedError):
            hits = self._searcher.search(self._query(question), limit=k, count=False).hits if k > 0 else []
            return [(self._searcher.doc(address)["id"][0], score) for score, address in hits]

    def _query(self, question: str) -> tantivy.Query:
        from tantivy import Occur, Query

        words = list(dict.fromkeys(self._analyzer.analyze(_normalised(question))))[:MAX_TERMS]
        schema = self._index.schema
        return Query.boolean_query(
            [
                (Occur.Should, Query.boost_query(Query.term_query(schema, field, word, "freq"), boost))
                for field, boost in BOOSTS.items()
                for word in words
            ]
        )


def _fields(chunk: Chunk) -> dict[str, str]:
    about = chunk.metadata
    byline = " ".join((*about.authors, about.publisher, about.date, _month(about.date)))
    fields = {"text": chunk.text, "title": about.title, "byline": byline}
    return {"id": chunk.id} | {field: _normalised(value) for field, value in fields.items()}


def _normalised(text: str) -> str:
    """One spelling of what means the same: 1,000 is 1000, U.S. is US, BYD's is BYD, full-width letters are letters.

    A run in a script without spaces becomes its pairs of neighbouring characters.
    """
    text = unicodedata.normalize("NFKC", text)
    text = _ACRONYM.sub(lambda found: found.group().replace(".", ""), text)
    text = _POSSESSIVE.sub("", _THOUSANDS.sub("", text))
    return _UNSPACED.sub(lambda found: f" {_pairs(found.group())} ", text)


def _pairs(run: str) -> str:
    return " ".join(run[i : i + 2] for i in range(max(1, len(run) - 1)))


def _month(date: str) -> str:
    """The month of an ISO date as a word, because questions name it so."""
    month = date[5:7]
    return _MONTHS.split("|")[int(month)] if month.isdigit() and int(month) <= 12 else ""


def _schema() -> tantivy.Schema:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    for field in BOOSTS:
        builder.add_text_field(field, tokenizer_name="words", index_option="freq")
    return builder.build()


def _analyzer() -> tantivy.TextAnalyzer:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = TextAnalyzerBuilder(Tokenizer.regex(_WORD)).filter(Filter.remove_long(60)).filter(Filter.lowercase())
    return builder.filter(Filter.ascii_fold()).filter(Filter.stemmer("english")).build()


@contextmanager
def _errors(kind: type[StoreError], path: Path | None = None) -> Iterator[None]:
    """tantivy reports everything as ValueError or OSError; tell it as ours."""
    try:
        yield
    except (ValueError, OSError) as error:
        where = f" {path}" if path else ""
        problem = f"the lexical index{where} failed: {' '.join(str(error).split())[:300]}"
        if kind is StoreDamagedError and not was_refused(problem):
            raise StoreDamagedError(f"{problem}: run `rag sync --rebuild`") from error
        raise StoreError(problem) from error
