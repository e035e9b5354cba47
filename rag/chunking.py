"""Article -> Chunks: runs of whole sentences with exact offsets.

Sentences end where the Punkt method (Kiss & Strunk, 2006) ends them, by its trained abbreviations and sentence
starters. They are read from the copy in llama_index's wheel, two small text files: so nothing of llama_index or NLTK
has to be imported, which takes a second or two, and an environment's own ``NLTK_DATA`` can't replace them. Offsets are
carried along from match to match; no text is ever searched for.

What is not done: chunks don't overlap. Each is embedded with its article's title in front, and a sentence that is found
twice would be cited twice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from rag.errors import ModelError
from rag.types import Article, Chunk, Metadata

VERSION = 1
"""Part of the corpus fingerprint: raised whenever the same article gives other chunks."""

Span = tuple[int, int]

PUNKT = "_static/nltk_cache/tokenizers/punkt_tab/english"
LINE = re.compile(r"[^\s\ufeff](?:[^\n\r\f\v\x85\u2028\u2029]*[^\s\ufeff])?")
NEWLINE = re.compile(r"\r\n|[\n\r\f\v\x85\u2028\u2029]")
CLOSING = r"[\"'”’»)\]}*_」』）】]*(?:\[\d{1,3}\])*"  # quotes, brackets and note marks that close behind a full stop
END = re.compile(rf"(?:[.!?…]+|[。！？｡।؟۔]+){CLOSING}")
TERMINATED = re.compile(rf"[.!?…。！？｡।؟۔]{CLOSING}$")
OPENING = re.compile(r"[\s\"'“‘«(\[{*_「『（【—–¿¡-]*")
MARKER = re.compile(r"(?:(?:#{1,6}|>|[-*+•■▪●‣◦–—])\s+)+(?=\S)")  # heading, quote and list marks
LAST_WORD = re.compile(r"[^\s()\[\]{}\"“”‘«»—–/]*$")
FIRST_WORD = re.compile(r"[^\W\d_]+")
INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")  # J, U.S, e.g
CLAUSE = re.compile(r"[,;:]\s+|\s[—–-]\s+|[，、；：]|—")
SPACE = re.compile(r"\s+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Added to the trained abbreviations: they come from the Wall Street Journal of 1989.
ABBREVIATIONS = _words("apr jun jul ph.d llc plc pty etc esq assn intl mon thu thur thurs hrs mins secs")
# Never the end of a sentence: a name, a number or an example follows.
TITLES = _words(
    "mr mrs ms mx dr prof gen sen sens rep reps gov lt col sgt capt cpl cmdr adm maj rev hon messrs pres supt insp"
    " st mt ft vs fig figs sec vol vols approx est dept e.g i.e viz"
)
NUMBERED = _words("no nos art pp p ch")  # no end before a number
WORDS = _words("ill wash ore ok mon jun mar sat sun")  # abbreviations only where they are capitalised
# Added to the trained sentence starters, which leave out the commonest words.
STARTERS = _words(
    "a an the in on at its he his she her they their we our you your that those here or and as where after before"
    " until because for from with by to what why how who which some most all each every one another other"
)


def split_sentences(text: str) -> list[Span]:
    """Sentence spans of ``text``, in order, without the whitespace around them and the list marks before them.

    A newline ends a sentence too, unless lines are hard-wrapped or one breaks off in mid-sentence. All but whitespace
    and heading, list and quote marks lies in exactly one span. Time is linear in the length of ``text``.
    """
    return [span for paragraph in _paragraphs(text, 0, len(text), _wrap_width(text)) for span in paragraph]


def chunk(article: Article, count: Callable[[str], int], *, size: int = 200) -> list[Chunk]:
    """The chunks of an article: those of its body, in order, then those of kind ``byline``.

    ``count`` gives the tokens of a text, as the embedder counts them, and is asked once per sentence; ``size`` is about
    how many a chunk has. A single sentence makes a longer one; more than twice ``size`` it is split, between clauses
    where it can be. Ids are unique in a corpus and change with source, place, text and metadata.
    """
    width = _wrap_width(article.text)
    chunks = []
    for start, end in article.body:
        paragraphs = _paragraphs(article.text, start, end, width)
        measured = (_measure(article.text, paragraph, count, size) for paragraph in paragraphs)
        chunks += [_chunk(article, group, "body") for group in _pack(measured, size)]
    for lines in _neighbours(article.text, article.bylines):
        measured = (_measure(article.text, [line], count, size) for line in lines)
        chunks += [_chunk(article, group, "byline") for group in _pack(measured, size)]
    return chunks


@dataclass(frozen=True)
class _Piece:
    """A sentence, or a part of an overlong one."""

    start: int
    end: int
    tokens: int
    heading: bool = False
    """Whether it is a short paragraph without a full stop, which announces what follows."""


def _chunk(article: Article, pieces: Sequence[_Piece], kind: str) -> Chunk:
    start, end = pieces[0].start, pieces[-1].end
    text = article.text[start:end]
    return Chunk(
        id=_chunk_id(article.source, start, end, kind, text, article.metadata),
        source=article.source,
        start=start,
        end=end,
        text=text,
        sentences=tuple((piece.start - start, piece.end - start) for piece in pieces),
        metadata=article.metadata,
        kind=kind,
    )


def _chunk_id(source: str, start: int, end: int, kind: str, text: str, known: Metadata) -> str:
    content = "\x1f".join([kind, text, known.title, *known.authors, known.publisher, known.date])
    return f"{_digest(source)[:12]}-{start}-{end}-{_digest(content)[:8]}"


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _neighbours(text: str, spans: Iterable[Span]) -> Iterator[list[Span]]:
    """Group spans that nothing but whitespace separates: a chunk is one stretch of the article."""
    group: list[Span] = []
    for start, end in spans:
        if group and text[group[-1][1] : start].strip():
            yield group
            group = []
        group.append((start, end))
    if group:
        yield group


def _pack(paragraphs: Iterable[Sequence[_Piece]], size: int) -> Iterator[list[_Piece]]:
    """Fill chunks up to ``size`` tokens; one that is 60 % full ends before a paragraph that doesn't fit as a whole."""
    group: list[_Piece] = []
    tokens = 0
    for paragraph in paragraphs:
        whole = sum(piece.tokens for piece in paragraph)
        for index, piece in enumerate(paragraph):
            needed = whole if index == 0 and tokens >= 0.6 * size else piece.tokens
            body = _without_headings(group)
            if body and tokens + needed > size:
                yield group[:body]
                group = group[body:]
                tokens = sum(kept.tokens for kept in group)
            group.append(piece)
            tokens += piece.tokens
    if group:
        yield group


def _without_headings(group: Sequence[_Piece]) -> int:
    """How many pieces are left when the headings at the end go with the text that they announce."""
    length = len(group)
    while length and group[length - 1].heading:
        length -= 1
    return length


def _measure(text: str, sentences: Sequence[Span], count: Callable[[str], int], size: int) -> list[_Piece]:
    if len(sentences) == 1 and _is_heading(text, *sentences[0]):
        start, end = sentences[0]
        return [_Piece(start, end, count(text[start:end]), heading=True)]
    return [piece for start, end in sentences for piece in _fit(text, start, end, count, size, 2 * size)]


def _is_heading(text: str, start: int, end: int) -> bool:
    return end - start <= 120 and not TERMINATED.search(text, start, end)


def _fit(text: str, start: int, end: int, count: Callable[[str], int], size: int, limit: int) -> Iterator[_Piece]:
    """The sentence as one piece, or halved until each part has ``size`` tokens at most.

    Ten characters are a token at least: a tokenizer counts a "word" of a million letters as a single unknown one.
    """
    if end - start <= 10 * limit:
        tokens = max(count(text[start:end]), (end - start) // 10)
        if tokens <= limit or end - start < 2:
            yield _Piece(start, end, tokens)
            return
    cut = _middle(text, start, end)
    for left, right in ((start, cut), (cut, end)):
        left = _skip(SPACE, text, left, right)
        right = left + len(text[left:right].rstrip())
        if left < right:
            yield from _fit(text, left, right, count, size, size)


def _middle(text: str, start: int, end: int) -> int:
    """Where to halve: the end of a clause, else a space, in the middle half and nearest its centre; else the centre."""
    centre = (start + end) // 2
    quarter = (end - start) // 4
    for boundary in (CLAUSE, SPACE):
        cuts = [match.end() for match in boundary.finditer(text, centre - quarter, centre + quarter)]
        if cuts:
            return min(cuts, key=lambda cut: abs(cut - centre))
    return centre


def _paragraphs(text: str, start: int, end: int, width: int) -> Iterator[list[Span]]:
    """The sentence spans of each paragraph between ``start`` and ``end``."""
    first = last = (-1, -1)
    for match in LINE.finditer(text, start, end):
        line = match.span()
        if first[0] < 0:
            first = line
        elif not _continues(text, last, line, width):
            yield list(_sentences(text, first[0], last[1]))
            first = line
        last = line
    if first[0] >= 0:
        yield list(_sentences(text, first[0], last[1]))


def _continues(text: str, last: Span, line: Span, width: int) -> bool:
    """Whether a paragraph goes on in the next line: hard-wrapped, or broken in mid-sentence."""
    if MARKER.match(text, *line):
        return False
    if width and last[1] - last[0] >= 0.6 * width and len(NEWLINE.findall(text, last[1], line[0])) == 1:
        return True
    broken = not TERMINATED.search(text, max(last[0], last[1] - 40), last[1]) and text[last[1] - 1] not in ":;"
    return broken and text[line[0]].islower() and not text.startswith("#", last[0])


def _wrap_width(text: str) -> int:
    """The width at which the lines of a hard-wrapped file break, or 0: 40 to 120 characters, mostly in mid-sentence."""
    lines = [match.span() for match in LINE.finditer(text)]
    inner = [last for last, line in pairwise(lines) if len(NEWLINE.findall(text, last[1], line[0])) == 1]
    wrapped = [end - start for start, end in inner if 40 <= end - start <= 120]
    open_ended = sum(not TERMINATED.search(text, max(start, end - 40), end) for start, end in inner)
    if len(inner) < 4 or len(wrapped) < 0.7 * len(inner) or open_ended < 0.5 * len(inner):
        return 0
    return max(wrapped)


def _sentences(text: str, start: int, end: int) -> Iterator[Span]:
    """The sentences of one paragraph, which neither begins nor ends with whitespace."""
    start = _skip(MARKER, text, start, end)
    for stop in END.finditer(text, start, end):
        if stop.end() < end and _ends(text, stop, start, end):
            yield start, stop.end()
            start = _skip(SPACE, text, stop.end(), end)
    yield start, end


def _ends(text: str, stop: re.Match[str], start: int, end: int) -> bool:
    """Whether a sentence ends at these full stops; ``start`` is where it began, ``end`` the paragraph's end."""
    if stop[0][0] in "。！？｡":
        return True
    if not text[stop.end()].isspace():
        return False
    position = _skip(OPENING, text, stop.end(), end)
    if position == end:
        return True
    if text[position] in ".,;:!?…)]":
        return False
    word = _last_word(text[max(start, stop.start() - 40) : stop.start()])
    if stop[0] not in (".", ".)", ".]"):
        return not text[position].islower()
    if _is_abbreviation(word):
        return _ends_after_abbreviation(text, word, position)
    if text[position].islower():  # perhaps an abbreviation nobody listed; text without capitals has sentences too
        return len(word) > 2 and word.isalpha() and word.islower()
    return not (word.isdigit() and stop.start() - start == len(word))  # "1." numbers what follows


def _is_abbreviation(word: str) -> bool:
    key = word.lower()
    return bool(INITIALS.fullmatch(word)) or (key in _abbreviations() and not (word.islower() and key in WORDS))


def _ends_after_abbreviation(text: str, word: str, position: int) -> bool:
    """Whether the full stop of an abbreviation ends the sentence too: only a common first word after it tells."""
    key = word.lower()
    if key in NUMBERED:
        return text[position].isupper()
    following = FIRST_WORD.match(text, position)
    if key in TITLES or not following or not text[position].isupper():
        return False
    initial = len(following[0]) == 1 and text.startswith(".", following.end())  # J. A. Smith
    return following[0].lower() in _starters() and not initial


def _last_word(text: str) -> str:
    match = LAST_WORD.search(text)
    return match[0] if match else ""


def _skip(pattern: re.Pattern[str], text: str, start: int, end: int) -> int:
    match = pattern.match(text, start, end)
    return match.end() if match else start


@cache
def _abbreviations() -> frozenset[str]:
    return _punkt("abbrev_types.txt") | ABBREVIATIONS | TITLES | NUMBERED


@cache
def _starters() -> frozenset[str]:
    return _punkt("sent_starters.txt") | STARTERS


def _punkt(name: str) -> frozenset[str]:
    """A word list of the English Punkt model in llama_index's wheel (which finding, unlike importing, doesn't run)."""
    spec = find_spec("llama_index.core")
    if spec is None or spec.origin is None:
        raise ModelError("llama-index-core is not installed: its sentence model is missing; run `make` again")
    path = Path(spec.origin).parent / PUNKT / name
    try:
        return frozenset(path.read_text(encoding="utf-8").split())
    except OSError as error:
        raise ModelError(f"the sentence model of llama-index-core is missing: {error}; reinstall it") from error
